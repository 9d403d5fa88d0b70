//! The layout of a chart as a scene of graphic primitives, shared by all picture formats.

use super::axis::step_ticks;
use super::chart::Chart;
use super::colour::{BACKGROUND, BAND, GRID, MUTED, Pair, TEXT, ramp};
use lrgrid::readable;

/// Number of colours of a heat map and its ramp.
pub const LEVELS: usize = 32;

/// The side of a text that is at its position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// The left.
    Start,
    /// The middle.
    Middle,
    /// The right.
    End,
}

/// A graphic primitive; positions are in pixels from the upper left corner.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// A filled rectangle: x, y, width, height.
    Rectangle([f64; 4], Pair),
    /// Rectangular cells of one level of the colour ramp.
    Cells(Vec<[f64; 4]>, usize),
    /// Straight lines through points, with a width.
    Polyline(Vec<(f64, f64)>, Pair, f64),
    /// A text on its baseline, with its size.
    Text(f64, f64, String, Anchor, Pair, f64),
}

/// A picture: its size, and its primitives from back to front.
#[derive(Clone, Debug, PartialEq)]
pub struct Scene {
    /// Width in pixels.
    pub width: f64,
    /// Height in pixels.
    pub height: f64,
    /// The primitives.
    pub shapes: Vec<Shape>,
    /// A text alternative of the picture.
    pub title: String,
}

/// Size of text.
const SIZE: f64 = 13.0;
/// Upper bound on the width of a character, relative to its size.
const ADVANCE: f64 = 0.62;

/// The area that values are drawn in.
struct Area {
    left: f64,
    top: f64,
    width: f64,
    height: f64,
}

impl Scene {
    /// Lays out a chart.
    #[must_use]
    pub fn new(chart: &Chart, width: f64, height: f64) -> Self {
        let mut shapes = vec![Shape::Rectangle([0.0, 0.0, width, height], BACKGROUND)];
        let labels: Vec<(f64, String)> = match &chart.heat {
            None => chart.axis.ticks.iter().map(|(value, label)| (chart.axis.place(*value), label.clone())).collect(),
            Some(heat) => {
                let last = heat.rows.len() - 1;
                let rows = [0, last / 4, last / 2, last * 3 / 4, last];
                rows.map(|row| ((row as f64 + 0.5) / (last + 1) as f64, heat.rows[row].clone())).into()
            }
        };
        let longest = labels.iter().map(|label| label.1.chars().count()).max().unwrap_or(0) as f64;
        let left = longest * SIZE * ADVANCE + 22.0;
        let legend = legend_lines(chart, width - left - 16.0);
        let above = if chart.title.is_empty() { 0.0 } else { 26.0 } + 20.0;
        let below = 44.0 + legend.len() as f64 * 20.0;
        let area = Area { left, top: above, width: width - left - 22.0, height: (height - above - below).max(20.0) };
        if !chart.title.is_empty() {
            shapes.push(Shape::Text(left, 24.0, chart.title.clone(), Anchor::Start, TEXT, SIZE + 2.0));
        }
        area.draw_bands(chart, &mut shapes);
        area.draw_axes(chart, &labels, &mut shapes);
        match &chart.heat {
            None => area.draw_lines(chart, &mut shapes),
            Some(_) => area.draw_heat(chart, &mut shapes),
        }
        let mut y = area.top + area.height + 58.0;
        for line in legend {
            draw_legend(&line, left, y, &mut shapes);
            y += 20.0;
        }
        Self { width, height, shapes, title: chart.title.clone() }
    }
}

impl Area {
    fn x(&self, share: f64) -> f64 {
        self.left + share * self.width
    }

    fn y(&self, share: f64) -> f64 {
        self.top + (1.0 - share) * self.height
    }

    fn draw_bands(&self, chart: &Chart, shapes: &mut Vec<Shape>) {
        let bands = chart.bands();
        for (index, (name, from, to)) in bands.iter().enumerate() {
            if bands.len() < 2 && matches!(name.as_str(), "hold" | "decay" | "warmup") {
                continue;
            }
            let (left, width) = (self.x(*from), (to - from) * self.width);
            if index % 2 == 1 && chart.heat.is_none() {
                shapes.push(Shape::Rectangle([left, self.top, width, self.height], BAND));
            }
            if width > name.chars().count() as f64 * (SIZE - 2.0) * ADVANCE {
                let text =
                    Shape::Text(left + width / 2.0, self.top - 6.0, name.clone(), Anchor::Middle, MUTED, SIZE - 2.0);
                shapes.push(text);
            }
        }
    }

