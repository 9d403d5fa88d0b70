//! Several schedulers that change one learning rate at the same time.

use super::factor::{Factor, Part};
use super::sequence::check_child;
use super::stepped::times;
use super::swa::with_one_swa_lr;
use super::{Optimizer, Scheduler, Torch, foreign, scheduler};
use crate::dialect::arguments::refused;
use crate::dialect::pieces::{ahead, constant, one_after_another};
use crate::double_double::DoubleDouble;
use crate::error::SpecError;
use crate::schedule::{PiecewiseConstant, Product, Scale, Schedule, Time, Until};

/// The number of steps that are written out for a chain without a closed form.
const WRITTEN_OUT: u64 = 4000;

scheduler! {
    /// Schedulers that all step at once, each on what the one before it has left.
    ChainedScheduler {
        /// The schedulers, as `{ name, args }`; the learning rate is given once, beside them.
        schedulers: Vec<Torch>,
    }
}

foreign!(ChainedScheduler Product "a product only of schedulers that multiply: one that sets the rate undoes what came before"
    ChainedScheduler::with_one_swa_lr);

impl ChainedScheduler {
    /// The same chain, with one target rate for all SWALRs within.
    fn with_one_swa_lr(&self) -> Result<Self, SpecError> {
        Ok(Self { schedulers: with_one_swa_lr(&self.schedulers)?, ..self.clone() })
    }

    /// The schedulers within, including those of nested chains.
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

    /// The schedulers with the bases that they read, which earlier constructors may have changed.
    fn links(&self, base: f64) -> Result<Vec<Link>, SpecError> {
        let mut base = base;
        let links = self.children()?.into_iter().enumerate().map(|(index, child)| {
            base = child.overwrites_base(index == 0).unwrap_or(base);
            Ok(Link { factor: child.factors(base)?, base, starts_over: child.starts_over() })
        });
        links.collect()
    }
}

/// A scheduler of a chain.
struct Link {
    factor: Factor,
    base: f64,
    /// Whether it overwrites the effects of earlier constructors.
    starts_over: bool,
}

/// The product of a number and curves.
fn product(by: f64, mut curves: Vec<Schedule>) -> Schedule {
    curves.retain(|curve| !matches!(curve, Schedule::Constant(one) if one.value == 1.0));
    match (curves.len(), by == 1.0) {
        (0, _) => constant(by),
        (1, true) => curves.swap_remove(0),
        (1, false) => times(by, curves.swap_remove(0)),
        (_, true) => Product { factors: curves }.into(),
        (_, false) => times(by, Product { factors: curves }.into()),
    }
}

/// The part in force at a step.
fn part_at(parts: &[Part], step: u64) -> &Part {
    let after = parts.partition_point(|part| part.start <= step);
    &parts[after.max(1) - 1]
}

/// The step from which on a curve is constant.
fn rest(parts: &[Part]) -> Option<u64> {
    let last = parts.last()?;
    match &last.curve {
        Schedule::Constant(_) => Some(last.start),
        curve => curve.length().map(|length| last.start.saturating_add(length)),
    }
}

