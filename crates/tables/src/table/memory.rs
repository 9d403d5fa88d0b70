//! The memory bound of writing a table, and its division.

use sysinfo::{MemoryRefreshKind, RefreshKind, System};

/// The default memory bound: 512 MiB.
pub const DEFAULT_MEMORY: u64 = 512 << 20;

/// Bytes reserved for the program, its threads and the buffers of formats.
const PROGRAM: u64 = 28 << 20;

/// The least bound with which a GPU's driver may be loaded.
const GPU: u64 = 256 << 20;

/// The bound is at most this fraction of the machine's memory: a quarter.
const SHARE: u64 = 4;

/// The most bytes of a tile: enough to keep a disk and all threads busy, few enough to be still in the processor's
/// cache when it is written.
const TILE: u64 = 4 << 20;

/// A bound on the memory of the whole process while it writes a table, in bytes.
///
/// A bound below 56 MiB holds for the table only, not for the program itself. A GPU's driver is not included: see
/// [`Memory::has_room_for_gpu`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory(u64);

impl Default for Memory {
    fn default() -> Self {
        Self::at_most(DEFAULT_MEMORY)
    }
}

impl Memory {
    /// A bound of `bytes`, but at most a quarter of the memory of the machine (or the container).
    ///
    /// ```
    /// use lrgrid_tables::table::Memory;
    ///
    /// assert_eq!(Memory::at_most(1 << 20).bytes(), 1 << 20);
    /// assert!(Memory::at_most(u64::MAX).bytes() < 1 << 60);
    /// ```
    #[must_use]
    pub fn at_most(bytes: u64) -> Self {
        let refresh = RefreshKind::nothing().with_memory(MemoryRefreshKind::nothing().with_ram());
        let system = System::new_with_specifics(refresh);
        let container = system.cgroup_limits().map(|limits| limits.total_memory);
        let machine = [Some(system.total_memory()), container].into_iter().flatten().filter(|total| *total > 0).min();
        Self(bytes.min(machine.map_or(u64::MAX, |total| total / SHARE)).max(1))
    }

    /// The bound in bytes.
    #[must_use]
    pub fn bytes(self) -> u64 {
        self.0
    }

    /// Whether a GPU's driver may be loaded: from 256 MiB on, since some drivers take 100 MiB.
    #[must_use]
    pub fn has_room_for_gpu(self) -> bool {
        self.0 >= GPU
    }

    /// Bytes for the table.
    fn table(self) -> u64 {
        self.0.saturating_sub(PROGRAM).max(self.0 / 2)
    }

    /// Bytes for all tiles in rotation.
    fn tiles(self) -> u64 {
        self.table() / 2
    }

    /// Bytes for each of several tiles of equal size.
    pub(super) fn tile(self, tiles: usize) -> u64 {
        (self.tiles() / tiles.max(1) as u64).min(TILE)
    }

    /// Bytes for compiled schedules; while they are compiled and their tables grow, they may take half as much again.
    pub(super) fn batches(self) -> u64 {
        self.table() / 8
    }

    /// Bytes for a format to collect a row group or a record batch.
    #[cfg_attr(not(any(feature = "arrow", test)), expect(dead_code, reason = "only these formats gather"))]
    pub(super) fn format(self) -> u64 {
        self.table() / 4
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_stay_under_the_bound() {
        for bytes in [1, 1 << 10, 1 << 20, 56 << 20, 64 << 20, 1 << 30] {
            let memory = Memory(bytes);
            let parts = memory.tile(4) * 4 + memory.batches() + memory.format();
            assert!(parts <= bytes, "{parts} of {bytes}");
            assert!(bytes < 56 << 20 || parts + PROGRAM <= bytes, "{parts} of {bytes}");
        }
    }
}
