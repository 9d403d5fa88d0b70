//! Least squares for one shape: base and amplitude by linear least squares, the other parameters by
//! Levenberg–Marquardt.

use super::shape::Shape;

/// The most points used in a search; its result is checked at all points.
const LOOKED_AT: usize = 48;

/// Iterations of the search.
const ITERATIONS: usize = 60;

/// Points to fit: steps since the piece's start, values, and error bounds.
#[derive(Clone, Copy, Debug)]
pub struct Points<'a> {
    /// Steps since the start.
    pub x: &'a [f64],
    /// Values.
    pub y: &'a [f64],
    /// The bound on each value's error.
    pub slack: &'a [f64],
}

/// A shape with all its parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct Fitted {
    /// The shape.
    pub shape: Shape,
    /// Its parameters.
    pub parameters: Vec<f64>,
    /// The value where the shape is 0.
    pub base: f64,
    /// The factor of the shape.
    pub amplitude: f64,
}

impl Fitted {
    /// The value at `x`.
    #[must_use]
    pub fn value(&self, x: f64) -> f64 {
        self.base + self.amplitude * self.shape.value(&self.parameters, x)
    }

    /// The largest error in units of the bounds; infinite as soon as it exceeds `most`.
    #[must_use]
    pub fn worst(&self, points: &Points<'_>, most: f64) -> f64 {
        let mut worst = 0.0_f64;
        for ((&x, &y), &slack) in points.x.iter().zip(points.y).zip(points.slack) {
            let off = (self.value(x) - y).abs() / slack;
            if off.is_nan() || off > most {
                return f64::INFINITY;
            }
            worst = worst.max(off);
        }
        worst
    }
}

impl<'a> Points<'a> {
    /// The first `count` points.
    #[must_use]
    pub fn first(&self, count: usize) -> Self {
        Self { x: &self.x[..count], y: &self.y[..count], slack: &self.slack[..count] }
    }

    /// Evenly spaced points, including the last.
    fn thinned(&self) -> Vec<[f64; 3]> {
        let count = self.x.len();
        let at = |index: usize| [self.x[index], self.y[index], self.slack[index]];
        if count <= LOOKED_AT {
            return (0..count).map(at).collect();
        }
        (0..LOOKED_AT).map(|index| at(index * (count - 1) / (LOOKED_AT - 1))).collect()
    }
}

/// The best base and amplitude for given parameters, and the residuals in units of the bounds.
fn projected(shape: Shape, parameters: &[f64], points: &[[f64; 3]], residuals: &mut Vec<f64>) -> Option<(f64, f64)> {
    residuals.clear();
    residuals.extend(points.iter().map(|point| shape.value(parameters, point[0])));
    if residuals.iter().any(|value| !value.is_finite()) {
        return None;
    }
    let weighted = points.iter().zip(residuals.iter()).map(|(&[_, y, slack], &g)| (1.0 / (slack * slack), g, y));
    let (base, amplitude) = if shape == Shape::Hold {
        let (low, high) =
            points.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), p| (l.min(p[1]), h.max(p[1])));
        (if low == high { low } else { low + (high - low) / 2.0 }, 0.0)
    } else if shape.without_base() {
        let (gg, gy) = weighted.fold((0.0, 0.0), |(gg, gy), (w, g, y)| (gg + w * g * g, gy + w * g * y));
        (0.0, gy / gg)
    } else {
        // Centred first, otherwise the sums cancel.
        let (w, g0, y0) = weighted.clone().fold((0.0, 0.0, 0.0), |(s, a, b), (w, g, y)| (s + w, a + w * g, b + w * y));
        let (g0, y0) = (g0 / w, y0 / w);
        let (gg, gy) = weighted
            .fold((0.0, 0.0), |(gg, gy), (w, g, y)| (gg + w * (g - g0) * (g - g0), gy + w * (g - g0) * (y - y0)));
        let amplitude = if gg > 0.0 { gy / gg } else { 0.0 };
        (y0 - amplitude * g0, amplitude)
    };
    if !(base.is_finite() && amplitude.is_finite()) {
        return None;
    }
    residuals.iter_mut().zip(points).for_each(|(g, &[_, y, slack])| *g = (base + amplitude * *g - y) / slack);
    Some((base, amplitude))
}

fn squares(residuals: &[f64]) -> f64 {
    residuals.iter().map(|residual| residual * residual).sum()
}

/// Transforms the parameters to the space of the search, and back.
fn inner(shape: Shape, parameters: &[f64]) -> Vec<f64> {
    let one = |(index, &value): (usize, &f64)| if shape.is_positive(index) { value.max(1e-300).ln() } else { value };
    parameters.iter().enumerate().map(one).collect()
}

fn outer(shape: Shape, searched: &[f64]) -> Vec<f64> {
    let one = |(index, &value): (usize, &f64)| {
        if shape.is_positive(index) { value.clamp(-600.0, 600.0).exp() } else { value }
    };
    searched.iter().enumerate().map(one).collect()
}