/// The schedule of a chain of curves: a product for each interval between steps at which a curve sets the rate; `None`
/// if a curve continues from a value that another one has set.
fn of_curves(base: f64, chain: &[Vec<Part>], made_before: usize) -> Option<Schedule> {
    let mut resets: Vec<(u64, usize)> = Vec::new();
    for (child, parts) in chain.iter().enumerate() {
        resets.extend(parts.iter().skip(1).map(|part| (part.start, child)));
    }
    resets.sort_unstable();
    // The effect of constructing the first ones has been overwritten.
    let set_aside = chain[..made_before].iter().map(|parts| parts[0].curve.exact(Time::step(0)));
    let whole = set_aside.fold(DoubleDouble::from(base), |base, first| base / first).high();
    let mut windows = vec![(0, product(whole, chain.iter().map(|parts| parts[0].curve.clone()).collect()))];
    let mut last: Option<u64> = None;
    for (index, &(start, child)) in resets.iter().enumerate() {
        // If several set the rate at the same step, the last one determines it.
        if let Some(&(next, later)) = resets.get(index + 1)
            && next == start
        {
            if part_at(&chain[later], start).goes_on {
                return None;
            }
            continue;
        }
        // When all others are constant, a curve that begins again continues unchanged.
        let mut others = chain.iter().enumerate().filter(|(other, _)| *other != child).map(|(_, parts)| rest(parts));
        let rested = others.all(|rest| rest.is_some_and(|rest| rest < start))
            && resets[index + 1..].iter().all(|&(at, later)| later == child && part_at(&chain[child], at).goes_on);
        let mut constant = DoubleDouble::from(base);
        let mut curves = Vec::with_capacity(chain.len());
        for (other, parts) in chain.iter().enumerate() {
            let part = part_at(parts, start);
            let since = start - part.start;
            if other != child {
                // Those before it in the chain have made this step, those after it have not.
                let before = if other > child { since.saturating_sub(1) } else { since };
                let now = part.curve.exact(Time::step(before));
                if now == DoubleDouble::ZERO && parts.len() > 1 {
                    return None;
                }
                if now == DoubleDouble::ZERO {
                    continue;
                }
                constant = constant / now;
            }
            curves.push(ahead(since as f64, part.curve.clone()));
        }
        windows.push((start, product(constant.high(), curves)));
        if rested {
            return Some(one_after_another(windows));
        }
        // A chain that is not followed further ends before it would begin again.
        let again = part_at(&chain[child], start).again.map(|steps| start + steps - 1);
        last = match (last, again) {
            (Some(last), Some(again)) => Some(again.min(last)),
            (last, again) => last.or(again),
        };
    }
    let whole = one_after_another(windows);
    Some(match last {
        Some(last) => Until { last, of: Box::new(whole) }.into(),
        None => whole,
    })
}

