//! Trains thousands of small networks side by side on a GPU, each with a schedule of its own from a sweep.
//!
//! `cargo run --release --example resident_training -- --networks 4096 --steps 1000`
//!
//! Forward pass, backward pass and optimizer are WGSL; the optimizer kernel calls `lr_at(network, step)`, and the step is
//! counted on the device. The host records commands, and reads nothing back until the end. The same loop with rates
//! that the host writes into a uniform before each step is timed beside it, and a few networks are trained again in
//! f64 on the CPU.

#[path = "resident_training/check.rs"]
mod check;
#[path = "resident_training/device.rs"]
mod device;
#[path = "resident_training/picture.rs"]
mod picture;
#[path = "resident_training/problem.rs"]
mod problem;
#[path = "resident_training/twin.rs"]
mod twin;

use std::error::Error;
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use lrgrid::wgpu;
use lrgrid_tables::table::{AtomicFile, Existing};

use device::{Cost, MOST_NETWORKS, Outcome, Trainer};

/// Train many small networks on the GPU, each with its own learning-rate schedule.
#[derive(Debug, Parser)]
struct Arguments {
    /// How many networks.
    #[arg(long, default_value_t = 4096, value_parser = clap::value_parser!(u32).range(1..=MOST_NETWORKS as i64))]
    networks: u32,
    /// How many steps each is trained for.
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    steps: u32,
    /// Steps that are recorded for one submission.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    chunk: u32,
    /// Networks that are trained again in f64 on the CPU.
    #[arg(long, default_value_t = 3)]
    check: u32,
    /// Part of the adapter's name; otherwise the fastest there is.
    #[arg(long, value_name = "NAME")]
    adapter: Option<String>,
    /// Where the picture goes.
    #[arg(long, value_name = "FILE", default_value = "resident_training.svg")]
    picture: PathBuf,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            // Where standard error is closed, the status still says it.
            let _ = writeln!(io::stderr(), "error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// A device as a training program opens one; lrgrid is a guest on it.
fn open(adapter: Option<&str>) -> Result<(wgpu::Device, wgpu::Queue), Box<dyn Error>> {
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle_from_env());
    let adapter = match adapter {
        None => pollster::block_on(instance.request_adapter(&wgpu::RequestAdapterOptions {
            power_preference: wgpu::PowerPreference::HighPerformance,
            ..wgpu::RequestAdapterOptions::default()
        }))?,
        Some(name) => {
            let all = pollster::block_on(instance.enumerate_adapters(wgpu::Backends::all()));
            let wanted = name.to_lowercase();
            let found = all.into_iter().find(|adapter| adapter.get_info().name.to_lowercase().contains(&wanted));
            found.ok_or_else(|| format!("no adapter matches `{name}`: `lrgrid devices` lists them"))?
        }
    };
    let descriptor = wgpu::DeviceDescriptor { required_limits: adapter.limits(), ..wgpu::DeviceDescriptor::default() };
    Ok(pollster::block_on(adapter.request_device(&descriptor))?)
}

fn run(arguments: &Arguments) -> Result<bool, Box<dyn Error>> {
    let (networks, steps) = (arguments.networks as usize, u64::from(arguments.steps));
    let (batch, points) = problem::sweep(networks, steps)?;
    let (device, queue) = open(arguments.adapter.as_deref())?;
    let trainer = Trainer::new(device, queue, batch.clone(), steps, arguments.chunk.into())?;
    println!("{networks} networks of {} parameters, {steps} steps, on {}", problem::PARAMETERS, trainer.name());
    let resident = trainer.resident(progress("resident", steps))?;
    let fed = trainer.fed(progress("fed by the host", steps))?;

    let mut ranking: Vec<usize> = (0..networks).collect();
    // A loss that is no number is the worst.
    let loss = |i: usize| Some(resident.results[i][0]).filter(|loss| !loss.is_nan()).unwrap_or(f32::INFINITY);
    ranking.sort_by(|&a, &b| loss(a).total_cmp(&loss(b)));
    println!(
        "\nthe schedules that won, and the one that lost\n network   loss      right   peak      warmup  decay  end/peak"
    );
    for &network in ranking.iter().take(5).chain(ranking.last()) {
        let ([loss, right], point) = (resident.results[network], points[network]);
        println!(
            "{network:8}   {loss:.2e}  {:5.1} %  {:.2e}  {:6}  {:5}  {:.3}",
            right * 100.0,
            point.peak,
            point.warmup_steps,
            point.decay_steps,
            point.end
        );
    }

    report(&resident, &fed, steps);
    let same = resident.weights.iter().zip(&fed.weights).filter(|(a, b)| a.to_bits() == b.to_bits()).count();
    println!("{same} of {} weights end with the same bits in both loops", fed.weights.len());

    let checked: Vec<usize> =
        ranking.iter().copied().step_by((networks / arguments.check.max(1) as usize).max(1)).collect();
    let checked = &checked[..checked.len().min(arguments.check as usize)];
    let deviations = check::check(&batch, steps, &resident, checked);
    println!("\nagainst the same training in f64\n network   loss (f64)   off by    weights off by  allowed");
    for of in &deviations {
        let verdict = if of.is_breached() { "BREACH" } else { "" };
        println!(
            "{:8}   {:.4e}   {:.1e}   {:.1e}         {:.1e}  {verdict}",
            of.network,
            of.exact_loss,
            of.of_loss(),
            of.weights,
            of.allowed()
        );
    }

    let drawn = picture::draw(&batch, &points, steps, &resident, &ranking);
    AtomicFile::write_whole(&arguments.picture, drawn.as_bytes(), Existing::Replace)?;
    println!("\nthe picture is {}", arguments.picture.display());
    Ok(!deviations.iter().any(check::Deviation::is_breached))
}

/// What each loop cost, per 1000 steps.
fn report(resident: &Outcome, fed: &Outcome, steps: u64) {
    println!("\nper 1000 steps       dispatches  submissions  bytes written  bytes read back  µs per step");
    let per = |count: u64| count as f64 * 1000.0 / steps as f64;
    for (name, outcome) in [("lr_at on the device", resident), ("fed by the host", fed)] {
        let Cost { dispatches, submissions, written, read_in_loop, seconds, .. } = outcome.cost;
        println!(
            "{name:20}  {:9.0}  {:11.0}  {:13.0}  {:15.0}  {:11.1}",
            per(dispatches),
            per(submissions),
            per(written),
            per(read_in_loop),
            seconds * 1e6 / steps as f64
        );
    }
    println!("{} bytes were read back when the loop was over", resident.cost.read_at_end);
}

/// A line that counts steps, on a terminal only.
fn progress(what: &'static str, steps: u64) -> impl FnMut(u64) {
    let shown = io::stderr().is_terminal();
    move |step| {
        if shown && (step % 50 == 0 || step == steps) {
            let end = if step == steps { "\r\x1b[K" } else { "" };
            let _ = write!(io::stderr(), "\r{what}: {step} of {steps} steps{end}");
        }
    }
}
