//! BLAKE3 checksums of files, computed while writing in order, or by reading them back.

use std::fmt;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

/// Bytes read at a time.
const BUFFER: usize = 1 << 18;

/// A BLAKE3 checksum: 64 hexadecimal digits, as `b3sum` prints them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checksum(blake3::Hash);

impl Checksum {
    /// The checksum of some bytes.
    ///
    /// ```
    /// use lrgrid_tables::table::Checksum;
    ///
    /// assert!(Checksum::of(b"").to_string().starts_with("af1349b9f5f9a1a6"));
    /// ```
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(blake3::hash(bytes))
    }

    /// The checksum of some bytes and the rest of a stream.
    ///
    /// # Errors
    /// When the stream cannot be read.
    pub fn of_rest(first: &[u8], mut rest: impl Read) -> io::Result<Self> {
        let mut hasher = blake3::Hasher::new();
        hasher.update(first);
        let mut buffer = vec![0; BUFFER];
        loop {
            match rest.read(&mut buffer) {
                Ok(0) => return Ok(Self(hasher.finalize())),
                Ok(read) => drop(hasher.update(&buffer[..read])),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

impl fmt::Display for Checksum {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0.to_hex())
    }
}

/// The checksum of a file being written: nearly free if its bytes are written in order; otherwise the file is read
/// back.
#[derive(Debug, Default)]
pub(super) struct Digest {
    hasher: blake3::Hasher,
    /// The offset of the first byte included.
    start: u64,
    /// The offset of the next byte in order.
    seen: u64,
    /// Whether all bytes so far were in order.
    broken: bool,
}

impl Digest {
    /// The checksum of all bytes from an offset on.
    pub(super) fn from(start: u64) -> Self {
        Self { start, seen: start, ..Self::default() }
    }

    /// Records bytes written at an offset.
    pub(super) fn write(&mut self, place: u64, bytes: &[u8]) {
        if place + bytes.len() as u64 <= self.start {
            return;
        }
        if self.broken || place != self.seen {
            self.broken = true;
            return;
        }
        self.hasher.update(bytes);
        self.seen += bytes.len() as u64;
    }

    /// The checksum of the finished file.
    pub(super) fn finish(self, file: &mut File) -> io::Result<Checksum> {
        if !self.broken && file.metadata()?.len() == self.seen {
            return Ok(Checksum(self.hasher.finalize()));
        }
        file.seek(SeekFrom::Start(self.start))?;
        Checksum::of_rest(&[], file)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn any_order_gives_the_same_checksum() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"one two").unwrap();
        let want = Checksum::of(b"one two");
        for order in [vec![(0, "one"), (3, " two")], vec![(3, " two"), (0, "one")], vec![(0, "one")]] {
            let mut digest = Digest::default();
            order.iter().for_each(|(place, bytes)| digest.write(*place, bytes.as_bytes()));
            assert_eq!(digest.finish(&mut file).unwrap(), want, "{order:?}");
        }
        let mut digest = Digest::from(3);
        [(0, "one"), (3, " two"), (0, "neo")].iter().for_each(|(place, bytes)| digest.write(*place, bytes.as_bytes()));
        assert_eq!(digest.finish(&mut file).unwrap(), Checksum::of(b" two"));
        assert_eq!(Checksum::of_rest(b"one", &b" two"[..]).unwrap(), want);
    }
}
