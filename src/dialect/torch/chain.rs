//! Schedulers that move the same learning rate at once.

use super::factor::{Factor, Part};
use super::sequence::{check_child, one_after_another};
use super::stepped::{ahead, times};
use super::{Optimizer, Scheduler, Torch, foreign, scheduler};
use crate::dialect::arguments::refused;
use crate::double_double::DoubleDouble;
use crate::error::SpecError;
use crate::schedule::{Constant, PiecewiseConstant, Product, Scale, Schedule, Time, Until};

/// How many steps are written out one by one where a chain has no closed form.
const WRITTEN_OUT: u64 = 4000;

scheduler! {
    /// Schedulers that all step at once, each on what the one before it has left.
    ChainedScheduler {
        /// The schedulers, as `{ name, args }`; the learning rate is given once, beside them.
        schedulers: Vec<Torch>,
    }
}

foreign!(ChainedScheduler Product "a product only of schedulers that multiply: one that sets the rate undoes what came before");

impl ChainedScheduler {
    /// The schedulers within, and within chains among them.
    fn children(&self) -> Result<Vec<&dyn Scheduler>, SpecError> {
        if self.schedulers.is_empty() {
            return refused("schedulers", "an empty list: at least one scheduler is needed");
        }
        let mut children = Vec::with_capacity(self.schedulers.len());
        for (index, child) in self.schedulers.iter().enumerate() {
            let within = |error: SpecError| error.within("args").within(&format!("schedulers[{index}]"));
            check_child(child.scheduler()).map_err(within)?;
            match child {
                Torch::ChainedScheduler(chain) => children.extend(chain.children().map_err(within)?),
                child => children.push(child.scheduler()),
            }
        }
        Ok(children)
    }

    fn all_factors(&self, base: f64) -> Result<Vec<Factor>, SpecError> {
        self.children()?.into_iter().map(|child| child.factors(base)).collect()
    }
}

/// A constant times curves.
fn product(constant: f64, mut curves: Vec<Schedule>) -> Schedule {
    curves.retain(|curve| !matches!(curve, Schedule::Constant(one) if one.value == 1.0));
    match (curves.len(), constant == 1.0) {
        (0, _) => Constant { value: constant }.into(),
        (1, true) => curves.swap_remove(0),
        (1, false) => times(constant, curves.swap_remove(0)),
        (_, true) => Product { factors: curves }.into(),
        (_, false) => times(constant, Product { factors: curves }.into()),
    }
}

/// The part in force at a step.
fn part_at(parts: &[Part], step: u64) -> &Part {
    let after = parts.partition_point(|part| part.start <= step);
    &parts[after.max(1) - 1]
}

/// The step from which on a curve does not move any more.
fn rest(parts: &[Part]) -> Option<u64> {
    let last = parts.last()?;
    match &last.curve {
        Schedule::Constant(_) => Some(last.start),
        curve => curve.length().map(|length| last.start.saturating_add(length)),
    }
}

/// A chain of curves: products, from each step at which one of them sets the rate to the next.
fn of_curves(base: f64, chain: &[Vec<Part>]) -> Schedule {
    let mut resets: Vec<(u64, usize)> = Vec::new();
    for (child, parts) in chain.iter().enumerate() {
        resets.extend(parts.iter().skip(1).map(|part| (part.start, child)));
    }
    resets.sort_unstable();
    let mut windows = vec![(0, product(base, chain.iter().map(|parts| parts[0].curve.clone()).collect()))];
    let mut last: Option<u64> = None;
    for (index, &(start, child)) in resets.iter().enumerate() {
        // Of several that set the rate at once, the last one counts.
        if resets.get(index + 1).is_some_and(|next| next.0 == start) {
            continue;
        }
        // Once all others rest, a curve that begins anew goes on as it was.
        let mut others = chain.iter().enumerate().filter(|(other, _)| *other != child).map(|(_, parts)| rest(parts));
        let rested = others.all(|rest| rest.is_some_and(|rest| rest < start))
            && resets[index + 1..].iter().all(|&(at, later)| later == child && part_at(&chain[child], at).goes_on);
        let mut constant = DoubleDouble::from(base);
        let mut curves = Vec::with_capacity(chain.len());
        for (other, parts) in chain.iter().enumerate() {
            let part = part_at(parts, start);
            let since = start - part.start;
            if other != child {
                // Those before it have had their step, those after it have it still to come.
                let before = if other > child { since.saturating_sub(1) } else { since };
                let now = part.curve.exact(Time::step(before));
                if now == DoubleDouble::ZERO {
                    continue;
                }
                constant = constant / now;
            }
            curves.push(ahead(since, part.curve.clone()));
        }
        windows.push((start, product(constant.high(), curves)));
        if rested {
            return one_after_another(windows);
        }
        // What is not followed further ends before it would begin anew once more.
        let again = part_at(&chain[child], start).again.map(|steps| start + steps - 1);
        last = match (last, again) {
            (Some(last), Some(again)) => Some(again.min(last)),
            (last, again) => last.or(again),
        };
    }
    let whole = one_after_another(windows);
    match last {
        Some(last) => Until { last, of: Box::new(whole) }.into(),
        None => whole,
    }
}

