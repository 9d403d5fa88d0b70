//! A picture of schedules before it has a format: which lines, which axes, which phases.

use std::ops::Range;

use rayon::prelude::*;

use super::axis::{Scale, ValueAxis};
use super::colour::{Pair, SERIES, ramp_line};
use crate::describe::{Phase, PhaseKind, phases};
use crate::packed::Batch;
use crate::program::Program;
use crate::readable;
use crate::sample::{Column, envelope};

/// The most schedules of a sweep that are drawn as lines; more make a heat map.
pub const MOST_LINES: usize = 24;

/// The most rows of a heat map; of more schedules, as many are shown, evenly spaced.
pub const MOST_ROWS: usize = 256;

/// Schedules to draw together: those of one spec.
pub struct Subject<'a> {
    /// The name in the legend.
    pub name: String,
    /// Its schedules.
    pub batch: &'a Batch,
    /// Names of the swept parameters.
    pub parameters: Vec<String>,
    /// Their values, by the schedule's number.
    pub point: &'a (dyn Fn(usize) -> Vec<f64> + Sync),
    /// Steps of its table.
    pub steps: u64,
}

/// What a chart shows.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The title; nothing is written where it is empty.
    pub title: String,
    /// Steps shown; all of the longest subject's by default.
    pub steps: Option<Range<u64>>,
    /// How values are spread.
    pub scale: Scale,
    /// Pixel columns that lines are sampled for.
    pub columns: usize,
}

/// One line.
#[derive(Clone, Debug)]
pub struct Line {
    /// The name in the legend.
    pub name: String,
    /// Its colour.
    pub colour: Pair,
    /// Its least and greatest values, column by column.
    pub columns: Vec<Column>,
}

/// Schedules above one another, steps from left to right, values as colours.
#[derive(Clone, Debug)]
pub struct Heat {
    /// What the rows are, from the bottom up.
    pub rows: Vec<String>,
    /// The parameter that the rows are told by.
    pub parameter: String,
    /// One value per row and column, from the bottom up.
    pub values: Vec<Vec<f64>>,
}

/// What a ramp of colours stands for.
#[derive(Clone, Debug)]
pub struct Ramp {
    /// The parameter.
    pub name: String,
    /// Its value at the first colour.
    pub low: String,
    /// Its value at the last colour.
    pub high: String,
}

/// A picture of schedules.
#[derive(Clone, Debug)]
pub struct Chart {
    /// The title.
    pub title: String,
    /// The steps from the left edge to the right.
    pub steps: Range<u64>,
    /// The axis of values; of colours in a heat map.
    pub axis: ValueAxis,
    /// The lines; none in a heat map.
    pub lines: Vec<Line>,
    /// The heat map, where there are too many schedules for lines.
    pub heat: Option<Heat>,
    /// Where lines have colours by a parameter.
    pub ramp: Option<Ramp>,
    /// The phases, where there is one schedule or several with the same ones.
    pub phases: Vec<Phase>,
    /// What is left out.
    pub note: Option<String>,
}

