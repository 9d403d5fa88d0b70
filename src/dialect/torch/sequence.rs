//! Schedulers in sequence.

use super::factor::{Factor, Part};
use super::swa::with_one_swa_lr;
use super::{Optimizer, Scheduler, Torch, foreign, scheduler};
use crate::dialect::arguments::{refused, require};
use crate::dialect::pieces::{constant, one_after_another};
use crate::error::SpecError;
use crate::schedule::Schedule;

scheduler! {
    /// Schedulers one after another, each counting from its own milestone.
    SequentialLR {
        /// The schedulers, as `{ name, args }`; the learning rate is given once, beside them.
        schedulers: Vec<Torch>,
        /// The steps at which each further scheduler takes over.
        milestones: Vec<u64>,
    }
}

foreign!(SequentialLR Sequence "a scheduler that is cut off leaves a jump; a OneCycleLR among them changes the base of all"
    SequentialLR::with_one_swa_lr);

/// A scheduler of the sequence, the steps it has, and the base it starts from.
struct Turn<'s> {
    index: usize,
    scheduler: &'s dyn Scheduler,
    start: u64,
    end: Option<u64>,
    base: f64,
    /// What the optimizer's learning rate is before the first turn.
    initial: f64,
}

impl SequentialLR {
    /// The same with the rate that all SWALRs within move to.
    fn with_one_swa_lr(&self) -> Result<Self, SpecError> {
        Ok(Self { schedulers: with_one_swa_lr(&self.schedulers)?, ..self.clone() })
    }

    fn check(&self) -> Result<(), SpecError> {
        let (schedulers, milestones) = (self.schedulers.len(), self.milestones.len());
        if schedulers == 0 {
            return refused("schedulers", "an empty list: at least one scheduler is needed");
        }
        if milestones + 1 != schedulers {
            return refused(
                "milestones",
                format!("{milestones} milestones for {schedulers} schedulers: there must be one less than schedulers"),
            );
        }
        for (index, pair) in self.milestones.windows(2).enumerate() {
            let field = format!("milestones[{}]", index + 1);
            require(&field, pair[1], pair[0] <= pair[1], &format!("at least {}, the one before it", pair[0]))?;
        }
        for (index, child) in self.schedulers.iter().enumerate() {
            let within = |error: SpecError| error.within(&format!("schedulers[{index}]"));
            if matches!(child, Torch::SequentialLR(_) | Torch::ChainedScheduler(_)) {
                return refused(
                    "name",
                    "PyTorch fails to hand over to schedulers of schedulers: put theirs into this list",
                )
                .map_err(within);
            }
            // Constructing it may fail, even if it never becomes active.
            let made = check_child(child.scheduler()).and_then(|()| child.scheduler().rate(1.0));
            made.map_err(|error| within(error.within("args")))?;
        }
        Ok(())
    }

    /// The schedulers that have a turn, with the steps they have.
    fn turns(&self, base: f64) -> Result<Vec<Turn<'_>>, SpecError> {
        self.check()?;
        // Each scheduler reads the base as the constructors before it left it; the first active one, as all left it.
        let mut initial = base;
        let mut bases = Vec::with_capacity(self.schedulers.len());
        for (index, child) in self.schedulers.iter().enumerate() {
            initial = child.scheduler().overwrites_base(index == 0).unwrap_or(initial);
            bases.push(initial);
        }
        let starts: Vec<u64> = std::iter::once(0).chain(self.milestones.iter().copied()).collect();
        let mut turns = Vec::with_capacity(self.schedulers.len());
        for (index, child) in self.schedulers.iter().enumerate() {
            let (start, end) = (starts[index], starts.get(index + 1).copied());
            if end.is_none_or(|end| start < end) {
                turns.push(Turn { index, scheduler: child.scheduler(), start, end, base: bases[index], initial });
            }
        }
        Ok(turns)
    }

    /// The schedules of all turns.
    fn rates(&self, base: f64) -> Result<Vec<(u64, Schedule)>, SpecError> {
        let mut rates: Vec<(u64, Schedule)> = Vec::new();
        for turn in self.turns(base)? {
            let rate = match rates.last() {
                None => turn.scheduler.rate_from(turn.initial, turn.base),
                Some((start, before)) => turn.scheduler.taken_over(turn.base, before.value(turn.start - 1 - start)),
            };
            let within = |error: SpecError| error.within("args").within(&format!("schedulers[{}]", turn.index));
            rates.push((turn.start, rate.map_err(within)?));
        }
        Ok(rates)
    }
}

