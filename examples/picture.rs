//! Draws the picture at the top of the README: `cargo run --release --example picture > docs/schedules.svg`.
//!
//! Also shows the library from a caller's side: specs in, one table out, here as SVG polylines.

use lrgrid::{Cpu, Error, Evaluate, Spec, Steps};

const STEPS: u64 = 1000;

/// A title and a schedule that runs over [`STEPS`] with values from 0 to 1.
const PANELS: [(&str, &str); 8] = [
    ("warmup + cosine", r#"kind = "warmup", steps = 100, then = { kind = "cosine", start = 1, end = 0, steps = 900 }"#),
    (
        "wsd, 1 − √t",
        r#"kind = "wsd", peak = 1, warmup_steps = 100, stable_steps = 600, decay_steps = 300, shape = "one_minus_sqrt""#,
    ),
    ("one_cycle", r#"kind = "one_cycle", max = 1, initial = 0.04, final = 0, steps = 1000"#),
    ("cosine_restarts", r#"kind = "cosine_restarts", max = 1, min = 0, period = 143, multiplier = 2, decay = 0.8"#),
    ("cyclic, triangular2", r#"kind = "cyclic", base = 0, max = 1, step_size_up = 100, mode = "triangular2""#),
    ("noam", r#"kind = "noam", model_dim = 1, warmup_steps = 150, scale = 12"#),
    ("multi_step", r#"kind = "multi_step", start = 1, decay_rate = 0.4, milestones = [300, 600, 850]"#),
    ("rex", r#"kind = "rex", start = 1, steps = 1000"#),
];

const WIDTH: f64 = 200.0;
const HEIGHT: f64 = 90.0;
const GAP: f64 = 24.0;

fn main() -> Result<(), Error> {
    let cpu = Cpu::new()?;
    let (columns, rows) = (4, PANELS.len().div_ceil(4));
    let (width, height) = (columns as f64 * (WIDTH + GAP) + GAP, rows as f64 * (HEIGHT + 2.0 * GAP) + GAP);
    println!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="13">"#
    );
    println!(r##"<rect width="100%" height="100%" rx="8" fill="#fbfbf8"/>"##);
    for (index, (title, schedule)) in PANELS.iter().enumerate() {
        let batch = Spec::from_toml(&format!("schedule = {{ {schedule} }}"))?.compile()?;
        let values: Vec<f64> = cpu.evaluate(&batch, &Steps::range(0..STEPS + 1))?;
        let (x, y) = (
            GAP + (index % columns) as f64 * (WIDTH + GAP),
            GAP * 1.75 + (index / columns) as f64 * (HEIGHT + 2.0 * GAP),
        );
        let points: Vec<String> = (0_u32..)
            .zip(&values)
            .map(|(step, value)| {
                let across = f64::from(step) / STEPS as f64;
                format!("{:.1},{:.1}", x + across * WIDTH, y + (1.0 - value) * HEIGHT)
            })
            .collect();
        println!(r##"<text x="{x}" y="{}" fill="#333">{title}</text>"##, y - 8.0);
        println!(r##"<path d="M{x},{y} v{HEIGHT} h{WIDTH}" fill="none" stroke="#bbb"/>"##);
        println!(r##"<polyline points="{}" fill="none" stroke="#2563a8" stroke-width="2"/>"##, points.join(" "));
    }
    println!("</svg>");
    Ok(())
}