/// The ratio of a curve to what it was a step before, where that has a form; at step 0, the curve itself.
fn ratio(curve: &Schedule) -> Option<Schedule> {
    let first = curve.value(0);
    match curve {
        Schedule::Constant(_) => Some(curve.clone()),
        Schedule::Exponential(curve) if curve.decay_steps == 1 && !curve.staircase => {
            Some(PiecewiseConstant { values: vec![first, curve.decay_rate], boundaries: vec![1] }.into())
        }
        Schedule::MultiStep(curve) => {
            Some(spikes(first, curve.milestones.iter().map(|&step| (step, curve.decay_rate))))
        }
        Schedule::PiecewiseConstant(curve) if curve.values.iter().all(|&value| value != 0.0) => {
            let ratios = curve.values.windows(2).map(|pair| pair[1] / pair[0]);
            Some(spikes(first, curve.boundaries.iter().copied().zip(ratios)))
        }
        _ => None,
    }
}

/// 1, but for a first value and the values at some steps.
fn spikes(first: f64, at: impl Iterator<Item = (u64, f64)>) -> Schedule {
    let (mut values, mut boundaries) = (vec![first], Vec::new());
    let mut change = |step: u64, value: f64| {
        if boundaries.last() == Some(&step) {
            values.pop();
        } else {
            boundaries.push(step);
        }
        values.push(value);
    };
    change(1, 1.0);
    for (step, value) in at.filter(|(step, _)| *step > 0) {
        change(step, value);
        change(step + 1, 1.0);
    }
    PiecewiseConstant { values, boundaries }.into()
}

/// The chain's value after a step, from what it was before it.
fn stepped(factor: &Factor, base: f64, step: u64, value: DoubleDouble) -> DoubleDouble {
    let at = |curve: &Schedule, step: u64| curve.exact(Time::step(step));
    match factor {
        Factor::Sets(schedule) => at(schedule, step),
        Factor::Curves(parts) => {
            let part = part_at(parts, step);
            let since = step - part.start;
            match since.checked_sub(1) {
                None if step > 0 => at(&part.curve, 0) * base,
                None => value * at(&part.curve, 0),
                Some(before) => {
                    let before = at(&part.curve, before);
                    if before == DoubleDouble::ZERO { value } else { value * at(&part.curve, since) / before }
                }
            }
        }
        Factor::Pulls { target, curve, half_period } => {
            let Some(before) = step.checked_sub(1) else { return (value - *target) * at(curve, 0) + *target };
            let (before, now) = (at(curve, before), at(curve, step));
            match (before == DoubleDouble::ZERO, half_period) {
                (true, Some(_)) => value + DoubleDouble::exact_sum(base, -target) * now,
                (true, None) => (*target).into(),
                (false, _) => (value - *target) * now / before + *target,
            }
        }
    }
}

/// The values of the first steps, one by one.
fn first_values(base: f64, factors: &[Factor], steps: u64) -> Vec<DoubleDouble> {
    let mut values = Vec::with_capacity(steps as usize);
    let mut value = DoubleDouble::from(base);
    for step in 0..steps {
        value = factors.iter().fold(value, |value, factor| stepped(factor, base, step, value));
        values.push(value);
    }
    values
}

/// Values written out, one a step.
fn written_out(values: &[DoubleDouble]) -> Schedule {
    let (mut distinct, mut boundaries): (Vec<f64>, Vec<u64>) = (Vec::new(), Vec::new());
    for (step, value) in (0..).zip(values) {
        if distinct.last() != Some(&value.high()) {
            if step > 0 {
                boundaries.push(step);
            }
            distinct.push(value.high());
        }
    }
    PiecewiseConstant { values: distinct, boundaries }.into()
}

