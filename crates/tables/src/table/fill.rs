//! Passes a table from a source to a sink, a tile at a time under a memory bound: while one tile is written, the next
//! is computed.

use std::ops::Range;
use std::panic;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use super::{Header, Layout, Memory, Sink, Tile};
use crate::error::{Error, TableError};
use lrgrid::element::Element;
use lrgrid::error::EvaluateError;

/// Values of the first tile; later tiles grow as long as they are computed quickly.
const FIRST: usize = 1 << 16;

/// The target time per tile, since interruption is checked between tiles.
const SOON: Duration = Duration::from_millis(200);

/// Tiles in rotation: one is computed, one waits, one is written.
const TILES: usize = 3;

/// The source of a table's values.
pub trait Source<T: Element> {
    /// The number of schedules, from `first` on (an index in the whole sweep), that are best evaluated at all steps
    /// before the next ones.
    ///
    /// # Errors
    /// When schedule `first` is not available.
    fn rows_from(&mut self, _first: usize) -> Result<usize, Error> {
        Ok(usize::MAX)
    }

    /// The number of tile-sized buffers that the source needs for itself.
    fn scratch_tiles(&self) -> usize {
        0
    }

    /// Computes a rectangle in the order of the header's layout, and its momenta if there are any.
    ///
    /// # Errors
    /// When the values are not available.
    fn fill(
        &mut self,
        rows: Range<usize>,
        columns: Range<usize>,
        values: &mut [T],
        momentum: Option<&mut [T]>,
    ) -> Result<(), Error>;
}

/// Memory bound, interruption and progress of writing a table.
pub struct Control<'a> {
    /// The bound on memory.
    pub memory: Memory,
    /// Interrupts the work when another thread sets it.
    pub stop: &'a AtomicBool,
    /// Called with the number of values written, after each tile.
    pub progress: &'a mut dyn FnMut(u128),
}

impl Control<'_> {
    /// An error if the work was interrupted.
    pub(crate) fn check(&self) -> Result<(), TableError> {
        if self.stop.load(Ordering::Relaxed) { Err(TableError::Interrupted) } else { Ok(()) }
    }
}

/// Passes the header's table from a source to a sink.
///
/// The division into tiles changes no bit of the table. The calling thread writes; another thread computes the values.
///
/// # Errors
/// When the source or the sink fails, or the work is interrupted; with the number of values written.
pub fn write_table<T: Element>(
    source: &mut (impl Source<T> + Send),
    header: &Header<'_>,
    sink: &mut dyn Sink<T>,
    control: &mut Control<'_>,
) -> Result<(), Error> {
    let quantities = if header.momentum { 2 } else { 1 };
    let bytes = control.memory.tile(TILES * quantities + source.scratch_tiles());
    let most = usize::try_from(bytes).unwrap_or(usize::MAX) / size_of::<T>();
    let most = most.min(sink.most_values()).max(1);
    let cuts = Cuts::new(header.layout, header.rows.len(), header.steps.len(), most);
    let in_blocks = sink.takes_any_order();
    let (mut written, total) = (0, header.values());
    let result = thread::scope(|scope| {
        let (full, filled) = sync_channel(1);
        let (empty, emptied) = channel();
        for _ in 0..TILES {
            // The receiver still exists, so sending cannot fail.
            let _ = empty.send(Made::default());
        }
        let stop = control.stop;
        let maker = scope.spawn(move || make(source, header, (cuts, in_blocks), &emptied, &full, stop));
        // On return, `write` drops its ends of both channels, so the computing thread ends too.
        let wrote = write(filled, empty, header, sink, control, &mut written);
        match maker.join() {
            Ok(made) => wrote.and(made),
            Err(panic) => panic::resume_unwind(panic),
        }
    });
    result.map_err(|error| match error {
        Error::Table(source) => TableError::Unfinished { source: Box::new(source), written, total }.into(),
        other => other,
    })
}

