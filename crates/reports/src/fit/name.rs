//! Writes pieces as schedules, in every form that has a name.

use super::pieces::{Data, Piece, rounded};
use super::shape::Shape;
use lrgrid::schedule::{
    Anneal, Clock, Constant, CosineRestarts, Cyclic, CyclicMode, DecayShape, Delay, MultiStep, OneCycle,
    PiecewiseConstant, PiecewiseLinear, Point, Schedule, Sequence, Step, Warmup, WarmupShape, Wsd,
};

/// A piece with its start, length and schedule.
struct Part {
    start: u64,
    length: u64,
    from: f64,
    to: f64,
    shape: Shape,
    schedule: Schedule,
}

/// Schedules that may represent the pieces; each still has to be compared with the data.
pub fn candidates(data: &Data, pieces: &[Piece]) -> Vec<Schedule> {
    let mut found = Vec::new();
    for snap in [true, false] {
        let parts = parts(data, pieces, snap);
        if parts.is_empty() {
            continue;
        }
        found.extend(wholes(data, &parts));
        let schedules: Vec<Schedule> = parts.iter().map(|part| part.schedule.clone()).collect();
        let late = |schedule: Schedule| match parts[0].start {
            0 => schedule,
            steps => Delay { steps, of: Box::new(schedule) }.into(),
        };
        if let [only] = schedules.as_slice() {
            found.push(late(only.clone()));
            continue;
        }
        let boundaries: Vec<u64> = parts[1..].iter().map(|part| part.start - parts[0].start).collect();
        if boundaries.windows(2).all(|pair| pair[0] < pair[1]) && boundaries[0] > 0 {
            found.extend(warmed_up(&parts, &schedules, &boundaries).into_iter().map(late));
            found.push(late(Sequence { pieces: schedules, boundaries: Some(boundaries) }.into()));
        }
    }
    found
}

/// The pieces with their starts and lengths.
fn parts(data: &Data, pieces: &[Piece], snap: bool) -> Vec<Part> {
    let mut fitted: Vec<(f64, super::solve::Fitted)> =
        pieces.iter().map(|piece| (data.x[piece.first], piece.fitted.clone())).collect();
    if snap {
        for (index, (start, fitted)) in fitted.iter_mut().enumerate() {
            // Move the start of a piece that is slightly after, or before, the start of its cosine.
            let near = fitted
                .parameters
                .first()
                .is_some_and(|length| fitted.parameters.get(1).is_some_and(|ahead| ahead.abs() < 0.2 * length));
            if fitted.shape == Shape::Cosine && near && index > 0 {
                let ahead = fitted.parameters[1].round();
                if *start >= ahead {
                    *start -= ahead;
                    fitted.parameters[1] -= ahead;
                    if fitted.parameters[1].abs() < 1e-3 {
                        fitted.parameters[1] = 0.0;
                    }
                }
            }
        }
    }
    let last = data.x.last().copied().unwrap_or(0.0);
    (0..fitted.len())
        .map(|index| {
            let (start, fitted_here) = &fitted[index];
            let end = fitted.get(index + 1).map_or(last, |next| next.0);
            let length = (end - start).max(0.0);
            Part {
                start: *start as u64,
                length: length as u64,
                from: fitted_here.value(0.0),
                to: fitted_here.value(length),
                shape: fitted_here.shape,
                schedule: fitted_here.shape.schedule(
                    &fitted_here.parameters,
                    fitted_here.base,
                    fitted_here.amplitude,
                    length as u64,
                ),
            }
        })
        .collect()
}