/// A chain without a closed form, for as many steps as can be written out.
fn for_some_steps(base: f64, factors: &[Factor]) -> Schedule {
    let of = Box::new(written_out(&first_values(base, factors, WRITTEN_OUT)));
    Until { last: WRITTEN_OUT - 1, of }.into()
}

/// One that pulls, among others that come to rest: their steps are written out, and it goes on alone.
fn one_that_pulls(base: f64, factors: &[Factor]) -> Option<Schedule> {
    let mut pulling = None;
    let mut rested = 0;
    for factor in factors {
        match factor {
            Factor::Pulls { target, curve, half_period } if pulling.is_none() => {
                pulling = Some((*target, curve, *half_period));
            }
            Factor::Curves(parts) => rested = rested.max(rest(parts)?),
            _ => return None,
        }
    }
    let (target, curve, half_period) = pulling?;
    let alone = |base: f64| Schedule::from(Scale { by: base - target, of: Box::new(curve.clone()), offset: target });
    if rested == 0 && factors.len() == 1 {
        return Some(alone(base));
    }
    if rested >= WRITTEN_OUT {
        return None;
    }
    let values = first_values(base, factors, rested + 1);
    let reached = *values.last()?;
    let left = curve.value(rested);
    let mut pieces = Vec::new();
    if rested > 0 {
        pieces.push((0, written_out(&values[..values.len() - 1])));
    }
    let scaled =
        Scale { by: ((reached - target) / left).high(), of: Box::new(ahead(rested, curve.clone())), offset: target };
    let Some(half) = half_period else {
        let after = if left == 0.0 { Constant { value: reached.high() }.into() } else { scaled.into() };
        pieces.push((rested, after));
        return Some(one_after_another(pieces));
    };
    let turns = rested / half;
    let minimum = (turns + 1 + turns % 2) * half;
    if left != 0.0 {
        pieces.push((rested, scaled.into()));
        pieces.push((minimum, ahead(minimum, alone(base))));
    } else {
        // At the minimum now: from here on it is its own wave.
        pieces.push((rested, ahead(rested, alone(base))));
    }
    Some(one_after_another(pieces))
}

impl Scheduler for ChainedScheduler {
    fn optimizer(&self) -> Optimizer {
        self.made_with()
    }

    fn rate(&self, base: f64) -> Result<Schedule, SpecError> {
        let factors = self.all_factors(base)?;
        let curves: Option<Vec<Vec<Part>>> = factors
            .iter()
            .map(|factor| if let Factor::Curves(parts) = factor { Some(parts.clone()) } else { None })
            .collect();
        if let Some(chain) = curves {
            return Ok(of_curves(base, &chain));
        }
        // What comes before the last one that sets the rate is undone at every step.
        let setting = factors.iter().rposition(|factor| matches!(factor, Factor::Sets(_)));
        if let Some(index) = setting
            && let Factor::Sets(set) = &factors[index]
        {
            let ratios: Option<Vec<Schedule>> = factors[index + 1..]
                .iter()
                .map(|factor| match factor {
                    Factor::Curves(parts) if parts.len() == 1 => ratio(&parts[0].curve),
                    _ => None,
                })
                .collect();
            if let Some(ratios) = ratios {
                return Ok(product(1.0, std::iter::once(set.clone()).chain(ratios).collect()));
            }
            return Ok(for_some_steps(base, &factors));
        }
        Ok(one_that_pulls(base, &factors).unwrap_or_else(|| for_some_steps(base, &factors)))
    }

    fn momentum(&self) -> Result<Option<Schedule>, SpecError> {
        // Each sets it at every step, so the last one's stands.
        for child in self.children()?.into_iter().rev() {
            if let Some(momentum) = child.momentum()? {
                return Ok(Some(momentum));
            }
        }
        Ok(None)
    }

    fn resumed(&self, _: f64, _: u64) -> Result<Schedule, SpecError> {
        refused("last_epoch", "a ChainedScheduler has none: leave it out")
    }

    fn factors(&self, _: f64) -> Result<Factor, SpecError> {
        refused("schedulers", "a chain within a sequence within a chain: put its schedulers into the outer chain")
    }
}
