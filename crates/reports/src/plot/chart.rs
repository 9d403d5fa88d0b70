//! A chart: lines, axes and phases of a picture, independent of its format.

use std::ops::Range;

use rayon::prelude::*;

use super::axis::{Scale, ValueAxis};
use super::colour::{Pair, SERIES, ramp_line};
use crate::describe::{Phase, PhaseKind, phases};
use crate::error::Error;
use crate::sample::{Column, envelope};
use lrgrid::program::Program;
use lrgrid::readable;

/// The most schedules of a sweep that are drawn as lines; more make a heat map.
pub const MOST_LINES: usize = 24;

/// The most rows of a heat map; of more schedules, evenly spaced ones are shown.
pub const MOST_ROWS: usize = 256;

/// Lowers the schedule of an index.
pub type Lowered<'a> = dyn Fn(usize) -> Result<Program, Error> + Sync + 'a;

/// The schedules of one spec, to be drawn together.
pub struct Subject<'a> {
    /// The name in the legend.
    pub name: String,
    /// The number of schedules.
    pub count: usize,
    /// The lowered form of a schedule, by its index; called only for those that are drawn.
    pub program: &'a Lowered<'a>,
    /// Names of the swept parameters.
    pub parameters: Vec<String>,
    /// The values of the parameters, by the schedule's index.
    pub point: &'a (dyn Fn(usize) -> Vec<f64> + Sync),
    /// The number of steps in its table.
    pub steps: u64,
}

/// Options of a chart.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The title; none if it is empty.
    pub title: String,
    /// The steps shown; by default all of the longest subject.
    pub steps: Option<Range<u64>>,
    /// The scale of the values.
    pub scale: Scale,
    /// The number of pixel columns of a line.
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

/// A heat map: schedules from bottom to top, steps from left to right, values as colours.
#[derive(Clone, Debug)]
pub struct Heat {
    /// Labels of the rows, from the bottom up.
    pub rows: Vec<String>,
    /// The parameter that labels the rows.
    pub parameter: String,
    /// One value per row and column, from the bottom up.
    pub values: Vec<Vec<f64>>,
}

/// The meaning of a colour ramp.
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
    /// The axis of the values; in a heat map, of the colours.
    pub axis: ValueAxis,
    /// The lines; none in a heat map.
    pub lines: Vec<Line>,
    /// The heat map, if there are too many schedules for lines.
    pub heat: Option<Heat>,
    /// The ramp, if lines are coloured by a parameter.
    pub ramp: Option<Ramp>,
    /// The phases, if all schedules have the same ones.
    pub phases: Vec<Phase>,
    /// Notes on what is not shown.
    pub note: Option<String>,
}

