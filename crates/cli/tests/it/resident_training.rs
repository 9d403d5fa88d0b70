//! The example's training at a small size: what it costs, that it learns, and that f64 agrees.
//!
//! Without an adapter this prints why and passes; with `LRGRID_REQUIRE_GPU=1` it fails instead.
#![cfg(feature = "gpu")]
#![expect(clippy::unwrap_used, reason = "a test's helpers may fail as tests do")]

#[path = "../../examples/resident_training/check.rs"]
mod check;
#[path = "../../examples/resident_training/device.rs"]
mod device;
#[path = "../../examples/resident_training/picture.rs"]
mod picture;
#[path = "../../examples/resident_training/problem.rs"]
mod problem;
#[path = "../../examples/resident_training/twin.rs"]
mod twin;

use lrgrid::wgpu;

use device::{MOST_NETWORKS, Trainer};
use problem::PARAMETERS;

const NETWORKS: usize = 24;
const STEPS: u64 = 120;
const CHUNK: u64 = 50;

/// The best adapter's device; `None` where there is none and none is required.
fn open() -> Option<(wgpu::Device, wgpu::Queue)> {
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle());
    let adapter = match pollster::block_on(instance.request_adapter(&wgpu::RequestAdapterOptions::default())) {
        Ok(adapter) => adapter,
        Err(error) if std::env::var_os("LRGRID_REQUIRE_GPU").is_some_and(|value| value == "1") => {
            panic!("LRGRID_REQUIRE_GPU=1, but {error}")
        }
        Err(error) => {
            eprintln!("skipped: no GPU adapter: {error}");
            return None;
        }
    };
    Some(pollster::block_on(adapter.request_device(&wgpu::DeviceDescriptor::default())).unwrap())
}

#[test]
fn networks_train_on_the_device_as_they_do_in_f64() {
    let Some((device, queue)) = open() else { return };
    let (batch, points) = problem::sweep(NETWORKS, STEPS).unwrap();
    let trainer = Trainer::new(device, queue, batch.clone(), STEPS, CHUNK).unwrap();
    println!("testing {}", trainer.name());
    let mut reached = 0;
    let resident = trainer.resident(|step| reached = step).unwrap();
    let fed = trainer.fed(|_| {}).unwrap();
    assert_eq!(reached, STEPS);

    // Nothing goes either way while it runs.
    let cost = resident.cost;
    assert_eq!((cost.dispatches, cost.submissions), (3 * STEPS, STEPS.div_ceil(CHUNK)));
    assert_eq!((cost.written, cost.read_in_loop), (0, 0));
    assert_eq!(cost.read_at_end, 4 * (NETWORKS * (PARAMETERS + 2)) as u64);
    assert_eq!((fed.cost.submissions, fed.cost.written), (STEPS, STEPS * (16 + 4 * NETWORKS as u64)));
    assert!(NETWORKS <= MOST_NETWORKS && cost.seconds > 0.0);

    // It learns: the best are well below the ln 2 of a coin, and the schedules make the difference.
    let mut ranking: Vec<usize> = (0..NETWORKS).collect();
    ranking.sort_by(|&a, &b| resident.results[a][0].total_cmp(&resident.results[b][0]));
    let loss = |place: usize| resident.results[ranking[place]][0];
    println!("losses {} to {}", loss(0), loss(NETWORKS - 1));
    assert!(loss(0) < 0.4 && loss(NETWORKS - 1) > 1.5 * loss(0));

    let checked = [ranking[0], ranking[NETWORKS / 2], ranking[NETWORKS - 1]];
    for of in check::check(&batch, STEPS, &resident, &checked) {
        println!("{of:?}: loss off by {:.1e}, allowed {:.1e}", of.of_loss(), of.allowed());
        assert!(!of.is_breached(), "{of:?}");
        assert!(of.of_loss() < 1e-2, "network {}: {of:?}", of.network);
    }
    // Rates differ in their last bit at most, which is what one step's rounding differs by.
    for &network in &checked {
        let (a, b) = (resident.results[network][0], fed.results[network][0]);
        assert!((a - b).abs() <= 1e-2 * a, "network {network}: {a} and {b}");
    }

    let picture = picture::draw(&batch, &points, STEPS, &resident, &ranking);
    assert!(picture.starts_with("<svg") && picture.ends_with("</svg>\n") && !picture.contains("NaN"));
}
