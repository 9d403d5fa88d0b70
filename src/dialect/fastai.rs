//! fastai's `fit_one_cycle`, `fit_flat_cos`, `fit_sgdr` and `combine_scheds`, as of 2.8.12.
//!
//! fastai's unit is the share of the training that is over; here step `s` is batch `s` of
//! `n_epoch·batches_per_epoch`, and there is no rate after the last of them.

use schemars::JsonSchema;
use serde::Deserialize;

use super::arguments::{refused, require};
use super::pieces::{ahead, constant, over};
use super::{Foreign, Shape, Translation, library};
use crate::double_double::DoubleDouble;
use crate::error::SpecError;
use crate::program::MAX_STEP;
use crate::schedule::{
    Cosine, DecayShape, Interpolation, KDecay, KDecayForm, Knot, Linear, PiecewiseInterpolate, Schedule, Sequence,
    Until, Wsd,
};

library! {
    FastAi "fastai" aliases [] "fastai 2.8, fastai.callback.schedule: by batch"
    "fit_one_cycle" FitOneCycle,
    "fit_flat_cos" FitFlatCos,
    "fit_sgdr" FitSgdr,
    "combine_scheds" CombineScheds,
    "combined_cos" CombinedCos,
    "SchedLin" SchedLin,
    "SchedCos" SchedCos,
    "SchedNo" SchedNo,
    "SchedExp" SchedExp,
    "SchedPoly" SchedPoly,
}

/// How a piece moves.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Annealing {
    Linear,
    Cosine,
    None,
    Exponential,
    Power(f64),
}

/// A move from one value to another.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Annealer {
    annealing: Annealing,
    start: f64,
    end: f64,
}

impl Annealer {
    fn new(annealing: Annealing, start: f64, end: f64) -> Self {
        Self { annealing, start, end }
    }

    fn check(&self) -> Result<(), SpecError> {
        let Self { annealing, start, end } = *self;
        match annealing {
            Annealing::Exponential => {
                let signs = format!("on the same side of 0 as `start`, {start}: fastai takes powers of end/start");
                require("end", end, start * end.signum() > 0.0 && end != 0.0, &signs)
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
            Annealing::Exponential => over(length, begun, |decay_steps| {
                let shape = DecayShape::Exponential;
                Wsd { peak: start, warmup_steps: 0, stable_steps: 0, decay_steps, start: 0.0, end, shape }.into()
            }),
        }
    }
}

/// How long the training is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Training {
    epochs: u64,
    batches: u64,
}

/// The most batches of an epoch whose shares are added up one by one.
const MOST_ADDED: u64 = 1 << 20;

impl Training {
    fn new(n_epoch: u64, batches_per_epoch: Option<u64>) -> Result<Self, SpecError> {
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
    fn combined(self, shares: &[f64], annealers: &[Annealer]) -> Result<Schedule, SpecError> {
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
        // Boundaries are in f32, added up in f64.
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
        Ok(chained(&pieces).unwrap_or_else(|| {
            let boundaries = pieces.iter().skip(1).map(|piece| piece.0).collect();
            let piece = |&(first, from, to, annealer): &(u64, f64, f64, Annealer)| {
                annealer.over(to - from, first as f64 - from)
            };
            match pieces.as_slice() {
                [only] => piece(only),
                pieces => Sequence { pieces: pieces.iter().map(piece).collect(), boundaries: Some(boundaries) }.into(),
            }
        }))
    }

    /// From an epoch on, and no further than the last batch.
    fn trained(self, schedule: Schedule, start_epoch: u64) -> Result<Schedule, SpecError> {
        let left = format!("below the number of epochs, {}: nothing is left to train", self.epochs);
        require("start_epoch", start_epoch, start_epoch < self.epochs, &left)?;
        let skipped = start_epoch * self.batches;
        Ok(Until { last: self.steps() - 1 - skipped, of: Box::new(ahead(skipped as f64, schedule)) }.into())
    }
}

/// Lines or cosines that go on from where the one before ends, as one schedule.
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

/// Up to a maximum and down to almost nothing, along half cosines.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct FitOneCycle {
    /// Epochs of the whole.
    n_epoch: u64,
    /// The maximum; the learner's own rate by default.
    #[serde(default = "learner_rate")]
    lr_max: f64,
    /// Maximum over first rate.
    #[serde(default = "twenty_five")]
    div: f64,
    /// Maximum over last rate.
    #[serde(default = "hundred_thousand")]
    div_final: f64,
    /// Share of the training spent rising.
    #[serde(default = "quarter")]
    pct_start: f64,
    /// Weight decay: of no effect on the rate.
    #[serde(default)]
    #[expect(dead_code, reason = "it does not move the rate")]
    wd: Option<f64>,
    /// Momentum at the start, at the maximum and at the end.
    #[serde(default = "default_moms")]
    moms: [f64; 3],
    /// Whether the optimizer begins anew: of no effect on the rate.
    #[serde(default)]
    #[expect(dead_code, reason = "it does not move the rate")]
    reset_opt: bool,
    /// The epoch to begin with, whose first batch is step 0.
    #[serde(default)]
    start_epoch: u64,
    /// Batches of an epoch; not fastai's, which asks the data loader.
    #[serde(default)]
    batches_per_epoch: Option<u64>,
}

