//! Reads learning rates from logs: steps, values, and the precision to which the values were rounded.

mod npy;

use std::fs::File;
use std::io::{Cursor, Read};
use std::path::Path;

use crate::error::ReadError;
use lrgrid::program::MAX_STEP;
use lrgrid::readable;

/// The most rows that are read.
const MOST_ROWS: usize = 1 << 24;

/// The largest text that is read: 1 GiB.
const MOST_BYTES: u64 = 1 << 30;

/// The longest line of a text: 1 MiB.
const MOST_LINE: usize = 1 << 20;

/// Bytes by which the format of a file is recognised before the rest is read.
const FIRST: u64 = 1 << 16;

/// With fewer distinct values than this, short values may be exact; with more, some would have more digits.
const FEW_VALUES: usize = 12;

/// Names of the column of steps, in the order of preference.
const STEP_NAMES: &[&str] = &["step", "steps", "global_step", "_step", "iteration", "iter", "train/global_step", "x"];

/// Names of the column of values, in the order of preference.
const VALUE_NAMES: &[&str] = &["lr", "learning_rate", "train/learning_rate", "rate", "value", "y", "weight_decay"];

/// A logged curve: steps strictly rising, one finite value each.
///
/// ```
/// use lrgrid_reports::logged::Logged;
///
/// let logged = Logged::from_csv("step,lr\n0,0.001\n10,0.0009\n", &Default::default())?;
/// assert_eq!((logged.steps.as_slice(), logged.values.as_slice()), ([0, 10].as_slice(), [0.001, 0.0009].as_slice()));
/// # Ok::<(), lrgrid_reports::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Logged {
    /// The steps.
    pub steps: Vec<u64>,
    /// The values.
    pub values: Vec<f64>,
    /// The precision to which the values were rounded.
    pub rounding: Rounding,
}

/// The precision to which values were rounded.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rounding {
    /// To a number of decimals: the bound is half a unit of the last decimal.
    Absolute(f64),
    /// To a number of digits: the bound is this fraction of the value.
    Relative(f64),
}

impl Rounding {
    /// Rounding of an `f32` printed in the shortest digits that parse back: half an ULP for the `f32`, and half for the
    /// text.
    pub const SINGLE: Self = Self::binary(23);

    /// The bound on the rounding error of a value.
    #[must_use]
    pub fn of(self, value: f64) -> f64 {
        match self {
            Self::Absolute(unit) => unit,
            Self::Relative(share) => share * value.abs(),
        }
    }

    /// Rounding to a binary floating-point type with this many explicit bits.
    const fn binary(bits: u32) -> Self {
        Self::Relative(1.0 / (1_u64 << bits) as f64)
    }

    /// Infers the rounding from how values are printed: in full, or cut to a number of digits or decimals.
    fn of_texts<'t>(texts: impl Iterator<Item = &'t str>) -> Self {
        let (mut digits, mut decimals, mut scientific) = (0, 0, false);
        let mut distinct = std::collections::BTreeSet::new();
        for text in texts {
            let (mantissa, exponent) = text.split_once(['e', 'E']).map_or((text, None), |(m, e)| (m, Some(e)));
            let figures = mantissa.chars().filter(char::is_ascii_digit).collect::<String>();
            digits = digits.max(figures.trim_start_matches('0').len());
            decimals = decimals.max(mantissa.split_once('.').map_or(0, |(_, rest)| rest.len()));
            scientific |= exponent.is_some();
            if distinct.len() < FEW_VALUES {
                distinct.insert(text);
            }
        }
        match digits {
            // Sixteen digits and more are a double's own, seven to nine a single's: the shortest text that reads back
            // may be as far from the single as that is from the exact value.
            14.. => Self::binary(50),
            7.. => Self::SINGLE,
            // A few distinct short numbers may be exact: a constant, or milestones.
            _ if distinct.len() < FEW_VALUES => Self::SINGLE,
            _ if scientific => Self::Relative(0.5 * 10f64.powi(1 - digits.max(1) as i32)),
            _ => Self::Absolute(0.5 * 10f64.powi(-(decimals as i32))),
        }
    }
}

