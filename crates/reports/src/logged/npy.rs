//! Reads learning rates from a NumPy table. Its header is bounded before parsing, and its sizes are not trusted.

use std::io::{self, Read, Seek, SeekFrom};

use npyz::{NpyFile, NpyHeader, Order};

use super::{Logged, MOST_ROWS, Rounding, Selection, refused};
use crate::error::ReadError;
use lrgrid::readable;

/// The magic number of NumPy tables.
pub(super) const MAGIC: &[u8] = b"\x93NUMPY";

/// Bytes of magic, version and a 16-bit header length; later versions have a 32-bit length.
const SHORT_PREFIX: usize = 10;

/// The longest header that is read: the default of NumPy's own `max_header_size`.
const MOST_HEADER: usize = 10_000;

/// The number of opening brackets in a plain table's header: the dictionary's and the shape's.
const BRACKETS: usize = 2;

/// Reads a table of one value per step, or of one row per schedule.
pub(super) fn read(mut file: impl Read + Seek, selection: &Selection) -> Result<Logged, ReadError> {
    let head = head(&mut file)?;
    check(&head)?;
    let header = NpyHeader::from_reader(&head[..]).map_err(|_| unreadable())?;
    let (columns, rows) = match *header.shape() {
        [columns] => (columns, 1),
        [rows, columns] => (columns, rows),
        ref shape => return Err(refused(format!("has {} axes: one or two are needed", shape.len()))),
    };
    if selection.schedule as u64 >= rows {
        return Err(refused(format!("has no schedule {}: there are {rows}", selection.schedule)));
    }
    if header.order() == Order::Fortran && rows > 1 {
        return Err(refused("is stored column by column: save it with numpy.ascontiguousarray".to_owned()));
    }
    if columns == 0 || columns > MOST_ROWS as u64 {
        return Err(refused(format!("has {columns} steps: from 1 to {MOST_ROWS} are read")));
    }
    let kind = header.dtype().descr();
    let row = Row { file, head: head.len() as u64, header, schedule: selection.schedule as u64, columns };
    let (values, bits) = match kind.trim_matches(['\'', '"', '<', '>', '=', '|']) {
        "f8" => (row.values(|value: f64| value)?, 50),
        "f4" => (row.values(|value: f32| f64::from(value))?, 24),
        "f2" => (row.values(|value: half::f16| f64::from(value))?, 11),
        other => return Err(refused(format!("holds {}: f8, f4 or f2 are read", readable::name(other)))),
    };
    if let Some(at) = values.iter().position(|value| !value.is_finite()) {
        return Err(refused(format!("step {at} is {}: finite values are needed", values[at])));
    }
    Ok(Logged { steps: (0..columns).collect(), values, rounding: Rounding::binary(bits) })
}

/// Reads the bytes before the values.
fn head(file: &mut impl Read) -> Result<Vec<u8>, ReadError> {
    let cut = |_: io::Error| refused("is cut off in its header".to_owned());
    let mut head = vec![0; SHORT_PREFIX];
    file.read_exact(&mut head).map_err(cut)?;
    let mut length = usize::from(u16::from_le_bytes([head[8], head[9]]));
    if head[6] > 1 {
        let mut rest = [0; 2];
        file.read_exact(&mut rest).map_err(cut)?;
        head.extend(rest);
        length |= usize::from(u16::from_le_bytes(rest)) << u16::BITS;
    }
    if length > MOST_HEADER {
        return Err(refused(format!("has a header of {length} bytes: at most {MOST_HEADER} are read")));
    }
    let start = head.len();
    head.resize(start + length, 0);
    file.read_exact(&mut head[start..]).map_err(cut)?;
    Ok(head)
}

/// Rejects headers that the parser `npyz` cannot handle: its time is exponential in nested brackets, and it multiplies
/// the sizes of the axes without overflow checks.
fn check(head: &[u8]) -> Result<(), ReadError> {
    let text = String::from_utf8_lossy(head);
    if text.matches(['(', '[', '{']).count() > BRACKETS {
        return Err(refused("is a table of records: save a plain table of f8, f4 or f2".to_owned()));
    }
    let shape = text.split_once('(').and_then(|(_, rest)| rest.split_once(')')).map(|(shape, _)| shape);
    let sizes = shape.ok_or_else(unreadable)?.split(',').map(str::trim).filter(|size| !size.is_empty());
    // The product must not overflow even if one axis is 0: the parser's partial products may omit that axis.
    let values = sizes.map(|size| size.parse::<u64>().ok()).try_fold(1_u64, |all, size| all.checked_mul(size?.max(1)));
    match values {
        Some(_) => Ok(()),
        None => Err(refused(format!("has an impossible shape: ({})", readable::name(shape.unwrap_or_default())))),
    }
}

