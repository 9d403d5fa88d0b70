//! Batches: programs packed into five tables of 32-bit words, which every backend reads.
//!
//! Stages, tracks and segments hold the *timing*: when values change and along which curve. *Heights* hold the values:
//! base and amplitude of each segment. The programs of a sweep usually differ in heights only, so each timing is stored
//! once. See ARCHITECTURE.md for the terms, and `docs/block.md` for the layout.

mod block;
mod builder;
mod height;
mod layout;
mod number;
mod runs;
mod words;

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

pub use block::{BLOCK_HEADER_WORDS, BLOCK_MAGIC, BlockCounts, BlockLayout};
pub use builder::BatchBuilder;
pub use height::PackedHeight;
pub use layout::{
    FLAG_LEAD, FLAG_QUANTUM, FLAG_REVERSED, PackedProgram, PackedSegment, PackedStage, PackedTrack, REPEAT_NONE,
    REPEAT_REFLECT, REPEAT_RESTART,
};
pub use number::{EXPONENT_BIAS, PackedNumber, SIGN_BIT};
pub use words::{integer, words};

use crate::double_double::DoubleDouble;
use crate::error::EvaluateError;
use crate::program::{Program, Stage, Track};
use crate::steps::Steps;

/// A source of reference values for a batch: its schedules, evaluated from their published formulas.
///
/// A compiled spec keeps itself here, so that [`Reference`](crate::Reference) never sees the lowered form.
pub(crate) trait ReferenceValues: Send + Sync + fmt::Debug {
    /// Calls `write` with the value of one schedule at each of the steps, in order, accurate to about 100 bits.
    fn values(&self, schedule: usize, steps: &mut dyn Iterator<Item = u64>, write: &mut dyn FnMut(DoubleDouble));
}

/// Compiled schedules that any backend can evaluate: the rows of a table.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    programs: Vec<PackedProgram>,
    stages: Vec<PackedStage>,
    tracks: Vec<PackedTrack>,
    segments: Vec<PackedSegment>,
    heights: Vec<PackedHeight>,
    /// The last step at which every schedule has a value.
    last_step: Option<u64>,
    /// Where the reference values come from; from the lowered form if nothing is here.
    reference: Option<Arc<dyn ReferenceValues>>,
    id: BatchId,
}

/// The identity of a batch: equal for a batch and its clones, whose tables never change, and for no others.
#[derive(Clone, Debug, Default)]
pub(crate) struct BatchId(Arc<()>);

impl PartialEq for BatchId {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// `count` records of a table, from index `first`.
#[inline(always)]
fn records<T>(table: &[T], first: u32, count: u32) -> &[T] {
    &table[first as usize..][..count as usize]
}

impl Batch {
    /// The identity that this batch shares with its clones only.
    #[cfg_attr(not(feature = "gpu"), expect(dead_code, reason = "only a device keeps tables"))]
    pub(crate) fn id(&self) -> BatchId {
        self.id.clone()
    }

    /// Number of schedules: the rows of a table.
    #[must_use]
    pub fn len(&self) -> usize {
        self.programs.len()
    }

    /// Whether there are no schedules.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.programs.is_empty()
    }

    /// The last step at which every schedule has a value; `None` if no schedule ends.
    #[must_use]
    pub fn last_step(&self) -> Option<u64> {
        self.last_step
    }

    /// The reference: the value of a schedule at a step, from its published formula.
    ///
    /// # Panics
    /// When `schedule` is not below [`Batch::len`], as of a slice.
    #[must_use]
    pub fn value(&self, schedule: usize, step: u64) -> f64 {
        let mut value = f64::NAN;
        self.reference_values(schedule, &mut std::iter::once(step), &mut |exact| value = exact.high());
        value
    }

    /// The reference values of one schedule at many steps, in order.
    ///
    /// # Panics
    /// When `schedule` is not below [`Batch::len`], as of a slice.
    pub fn reference_values(
        &self,
        schedule: usize,
        steps: &mut dyn Iterator<Item = u64>,
        write: &mut dyn FnMut(DoubleDouble),
    ) {
        assert!(schedule < self.len(), "schedule {schedule} of {}", self.len());
        match &self.reference {
            Some(reference) => reference.values(schedule, steps, write),
            None => {
                let program = self.program(schedule);
                steps.for_each(|step| write(program.exact(step)));
            }
        }
    }

