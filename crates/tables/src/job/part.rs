//! Parts: the file of a shard's values, a safetensors file whose header has its maker and a checksum of its bytes.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{Job, Opens};
use crate::error::{Error, TableError};
use crate::table::safetensors::{self, Safetensors};
use crate::table::{Checksum, Header, Sink};
use lrgrid::bounded;
use lrgrid::element::Element;
use lrgrid::engine::Engine;

/// Space in the header for fields known only at the end: the backend and the checksums.
const ROOM: usize = 768;

/// The maker of a part: the version and the backend that computed it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Maker {
    pub(super) version: String,
    pub(super) backend: String,
}

impl Maker {
    /// A checksum over the maker and the bytes' checksum: the fields of a header that do not follow from the manifest.
    fn checksum(&self, bytes: Checksum) -> Checksum {
        Checksum::of(format!("{}\n{}\n{bytes}", self.version, self.backend).as_bytes())
    }
}

impl std::fmt::Display for Maker {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "lrgrid {} on {}", self.version, self.backend)
    }
}

/// The length of a part's header, independent of its maker.
fn header_length(job: &Job, header: &Header<'_>) -> Result<usize, String> {
    safetensors::head(job.dtype, header).map(|head| head.len() + ROOM)
}

/// A part's header.
fn head(job: &Job, header: &Header<'_>, maker: &Maker, checksum: Checksum, length: usize) -> Result<Vec<u8>, String> {
    let mut metadata = header.metadata.clone();
    let added = [
        ("version", maker.version.clone()),
        ("backend", maker.backend.clone()),
        ("checksum", format!("blake3:{checksum}")),
        ("maker_checksum", format!("blake3:{}", maker.checksum(checksum))),
    ];
    metadata.extend(added.map(|(key, text)| (key.to_owned(), text)));
    let sealed = Header {
        layout: header.layout,
        rows: header.rows.clone(),
        steps: header.steps.clone(),
        parameters: header.parameters.clone(),
        point: Box::new(|_| Vec::new()),
        momentum: header.momentum,
        metadata,
    };
    let head = safetensors::head_of_length(job.dtype, &sealed, length)?;
    if head.len() != length {
        return Err(format!("the backend's name is too long for a part's header: {}", maker.backend));
    }
    Ok(head)
}

/// Opens the sink of a part.
pub(super) struct Part<'a> {
    pub(super) job: &'a Job,
    pub(super) header: &'a Header<'a>,
    pub(super) engine: &'a Engine,
    pub(super) path: &'a Path,
}

impl<'a> Opens<'a> for Part<'a> {
    fn open<T: Element>(self) -> Result<Box<dyn Sink<T> + 'a>, Error> {
        let Self { job, header, engine, path } = self;
        let wrong = |reason| TableError::Format { path: path.to_owned(), reason };
        let length = header_length(job, header).map_err(wrong)?;
        let seal = move |checksum| {
            let maker = Maker { version: env!("CARGO_PKG_VERSION").to_owned(), backend: engine.used() };
            head(job, header, &maker, checksum, length)
        };
        // Zeros for now, so that no reader accepts the unfinished file as a table.
        Ok(Box::new(Safetensors::sealed::<T>(path, header, &vec![0; length], Box::new(seal))?))
    }
}

/// Why a part fails verification.
#[derive(Debug)]
pub(super) enum Flaw {
    Missing,
    Damaged(String),
}

impl From<io::Error> for Flaw {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::Missing,
            _ => Self::Damaged(format!("could not be read: {error}")),
        }
    }
}

impl From<String> for Flaw {
    fn from(reason: String) -> Self {
        Self::Damaged(reason)
    }
}

/// A verified part.
#[derive(Debug)]
pub(super) struct Proved {
    pub(super) path: PathBuf,
    pub(super) rows: Range<usize>,
    pub(super) maker: Maker,
    pub(super) checksum: Checksum,
    pub(super) bytes: u64,
    /// Byte offsets of the values and the momenta.
    pub(super) starts: [u64; 2],
}

/// Verifies a part: its header is what the job requires, and its bytes have the checksum in the header.
pub(super) fn prove(job: &Job, rows: Range<usize>, path: &Path) -> Result<Proved, Flaw> {
    let header = job.header(rows.clone());
    let length = header_length(job, &header)?;
    let mut file = bounded::open(path)?;
    let bytes = file.metadata()?.len();
    let mut found = vec![0; length];
    file.read_exact(&mut found).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => Flaw::Damaged(format!("is cut off after {bytes} bytes")),
        _ => error.into(),
    })?;
    let metadata = metadata(&found).ok_or_else(|| "has no readable header".to_owned())?;
    let text = |key: &str| metadata.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    if text("spec_hash") != job.spec_hash() {
        return Err("is of another spec".to_owned().into());
    }
    let maker = Maker { version: text("version"), backend: text("backend") };
    let checksum = Checksum::of_rest(&[], &mut file)?;
    if format!("blake3:{checksum}") != text("checksum") {
        return Err("its bytes are not those that its checksum is of".to_owned().into());
    }
    if format!("blake3:{}", maker.checksum(checksum)) != text("maker_checksum") {
        return Err("its version and backend are not those that its checksum is of".to_owned().into());
    }
    // Compare the rest of the header: rebuild it and require equality.
    if head(job, &header, &maker, checksum, length)? != found {
        return Err("its header is not what the manifest asks for".to_owned().into());
    }
    let first = length as u64 + (header.rows.len() * header.parameters.len() * size_of::<f64>()) as u64;
    let values = header.values() * job.dtype.size() as u128;
    let end = u128::from(first) + values * if header.momentum { 2 } else { 1 };
    if u128::from(bytes) != end {
        return Err(format!("has {bytes} bytes instead of {end}").into());
    }
    // In range, since it is less than the file's size.
    let starts = [first, first + values as u64];
    Ok(Proved { path: path.to_owned(), rows, maker, checksum, bytes, starts })
}

/// The metadata in a header.
fn metadata(head: &[u8]) -> Option<serde_json::Map<String, Value>> {
    // Skip the length in front; it is checked with the rest of the header.
    let Value::Object(mut document) = serde_json::from_slice(head.get(size_of::<u64>()..)?).ok()? else { return None };
    match document.remove("__metadata__")? {
        Value::Object(metadata) => Some(metadata),
        _ => None,
    }
}

/// Reads bytes at an offset of a file.
pub(super) fn read_at(file: &mut File, place: u64, bytes: &mut [u8]) -> io::Result<()> {
    file.seek(SeekFrom::Start(place))?;
    file.read_exact(bytes)
}