fn learner_rate() -> f64 {
    1e-3
}

fn twenty_five() -> f64 {
    25.0
}

fn hundred_thousand() -> f64 {
    1e5
}

fn quarter() -> f64 {
    0.25
}

fn three_quarters() -> f64 {
    0.75
}

fn default_moms() -> [f64; 3] {
    [0.95, 0.85, 0.95]
}

fn divisor(argument: &str, value: f64) -> Result<(), SpecError> {
    require(argument, value, value != 0.0, "other than 0: fastai divides by it")
}

/// Two cosines over a training; the share is called `pct_start`.
fn two_phases(training: Training, share: f64, values: [f64; 3], start_epoch: u64) -> Result<Schedule, SpecError> {
    let [start, middle, end] = values;
    require("pct_start", share, (0.0..=1.0).contains(&share), "from 0 to 1")?;
    let (shares, annealers) = two_cosines(share, start, middle, end);
    training.trained(training.combined(&shares, &annealers)?, start_epoch)
}

impl Foreign for FitOneCycle {
    const SHAPE: Shape = Shape::OneCycle;
    const BITES: &'static str = "`div_final` divides the maximum, not the first rate; the last rate is never reached";

    fn translate(&self) -> Result<Translation, SpecError> {
        let (training, lr) = (Training::new(self.n_epoch, self.batches_per_epoch)?, self.lr_max);
        divisor("div", self.div)?;
        divisor("div_final", self.div_final)?;
        let values = [lr / self.div, lr, lr / self.div_final];
        Ok(Translation {
            schedule: two_phases(training, self.pct_start, values, self.start_epoch)?,
            momentum: Some(two_phases(training, self.pct_start, self.moms, self.start_epoch)?),
        })
    }
}

/// A plateau, then half a cosine.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct FitFlatCos {
    /// Epochs of the whole.
    n_epoch: u64,
    /// The rate of the plateau; the learner's own by default.
    #[serde(default = "learner_rate")]
    lr: f64,
    /// First over last rate.
    #[serde(default = "hundred_thousand")]
    div_final: f64,
    /// Share of the training spent on the plateau.
    #[serde(default = "three_quarters")]
    pct_start: f64,
    /// Weight decay: of no effect on the rate.
    #[serde(default)]
    #[expect(dead_code, reason = "it does not move the rate")]
    wd: Option<f64>,
    /// Whether the optimizer begins anew: of no effect on the rate.
    #[serde(default)]
    #[expect(dead_code, reason = "it does not move the rate")]
    reset_opt: bool,
    /// Accepted; fastai does not use it.
    #[serde(default)]
    #[expect(dead_code, reason = "fastai takes it and passes 0 on")]
    start_epoch: u64,
    /// Batches of an epoch; not fastai's, which asks the data loader.
    #[serde(default)]
    batches_per_epoch: Option<u64>,
}

