//! Packs programs one by one, and joins batches that were packed separately; each structure is stored once.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use super::runs::Runs;
use super::{
    Batch, BlockCounts, BlockLayout, PackedHeight, PackedProgram, PackedSegment, PackedStage, PackedTrack,
    ReferenceValues,
};
use crate::double_double::DoubleDouble;
use crate::error::EvaluateError;
use crate::program::{Program, Segment};

/// A structure: the stages of a program and their tracks, with indices relative to the first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Structure {
    stages: Vec<PackedStage>,
    tracks: Vec<PackedTrack>,
}

impl Hash for Structure {
    /// Hashes all words at once, several times faster than field by field.
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write(bytemuck::cast_slice(&self.stages));
        state.write(bytemuck::cast_slice(&self.tracks));
    }
}

/// Packs programs one by one, sharing structure among them.
#[derive(Debug, Default)]
pub struct BatchBuilder {
    batch: Batch,
    /// Each stored structure, and its first stage in the table.
    known: HashMap<Structure, u32>,
    /// The structure of the last program and its first stage: the next program of a sweep usually has the same.
    last: (Structure, u32),
    /// The segments stored last.
    runs: Runs,
    /// The structure and segments of the program being packed; kept for their allocations.
    structure: Structure,
    segments: Vec<PackedSegment>,
}

impl BatchBuilder {
    /// Adds a program as the batch's next row.
    ///
    /// # Errors
    /// When the program cannot be evaluated, or the batch's tables would outgrow 32-bit indices.
    pub fn push(&mut self, program: &Program) -> Result<(), EvaluateError> {
        program.check()?;
        self.push_lowered(program)
    }

    /// Adds a lowered program, which needs no [`Program::check`].
    pub(crate) fn push_lowered(&mut self, program: &Program) -> Result<(), EvaluateError> {
        debug_assert_eq!(program.check(), Ok(()), "lowering made a program that cannot be evaluated");
        let Structure { stages, tracks } = &mut self.structure;
        stages.clear();
        tracks.clear();
        self.segments.clear();
        let height_first = self.batch.heights.len();
        for track in program.stages.iter().flat_map(|stage| &stage.tracks) {
            tracks.push(PackedTrack::new(track, self.segments.len() as u32));
            self.segments.extend(track.segments.iter().map(PackedSegment::from));
            let height = |segment: &Segment| PackedHeight::new(segment.base, segment.amplitude);
            self.batch.heights.extend(track.segments.iter().map(height));
        }
        let mut track_first = 0;
        for stage in &program.stages {
            let scaled = stage.offset != DoubleDouble::ZERO || stage.scale != DoubleDouble::ONE;
            let height = scaled.then(|| (self.batch.heights.len() - height_first) as u32);
            stages.push(PackedStage::new(stage, program.quantum, track_first, height));
            self.batch.heights.extend(scaled.then(|| PackedHeight::new(stage.offset, stage.scale)));
            track_first += stage.tracks.len() as u32;
        }
        let height_count = (self.batch.heights.len() - height_first) as u32;
        let (stages, tracks, segments) = (stages.len(), tracks.len(), self.segments.len());
        self.check_size(BlockCounts { programs: 1, stages, tracks, segments, heights: 0 })?;
        if self.structure != self.last.0 {
            self.last.1 = self.place();
            std::mem::swap(&mut self.last.0, &mut self.structure);
        }
        self.batch.programs.push(PackedProgram {
            stage_first: self.last.1,
            stage_count: stages as u32,
            segment_first: self.runs.place(&self.segments, &mut self.batch.segments),
            segment_count: segments as u32,
            height_first: height_first as u32,
            height_count,
        });
        Ok(())
    }

    /// Limits the batch to the last step of one of its schedules.
    pub(crate) fn end_at(&mut self, last: u64) {
        self.batch.last_step = Some(self.batch.last_step.map_or(last, |already| already.min(last)));
    }

