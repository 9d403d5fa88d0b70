//! The placement of each program's records in the block on the device, and the free ranges.

use std::collections::HashMap;
use std::ops::Range;

use crate::error::GpuError;
use crate::packed::{Batch, BlockCounts, PackedHeight, PackedProgram, PackedSegment, PackedStage, PackedTrack};

/// Spare records, so that programs can be replaced by larger ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// Spare segments, 104 bytes each with their heights.
    pub segments: u32,
    /// Spare stages, 88 bytes each with their heights.
    pub stages: u32,
    /// Spare tracks, 56 bytes each.
    pub tracks: u32,
}

impl Default for Room {
    /// Room for a few programs: about 13 kilobytes.
    fn default() -> Self {
        Self { segments: 64, stages: 32, tracks: 64 }
    }
}

impl Room {
    /// Spare heights: one for each spare segment and stage.
    const fn heights(self) -> u32 {
        self.segments.saturating_add(self.stages)
    }
}

/// The free ranges of records, in order.
#[derive(Debug, Default)]
struct Free(Vec<Range<u32>>);

impl Free {
    /// The start of the first free range of at least `count` records.
    fn find(&self, count: u32) -> Option<u32> {
        self.0.iter().find(|run| run.len() >= count as usize).map(|run| run.start)
    }

    /// Allocates the front of a range that [`Free::find`] returned.
    fn take(&mut self, first: u32, count: u32) {
        if let Some(run) = self.0.iter_mut().find(|run| run.start == first) {
            run.start += count;
        }
        self.0.retain(|run| !run.is_empty());
    }

    fn give(&mut self, run: Range<u32>) {
        if run.is_empty() {
            return;
        }
        let at = self.0.partition_point(|other| other.start < run.start);
        self.0.insert(at, run);
        self.0.dedup_by(|next, run| {
            let joins = run.end == next.start;
            if joins {
                run.end = next.end;
            }
            joins
        });
    }

    /// Allocates a given range within a free one.
    fn take_at(&mut self, first: u32, count: u32) {
        if count == 0 {
            return;
        }
        if let Some(at) = self.0.iter().position(|run| run.start <= first && first + count <= run.end) {
            let run = self.0.remove(at);
            self.give(run.start..first);
            self.give(first + count..run.end);
        }
    }

    fn longest(&self) -> usize {
        self.0.iter().map(|run| run.len()).max().unwrap_or(0)
    }
}

/// Stages with their tracks, and the number of programs that share them.
#[derive(Debug)]
struct Shared {
    stages: Vec<PackedStage>,
    tracks: Vec<PackedTrack>,
    track_first: u32,
    users: u32,
}

/// The placement of a batch's programs.
///
/// Unlike in a batch, programs do not share segments here, so that each can be replaced by one with at most as many
/// records.
#[derive(Debug)]
pub(super) struct Placement {
    programs: Vec<PackedProgram>,
    /// Structures by their first stage.
    shared: HashMap<u32, Shared>,
    stages: Free,
    tracks: Free,
    segments: Free,
    heights: Free,
}

/// The records to write when a program is replaced.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Change {
    pub program: PackedProgram,
    /// The structure, if no program has it yet.
    pub structure: Option<NewStructure>,
    pub segments: Vec<PackedSegment>,
    pub heights: Vec<PackedHeight>,
}

/// Stages and tracks, with their indices in the tables.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NewStructure {
    pub stage_first: u32,
    pub stages: Vec<PackedStage>,
    pub track_first: u32,
    pub tracks: Vec<PackedTrack>,
}

/// A program's stages and tracks, with indices relative to its first track; and the index of that track.
fn structure(batch: &Batch, program: &PackedProgram) -> (Vec<PackedStage>, Vec<PackedTrack>, u32) {
    let stages = batch.stages_of(program);
    let first = stages.iter().map(|stage| stage.track_first).min().unwrap_or(0);
    let end = stages.iter().map(|stage| stage.track_first + stage.track_count).max().unwrap_or(first);
    let own = stages.iter().map(|stage| PackedStage { track_first: stage.track_first - first, ..*stage });
    (own.collect(), batch.tracks()[first as usize..end as usize].to_vec(), first)
}

