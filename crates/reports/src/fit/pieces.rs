//! Divides a curve into pieces of one shape each: from each start, the shape that covers the most points.

use rayon::prelude::*;

use super::shape::Shape;
use super::solve::{Fitted, Points, solve};

/// The bound on a point's error in units of its rounding error; above 1, because the fit rounds too.
pub const MOST: f64 = 1.05;

/// A simpler shape is preferred if it covers nearly as many points as the furthest one.
const NEARLY: f64 = 0.97;

/// A search that ends within this multiple of the rounding error may have been inaccurate itself.
const CLOSE: f64 = 3000.0;

/// One piece of a curve.
#[derive(Clone, Debug, PartialEq)]
pub struct Piece {
    /// Index of its first point.
    pub first: usize,
    /// Index after its last point.
    pub end: usize,
    /// Its shape, with steps counted from that of its first point.
    pub fitted: Fitted,
    /// Other shapes that cover as many points.
    pub others: Vec<&'static str>,
}

/// The data of a logged curve.
#[derive(Clone, Debug)]
pub struct Data {
    /// Steps.
    pub x: Vec<f64>,
    /// Values.
    pub y: Vec<f64>,
    /// The bound on each value's error.
    pub slack: Vec<f64>,
}

impl Data {
    /// The steps from an index on, relative to the first of them.
    fn from(&self, first: usize) -> Vec<f64> {
        self.x[first..].iter().map(|x| x - self.x[first]).collect()
    }
}

/// Divides a curve into at most `most` pieces of the given shapes; `None` if it needs more.
#[must_use]
pub fn pieces(data: &Data, shapes: &[Shape], most: usize) -> Option<Vec<Piece>> {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut next = 0;
    while next < data.x.len() {
        if pieces.len() == most {
            return None;
        }
        // A corner belongs to both pieces; after a jump the next piece begins at a new point.
        let firsts = if next == 0 { vec![0] } else { vec![next - 1, next] };
        let tries: Vec<(usize, Shape)> =
            firsts.iter().flat_map(|&first| shapes.iter().map(move |&shape| (first, shape))).collect();
        let reached: Vec<Piece> =
            tries.into_par_iter().filter_map(|(first, shape)| reach(data, first, shape)).collect();
        let furthest = reached.iter().map(|piece| piece.end).max()?;
        let enough = next + ((furthest - next) as f64 * NEARLY).ceil() as usize;
        let simplicity = |piece: &&Piece| (piece.fitted.shape.freedom(), data.x.len() - piece.end, piece.fitted.shape);
        let far: Vec<&Piece> = reached.iter().filter(|piece| piece.end >= enough.max(next + 1)).collect();
        let mut best = (*far.iter().copied().min_by_key(simplicity).as_ref()?).clone();
        // A shape that contains another as a special case is no alternative to it.
        best.others = far
            .iter()
            .filter(|piece| {
                piece.fitted.shape != best.fitted.shape && piece.fitted.shape.freedom() <= best.fitted.shape.freedom()
            })
            .map(|piece| piece.fitted.shape.name())
            .collect();
        best.others.dedup();
        next = best.end;
        pieces.push(best);
    }
    Some(pieces)
}

/// The longest piece of a shape from a point on.
fn reach(data: &Data, first: usize, shape: Shape) -> Option<Piece> {
    let x = data.from(first);
    let all = Points { x: &x, y: &data.y[first..], slack: &data.slack[first..] };
    let count = x.len();
    let piece = |fitted: Fitted, reached: usize| Piece { first, end: first + reached, fitted, others: Vec::new() };
    let fit = |window: usize, warm: Option<&Fitted>| -> Option<Fitted> {
        let points = all.first(window);
        // A constant end of the curve is a corner that disturbs the search: one point of it is enough.
        let moving = points.first(before_rest(&points).max(shape.freedom() + 1).min(window));
        let mut starts: Vec<Vec<f64>> = warm.map(|fitted| fitted.parameters.clone()).into_iter().collect();
        starts.extend(shape.grid(moving.x[moving.x.len() - 1].max(1.0)));
        let fitted = solve(shape, &starts, &moving)?;
        if fitted.worst(&points, MOST).is_finite() {
            return Some(fitted);
        }
        // The search ended close to a solution: try round parameters.
        if fitted.worst(&points, CLOSE).is_finite() { polished(&fitted, &points) } else { None }
    };
    if count > shape.freedom()
        && let Some(fitted) = fit(count, None)
    {
        return Some(piece(snapped(fitted, &all), count));
    }
    let mut window = (shape.freedom() + 1).min(count);
    let mut best = fit(window, None)?;
    loop {
        let holds = (0..count)
            .take_while(|&index| (best.value(all.x[index]) - all.y[index]).abs() <= MOST * all.slack[index])
            .count();
        window = window.max(holds);
        if window == count {
            break;
        }
        let wider = (window + (window / 8).max(1)).min(count);
        let next = fit(wider, Some(&best)).map(|fitted| (wider, fitted)).or_else(|| {
            (wider > window + 1).then(|| fit(window + 1, Some(&best)).map(|fitted| (window + 1, fitted))).flatten()
        });
        match next {
            Some((wider, fitted)) => (window, best) = (wider, fitted),
            None => break,
        }
    }
    let points = all.first(window);
    // Fit the whole window again, now that its end is known.
    let best = fit(window, Some(&best)).unwrap_or(best);
    Some(piece(snapped(best, &points), window))
}

