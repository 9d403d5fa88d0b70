//! Recovers the schedule of a logged curve.
//!
//! The curve is divided into a few pieces of one shape each, fitted from every start by least squares over grids of
//! parameters. The pieces are written as schedules in every form that has a name. All candidates are evaluated at all
//! logged steps in one batch; the result is the simplest candidate that agrees with every row within its rounding
//! error. If there is none, the result is a polyline through the points, marked as such.

mod name;
mod pieces;
mod shape;
mod solve;

use serde_json::Value;

pub use shape::Shape;

use crate::error::Error;
use crate::logged::{Logged, Rounding};
use lrgrid::Steps;
use lrgrid::cpu::Cpu;
use lrgrid::error::EvaluateError;
use lrgrid::evaluate::Evaluate;
use lrgrid::packed::Batch;
use lrgrid::program::{MAX_STEP, Program};
use lrgrid::schedule::{Cycle, CycleMode, PiecewiseLinear, Point, Schedule};

use pieces::{Data, MOST, Piece};

/// The most pieces of a formula.
const MOST_PIECES: usize = 24;

/// The most points of a polyline.
const MOST_POINTS: usize = 4000;

/// The most pieces of a formula for values that may be exact although they look rounded.
const MOST_PLAIN: usize = 4;

/// The factor by which a formula may exceed the rounding error, if no formula is within it.
const LOOSE: f64 = 4.0;

/// A rounding, relative to the peak, finer than that of any usual log.
const SHORT: f64 = 1e-6;

/// The confidence in a fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sureness {
    /// No other shape explains the rows within rounding, and there are many more rows than free numbers.
    Certain,
    /// The fit explains every row within rounding, but so does another shape, or there are few rows.
    Likely,
    /// The fit exceeds the rounding error.
    Rough,
    /// No formula was found: the fit is a polyline.
    Trace,
}

impl Sureness {
    /// A description for people.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Certain => "certain: every row agrees within its rounding, and no other shape does",
            Self::Likely => {
                "likely: every row agrees within its rounding, but other shapes or parameters would do as well"
            }
            Self::Rough => "rough: it is further off than rounding explains",
            Self::Trace => "a trace: no formula was found, so this is a line from point to point",
        }
    }
}

/// A schedule found for a logged curve.
#[derive(Clone, Debug)]
pub struct Fit {
    /// The schedule.
    pub schedule: Schedule,
    /// Steps per epoch, if the schedule counts in epochs.
    pub steps_per_epoch: Option<u64>,
    /// Names of the shapes of its pieces.
    pub shapes: Vec<&'static str>,
    /// Other shapes that fit a piece as well.
    pub others: Vec<&'static str>,
    /// The row with the largest error: its step, the logged value and the schedule's value.
    pub worst: (u64, f64, f64),
    /// The largest relative error of a row.
    pub worst_relative: f64,
    /// The largest error of a row, in units of its rounding error.
    pub worst_in_rounding: f64,
    /// The confidence in the fit.
    pub sureness: Sureness,
}

/// A candidate schedule, with its clock.
#[derive(Clone, Debug)]
struct Candidate {
    schedule: Schedule,
    epoch: Option<u64>,
    shapes: Vec<&'static str>,
    others: Vec<&'static str>,
    trace: bool,
}

impl Candidate {
    fn plain(schedule: Schedule) -> Self {
        let shapes = vec![schedule.kind()];
        Self { schedule, epoch: None, shapes, others: Vec::new(), trace: false }
    }

    fn program(&self) -> Option<Program> {
        self.schedule.validate().ok()?;
        let program = self.schedule.lower().ok()?;
        match self.epoch {
            Some(steps) => program.with_quantum(steps).ok(),
            None => Some(program),
        }
    }

    /// A measure of the length of the written schedule.
    fn numbers(&self) -> usize {
        fn count(value: &Value) -> usize {
            match value {
                Value::Number(number) => 4 + usize::from(number.to_string().len() > 9),
                Value::Array(items) => items.iter().map(count).sum(),
                Value::Object(map) => 1 + map.values().map(count).sum::<usize>(),
                _ => 1,
            }
        }
        count(&serde_json::to_value(&self.schedule).unwrap_or(Value::Null)) + usize::from(self.epoch.is_some()) * 4
    }
}

