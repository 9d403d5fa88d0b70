//! DeepMind's `optax.schedules`, as of 0.2.8.
//!
//! Values are those of the formulas in `float64`; under JAX's default precision, optax itself rounds intermediate
//! results to `float32`.

mod decay;
mod joined;
mod onecycle;
mod piecewise;

use super::{Foreign, Shape, Translation, library};
use decay::{ConstantSchedule, CosineDecaySchedule, ExponentialDecay, LinearSchedule, PolynomialSchedule};
use joined::{
    JoinSchedules, SgdrSchedule, WarmupConstantSchedule, WarmupCosineDecaySchedule, WarmupExponentialDecaySchedule,
};
use onecycle::{CosineOnecycleSchedule, LinearOnecycleSchedule};
use piecewise::{PiecewiseConstantSchedule, PiecewiseInterpolateSchedule};

library! {
    Optax "optax" aliases [] "DeepMind optax 0.2.8, optax.schedules"
    "constant_schedule" ConstantSchedule,
    "linear_schedule" LinearSchedule,
    "polynomial_schedule" PolynomialSchedule,
    "cosine_decay_schedule" CosineDecaySchedule,
    "exponential_decay" ExponentialDecay,
    "piecewise_constant_schedule" PiecewiseConstantSchedule,
    "piecewise_interpolate_schedule" PiecewiseInterpolateSchedule,
    "linear_onecycle_schedule" LinearOnecycleSchedule,
    "cosine_onecycle_schedule" CosineOnecycleSchedule,
    "warmup_constant_schedule" WarmupConstantSchedule,
    "warmup_cosine_decay_schedule" WarmupCosineDecaySchedule,
    "warmup_exponential_decay_schedule" WarmupExponentialDecaySchedule,
    "sgdr_schedule" SgdrSchedule,
    "join_schedules" JoinSchedules,
}