/// The ratio of a curve's consecutive values, if it has a closed form; at step 0, the curve's value.
fn ratio(curve: &Schedule) -> Option<Schedule> {
    let first = curve.value(0);
    match curve {
        Schedule::Constant(_) => Some(spikes(first, std::iter::empty())),
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

/// 1, except for the first value and the values at some steps.
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

/// The chain's value after one factor's step, from the value before it; `step` and `since` count from the start of the
/// chain and of the factor.
fn stepped(factor: &Factor, base: f64, step: u64, since: u64, value: DoubleDouble) -> DoubleDouble {
    let at = |curve: &Schedule, step: u64| curve.exact(Time::step(step));
    let taking_over = since == 0 && step > 0;
    match factor {
        Factor::Sets(schedule) => at(schedule, since),
        Factor::Turns(turns) => {
            let after = turns.partition_point(|turn| turn.0 <= since);
            let (start, factor) = &turns[after.max(1) - 1];
            stepped(factor, base, step, since - start, value)
        }
        Factor::Curves(parts) => {
            let part = part_at(parts, since);
            let own = (since - part.start) % part.again.unwrap_or(u64::MAX);
            match own.checked_sub(1) {
                // After a minimum, the rise is an addition, not a ratio.
                None if part.goes_on => value + at(&part.curve, 0) * base,
                None if taking_over || part.start > 0 => at(&part.curve, 0) * base,
                None => value * at(&part.curve, 0),
                Some(before) => {
                    let before = at(&part.curve, before);
                    if before == DoubleDouble::ZERO { value } else { value * at(&part.curve, own) / before }
                }
            }
        }
        Factor::Pulls { target, curve, half_period } => {
            let Some(before) = since.checked_sub(1) else {
                let from = if taking_over && half_period.is_some() { base.into() } else { value };
                return (from - *target) * at(curve, 0) + *target;
            };
            let (before, now) = (at(curve, before), at(curve, since));
            match (before == DoubleDouble::ZERO, half_period) {
                (true, Some(_)) => value + DoubleDouble::exact_sum(base, -target) * now,
                (true, None) => (*target).into(),
                (false, _) => (value - *target) * now / before + *target,
            }
        }
    }
}

/// The values of the first steps, one by one.
fn first_values(base: f64, links: &[Link], steps: u64) -> Vec<DoubleDouble> {
    let mut values = Vec::with_capacity(steps as usize);
    let mut value = DoubleDouble::from(base);
    for step in 0..steps {
        value = links.iter().fold(value, |value, link| {
            let before = if step == 0 && link.starts_over { link.base.into() } else { value };
            stepped(&link.factor, link.base, step, step, before)
        });
        values.push(value);
    }
    values
}

/// A schedule with one listed value per step.
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
fn for_some_steps(base: f64, links: &[Link]) -> Schedule {
    let of = Box::new(written_out(&first_values(base, links, WRITTEN_OUT)));
    Until { last: WRITTEN_OUT - 1, of }.into()
}

/// A chain of one scheduler with a target and others that become constant: their steps are written out, then the former
/// continues alone.
fn one_that_pulls(base: f64, links: &[Link]) -> Option<Schedule> {
    let mut pulling = None;
    let mut rested = 0;
    for link in links {
        match &link.factor {
            Factor::Pulls { target, curve, half_period } if pulling.is_none() => {
                pulling = Some((*target, curve, *half_period));
            }
            Factor::Curves(parts) => rested = rested.max(rest(parts)?),
            _ => return None,
        }
    }
    let (target, curve, half_period) = pulling?;
    let alone = |base: f64| Schedule::from(Scale { by: base - target, of: Box::new(curve.clone()), offset: target });
    if rested == 0 && links.len() == 1 {
        return Some(alone(base));
    }
    if rested >= WRITTEN_OUT {
        return None;
    }
    let finished = curve.value(rested) == 0.0;
    let values = first_values(base, links, rested + 2);
    let until_rest = &values[..values.len() - 1];
    let Some(half) = half_period else {
        // At its end, it sets the rate.
        let arrived = || vec![(0, written_out(until_rest)), (rested + 1, constant(target))];
        return Some(if finished { one_after_another(arrived()) } else { from_then_on(until_rest, target, curve) });
    };
    // At a minimum of 0 a ratio has no effect; one step later it has.
    let values = if finished { &values } else { until_rest };
    let turns = (values.len() as u64 - 1) / half;
    let minimum = (turns + 1 + turns % 2) * half;
    let own = ahead(minimum as f64, alone(base));
    Some(one_after_another(vec![(0, from_then_on(values, target, curve)), (minimum, own)]))
}

/// Values written out, and from the last of them on a curve alone, scaled to meet it.
fn from_then_on(values: &[DoubleDouble], target: f64, curve: &Schedule) -> Schedule {
    let Some((&reached, before)) = values.split_last() else { return constant(target) };
    let start = before.len() as u64;
    let by = ((reached - target) / curve.exact(Time::step(start))).high();
    let scaled = Scale { by, of: Box::new(ahead(start as f64, curve.clone())), offset: target }.into();
    match before {
        [] => scaled,
        before => one_after_another(vec![(0, written_out(before)), (start, scaled)]),
    }
}

/// A chain as products, or as one that pulls, where it has such a form.
fn closed_form(base: f64, links: &[Link]) -> Option<Schedule> {
    let curves = |link: &Link| if let Factor::Curves(parts) = &link.factor { Some(parts.clone()) } else { None };
    if let Some(chain) = links.iter().map(curves).collect::<Option<Vec<Vec<Part>>>>() {
        let made_before = links.iter().rposition(|link| link.starts_over).unwrap_or(0);
        return of_curves(base, &chain, made_before);
    }
    // The last one that sets the rate overwrites those before it at every step.
    let Some(index) = links.iter().rposition(|link| matches!(link.factor, Factor::Sets(_))) else {
        return one_that_pulls(base, links);
    };
    let Factor::Sets(set) = &links[index].factor else { return None };
    let ratio_of = |link: &Link| match &link.factor {
        Factor::Curves(parts) if parts.len() == 1 && !link.starts_over => ratio(&parts[0].curve),
        _ => None,
    };
    let ratios: Vec<Schedule> = links[index + 1..].iter().map(ratio_of).collect::<Option<_>>()?;
    Some(product(1.0, std::iter::once(set.clone()).chain(ratios).collect()))
}

impl Scheduler for ChainedScheduler {
    fn optimizer(&self) -> Optimizer {
        self.made_with()
    }

    fn rate(&self, base: f64) -> Result<Schedule, SpecError> {
        let links = self.links(base)?;
        let closed = closed_form(base, &links);
        // A product may not be compilable, and a ratio may overflow.
        let usable = |schedule: &Schedule| schedule.validate().is_ok() && schedule.lower().is_ok();
        Ok(closed.filter(usable).unwrap_or_else(|| for_some_steps(base, &links)))
    }

    fn momentum(&self) -> Result<Option<Schedule>, SpecError> {
        // Each sets it at every step, so the last one determines it.
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