/// Finds the simplest schedule that agrees with a logged curve.
///
/// ```
/// use lrgrid_reports::fit::{Sureness, fit};
/// use lrgrid_reports::logged::{Logged, Selection};
/// use lrgrid::schedule::Schedule;
///
/// let rows: Vec<String> = (0..60).map(|step| format!("{step},{}", 1e-3_f32 * 0.5_f32.powf(step as f32 / 20.0))).collect();
/// let found = fit(&Logged::from_csv(&rows.join("\n"), &Selection::default())?)?;
/// assert!(matches!(found.schedule, Schedule::Exponential(_)));
/// # Ok::<(), lrgrid_reports::Error>(())
/// ```
///
/// # Errors
/// When the CPU engine cannot be created.
pub fn fit(logged: &Logged) -> Result<Fit, Error> {
    let cpu = Cpu::new()?;
    // Values that look rounded to a few decimals may be exact: then a simple formula reproduces them.
    let whole = Logged { rounding: Rounding::SINGLE, ..logged.clone() };
    let peak = logged.values.iter().fold(0.0_f64, |peak, value| peak.max(value.abs()));
    let cut = logged.rounding.of(peak) > whole.rounding.of(peak);
    if cut {
        let exact = data(&whole, 1.0);
        let found: Vec<Candidate> =
            candidates(&exact).into_iter().filter(|one| one.shapes.len() <= MOST_PLAIN).collect();
        if let Some(best) = best(&cpu, &exact, &whole, &found, MOST)? {
            return Ok(best);
        }
    }
    // No log is rounded this finely: the values are short `f32`s, and a formula with a larger error is not theirs.
    let short = cut && logged.rounding.of(peak) <= SHORT * peak;
    let explains = |found: &Fit| !short || found.worst_relative <= SHORT;
    let exact = data(logged, 1.0);
    let mut found = candidates(&exact);
    if let Some(best) = best(&cpu, &exact, logged, &found, MOST)?.filter(explains) {
        return Ok(best);
    }
    // A schedule computed in single precision has an error of a few ULP, and a logger may round twice.
    let loose = data(logged, LOOSE);
    found.extend(candidates(&loose));
    if let Some(mut best) = best(&cpu, &exact, logged, &found, LOOSE * MOST)?.filter(explains) {
        best.sureness = Sureness::Rough;
        return Ok(best);
    }
    let logged = if short { &whole } else { logged };
    let exact = data(logged, 1.0);
    let trace = vec![trace(&exact)];
    match best(&cpu, &exact, logged, &trace, f64::INFINITY)? {
        Some(best) => Ok(best),
        // A polyline through ascending steps is always valid; an empty log is rejected when it is read.
        None => {
            Err(crate::error::ReadError::Format { path: Default::default(), reason: "has no rows to fit".to_owned() }
                .into())
        }
    }
}

/// The data of a curve; each row may deviate by `times` its rounding error.
fn data(logged: &Logged, times: f64) -> Data {
    let peak = logged.values.iter().fold(0.0_f64, |peak, value| peak.max(value.abs()));
    // Rounding error of double precision itself, where terms cancel.
    let least = (4e-16 * peak).max(1e-320);
    Data {
        x: logged.steps.iter().map(|&step| step as f64).collect(),
        y: logged.values.clone(),
        slack: logged.values.iter().map(|&value| (times * logged.rounding.of(value)).max(least)).collect(),
    }
}

/// All candidates for a curve.
fn candidates(data: &Data) -> Vec<Candidate> {
    let mut found: Vec<Candidate> = vec![Candidate::plain(name::constant(data))];
    found.extend(name::cyclic(data).into_iter().map(Candidate::plain));
    found.extend(stairs(data));
    found.extend(repeated(data));
    if let Some(pieces) = pieces::pieces(data, &Shape::ALL, MOST_PIECES) {
        found.extend(named(data, &pieces));
    }
    found
}

fn named(data: &Data, pieces: &[Piece]) -> Vec<Candidate> {
    let shapes: Vec<&'static str> = pieces.iter().map(|piece| piece.fitted.shape.name()).collect();
    let longest = pieces.iter().max_by_key(|piece| piece.end - piece.first);
    let others = longest.map(|piece| piece.others.clone()).unwrap_or_default();
    let make =
        |schedule| Candidate { schedule, epoch: None, shapes: shapes.clone(), others: others.clone(), trace: false };
    name::candidates(data, pieces).into_iter().map(make).collect()
}