    /// The lowered form of a schedule, as the backends see it.
    ///
    /// # Panics
    /// When `schedule` is not below [`Batch::len`].
    #[must_use]
    pub fn program(&self, schedule: usize) -> Program {
        let mut program = Program { quantum: 1, stages: Vec::new() };
        self.program_into(schedule, &mut program);
        program
    }

    /// Unpacks the lowered form of a schedule into `program`, reusing its memory.
    ///
    /// # Panics
    /// When `schedule` is not below [`Batch::len`].
    pub fn program_into(&self, schedule: usize, program: &mut Program) {
        let packed = &self.programs[schedule];
        let (segments, heights) = (self.segments_of(packed), self.heights_of(packed));
        let stages = self.stages_of(packed);
        program.quantum = stages.first().map_or(1, |stage| integer(stage.quantum));
        program.stages.resize_with(stages.len(), || Stage::of(Track::of(Vec::new())));
        for (packed, stage) in stages.iter().zip(&mut program.stages) {
            packed.unpack_into(&self.tracks, segments, heights, stage);
        }
    }

    /// The table of programs.
    #[must_use]
    pub fn programs(&self) -> &[PackedProgram] {
        &self.programs
    }

    /// The table of stages.
    #[must_use]
    pub fn stages(&self) -> &[PackedStage] {
        &self.stages
    }

    /// The table of tracks.
    #[must_use]
    pub fn tracks(&self) -> &[PackedTrack] {
        &self.tracks
    }

    /// The table of segments.
    #[must_use]
    pub fn segments(&self) -> &[PackedSegment] {
        &self.segments
    }

    /// The table of heights.
    #[must_use]
    pub fn heights(&self) -> &[PackedHeight] {
        &self.heights
    }

    /// The stages of a program of this batch.
    #[inline(always)]
    pub(crate) fn stages_of(&self, program: &PackedProgram) -> &[PackedStage] {
        records(&self.stages, program.stage_first, program.stage_count)
    }

    /// The tracks of a stage of this batch.
    #[inline(always)]
    pub(crate) fn tracks_of(&self, stage: &PackedStage) -> &[PackedTrack] {
        records(&self.tracks, stage.track_first, stage.track_count)
    }

    /// The segments of a program of this batch.
    #[inline(always)]
    pub(crate) fn segments_of(&self, program: &PackedProgram) -> &[PackedSegment] {
        records(&self.segments, program.segment_first, program.segment_count)
    }

    /// The heights of a program of this batch: one for each segment, then those of its stages.
    #[inline(always)]
    pub(crate) fn heights_of(&self, program: &PackedProgram) -> &[PackedHeight] {
        records(&self.heights, program.height_first, program.height_count)
    }

    /// Checks the range of the steps.
    ///
    /// # Errors
    /// When a step is out of range, or past the end of a schedule that ends.
    pub fn check_steps(&self, steps: &Steps) -> Result<(), EvaluateError> {
        steps.check()?;
        match (self.last_step, steps.largest()) {
            (Some(last), Some(step)) if step > last => Err(EvaluateError::PastEnd { step, last }),
            _ => Ok(()),
        }
    }

    /// Checks the shape of an output buffer, the rows and the range of the steps.
    ///
    /// # Errors
    /// When the batch lacks one of the rows, `found` is not `rows.len() × steps.len()`, or a step is out of range or
    /// past the end of a schedule that ends.
    pub fn check_output(&self, rows: &Range<usize>, steps: &Steps, found: usize) -> Result<(), EvaluateError> {
        self.check_steps(steps)?;
        if rows.start > rows.end || rows.end > self.len() {
            return Err(EvaluateError::Rows { start: rows.start, end: rows.end, schedules: self.len() });
        }
        match rows.len().checked_mul(steps.len()) {
            Some(needed) if needed == found => Ok(()),
            _ => Err(EvaluateError::OutputLength { schedules: rows.len(), steps: steps.len() as u64, found }),
        }
    }
}