/// Writes the tiles as they arrive, and returns their buffers.
fn write<T: Element>(
    filled: Receiver<Made<T>>,
    empty: Sender<Made<T>>,
    header: &Header<'_>,
    sink: &mut dyn Sink<T>,
    control: &mut Control<'_>,
    written: &mut u128,
) -> Result<(), Error> {
    for made in filled {
        control.check()?;
        sink.write(&made.tile(header))?;
        *written += made.values.len() as u128;
        (control.progress)(*written);
        // If the computing thread has ended, the buffer is not needed.
        let _ = empty.send(made);
    }
    Ok(())
}

/// Computes the tiles one after another, by blocks of schedules if `in_blocks`, until none is left or the receiver is
/// gone.
fn make<T: Element>(
    source: &mut impl Source<T>,
    header: &Header<'_>,
    (mut cuts, in_blocks): (Cuts, bool),
    emptied: &Receiver<Made<T>>,
    full: &SyncSender<Made<T>>,
    stop: &AtomicBool,
) -> Result<(), Error> {
    let most = cuts.most;
    cuts.most = most.min(FIRST);
    loop {
        if in_blocks && let Some(first) = cuts.starts_block() {
            cuts.block = source.rows_from(header.rows.start + first)?.max(1);
        }
        let Some(cut) = cuts.next() else { return Ok(()) };
        let Ok(mut made) = emptied.recv() else { return Ok(()) };
        if stop.load(Ordering::Relaxed) {
            return Err(TableError::Interrupted.into());
        }
        made.rows = header.rows.start + cut.rows.start..header.rows.start + cut.rows.end;
        made.columns = cut.columns;
        let (rows, columns) = (made.rows.len(), made.columns.len());
        resize(&mut made.values, rows, columns)?;
        resize(&mut made.momentum, if header.momentum { rows } else { 0 }, columns)?;
        let momentum = header.momentum.then_some(&mut made.momentum[..]);
        let started = Instant::now();
        source.fill(made.rows.clone(), made.columns.clone(), &mut made.values, momentum)?;
        cuts.most = match started.elapsed() {
            long if long > SOON => (cuts.most / 2).max(1),
            short if short < SOON / 4 => cuts.most.saturating_mul(2).min(most),
            _ => cuts.most,
        };
        if full.send(made).is_err() {
            return Ok(());
        }
    }
}

/// A computed tile, or a buffer for one.
struct Made<T> {
    rows: Range<usize>,
    columns: Range<usize>,
    values: Vec<T>,
    momentum: Vec<T>,
}

impl<T> Default for Made<T> {
    fn default() -> Self {
        Self { rows: 0..0, columns: 0..0, values: Vec::new(), momentum: Vec::new() }
    }
}

impl<T> Made<T> {
    fn tile(&self, header: &Header<'_>) -> Tile<'_, T> {
        Tile {
            rows: self.rows.clone(),
            columns: self.columns.clone(),
            values: &self.values,
            momentum: header.momentum.then_some(&self.momentum[..]),
        }
    }
}

/// Resizes a buffer for a tile; existing values are kept.
pub(super) fn resize<T: Element>(buffer: &mut Vec<T>, rows: usize, columns: usize) -> Result<(), EvaluateError> {
    let too_large = || EvaluateError::TooLarge { schedules: rows, steps: columns as u64, bytes: size_of::<T>() };
    let length = rows.checked_mul(columns).ok_or_else(too_large)?;
    buffer.truncate(length);
    buffer.try_reserve_exact(length - buffer.len()).map_err(|_| too_large())?;
    buffer.resize(length, T::zeroed());
    Ok(())
}

/// A rectangle of the table: rows relative to the header's first, and columns.
#[derive(Debug, PartialEq, Eq)]
struct Cut {
    rows: Range<usize>,
    columns: Range<usize>,
}

/// An iterator over the tiles of a table, block of schedules by block, each in the order of the file: whole lines of
/// the first axis if they fit, otherwise parts of one line.
struct Cuts {
    layout: Layout,
    rows: usize,
    columns: usize,
    /// The most values in a tile.
    most: usize,
    /// The most schedules in the current block.
    block: usize,
    /// The first schedule of the current block.
    first: usize,
    /// The next line and the index in it.
    next: [usize; 2],
}

impl Cuts {
    /// All schedules in one block.
    fn new(layout: Layout, rows: usize, columns: usize, most: usize) -> Self {
        Self { layout, rows, columns, most, block: usize::MAX, first: 0, next: [0, 0] }
    }