/// Candidates with a warmup to the following pieces.
fn warmed_up(parts: &[Part], schedules: &[Schedule], boundaries: &[u64]) -> Vec<Schedule> {
    let shape = match parts[0].shape {
        Shape::Line => WarmupShape::Linear,
        Shape::Cosine => WarmupShape::Cosine,
        Shape::Exponential => WarmupShape::Exponential,
        _ => return Vec::new(),
    };
    let steps = boundaries[0];
    let start = tidy(parts[0].from, parts[1].from);
    let make = |then: Schedule, overlay| Warmup { steps, start, shape, then: Box::new(then), overlay }.into();
    let rest = match &schedules[1..] {
        [only] => only.clone(),
        several => {
            let boundaries = boundaries[1..].iter().map(|boundary| boundary - steps).collect();
            Sequence { pieces: several.to_vec(), boundaries: Some(boundaries) }.into()
        }
    };
    let mut found = vec![make(rest.clone(), false)];
    // The clock of the rest ran during the ramp: an overlaid warmup.
    if let Schedule::Clock(Clock { ahead, of, multiplier, divisor }) = &rest
        && (*ahead - steps as f64).abs() < 0.5
        && *multiplier == 1.0
        && *divisor == 1.0
    {
        found.insert(0, make((**of).clone(), true));
    }
    found
}

/// A value, or 0 if it is negligible compared to another one.
fn tidy(value: f64, beside: f64) -> f64 {
    if value.abs() < 1e-9 * beside.abs() { 0.0 } else { value }
}

/// Schedules whose kind covers all pieces together.
fn wholes(data: &Data, parts: &[Part]) -> Vec<Schedule> {
    let mut found: Vec<Schedule> = Vec::new();
    let shapes: Vec<Shape> = parts.iter().map(|part| part.shape).collect();
    if parts.len() > 1 && shapes.iter().all(|&shape| shape == Shape::Hold) {
        let values: Vec<f64> = parts.iter().map(|part| part.from).collect();
        let boundaries: Vec<u64> = parts[1..].iter().map(|part| part.start).collect();
        let ratio = rounded(values[1] / values[0], 6);
        if ratio.is_finite() {
            let distance = boundaries[0];
            if boundaries.iter().zip(1..).all(|(&at, times)| at == distance * times) {
                found.push(Step { start: values[0], decay_rate: ratio, step_size: distance }.into());
            }
            found.push(MultiStep { start: values[0], decay_rate: ratio, milestones: boundaries.clone() }.into());
        }
        found.push(PiecewiseConstant { values, boundaries }.into());
    }
    if parts.len() > 1 && shapes.iter().all(|&shape| matches!(shape, Shape::Line | Shape::Hold)) {
        found.push(points(data, parts));
    }
    if let [up, down] = parts {
        let anneal = match (up.shape, down.shape) {
            (Shape::Cosine, Shape::Cosine) => Some(Anneal::Cosine),
            (Shape::Line, Shape::Line) => Some(Anneal::Linear),
            _ => None,
        };
        if let Some(anneal) = anneal
            && up.from < up.to
            && down.to < down.from
        {
            let steps = down.start + down.schedule.length().unwrap_or(down.length).max(1);
            let pct_start = down.start as f64 / steps as f64;
            let pct_start = (1..8)
                .map(|digits| rounded(pct_start, digits))
                .find(|&pct| (pct * steps as f64).round() as u64 == down.start);
            found.push(
                OneCycle {
                    max: down.from,
                    initial: up.from,
                    r#final: down.to,
                    steps,
                    pct_start: pct_start.unwrap_or(down.start as f64 / steps as f64),
                    anneal,
                    three_phase: false,
                }
                .into(),
            );
        }
    }
    let decay_shape = |shape: Shape| match shape {
        Shape::Line => Some(DecayShape::Linear),
        Shape::Cosine => Some(DecayShape::Cosine),
        Shape::Exponential => Some(DecayShape::Exponential),
        Shape::BentPower => Some(DecayShape::OneMinusSqrt),
        _ => None,
    };
    let wsd = |peak: f64, warmup: u64, start: f64, hold: u64, decay: &Part| {
        decay_shape(decay.shape).map(|shape| {
            let steps = decay.schedule.length().unwrap_or(decay.length).max(1);
            let end = decay.schedule.value(steps);
            Wsd { peak, warmup_steps: warmup, stable_steps: hold, decay_steps: steps, start, end, shape }.into()
        })
    };
    match parts {
        [up, hold, decay] if up.shape == Shape::Line && hold.shape == Shape::Hold => {
            found.extend(wsd(hold.from, up.length, tidy(up.from, hold.from), hold.length, decay));
        }
        [hold, decay] if hold.shape == Shape::Hold => found.extend(wsd(hold.from, 0, 0.0, hold.length, decay)),
        _ => {}
    }
    found
}