/// The part of a file to read.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// The name of the column of values.
    pub column: Option<String>,
    /// The index of the schedule, if a table has several.
    pub schedule: usize,
}

impl Logged {
    /// Reads a `.csv` or `.npy` file. A text may have up to 1 GiB, in lines of up to 1 MiB; of a NumPy table only the
    /// selected row is read.
    ///
    /// # Errors
    /// When the file cannot be read, is too large, or lacks the column, the row or usable values.
    pub fn read(path: &Path, selection: &Selection) -> Result<Self, ReadError> {
        let failed = |source| ReadError::Io { path: path.to_owned(), source };
        let named = |error: ReadError| match error {
            ReadError::Format { reason, .. } => ReadError::Format { path: path.to_owned(), reason },
            other => other,
        };
        let mut file = File::open(path).map_err(failed)?;
        let mut bytes = Vec::new();
        (&mut file).take(FIRST).read_to_end(&mut bytes).map_err(failed)?;
        if bytes.starts_with(npy::MAGIC) {
            // Read from the file itself, which may be far larger than one row; the contents of a pipe are buffered
            // first.
            if file.metadata().map_err(failed)?.is_file() {
                std::io::Seek::rewind(&mut file).map_err(failed)?;
                return npy::read(std::io::BufReader::new(file), selection).map_err(named);
            }
        } else if bytes.contains(&0) || std::str::from_utf8(&bytes).is_err_and(|error| error.error_len().is_some()) {
            return Err(named(neither()));
        }
        file.take(MOST_BYTES + 1 - bytes.len() as u64).read_to_end(&mut bytes).map_err(failed)?;
        if bytes.len() as u64 > MOST_BYTES {
            return Err(named(refused(format!("has more than {MOST_BYTES} bytes: keep every tenth row"))));
        }
        Self::from_bytes(&bytes, selection).map_err(named)
    }

    /// Reads the bytes of a `.csv` or `.npy` file.
    ///
    /// # Errors
    /// When they are neither, or lack the column, the row or usable values.
    pub fn from_bytes(bytes: &[u8], selection: &Selection) -> Result<Self, ReadError> {
        if bytes.starts_with(npy::MAGIC) {
            return npy::read(Cursor::new(bytes), selection);
        }
        Self::from_csv(std::str::from_utf8(bytes).map_err(|_| neither())?, selection)
    }

    /// Reads a CSV text: with a header, or without one as values, or steps and values.
    ///
    /// # Errors
    /// When it lacks the column or schedule, or a cell is not a number.
    pub fn from_csv(text: &str, selection: &Selection) -> Result<Self, ReadError> {
        check_text(text)?;
        let separator = if text.lines().next().is_some_and(|line| line.contains('\t')) { b'\t' } else { b',' };
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(separator)
            .trim(csv::Trim::All)
            .from_reader(text.as_bytes());
        let mut rows = reader.records();
        let first = match rows.next() {
            Some(row) => row.map_err(not_csv)?,
            None => return Err(refused("is empty: give rows of steps and values".to_owned())),
        };
        let is_header = first.iter().any(|cell| !cell.is_empty() && cell.parse::<f64>().is_err());
        let (step, value, schedule) = columns(&first, is_header, selection)?;
        let mut found: Vec<(u64, f64, String)> = Vec::new();
        let mut last_filled = 0;
        let body = (!is_header).then_some(Ok(first)).into_iter().chain(rows);
        for (index, row) in body.enumerate() {
            let row = row.map_err(not_csv)?;
            let line = index + 1 + usize::from(is_header);
            if schedule.is_some_and(|column| row.get(column) != Some(&selection.schedule.to_string())) {
                continue;
            }
            // Loggers leave cells empty in rows of other metrics.
            let Some(text) = row.get(value).filter(|cell| !cell.is_empty()) else { continue };
            let number: f64 =
                text.parse().ok().filter(|number: &f64| number.is_finite()).ok_or_else(|| {
                    refused(format!("line {line}: \"{}\" is not a finite number: leave the cell empty, or choose a column with --column", readable::name(text)))
                })?;
            let at = match step.and_then(|column| row.get(column)) {
                Some(text) => whole(text).ok_or_else(|| {
                    refused(format!(
                        "line {line}: \"{}\" is not a step: a whole number is needed",
                        readable::name(text)
                    ))
                })?,
                None if last_filled > MAX_STEP => {
                    return Err(refused(format!("line {line}: it would be step {last_filled}, beyond {MAX_STEP}")));
                }
                None => last_filled,
            };
            last_filled = at + 1;
            if found.len() == MOST_ROWS {
                return Err(refused(format!("has more than {MOST_ROWS} rows: keep every tenth")));
            }
            found.push((at, number, text.to_owned()));
        }
        // If a step was logged twice, as after resuming a run, the later row is kept.
        found.sort_by_key(|row| row.0);
        found.dedup_by(|later, earlier| {
            let same = later.0 == earlier.0;
            if same {
                std::mem::swap(later, earlier);
            }
            same
        });
        if found.is_empty() {
            return Err(refused(match schedule {
                Some(_) => format!("has no rows of schedule {}", selection.schedule),
                None => "has no rows with a value".to_owned(),
            }));
        }
        let rounding = Rounding::of_texts(found.iter().map(|row| row.2.as_str()));
        let (steps, values) = found.into_iter().map(|(step, value, _)| (step, value)).unzip();
        Ok(Self { steps, values, rounding })
    }
}

