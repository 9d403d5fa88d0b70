//! Compiles the points of a sweep to a batch: they are read, lowered and packed in parts, in parallel, and joined in
//! order.

use std::ops::Range;
use std::sync::Arc;

use rayon::prelude::*;

use super::{Epochs, Part, Spec};
use crate::double_double::DoubleDouble;
use crate::error::{Error, EvaluateError, LowerError, SpecError};
use crate::packed::{Batch, BatchBuilder, ReferenceValues};
use crate::program::{LEAST_HEIGHT, MAX_STEP, Program};
use crate::schedule::{Schedule, Time};

/// The most points per part: few enough for the cache, enough to amortise the unit program.
const POINTS_IN_PART: usize = 1 << 9;

/// Parts per thread that are packed at a time, while the previous ones are joined.
const PARTS_PER_THREAD: usize = 4;

/// The most bytes of a part: many times what 512 short schedules take.
const BYTES_IN_PART: usize = 1 << 20;

/// The factor by which parts grow while they stay small.
const GROWTH: usize = 4;

/// The number of points from which searching for a unit program pays: it takes three readings of the schedule.
const SCALING_PAYS_FROM: usize = 8;

/// The packed points of a part.
struct Packed {
    builder: BatchBuilder,
    /// Whether the part has all of its points; otherwise it ended early because it was full.
    whole: bool,
}

impl Spec {
    pub(super) fn compile_part(&self, part: Part, rows: Range<usize>) -> Result<Batch, Error> {
        self.compile_within(part, rows, usize::MAX)
    }

    /// Compiles as many of the first rows as fit into `bytes`, at least one.
    ///
    /// Compiling takes up to as much memory again, for tables that grow and parts that wait to be joined.
    pub(super) fn compile_within(&self, part: Part, rows: Range<usize>, bytes: usize) -> Result<Batch, Error> {
        if rows.start > rows.end || rows.end > self.len() {
            let Range { start, end } = rows;
            return Err(EvaluateError::Rows { start, end, schedules: self.len() }.into());
        }
        let parts = PARTS_PER_THREAD * rayon::current_num_threads();
        let most = (bytes / (4 * parts)).min(BYTES_IN_PART);
        let (mut builder, mut waiting) = (BatchBuilder::default(), Vec::new());
        // Begin with small parts: one schedule may take as many bytes as thousands of others.
        let (mut next, mut points, mut largest) = (rows.start, 1, 0);
        loop {
            let end = rows.end.min(next + points * parts);
            // While one set of parts is packed, the previous set is joined.
            let join = || join(&mut builder, std::mem::take(&mut waiting), bytes);
            let (joined, packed) = rayon::join(join, || self.pack(part, next..end, points, most));
            if !joined? {
                break;
            }
            for one in packed {
                // The error returned is that of the first wrong point, whatever the number of threads.
                let one = one?;
                let (whole, count) = (one.whole, one.builder.len());
                next += count;
                largest = largest.max(one.builder.bytes());
                waiting.push(one.builder);
                if !whole {
                    // The points after an incomplete part are packed again, in smaller parts.
                    points = count.max(1);
                    break;
                }
                if next == end && largest <= most / GROWTH {
                    (points, largest) = ((points * GROWTH).min(POINTS_IN_PART), 0);
                }
            }
            if waiting.is_empty() {
                break;
            }
        }
        let rows = rows.start..rows.start + builder.len();
        let formulas = Formulas { spec: self.clone(), part, first: rows.start };
        Ok(builder.finish(Some(Arc::new(formulas))))
    }

    /// Lowers and packs points, `count` per part; a part ends early if it exceeds `most` bytes, or at its first error.
    fn pack(&self, part: Part, points: Range<usize>, count: usize, most: usize) -> Vec<Result<Packed, Error>> {
        let pack = |first: usize| {
            let points = first..points.end.min(first + count);
            let (mut lowering, mut builder) = (Lowering::new(self, part, points.len()), BatchBuilder::default());
            for index in points.clone() {
                let Compiled { program, last_step } = lowering.program(index)?;
                builder.push_lowered(&program)?;
                last_step.into_iter().for_each(|last| builder.end_at(last));
                if builder.bytes() > most {
                    return Ok(Packed { builder, whole: index + 1 == points.end });
                }
            }
            Ok(Packed { builder, whole: true })
        };
        points.clone().into_par_iter().step_by(count).map(pack).collect()
    }

