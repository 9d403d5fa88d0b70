//! Dense little-endian arrays: each tile is written to its own offsets.

use std::borrow::Cow;

use super::{AtomicFile, Header, Layout, Tile};
use crate::error::TableError;
use lrgrid::element::Element;

/// An array within a file: its offset and its shape.
#[derive(Clone, Debug)]
pub(super) struct Dense {
    layout: Layout,
    /// The first schedule of the table.
    first_row: usize,
    /// Lengths of the first and the second axis.
    shape: [usize; 2],
    /// Offset of its first byte in the file.
    start: u64,
}

impl Dense {
    /// The array of the header's table, from a byte offset on.
    pub(super) fn new(header: &Header<'_>, start: u64) -> Self {
        Self { layout: header.layout, first_row: header.rows.start, shape: header.shape(), start }
    }

    /// Offset after its last byte.
    pub(super) fn end<T: Element>(&self) -> u64 {
        self.start + self.shape[0] as u64 * self.shape[1] as u64 * size_of::<T>() as u64
    }

    /// Writes the values of a tile.
    pub(super) fn write<T: Element>(
        &self,
        file: &mut AtomicFile,
        tile: &Tile<'_, T>,
        values: &[T],
    ) -> Result<(), TableError> {
        let rows = tile.rows.start - self.first_row..tile.rows.end - self.first_row;
        let (lines, places) = match self.layout {
            Layout::Schedule => (rows, tile.columns.clone()),
            Layout::Step => (tile.columns.clone(), rows),
        };
        let place = |line: usize| {
            let index = line as u64 * self.shape[1] as u64 + places.start as u64;
            self.start + index * size_of::<T>() as u64
        };
        if places.len() == self.shape[1] || lines.len() <= 1 {
            return file.write_at(place(lines.start), &little_endian(values));
        }
        for (line, values) in lines.zip(values.chunks(places.len().max(1))) {
            file.write_at(place(line), &little_endian(values))?;
        }
        Ok(())
    }
}

/// Converts values in place from little-endian bytes.
pub(crate) fn from_little_endian<T: Element>(values: &mut [T]) {
    if cfg!(target_endian = "big") {
        let bytes: &mut [u8] = bytemuck::cast_slice_mut(values);
        bytes.chunks_exact_mut(size_of::<T>()).for_each(<[u8]>::reverse);
    }
}

/// The little-endian bytes of values.
pub(super) fn little_endian<T: Element>(values: &[T]) -> Cow<'_, [u8]> {
    let bytes: &[u8] = bytemuck::cast_slice(values);
    if cfg!(target_endian = "little") {
        return Cow::Borrowed(bytes);
    }
    let mut bytes = bytes.to_vec();
    bytes.chunks_exact_mut(size_of::<T>()).for_each(<[u8]>::reverse);
    Cow::Owned(bytes)
}
