//! How a table is cut into dispatches.

use std::ops::Range;

use super::shader::{GROUP, MAX_OCTETS, OCTET, THREAD_BYTES};

/// A rectangle of the table, filled by one dispatch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tile {
    /// Rows, counted from the first one evaluated.
    pub rows: Range<usize>,
    /// Columns.
    pub columns: Range<usize>,
    /// The row's pitch in units of 16 bytes.
    pub groups: u32,
}

impl Tile {
    /// Bytes that the dispatch writes, padding included.
    pub fn bytes(&self) -> u64 {
        self.rows.len() as u64 * u64::from(self.groups) * THREAD_BYTES as u64
    }

    /// Octets per block, and blocks per row, that the shader begins with; listed steps are no progression to interpolate.
    pub fn blocks(&self, listed: bool) -> (u32, u32) {
        let octets = (self.columns.len() as u32).div_ceil(OCTET);
        let blocks = octets.div_ceil(if listed { 1 } else { MAX_OCTETS });
        (octets.div_ceil(blocks), blocks)
    }

    /// Workgroups of the dispatch.
    pub fn workgroups(&self, listed: bool, most: u32) -> (u32, u32) {
        let blocks = self.rows.len() as u64 * u64::from(self.blocks(listed).1);
        two_dimensions(blocks.div_ceil(u64::from(GROUP)), most)
    }
}

/// Workgroups in two dimensions, for more than the `most` that one may have.
pub(super) fn two_dimensions(workgroups: u64, most: u32) -> (u32, u32) {
    let x = workgroups.min(u64::from(most)).max(1);
    (x as u32, workgroups.div_ceil(x).max(1) as u32)
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

    #[test]
    fn blocks_cover_a_row() {
        for columns in [1, 8, 9, 64, 1000, 1024, 1025, 1032, 65_536, 1 << 24] {
            for listed in [false, true] {
                let (octets, blocks) = Tile { rows: 0..1, columns: 0..columns, groups: 1 }.blocks(listed);
                assert!((1..=MAX_OCTETS).contains(&octets));
                let covered = u64::from(octets) * u64::from(blocks) * u64::from(OCTET);
                assert!(covered >= columns as u64, "{columns}");
                // The last block begins within the row.
                assert!(u64::from(octets) * u64::from(blocks - 1) * u64::from(OCTET) < columns as u64, "{columns}");
            }
        }
    }

    #[test]
    fn long_dispatches_have_two_dimensions() {
        for (rows, columns) in [(1, 1), (1000, 9), (1, 1 << 26), (7_000_000, 64)] {
            for listed in [false, true] {
                let tile = Tile { rows: 0..rows, columns: 0..columns, groups: 1 };
                let (x, y) = tile.workgroups(listed, 65_535);
                assert!(x <= 65_535 && y <= 65_535);
                let blocks = rows as u64 * u64::from(tile.blocks(listed).1);
                assert!(u64::from(x) * u64::from(y) * u64::from(GROUP) >= blocks);
            }
        }
    }
}
