//! Learning rates from someone's log: steps, values, and how finely the values were written.

use std::fs;
use std::path::Path;

use crate::error::ReadError;

/// The most rows that are read.
const MOST_ROWS: usize = 1 << 24;

/// Values that may be short because they are exact: of so many different ones, some would have more digits.
const FEW_VALUES: usize = 12;

/// Names of the column of steps, in the order of preference.
const STEP_NAMES: &[&str] = &["step", "steps", "global_step", "_step", "iteration", "iter", "train/global_step", "x"];

/// Names of the column of values, in the order of preference.
const VALUE_NAMES: &[&str] = &["lr", "learning_rate", "train/learning_rate", "rate", "value", "y", "weight_decay"];

/// A logged curve: steps strictly rising, one finite value each.
///
/// ```
/// use lrgrid::logged::Logged;
///
/// let logged = Logged::from_csv("step,lr\n0,0.001\n10,0.0009\n", &Default::default())?;
/// assert_eq!((logged.steps.as_slice(), logged.values.as_slice()), ([0, 10].as_slice(), [0.001, 0.0009].as_slice()));
/// # Ok::<(), lrgrid::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Logged {
    /// The steps.
    pub steps: Vec<u64>,
    /// The values.
    pub values: Vec<f64>,
    /// How far each value may be from what was logged, by rounding.
    pub rounding: Rounding,
}

/// How finely values were written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rounding {
    /// To so many decimals: half a unit of the last one.
    Absolute(f64),
    /// To so many digits: this share of the value.
    Relative(f64),
}

impl Rounding {
    /// Of a single written in the shortest text that reads back: half a unit for the single, and half for the text.
    pub const SINGLE: Self = Self::binary(23);

    /// The most that rounding moved a value.
    #[must_use]
    pub fn of(self, value: f64) -> f64 {
        match self {
            Self::Absolute(unit) => unit,
            Self::Relative(share) => share * value.abs(),
        }
    }

    /// Of values in `f64`, `f32`, `f16` or `bf16`, by the bits of their significand.
    const fn binary(bits: u32) -> Self {
        Self::Relative(1.0 / (1_u64 << bits) as f64)
    }

    /// From how texts are written: in full, or cut to some digits or decimals.
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
            // Sixteen digits and more are a double's own, seven to nine a single's: the shortest text that reads back may
            // be as far from the single as that is from the exact value.
            14.. => Self::binary(50),
            7.. => Self::SINGLE,
            // A few short numbers may be exact: a constant, or milestones.
            _ if distinct.len() < FEW_VALUES => Self::SINGLE,
            _ if scientific => Self::Relative(0.5 * 10f64.powi(1 - digits.max(1) as i32)),
            _ => Self::Absolute(0.5 * 10f64.powi(-(decimals as i32))),
        }
    }
}

/// Which part of a file is meant.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// The column of values, by its name.
    pub column: Option<String>,
    /// The schedule, where a table has several.
    pub schedule: usize,
}

impl Logged {
    /// Reads a `.csv` or `.npy` file.
    ///
    /// # Errors
    /// When it cannot be read, or has no such column, row or usable value.
    pub fn read(path: &Path, selection: &Selection) -> Result<Self, ReadError> {
        let bytes = fs::read(path).map_err(|source| ReadError::Io { path: path.to_owned(), source })?;
        let named = |error: ReadError| match error {
            ReadError::Format { reason, .. } => ReadError::Format { path: path.to_owned(), reason },
            other => other,
        };
        if bytes.starts_with(b"\x93NUMPY") {
            return Self::from_npy(&bytes, selection).map_err(named);
        }
        let text = std::str::from_utf8(&bytes)
            .map_err(|_| named(refused("is neither a text nor a NumPy table: give a .csv or .npy file".to_owned())))?;
        Self::from_csv(text, selection).map_err(named)
    }

