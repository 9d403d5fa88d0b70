//! From the points of a sweep to a batch: read, lowered and packed in parts, in parallel, and joined in order.

use std::ops::Range;
use std::sync::Arc;

use rayon::prelude::*;

use super::{Epochs, Part, Spec};
use crate::curve::Curve;
use crate::double_double::DoubleDouble;
use crate::error::{Error, EvaluateError, LowerError, SpecError};
use crate::packed::{Batch, BatchBuilder, Oracle};
use crate::program::{MAX_STEP, Program};
use crate::schedule::Time;

/// Points packed together: few enough for the cache, enough to share the cost of the unit program.
const POINTS_IN_PART: usize = 1 << 9;

/// Parts per thread that are packed at a time, while those before are joined.
const PARTS_PER_THREAD: usize = 4;

/// Points with the same unit program from which it pays to look for one: that takes three readings.
const SCALING_PAYS_FROM: usize = 8;

impl Spec {
    pub(super) fn compile_part(&self, part: Part, rows: Range<usize>) -> Result<Batch, Error> {
        if rows.start > rows.end || rows.end > self.len() {
            let Range { start, end } = rows;
            return Err(EvaluateError::Rows { start, end, schedules: self.len() }.into());
        }
        let mut builder = BatchBuilder::default();
        // While one set of parts is packed, the set before is joined; both keep their allocations.
        let mut packed: Vec<BatchBuilder> = Vec::new();
        let mut spare: Vec<BatchBuilder> = Vec::new();
        let points_at_once = POINTS_IN_PART * PARTS_PER_THREAD * rayon::current_num_threads();
        for first in rows.clone().step_by(points_at_once) {
            let points = first..rows.end.min(first + points_at_once);
            let join = || packed.iter_mut().try_for_each(|part| builder.append(part));
            let (joined, results) = rayon::join(join, || self.pack(part, points, &mut spare));
            joined?;
            // The first error is that of the first wrong point, whatever the number of threads.
            results.into_iter().collect::<Result<(), Error>>()?;
            std::mem::swap(&mut packed, &mut spare);
        }
        packed.iter_mut().try_for_each(|part| builder.append(part))?;
        let formulas = Formulas { spec: self.clone(), part, first: rows.start };
        Ok(builder.finish(Some(Arc::new(formulas))))
    }

    /// Lowers and packs points, in as many parts as they need; each ends at its first error.
    fn pack(&self, part: Part, points: Range<usize>, parts: &mut Vec<BatchBuilder>) -> Vec<Result<(), Error>> {
        let firsts = points.clone().into_par_iter().step_by(POINTS_IN_PART);
        parts.resize_with(firsts.len(), BatchBuilder::default);
        let pack = |(builder, first): (&mut BatchBuilder, usize)| {
            let mut lowering = Lowering::new(self, part);
            (first..points.end.min(first + POINTS_IN_PART)).try_for_each(|index| {
                let Compiled { program, last_step } = lowering.program(index)?;
                builder.push(&program)?;
                last_step.into_iter().for_each(|last| builder.end_at(last));
                Ok(())
            })
        };
        parts.par_iter_mut().zip(firsts).map(pack).collect()
    }

    /// Reads, checks and lowers the schedule at a point; errors name the point.
    pub(super) fn program(&self, part: Part, index: usize, point: &[f64]) -> Result<Compiled, Error> {
        let schedule = self.read(part, index, point)?;
        let program = schedule.lower()?;
        check_range(&program).map_err(|error| self.at_point(part, index, error))?;
        let last_step = schedule.last_step();
        let Some(epochs) = self.epochs else { return Ok(Compiled { program, last_step }) };
        let furthest = program.segments().map(|segment| segment.origin).max().unwrap_or(0);
        let longest = schedule.length().unwrap_or(0).max(furthest);
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
        // An epoch's last step still belongs to it.
        let last_step = last_step.map(|epoch| epoch.saturating_add(1).saturating_mul(epochs.steps) - 1);
        let program =
            if epochs.fractional { program.stretched(epochs.steps)? } else { program.once_per(epochs.steps)? };
        Ok(Compiled { program, last_step })
    }

