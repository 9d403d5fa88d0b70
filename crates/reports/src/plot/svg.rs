//! Renders scenes as SVG: small, without scripts, for light and dark pages.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::colour::{Pair, hex};
use super::scene::{Anchor, Scene, Shape, level_colour};

/// The scene as an SVG document; colours follow the reader's light or dark setting.
#[must_use]
pub fn svg(scene: &Scene) -> String {
    let mut classes: BTreeMap<(String, String), usize> = BTreeMap::new();
    let mut class = |colour: Pair| {
        let next = classes.len();
        *classes.entry((hex(colour.light), hex(colour.dark))).or_insert(next)
    };
    let mut body = String::new();
    for shape in &scene.shapes {
        // Writing to a String cannot fail.
        let _ = match shape {
            Shape::Rectangle([x, y, width, height], colour) => writeln!(
                body,
                r#"<rect class="f{}" x="{}" y="{}" width="{}" height="{}"/>"#,
                class(*colour),
                short(*x),
                short(*y),
                short(*width),
                short(*height)
            ),
            Shape::Cells(cells, level) => {
                let _ = write!(body, r#"<path fill="{}" d=""#, hex(level_colour(*level)));
                for [x, y, width, height] in cells {
                    // Slightly wider, otherwise the background shows between adjacent cells.
                    let (width, height) = (short(width + 0.3), short(height + 0.3));
                    let _ = write!(body, "M{} {}h{width}v{height}h-{width}z", short(*x), short(*y));
                }
                writeln!(body, r#""/>"#)
            }
            Shape::Polyline(points, colour, width) => {
                let points: Vec<String> = points.iter().map(|(x, y)| format!("{},{}", short(*x), short(*y))).collect();
                writeln!(
                    body,
                    r#"<polyline class="s{}" stroke-width="{width}" points="{}"/>"#,
                    class(*colour),
                    points.join(" ")
                )
            }
            Shape::Text(x, y, text, anchor, colour, size) => {
                let anchor = match anchor {
                    Anchor::Start => "",
                    Anchor::Middle => r#" text-anchor="middle""#,
                    Anchor::End => r#" text-anchor="end""#,
                };
                let (x, y, text) = (short(*x), short(*y), escaped(text));
                writeln!(
                    body,
                    r#"<text class="f{}" x="{x}" y="{y}" font-size="{size}"{anchor}>{text}</text>"#,
                    class(*colour)
                )
            }
        };
    }
    let mut style = String::new();
    for dark in [false, true] {
        if dark {
            style.push_str("@media(prefers-color-scheme:dark){");
        }
        for ((light_colour, dark_colour), index) in &classes {
            let colour = if dark { dark_colour } else { light_colour };
            let _ = write!(style, ".f{index}{{fill:{colour}}}.s{index}{{stroke:{colour}}}");
        }
        if dark {
            style.push('}');
        }
    }
    let (width, height, title) = (scene.width, scene.height, escaped(&scene.title));
    format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" font-family="system-ui,sans-serif" role="img"><title>{title}</title>
<style>polyline{{fill:none;stroke-linejoin:round}}{style}</style>
{body}</svg>
"#
    )
}

/// A coordinate to a tenth of a pixel.
fn short(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

/// A text escaped for XML.
#[must_use]
pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