    /// The first schedule of the next tile, if that begins a block.
    fn starts_block(&self) -> Option<usize> {
        (self.next == [0, 0] && self.first < self.rows).then_some(self.first)
    }
}

impl Iterator for Cuts {
    type Item = Cut;

    fn next(&mut self) -> Option<Cut> {
        if self.first >= self.rows || self.columns == 0 {
            return None;
        }
        let first = self.first;
        let rows = self.block.min(self.rows - first);
        let shape = if self.layout == Layout::Schedule { [rows, self.columns] } else { [self.columns, rows] };
        let [line, place] = self.next;
        let most_lines = (self.most / shape[1]).max(1);
        let lines = line..line.saturating_add(most_lines).min(shape[0]);
        let places = place..place.saturating_add(self.most).min(shape[1]);
        self.next = if places.end == shape[1] { [lines.end, 0] } else { [line, places.end] };
        if self.next[0] >= shape[0] {
            (self.first, self.next) = (first + rows, [0, 0]);
        }
        let shifted = |range: Range<usize>| range.start + first..range.end + first;
        Some(match self.layout {
            Layout::Schedule => Cut { rows: shifted(lines), columns: places },
            Layout::Step => Cut { rows: shifted(places), columns: lines },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::{Batches, Evaluated, Stored};
    use lrgrid::Steps;
    use lrgrid::curve::Curve;
    use lrgrid::evaluate::Reference;
    use lrgrid::packed::Batch;
    use lrgrid::program::{Program, Segment};

    /// A table in memory that takes tiles in order, or puts them in their places.
    struct Table {
        any_order: bool,
        shape: [usize; 2],
        layout: Layout,
        values: Vec<f64>,
        momentum: Vec<f64>,
        fails_after: usize,
    }

    impl Sink<f64> for Table {
        fn takes_any_order(&self) -> bool {
            self.any_order
        }

        fn write(&mut self, tile: &Tile<'_, f64>) -> Result<(), TableError> {
            let Some(left) = self.fails_after.checked_sub(1) else { return Err(full()) };
            self.fails_after = left;
            assert_eq!(tile.values.len(), tile.rows.len() * tile.columns.len());
            let rows = tile.rows.start - 2..tile.rows.end - 2;
            let (lines, places) = match self.layout {
                Layout::Schedule => (rows, tile.columns.clone()),
                Layout::Step => (tile.columns.clone(), rows),
            };
            if !self.any_order {
                self.values.extend_from_slice(tile.values);
                self.momentum.extend_from_slice(tile.momentum.unwrap());
                return Ok(());
            }
            let size = self.shape[0] * self.shape[1];
            self.values.resize(size, f64::NAN);
            self.momentum.resize(size, f64::NAN);
            for (index, line) in lines.enumerate() {
                let (from, to) = (index * places.len(), line * self.shape[1] + places.start);
                self.values[to..to + places.len()].copy_from_slice(&tile.values[from..from + places.len()]);
                let momentum = &tile.momentum.unwrap()[from..from + places.len()];
                self.momentum[to..to + places.len()].copy_from_slice(momentum);
            }
            Ok(())
        }

        fn finish(self: Box<Self>) -> Result<Vec<Stored>, TableError> {
            Ok(Vec::new())
        }
    }

    fn full() -> TableError {
        TableError::Io { path: "disk".into(), source: std::io::ErrorKind::StorageFull.into() }
    }

    fn batch(rows: Range<usize>, sign: f64) -> Batch {
        let line = |row: usize| {
            Program::from_segments(vec![Segment::transition(0, 40, 0.0, sign * row as f64, Curve::Linear)]).unwrap()
        };
        Batch::from_programs(&rows.map(line).collect::<Vec<_>>()).unwrap()
    }

    /// The first of some rows, as many as fit.
    fn batches(rows: Range<usize>, bytes: usize) -> Batches {
        let count = (bytes / (2 * batch(0..1, 1.0).size())).clamp(1, rows.len());
        let rows = rows.start..rows.start + count;
        Batches { rate: batch(rows.clone(), 1.0), momentum: Some(batch(rows, -1.0)) }
    }

    fn header(layout: Layout) -> Header<'static> {
        Header {
            layout,
            rows: 2..6,
            steps: Steps::range(1..37).stride_by(1),
            parameters: Vec::new(),
            point: Box::new(|_| Vec::new()),
            momentum: true,
            metadata: Default::default(),
        }
    }

    fn table(header: &Header<'_>, any_order: bool) -> Table {
        let (shape, layout) = (header.shape(), header.layout);
        Table { any_order, shape, layout, values: Vec::new(), momentum: Vec::new(), fails_after: usize::MAX }
    }

    #[test]
    fn every_memory_bound_gives_the_same_table() {
        for (layout, any_order) in Layout::ALL.into_iter().flat_map(|layout| [(layout, false), (layout, true)]) {
            let header = header(layout);
            let whole = batch(0..7, 1.0);
            let want: Vec<f64> = (0..36 * 4)
                .map(|index| match layout {
                    Layout::Schedule => whole.value(2 + index / 36, 1 + (index % 36) as u64),
                    Layout::Step => whole.value(2 + index % 4, 1 + (index / 4) as u64),
                })
                .collect();
            for memory in [1, 64, 100, 1000, 1160, 5000, 20_000, 1 << 30] {
                let memory = Memory::at_most(memory);
                let compile = |rows: Range<usize>, bytes: usize| Ok(batches(rows, bytes));
                let mut source = Evaluated::new(&Reference, &header, memory, compile).unwrap();
                let (mut table, mut seen, stop) = (table(&header, any_order), 0, AtomicBool::new(false));
                let mut control = Control { memory, stop: &stop, progress: &mut |values| seen = values };
                write_table(&mut source, &header, &mut table, &mut control).unwrap();
                assert_eq!(table.values, want, "{layout:?} in {memory:?}");
                assert_eq!(table.momentum, want.iter().map(|value| -value).collect::<Vec<_>>());
                assert_eq!(seen, want.len() as u128);
            }
        }
    }

    /// How far a table comes whose sink fails or which is stopped after some tiles.
    fn stopped(fails_after: usize, stops_after: usize) -> (TableError, u128, u128) {
        let (header, memory) = (header(Layout::Schedule), Memory::at_most(2000));
        let compile = |rows: Range<usize>, bytes: usize| Ok(batches(rows, bytes));
        let mut source = Evaluated::new(&Reference, &header, memory, compile).unwrap();
        let stop = AtomicBool::new(stops_after == 0);
        let mut tiles = 0;
        let mut progress = |_| {
            tiles += 1;
            stop.store(tiles >= stops_after, Ordering::Relaxed);
        };
        let mut control = Control { memory, stop: &stop, progress: &mut progress };
        let mut table = Table { fails_after, ..table(&header, false) };
        match write_table(&mut source, &header, &mut table, &mut control) {
            Err(Error::Table(TableError::Unfinished { source, written, total })) => (*source, written, total),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn errors_say_how_far_the_table_came() {
        let (error, written, total) = stopped(2, usize::MAX);
        assert!(matches!(error, TableError::Io { .. }) && written > 0 && written < total, "{error}: {written}");
        let (error, written, total) = stopped(usize::MAX, 1);
        assert!(matches!(error, TableError::Interrupted) && written > 0 && written < total, "{error}: {written}");
        assert!(matches!(stopped(usize::MAX, 0), (TableError::Interrupted, 0, 144)));
    }

    #[test]
    fn an_empty_table_has_no_tiles() {
        assert!(Cuts::new(Layout::Schedule, 0, 5, 100).next().is_none());
        assert!(Cuts::new(Layout::Step, 5, 0, 100).next().is_none());
    }
}