fn unreadable() -> ReadError {
    refused("has no header that can be read: save it again with numpy.save".to_owned())
}

/// The location of a schedule's row in a table.
struct Row<R> {
    file: R,
    /// Bytes before the values.
    head: u64,
    header: NpyHeader,
    schedule: u64,
    columns: u64,
}

impl<R: Read + Seek> Row<R> {
    /// Reads the row's values, after checking that the file is as long as its header says.
    fn values<T: npyz::Deserialize>(mut self, to: fn(T) -> f64) -> Result<Vec<f64>, ReadError> {
        let failed = |error: io::Error| refused(format!("could not be read: {error}"));
        let values: u64 = self.header.shape().iter().product();
        let found = self.file.seek(SeekFrom::End(0)).map_err(failed)?.saturating_sub(self.head);
        if u128::from(values) * size_of::<T>() as u128 > u128::from(found) {
            let shape = self.header.shape();
            return Err(refused(format!("is cut off: {found} bytes are too few for values of shape {shape:?}")));
        }
        self.file.seek(SeekFrom::Start(self.head)).map_err(failed)?;
        let file = NpyFile::with_header(self.header, self.file);
        let mut values = file.data::<T>().map_err(|error| refused(readable::name(&error.to_string())))?;
        values.seek_to(self.schedule * self.columns).map_err(failed)?;
        values.take(self.columns as usize).map(|value| value.map(to).map_err(failed)).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn table(dictionary: &str, values: &[u8]) -> Vec<u8> {
        let length = (dictionary.len() as u16).to_le_bytes();
        [MAGIC, b"\x01\x00", &length, dictionary.as_bytes(), values].concat()
    }

    fn plain(shape: &str, values: &[u8]) -> Vec<u8> {
        table(&format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}\n"), values)
    }

    fn refusal(bytes: &[u8], schedule: usize) -> String {
        let selection = Selection { schedule, ..Selection::default() };
        read(Cursor::new(bytes), &selection).unwrap_err().to_string()
    }

    #[test]
    fn a_row_is_found_by_its_place() {
        let values: Vec<u8> = [1_f32, 2.0, 3.0, 4.0, 5.0, 6.0].iter().flat_map(|value| value.to_le_bytes()).collect();
        let row = |schedule| {
            let selection = Selection { schedule, ..Selection::default() };
            read(Cursor::new(plain("(3, 2)", &values)), &selection).unwrap().values
        };
        assert_eq!([row(0), row(2)], [[1.0, 2.0], [5.0, 6.0]]);
        let one = read(Cursor::new(plain("(6,)", &values)), &Selection::default()).unwrap();
        assert_eq!((one.steps.len(), one.values[5]), (6, 6.0));
        assert!(refusal(&plain("(3, 2)", &values), 3).contains("no schedule 3"));
    }

    #[test]
    fn sizes_are_not_trusted() {
        for (shape, expected) in [
            ("(1152921504606846976, 16)", "impossible shape"),
            ("(0, 1152921504606846976, 16)", "impossible shape"),
            ("(-1,)", "impossible shape"),
            ("(1+1,)", "impossible shape"),
            ("(4,)", "cut off"),
            ("(1, 16000000)", "cut off"),
            ("(1099511627776, 2)", "cut off"),
            ("(1099511627776,)", "steps"),
            ("(1, 1, 1)", "3 axes"),
            ("()", "0 axes"),
            ("1", "no header"),
        ] {
            let said = refusal(&plain(shape, &[0; 8]), 0);
            assert!(said.contains(expected), "{shape}: {said}");
        }
    }

    #[test]
    fn headers_are_bounded_before_they_are_parsed() {
        // The parser is exponential in the depth, so this would not end.
        let nested = format!("{{'descr': {}'<f4'{}, 'shape': (4,), }}", "[".repeat(60), "]".repeat(60));
        assert!(refusal(&table(&nested, &[0; 16]), 0).contains("records"));
        assert!(refusal(b"\x93NUMPY\x02\x00\xff\xff\xff\xff", 0).contains("4294967295 bytes"));
        assert!(refusal(b"\x93NUMPY\x01\x00\xff\x01{", 0).contains("cut off in its header"));
        let long = format!("{{'descr': '{}', 'fortran_order': False, 'shape': (4,)}}", "f4 ".repeat(1000));
        let said = refusal(&table(&long, &[0; 16]), 0);
        assert!(said.len() < 200, "{said}");
    }
}
