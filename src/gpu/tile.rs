//! How a table is divided into dispatches.

use std::ops::Range;

use super::shader::{GROUP, MAX_OCTETS, OCTET, THREAD_BYTES, WORKGROUP_SIZE, Way};

/// A rectangle of the table, filled by one dispatch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tile {
    /// Rows, counted from the first one evaluated.
    pub rows: Range<usize>,
    /// Columns of the table.
    pub columns: Range<usize>,
    /// The row's pitch in units of 16 bytes.
    pub groups: u32,
}

impl Tile {
    /// Bytes that the dispatch writes, padding included.
    pub fn bytes(&self) -> u64 {
        self.rows.len() as u64 * u64::from(self.groups) * THREAD_BYTES as u64
    }

    /// Blocks per row; they lie at fixed columns, so a value does not depend on the length of its row.
    pub fn row_blocks(&self) -> u32 {
        (self.columns.len() as u32).div_ceil(MAX_OCTETS * OCTET)
    }

    /// Workgroups of the dispatch.
    pub fn workgroups(&self, way: Way, most: u32) -> (u32, u32) {
        let rows = self.rows.len() as u64;
        two_dimensions(
            match way {
                Way::Blocks => (rows * u64::from(self.row_blocks())).div_ceil(u64::from(GROUP)),
                Way::Values => (rows * u64::from(self.groups)).div_ceil(u64::from(WORKGROUP_SIZE)),
            },
            most,
        )
    }
}

/// Distributes workgroups over two dimensions, if there are more than the `most` of one.
pub(super) fn two_dimensions(workgroups: u64, most: u32) -> (u32, u32) {
    let x = workgroups.min(u64::from(most)).max(1);
    (x as u32, workgroups.div_ceil(x).max(1) as u32)
}

/// Divides `rows` × `columns` into tiles of at most `tile_bytes` and `tile_columns`, with `width` values per thread.
///
/// A tile has whole rows if one fits, otherwise a part of a single row.
pub(super) fn tiles(
    rows: Range<usize>,
    columns: usize,
    width: usize,
    tile_bytes: u64,
    tile_columns: usize,
) -> impl Iterator<Item = Tile> {
    let most_groups = usize::try_from(tile_bytes / THREAD_BYTES as u64).unwrap_or(usize::MAX).clamp(1, 1 << 26);
    let most_columns = (most_groups.saturating_mul(width)).min((tile_columns / width).max(1) * width);
    // Blocks lie at the columns where they would lie in a longer tile.
    let block = (MAX_OCTETS * OCTET) as usize;
    let most_columns = if most_columns > block { most_columns / block * block } else { most_columns };
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
    fn long_dispatches_have_two_dimensions() {
        for (rows, columns) in [(1, 1), (1000, 9), (1, 1 << 26), (7_000_000, 64)] {
            let groups = (columns as u32).div_ceil(4);
            let tile = Tile { rows: 0..rows, columns: 0..columns, groups };
            let threads = rows as u64 * u64::from(groups);
            for (way, least) in
                [(Way::Blocks, (rows * columns.div_ceil(2048)).div_ceil(8) as u64), (Way::Values, threads.div_ceil(64))]
            {
                let (x, y) = tile.workgroups(way, 65_535);
                assert!(x <= 65_535 && y <= 65_535);
                assert!((least..least + u64::from(x)).contains(&(u64::from(x) * u64::from(y))));
            }
        }
    }
}