/// Candidates for values that change at a fixed interval: schedules that count epochs.
fn stairs(data: &Data) -> Vec<Candidate> {
    let changes: Vec<usize> = (1..data.y.len()).filter(|&i| data.y[i] != data.y[i - 1]).collect();
    let Some(&first) = changes.first() else { return Vec::new() };
    let quantum = data.x[first] - data.x[0];
    let even = data.x[0] == 0.0 && quantum > 1.0 && changes.len() > 1;
    if !even || changes.iter().zip(1..).any(|(&change, times)| data.x[change] != quantum * f64::from(times)) {
        return Vec::new();
    }
    let firsts: Vec<usize> = std::iter::once(0).chain(changes).collect();
    let of = |all: &[f64]| firsts.iter().map(|&i| all[i]).collect::<Vec<_>>();
    let blocks =
        Data { x: (0..firsts.len()).map(|block| block as f64).collect(), y: of(&data.y), slack: of(&data.slack) };
    let Some(pieces) = pieces::pieces(&blocks, &Shape::ALL, MOST_PIECES) else { return Vec::new() };
    let mut found = Vec::new();
    for candidate in named(&blocks, &pieces) {
        let steps = quantum as u64;
        let stepped: Option<Schedule> = match &candidate.schedule {
            Schedule::Exponential(one) if one.decay_steps == 1 => {
                Some(lrgrid::schedule::Step { start: one.start, decay_rate: one.decay_rate, step_size: steps }.into())
            }
            Schedule::InverseTime(one) => Some(
                lrgrid::schedule::InverseTime { decay_steps: steps * one.decay_steps, staircase: true, ..one.clone() }
                    .into(),
            ),
            _ => None,
        };
        found.extend(stepped.map(|schedule| Candidate { schedule, ..candidate.clone() }));
        found.push(Candidate { epoch: Some(steps), ..candidate });
    }
    found
}

/// Candidates that repeat the first cycle.
fn repeated(data: &Data) -> Vec<Candidate> {
    let count = data.y.len();
    let same = |a: usize, b: usize| (data.y[a] - data.y[b]).abs() <= 2.0 * data.slack[a].max(data.slack[b]);
    if data.x[0] != 0.0 || count < 4 {
        return Vec::new();
    }
    let evenly = data.x[1];
    if !(0..count).all(|i| data.x[i] == evenly * i as f64) {
        return Vec::new();
    }
    let moves = (1..count).any(|i| !same(0, i));
    let repeats = |period: usize| (0..count - period).all(|i| same(i, i + period));
    let Some(period) = (2..=count / 2).find(|&period| moves && same(0, period) && repeats(period)) else {
        return Vec::new();
    };
    let cut = |all: &[f64]| all[..period].to_vec();
    let cycle = Data { x: cut(&data.x), y: cut(&data.y), slack: cut(&data.slack) };
    let Some(pieces) = pieces::pieces(&cycle, &Shape::ALL, MOST_PIECES) else { return Vec::new() };
    let length = (period as f64 * evenly) as u64;
    let mut found = Vec::new();
    for candidate in named(&cycle, &pieces) {
        let whole = stretched(candidate.schedule.clone(), length);
        let make =
            |mode| Candidate { schedule: Cycle { of: Box::new(whole.clone()), mode }.into(), ..candidate.clone() };
        if whole.length() == Some(length) {
            found.push(make(CycleMode::Restart));
        }
        if whole.length().is_some_and(|one_way| one_way * 2 == length) {
            found.push(make(CycleMode::Reflect));
        }
    }
    found
}

/// A schedule extended to the length of its cycle: its last line or plateau continues to the end.
fn stretched(schedule: Schedule, length: u64) -> Schedule {
    match schedule {
        Schedule::Linear(line) if line.steps + 1 == length => {
            let slope = (line.end - line.start) / line.steps as f64;
            lrgrid::schedule::Linear { end: line.end + slope, steps: length, ..line }.into()
        }
        Schedule::PiecewiseLinear(mut line) => {
            if let [.., Point(before, from), Point(at, to)] = line.points.as_mut_slice()
                && *at < length
            {
                let slope = (*to - *from) / (*at - *before) as f64;
                *to += slope * (length - *at) as f64;
                *at = length;
            }
            line.into()
        }
        Schedule::Sequence(mut sequence) => {
            let start = sequence.boundaries.as_ref().and_then(|all| all.last().copied()).unwrap_or(0);
            if let Some(last) = sequence.pieces.pop() {
                let rest = length.saturating_sub(start);
                sequence.pieces.push(match last {
                    Schedule::Constant(held) => {
                        lrgrid::schedule::Linear { start: held.value, end: held.value, steps: rest }.into()
                    }
                    other => stretched(other, rest),
                });
            }
            sequence.into()
        }
        other => other,
    }
}

