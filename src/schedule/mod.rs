//! The kinds of schedules and combinators, each with its parameters, published formula and lowering.
//!
//! A kind is one struct that implements [`Family`], and one line in the list below. The parser, the JSON schema, the
//! help, the table of `docs/schedules.md` and the tests all iterate over that list.

mod check;
mod clock;
mod combinator;
mod constant;
mod cosine;
mod cosine_restarts;
mod cycle;
mod cyclic;
mod defaults;
mod exponential;
mod formula;
mod interpolate;
mod inverse;
mod k_decay;
mod one_cycle;
mod piecewise;
mod polynomial;
mod rex;
mod sequence;
mod sigmoid;
mod slanted_triangular;
mod staircase;
mod time;
mod until;
mod warmup;
mod wsd;

use std::fmt;

use schemars::JsonSchema;
use serde::de::{Deserializer, EnumAccess, VariantAccess, Visitor};
use serde::{Deserialize, Serialize, de};

pub use clock::{Clock, Restarts};
pub use combinator::{Clamp, Delay, Product, Scale, Sum};
pub use constant::Constant;
pub use cosine::{Cosine, CosinePower, CosinePowerForm};
pub use cosine_restarts::CosineRestarts;
pub use cycle::{Cycle, CycleMode};
pub use cyclic::{Cyclic, CyclicMode};
pub use exponential::{Exponential, NormalizedExponential};
pub use interpolate::{Interpolation, Knot, PiecewiseInterpolate};
pub use inverse::{InversePower, InverseSqrt, InverseTime, Noam};
pub use k_decay::{KDecay, KDecayForm};
pub use one_cycle::{Anneal, OneCycle};
pub use piecewise::{PiecewiseConstant, PiecewiseLinear, Point};
pub use polynomial::{Linear, Polynomial};
pub use rex::Rex;
pub use sequence::Sequence;
pub use sigmoid::{Logistic, Tanh};
pub use slanted_triangular::SlantedTriangular;
pub use staircase::{MultiStep, Step};
pub use time::Time;
pub use until::Until;
pub use warmup::{Warmup, WarmupShape};
pub use wsd::{DecayShape, Wsd};

use crate::double_double::{DoubleDouble, Extended};
use crate::error::{LowerError, SpecError};
use crate::program::{FOREVER, Program};

/// What a kind of schedule must implement.
pub trait Family: Serialize + de::DeserializeOwned + JsonSchema + Clone {
    /// Checks the parameters.
    ///
    /// # Errors
    /// With the parameter's name as the path, its value and a remedy.
    fn validate(&self) -> Result<(), SpecError>;

    /// The published formula, in a form without cancellation. It must not use the lowered form.
    fn value(&self, time: Time) -> Extended;

    /// The number of steps before the schedule holds its last value; `None` if it never does.
    fn length(&self) -> Option<u64>;

    /// The last step that has a value; `None` if every step has one.
    fn last_step(&self) -> Option<u64> {
        None
    }

    /// The schedules within this one.
    fn parts(&self) -> Vec<&Schedule> {
        Vec::new()
    }

    /// Whether a boundary may lie between two steps, so that the schedule cannot be evaluated at fractions of a step.
    fn turns_between_steps(&self) -> bool {
        self.parts().into_iter().any(Schedule::turns_between_steps)
    }

    /// Whether it has cycles that grow, which are written out up to the largest step only.
    fn grows(&self) -> bool {
        self.parts().into_iter().any(Schedule::grows)
    }

    /// The lowered form, for parameters that [`Family::validate`] accepts.
    ///
    /// # Errors
    /// When the schedule cannot be lowered within the limits.
    fn lower(&self) -> Result<Program, LowerError>;

    /// The same schedule with every value multiplied by `factor`; `None` if its lowered form would not be exactly
    /// `factor` times this one's.
    fn scaled(&self, factor: f64) -> Option<Self>;

    /// Examples with typical and extreme parameters, over which the tests run.
    fn examples() -> Vec<Self>;
}

/// The step `length` steps after `start`; beyond 64 bits [`FOREVER`], which is not a valid length.
fn later(start: u64, length: u64) -> u64 {
    start.checked_add(length).unwrap_or(FOREVER)
}

/// The lowered form of a schedule within another; errors have its path.
fn lower_within(schedule: &Schedule, field: &str) -> Result<Program, LowerError> {
    schedule.lower().map_err(|error| error.within(field))
}

/// One entry of the catalogue.
#[derive(Clone, Copy)]
pub struct Kind {
    /// The name in specs.
    pub name: &'static str,
    /// A description in one line.
    pub summary: &'static str,
    /// The formula.
    pub formula: &'static str,
    /// Whether it wraps other schedules.
    pub combinator: bool,
    /// Typical and extreme parameters.
    pub examples: fn() -> Vec<Schedule>,
    /// The JSON schema of the parameters.
    pub schema: fn(&mut schemars::SchemaGenerator) -> schemars::Schema,
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kind").field("name", &self.name).finish_non_exhaustive()
    }
}

