//! What was learnt, as an SVG: the winner's boundary, the best schedules, and loss over peak of all.

use std::fmt::Write as _;

use lrgrid::Batch;

use super::device::Outcome;
use super::problem::{PARAMETERS, Point, samples};
use super::twin::forward;

const SIZE: f64 = 260.0;
const GAP: f64 = 40.0;
const COLORS: [&str; 5] = ["#2563a8", "#c2410c", "#15803d", "#7c3aed", "#a16207"];
/// Cells of the boundary's map, each way.
const CELLS: usize = 52;
/// Networks in the scatter at most.
const DOTS: usize = 1024;

/// Draws the three panels; `ranking` has the networks, best first.
pub fn draw(batch: &Batch, points: &[Point], steps: u64, outcome: &Outcome, ranking: &[usize]) -> String {
    let (width, height) = (3.0 * SIZE + 4.0 * GAP, SIZE + 2.0 * GAP);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" \
         font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"#fbfbf8\"/>\n"
    );
    boundary(&mut svg, GAP, outcome, ranking);
    schedules(&mut svg, 2.0 * GAP + SIZE, batch, steps, ranking);
    scatter(&mut svg, 3.0 * GAP + 2.0 * SIZE, points, outcome, ranking);
    svg.push_str("</svg>\n");
    svg
}

// Writing to a String cannot fail.
fn title(svg: &mut String, x: f64, text: &str) {
    let _ = writeln!(svg, "<text x=\"{x}\" y=\"{}\" fill=\"#333\">{text}</text>", GAP - 10.0);
    let _ = writeln!(svg, "<path d=\"M{x},{GAP} v{SIZE} h{SIZE}\" fill=\"none\" stroke=\"#bbb\"/>");
}

fn boundary(svg: &mut String, x: f64, outcome: &Outcome, ranking: &[usize]) {
    let Some(&best) = ranking.first() else { return };
    title(svg, x, &format!("what network {best} learnt"));
    let weights: Vec<f64> =
        outcome.weights[best * PARAMETERS..(best + 1) * PARAMETERS].iter().map(|&w| f64::from(w)).collect();
    let cell = SIZE / CELLS as f64;
    for row in 0..CELLS {
        for column in 0..CELLS {
            let at = |i: usize| (i as f64 + 0.5) / CELLS as f64 * 2.4 - 1.2;
            let share = 1.0 / (1.0 + (-forward(&weights, [at(column), -at(row)]).2).exp());
            let mix = |from: f64, to: f64| (from + (to - from) * share) as u8;
            let _ = writeln!(
                svg,
                "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" fill=\"#{:02x}{:02x}{:02x}\"/>",
                x + column as f64 * cell,
                GAP + row as f64 * cell,
                cell + 0.2,
                cell + 0.2,
                mix(207.0, 251.0),
                mix(224.0, 219.0),
                mix(243.0, 196.0),
            );
        }
    }
    for [a, b, class, _] in samples() {
        let place = |v: f32| (f64::from(v) + 1.2) / 2.4 * SIZE;
        let color = COLORS[usize::from(class > 0.5)];
        let _ = writeln!(
            svg,
            "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"2\" fill=\"{color}\"/>",
            x + place(a),
            GAP + place(-b)
        );
    }
}

fn schedules(svg: &mut String, x: f64, batch: &Batch, steps: u64, ranking: &[usize]) {
    title(svg, x, "the five best schedules");
    let columns = 200;
    let best = &ranking[..ranking.len().min(COLORS.len())];
    let rows: Vec<Vec<f64>> = best
        .iter()
        .map(|&network| (0..=columns).map(|i| batch.value(network, steps * i / columns)).collect())
        .collect();
    let most = rows.iter().flatten().fold(f64::MIN_POSITIVE, |a, &b| a.max(b));
    for (row, color) in rows.iter().zip(COLORS) {
        let points: Vec<String> = (0_u32..)
            .zip(row)
            .map(|(i, value)| {
                let across = f64::from(i) / columns as f64 * SIZE;
                format!("{:.1},{:.1}", x + across, GAP + (1.0 - value / most) * SIZE)
            })
            .collect();
        let _ = writeln!(
            svg,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"1.5\"/>",
            points.join(" ")
        );
    }
    let _ = writeln!(svg, "<text x=\"{}\" y=\"{}\" fill=\"#777\">{most:.1e}</text>", x + 4.0, GAP + 12.0);
}

fn scatter(svg: &mut String, x: f64, points: &[Point], outcome: &Outcome, ranking: &[usize]) {
    title(svg, x, "loss at the end over peak rate, both logarithmic");
    let losses: Vec<f64> = outcome.results.iter().map(|result| f64::from(result[0]).max(1e-9).log10()).collect();
    let finite = || losses.iter().copied().filter(|loss| loss.is_finite());
    let (least, most) = (finite().fold(f64::INFINITY, f64::min), finite().fold(f64::NEG_INFINITY, f64::max));
    let every = points.len().div_ceil(DOTS);
    for (network, point) in
        points.iter().enumerate().step_by(every.max(1)).filter(|(network, _)| losses[*network].is_finite())
    {
        let across = (point.peak / 1e-4).log10() / 3.0 * SIZE;
        let down = (most - losses[network]) / (most - least).max(1e-9) * SIZE;
        let color = ranking.iter().take(COLORS.len()).position(|&best| best == network).map_or("#99a", |i| COLORS[i]);
        let _ = writeln!(svg, "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"1.6\" fill=\"{color}\"/>", x + across, GAP + down);
    }
    let _ = writeln!(svg, "<text x=\"{x}\" y=\"{}\" fill=\"#777\">1e-4</text>", GAP + SIZE + 14.0);
    let _ = writeln!(svg, "<text x=\"{}\" y=\"{}\" fill=\"#777\">0.1</text>", x + SIZE - 16.0, GAP + SIZE + 14.0);
}