/// A polyline with as few points as rounding allows.
fn trace(data: &Data) -> Candidate {
    let mut points = Vec::new();
    let mut first = 0;
    let point = |at: usize| Point(data.x[at] as u64, data.y[at]);
    while first + 1 < data.x.len() && points.len() < MOST_POINTS {
        points.push(point(first));
        // The furthest point that a line from here reaches within the bound of every row: each row narrows the range of
        // slopes.
        let (mut low, mut high, mut reached) = (f64::NEG_INFINITY, f64::INFINITY, first + 1);
        for next in first + 1..data.x.len() {
            let (dx, dy, slack) = (data.x[next] - data.x[first], data.y[next] - data.y[first], 0.9 * data.slack[next]);
            let slope = dy / dx;
            if slope >= low && slope <= high {
                reached = next;
            }
            (low, high) = (low.max((dy - slack) / dx), high.min((dy + slack) / dx));
            if low > high {
                break;
            }
        }
        first = reached;
    }
    points.push(point(data.x.len() - 1));
    points.dedup_by_key(|point| point.0);
    let schedule = PiecewiseLinear { points }.into();
    Candidate { schedule, epoch: None, shapes: vec!["piecewise_linear"], others: Vec::new(), trace: true }
}

/// The simplest candidate whose error at every row is at most `most` times the rounding error.
fn best(cpu: &Cpu, data: &Data, logged: &Logged, found: &[Candidate], most: f64) -> Result<Option<Fit>, Error> {
    let programs: Vec<(usize, Program)> =
        found.iter().enumerate().filter_map(|(index, candidate)| Some((index, candidate.program()?))).collect();
    let steps = Steps::list(&logged.steps);
    let mut best: Option<(usize, Fit)> = None;
    // A few candidates at a time, so that the table stays small.
    for part in programs.chunks(((1 << 22) / steps.len().max(1)).max(1)) {
        let batch = Batch::from_programs(part.iter().map(|(_, program)| program))?;
        let table: Vec<f64> = cpu.evaluate(&batch, &steps)?;
        for ((index, _), row) in part.iter().zip(table.chunks(steps.len().max(1))) {
            let candidate = &found[*index];
            let (worst, at) = worst(data, row);
            let numbers = candidate.numbers();
            if worst <= most && best.as_ref().is_none_or(|best| numbers < best.0) {
                best = Some((numbers, report(candidate, logged, row, worst, at)));
            }
        }
    }
    Ok(best.map(|best| best.1))
}

/// The largest error in units of the rounding error, and its row.
fn worst(data: &Data, row: &[f64]) -> (f64, usize) {
    let mut worst = (0.0, 0);
    for (index, value) in row.iter().enumerate() {
        let off = (value - data.y[index]).abs() / data.slack[index];
        if off.is_nan() || off > worst.0 {
            worst = (if off.is_nan() { f64::INFINITY } else { off }, index);
        }
    }
    worst
}

fn report(candidate: &Candidate, logged: &Logged, row: &[f64], worst_in_rounding: f64, at: usize) -> Fit {
    let relative = row.iter().zip(&logged.values).map(|(found, value)| {
        if found == value { 0.0 } else { (found - value).abs() / value.abs().max(f64::MIN_POSITIVE) }
    });
    let fine = logged.rounding.of(1.0) <= 1e-6;
    // Enough rows for the number of parameters, and no more pieces than people usually write.
    let few = logged.steps.len() < 3 * candidate.numbers() || candidate.shapes.len() > 6;
    let sureness = if candidate.trace {
        Sureness::Trace
    } else if candidate.others.is_empty() && fine && !few {
        Sureness::Certain
    } else {
        Sureness::Likely
    };
    Fit {
        schedule: candidate.schedule.clone(),
        steps_per_epoch: candidate.epoch,
        shapes: candidate.shapes.clone(),
        others: candidate.others.clone(),
        worst: (logged.steps[at], logged.values[at], row[at]),
        worst_relative: relative.fold(0.0, f64::max),
        worst_in_rounding,
        sureness,
    }
}

impl Fit {
    /// The lowered program of the schedule.
    ///
    /// # Errors
    /// When the schedule cannot be lowered; that of a fit always can.
    pub fn program(&self) -> Result<Program, Error> {
        let program = self.schedule.lower()?;
        Ok(match self.steps_per_epoch {
            Some(steps) => program.with_quantum(steps).map_err(EvaluateError::from)?,
            None => program,
        })
    }

    /// The spec as TOML, with the log's horizon.
    #[must_use]
    pub fn spec(&self, last: u64) -> String {
        let mut document = toml::Table::new();
        let unit = self.steps_per_epoch.unwrap_or(1);
        let steps = (last.min(MAX_STEP - 1) + 1).div_ceil(unit);
        document.insert("steps".to_owned(), toml::Value::Integer(steps as i64));
        if let Some(unit) = self.steps_per_epoch {
            document.insert("steps_per_epoch".to_owned(), toml::Value::Integer(unit as i64));
        }
        if let Ok(schedule) = toml::Value::try_from(&self.schedule) {
            document.insert("schedule".to_owned(), schedule);
        }
        document.to_string()
    }
}