/// The best result from several starting points; `None` if none can be evaluated.
#[must_use]
pub fn solve(shape: Shape, starts: &[Vec<f64>], points: &Points<'_>) -> Option<Fitted> {
    let looked_at = points.thinned();
    let mut residuals = Vec::new();
    let mut valued: Vec<(f64, &Vec<f64>)> = starts
        .iter()
        .filter_map(|start| projected(shape, start, &looked_at, &mut residuals).map(|_| (squares(&residuals), start)))
        .filter(|start| start.0.is_finite())
        .collect();
    valued.sort_by(|a, b| a.0.total_cmp(&b.0));
    let tries = if shape.parameters() == 0 { 1 } else { 3 };
    let mut best: Option<(f64, Fitted)> = None;
    for (_, start) in valued.into_iter().take(tries) {
        let Some((cost, fitted)) = improve(shape, start, &looked_at) else { continue };
        if best.as_ref().is_none_or(|best| cost < best.0) {
            best = Some((cost, fitted));
        }
        // Within rounding at all points used: no further start is needed.
        if cost < looked_at.len() as f64 * 0.4 {
            break;
        }
    }
    best.map(|best| best.1)
}

/// Levenberg–Marquardt from one starting point.
fn improve(shape: Shape, start: &[f64], points: &[[f64; 3]]) -> Option<(f64, Fitted)> {
    let count = shape.parameters();
    let mut at = inner(shape, start);
    let (mut residuals, mut moved) = (Vec::new(), Vec::new());
    let mut linear = projected(shape, &outer(shape, &at), points, &mut residuals)?;
    let mut cost = squares(&residuals);
    let mut damping = 1e-3;
    for _ in 0..if count == 0 { 0 } else { ITERATIONS } {
        let mut columns: Vec<Vec<f64>> = Vec::with_capacity(count);
        for parameter in 0..count {
            let width = 1e-6 * at[parameter].abs().max(1e-3 / if shape.is_positive(parameter) { 1e-3 } else { 1.0 });
            let mut beside = at.clone();
            beside[parameter] += width;
            projected(shape, &outer(shape, &beside), points, &mut moved)?;
            columns.push(moved.iter().zip(&residuals).map(|(a, b)| (a - b) / width).collect());
        }
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let gradient: Vec<f64> = columns.iter().map(|column| dot(column, &residuals)).collect();
        let mut better = false;
        for _ in 0..8 {
            let mut matrix: Vec<Vec<f64>> =
                columns.iter().map(|a| columns.iter().map(|b| dot(a, b)).collect()).collect();
            (0..count).for_each(|i| matrix[i][i] = matrix[i][i] * (1.0 + damping) + 1e-300);
            let Some(step) = solved(matrix, &gradient) else { break };
            let next: Vec<f64> = at.iter().zip(&step).map(|(at, step)| at - step).collect();
            let tried = projected(shape, &outer(shape, &next), points, &mut moved);
            let moved_cost = squares(&moved);
            if let Some(tried) = tried
                && moved_cost < cost
            {
                better = cost - moved_cost > 1e-9 * cost;
                (at, linear, cost) = (next, tried, moved_cost);
                std::mem::swap(&mut residuals, &mut moved);
                damping = (damping * 0.2).max(1e-12);
                break;
            }
            damping *= 6.0;
        }
        if !better {
            break;
        }
    }
    let fitted = Fitted { shape, parameters: outer(shape, &at), base: linear.0, amplitude: linear.1 };
    Some((cost, fitted))
}

/// Solves a small linear system by Gaussian elimination with pivoting.
fn solved(mut matrix: Vec<Vec<f64>>, right: &[f64]) -> Option<Vec<f64>> {
    let count = right.len();
    let mut right = right.to_vec();
    for column in 0..count {
        let pivot = (column..count).max_by(|&a, &b| matrix[a][column].abs().total_cmp(&matrix[b][column].abs()))?;
        matrix.swap(column, pivot);
        right.swap(column, pivot);
        let divisor = matrix[column][column];
        if !(divisor.abs() > 0.0 && divisor.is_finite()) {
            return None;
        }
        let (pivot_row, pivot_right) = (matrix[column].clone(), right[column]);
        for row in column + 1..count {
            let factor = matrix[row][column] / divisor;
            matrix[row].iter_mut().zip(&pivot_row).skip(column).for_each(|(at, pivot)| *at -= factor * pivot);
            right[row] -= factor * pivot_right;
        }
    }
    for row in (0..count).rev() {
        let rest: f64 = (row + 1..count).map(|at| matrix[row][at] * right[at]).sum();
        right[row] = (right[row] - rest) / matrix[row][row];
    }
    right.iter().all(|value| value.is_finite()).then_some(right)
}

/// The shape with these parameters, base and amplitude fitted to all points.
#[must_use]
pub fn project(shape: Shape, parameters: Vec<f64>, points: &Points<'_>) -> Option<Fitted> {
    let all: Vec<[f64; 3]> = (0..points.x.len()).map(|i| [points.x[i], points.y[i], points.slack[i]]).collect();
    let (base, amplitude) = projected(shape, &parameters, &all, &mut Vec::new())?;
    Some(Fitted { shape, parameters, base, amplitude })
}