    /// Reads, checks and lowers the schedule at a point; errors name the point.
    pub(super) fn program(&self, part: Part, index: usize, point: &[f64]) -> Result<Compiled, Error> {
        let schedule = self.read(part, index, point)?;
        let program = schedule.lower().map_err(|error| error.within(part.key()))?;
        check_range(&program).map_err(|error| self.at_point(part, index, error))?;
        let last_step = self.last_step_of(&schedule);
        let Some(epochs) = self.epochs else { return Ok(Compiled { program, last_step }) };
        // Phase counts are converted to steps only for fractional epochs; lengths are in any case.
        let counts = program.segments().map(|segment| segment.origin).filter(|_| epochs.fractional);
        let longest = counts.max().unwrap_or(0).max(schedule.length().unwrap_or(0));
        if u128::from(longest) * u128::from(epochs.steps) > u128::from(MAX_STEP) {
            let message = format!("{longest} epochs of {} steps are beyond the largest step, {MAX_STEP}", epochs.steps);
            return Err(SpecError::new("steps_per_epoch", message).into());
        }
        if epochs.fractional && schedule.turns_between_steps() {
            return Err(LowerError::NotRepresentable {
                what: "a move that begins or ends between two epochs, with `fractional_epochs`",
                remedy: "write its lengths in steps, without `steps_per_epoch`",
            }
            .into());
        }
        let program =
            if epochs.fractional { program.stretched(epochs.steps)? } else { program.once_per(epochs.steps)? };
        Ok(Compiled { program, last_step })
    }

    /// The last step of a schedule that ends, in steps.
    pub(super) fn last_step_of(&self, schedule: &Schedule) -> Option<u64> {
        // The last epoch includes its last step.
        let last = |last: u64| self.epochs.map_or(last, |one| last.saturating_add(1).saturating_mul(one.steps) - 1);
        schedule.last_step().map(last)
    }

    /// The schedule's time at a step.
    fn time(&self, step: u64) -> Time {
        match self.epochs {
            None => Time::step(step),
            Some(Epochs { steps, fractional: true }) => Time::within_epoch(step, steps),
            Some(Epochs { steps, fractional: false }) => Time::step(step / steps),
        }
    }
}

/// Appends parts while the total fits into `bytes`; returns whether all of them did.
fn join(builder: &mut BatchBuilder, parts: Vec<BatchBuilder>, bytes: usize) -> Result<bool, Error> {
    for mut part in parts {
        if !builder.is_empty() && builder.bytes().saturating_add(part.bytes()) > bytes {
            return Ok(false);
        }
        builder.append(&mut part)?;
    }
    Ok(true)
}

/// A compiled schedule, on the clock of steps.
pub(super) struct Compiled {
    program: Program,
    last_step: Option<u64>,
}

/// Lowers consecutive points; points that differ only in scale are derived from one unit program.
struct Lowering<'s> {
    spec: &'s Spec,
    part: Part,
    point: Vec<f64>,
    /// The only parameter that changes between consecutive points.
    fastest: Option<usize>,
    /// The point with that parameter set to 1; and its program, if the parameter only scales the schedule.
    unit: Option<(Vec<f64>, Option<Compiled>)>,
}

impl<'s> Lowering<'s> {
    /// A lowering of `count` consecutive points.
    fn new(spec: &'s Spec, part: Part, count: usize) -> Self {
        // A library may compute with its arguments, so a test of two points proves nothing about the others.
        let pays = |points: usize| points.min(count) >= SCALING_PAYS_FROM && !spec.foreign;
        let fastest = spec.sweep.fastest().filter(|(_, points)| pays(*points)).map(|(axis, _)| axis);
        Self { spec, part, point: vec![0.0; spec.sweep.names().len()], fastest, unit: None }
    }

    fn program(&mut self, index: usize) -> Result<Compiled, Error> {
        self.spec.sweep.point_into(index, &mut self.point);
        match self.scaled(index) {
            Some(compiled) => Ok(compiled),
            None => self.spec.program(self.part, index, &self.point),
        }
    }

    /// The program at the point as a multiple of the unit program, if it is one.
    fn scaled(&mut self, index: usize) -> Option<Compiled> {
        let fastest = self.fastest?;
        let factor = std::mem::replace(&mut self.point[fastest], 1.0);
        if self.unit.as_ref().is_none_or(|(point, _)| *point != self.point) {
            self.unit = Some((self.point.clone(), self.unit_program(index, fastest)));
        }
        self.point[fastest] = factor;
        let Compiled { program, last_step } = self.unit.as_ref()?.1.as_ref()?;
        Some(Compiled { program: program.scaled(factor)?, last_step: *last_step })
    }

    /// The program with a parameter set to 1, if setting it to 2 doubles every value.
    ///
    /// Parameters of a native schedule are copied from the point, so two points suffice: the fields that differ are
    /// equal to the parameter, and the others do not depend on it.
    fn unit_program(&self, index: usize, axis: usize) -> Option<Compiled> {
        let mut point = self.point.clone();
        let once = self.spec.read(self.part, index, &point).ok()?;
        point[axis] = 2.0;
        let twice = self.spec.read(self.part, index, &point).ok()?;
        (once.scaled(2.0)? == twice).then(|| self.spec.program(self.part, index, &self.point).ok())?
    }
}

/// The reference values of a compiled spec: each schedule's own formula.
#[derive(Debug)]
struct Formulas {
    spec: Spec,
    part: Part,
    /// The first schedule of the batch.
    first: usize,
}

