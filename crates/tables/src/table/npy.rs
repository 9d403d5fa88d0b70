//! NumPy's `.npy`: a short text header, then the values in memory order.

use std::path::Path;

use super::dense::Dense;
use super::set::{check_companions, commit, companion};
use super::{AtomicFile, Header, Options, Sink, Stored, Tile, format_error, write_parameters};
use crate::error::TableError;
use lrgrid::element::{Dtype, Element};

/// The header's size is a multiple of this, so that memory-mapped values are aligned.
const ALIGNMENT: usize = 64;

/// A `.npy` table: `[schedule, step]` or `[step, schedule]`, with `table.momentum.npy` beside it where
/// there are momenta, and `table.parameters.csv` where there are swept parameters.
#[derive(Debug)]
pub struct Npy {
    values: AtomicFile,
    momentum: Option<AtomicFile>,
    parameters: Option<AtomicFile>,
    array: Dense,
    /// Companions that an older table of this name may have and this one lacks.
    obsolete: Vec<std::path::PathBuf>,
}

impl Npy {
    /// Creates the files and reserves their space on the disk.
    ///
    /// # Errors
    /// When the format does not support the element type, a file cannot be created, or the disk lacks room.
    pub fn create<T: Element>(path: &Path, header: &Header<'_>, options: &Options) -> Result<Self, TableError> {
        let Some(head) = head(T::DTYPE, header) else {
            return Err(format_error(path, format!("npy has no {}: use .safetensors", T::DTYPE.name())));
        };
        let [parameters_path, momentum_path] = ["parameters.csv", "momentum.npy"].map(|ending| companion(path, ending));
        let has_parameters = !header.parameters.is_empty();
        let new = |file: &std::path::PathBuf| {
            (*file == parameters_path && has_parameters) || (*file == momentum_path && header.momentum)
        };
        let (_, obsolete): (Vec<_>, Vec<_>) =
            [parameters_path.clone(), momentum_path.clone()].into_iter().partition(new);
        let array = Dense::new(header, head.len() as u64);
        let start = |path: &Path| {
            let mut file = AtomicFile::create(path, options.existing)?.with_checksum(options.checksum);
            file.allocate(array.end::<T>())?;
            file.append(&head)?;
            Ok(file)
        };
        let values = start(path)?;
        check_companions(&obsolete, options.existing)?;
        let momentum = header.momentum.then(|| start(&momentum_path)).transpose()?;
        let parameters = has_parameters
            .then(|| {
                let mut file = AtomicFile::create(&parameters_path, options.existing)?.with_checksum(options.checksum);
                write_parameters(&mut file, header)?;
                Ok(file)
            })
            .transpose()?;
        Ok(Self { values, momentum, parameters, array, obsolete })
    }
}

impl<T: Element> Sink<T> for Npy {
    fn takes_any_order(&self) -> bool {
        true
    }

    fn write(&mut self, tile: &Tile<'_, T>) -> Result<(), TableError> {
        self.array.write(&mut self.values, tile, tile.values)?;
        match (&mut self.momentum, tile.momentum) {
            (Some(file), Some(values)) => self.array.write(file, tile, values),
            _ => Ok(()),
        }
    }

    fn finish(self: Box<Self>) -> Result<Vec<Stored>, TableError> {
        let companions = [self.parameters, self.momentum].into_iter().flatten().collect();
        commit(self.values, companions, &self.obsolete)
    }
}

/// The header: magic, version, length, and a Python dictionary; `None` if NumPy lacks the type.
fn head(dtype: Dtype, header: &Header<'_>) -> Option<Vec<u8>> {
    let code = match dtype {
        Dtype::F64 => "f8",
        Dtype::F32 => "f4",
        Dtype::F16 => "f2",
        Dtype::Bf16 => return None,
    };
    let [first, second] = header.shape();
    let mut dictionary = format!("{{'descr': '<{code}', 'fortran_order': False, 'shape': ({first}, {second}), }}");
    // Magic, version and length are ten bytes; the dictionary ends in a line break.
    let length = (10 + dictionary.len() + 1).next_multiple_of(ALIGNMENT) - 10;
    dictionary.push_str(&" ".repeat(length - 1 - dictionary.len()));
    dictionary.push('\n');
    let mut head = b"\x93NUMPY\x01\x00".to_vec();
    // Two numbers and fixed words stay far below 65,536.
    head.extend_from_slice(&(length as u16).to_le_bytes());
    head.extend_from_slice(dictionary.as_bytes());
    Some(head)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::Layout;
    use lrgrid::Steps;

    fn header(layout: Layout) -> Header<'static> {
        Header {
            layout,
            rows: 3..1003,
            steps: Steps::range(0..100_000),
            parameters: Vec::new(),
            point: Box::new(|_| Vec::new()),
            momentum: false,
            metadata: Default::default(),
        }
    }

    #[test]
    fn the_header_is_numpys() {
        let bytes = head(Dtype::F32, &header(Layout::Schedule)).unwrap();
        assert_eq!(bytes.len() % ALIGNMENT, 0);
        assert_eq!(&bytes[..8], b"\x93NUMPY\x01\x00");
        assert_eq!(usize::from(u16::from_le_bytes([bytes[8], bytes[9]])), bytes.len() - 10);
        let text = std::str::from_utf8(&bytes[10..]).unwrap();
        assert!(text.starts_with("{'descr': '<f4', 'fortran_order': False, 'shape': (1000, 100000), }"), "{text}");
        assert!(text.ends_with(" \n"));
        let text = head(Dtype::F16, &header(Layout::Step)).unwrap();
        assert!(String::from_utf8_lossy(&text).contains("'<f2', 'fortran_order': False, 'shape': (100000, 1000)"));
    }

    #[test]
    fn bf16_has_no_header() {
        assert_eq!(head(Dtype::Bf16, &header(Layout::Schedule)), None);
    }
}
