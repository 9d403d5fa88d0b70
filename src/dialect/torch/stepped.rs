//! Schedulers that multiply the learning rate by a factor, step by step.

use super::factor::Factor;
use super::{Optimizer, Scheduler, foreign, scheduler};
use crate::dialect::arguments::{Length, Whole, refused, require};
use crate::dialect::defaults::{one, tenth};
use crate::dialect::pieces::{ahead, constant, drops, drops_at};
use crate::error::SpecError;
use crate::program::MAX_STEP;
use crate::schedule::{Exponential, Linear, PiecewiseConstant, Polynomial, Scale, Schedule, Until};

fn third() -> f64 {
    1.0 / 3.0
}

fn five() -> Whole {
    Whole(5)
}

/// Steps that there are; fewer than none are none.
fn steps(total_iters: Whole) -> u64 {
    total_iters.positive().unwrap_or(0)
}

/// A schedule times a number.
pub(super) fn times(by: f64, of: Schedule) -> Schedule {
    Scale { by, of: Box::new(of), offset: 0.0 }.into()
}

/// `base·gamma^⌊s/every⌋`, whatever the sign of gamma.
fn powers(base: f64, gamma: f64, every: u64) -> Schedule {
    match every {
        1 if gamma > 0.0 => Exponential { start: base, decay_rate: gamma, decay_steps: 1, staircase: false }.into(),
        every => drops(base, gamma, every),
    }
}

/// The rate of step 0, after which PyTorch fails.
pub(super) fn only_once(base: f64) -> Schedule {
    Until { last: 0, of: Box::new(constant(base)) }.into()
}

scheduler! {
    /// Decays the learning rate by `gamma` every `step_size` steps.
    StepLR {
        /// Steps between drops; where it is not whole, only drops on whole steps happen.
        step_size: Length,
        /// The factor of each drop.
        #[serde(default = "tenth")]
        gamma: f64,
    }
}

foreign!(StepLR Step "a fractional `step_size` drops only where its multiples are whole steps; 0 fails after the first step");

impl StepLR {
    /// The whole steps at which it drops are the multiples of this one.
    fn every(&self) -> Result<u64, SpecError> {
        let size = self.step_size.0.abs();
        require("step_size", size, size > 0.0, "other than 0: PyTorch divides by it")?;
        // The least integer multiple of an f64 is its numerator in lowest terms, since the denominator is a power of 2.
        let mut numerator = size;
        while numerator.fract() != 0.0 {
            numerator *= 2.0;
        }
        Ok(numerator.min(MAX_STEP as f64) as u64)
    }
}

impl Scheduler for StepLR {
    fn optimizer(&self) -> Optimizer {
        self.made_with()
    }

    fn rate(&self, base: f64) -> Result<Schedule, SpecError> {
        Ok(if self.step_size.0 == 0.0 { only_once(base) } else { powers(base, self.gamma, self.every()?) })
    }

    fn resumed(&self, base: f64, first: u64) -> Result<Schedule, SpecError> {
        // A drop due at the first step takes effect there.
        let every = self.every()?;
        Ok(ahead(((first - 1) % every + 1) as f64, powers(base, self.gamma, every)))
    }

    fn factors(&self, _: f64) -> Result<Factor, SpecError> {
        Ok(Factor::curve(self.rate(1.0)?))
    }
}

scheduler! {
    /// Decays the learning rate by `gamma` at each milestone.
    MultiStepLR {
        /// The steps at which it drops; one that stands twice drops twice.
        milestones: Vec<u64>,
        /// The factor of each drop.
        #[serde(default = "tenth")]
        gamma: f64,
    }
}

foreign!(MultiStepLR MultiStep "");

impl MultiStepLR {
    /// The drops from step `from` on, counted from there.
    fn drops(&self, base: f64, from: u64) -> Schedule {
        drops_at(base, self.gamma, self.milestones.iter().filter_map(|step| step.checked_sub(from)).collect())
    }
}

