//! Pictures of schedules: lines and heat maps, their axes, and one exporter per format.

pub mod axis;
pub mod chart;
pub mod colour;
pub mod file;
pub mod html;
#[cfg(feature = "png")]
pub mod png;
pub mod scene;
pub mod svg;
pub mod terminal;

pub use axis::Scale;
pub use chart::{Chart, Options, Subject};
pub use terminal::Terminal;
