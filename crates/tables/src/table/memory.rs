//! How much memory a table may take, and what it is spent on.

use sysinfo::{MemoryRefreshKind, RefreshKind, System};

/// The memory that a table may take unless told otherwise: 512 MiB.
pub const DEFAULT_MEMORY: u64 = 512 << 20;

/// What the program, its threads, and the buffers of formats take themselves.
const PROGRAM: u64 = 28 << 20;

/// From where on a GPU's driver is small beside the rest.
const GPU: u64 = 256 << 20;

/// The most of the machine's memory that a table takes, whatever it is allowed: a quarter.
const SHARE: u64 = 4;

/// The most bytes of a tile: enough to keep a disk and all threads busy, few enough that it is still in the cache of the
/// processor when it is written.
const TILE: u64 = 4 << 20;

/// A bound on the memory of the whole process while it writes a table, in bytes.
///
/// Below 56 MiB it can only bound what the table takes, not the program itself. A GPU's driver comes on top: see
/// [`Memory::has_room_for_gpu`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory(u64);

impl Default for Memory {
    fn default() -> Self {
        Self::at_most(DEFAULT_MEMORY)
    }
}

impl Memory {
    /// So many bytes, but no more than a quarter of what the machine (or the container) has.
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

    /// The bound.
    #[must_use]
    pub fn bytes(self) -> u64 {
        self.0
    }

    /// Whether a GPU's driver may be loaded: from 256 MiB on, as some take 100 by themselves.
    #[must_use]
    pub fn has_room_for_gpu(self) -> bool {
        self.0 >= GPU
    }

    /// What the table may take of it.
    fn table(self) -> u64 {
        self.0.saturating_sub(PROGRAM).max(self.0 / 2)
    }

    /// What the tiles under way may take together.
    fn tiles(self) -> u64 {
        self.table() / 2
    }

    /// Bytes of one of several tiles of equal size.
    pub(super) fn tile(self, tiles: usize) -> u64 {
        (self.tiles() / tiles.max(1) as u64).min(TILE)
    }

    /// What compiled schedules may take; half as much again while they are compiled, and their tables grow.
    pub(super) fn batches(self) -> u64 {
        self.table() / 8
    }

    /// What a format may take to gather a row group or a record batch.
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
