//! How a table is cut into dispatches.

use std::ops::Range;

use super::shader::THREAD_BYTES;

/// A rectangle of the table, filled by one dispatch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tile {
    /// Rows, counted from the first one evaluated.
    pub rows: Range<usize>,
    /// Columns.
    pub columns: Range<usize>,
    /// Threads per row.
    pub groups: u32,
}

impl Tile {
    /// Bytes that the dispatch writes, padding included.
    pub fn bytes(&self) -> u64 {
        self.rows.len() as u64 * u64::from(self.groups) * THREAD_BYTES as u64
    }

    /// Threads of the dispatch.
    pub fn threads(&self) -> u64 {
        self.rows.len() as u64 * u64::from(self.groups)
    }
}

/// Cuts `rows` × `columns` into tiles of at most `tile_bytes` and `tile_columns`, with `width` values per thread.
///
/// Whole rows where one fits into a tile, else pieces of single rows.
pub(super) fn tiles(
    rows: Range<usize>,
    columns: usize,
    width: usize,
    tile_bytes: u64,
    tile_columns: usize,
) -> impl Iterator<Item = Tile> {
    let most_groups = usize::try_from(tile_bytes / THREAD_BYTES as u64).unwrap_or(usize::MAX).clamp(1, 1 << 26);
    let most_columns = (most_groups.saturating_mul(width)).min((tile_columns / width).max(1) * width);
    let columns_per_tile = columns.min(most_columns).max(1);
    let rows_per_tile = (most_groups / columns_per_tile.div_ceil(width)).max(1);
    rows.clone().step_by(rows_per_tile).flat_map(move |row| {
        let tile_rows = row..(row + rows_per_tile).min(rows.end);
        (0..columns).step_by(columns_per_tile).map(move |column| {
            let tile_columns = column..(column + columns_per_tile).min(columns);
            let groups = tile_columns.len().div_ceil(width) as u32;
            Tile { rows: tile_rows.clone(), columns: tile_columns, groups }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_cover_the_table_once_and_fit() {
        for (rows, columns, width, bytes, most) in [
            (5, 7, 4, 64, 1000),
            (3, 1000, 8, 160, 1000),
            (1, 1, 4, 16, 8),
            (100, 3, 8, 1 << 20, 8),
            (2, 50, 4, 1 << 10, 8),
        ] {
            let mut seen = vec![0; rows * columns];
            for tile in tiles(0..rows, columns, width, bytes, most) {
                assert!(tile.bytes() <= bytes && tile.columns.len() <= most, "{tile:?}");
                assert!(tile.groups as usize * width >= tile.columns.len());
                for row in tile.rows {
                    for column in tile.columns.clone() {
                        seen[row * columns + column] += 1;
                    }
                }
            }
            assert!(seen.iter().all(|&count| count == 1), "{rows} × {columns}");
        }
    }
}