fn refused(reason: String) -> ReadError {
    ReadError::Format { path: Default::default(), reason }
}

fn neither() -> ReadError {
    refused("is neither a text nor a NumPy table: give a .csv or .npy file".to_owned())
}

/// The CSV reader's error, without the row's contents.
fn not_csv(error: csv::Error) -> ReadError {
    refused(format!("is not CSV: {}", readable::name(&error.to_string())))
}

/// Rejects texts of other formats, and overlong lines, before they are parsed.
fn check_text(text: &str) -> Result<(), ReadError> {
    if text.trim_start().starts_with(['{', '[', '<']) {
        return Err(refused(
            "is not CSV: give a .csv file with columns such as step and lr, or a .npy file".to_owned(),
        ));
    }
    match text.split('\n').position(|line| line.len() > MOST_LINE) {
        Some(at) => Err(refused(format!("line {} has more than {MOST_LINE} bytes: it is not one of a log", at + 1))),
        None => Ok(()),
    }
}

/// A step as loggers write them: `10`, or `10.0`.
fn whole(text: &str) -> Option<u64> {
    text.parse()
        .ok()
        .or_else(|| {
            let number: f64 = text.parse().ok()?;
            (number.fract() == 0.0 && (0.0..=MAX_STEP as f64).contains(&number)).then_some(number as u64)
        })
        .filter(|&step| step <= MAX_STEP)
}