/// A polyline through the ends of the pieces.
fn points(data: &Data, parts: &[Part]) -> Schedule {
    let mut points: Vec<Point> = Vec::new();
    for part in parts {
        // At a jump, the step before still belongs to the previous piece.
        if let Some(&Point(at, value)) = points.last()
            && at < part.start
            && (value - part.from).abs() > 1e-9 * part.from.abs()
        {
            points.pop();
            let before = data.x.partition_point(|&x| x < part.start as f64);
            if before > 0 {
                points.push(Point(data.x[before - 1] as u64, data.y[before - 1]));
            }
        } else {
            points.pop();
        }
        points.push(Point(part.start, part.from));
        points.push(Point(part.start + part.length.max(1), part.to));
    }
    points.dedup_by_key(|point| point.0);
    PiecewiseLinear { points }.into()
}

/// Cyclic schedules, with parameters read off the extrema.
pub fn cyclic(data: &Data) -> Vec<Schedule> {
    let (x, y) = (&data.x, &data.y);
    let mut found = Vec::new();
    let count = y.len();
    if count < 4 || x[0] != 0.0 {
        return found;
    }
    let turns: Vec<usize> = (1..count - 1)
        .filter(|&i| (y[i] > y[i - 1] && y[i] >= y[i + 1]) || (y[i] < y[i - 1] && y[i] <= y[i + 1]))
        .take(8)
        .collect();
    // Rise, fall, rise: triangles.
    if let [peak, valley, ..] = turns.as_slice()
        && y[*peak] > y[0]
    {
        let (up, down) = (x[*peak] as u64, (x[*valley] - x[*peak]) as u64);
        let base = y[0];
        let make = |max: f64, mode, gamma| {
            Cyclic { base, max, step_size_up: up, step_size_down: Some(down), mode, gamma }.into()
        };
        found.push(make(y[*peak], CyclicMode::Triangular, 1.0));
        found.push(make(y[*peak], CyclicMode::Triangular2, 1.0));
        if let Some(&next) = turns.get(2) {
            let last = turns.iter().copied().filter(|&turn| y[turn] > base).max().unwrap_or(next);
            let gamma = ((y[last] - base) / (y[*peak] - base)).powf(1.0 / (x[last] - x[*peak]));
            for digits in [4, 5, 6, 7, 8, 16] {
                let gamma = rounded(gamma, digits);
                let max = base + (y[*peak] - base) / gamma.powf(x[*peak]);
                found.extend([5, 16].map(|digits| make(rounded(max, digits), CyclicMode::ExpRange, gamma)));
            }
        }
    }
    // Upward jumps after decays: restarts.
    let jumps: Vec<usize> =
        (1..count).filter(|&i| y[i] > y[i - 1] + 1e-12 * y[i].abs() && (i < 2 || y[i - 1] <= y[i - 2])).collect();
    if let [first, rest @ ..] = jumps.as_slice() {
        let (period, max) = (x[*first], y[0]);
        let multiplier = rest.first().map_or(1.0, |second| (x[*second] - period) / period);
        let decay = y[*first] / max;
        // The last point of the first cycle determines the minimum best.
        let share = |i: usize| 0.5 * (1.0 + (std::f64::consts::PI * x[i] / period).cos());
        let min = (y[first - 1] - max * share(first - 1)) / (1.0 - share(first - 1));
        let multipliers = [rounded(multiplier, 2), rounded(multiplier, 3), multiplier];
        let periods: Vec<u64> = vec![period as u64];
        for period in periods {
            for multiplier in multipliers.into_iter().filter(|multiplier| *multiplier >= 1.0) {
                for decay in [rounded(decay, 3), rounded(decay, 6), decay] {
                    for min in [0.0, rounded(min, 4), rounded(min, 6), min] {
                        found.push(CosineRestarts { max, min, period, multiplier, decay }.into());
                    }
                }
            }
        }
    }
    found
}

/// The constant schedule of the first value.
pub fn constant(data: &Data) -> Schedule {
    Constant { value: data.y[0] }.into()
}