impl Foreign for FitFlatCos {
    const SHAPE: Shape = Shape::Cosine;
    const BITES: &'static str = "flat for `pct_start` first; `start_epoch` is accepted and not used";

    fn translate(&self) -> Result<Translation, SpecError> {
        divisor("div_final", self.div_final)?;
        let training = Training::new(self.n_epoch, self.batches_per_epoch)?;
        Ok(two_phases(training, self.pct_start, [self.lr, self.lr, self.lr / self.div_final], 0)?.into())
    }
}

/// Half cosines to 0 that start again, each longer than the last.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct FitSgdr {
    /// How many cycles.
    n_cycles: u64,
    /// Epochs of the first.
    cycle_len: u64,
    /// The maximum; the learner's own rate by default.
    #[serde(default = "learner_rate")]
    lr_max: f64,
    /// Growth of the cycles.
    #[serde(default = "two")]
    cycle_mult: u64,
    /// Whether the optimizer begins anew: of no effect on the rate.
    #[serde(default)]
    #[expect(dead_code, reason = "it does not move the rate")]
    reset_opt: bool,
    /// Weight decay: of no effect on the rate.
    #[serde(default)]
    #[expect(dead_code, reason = "it does not move the rate")]
    wd: Option<f64>,
    /// The epoch to begin with, whose first batch is step 0.
    #[serde(default)]
    start_epoch: u64,
    /// Batches of an epoch; not fastai's, which asks the data loader.
    #[serde(default)]
    batches_per_epoch: Option<u64>,
}

fn two() -> u64 {
    2
}

impl Foreign for FitSgdr {
    const SHAPE: Shape = Shape::CosineRestarts;
    const BITES: &'static str = "cannot keep its cycles equal; some restarts come a batch late, for boundaries in f32";

    fn translate(&self) -> Result<Translation, SpecError> {
        let (first, growth) = (self.cycle_len, self.cycle_mult);
        require("cycle_mult", growth, growth != 1, "other than 1: fastai divides by cycle_mult - 1")?;
        require("n_cycles", self.n_cycles, (1..=60).contains(&self.n_cycles), "from 1 to 60")?;
        require("cycle_len", first, first > 0, "at least 1")?;
        let grown = |cycle: u64| growth.checked_pow(cycle as u32).and_then(|times| times.checked_mul(first));
        let lengths: Option<Vec<u64>> = (0..self.n_cycles).map(grown).collect();
        let all = lengths.as_ref().and_then(|all| all.iter().try_fold(0_u64, |sum, &length| sum.checked_add(length)));
        let (Some(lengths), Some(n_epoch)) = (lengths, all) else {
            return refused("n_cycles", format!("{} cycles are longer than 2^53 batches", self.n_cycles));
        };
        let training = Training::new(n_epoch, self.batches_per_epoch).map_err(|error| match error.path.as_str() {
            "n_epoch" => SpecError::new("n_cycles", format!("{n_epoch} epochs must have 1 to 2^53 - 1 batches")),
            _ => error,
        })?;
        let shares: Vec<f64> = lengths.iter().map(|&length| length as f64 / n_epoch as f64).collect();
        let annealers = vec![Annealer::new(Annealing::Cosine, self.lr_max, 0.0); shares.len()];
        let combined = training.combined(&shares, &annealers).map_err(|SpecError { message, .. }| {
            SpecError::new("n_cycles", format!("fastai refuses the shares of the cycles: {message}"))
        })?;
        Ok(training.trained(combined, self.start_epoch)?.into())
    }
}

/// Schedules one after another, each over its share of the training.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CombineScheds {
    /// The shares.
    pcts: Vec<f64>,
    /// `SchedLin`, `SchedCos`, `SchedNo`, `SchedExp` or `SchedPoly`, each a table of name and args.
    scheds: Vec<FastAi>,
    /// Epochs of the whole; not fastai's, which asks the training.
    #[serde(default = "one")]
    n_epoch: u64,
    /// Batches of an epoch; not fastai's, which asks the data loader.
    #[serde(default)]
    batches_per_epoch: Option<u64>,
}

fn one() -> u64 {
    1
}