    fn draw_axes(&self, chart: &Chart, labels: &[(f64, String)], shapes: &mut Vec<Shape>) {
        for (share, label) in labels {
            let y = self.y(*share);
            if chart.heat.is_none() {
                shapes.push(Shape::Polyline(vec![(self.left, y), (self.left + self.width, y)], GRID, 1.0));
            }
            shapes.push(Shape::Text(self.left - 8.0, y + SIZE * 0.35, label.clone(), Anchor::End, MUTED, SIZE));
        }
        if let Some(heat) = &chart.heat {
            let name = heat.parameter.clone();
            shapes.push(Shape::Text(self.left - 8.0, self.top - 6.0, name, Anchor::End, TEXT, SIZE));
        }
        let bottom = self.top + self.height;
        for (step, label) in step_ticks(chart.steps.start, chart.last_tick(), (self.width / 110.0) as usize) {
            let x = self.x(chart.across(step));
            shapes.push(Shape::Polyline(vec![(x, bottom), (x, bottom + 5.0)], MUTED, 1.0));
            shapes.push(Shape::Text(x, bottom + 20.0, label, Anchor::Middle, MUTED, SIZE));
        }
        shapes.push(Shape::Polyline(vec![(self.left, bottom), (self.left + self.width, bottom)], MUTED, 1.0));
        shapes.push(Shape::Text(
            self.left + self.width,
            bottom + 36.0,
            "step".to_owned(),
            Anchor::End,
            MUTED,
            SIZE - 2.0,
        ));
    }

    fn draw_lines(&self, chart: &Chart, shapes: &mut Vec<Shape>) {
        let width = if chart.lines.len() > 8 { 1.4 } else { 2.0 };
        for line in &chart.lines {
            let points = line.columns.iter().flat_map(crate::sample::Column::points);
            let place = |(step, value): (u64, f64)| (self.x(chart.across(step)), self.y(chart.axis.place(value)));
            let points: Vec<(f64, f64)> = points.filter(|point| point.1.is_finite()).map(place).collect();
            shapes.push(Shape::Polyline(thinned(points), line.colour, width));
        }
    }

    fn draw_heat(&self, chart: &Chart, shapes: &mut Vec<Shape>) {
        let Some(heat) = &chart.heat else { return };
        let mut levels: Vec<Vec<[f64; 4]>> = vec![Vec::new(); LEVELS];
        // A cell is three pixels wide, about the resolution of the eye.
        let rows = heat.values.len().min((self.height / 2.0) as usize).max(1);
        let height = self.height / rows as f64;
        for row in 0..rows {
            let values = &heat.values[row * (heat.values.len() - 1) / (rows - 1).max(1)];
            let columns = values.len().min((self.width / 3.0) as usize).max(1);
            let level = |column: usize| {
                let value = values[column * (values.len() - 1) / (columns - 1).max(1)];
                ((chart.axis.place(value) * LEVELS as f64) as usize).min(LEVELS - 1)
            };
            let y = self.y((row + 1) as f64 / rows as f64);
            let mut start = 0;
            for column in 1..=columns {
                if column == columns || level(column) != level(start) {
                    let x = |column: usize| self.x(column as f64 / columns as f64);
                    levels[level(start)].push([x(start), y, x(column) - x(start), height]);
                    start = column;
                }
            }
        }
        let filled = levels.into_iter().enumerate().filter(|level| !level.1.is_empty());
        shapes.extend(filled.map(|(level, cells)| Shape::Cells(cells, level)));
    }
}

