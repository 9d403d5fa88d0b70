//! What several tests need.

pub mod cases;
pub mod ulp;