/// The number of points up to the first of the constant points at the end.
fn before_rest(points: &Points<'_>) -> usize {
    let last = points.y[points.y.len() - 1];
    let resting = points.y.iter().zip(points.slack).rev().take_while(|(y, slack)| (*y - last).abs() <= **slack).count();
    points.y.len() - resting + 1
}

/// A nearby fit within the bounds, among those with rounder parameters and with or without a base.
fn polished(fitted: &Fitted, points: &Points<'_>) -> Option<Fitted> {
    let mut tries: Vec<Vec<f64>> = vec![Vec::new()];
    for &value in &fitted.parameters {
        let mut near = vec![value.round(), rounded(value, 2), rounded(value, 4), rounded(value, 6), value];
        near.retain(|near| *near != 0.0 || value.abs() < 0.5);
        near.dedup();
        tries = tries
            .into_iter()
            .flat_map(|before| near.iter().map(move |&next| [before.as_slice(), &[next]].concat()))
            .collect();
    }
    for parameters in tries {
        let positive =
            parameters.iter().enumerate().all(|(index, &value)| value > 0.0 || !fitted.shape.is_positive(index));
        let Some(next) = refit(fitted.shape, parameters, points).filter(|_| positive) else { continue };
        if next.worst(points, MOST).is_finite() {
            return Some(next);
        }
        // A base within the rounding error is dropped.
        let plain = Fitted {
            base: 0.0,
            amplitude: next.amplitude + next.base / next.shape.value(&next.parameters, 0.0),
            ..next
        };
        if plain.shape != Shape::Hold && plain.worst(points, MOST).is_finite() {
            return Some(plain);
        }
    }
    None
}

/// The fit with round numbers, where these stay within the bounds.
fn snapped(fitted: Fitted, points: &Points<'_>) -> Fitted {
    let holds = |fitted: &Fitted| fitted.worst(points, MOST).is_finite();
    let mut best = fitted;
    for index in 0..best.parameters.len() {
        let value = best.parameters[index];
        // Lengths and offsets are usually integers; powers have few digits.
        let wholes = [value.round()].into_iter().filter(|whole| (whole - value).abs() < 0.3);
        let shorts = (1..=6).map(|digits| rounded(value, digits));
        for round in wholes.chain(shorts).filter(|round| *round != 0.0 || !best.shape.is_positive(index)) {
            let mut parameters = best.parameters.clone();
            parameters[index] = round;
            // Base and amplitude are fitted again.
            let Some(next) = refit(best.shape, parameters, points) else { continue };
            if holds(&next) {
                best = next;
                break;
            }
        }
    }
    let plain = Fitted { base: 0.0, ..best.clone() };
    if best.shape != Shape::Hold && best.base != 0.0 && holds(&plain) {
        best = plain;
    }
    let start = best.value(0.0);
    for digits in 1..=9 {
        let base = rounded(best.base, digits);
        let next = Fitted { base, amplitude: best.amplitude + (best.base - base), ..best.clone() };
        if holds(&next) {
            best = next;
            break;
        }
    }
    let unit = best.shape.value(&best.parameters, 0.0);
    for digits in 1..=9 {
        let round = rounded(start, digits);
        let amplitude = if unit == 0.0 { rounded(best.amplitude, digits) } else { (round - best.base) / unit };
        let next = Fitted { amplitude, ..best.clone() };
        if holds(&next) {
            return next;
        }
    }
    best
}

/// Fits base and amplitude for given parameters.
fn refit(shape: Shape, parameters: Vec<f64>, points: &Points<'_>) -> Option<Fitted> {
    super::solve::project(shape, parameters, points)
}

/// A number rounded to a number of digits.
#[must_use]
pub fn rounded(value: f64, digits: usize) -> f64 {
    format!("{value:.*e}", digits - 1).parse().unwrap_or(value)
}