impl ReferenceValues for Formulas {
    fn values(&self, schedule: usize, steps: &mut dyn Iterator<Item = u64>, write: &mut dyn FnMut(DoubleDouble)) {
        let schedule = self.first + schedule;
        match self.spec.read(self.part, schedule, &self.spec.point(schedule)) {
            Ok(schedule) => steps.for_each(|step| write(schedule.exact(self.spec.time(step)))),
            // Compiling has read the same point, so this does not happen; if it did, NaN would fail every comparison.
            Err(_) => steps.for_each(|_| write(f64::NAN.into())),
        }
    }
}

/// Checks the program's numbers: differences and products of finite values may be out of range.
fn check_range(program: &Program) -> Result<(), SpecError> {
    let heights = || {
        let segments = program.segments().flat_map(|segment| [segment.base, segment.amplitude]);
        segments.chain(program.stages.iter().flat_map(|stage| [stage.offset, stage.scale]))
    };
    if !heights().all(DoubleDouble::is_finite) {
        let message = "its values are too far apart or too small: beyond the range of f64, about 1.8e308, below 1e-290 but not 0, or more than 2^90 times as large as the one that they move to";
        return Err(SpecError::new("", message));
    }
    let small = |height: &f64| *height != 0.0 && height.abs() < LEAST_HEIGHT;
    match heights().map(DoubleDouble::high).find(small) {
        Some(height) => {
            let least = format!("the least size, other than 0, is {LEAST_HEIGHT:e}");
            Err(SpecError::new("", format!("a value or a move of {height:e} is too small: {least}")))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_scaled(schedule: &str, parameters: &str) -> bool {
        let text = format!("steps = 100\nschedule = {{ {schedule} }}\n[sweep.parameters]\n{parameters}");
        let spec = Spec::from_toml(&text).unwrap();
        let mut lowering = Lowering::new(&spec, Part::Rate, spec.len());
        (0..spec.len()).all(|index| {
            spec.sweep.point_into(index, &mut lowering.point);
            lowering.scaled(index).is_some()
        })
    }

    #[test]
    fn blocks_of_any_size_are_the_whole_in_order() {
        // A few hundred segments each.
        let text = "schedule = { kind = 'cosine_restarts', max = '$p', min = 0, period = '$n', multiplier = 1.1 }
            momentum = { kind = 'linear', start = '$p', end = '$n', steps = 9 }
            steps = 9
            [sweep.parameters]
            p = { values = [1, 2] }
            n = { min = 1, max = 30 }";
        let spec = Spec::from_toml(text).unwrap();
        let (whole, momenta) = (spec.compile().unwrap(), spec.compile_momentum().unwrap().unwrap());
        for bytes in [1, 400_000, usize::MAX] {
            let (mut next, mut blocks) = (0, 0);
            while next < spec.len() {
                let (rate, momentum) = spec.compile_block(next..spec.len(), bytes).unwrap();
                let momentum = momentum.unwrap();
                assert_eq!(rate.len(), momentum.len());
                assert!(rate.len() == 1 || rate.size() + momentum.size() <= bytes, "{} rows", rate.len());
                for row in 0..rate.len() {
                    assert_eq!(rate.program(row), whole.program(next + row));
                    assert_eq!(momentum.program(row), momenta.program(next + row));
                    assert_eq!(rate.value(row, 5), whole.value(next + row, 5));
                }
                (next, blocks) = (next + rate.len(), blocks + 1);
            }
            assert!(if bytes == 1 { blocks == spec.len() } else { blocks < spec.len() / 2 }, "{blocks} of {bytes}");
        }
    }

    #[test]
    fn a_parameter_that_only_scales_is_lowered_once() {
        let peak = "peak = { min = 1, max = 99, count = 50 }";
        for (schedule, parameters) in [
            ("kind = 'warmup', steps = '5%', then = { kind = 'cosine', start = '$peak', end = 0, steps = 98 }", peak),
            ("kind = 'scale', by = '$peak', of = { kind = 'linear', start = 1, end = 0.1, steps = 9 }", peak),
            (
                "kind = 'step', start = '$peak', decay_rate = '$d', step_size = 5",
                &format!("d = {{ value = 0.3 }}\n{peak}"),
            ),
        ] {
            assert!(is_scaled(schedule, parameters), "{schedule}");
        }
        for (schedule, parameters) in [
            // The parameter does more than scale.
            ("kind = 'cosine', start = '$peak', end = 1e-5, steps = 98", peak),
            ("kind = 'cosine', start = '$peak', end = 0, steps = '$peak'", "peak = { min = 1, max = 99 }"),
            ("kind = 'polynomial', start = 1, end = 0, steps = 9, power = '$peak'", peak),
            ("kind = 'clamp', min = 0.5, of = { kind = 'cosine', start = '$peak', end = 0, steps = 98 }", peak),
            // The structure depends on the parameter, so no two schedules share it.
            ("kind = 'cosine_restarts', max = '$peak', min = 0, period = 9, decay = 0.5", peak),
            // Another parameter changes between consecutive points.
            (
                "kind = 'linear', start = '$peak', end = 0, steps = '$n'",
                &format!("{peak}\nn = {{ min = 3, max = 20 }}"),
            ),
        ] {
            assert!(!is_scaled(schedule, parameters), "{schedule}");
        }
    }
}
