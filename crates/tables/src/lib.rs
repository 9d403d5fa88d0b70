//! Tables of learning rates as files, written at once or in shards on many machines.
//!
//! [`table`] has the formats and the loop that fills them under a memory bound; [`job`] writes the table of a spec, or
//! plans, runs and merges the shards of one.
pub mod error;
pub mod job;
pub mod table;

pub use error::Error;
