//! The batch's four tables on the device: as many rows at a time as can be bound.

use std::ops::Range;

use super::device::Device;
use crate::error::GpuError;
use crate::packed::{Batch, BatchId, PackedProgram, PackedSegment};

/// Buffers of programs, stages, tracks and segments, kept from one evaluation to the next.
#[derive(Debug, Default)]
pub(super) struct Tables {
    buffers: [Option<wgpu::Buffer>; 4],
    /// Whose rows they hold.
    held: Option<(BatchId, Range<usize>)>,
}

const NAMES: [&str; 4] = ["programs", "stages", "tracks", "segments"];

/// The longest run of rows from `rows.start` whose programs and segments fit into `limit` bytes each.
fn fitting(batch: &Batch, rows: Range<usize>, limit: u64) -> Range<usize> {
    let programs = &batch.programs()[rows.clone()];
    let most = usize::try_from(limit / size_of::<PackedProgram>() as u64).unwrap_or(usize::MAX);
    let first = programs.first().map_or(0, |program| u64::from(program.segment_first));
    // Segments lie in the programs' order, so the bytes rise from row to row.
    let fit = programs.partition_point(|program| {
        let segments = u64::from(program.segment_first) + u64::from(program.segment_count) - first;
        segments * size_of::<PackedSegment>() as u64 <= limit
    });
    rows.start..rows.start + fit.min(most).min(rows.len())
}

/// `rows` in runs whose tables take at most `limit` bytes each.
pub(super) fn slices(
    limit: u64,
    adapter: &str,
    batch: &Batch,
    rows: Range<usize>,
) -> Result<Vec<Range<usize>>, GpuError> {
    let too_large = |table, needed| GpuError::TooLarge { table, needed, limit, adapter: adapter.to_owned() };
    for (table, needed) in [("stages", size_of_val(batch.stages())), ("tracks", size_of_val(batch.tracks()))] {
        if needed as u64 > limit {
            return Err(too_large(table, needed as u64));
        }
    }
    let (mut out, mut rest) = (Vec::new(), rows);
    while !rest.is_empty() {
        let slice = fitting(batch, rest.clone(), limit);
        if slice.is_empty() {
            let segments = batch.programs()[rest.start].segment_count as usize;
            return Err(too_large("segments", (segments * size_of::<PackedSegment>()) as u64));
        }
        rest.start = slice.end;
        out.push(slice);
    }
    Ok(out)
}

impl Tables {
    /// Puts the tables of these rows on the device, unless they are there; row 0 of the shader is `rows.start`.
    pub fn upload(&mut self, device: &Device, batch: &Batch, rows: Range<usize>) {
        let held = Some((batch.id(), rows.clone()));
        if self.held == held {
            return;
        }
        self.held = held;
        let mut programs = batch.programs()[rows].to_vec();
        let first = programs.first().map_or(0, |program| program.segment_first);
        let end = programs.last().map_or(0, |program| program.segment_first + program.segment_count);
        for program in &mut programs {
            program.segment_first -= first;
        }
        let segments = &batch.segments()[first as usize..end as usize];
        let contents: [&[u8]; 4] = [
            bytemuck::cast_slice(&programs),
            bytemuck::cast_slice(batch.stages()),
            bytemuck::cast_slice(batch.tracks()),
            bytemuck::cast_slice(segments),
        ];
        for ((slot, name), bytes) in self.buffers.iter_mut().zip(NAMES).zip(contents) {
            if slot.as_ref().is_none_or(|buffer| buffer.size() < bytes.len() as u64) {
                // A binding must hold at least one record.
                let size = (bytes.len() as u64).max(size_of::<PackedSegment>() as u64);
                *slot = Some(device.buffer(name, size, wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST));
            }
            if let Some(buffer) = slot {
                device.queue.write_buffer(buffer, 0, bytes);
            }
        }
    }

    /// The buffers, in the order of their bindings, once uploaded.
    pub fn buffers(&self) -> impl Iterator<Item = &wgpu::Buffer> {
        self.buffers.iter().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::{Program, Segment};

    #[test]
    fn rows_are_sliced_to_the_limit() {
        let many = Program::of((0..5).map(|i| Segment::hold(i * 10, i as f64)).collect());
        let programs = [many.clone(), Program::hold(1.0), many.clone(), many];
        let batch = Batch::from_programs(&programs).unwrap();
        let limit = |segments: usize| (segments * size_of::<PackedSegment>()) as u64;
        let sliced = |segments| slices(limit(segments), "", &batch, 0..4);
        assert_eq!(sliced(100).unwrap(), vec![0..4]);
        assert_eq!(sliced(6).unwrap(), vec![0..2, 2..3, 3..4]);
        assert_eq!(sliced(11).unwrap(), vec![0..3, 3..4]);
        assert!(matches!(sliced(4), Err(GpuError::TooLarge { table: "segments", .. })));
        assert!(matches!(sliced(0), Err(GpuError::TooLarge { .. })));
    }
}
