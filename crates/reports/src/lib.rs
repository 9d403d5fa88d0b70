//! Reports on learning-rate schedules: descriptions, pictures, comparisons, and fits to logs.
//!
//! [`describe`] lists a schedule's segments and characteristic values, [`plot`] draws schedules, [`logged`] reads logs,
//! [`fit`] recovers the schedule of a log, [`compare`] finds where two curves differ, and [`catalogue`] lists the
//! parameters of every kind.
pub mod catalogue;
pub mod compare;
pub mod describe;
pub mod error;
pub mod fit;
pub mod logged;
pub mod plot;
pub mod sample;

pub use error::Error;
