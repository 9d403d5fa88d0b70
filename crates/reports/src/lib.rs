//! What people read of learning-rate schedules: descriptions, pictures, comparisons, fits to logs.
//!
//! [`describe`] tells a schedule's segments and the values that matter, [`plot`] draws schedules, [`logged`] reads logs,
//! [`fit`] finds the schedule that a log comes from, [`compare`] finds where two differ, and [`catalogue`] lists every kind.
pub mod catalogue;
pub mod compare;
pub mod describe;
pub mod error;
pub mod fit;
pub mod logged;
pub mod plot;
pub mod sample;

pub use error::Error;
