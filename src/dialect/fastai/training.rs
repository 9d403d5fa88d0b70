//! The length of the training, and transitions over parts of it.

use crate::dialect::arguments::{refused, require};
use crate::dialect::pieces::{ahead, constant, one_after_another, over};
use crate::double_double::DoubleDouble;
use crate::error::SpecError;
use crate::program::MAX_STEP;
use crate::schedule::{
    Cosine, DecayShape, Interpolation, KDecay, KDecayForm, Knot, Linear, PiecewiseInterpolate, Schedule, Until, Wsd,
};

/// How a piece moves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Annealing {
    Linear,
    Cosine,
    None,
    Exponential,
    Power(f64),
}

/// A move from one value to another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Annealer {
    annealing: Annealing,
    start: f64,
    end: f64,
}

impl Annealer {
    pub(super) fn new(annealing: Annealing, start: f64, end: f64) -> Self {
        Self { annealing, start, end }
    }

    fn check(&self) -> Result<(), SpecError> {
        let Self { annealing, start, end } = *self;
        match annealing {
            Annealing::Exponential => {
                let signs = format!("on the same side of 0 as `start`, {start}: fastai takes powers of end/start");
                require("end", end, start != 0.0 && start * end >= 0.0, &signs)
            }
            Annealing::Power(power) => {
                require("power", power, power >= 0.0, "at least 0: fastai divides by 0 at first")
            }
            _ => Ok(()),
        }
    }

    /// The move over a length in steps, of which `begun` are over at step 0.
    fn over(&self, length: f64, begun: f64) -> Schedule {
        let Self { annealing, start, end } = *self;
        match annealing {
            Annealing::Linear => over(length, begun, |steps| Linear { start, end, steps }.into()),
            Annealing::Cosine => over(length, begun, |steps| Cosine { start, end, steps }.into()),
            Annealing::None => constant(start),
            Annealing::Power(0.0) => constant(end),
            Annealing::Power(k) => over(length, begun, |steps| {
                KDecay { start, end, steps, k, form: KDecayForm::Polynomial, power: 1.0 }.into()
            }),
            // 0 to the power of 0 is 1, to any other power 0.
            Annealing::Exponential if end == 0.0 && begun > 0.0 => constant(0.0),
            Annealing::Exponential if end == 0.0 => one_after_another(vec![(0, constant(start)), (1, constant(0.0))]),
            Annealing::Exponential => over(length, begun, |decay_steps| {
                let shape = DecayShape::Exponential;
                Wsd { peak: start, warmup_steps: 0, stable_steps: 0, decay_steps, start: 0.0, end, shape }.into()
            }),
        }
    }
}

/// How long the training is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Training {
    epochs: u64,
    batches: u64,
}

/// The most batches of an epoch whose shares are added up one by one.
const MOST_ADDED: u64 = 1 << 20;

impl Training {
    pub(super) fn new(n_epoch: u64, batches_per_epoch: Option<u64>) -> Result<Self, SpecError> {
        let Some(batches) = batches_per_epoch else {
            return refused("batches_per_epoch", "missing: the number of batches of the data loader, or \"100%\"");
        };
        let all = n_epoch.checked_mul(batches).filter(|all| (1..=MAX_STEP).contains(all));
        require("n_epoch", n_epoch, all.is_some(), "such that there are 1 to 2^53 - 1 batches in all")?;
        Ok(Self { epochs: n_epoch, batches })
    }

    fn steps(self) -> u64 {
        self.epochs * self.batches
    }

    /// The share of the training that is over at a step, with fastai's roundings.
    fn share(self, step: u64) -> f64 {
        let (epoch, batch) = (step / self.batches, step % self.batches);
        let (begun, each) = (epoch as f64 / self.epochs as f64, 1.0 / self.steps() as f64);
        if batch > MOST_ADDED {
            return begun + batch as f64 * each;
        }
        (0..batch).fold(begun, |share, _| share + each)
    }

    /// The first step whose share, in f32, is at least a boundary's.
    fn first_step(self, boundary: f32, near: f64) -> u64 {
        let middle = near.round() as u64;
        let reached = |step: &u64| self.share(*step) as f32 >= boundary;
        (middle.saturating_sub(2)..middle + 3).find(reached).unwrap_or(middle)
    }

