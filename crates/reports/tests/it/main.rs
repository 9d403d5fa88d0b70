//! Reports over the whole catalogue: one program, so that it is linked once.

mod catalogue;
mod fit;
mod gallery;