    /// Reads a CSV text: with a header, or one column of values, or steps and values.
    ///
    /// # Errors
    /// When it has no such column or schedule, or a row is not a number.
    pub fn from_csv(text: &str, selection: &Selection) -> Result<Self, ReadError> {
        let separator = if text.lines().next().is_some_and(|line| line.contains('\t')) { b'\t' } else { b',' };
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(separator)
            .trim(csv::Trim::All)
            .from_reader(text.as_bytes());
        let mut rows = reader.records();
        let first = match rows.next() {
            Some(row) => row.map_err(|error| refused(error.to_string()))?,
            None => return Err(refused("is empty: give rows of steps and values".to_owned())),
        };
        let is_header = first.iter().any(|cell| !cell.is_empty() && cell.parse::<f64>().is_err());
        let (step, value, schedule) = columns(&first, is_header, selection)?;
        let mut found: Vec<(u64, f64, String)> = Vec::new();
        let mut last_filled = 0;
        let body = (!is_header).then_some(Ok(first)).into_iter().chain(rows);
        for (index, row) in body.enumerate() {
            let row = row.map_err(|error| refused(error.to_string()))?;
            let line = index + 1 + usize::from(is_header);
            if schedule.is_some_and(|column| row.get(column) != Some(&selection.schedule.to_string())) {
                continue;
            }
            // Loggers leave cells empty where another metric was written.
            let Some(text) = row.get(value).filter(|cell| !cell.is_empty()) else { continue };
            let number: f64 =
                text.parse().ok().filter(|number: &f64| number.is_finite()).ok_or_else(|| {
                    refused(format!("line {line}: \"{text}\" is not a finite number: leave the cell empty, or choose a column with --column"))
                })?;
            let at = match step.and_then(|column| row.get(column)) {
                Some(text) => whole(text).ok_or_else(|| {
                    refused(format!("line {line}: \"{text}\" is not a step: a whole number is needed"))
                })?,
                None => last_filled,
            };
            last_filled = at + 1;
            if found.len() == MOST_ROWS {
                return Err(refused(format!("has more than {MOST_ROWS} rows: keep every tenth")));
            }
            found.push((at, number, text.to_owned()));
        }
        // Where a step was logged twice, as after a resumed run, the later row counts.
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

    /// Reads the bytes of a NumPy table: one value per step, or one row per schedule.
    fn from_npy(bytes: &[u8], selection: &Selection) -> Result<Self, ReadError> {
        let file = npyz::NpyFile::new(bytes).map_err(|error| refused(error.to_string()))?;
        let (columns, rows) = match *file.shape() {
            [columns] => (columns, 1),
            [rows, columns] => (columns, rows),
            ref shape => return Err(refused(format!("has {} axes: one or two are needed", shape.len()))),
        };
        if selection.schedule as u64 >= rows {
            return Err(refused(format!("has no schedule {}: there are {rows}", selection.schedule)));
        }
        if file.order() == npyz::Order::Fortran && rows > 1 {
            return Err(refused("is stored column by column: save it with numpy.ascontiguousarray".to_owned()));
        }
        if columns == 0 || columns > MOST_ROWS as u64 {
            return Err(refused(format!("has {columns} steps: from 1 to {MOST_ROWS} are read")));
        }
        let skip = selection.schedule * columns as usize;
        let kind = file.dtype().descr();
        fn part<T: npyz::Deserialize>(
            file: npyz::NpyFile<&[u8]>,
            skip: usize,
            take: usize,
            to: fn(T) -> f64,
        ) -> Result<Vec<f64>, ReadError> {
            let values = file.data::<T>().map_err(|error| refused(error.to_string()))?;
            values
                .skip(skip)
                .take(take)
                .map(|value| value.map(to).map_err(|error| refused(error.to_string())))
                .collect()
        }
        let (values, bits) = match kind.trim_matches(['\'', '"', '<', '>', '=', '|']) {
            "f8" => (part::<f64>(file, skip, columns as usize, |value| value)?, 50),
            "f4" => (part::<f32>(file, skip, columns as usize, f64::from)?, 24),
            "f2" => (part::<half::f16>(file, skip, columns as usize, f64::from)?, 11),
            other => return Err(refused(format!("holds {other}: f8, f4 or f2 are read"))),
        };
        if let Some(at) = values.iter().position(|value| !value.is_finite()) {
            return Err(refused(format!("step {at} is {}: finite values are needed", values[at])));
        }
        Ok(Self { steps: (0..columns).collect(), values, rounding: Rounding::binary(bits) })
    }
}

fn refused(reason: String) -> ReadError {
    ReadError::Format { path: Default::default(), reason }
}

/// A step as loggers write them: `10`, or `10.0`.
fn whole(text: &str) -> Option<u64> {
    text.parse()
        .ok()
        .or_else(|| {
            let number: f64 = text.parse().ok()?;
            (number.fract() == 0.0 && (0.0..=crate::program::MAX_STEP as f64).contains(&number))
                .then_some(number as u64)
        })
        .filter(|&step| step <= crate::program::MAX_STEP)
}

/// Which columns hold steps, values and numbers of schedules.
fn columns(
    first: &csv::StringRecord,
    is_header: bool,
    selection: &Selection,
) -> Result<(Option<usize>, usize, Option<usize>), ReadError> {
    if !is_header {
        if let Some(name) = &selection.column {
            return Err(refused(format!("has no header, so there is no column \"{name}\": leave --column out")));
        }
        return Ok(if first.len() == 1 { (None, 0, None) } else { (Some(0), 1, None) });
    }
    let place = |name: &str| first.iter().position(|cell| cell.eq_ignore_ascii_case(name));
    let listed = || first.iter().collect::<Vec<_>>().join(", ");
    let step = STEP_NAMES.iter().find_map(|name| place(name));
    let value = match &selection.column {
        Some(name) => {
            place(name).ok_or_else(|| refused(format!("has no column \"{name}\": there are {}", listed())))?
        }
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
        ] {
            let error = Logged::from_csv(text, &Selection::default()).unwrap_err().to_string();
            assert!(error.contains(expected), "{text:?}: {error}");
        }
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
