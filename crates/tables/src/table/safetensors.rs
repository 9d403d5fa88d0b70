//! `.safetensors`: a JSON header, then tensors one after another as they lie in memory.

use std::path::Path;

use ::safetensors::tensor::{Dtype as TensorDtype, Metadata, TensorInfo};
use serde_json::{Map, Value};

use super::dense::{Dense, little_endian};
use super::{AtomicFile, Checksum, Existing, Header, Options, Sink, Stored, Tile, format_error};
use crate::error::TableError;
use lrgrid::element::{Dtype, Element};

/// The header is padded to a multiple of this, so that every tensor is aligned.
const ALIGNMENT: usize = 8;

/// The largest header that readers accept.
const MOST_HEADER: usize = 100_000_000;

/// Values collected before they are written.
const CHUNK: usize = 1 << 13;

/// The tensor of the values.
pub(crate) const VALUES: &str = "lr";

/// The tensor of the momenta.
pub(crate) const MOMENTUM: &str = "momentum";

/// A safetensors table: `lr` as `[schedule, step]` or `[step, schedule]`, `momentum` likewise where there is one, and
/// `parameters.NAME` as `[schedule]` in f64 for each swept parameter. The header's metadata describe the table.
pub struct Safetensors<'a> {
    file: AtomicFile,
    values: Dense,
    momentum: Option<Dense>,
    seal: Option<Box<Seal<'a>>>,
}

/// Rebuilds the header, with the same length, when the checksum of the bytes after it is known.
pub(crate) type Seal<'a> = dyn Fn(Checksum) -> Result<Vec<u8>, String> + 'a;

impl<'a> Safetensors<'a> {
    /// Creates the file and reserves its space on the disk.
    ///
    /// # Errors
    /// When the file cannot be created, the disk lacks room, or the header would be larger than readers accept.
    pub fn create<T: Element>(path: &Path, header: &Header<'_>, options: &Options) -> Result<Self, TableError> {
        let file = AtomicFile::create(path, options.existing)?.with_checksum(options.checksum);
        let head = head(T::DTYPE, header).map_err(|reason| format_error(path, reason))?;
        Self::start::<T>(file, header, &head)
    }

    /// Creates a file whose header is rewritten at the end, with the checksum of all bytes after it.
    pub(crate) fn sealed<T: Element>(
        path: &Path,
        header: &Header<'_>,
        head: &[u8],
        seal: Box<Seal<'a>>,
    ) -> Result<Self, TableError> {
        let mut file = AtomicFile::create(path, Existing::Replace)?;
        file.checksum_from(head.len() as u64);
        Ok(Self { seal: Some(seal), ..Self::start::<T>(file, header, head)? })
    }

    /// Writes the header and the parameters.
    fn start<T: Element>(mut file: AtomicFile, header: &Header<'_>, head: &[u8]) -> Result<Self, TableError> {
        let rows = header.rows.len();
        let parameters = (rows * header.parameters.len() * size_of::<f64>()) as u64;
        let values = Dense::new(header, head.len() as u64 + parameters);
        let momentum = header.momentum.then(|| Dense::new(header, values.end::<T>()));
        file.allocate(momentum.as_ref().unwrap_or(&values).end::<T>())?;
        file.append(head)?;
        for parameter in 0..header.parameters.len() {
            for first in header.rows.clone().step_by(CHUNK) {
                let rows = first..header.rows.end.min(first + CHUNK);
                let column: Vec<f64> = rows.map(|row| (header.point)(row)[parameter]).collect();
                file.append(&little_endian(&column))?;
            }
        }
        Ok(Self { file, values, momentum, seal: None })
    }
}

impl<T: Element> Sink<T> for Safetensors<'_> {
    fn takes_any_order(&self) -> bool {
        true
    }

    fn write(&mut self, tile: &Tile<'_, T>) -> Result<(), TableError> {
        self.values.write(&mut self.file, tile, tile.values)?;
        match (&self.momentum, tile.momentum) {
            (Some(array), Some(values)) => array.write(&mut self.file, tile, values),
            _ => Ok(()),
        }
    }

    fn finish(mut self: Box<Self>) -> Result<Vec<Stored>, TableError> {
        if let Some(seal) = self.seal.take() {
            let checksum = self.file.take_checksum()?;
            let sealed = checksum.map(seal).transpose().map_err(|reason| format_error(self.file.path(), reason))?;
            self.file.write_at(0, &sealed.unwrap_or_default())?;
            return Ok(vec![Stored { checksum, ..self.file.commit()? }]);
        }
        Ok(vec![self.file.commit()?])
    }
}