impl Chart {
    /// Samples the subjects; nothing where there is no schedule or no step.
    #[must_use]
    pub fn new(subjects: &[Subject<'_>], options: &Options) -> Option<Self> {
        let end = subjects.iter().map(|subject| subject.steps).max()?;
        let steps = options.steps.clone().unwrap_or(0..end);
        if steps.is_empty() || subjects.iter().all(|subject| subject.batch.is_empty()) {
            return None;
        }
        let mut chart = Self {
            title: options.title.clone(),
            steps: steps.clone(),
            axis: ValueAxis::new(std::iter::empty(), options.scale, 5),
            lines: Vec::new(),
            heat: None,
            ramp: None,
            phases: Vec::new(),
            note: None,
        };
        match subjects {
            [subject] if subject.batch.len() > MOST_LINES => chart.fill_heat(subject, options),
            [subject] if subject.batch.len() > 1 => chart.fill_family(subject, options),
            _ => chart.fill_lines(subjects, options),
        }
        let values: Vec<f64> = match &chart.heat {
            Some(heat) => heat.values.iter().flatten().copied().collect(),
            None => {
                let columns = chart.lines.iter().flat_map(|line| &line.columns);
                columns.flat_map(|column| [column.least.1, column.greatest.1]).collect()
            }
        };
        chart.axis = ValueAxis::new(values.iter().copied(), options.scale, 5);
        let first = |subject: &Subject<'_>| phases(&subject.batch.program(0), end.max(steps.end));
        let mut told = subjects.iter().filter(|subject| !subject.batch.is_empty()).map(first);
        let of_first = told.next().unwrap_or_default();
        let same = |other: Vec<Phase>| {
            other.len() == of_first.len() && other.iter().zip(&of_first).all(|(a, b)| a.start == b.start)
        };
        // Of a sweep, the first and the last must agree.
        let sweeps = subjects.iter().all(|subject| {
            subject.batch.len() < 2 || same(phases(&subject.batch.program(subject.batch.len() - 1), end.max(steps.end)))
        });
        if sweeps && told.all(same) {
            chart.phases = of_first;
        }
        Some(chart)
    }

    /// One line per spec, or per schedule where specs are swept.
    fn fill_lines(&mut self, subjects: &[Subject<'_>], options: &Options) {
        let each = (MOST_LINES / subjects.len()).max(1);
        for (place, subject) in subjects.iter().enumerate() {
            let colour = SERIES[place % SERIES.len()];
            let shown = evenly(subject.batch.len(), each);
            if shown.len() < subject.batch.len() {
                self.note = Some(format!("some of {} schedules of {}", subject.batch.len(), subject.name));
            }
            for (index, schedule) in shown.iter().enumerate() {
                // One entry in the legend for all schedules of a sweep.
                let name = if index == 0 { subject.name.clone() } else { String::new() };
                self.lines.push(self.line(name, colour, subject.batch.program(*schedule), options));
            }
        }
    }

    /// A family of lines, coloured by its first parameter that varies.
    fn fill_family(&mut self, subject: &Subject<'_>, options: &Options) {
        let count = subject.batch.len();
        let (parameter, shares) = shares(subject, count);
        let lines = (0..count).into_par_iter().map(|schedule| {
            let name = named(subject, schedule);
            self.line(name, ramp_line(shares[schedule]), subject.batch.program(schedule), options)
        });
        self.lines = lines.collect();
        let least = |a: &f64, b: &f64| a.total_cmp(b);
        let values: Vec<f64> =
            (0..count).filter_map(|schedule| (subject.point)(schedule).get(parameter).copied()).collect();
        if let (Some(low), Some(high), Some(name)) = (
            values.iter().copied().min_by(least),
            values.iter().copied().max_by(least),
            subject.parameters.get(parameter),
        ) {
            self.ramp = Some(Ramp { name: name.clone(), low: readable::value(low), high: readable::value(high) });
        }
    }

    /// All schedules above one another.
    fn fill_heat(&mut self, subject: &Subject<'_>, options: &Options) {
        let shown = evenly(subject.batch.len(), MOST_ROWS);
        if shown.len() < subject.batch.len() {
            self.note = Some(format!("{} of {} schedules", shown.len(), subject.batch.len()));
        }
        let (parameter, _) = shares(subject, 2);
        let steps = self.steps.clone();
        let row = |&schedule: &usize| {
            let columns = envelope(&subject.batch.program(schedule), steps.clone(), options.columns);
            columns.iter().map(|column| column.greatest.1).collect()
        };
        let label = |&schedule: &usize| {
            (subject.point)(schedule)
                .get(parameter)
                .map_or_else(|| schedule.to_string(), |&value| readable::value(value))
        };
        self.heat = Some(Heat {
            values: shown.par_iter().map(row).collect(),
            rows: shown.iter().map(label).collect(),
            parameter: subject.parameters.get(parameter).cloned().unwrap_or_else(|| "schedule".to_owned()),
        });
    }

    fn line(&self, name: String, colour: Pair, program: Program, options: &Options) -> Line {
        Line { name, colour, columns: envelope(&program, self.steps.clone(), options.columns) }
    }

    /// How far to the right a step stands, from 0 to 1.
    #[must_use]
    pub fn across(&self, step: u64) -> f64 {
        // Of few steps, the last one stands at the right edge; of many, the end itself does, with its tick.
        let length = match self.steps.end - self.steps.start {
            few @ ..64 => few.saturating_sub(1).max(1),
            many => many,
        };
        step.saturating_sub(self.steps.start) as f64 / length as f64
    }

    /// The last step that a tick may stand at: the one at the right edge.
    #[must_use]
    pub fn last_tick(&self) -> u64 {
        if self.steps.end - self.steps.start < 64 { self.steps.end - 1 } else { self.steps.end }
    }

    /// The lines that the legend names.
    pub fn legend(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(|line| !line.name.is_empty())
    }

    /// Names of phases with where they begin and end, as shares of the width; those outside are left out.
    #[must_use]
    pub fn bands(&self) -> Vec<(String, f64, f64)> {
        let shown = self.phases.iter().filter(|phase| phase.start < self.steps.end && phase.end > self.steps.start);
        let band = |phase: &Phase| {
            let name = match phase.kind {
                PhaseKind::Cycles { period } => format!("cycles of {}", readable::steps(period)),
                PhaseKind::Stairs { count } => format!("{count} stairs"),
                PhaseKind::Pieces { count } => format!("{count} more"),
                kind => kind.name().to_owned(),
            };
            (name, self.across(phase.start).clamp(0.0, 1.0), self.across(phase.end).clamp(0.0, 1.0))
        };
        shown.map(band).collect()
    }
}

/// At most `most` of `count`, evenly spaced, the first and the last among them.
fn evenly(count: usize, most: usize) -> Vec<usize> {
    if count <= most {
        return (0..count).collect();
    }
    (0..most).map(|index| index * (count - 1) / (most - 1).max(1)).collect()
}

/// The parameter that varies slowest, and for each schedule how far along it is.
fn shares(subject: &Subject<'_>, count: usize) -> (usize, Vec<f64>) {
    let last = (subject.point)(subject.batch.len() - 1);
    let first = (subject.point)(0);
    let parameter = first.iter().zip(&last).position(|(a, b)| a != b).unwrap_or(0);
    let values: Vec<f64> = (0..count)
        .map(|schedule| (subject.point)(schedule).get(parameter).copied().unwrap_or(schedule as f64))
        .collect();
    let (low, high) = values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), &v| (a.min(v), b.max(v)));
    let geometric = low > 0.0 && high / low > 10.0;
    let place = |value: f64| match high > low {
        true if geometric => (value / low).ln() / (high / low).ln(),
        true => (value - low) / (high - low),
        false => 0.0,
    };
    (parameter, values.into_iter().map(place).collect())
}

/// `peak = 3e-4, warmup = 100`.
fn named(subject: &Subject<'_>, schedule: usize) -> String {
    let pairs = subject.parameters.iter().zip((subject.point)(schedule));
    pairs.map(|(name, value)| format!("{name} = {}", readable::value(value))).collect::<Vec<_>>().join(", ")
}
