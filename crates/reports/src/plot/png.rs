//! Renders scenes as PNG at twice their resolution, so that they stay sharp on scaled displays.

use noto_sans_mono_bitmap::{FontWeight, RasterHeight, RasterizedChar, get_raster, get_raster_width};
use tiny_skia::{
    Color, LineCap, LineJoin, Paint, PathBuilder, Pixmap, PixmapPaint, PremultipliedColorU8, Rect, Stroke, Transform,
};

use super::colour::{Pair, Rgb};
use super::scene::{Anchor, Scene, Shape, level_colour};
use crate::error::PlotError;

/// Pixels of the file per pixel of the scene.
const SCALE: f64 = 2.0;

/// The most pixels that one side of the file may have.
const MOST: f64 = 16_384.0;

/// The scene as the bytes of a PNG file.
///
/// # Errors
/// When the picture would be empty or too large.
pub fn png(scene: &Scene, dark: bool) -> Result<Vec<u8>, PlotError> {
    let (width, height) = (scene.width * SCALE, scene.height * SCALE);
    let size = PlotError::Size { width: scene.width, height: scene.height, most: MOST / SCALE };
    if !(width >= 1.0 && height >= 1.0 && width <= MOST && height <= MOST) {
        return Err(size);
    }
    let mut pixels = Pixmap::new(width as u32, height as u32).ok_or(size)?;
    let ink = |colour: Pair| if dark { colour.dark } else { colour.light };
    for shape in &scene.shapes {
        match shape {
            Shape::Rectangle(place, colour) => rectangle(&mut pixels, place, ink(*colour)),
            Shape::Cells(cells, level) => {
                cells.iter().for_each(|place| rectangle(&mut pixels, place, level_colour(*level)));
            }
            Shape::Polyline(points, colour, width) => polyline(&mut pixels, points, ink(*colour), *width),
            Shape::Text(x, y, text, anchor, colour, size) => {
                write(&mut pixels, (*x, *y), text, *anchor, ink(*colour), *size)
            }
        }
    }
    pixels.encode_png().map_err(|error| PlotError::Encode { reason: error.to_string() })
}

fn paint([red, green, blue]: Rgb) -> Paint<'static> {
    let mut paint = Paint::default();
    paint.set_color(Color::from_rgba8(red, green, blue, 255));
    paint
}

fn rectangle(pixels: &mut Pixmap, place: &[f64; 4], colour: Rgb) {
    // Edges on whole pixels, so that adjacent rectangles neither overlap nor leave a gap.
    let edge = |at: f64| (at * SCALE).round() as f32;
    let [x, y, width, height] = *place;
    if let Some(place) = Rect::from_ltrb(edge(x), edge(y), edge(x + width), edge(y + height)) {
        pixels.fill_rect(place, &paint(colour), Transform::identity(), None);
    }
}

fn polyline(pixels: &mut Pixmap, points: &[(f64, f64)], colour: Rgb, width: f64) {
    let mut path = PathBuilder::new();
    for (index, (x, y)) in points.iter().enumerate() {
        let (x, y) = ((x * SCALE) as f32, (y * SCALE) as f32);
        if index == 0 { path.move_to(x, y) } else { path.line_to(x, y) }
    }
    let stroke = Stroke {
        width: (width * SCALE) as f32,
        line_cap: LineCap::Round,
        line_join: LineJoin::Round,
        ..Stroke::default()
    };
    if let Some(path) = path.finish() {
        pixels.stroke_path(&path, &paint(colour), &stroke, Transform::identity(), None);
    }
}

fn write(pixels: &mut Pixmap, at: (f64, f64), text: &str, anchor: Anchor, colour: Rgb, size: f64) {
    let height = if size * SCALE >= 25.0 {
        RasterHeight::Size24
    } else if size * SCALE >= 20.0 {
        RasterHeight::Size20
    } else {
        RasterHeight::Size16
    };
    let advance = get_raster_width(FontWeight::Regular, height);
    let raster = |character: char| -> Option<RasterizedChar> {
        let plain = match character {
            '−' | '–' => '-',
            '…' => '~',
            other => other,
        };
        get_raster(plain, FontWeight::Regular, height).or_else(|| get_raster('?', FontWeight::Regular, height))
    };
    let length = (text.chars().count() * advance) as f64;
    let shift = match anchor {
        Anchor::Start => 0.0,
        Anchor::Middle => length / 2.0,
        Anchor::End => length,
    };
    let left = (at.0 * SCALE - shift).round() as i32;
    // The baseline is at about four fifths of a glyph's height.
    let top = (at.1 * SCALE - height.val() as f64 * 0.8).round() as i32;
    for (index, character) in text.chars().enumerate() {
        let (Some(glyph), Some(mut stamp)) = (raster(character), Pixmap::new(advance as u32, height.val() as u32))
        else {
            continue;
        };
        for (row, line) in glyph.rows().enumerate() {
            for (column, &alpha) in line.iter().enumerate().take(advance) {
                let part = |channel: u8| (u16::from(channel) * u16::from(alpha) / 255) as u8;
                let pixel = PremultipliedColorU8::from_rgba(part(colour[0]), part(colour[1]), part(colour[2]), alpha);
                if let (Some(pixel), Some(slot)) = (pixel, stamp.pixels_mut().get_mut(row * advance + column)) {
                    *slot = pixel;
                }
            }
        }
        let x = left + (index * advance) as i32;
        pixels.draw_pixmap(x, top, stamp.as_ref(), &PixmapPaint::default(), Transform::identity(), None);
    }
}