    /// Appends the rows of another builder, as if each had been pushed here.
    ///
    /// The other builder is empty afterwards and keeps its allocations.
    ///
    /// # Errors
    /// When the batch's tables would outgrow 32-bit indices.
    pub fn append(&mut self, other: &mut Self) -> Result<(), EvaluateError> {
        let height_first = self.batch.heights.len() as u32;
        self.batch.heights.append(&mut other.batch.heights);
        self.check_size(BlockCounts { heights: 0, ..other.batch.counts() })?;
        // In the order of first occurrence, so that the tables do not depend on how the work was divided.
        let mut structures: Vec<(Structure, u32)> = other.known.drain().collect();
        structures.sort_unstable_by_key(|(_, first)| *first);
        let mut moved = vec![0; other.batch.stages.len()];
        for (structure, first) in structures {
            self.structure = structure;
            moved[first as usize] = self.place();
        }
        // Runs of segments are stored in order of first occurrence, so one beyond all others so far is new.
        let mut run_moved = vec![0; other.batch.segments.len() + 1];
        let (mut met, mut hashes) = (0, other.runs.hashes().iter());
        for program in other.batch.programs.drain(..) {
            let run = program.segment_first as usize..(program.segment_first + program.segment_count) as usize;
            if run.end > met {
                met = run.end;
                let (hash, segments) = (hashes.next().copied().unwrap_or(0), &other.batch.segments[run.clone()]);
                run_moved[run.start] = self.runs.place_hashed(hash, segments, &mut self.batch.segments);
            }
            self.batch.programs.push(PackedProgram {
                // An empty program has no stages to place.
                stage_first: moved.get(program.stage_first as usize).copied().unwrap_or(0),
                segment_first: if run.is_empty() { 0 } else { run_moved[run.start] },
                height_first: program.height_first + height_first,
                ..program
            });
        }
        if let Some(last) = other.batch.last_step.take() {
            self.end_at(last);
        }
        other.batch.stages.clear();
        other.batch.tracks.clear();
        other.batch.segments.clear();
        other.runs.clear();
        other.last = Default::default();
        Ok(())
    }

    /// Whether the builder has no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.batch.is_empty()
    }

    /// The number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.batch.len()
    }

    /// Bytes of the tables and of the caches that let rows share them.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let Batch { stages, tracks, .. } = &self.batch;
        let structures = size_of_val(&stages[..]) + size_of_val(&tracks[..]);
        let remembered = structures + self.known.len() * 2 * size_of::<(Structure, u32)>();
        self.batch.size() + remembered + size_of_val(self.runs.hashes())
    }

    /// The batch of the programs.
    #[must_use]
    pub fn batch(self) -> Batch {
        self.finish(None)
    }

    /// The batch, with a source of reference values.
    #[must_use]
    pub(crate) fn finish(self, reference: Option<Arc<dyn ReferenceValues>>) -> Batch {
        let mut batch = self.batch;
        batch.programs.shrink_to_fit();
        batch.stages.shrink_to_fit();
        batch.tracks.shrink_to_fit();
        batch.segments.shrink_to_fit();
        batch.heights.shrink_to_fit();
        Batch { reference, ..batch }
    }

    /// Checks that the tables still fit 32-bit indices with these further records; heights are already in the table.
    fn check_size(&self, more: BlockCounts) -> Result<(), EvaluateError> {
        let counts = self.batch.counts();
        let programs = counts.programs.saturating_add(more.programs);
        let grown = BlockCounts {
            programs,
            stages: counts.stages.saturating_add(more.stages),
            tracks: counts.tracks.saturating_add(more.tracks),
            segments: counts.segments.saturating_add(more.segments),
            heights: counts.heights,
        };
        match BlockLayout::of(grown) {
            Some(_) => Ok(()),
            None => Err(EvaluateError::TooLarge { schedules: programs, steps: 0, bytes: size_of::<PackedHeight>() }),
        }
    }

    /// The first stage of the current structure, which is stored if it is new.
    fn place(&mut self) -> u32 {
        if let Some(&first) = self.known.get(&self.structure) {
            return first;
        }
        let (first, track_first) = (self.batch.stages.len() as u32, self.batch.tracks.len() as u32);
        let stages = self.structure.stages.iter();
        self.batch
            .stages
            .extend(stages.map(|stage| PackedStage { track_first: stage.track_first + track_first, ..*stage }));
        self.batch.tracks.extend_from_slice(&self.structure.tracks);
        self.known.insert(self.structure.clone(), first);
        first
    }
}

impl Batch {
    /// Packs programs without published formulas; [`Batch::value`] then evaluates the lowered form.
    ///
    /// # Errors
    /// When [`Program::check`] rejects a program, or the batch's tables would exceed 32-bit indices.
    pub fn from_programs<'p>(programs: impl IntoIterator<Item = &'p Program>) -> Result<Self, EvaluateError> {
        let mut builder = BatchBuilder::default();
        for program in programs {
            builder.push(program)?;
        }
        Ok(builder.finish(None))
    }
}