/// Simplifies a polyline: drops points within a tenth of a pixel of the line between their neighbours.
fn thinned(points: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
    let mut kept: Vec<(f64, f64)> = Vec::with_capacity(points.len());
    let mut skipped: Vec<(f64, f64)> = Vec::new();
    for point in points {
        if let Some(&from) = kept.last() {
            let off = |at: &(f64, f64)| {
                let (dx, dy) = (point.0 - from.0, point.1 - from.1);
                let length = dx.hypot(dy).max(1e-9);
                let along = ((at.0 - from.0) * dx + (at.1 - from.1) * dy) / length;
                // Beyond the ends of the line, the distance to the line is no bound.
                if along < 0.0 || along > length {
                    return f64::INFINITY;
                }
                ((at.0 - from.0) * dy - (at.1 - from.1) * dx).abs() / length
            };
            if skipped.iter().any(|at| off(at) > 0.08) {
                kept.extend(skipped.last());
                skipped.clear();
            }
            skipped.push(point);
        } else {
            kept.push(point);
        }
    }
    kept.extend(skipped.last());
    kept
}

/// One entry of a legend.
enum Entry {
    Line(String, Pair),
    Ramp(String, String, String, bool),
    Note(String),
}

impl Entry {
    fn width(&self) -> f64 {
        let text = |text: &str| text.chars().count() as f64 * SIZE * ADVANCE;
        match self {
            Self::Line(name, _) => 28.0 + text(name) + 22.0,
            Self::Ramp(name, low, high, _) => text(name) + text(low) + text(high) + 160.0,
            Self::Note(note) => text(note) + 22.0,
        }
    }
}

/// The entries of a legend, wrapped into lines.
fn legend_lines(chart: &Chart, width: f64) -> Vec<Vec<Entry>> {
    let mut entries = Vec::new();
    if let Some(ramp) = &chart.ramp {
        entries.push(Entry::Ramp(ramp.name.clone(), ramp.low.clone(), ramp.high.clone(), true));
    } else if chart.lines.len() > 1 {
        entries.extend(chart.legend().map(|line| Entry::Line(line.name.clone(), line.colour)));
    }
    if chart.heat.is_some() {
        let (low, high) = (readable::value(chart.axis.low), readable::value(chart.axis.high));
        let name = if chart.axis.log { "value (log)" } else { "value" };
        entries.push(Entry::Ramp(name.to_owned(), low, high, false));
    }
    entries.extend(chart.note.clone().map(Entry::Note));
    let mut lines: Vec<Vec<Entry>> = Vec::new();
    let mut used = f64::INFINITY;
    for entry in entries {
        if used + entry.width() > width {
            lines.push(Vec::new());
            used = 0.0;
        }
        used += entry.width();
        if let Some(line) = lines.last_mut() {
            line.push(entry);
        }
    }
    lines
}

fn draw_legend(entries: &[Entry], left: f64, y: f64, shapes: &mut Vec<Shape>) {
    let mut x = left;
    let text = |x: f64, text: &str, ink: Pair| Shape::Text(x, y, text.to_owned(), Anchor::Start, ink, SIZE);
    for entry in entries {
        match entry {
            Entry::Line(name, colour) => {
                shapes.push(Shape::Polyline(vec![(x, y - 4.0), (x + 20.0, y - 4.0)], *colour, 3.0));
                shapes.push(text(x + 28.0, name, TEXT));
            }
            Entry::Ramp(name, low, high, of_lines) => {
                let length = |text: &str| text.chars().count() as f64 * SIZE * ADVANCE;
                shapes.push(text(x, name, TEXT));
                let after_name = x + length(name) + 10.0;
                shapes.push(text(after_name, low, MUTED));
                let swatch = after_name + length(low) + 8.0;
                for level in 0..LEVELS {
                    let share = level as f64 / (LEVELS - 1) as f64;
                    let place = [swatch + level as f64 * 3.0, y - 10.0, 3.5, 11.0];
                    shapes.push(if *of_lines {
                        Shape::Rectangle(place, super::colour::ramp_line(share))
                    } else {
                        Shape::Cells(vec![place], level)
                    });
                }
                shapes.push(text(swatch + LEVELS as f64 * 3.0 + 8.0, high, MUTED));
            }
            Entry::Note(note) => shapes.push(text(x, note, MUTED)),
        }
        x += entry.width();
    }
}

/// The colour of a level.
#[must_use]
pub fn level_colour(level: usize) -> [u8; 3] {
    ramp(level as f64 / (LEVELS - 1) as f64)
}