/// The length and the JSON text in front of the tensors.
pub(crate) fn head(dtype: Dtype, header: &Header<'_>) -> Result<Vec<u8>, String> {
    head_of_length(dtype, header, 0)
}

/// As [`head`], padded with spaces to at least a given length.
pub(crate) fn head_of_length(dtype: Dtype, header: &Header<'_>, least: usize) -> Result<Vec<u8>, String> {
    let dtype = match dtype {
        Dtype::F64 => TensorDtype::F64,
        Dtype::F32 => TensorDtype::F32,
        Dtype::F16 => TensorDtype::F16,
        Dtype::Bf16 => TensorDtype::BF16,
    };
    let rows = header.rows.len();
    let mut tensors: Vec<(String, TensorDtype, Vec<usize>)> = Vec::new();
    // The widest type first, so that each tensor is aligned to its element size.
    tensors.extend(header.parameters.iter().map(|name| (format!("parameters.{name}"), TensorDtype::F64, vec![rows])));
    tensors.push((VALUES.to_owned(), dtype, header.shape().to_vec()));
    if header.momentum {
        tensors.push((MOMENTUM.to_owned(), dtype, header.shape().to_vec()));
    }
    let mut start = 0_usize;
    let infos = tensors.into_iter().map(|(name, dtype, shape)| {
        let bytes = shape.iter().try_fold(dtype.bitsize() / 8, |bytes, &size| bytes.checked_mul(size));
        let end = bytes.and_then(|bytes| start.checked_add(bytes))?;
        let info = TensorInfo { dtype, shape, data_offsets: (start, end) };
        start = end;
        Some((name, info))
    });
    let infos =
        infos.collect::<Option<_>>().ok_or("the table has more bytes than a file can have: choose fewer steps")?;
    // Compared with the header of the format's own library, except the metadata, whose order that leaves unspecified.
    let tensors = Metadata::new(None, infos).map_err(|error| error.to_string())?;
    let metadata: Map<String, Value> =
        header.metadata.iter().map(|(key, text)| (key.clone(), text.as_str().into())).collect();
    let mut document = Map::new();
    document.insert("__metadata__".to_owned(), metadata.into());
    if let Value::Object(tensors) = serde_json::to_value(&tensors).map_err(|error| error.to_string())? {
        document.extend(tensors);
    }
    let mut text = Value::Object(document).to_string().into_bytes();
    text.resize(text.len().max(least.saturating_sub(size_of::<u64>())).next_multiple_of(ALIGNMENT), b' ');
    if text.len() > MOST_HEADER {
        return Err(format!("the header would take {} bytes, more than readers accept: use .npy", text.len()));
    }
    Ok([&(text.len() as u64).to_le_bytes()[..], &text].concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::Layout;
    use lrgrid::Steps;

    #[test]
    fn the_formats_own_library_reads_it_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("table.safetensors");
        let header = Header {
            layout: Layout::Step,
            rows: 4..6,
            steps: Steps::range(0..3),
            parameters: vec!["peak".to_owned()],
            point: Box::new(|row| vec![row as f64 / 8.0]),
            momentum: true,
            metadata: [("spec".to_owned(), "{\"a\": 1}".to_owned())].into(),
        };
        let mut sink = Safetensors::create::<half::bf16>(&path, &header, &Options::default()).unwrap();
        let values: Vec<half::bf16> = (0..6).map(|i| half::bf16::from_f32(i as f32)).collect();
        let momenta: Vec<half::bf16> = values.iter().map(|value| -*value).collect();
        // The second schedule first: offsets do not depend on the order of writes.
        for row in [5, 4] {
            let part = |all: &[half::bf16]| (0..3).map(|step| all[step * 2 + row - 4]).collect::<Vec<_>>();
            let (values, momenta) = (part(&values), part(&momenta));
            let tile = Tile { rows: row..row + 1, columns: 0..3, values: &values, momentum: Some(&momenta) };
            sink.write(&tile).unwrap();
        }
        Sink::<half::bf16>::finish(Box::new(sink)).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        let (_, metadata) = ::safetensors::SafeTensors::read_metadata(&bytes).unwrap();
        assert_eq!(metadata.metadata().as_ref().unwrap()["spec"], "{\"a\": 1}");
        let file = ::safetensors::SafeTensors::deserialize(&bytes).unwrap();
        let lr = file.tensor("lr").unwrap();
        assert_eq!((lr.dtype(), lr.shape()), (TensorDtype::BF16, &[3, 2][..]));
        assert_eq!(lr.data(), &*little_endian(&values));
        assert_eq!(file.tensor("momentum").unwrap().data(), &*little_endian(&momenta));
        assert_eq!(file.tensor("parameters.peak").unwrap().data(), &*little_endian(&[0.5, 0.625]));
    }
}
