//! A batch's five tables on the device: as many rows at a time as can be bound.

use std::ops::Range;

use super::device::Device;
use crate::error::GpuError;
use crate::packed::{Batch, BatchId, PackedHeight, PackedProgram, PackedSegment};

/// Buffers of programs, stages, tracks, segments and heights, kept between evaluations.
#[derive(Debug, Default)]
pub(super) struct Tables {
    buffers: [Option<wgpu::Buffer>; 5],
    /// The batch and the rows that they hold.
    held: Option<(BatchId, Range<usize>)>,
}

const NAMES: [&str; 5] = ["programs", "stages", "tracks", "segments", "heights"];

/// The smallest ranges of segments and heights that contain those of some rows.
#[derive(Clone, Debug, Default)]
struct Window {
    segments: Range<u32>,
    heights: Range<u32>,
}

impl Window {
    /// The window extended by one row.
    fn with(&self, program: &PackedProgram) -> Self {
        let own = |first: u32, count: u32| first..first + count;
        let joined = |a: &Range<u32>, b: Range<u32>| {
            match (a.is_empty(), b.is_empty()) {
                (true, _) => b,
                // A program without segments extends nothing.
                (_, true) => a.clone(),
                _ => a.start.min(b.start)..a.end.max(b.end),
            }
        };
        Self {
            segments: joined(&self.segments, own(program.segment_first, program.segment_count)),
            heights: joined(&self.heights, own(program.height_first, program.height_count)),
        }
    }

    /// The window of some rows.
    fn of(programs: &[PackedProgram]) -> Self {
        programs.iter().fold(Self::default(), |window, program| window.with(program))
    }

    /// Whether each range takes at most `limit` bytes.
    fn fits(&self, limit: u64) -> bool {
        self.segments.len() as u64 * size_of::<PackedSegment>() as u64 <= limit
            && self.heights.len() as u64 * size_of::<PackedHeight>() as u64 <= limit
    }
}

/// The most rows from `rows.start` on whose programs, segments and heights fit into `limit` bytes each.
fn fitting(batch: &Batch, rows: Range<usize>, limit: u64) -> Range<usize> {
    let most = usize::try_from(limit / size_of::<PackedProgram>() as u64).unwrap_or(usize::MAX);
    let mut window = Window::default();
    let grows = |program: &&PackedProgram| {
        window = window.with(program);
        window.fits(limit)
    };
    let fit = batch.programs()[rows.clone()].iter().take(most).take_while(grows).count();
    rows.start..rows.start + fit
}

/// Divides `rows` into slices whose tables take at most `limit` bytes each.
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
    /// Uploads the tables of these rows unless the device has them; row 0 of the shader is `rows.start`.
    pub fn upload(&mut self, device: &Device, batch: &Batch, rows: Range<usize>) {
        let held = Some((batch.id(), rows.clone()));
        if self.held == held {
            return;
        }
        self.held = held;
        let mut programs = batch.programs()[rows].to_vec();
        let Window { segments, heights } = Window::of(&programs);
        for program in &mut programs {
            program.segment_first = program.segment_first.saturating_sub(segments.start);
            program.height_first = program.height_first.saturating_sub(heights.start);
        }
        let contents: [&[u8]; 5] = [
            bytemuck::cast_slice(&programs),
            bytemuck::cast_slice(batch.stages()),
            bytemuck::cast_slice(batch.tracks()),
            bytemuck::cast_slice(&batch.segments()[segments.start as usize..segments.end as usize]),
            bytemuck::cast_slice(&batch.heights()[heights.start as usize..heights.end as usize]),
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
        let many = |from: u64| Program::of((0..5).map(|i| Segment::hold(i * from, i as f64)).collect());
        let programs = [many(10), Program::hold(1.0), many(11), many(12), many(12)];
        let batch = Batch::from_programs(&programs).unwrap();
        let limit = |segments: usize| (segments * size_of::<PackedSegment>()) as u64;
        let sliced = |segments| slices(limit(segments), "", &batch, 0..5);
        assert_eq!(sliced(100).unwrap(), vec![0..5]);
        assert_eq!(sliced(6).unwrap(), vec![0..2, 2..3, 3..5], "two share their segments");
        assert_eq!(sliced(11).unwrap(), vec![0..3, 3..5]);
        assert!(matches!(sliced(4), Err(GpuError::TooLarge { table: "segments", .. })));
        assert!(matches!(sliced(0), Err(GpuError::TooLarge { .. })));
    }

    #[test]
    fn heights_count_as_segments_do() {
        let batch = Batch::from_programs(&vec![Program::hold(1.0); 100]).unwrap();
        assert_eq!(batch.segments().len(), 1);
        let limit = 40 * size_of::<PackedHeight>() as u64;
        assert_eq!(slices(limit, "", &batch, 0..100).unwrap(), vec![0..40, 40..80, 80..100]);
    }
}