macro_rules! schedules {
    ($($name:literal $type:ident $combinator:literal $summary:literal $formula:literal,)*) => {
        /// Any schedule or combinator.
        ///
        /// ```
        /// use lrgrid::schedule::{Cosine, Schedule};
        ///
        /// let schedule = Schedule::from(Cosine { start: 1e-3, end: 0.0, steps: 1000 });
        /// assert_eq!(schedule.kind(), "cosine");
        /// assert_eq!(schedule.value(0), 1e-3);
        /// assert_eq!(schedule.value(1000), 0.0);
        /// ```
        #[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
        #[serde(tag = "kind")]
        pub enum Schedule {
            $(#[doc = $summary] #[serde(rename = $name)] $type($type),)*
        }

        /// Every kind, in the order of the documentation.
        pub const KINDS: &[Kind] = &[$(Kind {
            name: $name,
            summary: $summary,
            formula: $formula,
            combinator: $combinator,
            examples: || <$type as Family>::examples().into_iter().map(Schedule::$type).collect(),
            schema: |generator| generator.subschema_for::<$type>(),
        }),*];

        const NAMES: &[&str] = &[$($name),*];

        $(impl From<$type> for Schedule {
            fn from(schedule: $type) -> Self {
                Self::$type(schedule)
            }
        })*

        impl Schedule {
            /// The name in specs.
            #[must_use]
            pub fn kind(&self) -> &'static str {
                match self { $(Self::$type(_) => $name),* }
            }

            /// Checks every parameter, including those of schedules within.
            ///
            /// # Errors
            /// With the path of the parameter, its value and a remedy.
            pub fn validate(&self) -> Result<(), SpecError> {
                match self { $(Self::$type(schedule) => schedule.validate()),* }
            }

            /// The published formula at a time, to about 100 bits, in a range without overflow.
            #[must_use]
            pub fn extended(&self, time: Time) -> Extended {
                match self { $(Self::$type(schedule) => Family::value(schedule, time)),* }
            }

            /// The number of steps before the schedule holds its last value; `None` if it never does.
            #[must_use]
            pub fn length(&self) -> Option<u64> {
                match self { $(Self::$type(schedule) => Family::length(schedule)),* }
            }

            /// The last step that has a value; `None` if every step has one.
            #[must_use]
            pub fn last_step(&self) -> Option<u64> {
                match self { $(Self::$type(schedule) => Family::last_step(schedule)),* }
            }

            /// Whether a boundary may lie between two steps.
            #[must_use]
            pub fn turns_between_steps(&self) -> bool {
                match self { $(Self::$type(schedule) => Family::turns_between_steps(schedule)),* }
            }

            /// Whether it has cycles that grow.
            pub(crate) fn grows(&self) -> bool {
                match self { $(Self::$type(schedule) => Family::grows(schedule)),* }
            }

            /// The lowered form, for parameters that [`Schedule::validate`] accepts.
            ///
            /// # Errors
            /// When the schedule cannot be lowered within the limits.
            pub fn lower(&self) -> Result<Program, LowerError> {
                match self { $(Self::$type(schedule) => Family::lower(schedule)),* }?.bounded()
            }

            /// The same schedule with every value multiplied by `factor`; `None` if its lowered form would not be
            /// exactly `factor` times this one's.
            #[must_use]
            pub fn scaled(&self, factor: f64) -> Option<Self> {
                match self { $(Self::$type(schedule) => Family::scaled(schedule, factor).map(Self::$type)),* }
            }
        }

        impl<'de> Visitor<'de> for ScheduleVisitor {
            type Value = Schedule;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a schedule: a table with a `kind`")
            }

            fn visit_enum<A: EnumAccess<'de>>(self, data: A) -> Result<Schedule, A::Error> {
                #[derive(Deserialize)]
                enum Name {
                    $(#[serde(rename = $name)] $type,)*
                }
                match data.variant()? {
                    $((Name::$type, parameters) => parameters.newtype_variant().map(Schedule::$type),)*
                }
            }
        }
    };
}

struct ScheduleVisitor;

impl<'de> Deserialize<'de> for Schedule {
    /// Reads an enum whose variants are the kinds; the spec parser presents `{ kind = … }` that way.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_enum("Schedule", NAMES, ScheduleVisitor)
    }
}

impl Schedule {
    /// The published formula at a time, to about 100 bits; infinite beyond the range of `f64`.
    #[must_use]
    pub fn exact(&self, time: Time) -> DoubleDouble {
        self.extended(time).rounded()
    }

