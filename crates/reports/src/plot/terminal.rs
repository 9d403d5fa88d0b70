//! Renders charts in a terminal with braille dots, eight per character.

use super::axis::step_ticks;
use super::chart::Chart;
use super::colour::{Rgb, ramp};
use lrgrid::readable;

/// Size and colours of a terminal.
#[derive(Clone, Copy, Debug)]
pub struct Terminal {
    /// Width in characters.
    pub width: usize,
    /// Height of the picture in lines, without axes and legend.
    pub height: usize,
    /// Whether colours may be used.
    pub colour: bool,
}

/// The least width of a picture.
const LEAST_WIDTH: usize = 24;

/// Dots in a character: bits by column and row.
const DOTS: [[u8; 4]; 2] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];

/// Shades of a heat map without colours, from low to high.
const SHADES: [char; 5] = [' ', '░', '▒', '▓', '█'];

impl Terminal {
    /// The number of pixel columns for which a chart should be sampled.
    #[must_use]
    pub fn columns(&self) -> usize {
        2 * self.width.max(LEAST_WIDTH)
    }

    /// The chart as lines of text.
    #[must_use]
    pub fn draw(&self, chart: &Chart) -> String {
        let labels: Vec<(usize, String)> = match &chart.heat {
            None => {
                let row =
                    |value: f64| ((1.0 - chart.axis.place(value)) * (self.height * 4 - 1) as f64).round() as usize / 4;
                chart.axis.ticks.iter().map(|(value, label)| (row(*value), label.clone())).collect()
            }
            Some(heat) => {
                let last = heat.rows.len() - 1;
                let row = |index: usize| (last - index) * (self.height - 1) / last.max(1);
                [0, last / 2, last].map(|index| (row(index), heat.rows[index].clone())).into()
            }
        };
        let margin = labels.iter().map(|label| label.1.chars().count()).max().unwrap_or(0) + 2;
        let width = self.width.max(LEAST_WIDTH).saturating_sub(margin + 1).max(8);
        let mut text = String::new();
        if !chart.title.is_empty() {
            text.push_str(&format!("{:margin$}{}\n", "", chart.title));
        }
        if let Some(heat) = &chart.heat {
            text.push_str(&format!("{}\n", heat.parameter));
        }
        let bands = self.bands(chart, width);
        if !bands.trim().is_empty() {
            text.push_str(&format!("{:margin$}{}\n", "", self.dim(bands.trim_end())));
        }
        let cells = match &chart.heat {
            None => self.cells(chart, width),
            Some(_) => self.heat_cells(chart, width),
        };
        for (row, cells) in cells.chunks(width).enumerate() {
            let label = labels.iter().find(|label| label.0 == row).map_or("", |label| label.1.as_str());
            let tick = if label.is_empty() { '│' } else { '┤' };
            text.push_str(&format!("{label:>0$} {tick}", margin - 2));
            text.push_str(&self.line(cells));
            text.push('\n');
        }
        text.push_str(&self.step_axis(chart, margin, width));
        text.push_str(&self.legend(chart, margin));
        text
    }

    /// The dots of all lines; a character has the colour of the last line drawn there.
    fn cells(&self, chart: &Chart, width: usize) -> Vec<Cell> {
        let (across, down) = (width * 2, self.height * 4);
        let mut cells = vec![Cell::default(); width * self.height];
        let mut dot = |x: usize, y: usize, colour: Rgb| {
            let (x, y) = (x.min(across - 1), y.min(down - 1));
            let cell = &mut cells[y / 4 * width + x / 2];
            cell.dots |= DOTS[x % 2][y % 4];
            cell.colour = Some(colour);
        };
        for line in &chart.lines {
            let place = |(step, value): (u64, f64)| {
                let x = chart.across(step) * (across - 1) as f64;
                (x, (1.0 - chart.axis.place(value)) * (down - 1) as f64)
            };
            let mut before: Option<(f64, f64)> = None;
            for point in
                line.columns.iter().flat_map(super::super::sample::Column::points).filter(|point| point.1.is_finite())
            {
                let to = place(point);
                let from = before.replace(to).unwrap_or(to);
                let length = (to.0 - from.0).abs().max((to.1 - from.1).abs()).ceil().max(1.0);
                for part in 0..=length as usize {
                    let share = part as f64 / length;
                    let at = |from: f64, to: f64| (from + (to - from) * share).round() as usize;
                    // Most terminals are dark; the lighter of the two colours is legible on both.
                    dot(at(from.0, to.0), at(from.1, to.1), line.colour.dark);
                }
            }
        }
        cells
    }

    /// One shade per row and column of a heat map.
    fn heat_cells(&self, chart: &Chart, width: usize) -> Vec<Cell> {
        let Some(heat) = &chart.heat else { return Vec::new() };
        let mut cells = Vec::with_capacity(width * self.height);
        for row in 0..self.height {
            let values = &heat.values[(self.height - 1 - row) * (heat.values.len() - 1) / (self.height - 1).max(1)];
            for column in 0..width {
                let value = values[column * (values.len() - 1) / (width - 1).max(1)];
                let share = chart.axis.place(value);
                let shade = SHADES[((share * SHADES.len() as f64) as usize).min(SHADES.len() - 1)];
                cells.push(Cell { dots: 0, colour: Some(ramp(share)), shade: Some(shade) });
            }
        }
        cells
    }

