//! NumPy's `.npy`: a short text header, then the values as they lie in memory.

use std::fs;
use std::path::Path;

use super::{AtomicFile, Header, Layout, Sink, Tile, companion, format_error, write_parameters};
use crate::element::{Dtype, Element};
use crate::error::TableError;

/// The header's size is a multiple of this, so that mapped values are aligned.
const ALIGNMENT: usize = 64;

/// A `.npy` table: `[schedule, step]` or `[step, schedule]`, with `table.momentum.npy` beside it where
/// there are momenta, and `table.parameters.csv` where there are swept parameters.
#[derive(Debug)]
pub struct Npy {
    values: AtomicFile,
    momentum: Option<AtomicFile>,
    parameters: Option<AtomicFile>,
}

impl Npy {
    /// Starts the files.
    ///
    /// # Errors
    /// When the format has no such element type, or a file cannot be made.
    pub fn create<T: Element>(path: &Path, header: &Header<'_>) -> Result<Self, TableError> {
        let Some(head) = head(T::DTYPE, header) else {
            let dtype = T::DTYPE.name();
            return Err(format_error(path, format!("npy has no {dtype}: use .csv, or --dtype f32 or f16")));
        };
        let parameters = if header.parameters.is_empty() {
            None
        } else {
            let mut file = AtomicFile::create(&companion(path, "parameters.csv"))?;
            write_parameters(&mut file, header)?;
            Some(file)
        };
        let start = |path: &Path| {
            let mut file = AtomicFile::create(path)?;
            file.write(&head)?;
            Ok(file)
        };
        let momentum = header.momentum.then(|| start(&companion(path, "momentum.npy"))).transpose()?;
        Ok(Self { values: start(path)?, momentum, parameters })
    }
}

impl<T: Element> Sink<T> for Npy {
    fn write(&mut self, tile: &Tile<'_, T>) -> Result<(), TableError> {
        self.values.write(bytemuck::cast_slice(tile.values))?;
        match (&mut self.momentum, tile.momentum) {
            (Some(file), Some(values)) => file.write(bytemuck::cast_slice(values)),
            _ => Ok(()),
        }
    }

    fn finish(self: Box<Self>) -> Result<(), TableError> {
        // The table last: whoever sees it finds its companions.
        let companions = [self.parameters, self.momentum].into_iter().flatten();
        let mut named: Vec<std::path::PathBuf> = Vec::new();
        for file in companions.chain([self.values]) {
            let target = file.target().to_owned();
            let existed = target.exists();
            if let Err(error) = file.commit() {
                named.iter().for_each(|path| drop(fs::remove_file(path)));
                return Err(error);
            }
            if !existed {
                named.push(target);
            }
        }
        Ok(())
    }
}

/// The header: magic, version, length, and a Python dictionary; `None` where NumPy lacks the type.
fn head(dtype: Dtype, header: &Header<'_>) -> Option<Vec<u8>> {
    let order = if cfg!(target_endian = "little") { '<' } else { '>' };
    let code = match dtype {
        Dtype::F64 => "f8",
        Dtype::F32 => "f4",
        Dtype::F16 => "f2",
        Dtype::Bf16 => return None,
    };
    let (schedules, steps) = (header.rows.len(), header.steps.len());
    let shape = match header.layout {
        Layout::Schedule => (schedules, steps),
        Layout::Step => (steps, schedules),
    };
    let mut dictionary = format!("{{'descr': '{order}{code}', 'fortran_order': False, 'shape': {shape:?}, }}");
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
    use crate::packed::Steps;

    fn header(layout: Layout) -> Header<'static> {
        Header {
            layout,
            rows: 3..1003,
            steps: Steps::range(0..100_000),
            parameters: Vec::new(),
            point: &|_| Vec::new(),
            momentum: false,
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
    fn bf16_is_refused_with_what_can_hold_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("table.npy");
        let error = Npy::create::<half::bf16>(&path, &header(Layout::Schedule)).unwrap_err();
        assert!(error.to_string().contains(".csv"), "{error}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
