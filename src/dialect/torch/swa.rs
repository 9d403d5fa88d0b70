//! Annealing for stochastic weight averaging (SWALR).

use super::factor::Factor;
use super::one_cycle::AnnealStrategy;
use super::{Optimizer, Scheduler, Torch, foreign, scheduler};
use crate::dialect::arguments::{Integer, refused};
use crate::dialect::pieces::constant;
use crate::error::SpecError;
use crate::schedule::{Cosine, Linear, Schedule};

scheduler! {
    /// A move to `swa_lr`, held after.
    Swalr {
        /// The learning rate it moves to.
        swa_lr: f64,
        /// Steps of the move; with 0 it jumps at once.
        #[serde(default = "ten")]
        anneal_epochs: Integer,
        /// Half a cosine or a straight line.
        #[serde(default)]
        anneal_strategy: AnnealStrategy,
    }
}

foreign!(Swalr Linear "in a SequentialLR it starts from the rate before it, not from the base; all SWALRs of an optimizer move to the last one's `swa_lr`");

fn ten() -> Integer {
    Integer(10)
}

impl Swalr {
    fn anneal(&self, start: f64, end: f64) -> Schedule {
        let Integer(steps) = self.anneal_epochs;
        match self.anneal_strategy {
            _ if steps == 0 => constant(end),
            AnnealStrategy::Cos => Cosine { start, end, steps }.into(),
            AnnealStrategy::Linear => Linear { start, end, steps }.into(),
        }
    }
}

impl Scheduler for Swalr {
    fn optimizer(&self) -> Optimizer {
        self.made_with()
    }

    fn rate(&self, base: f64) -> Result<Schedule, SpecError> {
        Ok(self.anneal(base, self.swa_lr))
    }

    fn resumed(&self, base: f64, _: u64) -> Result<Schedule, SpecError> {
        // SWALR counts its own calls.
        self.rate(base)
    }

    fn taken_over(&self, _: f64, before: f64) -> Result<Schedule, SpecError> {
        self.rate(before)
    }

    fn factors(&self, _: f64) -> Result<Factor, SpecError> {
        Ok(Factor::Pulls { target: self.swa_lr, curve: self.anneal(1.0, 0.0), half_period: None })
    }
}

/// The schedulers within one.
fn within(scheduler: &Torch) -> &[Torch] {
    match scheduler {
        Torch::SequentialLR(sequence) => &sequence.schedulers,
        Torch::ChainedScheduler(chain) => &chain.schedulers,
        _ => &[],
    }
}

/// What the last SWALR that is made leaves in the optimizer, where all of them look it up.
fn last_swa_lr(schedulers: &[Torch]) -> Option<f64> {
    schedulers.iter().rev().find_map(|scheduler| match scheduler {
        Torch::Swalr(swalr) => Some(swalr.swa_lr),
        other => last_swa_lr(within(other)),
    })
}

/// The same schedulers with the one rate that all SWALRs among them move to.
pub(super) fn with_one_swa_lr(schedulers: &[Torch]) -> Result<Vec<Torch>, SpecError> {
    let Some(swa_lr) = last_swa_lr(schedulers) else { return Ok(schedulers.to_vec()) };
    moving_to(schedulers, swa_lr)
}

fn moving_to(schedulers: &[Torch], swa_lr: f64) -> Result<Vec<Torch>, SpecError> {
    let mut moved = schedulers.to_vec();
    for (index, scheduler) in moved.iter_mut().enumerate() {
        let in_args = |error: SpecError| error.within("args").within(&format!("schedulers[{index}]"));
        match scheduler {
            Torch::Swalr(swalr) if swalr.anneal_epochs == Integer(0) && swalr.swa_lr != swa_lr => {
                let message = format!("{} is left at once for {swa_lr}, the last SWALR's: give that", swalr.swa_lr);
                return refused("swa_lr", message).map_err(in_args);
            }
            Torch::Swalr(swalr) => swalr.swa_lr = swa_lr,
            Torch::SequentialLR(sequence) => {
                sequence.schedulers = moving_to(&sequence.schedulers, swa_lr).map_err(in_args)?;
            }
            Torch::ChainedScheduler(chain) => {
                chain.schedulers = moving_to(&chain.schedulers, swa_lr).map_err(in_args)?;
            }
            _ => {}
        }
    }
    Ok(moved)
}