    /// The point in schedule time of a step.
    fn time(&self, step: u64) -> Time {
        match self.epochs {
            None => Time::step(step),
            Some(Epochs { steps, fractional: true }) => Time::within_epoch(step, steps),
            Some(Epochs { steps, fractional: false }) => Time::step(step / steps),
        }
    }
}

/// A schedule on the clock of steps.
pub(super) struct Compiled {
    program: Program,
    last_step: Option<u64>,
}

/// Lowers points one after another, those that differ only in their scale from one program.
struct Lowering<'s> {
    spec: &'s Spec,
    part: Part,
    point: Vec<f64>,
    /// The parameter that changes from point to point.
    fastest: Option<usize>,
    /// The point with 1 for that parameter, and what comes of it if the parameter does nothing but scale it.
    unit: Option<(Vec<f64>, Option<Compiled>)>,
}

impl<'s> Lowering<'s> {
    fn new(spec: &'s Spec, part: Part) -> Self {
        // A library computes with its arguments, so what two points show does not hold for the others.
        let pays = |points: usize| points >= SCALING_PAYS_FROM && !spec.foreign;
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

    /// The program at the point as a multiple of the unit program, where it is one.
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

    /// The program with 1 for a parameter, if twice that makes every value twice as large.
    ///
    /// A schedule's parameters are copied from the point, so those that differ are multiples of this one and the others
    /// do not depend on it.
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

impl Oracle for Formulas {
    fn values(&self, schedule: usize, steps: &mut dyn Iterator<Item = u64>, write: &mut dyn FnMut(DoubleDouble)) {
        let schedule = self.first + schedule;
        match self.spec.read(self.part, schedule, &self.spec.point(schedule)) {
            Ok(schedule) => steps.for_each(|step| write(schedule.exact(self.spec.time(step)))),
            // Compiling read the very same point, so this does not happen; NaN fails every comparison.
            Err(_) => steps.for_each(|_| write(f64::NAN.into())),
        }
    }
}

/// The least size of what a curve moves by: below it a double loses digits to underflow.
const LEAST_HEIGHT: f64 = 1e-290;

/// Differences and products of finite values may still be out of range.
fn check_range(program: &Program) -> Result<(), SpecError> {
    let heights = program.segments().flat_map(|segment| [segment.base, segment.amplitude]);
    let scales = program.stages.iter().flat_map(|stage| [stage.offset, stage.scale]);
    if !heights.chain(scales).all(DoubleDouble::is_finite) {
        let message = "its values are too far apart: their difference is beyond the range of f64, about 1.8e308";
        return Err(SpecError::new("", message));
    }
    let moved = program.segments().filter(|segment| segment.curve != Curve::Hold).map(|segment| segment.amplitude);
    let scaled = program.stages.iter().map(|stage| stage.scale);
    match moved.chain(scaled).map(DoubleDouble::high).find(|height| *height != 0.0 && height.abs() < LEAST_HEIGHT) {
        Some(height) => {
            let message = format!(
                "it moves by {height:e}, which is below what curves are computed for, {LEAST_HEIGHT:e} in size, and not 0"
            );
            Err(SpecError::new("", message))
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
        let mut lowering = Lowering::new(&spec, Part::Rate);
        (0..spec.len()).all(|index| {
            spec.sweep.point_into(index, &mut lowering.point);
            lowering.scaled(index).is_some()
        })
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
            // It does more than scale.
            ("kind = 'cosine', start = '$peak', end = 1e-5, steps = 98", peak),
            ("kind = 'cosine', start = '$peak', end = 0, steps = '$peak'", "peak = { min = 1, max = 99 }"),
            ("kind = 'polynomial', start = 1, end = 0, steps = 9, power = '$peak'", peak),
            ("kind = 'clamp', min = 0.5, of = { kind = 'cosine', start = '$peak', end = 0, steps = 98 }", peak),
            // The structure would change with it, and no two schedules share that.
            ("kind = 'cosine_restarts', max = '$peak', min = 0, period = 9, decay = 0.5", peak),
            // Something else changes from point to point.
            (
                "kind = 'linear', start = '$peak', end = 0, steps = '$n'",
                &format!("{peak}\nn = {{ min = 3, max = 20 }}"),
            ),
        ] {
            assert!(!is_scaled(schedule, parameters), "{schedule}");
        }
    }
}
