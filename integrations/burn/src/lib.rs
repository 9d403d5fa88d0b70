//! lrgrid's learning-rate schedules in [Burn](https://burn.dev).
//!
//! [`Schedule`] is a Burn [`LrScheduler`](burn::lr_scheduler::LrScheduler) over any schedule of lrgrid, its state saved
//! and loaded with Burn's records. [`write_into`] fills a Burn tensor with learning rates on Burn's own wgpu device,
//! without a copy through the host.
//!
//! ```
//! use burn::lr_scheduler::LrScheduler;
//! use lrgrid::Spec;
//! use lrgrid_burn::Schedule;
//!
//! let spec = Spec::from_toml(r#"schedule = { kind = "wsd", peak = 1e-3, warmup_steps = 10, stable_steps = 70, decay_steps = 20 }"#)?;
//! let mut schedule = Schedule::new(spec.compile()?, 0)?;
//! assert_eq!(schedule.step(), 0.0);
//! assert_eq!(schedule.step(), 1e-4);
//! # Ok::<(), lrgrid::Error>(())
//! ```

mod scheduler;
mod tensor;

pub use scheduler::Schedule;
pub use tensor::{WriteError, write_into};
