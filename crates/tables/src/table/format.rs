//! The formats of tables: their file extensions, and the element types that each supports.

use std::path::Path;

use super::format_error;
use crate::error::TableError;
use lrgrid::element::Dtype;

/// A table format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// Comma-separated values, one row per value.
    Csv,
    /// NumPy's `.npy`, with companion files for momenta and swept parameters.
    Npy,
    /// Named tensors, which `PyTorch`, JAX and NumPy read.
    Safetensors,
    /// Parquet, compressed columns.
    Parquet,
    /// An Arrow IPC file, which can be mapped into memory.
    Arrow,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 5] = [Self::Csv, Self::Npy, Self::Safetensors, Self::Parquet, Self::Arrow];

    /// The file extension, which is also the format's name.
    #[must_use]
    pub const fn ending(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Npy => "npy",
            Self::Safetensors => "safetensors",
            Self::Parquet => "parquet",
            Self::Arrow => "arrow",
        }
    }

    /// Whether this build can write it.
    #[must_use]
    pub const fn is_built(self) -> bool {
        cfg!(feature = "arrow") || !matches!(self, Self::Parquet | Self::Arrow)
    }

    /// Whether the format supports an element type.
    #[must_use]
    pub const fn holds(self, dtype: Dtype) -> bool {
        match self {
            Self::Csv | Self::Safetensors => true,
            Self::Npy | Self::Parquet | Self::Arrow => !matches!(dtype, Dtype::Bf16),
        }
    }

    /// The format that a file's extension chooses, checked to support an element type.
    ///
    /// # Errors
    /// When no format has that extension, this build lacks it, or it does not support the type; with an alternative.
    pub fn for_file(path: &Path, dtype: Dtype) -> Result<Self, TableError> {
        let built = || Self::ALL.into_iter().filter(|format| format.is_built());
        let ending = path.extension().and_then(|ending| ending.to_str()).map(str::to_ascii_lowercase);
        let Some(ending) = ending else {
            let endings = listed(built());
            return Err(format_error(
                path,
                format!("the name has no ending to choose a format by: end it in {endings}"),
            ));
        };
        let Some(format) = Self::ALL.into_iter().find(|format| format.ending() == ending) else {
            let endings = listed(built());
            return Err(format_error(path, format!("no format is called .{ending}: end the name in {endings}")));
        };
        if !format.is_built() {
            let endings = listed(built());
            let reason = format!(
                "this lrgrid was built without its `arrow` feature: build it with the feature, or end the name in {endings}"
            );
            return Err(format_error(path, reason));
        }
        if !format.holds(dtype) {
            let formats = listed(built().filter(|format| format.holds(dtype)));
            let dtypes: Vec<_> = Dtype::ALL.into_iter().filter(|dtype| format.holds(*dtype)).map(Dtype::name).collect();
            let (dtype, dtypes) = (dtype.name(), alternatives(&dtypes));
            let reason = format!("{ending} has no {dtype}: end the name in {formats}, or use --dtype {dtypes}");
            return Err(format_error(path, reason));
        }
        Ok(format)
    }
}

/// `.csv, .npy or .arrow`.
fn listed(formats: impl Iterator<Item = Format>) -> String {
    alternatives(&formats.map(|format| format!(".{}", format.ending())).collect::<Vec<_>>())
}

fn alternatives(names: &[impl AsRef<str>]) -> String {
    let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    match names.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings_choose_in_either_case() {
        for format in Format::ALL.into_iter().filter(|format| format.is_built()) {
            for ending in [format.ending().to_owned(), format.ending().to_ascii_uppercase()] {
                let path = format!("some.table.{ending}");
                assert_eq!(Format::for_file(Path::new(&path), Dtype::F32).unwrap(), format);
            }
        }
    }

    #[test]
    fn what_cannot_be_is_refused_with_what_can() {
        let refused = |path: &str, dtype| Format::for_file(Path::new(path), dtype).unwrap_err().to_string();
        assert!(refused("table", Dtype::F32).contains("end it in .csv, .npy"));
        assert!(refused("table.xyz", Dtype::F32).contains("no format is called .xyz: end the name in .csv"));
        let message = refused("table.npy", Dtype::Bf16);
        assert!(message.contains(".csv or .safetensors, or use --dtype f64, f32 or f16"), "{message}");
        for dtype in Dtype::ALL {
            assert!(Format::ALL.into_iter().any(|format| format.holds(dtype)));
        }
    }
}
