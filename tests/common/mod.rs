//! What several tests need.

pub mod ulp;