impl Chart {
    /// Samples the subjects; `None` if there is no schedule or no step.
    ///
    /// # Errors
    /// When a schedule that is drawn cannot be lowered.
    pub fn new(subjects: &[Subject<'_>], options: &Options) -> Result<Option<Self>, Error> {
        let Some(end) = subjects.iter().map(|subject| subject.steps).max() else { return Ok(None) };
        let steps = options.steps.clone().unwrap_or(0..end);
        if steps.is_empty() || subjects.iter().all(|subject| subject.count == 0) {
            return Ok(None);
        }
        let mut chart = Self {
            title: readable::name(&options.title),
            steps: steps.clone(),
            axis: ValueAxis::new(std::iter::empty(), options.scale, 5),
            lines: Vec::new(),
            heat: None,
            ramp: None,
            phases: Vec::new(),
            note: None,
        };
        match subjects {
            [subject] if subject.count > MOST_LINES => chart.fill_heat(subject, options)?,
            [subject] if subject.count > 1 => chart.fill_family(subject, options)?,
            _ => chart.fill_lines(subjects, options)?,
        }
        let values: Vec<f64> = match &chart.heat {
            Some(heat) => heat.values.iter().flatten().copied().collect(),
            None => {
                let columns = chart.lines.iter().flat_map(|line| &line.columns);
                columns.flat_map(|column| [column.least.1, column.greatest.1]).collect()
            }
        };
        chart.axis = ValueAxis::new(values.iter().copied(), options.scale, 5);
        let mut told: Option<Vec<Phase>> = None;
        for subject in subjects.iter().filter(|subject| subject.count > 0) {
            // In a sweep, the first and the last schedule must agree.
            for schedule in [0, subject.count - 1] {
                let found = phases(&(subject.program)(schedule)?, end.max(steps.end));
                let first = told.get_or_insert_with(|| found.clone());
                if found.len() != first.len() || found.iter().zip(&*first).any(|(a, b)| a.start != b.start) {
                    return Ok(Some(chart));
                }
            }
        }
        chart.phases = told.unwrap_or_default();
        Ok(Some(chart))
    }

    /// The schedules of a subject that are drawn, given the numbers of its schedules and of subjects.
    #[must_use]
    pub fn drawn(count: usize, subjects: usize) -> Vec<usize> {
        match subjects {
            0 | 1 if count > MOST_LINES => evenly(count, MOST_ROWS),
            _ => evenly(count, (MOST_LINES / subjects.max(1)).max(1)),
        }
    }

    /// One line per spec, or per schedule of a sweep.
    fn fill_lines(&mut self, subjects: &[Subject<'_>], options: &Options) -> Result<(), Error> {
        for (place, subject) in subjects.iter().enumerate() {
            let colour = SERIES[place % SERIES.len()];
            let shown = Self::drawn(subject.count, subjects.len());
            let subject_name = readable::name(&subject.name);
            if shown.len() < subject.count {
                self.note = Some(format!("some of {} schedules of {subject_name}", subject.count));
            }
            for (index, schedule) in shown.iter().enumerate() {
                // All schedules of a sweep have one legend entry.
                let name = if index == 0 { subject_name.clone() } else { String::new() };
                self.lines.push(self.line(name, colour, &(subject.program)(*schedule)?, options));
            }
        }
        Ok(())
    }

    /// A family of lines, coloured by its first parameter that varies.
    fn fill_family(&mut self, subject: &Subject<'_>, options: &Options) -> Result<(), Error> {
        let count = subject.count;
        let (parameter, shares) = shares(subject, count);
        let lines = (0..count).into_par_iter().map(|schedule| {
            let name = named(subject, schedule);
            Ok(self.line(name, ramp_line(shares[schedule]), &(subject.program)(schedule)?, options))
        });
        self.lines = lines.collect::<Result<_, Error>>()?;
        let least = |a: &f64, b: &f64| a.total_cmp(b);
        let values: Vec<f64> =
            (0..count).filter_map(|schedule| (subject.point)(schedule).get(parameter).copied()).collect();
        if let (Some(low), Some(high), Some(name)) = (
            values.iter().copied().min_by(least),
            values.iter().copied().max_by(least),
            subject.parameters.get(parameter),
        ) {
            let name = readable::name(name);
            self.ramp = Some(Ramp { name, low: readable::value(low), high: readable::value(high) });
        }
        Ok(())
    }

    /// A heat map of all schedules.
    fn fill_heat(&mut self, subject: &Subject<'_>, options: &Options) -> Result<(), Error> {
        let shown = Self::drawn(subject.count, 1);
        if shown.len() < subject.count {
            self.note = Some(format!("{} of {} schedules", shown.len(), subject.count));
        }
        let (parameter, _) = shares(subject, 2);
        let steps = self.steps.clone();
        let row = |&schedule: &usize| {
            let columns = envelope(&(subject.program)(schedule)?, steps.clone(), options.columns);
            Ok(columns.iter().map(|column| column.greatest.1).collect())
        };
        let label = |&schedule: &usize| {
            (subject.point)(schedule)
                .get(parameter)
                .map_or_else(|| schedule.to_string(), |&value| readable::value(value))
        };
        self.heat = Some(Heat {
            values: shown.par_iter().map(row).collect::<Result<_, Error>>()?,
            rows: shown.iter().map(label).collect(),
            parameter: subject
                .parameters
                .get(parameter)
                .map_or_else(|| "schedule".to_owned(), |name| readable::name(name)),
        });
        Ok(())
    }

    fn line(&self, name: String, colour: Pair, program: &Program, options: &Options) -> Line {
        Line { name, colour, columns: envelope(program, self.steps.clone(), options.columns) }
    }

    /// The horizontal position of a step, from 0 to 1.
    #[must_use]
    pub fn across(&self, step: u64) -> f64 {
        // With few steps the last step is at the right edge; with many, the end itself, with its tick.
        let length = match self.steps.end - self.steps.start {
            few @ ..64 => few.saturating_sub(1).max(1),
            many => many,
        };
        step.saturating_sub(self.steps.start) as f64 / length as f64
    }

    /// The last step that may have a tick: the one at the right edge.
    #[must_use]
    pub fn last_tick(&self) -> u64 {
        if self.steps.end - self.steps.start < 64 { self.steps.end - 1 } else { self.steps.end }
    }

    /// The lines with a legend entry.
    pub fn legend(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(|line| !line.name.is_empty())
    }

    /// Names of phases with their start and end as fractions of the width; phases outside are omitted.
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

/// At most `most` of `count` indices, evenly spaced, including the first and the last.
#[must_use]
pub fn evenly(count: usize, most: usize) -> Vec<usize> {
    if count <= most {
        return (0..count).collect();
    }
    (0..most).map(|index| index * (count - 1) / (most - 1).max(1)).collect()
}

/// The parameter that varies slowest, and each schedule's position on its range.
fn shares(subject: &Subject<'_>, count: usize) -> (usize, Vec<f64>) {
    let last = (subject.point)(subject.count - 1);
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
    pairs
        .map(|(name, value)| format!("{} = {}", readable::name(name), readable::value(value)))
        .collect::<Vec<_>>()
        .join(", ")
}