impl FastAi {
    /// The annealer that this is, if it is one.
    fn annealer(&self) -> Result<Annealer, SpecError> {
        match self {
            Self::SchedLin(call) => Ok(call.annealer()),
            Self::SchedCos(call) => Ok(call.annealer()),
            Self::SchedNo(call) => Ok(call.annealer()),
            Self::SchedExp(call) => Ok(call.annealer()),
            Self::SchedPoly(call) => Ok(call.annealer()),
            _ => refused("", "only SchedLin, SchedCos, SchedNo, SchedExp and SchedPoly can be combined"),
        }
    }
}

impl Foreign for CombineScheds {
    const SHAPE: Shape = Shape::Sequence;
    const BITES: &'static str = "the shares must add up to exactly 1 in floating point: 0.6, 0.3, 0.1 do not";

    fn translate(&self) -> Result<Translation, SpecError> {
        let numbered = self.scheds.iter().enumerate();
        let annealers = numbered
            .map(|(index, scheduler)| scheduler.annealer().map_err(|error| error.within(&format!("scheds[{index}]"))));
        let annealers: Vec<Annealer> = annealers.collect::<Result<_, _>>()?;
        let training = Training::new(self.n_epoch, self.batches_per_epoch)?;
        Ok(training.trained(training.combined(&self.pcts, &annealers)?, 0)?.into())
    }
}

/// Two half cosines.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CombinedCos {
    /// The share of the first.
    pct: f64,
    /// First value.
    start: f64,
    /// Value between the two.
    middle: f64,
    /// Last value.
    end: f64,
    /// Epochs of the whole; not fastai's, which asks the training.
    #[serde(default = "one")]
    n_epoch: u64,
    /// Batches of an epoch; not fastai's, which asks the data loader.
    #[serde(default)]
    batches_per_epoch: Option<u64>,
}

impl Foreign for CombinedCos {
    const SHAPE: Shape = Shape::Piecewise;
    const BITES: &'static str = "";

    fn translate(&self) -> Result<Translation, SpecError> {
        require("pct", self.pct, (0.0..=1.0).contains(&self.pct), "from 0 to 1")?;
        let training = Training::new(self.n_epoch, self.batches_per_epoch)?;
        Ok(two_phases(training, self.pct, [self.start, self.middle, self.end], 0)?.into())
    }
}

/// An annealer alone, over the whole training.
macro_rules! annealer {
    ($(#[$attribute:meta])* $name:ident $shape:ident $($field:ident $default:literal)? => $annealing:expr) => {
        $(#[$attribute])*
        #[derive(Clone, Debug, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub(super) struct $name {
            /// First value.
            start: f64,
            /// Last value.
            end: f64,
            $(#[doc = $default] $field: f64,)?
            /// Epochs of the whole; not fastai's, which asks the training.
            #[serde(default = "one")]
            n_epoch: u64,
            /// Batches of an epoch; not fastai's, which asks the data loader.
            #[serde(default)]
            batches_per_epoch: Option<u64>,
        }

        impl $name {
            fn annealer(&self) -> Annealer {
                let annealing: fn(&Self) -> Annealing = $annealing;
                Annealer::new(annealing(self), self.start, self.end)
            }
        }

        impl Foreign for $name {
            const SHAPE: Shape = Shape::$shape;
            const BITES: &'static str = "";

            fn translate(&self) -> Result<Translation, SpecError> {
                let training = Training::new(self.n_epoch, self.batches_per_epoch)?;
                Ok(training.trained(training.combined(&[1.0], &[self.annealer()])?, 0)?.into())
            }
        }
    };
}

annealer! {
    /// A straight line.
    SchedLin Linear => |_| Annealing::Linear
}

annealer! {
    /// Half a cosine.
    SchedCos Cosine => |_| Annealing::Cosine
}

annealer! {
    /// The first value for ever.
    SchedNo Constant => |_| Annealing::None
}

annealer! {
    /// A constant ratio per step.
    SchedExp Exponential => |_| Annealing::Exponential
}

annealer! {
    /// A power of the share that is over.
    SchedPoly Polynomial power "The power." => |call| Annealing::Power(call.power)
}
