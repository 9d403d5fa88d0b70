//! The program as its users see it: one program of tests, so that it is linked once.

mod backends;
mod cli;
mod faults;
mod help;
mod interop;
mod names;
mod outputs;
mod page;
mod people;
mod program;
mod random;
mod refusals;
mod resident_training;
mod shards;
mod signals;
#[cfg(feature = "yaml")]
mod wandb;
mod wgsl;
