//! The library as its users see it, against formulas, libraries and a real GPU adapter: one program, so that it is linked once.

mod conformance;
mod cpu;
mod dialect;
mod draws;
mod gpu;
mod imports;
mod libraries;
mod lowering;
mod numbers;
mod properties;
mod resident;
mod shader_reflection;
mod spec;
mod statistics;
mod sweeps;