/// The segments of a batch's programs one after another, as [`Placement`] lays them out.
pub(super) fn own_segments(batch: &Batch) -> Vec<PackedSegment> {
    batch.programs().iter().flat_map(|program| batch.segments_of(program)).copied().collect()
}

impl Placement {
    /// Lays the programs out in the batch's order, with room after each table.
    pub fn new(batch: &Batch, room: Room) -> Self {
        let mut shared: HashMap<u32, Shared> = HashMap::new();
        for program in batch.programs() {
            let entry = shared.entry(program.stage_first).or_insert_with(|| {
                let (stages, tracks, track_first) = structure(batch, program);
                Shared { stages, tracks, track_first, users: 0 }
            });
            entry.users += 1;
        }
        let mut segment_first = 0;
        let mut programs = batch.programs().to_vec();
        for program in &mut programs {
            program.segment_first = segment_first;
            segment_first += program.segment_count;
        }
        let counts = Self::used(batch);
        let spare = |used: usize, more: u32| {
            let mut free = Free::default();
            free.give(used as u32..(used as u32).saturating_add(more));
            free
        };
        Self {
            programs,
            shared,
            stages: spare(counts.stages, room.stages),
            tracks: spare(counts.tracks, room.tracks),
            segments: spare(counts.segments, room.segments),
            heights: spare(counts.heights, room.heights()),
        }
    }

    /// The number of records of a batch if its programs share no segments.
    fn used(batch: &Batch) -> BlockCounts {
        let segments = batch.programs().iter().map(|program| program.segment_count as usize).sum();
        BlockCounts { segments, ..batch.counts() }
    }

    /// The number of records in the block, room included.
    pub fn counts(batch: &Batch, room: Room) -> BlockCounts {
        let counts = Self::used(batch);
        BlockCounts {
            programs: counts.programs,
            stages: counts.stages.saturating_add(room.stages as usize),
            tracks: counts.tracks.saturating_add(room.tracks as usize),
            segments: counts.segments.saturating_add(room.segments as usize),
            heights: counts.heights.saturating_add(room.heights() as usize),
        }
    }

    /// The programs' records in the block.
    pub fn programs(&self) -> &[PackedProgram] {
        &self.programs
    }

    /// Replaces a program by a row of another batch; changes nothing if there is no room.
    pub fn replace(&mut self, row: usize, batch: &Batch, from: usize) -> Result<Change, GpuError> {
        let (new, old) = (batch.programs()[from], self.programs[row]);
        // Free the old records first: a program usually fits where the last one was.
        self.segments.give(old.segment_first..old.segment_first + old.segment_count);
        self.heights.give(old.height_first..old.height_first + old.height_count);
        let placed = self.place(&new, batch);
        let (program, structure) = match placed {
            Ok(placed) => placed,
            Err(error) => {
                // Allocate the old ranges again; nothing has taken them.
                self.segments.take_at(old.segment_first, old.segment_count);
                self.heights.take_at(old.height_first, old.height_count);
                return Err(error);
            }
        };
        self.segments.take(program.segment_first, program.segment_count);
        self.heights.take(program.height_first, program.height_count);
        self.leave(old.stage_first);
        self.programs[row] = program;
        let (segments, heights) = (batch.segments_of(&new).to_vec(), batch.heights_of(&new).to_vec());
        Ok(Change { program, structure, segments, heights })
    }

