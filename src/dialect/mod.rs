//! Dialects: the schedules of other libraries, each translated into native schedules.
//!
//! A library is one file (or folder) here and one line in the list below. A schedule of it is one struct with the
//! library's argument names and defaults that implements [`Foreign`], and one line in that file's list. The parser, the
//! JSON schema, the listing, the page in `docs` and the tests all iterate over these lists. A translation consists of
//! native schedules only, so every schedule of a library can also be written without the library's name.

mod arguments;
mod burn;
mod composer;
mod cycles;
mod defaults;
mod fairseq;
mod fastai;
mod keras;
mod library;
mod megatron;
mod optax;
mod pieces;
mod sharpdarts;
mod stairs;
mod thinc;
mod timm;
mod torch;
mod transformers;

use schemars::{Schema, SchemaGenerator};
use serde::Deserializer;
use serde::de::DeserializeOwned;

use crate::error::SpecError;
use crate::schedule::Schedule;
use library::{libraries, library};

/// The native equivalent of a library's schedule.
#[derive(Clone, Debug, PartialEq)]
pub struct Translation {
    /// The learning rate.
    pub schedule: Schedule,
    /// The momentum, if the library changes it together with the rate.
    pub momentum: Option<Schedule>,
}

impl<T: Into<Schedule>> From<T> for Translation {
    fn from(schedule: T) -> Self {
        Self { schedule: schedule.into(), momentum: None }
    }
}

/// The category of a library's schedule: a row of the page in `docs`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Shape {
    /// A constant.
    Constant,
    /// A straight line, or a warmup.
    Linear,
    /// A power of the remaining fraction.
    Polynomial,
    /// Half a cosine, or a cosine wave.
    Cosine,
    /// Half a cosine bent by a power or an exponential.
    CosinePower,
    /// Cosines with restarts.
    CosineRestarts,
    /// A constant ratio per step.
    Exponential,
    /// Drops at regular steps.
    Step,
    /// Drops or values at milestones.
    MultiStep,
    /// Lines or cosines between points.
    Piecewise,
    /// Inverse to time.
    InverseTime,
    /// Inverse to the square root of time.
    InverseSqrt,
    /// One rise and one decay.
    OneCycle,
    /// Triangles.
    Cyclic,
    /// A hyperbolic tangent.
    Tanh,
    /// Warmup, stable, decay.
    Wsd,
    /// Schedules in sequence.
    Sequence,
    /// Products, sums and means.
    Product,
}

impl Shape {
    /// Every category, in the order of the page.
    pub const ALL: &[Self] = &[
        Self::Constant,
        Self::Linear,
        Self::Polynomial,
        Self::Cosine,
        Self::CosinePower,
        Self::CosineRestarts,
        Self::Exponential,
        Self::Step,
        Self::MultiStep,
        Self::Piecewise,
        Self::InverseTime,
        Self::InverseSqrt,
        Self::OneCycle,
        Self::Cyclic,
        Self::Tanh,
        Self::Wsd,
        Self::Sequence,
        Self::Product,
    ];

    /// The title, and the native kinds of the category.
    #[must_use]
    pub const fn title(self) -> (&'static str, &'static [&'static str]) {
        match self {
            Self::Constant => ("constant", &["constant"]),
            Self::Linear => ("linear, warmup", &["linear", "warmup"]),
            Self::Polynomial => ("polynomial", &["polynomial"]),
            Self::Cosine => ("cosine", &["cosine"]),
            Self::CosinePower => ("cosine power, k-decay", &["cosine_power", "k_decay"]),
            Self::CosineRestarts => ("cosine restarts", &["cosine_restarts", "restarts"]),
            Self::Exponential => ("exponential", &["exponential", "normalized_exponential"]),
            Self::Step => ("step", &["step"]),
            Self::MultiStep => ("milestones", &["multi_step", "piecewise_constant"]),
            Self::Piecewise => ("through points", &["piecewise_linear", "piecewise_interpolate"]),
            Self::InverseTime => ("inverse time", &["inverse_time", "inverse_power"]),
            Self::InverseSqrt => ("inverse root", &["inverse_sqrt", "noam"]),
            Self::OneCycle => ("one cycle, slanted triangle", &["one_cycle", "slanted_triangular"]),
            Self::Cyclic => ("cyclic", &["cyclic", "cycle"]),
            Self::Tanh => ("tanh", &["tanh"]),
            Self::Wsd => ("warmup, stable, decay", &["wsd"]),
            Self::Sequence => ("one after another", &["sequence"]),
            Self::Product => ("at once", &["product", "sum"]),
        }
    }
}

/// What a library's schedule must implement.
pub trait Foreign: DeserializeOwned + schemars::JsonSchema {
    /// The row of the page in `docs`.
    const SHAPE: Shape;
    /// Further rows of the page.
    const ALSO: &'static [Shape] = &[];
    /// Unexpected behaviour of the schedule; empty if there is none.
    const BITES: &'static str;

    /// The native equivalent.
    ///
    /// # Errors
    /// With the argument's name as the path, for arguments that the library rejects.
    fn translate(&self) -> Result<Translation, SpecError>;
}

/// A supported library.
#[derive(Clone, Copy, Debug)]
pub struct Library {
    /// The name in specs.
    pub name: &'static str,
    /// Other names for it.
    pub aliases: &'static [&'static str],
    /// A description, with the version that is followed.
    pub summary: &'static str,
    /// Its schedules, in the order of the documentation.
    pub schedules: &'static [ForeignKind],
}

/// One schedule of a library.
#[derive(Clone, Copy)]
pub struct ForeignKind {
    /// The library's name for it.
    pub name: &'static str,
    /// The row of the page in `docs`.
    pub shape: Shape,
    /// Further rows of the page.
    pub also: &'static [Shape],
    /// Unexpected behaviour of the schedule; empty if there is none.
    pub bites: &'static str,
    /// The JSON schema of the arguments.
    pub schema: fn(&mut SchemaGenerator) -> Schema,
}

impl std::fmt::Debug for ForeignKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ForeignKind").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Library {
    /// Whether a spec may use this name for the library.
    #[must_use]
    pub fn is_called(&self, name: &str) -> bool {
        self.name == name || self.aliases.contains(&name)
    }
}

libraries! {
    torch Torch,
    optax Optax,
    transformers Transformers,
    timm Timm,
    keras Keras,
    fastai FastAi,
    fairseq Fairseq,
    megatron Megatron,
    composer Composer,
    burn Burn,
    thinc Thinc,
    sharpdarts SharpDarts,
}