impl Scheduler for MultiStepLR {
    fn optimizer(&self) -> Optimizer {
        self.made_with()
    }

    fn rate(&self, base: f64) -> Result<Schedule, SpecError> {
        Ok(self.drops(base, 0))
    }

    fn resumed(&self, base: f64, first: u64) -> Result<Schedule, SpecError> {
        Ok(self.drops(base, first))
    }

    fn factors(&self, _: f64) -> Result<Factor, SpecError> {
        Ok(Factor::curve(self.rate(1.0)?))
    }
}

scheduler! {
    /// A smaller learning rate at first.
    ConstantLR {
        /// The factor until `total_iters`, from 0 to 1.
        #[serde(default = "third")]
        factor: f64,
        /// Steps with the factor.
        #[serde(default = "five")]
        total_iters: Whole,
    }
}

foreign!(ConstantLR Constant "ends with the full rate; with `total_iters` 0 it never does");

impl ConstantLR {
    fn check(&self) -> Result<(), SpecError> {
        require("factor", self.factor, (0.0..=1.0).contains(&self.factor), "from 0 to 1")
    }

    /// `held` until it is lifted after `steps`.
    fn lifted(&self, held: f64, to: f64, steps: u64) -> Schedule {
        if steps == 0 {
            return constant(held);
        }
        if self.factor == 0.0 {
            // PyTorch divides by this factor.
            return Until { last: steps - 1, of: Box::new(constant(held)) }.into();
        }
        PiecewiseConstant { values: vec![held, to], boundaries: vec![steps] }.into()
    }
}

impl Scheduler for ConstantLR {
    fn optimizer(&self) -> Optimizer {
        self.made_with()
    }

    fn rate(&self, base: f64) -> Result<Schedule, SpecError> {
        self.check()?;
        Ok(self.lifted(base * self.factor, base, steps(self.total_iters)))
    }

    fn resumed(&self, base: f64, first: u64) -> Result<Schedule, SpecError> {
        self.check()?;
        let lifted = base / self.factor;
        Ok(match steps(self.total_iters).checked_sub(first) {
            None => constant(base),
            Some(0) if self.factor == 0.0 => return refused("factor", "0 cannot be lifted: PyTorch divides by it"),
            Some(0) => constant(lifted),
            Some(steps) => self.lifted(base, lifted, steps),
        })
    }

    fn taken_over(&self, base: f64, _: f64) -> Result<Schedule, SpecError> {
        // Here PyTorch starts with its closed form, in which a factor needs at least one step.
        if steps(self.total_iters) == 0 {
            self.check()?;
            return Ok(constant(base));
        }
        self.rate(base)
    }

    fn factors(&self, _: f64) -> Result<Factor, SpecError> {
        Ok(Factor::curve(self.rate(1.0)?))
    }

    fn factors_taken_over(&self, base: f64) -> Result<Factor, SpecError> {
        Ok(Factor::curve(self.taken_over(1.0, base)?))
    }
}

/// After a milestone PyTorch takes closed forms, which divide.
fn check_divisor(total_iters: Whole) -> Result<(), SpecError> {
    let condition = "other than 0 after a milestone: PyTorch divides by it";
    require("total_iters", total_iters.0, total_iters.0 != 0, condition)
}

scheduler! {
    /// A line from one factor to another.
    LinearLR {
        /// The factor at step 0, above 0 and at most 1.
        #[serde(default = "third")]
        start_factor: f64,
        /// The factor from `total_iters` on, from 0 to 1.
        #[serde(default = "one")]
        end_factor: f64,
        /// Steps from one to the other.
        #[serde(default = "five")]
        total_iters: Whole,
    }
}

foreign!(LinearLR Linear "with `total_iters` 0 it stays at `start_factor` for ever");