/// A scheduler within another has no optimizer of its own.
pub(super) fn check_child(child: &dyn Scheduler) -> Result<(), SpecError> {
    let optimizer = child.optimizer();
    if optimizer.lr.is_some() {
        return refused("lr", "belongs to the optimizer, which all schedulers share: give it beside `schedulers`");
    }
    if optimizer.last_epoch != -1 {
        return refused("last_epoch", "goes with a scheduler that stands alone: leave it out");
    }
    Ok(())
}

impl Scheduler for SequentialLR {
    fn optimizer(&self) -> Optimizer {
        self.made_with()
    }

    fn rate(&self, base: f64) -> Result<Schedule, SpecError> {
        Ok(one_after_another(self.rates(base)?))
    }

    fn momentum(&self) -> Result<Option<Schedule>, SpecError> {
        let mut pieces: Vec<(u64, Schedule)> = Vec::new();
        for turn in self.turns(self.made_with().base().unwrap_or(1.0))? {
            let within = |error: SpecError| error.within("args").within(&format!("schedulers[{}]", turn.index));
            let Some(momentum) = turn.scheduler.momentum().map_err(within)? else { continue };
            // Before the scheduler becomes active, the momentum is the value that its constructor set.
            if turn.start > 0 && pieces.is_empty() {
                pieces.push((0, constant(momentum.value(0))));
            }
            let last = turn.end.map(|end| (end, momentum.value(end - 1 - turn.start)));
            pieces.push((turn.start, momentum));
            // Afterwards, it is the scheduler's last value.
            pieces.extend(last.map(|(end, value)| (end, constant(value))));
        }
        // A held value is replaced as soon as the next scheduler becomes active.
        let mut distinct: Vec<(u64, Schedule)> = Vec::with_capacity(pieces.len());
        for piece in pieces {
            if distinct.last().is_some_and(|last| last.0 == piece.0) {
                distinct.pop();
            }
            distinct.push(piece);
        }
        Ok((!distinct.is_empty()).then(|| one_after_another(distinct)))
    }

    fn resumed(&self, _: f64, _: u64) -> Result<Schedule, SpecError> {
        refused(
            "last_epoch",
            "PyTorch resumes a SequentialLR at the wrong rate: load its state instead, and leave it out",
        )
    }

    fn factors(&self, base: f64) -> Result<Factor, SpecError> {
        let mut turns: Vec<(u64, Factor)> = Vec::new();
        for turn in self.turns(base)? {
            let within = |error: SpecError| error.within("args").within(&format!("schedulers[{}]", turn.index));
            // Rejected where the hand-over is.
            turn.scheduler.taken_over(base, base).map_err(within)?;
            if turn.base != base || turn.initial != base {
                let message = "changes the base of schedulers that are chained with it: chain those that multiply only";
                return refused("name", message).map_err(|error| error.within(&format!("schedulers[{}]", turn.index)));
            }
            let factors = match turns.is_empty() {
                true => turn.scheduler.factors(base),
                false => turn.scheduler.factors_taken_over(base),
            };
            turns.push((turn.start, factors.map_err(within)?));
        }
        let ends: Vec<Option<u64>> = turns.iter().skip(1).map(|turn| Some(turn.0)).chain([None]).collect();
        let mut parts: Vec<Part> = Vec::new();
        for ((start, factor), end) in turns.iter().zip(ends) {
            let Factor::Curves(own) = factor else { return Ok(Factor::Turns(turns)) };
            let own = own.iter().map(|part| Part { start: part.start + start, ..part.clone() });
            parts.extend(own.filter(|part| end.is_none_or(|end| part.start < end)));
        }
        Ok(Factor::Curves(parts))
    }

    fn starts_over(&self) -> bool {
        true
    }
}