/// The columns of steps, values and schedule indices.
fn columns(
    first: &csv::StringRecord,
    is_header: bool,
    selection: &Selection,
) -> Result<(Option<usize>, usize, Option<usize>), ReadError> {
    if !is_header {
        if let Some(name) = &selection.column {
            return Err(refused(format!(
                "has no header, so there is no column \"{}\": leave --column out",
                readable::name(name)
            )));
        }
        return Ok(if first.len() == 1 { (None, 0, None) } else { (Some(0), 1, None) });
    }
    let place = |name: &str| first.iter().position(|cell| cell.eq_ignore_ascii_case(name));
    let listed = || readable::name(&first.iter().collect::<Vec<_>>().join(", "));
    let step = STEP_NAMES.iter().find_map(|name| place(name));
    let value = match &selection.column {
        Some(name) => place(name)
            .ok_or_else(|| refused(format!("has no column \"{}\": there are {}", readable::name(name), listed())))?,
        None => VALUE_NAMES.iter().find_map(|name| place(name)).ok_or_else(|| {
            refused(format!(
                "none of the columns ({}) is called lr or learning_rate: choose one with --column",
                listed()
            ))
        })?,
    };
    Ok((step, value, place("schedule")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Logged {
        Logged::from_csv(text, &Selection::default()).unwrap()
    }

    #[test]
    fn logs_of_many_kinds() {
        assert_eq!(read("0.1\n0.2\n").steps, [0, 1]);
        assert_eq!(read("5,0.1\n7,0.2\n").steps, [5, 7]);
        assert_eq!(read("loss,learning_rate,step\n1,0.1,3\n,,\n2,0.2,9\n").values, [0.1, 0.2]);
        assert_eq!(read("schedule,peak,step,lr\n0,1,0,0.5\n1,2,0,0.7\n").values, [0.5]);
        assert_eq!(read("step\tlr\n10.0\t1e-3\n").steps, [10]);
        assert_eq!(read("step,lr\n1,1\n2,2\n1,3\n").values, [3.0, 2.0], "the later row of a step counts");
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, expected) in [
            ("", "empty"),
            ("step,loss\n1,2\n", "--column"),
            ("step,lr\n1,abc\n", "line 2"),
            ("step,lr\n1.5,0.1\n", "not a step"),
            ("step,lr\n", "no rows"),
            ("step,lr\n1,inf\n", "finite"),
            ("schedule,step,lr\n1,0,0.5\n", "schedule 0"),
            ("step,lr\n9007199254740991,0.1\n9007199254740992,0.1\n", "not a step"),
            ("lr,step\n0.1,9007199254740991\n0.1\n", "beyond"),
            ("\n {\"log_history\": []}", "not CSV"),
            ("<html>", "not CSV"),
        ] {
            let error = Logged::from_csv(text, &Selection::default()).unwrap_err().to_string();
            assert!(error.contains(expected), "{text:?}: {error}");
        }
    }

    #[test]
    fn no_message_quotes_much_of_a_log() {
        let long = "x".repeat(5000);
        let column = |name: &str| Selection { column: Some(name.to_owned()), schedule: 0 };
        for (text, selection) in [
            (format!("step,lr\n1,{long}\n"), Selection::default()),
            (format!("step,lr\n{long},1\n"), Selection::default()),
            (format!("{long},step\n1,1\n"), Selection::default()),
            (format!("{}\n1,1\n", "epoch,".repeat(5000)), column("lr")),
            ("step,lr\n1,1\n".to_owned(), column(&long)),
            ("1,1\n".to_owned(), column(&long)),
            (long.clone(), Selection::default()),
            (format!("step,lr\n1,2\n1,{}", "1".repeat(MOST_LINE)), Selection::default()),
        ] {
            let error = Logged::from_csv(&text, &selection).unwrap_err().to_string();
            assert!(error.len() < 350 && !error.contains('\n'), "{error}");
        }
    }

    #[test]
    fn files_are_known_by_how_they_begin() {
        let folder = tempfile::tempdir().unwrap();
        let refusal = |bytes: &[u8]| {
            let path = folder.path().join("log.csv");
            std::fs::write(&path, bytes).unwrap();
            let error = Logged::read(&path, &Selection::default()).unwrap_err().to_string();
            assert!(error.contains("log.csv"), "{error}");
            error
        };
        for bytes in [&b"\x7fELF\x02\x01\x01\x00"[..], b"step,lr\n1,\xff\n", b"\xff\xfes\0t\0e\0p\0"] {
            assert!(refusal(bytes).contains("neither a text nor a NumPy table"), "{bytes:?}");
        }
        // A character split at the end of the first chunk is not an encoding error.
        let text = format!("{}é\n", "x".repeat(FIRST as usize - 1));
        assert!(refusal(text.as_bytes()).contains("none of the columns"));
        assert!(refusal(b"\x93NUMPY\x01\x00\x05\x00{}").contains("cut off in its header"));
    }

    #[test]
    fn rounding_is_read_off_the_texts() {
        let rows = |cell: fn(u32) -> String| (1..40).map(cell).collect::<Vec<_>>().join("\n");
        assert_eq!(read(&rows(|n| format!("0.{n:04}"))).rounding, Rounding::Absolute(0.5e-4));
        assert_eq!(read(&rows(|n| format!("1.{n:02}e-3"))).rounding, Rounding::Relative(0.5e-2));
        assert_eq!(read(&rows(|n| format!("0.0001234{n:04}"))).rounding, Rounding::binary(23));
        assert_eq!(read("0.1\n0.01\n0.001\n").rounding, Rounding::binary(23), "a few short values are exact");
    }
}
