//! The description of one schedule as data: printed as text, or as JSON with these names.

use lrgrid::program::Repetition;
use lrgrid::schedule::Schedule;
use lrgrid::{Batch, Error, Spec};
use lrgrid_reports::describe::{
    Area, Phase, PhaseKind, Piece, area, first_at_most, key_values, phases, pieces, warnings,
};
use serde::ser::{Serialize, SerializeSeq, Serializer};
use serde_json::{Map, Value, json};

/// One schedule of a spec.
#[derive(serde::Serialize)]
pub struct Description {
    /// Its number in the sweep.
    pub schedule: usize,
    /// The number of schedules in the sweep.
    pub schedules: usize,
    /// The values of the swept parameters.
    pub parameters: Map<String, Value>,
    /// The schedule without its sweep, in native terms.
    pub spec: Document,
    /// The steps of the table; `None` if the schedule has no end.
    pub steps: Option<u64>,
    #[serde(flatten)]
    pub curve: Curve,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub budget: Option<Budget>,
    pub warnings: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub momentum: Option<Curve>,
}

/// A spec without a sweep.
#[derive(serde::Serialize)]
pub struct Document {
    pub schedule: Schedule,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub momentum: Option<Schedule>,
}

/// The segments of a schedule and its characteristic values.
#[derive(serde::Serialize)]
pub struct Curve {
    #[serde(serialize_with = "segments")]
    pub segments: Vec<Piece>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub values: Option<Values>,
}

/// The characteristic values within the table.
#[derive(serde::Serialize)]
pub struct Values {
    pub first: At,
    pub largest: At,
    pub smallest: At,
    pub last: At,
}

/// A value and its step.
#[derive(Clone, Copy, serde::Serialize)]
pub struct At {
    pub step: u64,
    pub value: f64,
}

/// The phases of a schedule, and the area under its curve.
#[derive(serde::Serialize)]
pub struct Budget {
    #[serde(serialize_with = "named_phases")]
    pub phases: Vec<Phase>,
    #[serde(serialize_with = "named_area")]
    pub area: Area,
    pub mean: f64,
    /// The mean relative to the peak, if that is positive.
    pub mean_of_peak: Option<f64>,
    /// The steps at which the schedule has fallen to fractions of its peak, if that is positive.
    pub falls_to: Option<Falls>,
}

/// The first step after the peak with at most a fraction of its value.
#[derive(serde::Serialize)]
pub struct Falls {
    pub half: Option<u64>,
    pub tenth: Option<u64>,
    pub hundredth: Option<u64>,
}

impl Description {
    /// Describes a schedule of a spec.
    pub fn of(spec: &Spec, index: usize) -> Result<Self, Error> {
        let rows = index..index + 1;
        // Only this schedule is compiled, because the sweep may be large.
        let batch = spec.compile_rows(rows.clone())?;
        let steps = spec.table_steps_of(rows.clone()).ok();
        let document = Document { schedule: spec.schedule(index)?, momentum: spec.momentum(index)? };
        let length = document.schedule.length().filter(|_| spec.horizon().is_some()).map(|length| {
            // In epochs, as the horizon may be.
            length.saturating_mul(spec.steps_per_epoch().unwrap_or(1))
        });
        let names = spec.parameter_names().into_iter().map(str::to_owned);
        Ok(Self {
            schedule: index,
            schedules: spec.len(),
            parameters: names.zip(spec.point(index)).map(|(name, value)| (name, json!(value))).collect(),
            spec: document,
            steps,
            curve: Curve::of(&batch, steps),
            budget: steps.map(|steps| Budget::of(&batch, steps)),
            warnings: steps.map_or_else(Vec::new, |steps| warnings(&batch, 0, steps, length)),
            momentum: spec.compile_momentum_rows(rows)?.map(|momentum| Curve::of(&momentum, steps)),
        })
    }
}

impl Curve {
    fn of(batch: &Batch, steps: Option<u64>) -> Self {
        Self { segments: pieces(&batch.program(0)), values: steps.map(|steps| Values::of(batch, steps)) }
    }
}

impl Values {
    fn of(batch: &Batch, steps: u64) -> Self {
        let values = key_values(batch, 0, steps);
        let at = |(step, value)| At { step, value };
        Self {
            first: at((0, values.first)),
            largest: at(values.peak),
            smallest: at(values.least),
            last: at(values.last),
        }
    }
}

impl Budget {
    fn of(batch: &Batch, steps: u64) -> Self {
        let program = batch.program(0);
        let (peak_step, peak) = key_values(batch, 0, steps).peak;
        let area = area(batch, 0, steps);
        let mean = area.sum / steps as f64;
        let fallen = |fraction: f64| first_at_most(&program, peak_step, steps, peak * fraction);
        let falls = || Falls { half: fallen(0.5), tenth: fallen(0.1), hundredth: fallen(0.01) };
        Self {
            phases: phases(&program, steps),
            area,
            mean,
            mean_of_peak: (peak > 0.0).then(|| mean / peak),
            falls_to: (peak > 0.0).then(falls),
        }
    }
}

fn segments<S: Serializer>(pieces: &[Piece], serializer: S) -> Result<S::Ok, S::Error> {
    each(pieces, serializer, |piece| {
        let mut object = json!({
            "start": piece.start,
            "end": piece.end,
            "curve": piece.curve,
            "from": piece.from,
            "to": piece.to,
        });
        if let Some(factor) = piece.factor {
            object["factor"] = json!(factor);
        }
        if piece.every > 1 {
            object["every"] = json!(piece.every);
        }
        match piece.repetition {
            Repetition::None => {}
            Repetition::Restart { period } => object["restart"] = json!({ "period": period }),
            Repetition::Reflect { period } => object["reflect"] = json!({ "period": period }),
        }
        object
    })
}

fn named_phases<S: Serializer>(phases: &[Phase], serializer: S) -> Result<S::Ok, S::Error> {
    each(phases, serializer, |phase| {
        let mut object = json!({
            "phase": phase.kind.name(),
            "start": phase.start,
            "end": phase.end,
            "from": phase.from,
            "to": phase.to,
        });
        match phase.kind {
            PhaseKind::Cycles { period } => object["period"] = json!(period),
            PhaseKind::Stairs { count } | PhaseKind::Pieces { count } => object["count"] = json!(count),
            _ => {}
        }
        object
    })
}

fn named_area<S: Serializer>(area: &Area, serializer: S) -> Result<S::Ok, S::Error> {
    json!({ "sum": area.sum, "exact": area.exact }).serialize(serializer)
}

fn each<T, S: Serializer>(all: &[T], serializer: S, object: impl Fn(&T) -> Value) -> Result<S::Ok, S::Error> {
    let mut list = serializer.serialize_seq(Some(all.len()))?;
    all.iter().try_for_each(|one| list.serialize_element(&object(one)))?;
    list.end()
}