    /// The published formula at a step, rounded to `f64`.
    #[must_use]
    pub fn value(&self, step: u64) -> f64 {
        self.exact(Time::step(step)).high()
    }
}

schedules! {
    "constant" Constant false "The same value at every step." "value",
    "linear" Linear false "A straight line." "start + (end − start)·t",
    "polynomial" Polynomial false "A decay by a power of what is left." "end + (start − end)·(1 − t)^power",
    "cosine" Cosine false "Half a cosine." "end + ½(start − end)(1 + cos πt)",
    "cosine_power" CosinePower false "Half a cosine, bent by a power or an exponential." "normalized: end + (start − end)·c^power, c = ½(1 + cos πt) · unnormalized: end + ½(start − end)·(2c)^power · exponential: end + (start − end)·(power^c − 1)/(power − 1)",
    "exponential" Exponential false "A constant ratio per step." "start·decay_rate^(s/decay_steps)",
    "normalized_exponential" NormalizedExponential false "A constant ratio per step, moved to end where it should." "end + (start − end)·(ratio^t − ratio)/(1 − ratio)",
    "step" Step false "A drop every so many steps." "start·decay_rate^⌊s/step_size⌋",
    "multi_step" MultiStep false "A drop at each milestone." "start·decay_rate^(milestones ≤ s)",
    "piecewise_constant" PiecewiseConstant false "A list of values and where they change." "values[boundaries ≤ s]",
    "piecewise_linear" PiecewiseLinear false "Straight lines through given points." "linear between points, held outside",
    "piecewise_interpolate" PiecewiseInterpolate false "Lines or half cosines through points that may lie between steps." "between points: from + (to − from)·x, x = t or ½(1 − cos πt); held outside",
    "inverse_sqrt" InverseSqrt false "A decay by the root of time." "start·√timescale / √max(s + shift, timescale)",
    "inverse_time" InverseTime false "A decay by time itself." "start / (1 + decay_rate·s/decay_steps)",
    "inverse_power" InversePower false "A decay by a power of time." "start·(1 + s/timescale)^−power",
    "noam" Noam false "The Transformer's warmup and root decay." "scale·model_dim^−½·min(n^−½, n·warmup_steps^−3/2), n = s + 1",
    "one_cycle" OneCycle false "Up to a maximum and down to almost nothing." "initial → max over round(pct_start·steps), then max → final; three phases: up, the same down to initial, then to final",
    "cyclic" Cyclic false "Triangles between two rates." "base + (max − base)·x·f, x a triangle from 0 to 1 · triangular: f = 1 · triangular2: 2^−cycle · exp_range: gamma^s",
    "slanted_triangular" SlantedTriangular false "A short rise and a long fall." "max·(1 + p·(ratio − 1))/ratio",
    "cosine_restarts" CosineRestarts false "Cosine decays that start again (SGDR)." "min + ½(max·decay^i − min)(1 + cos πt_i)",
    "wsd" Wsd false "Warmup, stable, decay." "start → peak in a line, peak, then end + (peak − end)·d · linear: d = 1 − t · cosine: ½(1 + cos πt) · one_minus_sqrt: 1 − √t · exponential: peak·(end/peak)^t",
    "tanh" Tanh false "A decay along a hyperbolic tangent." "end + ½(start − end)(1 − tanh(lower·(1 − t) + upper·t))",
    "logistic" Logistic false "A decay along a sigmoid." "end + (start − end)/(1 + e^(steepness·(t − midpoint)))",
    "rex" Rex false "A reflected exponential: slow, then fast." "end + (start − end)·(1 − t)/(½ + ½(1 − t))",
    "k_decay" KDecay false "A decay whose time is bent by a power." "end + ½(start − end)(1 + cos(π·t^k)), or (1 − t^k)^power",
    "sequence" Sequence true "Schedules one after another." "pieces[i] at s − boundaries[i]",
    "warmup" Warmup true "A ramp up to another schedule." "start → the value `then` takes over with (at its 0, or at `steps` with overlay), then `then`",
    "product" Product true "The product of schedules." "Π factors",
    "sum" Sum true "The sum of schedules." "Σ terms",
    "scale" Scale true "A schedule times a number, and moved by one." "by·of + offset",
    "clamp" Clamp true "A schedule held within bounds." "min(max(of, min), max)",
    "delay" Delay true "A schedule that starts later." "of at max(s − steps, 0)",
    "clock" Clock true "A schedule on a clock of another speed." "of at (multiplier·s + ahead)/divisor",
    "restarts" Restarts true "A schedule that starts again, slower and lower." "decay^i·of at (s − b_i)/multiplier^i, b_i = length·(1 + … + multiplier^(i−1))",
    "until" Until true "A schedule that ends: later steps are refused." "of, up to step last",
    "cycle" Cycle true "A schedule repeated or reflected." "of at s mod length",
}