    /// Annealers one after another, each over its share of the training.
    pub(super) fn combined(self, shares: &[f64], annealers: &[Annealer]) -> Result<Schedule, SpecError> {
        let sum = shares.iter().fold(0.0, |sum, share| sum + share);
        let exactly = "exactly 1, in floating point and in this order";
        require("pcts", format!("a sum of {sum}"), sum == 1.0, exactly)?;
        for (index, share) in shares.iter().enumerate() {
            require(&format!("pcts[{index}]"), share, *share >= 0.0, "at least 0")?;
        }
        let (count, shares_count) = (annealers.len(), shares.len());
        require(
            "scheds",
            format!("{count} for {shares_count} shares"),
            count >= shares_count,
            "as many as the shares",
        )?;
        let all = DoubleDouble::from(self.steps());
        let mut pieces: Vec<(u64, f64, f64, Annealer)> = Vec::new();
        // Boundaries are in f32, and are summed in f64.
        let (mut over, mut rounded) = (DoubleDouble::ZERO, 0.0_f64);
        for (&share, &annealer) in shares.iter().zip(annealers) {
            let (from, boundary) = ((over * all).high(), rounded as f32);
            over = over + share;
            rounded += f64::from(share as f32);
            let to = (over * all).high();
            if share > 0.0 && to > from {
                let first = if pieces.is_empty() { 0 } else { self.first_step(boundary, from) };
                if first < self.steps() {
                    pieces.push((first, from, to, annealer));
                }
            }
        }
        for (.., annealer) in &pieces {
            annealer.check()?;
        }
        let piece = |&(first, from, to, annealer): &(u64, f64, f64, Annealer)| {
            (first, annealer.over(to - from, first as f64 - from))
        };
        Ok(chained(&pieces).unwrap_or_else(|| one_after_another(pieces.iter().map(piece).collect())))
    }

    /// From an epoch on, and no further than the last batch.
    pub(super) fn trained(self, schedule: Schedule, start_epoch: u64) -> Result<Schedule, SpecError> {
        let left = format!("below the number of epochs, {}: nothing is left to train", self.epochs);
        require("start_epoch", start_epoch, start_epoch < self.epochs, &left)?;
        let skipped = start_epoch * self.batches;
        Ok(Until { last: self.steps() - 1 - skipped, of: Box::new(ahead(skipped as f64, schedule)) }.into())
    }
}

/// Consecutive lines or cosines without jumps, as one schedule; `None` for other pieces.
fn chained(pieces: &[(u64, f64, f64, Annealer)]) -> Option<Schedule> {
    let [(.., first), .., _] = pieces else { return None };
    let interpolation = match first.annealing {
        Annealing::Linear => Interpolation::Linear,
        Annealing::Cosine => Interpolation::Cosine,
        _ => return None,
    };
    let goes_on = |pair: &[(u64, f64, f64, Annealer)]| {
        pair[0].3.end == pair[1].3.start && pair[0].3.annealing == pair[1].3.annealing
    };
    let mut points = vec![Knot(0.0, first.start)];
    points.extend(pieces.iter().map(|&(_, _, to, annealer)| Knot(to, annealer.end)));
    pieces.windows(2).all(goes_on).then(|| PiecewiseInterpolate { points, interpolation }.into())
}

/// The two halves of fastai's `combined_cos`.
fn two_cosines(share: f64, start: f64, middle: f64, end: f64) -> ([f64; 2], [Annealer; 2]) {
    let cosine = |start, end| Annealer::new(Annealing::Cosine, start, end);
    ([share, 1.0 - share], [cosine(start, middle), cosine(middle, end)])
}

/// Two cosines over a training; the share is called `pct_start`.
pub(super) fn two_phases(
    training: Training,
    share: f64,
    values: [f64; 3],
    start_epoch: u64,
) -> Result<Schedule, SpecError> {
    let [start, middle, end] = values;
    require("pct_start", share, (0.0..=1.0).contains(&share), "from 0 to 1")?;
    let (shares, annealers) = two_cosines(share, start, middle, end);
    training.trained(training.combined(&shares, &annealers)?, start_epoch)
}
