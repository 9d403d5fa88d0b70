//! Pictures as files: the file's extension chooses the format.

use std::path::Path;

use super::chart::Chart;
use super::scene::Scene;
use super::svg::svg;
use crate::error::PlotError;

/// The formats, by file extension.
const ENDINGS: &str = ".svg, .png or .html";

/// A picture format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// SVG: vector graphics that follow the reader's light or dark setting.
    Svg,
    /// PNG.
    Png,
    /// HTML: an interactive page.
    Html,
}

impl Format {
    /// The format that a file's extension chooses.
    ///
    /// # Errors
    /// When no format has that extension, or this build lacks it.
    pub fn of(path: &Path) -> Result<Self, PlotError> {
        let refused = |reason: String| Err(PlotError::Format { path: path.to_owned(), reason });
        match path.extension().and_then(|ending| ending.to_str()).map(str::to_ascii_lowercase).as_deref() {
            Some("svg") => Ok(Self::Svg),
            Some("html" | "htm") => Ok(Self::Html),
            Some("png") if cfg!(feature = "png") => Ok(Self::Png),
            Some("png") => refused("this lrgrid was built without its `png` feature: use .svg".to_owned()),
            Some(other) => refused(format!("no picture format is called .{other}: end the name in {ENDINGS}")),
            None => refused(format!("the name has no ending to choose a format by: end it in {ENDINGS}")),
        }
    }
}

/// A chart as the bytes of an SVG or PNG file of `width` × `height` pixels; `dark` is for PNG, which cannot follow the
/// reader's setting.
///
/// # Errors
/// When the picture would be too large, or this build lacks the format.
pub fn picture(chart: &Chart, format: Format, (width, height): (f64, f64), dark: bool) -> Result<Vec<u8>, PlotError> {
    let scene = Scene::new(chart, width, height);
    #[cfg(feature = "png")]
    if format == Format::Png {
        return super::png::png(&scene, dark);
    }
    #[cfg(not(feature = "png"))]
    let _ = (format, dark);
    Ok(svg(&scene).into_bytes())
}