impl LinearLR {
    fn check(&self) -> Result<(), SpecError> {
        let (start, end) = (self.start_factor, self.end_factor);
        require("start_factor", start, start > 0.0 && start <= 1.0, "above 0 and at most 1")?;
        require("end_factor", end, (0.0..=1.0).contains(&end), "from 0 to 1")
    }
}

impl Scheduler for LinearLR {
    fn optimizer(&self) -> Optimizer {
        self.made_with()
    }

    fn rate(&self, base: f64) -> Result<Schedule, SpecError> {
        self.check()?;
        let (start, end, steps) = (base * self.start_factor, base * self.end_factor, steps(self.total_iters));
        Ok(if steps == 0 { constant(start) } else { Linear { start, end, steps }.into() })
    }

    fn resumed(&self, base: f64, first: u64) -> Result<Schedule, SpecError> {
        let line = self.rate(1.0)?;
        let now = line.value(first);
        if steps(self.total_iters) < first || now == 0.0 {
            return Ok(constant(base));
        }
        Ok(times(base / now, ahead(first as f64, line)))
    }

    fn taken_over(&self, base: f64, _: f64) -> Result<Schedule, SpecError> {
        if self.total_iters.0 < 0 {
            self.check()?;
            return Ok(constant(base * self.end_factor));
        }
        check_divisor(self.total_iters)?;
        self.rate(base)
    }

    fn factors(&self, _: f64) -> Result<Factor, SpecError> {
        Ok(Factor::curve(self.rate(1.0)?))
    }
}

scheduler! {
    /// Decays the learning rate by `gamma` every step.
    ExponentialLR {
        /// The factor per step.
        gamma: f64,
    }
}

foreign!(ExponentialLR Exponential "");

impl Scheduler for ExponentialLR {
    fn optimizer(&self) -> Optimizer {
        self.made_with()
    }

    fn rate(&self, base: f64) -> Result<Schedule, SpecError> {
        Ok(powers(base, self.gamma, 1))
    }

    fn resumed(&self, base: f64, _: u64) -> Result<Schedule, SpecError> {
        self.rate(base)
    }

    fn factors(&self, _: f64) -> Result<Factor, SpecError> {
        Ok(Factor::curve(self.rate(1.0)?))
    }
}

scheduler! {
    /// A power of what is left, down to 0.
    PolynomialLR {
        /// Steps of the decay.
        #[serde(default = "five")]
        total_iters: Whole,
        /// The power.
        #[serde(default = "one")]
        power: f64,
    }
}

foreign!(PolynomialLR Polynomial "always ends at 0; with `total_iters` 0 it never moves");

impl Scheduler for PolynomialLR {
    fn optimizer(&self) -> Optimizer {
        self.made_with()
    }

    fn rate(&self, base: f64) -> Result<Schedule, SpecError> {
        require("power", self.power, self.power >= 0.0, "at least 0: below it the rate ends at infinity")?;
        let (steps, power) = (steps(self.total_iters), self.power);
        Ok(match steps == 0 || power == 0.0 {
            true => constant(base),
            false => Polynomial { start: base, end: 0.0, steps, power }.into(),
        })
    }

    fn resumed(&self, base: f64, first: u64) -> Result<Schedule, SpecError> {
        // The product of the remaining ratios is a polynomial of the remaining steps.
        match steps(self.total_iters).checked_sub(first) {
            Some(left @ 1..) => Self { total_iters: Whole(left as i64), ..self.clone() }.rate(base),
            _ => Ok(constant(base)),
        }
    }

    fn taken_over(&self, base: f64, _: f64) -> Result<Schedule, SpecError> {
        check_divisor(self.total_iters)?;
        if self.total_iters.0 < 0 && self.power > 0.0 {
            return Ok(constant(0.0));
        }
        self.rate(base)
    }

    fn factors(&self, _: f64) -> Result<Factor, SpecError> {
        Ok(Factor::curve(self.rate(1.0)?))
    }
}