    /// Finds room for a program's segments and heights, and finds or allocates its structure.
    fn place(&mut self, new: &PackedProgram, batch: &Batch) -> Result<(PackedProgram, Option<NewStructure>), GpuError> {
        let short = |what, needed: usize, free: &Free| GpuError::Parameter {
            field: "the replacing program",
            found: format!("{needed} {what}"),
            remedy: format!("there is room for {} in a row: upload with more Room", free.longest()),
        };
        let segment_first = self.segments.find(new.segment_count);
        let segment_first =
            segment_first.ok_or_else(|| short("segments", new.segment_count as usize, &self.segments))?;
        let height_first = self.heights.find(new.height_count);
        let height_first = height_first.ok_or_else(|| short("heights", new.height_count as usize, &self.heights))?;
        let placed = PackedProgram { segment_first, height_first, ..*new };
        let (stages, tracks, _) = structure(batch, new);
        let known = self.shared.iter_mut().find(|(_, known)| known.stages == stages && known.tracks == tracks);
        if let Some((&first, known)) = known {
            known.users += 1;
            return Ok((PackedProgram { stage_first: first, ..placed }, None));
        }
        let stage_first = self.stages.find(stages.len() as u32);
        let stage_first = stage_first.ok_or_else(|| short("stages", stages.len(), &self.stages))?;
        let track_first = self.tracks.find(tracks.len() as u32);
        let track_first = track_first.ok_or_else(|| short("tracks", tracks.len(), &self.tracks))?;
        self.stages.take(stage_first, stages.len() as u32);
        self.tracks.take(track_first, tracks.len() as u32);
        let moved = stages.iter().map(|stage| PackedStage { track_first: stage.track_first + track_first, ..*stage });
        let change = NewStructure { stage_first, stages: moved.collect(), track_first, tracks: tracks.clone() };
        self.shared.insert(stage_first, Shared { stages, tracks, track_first, users: 1 });
        Ok((PackedProgram { stage_first, ..placed }, Some(change)))
    }

    /// Releases one use of a structure, and frees it after the last.
    fn leave(&mut self, stage_first: u32) {
        let Some(shared) = self.shared.get_mut(&stage_first) else { return };
        shared.users -= 1;
        if shared.users > 0 {
            return;
        }
        if let Some(shared) = self.shared.remove(&stage_first) {
            self.stages.give(stage_first..stage_first + shared.stages.len() as u32);
            self.tracks.give(shared.track_first..shared.track_first + shared.tracks.len() as u32);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::{Clamp, Program, Segment};

    fn holds(values: &[f64]) -> Program {
        Program::of((0..).zip(values).map(|(i, &value)| Segment::hold(i * 10, value)).collect())
    }

    fn batch(program: &Program) -> Batch {
        Batch::from_programs([program]).unwrap()
    }

    #[test]
    fn programs_move_only_where_they_must() {
        let three = Batch::from_programs([&holds(&[1.0, 2.0]), &holds(&[3.0]), &holds(&[4.0])]).unwrap();
        let mut placement = Placement::new(&three, Room { segments: 3, stages: 2, tracks: 2 });
        // The same size or smaller: in place.
        let change = placement.replace(0, &batch(&holds(&[5.0, 6.0])), 0).unwrap();
        assert_eq!((change.program.segment_first, change.structure), (0, None));
        assert_eq!(placement.replace(0, &batch(&holds(&[7.0])), 0).unwrap().program.segment_first, 0);
        // Larger: into the spare room, and back when it fits.
        let larger = placement.replace(1, &batch(&holds(&[1.0, 2.0, 3.0])), 0).unwrap();
        assert_eq!((larger.program.segment_first, larger.segments.len()), (4, 3));
        let refused = placement.replace(2, &batch(&holds(&[1.0, 2.0, 3.0, 4.0])), 0).unwrap_err();
        assert!(matches!(refused, GpuError::Parameter { .. }), "{refused}");
        // A rejected replacement changes nothing.
        let back = placement.replace(1, &batch(&holds(&[9.0, 9.0])), 0).unwrap();
        assert_eq!(back.program.segment_first, 1);
        assert_eq!((back.heights.len(), back.program.height_first), (2, 1));
        assert_eq!(placement.segments.find(3), Some(4));
    }

    #[test]
    fn structures_are_shared_and_freed() {
        let two = Batch::from_programs([&holds(&[1.0]), &holds(&[2.0])]).unwrap();
        let mut placement = Placement::new(&two, Room { segments: 0, stages: 1, tracks: 1 });
        let slow = |value| holds(&[value]).clamp(Clamp { upper: 8.0, ..Clamp::NONE });
        let other = placement.replace(0, &batch(&slow(3.0)), 0).unwrap();
        assert!(other.structure.is_some());
        assert!(placement.replace(1, &batch(&slow(4.0)), 0).unwrap().structure.is_none(), "it is known by now");
        // No program uses the first structure any more, so its range is free.
        assert!(placement.replace(1, &batch(&holds(&[5.0])), 0).unwrap().structure.is_some());
        assert_eq!(placement.shared.len(), 2);
    }
}