    fn line(&self, cells: &[Cell]) -> String {
        let mut text = String::new();
        let mut colour = None;
        for cell in cells {
            let character = match cell.shade {
                Some(_) if self.colour => '█',
                Some(shade) => shade,
                None if cell.dots == 0 => ' ',
                None => char::from_u32(0x2800 + u32::from(cell.dots)).unwrap_or(' '),
            };
            let wanted = cell.colour.filter(|_| self.colour && character != ' ');
            if wanted != colour && character != ' ' {
                text.push_str(&escape(wanted));
                colour = wanted;
            }
            text.push(character);
        }
        let mut text = text.trim_end().to_owned();
        if colour.is_some() {
            text.push_str("\x1b[0m");
        }
        text
    }

    fn step_axis(&self, chart: &Chart, margin: usize, width: usize) -> String {
        let mut axis: Vec<char> = vec!['─'; width];
        let mut labels: Vec<char> = vec![' '; width + margin];
        let mut free = 0;
        for (step, label) in step_ticks(chart.steps.start, chart.last_tick(), width / 14) {
            let at = (chart.across(step) * (width - 1) as f64).round() as usize;
            axis[at.min(width - 1)] = '┬';
            let length = label.chars().count();
            let start = (margin + at).saturating_sub(length / 2).min(labels.len() - length.min(labels.len()));
            if start >= free {
                label.chars().enumerate().for_each(|(index, character)| labels[start + index] = character);
                free = start + length + 1;
            }
        }
        let labels: String = labels.into_iter().collect();
        let axis: String = axis.into_iter().collect();
        format!("{:>1$}{axis}\n{2}\n", "└", margin, labels.trim_end())
    }

    /// Names of the phases above their ranges, with a bar at each start.
    fn bands(&self, chart: &Chart, width: usize) -> String {
        let bands = chart.bands();
        if bands.len() < 2 && bands.first().is_none_or(|band| matches!(band.0.as_str(), "hold" | "decay" | "warmup")) {
            return String::new();
        }
        let mut line: Vec<char> = vec![' '; width];
        for (name, from, to) in bands {
            let place = |share: f64| (share * width as f64).round() as usize;
            let (from, to) = (place(from).min(width - 1), place(to).min(width));
            line[from] = '╎';
            if to > from + name.chars().count() + 1 {
                name.chars().enumerate().for_each(|(index, character)| line[from + 1 + index] = character);
            }
        }
        line.into_iter().collect()
    }

    fn legend(&self, chart: &Chart, margin: usize) -> String {
        let mut entries: Vec<String> = Vec::new();
        if let Some(ramp_of) = &chart.ramp {
            let swatch: String =
                (0..12).map(|index| self.painted('━', Some(ramp(0.22 + f64::from(index) / 11.0 * 0.78)))).collect();
            entries.push(format!("{}: {} {swatch} {}", ramp_of.name, ramp_of.low, ramp_of.high));
        } else if chart.lines.len() > 1 {
            entries.extend(
                chart.legend().map(|line| format!("{} {}", self.painted('━', Some(line.colour.dark)), line.name)),
            );
        }
        if chart.heat.is_some() {
            let (low, high) = (readable::value(chart.axis.low), readable::value(chart.axis.high));
            let swatch: String = (0..10)
                .map(|index| {
                    let shade = if self.colour { '█' } else { SHADES[index * SHADES.len() / 10] };
                    self.painted(shade, Some(ramp(index as f64 / 9.0)))
                })
                .collect();
            let how = if chart.axis.log { ", logarithmic" } else { "" };
            entries.push(format!("value: {low} {swatch} {high}{how}"));
        }
        entries.extend(chart.note.clone());
        // Entries are not broken; as many as fit share a line.
        let mut text = String::new();
        let (mut line, mut used) = (String::new(), 0);
        for entry in entries {
            let length = visible(&entry);
            if used > 0 && margin + used + length + 3 > self.width {
                text.push_str(&format!("{:margin$}{line}\n", ""));
                (line, used) = (String::new(), 0);
            }
            let gap = if used > 0 { "   " } else { "" };
            line.push_str(gap);
            line.push_str(&entry);
            used += gap.len() + length;
        }
        if used > 0 {
            text.push_str(&format!("{:margin$}{line}\n", ""));
        }
        text
    }

    fn painted(&self, character: char, colour: Option<Rgb>) -> String {
        if self.colour { format!("{}{character}\x1b[0m", escape(colour)) } else { character.to_string() }
    }

    fn dim(&self, text: &str) -> String {
        if self.colour { format!("\x1b[2m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// One character of the picture.
#[derive(Clone, Copy, Debug, Default)]
struct Cell {
    dots: u8,
    colour: Option<Rgb>,
    shade: Option<char>,
}

fn escape(colour: Option<Rgb>) -> String {
    colour.map_or_else(|| "\x1b[0m".to_owned(), |[r, g, b]| format!("\x1b[38;2;{r};{g};{b}m"))
}

/// The number of visible characters.
fn visible(text: &str) -> usize {
    let mut hidden = false;
    text.chars()
        .filter(|&c| {
            let was = hidden;
            hidden = if c == '\x1b' { true } else { hidden && c != 'm' };
            !was && c != '\x1b'
        })
        .count()
}
