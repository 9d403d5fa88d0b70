//! Arguments that several commands share, and their parsers.

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use lrgrid::program::MAX_STEP;
use lrgrid::sweep::Method;
use lrgrid::{Backend, Dtype, Spec, Steps};
use lrgrid_tables::table::{Layout, Memory, Rows};

use super::Failure;

/// The backend, and its adapter.
#[derive(Debug, Args)]
pub struct BackendArguments {
    /// The backend; auto uses a GPU only if it is no software adapter and the table is large enough to be faster.
    #[arg(long, default_value = "auto", value_parser = backends())]
    pub backend: Backend,
    /// Part of the adapter's name, or its number in `lrgrid devices`.
    #[arg(long, value_name = "NAME")]
    adapter: Option<String>,
}

impl BackendArguments {
    /// The adapter, if the backend can use one.
    pub fn adapter(&self) -> Result<Option<&str>, Failure> {
        match (self.backend, self.adapter.as_deref()) {
            (Backend::Cpu | Backend::Reference, Some(_)) => {
                let name = self.backend.name();
                Err(Failure::wrong(format!("--adapter names a GPU, but --backend is {name}: use gpu or auto")))
            }
            (_, adapter) => Ok(adapter),
        }
    }
}

/// The memory of a command that writes a table, and its messages.
#[derive(Debug, Args)]
pub struct WorkArguments {
    /// The most memory for the whole program.
    ///
    /// It is at most a quarter of the machine's. Larger tables are computed in parts, with the same bits. Below 56MiB the
    /// program itself is not counted, and below 256MiB auto uses no GPU.
    #[arg(long, value_name = "BYTES", default_value = "512MiB", value_parser = memory)]
    pub memory: Memory,
    /// Print no progress and no notes.
    #[arg(short, long)]
    pub quiet: bool,
}

/// The backends by name.
pub fn backends() -> impl TypedValueParser<Value = Backend> {
    named(Backend::ALL, Backend::name)
}

/// The kinds of row by name.
pub fn rows() -> impl TypedValueParser<Value = Rows> {
    named(Rows::ALL, Rows::name)
}

/// Parses a memory limit.
pub fn memory(text: &str) -> Result<Memory, String> {
    bytes(text).map(Memory::at_most)
}

/// The steps of a spec to evaluate.
#[derive(Debug, Args)]
pub struct StepArguments {
    /// The steps from A up to, but not including, B; by default all steps of the spec.
    #[arg(long, value_name = "A..B[:STRIDE]", value_parser = step_range)]
    steps: Option<StepRange>,
    /// Only these steps.
    #[arg(long, value_name = "STEP,…", value_delimiter = ',', value_parser = step, conflicts_with = "steps")]
    at: Option<Vec<u64>>,
}

impl StepArguments {
    /// The steps, at least one; `name` is that of the spec in messages.
    pub fn of(&self, spec: &Spec, name: &str) -> Result<Steps, Failure> {
        if let Some(at) = &self.at {
            return Ok(Steps::list(at));
        }
        let range = self.steps.unwrap_or(StepRange { start: 0, end: None, stride: 1 });
        let end = range.end.map_or_else(|| spec.table_steps(), Ok).map_err(|error| Failure::in_spec(name, error))?;
        let steps = Steps::range(range.start..end).stride_by(range.stride);
        if steps.is_empty() {
            return Err(Failure::wrong("there is no step in the range: --steps begins after the spec's last step"));
        }
        Ok(steps)
    }
}

/// One of a few values by its name.
fn named<T: Copy + Send + Sync + 'static, const N: usize>(
    all: [T; N],
    name: fn(T) -> &'static str,
) -> impl TypedValueParser<Value = T> {
    // The parser accepts only these names, so the default is never used.
    PossibleValuesParser::new(all.map(name))
        .map(move |text| all.into_iter().find(|value| name(*value) == text).unwrap_or(all[0]))
}

/// The element types by name.
pub fn dtypes() -> impl TypedValueParser<Value = Dtype> {
    named(Dtype::ALL, Dtype::name)
}

/// The layouts by name.
pub fn layouts() -> impl TypedValueParser<Value = Layout> {
    named(Layout::ALL, Layout::name)
}

/// The sweep methods by name.
pub fn methods() -> impl TypedValueParser<Value = Method> {
    named(Method::ALL, Method::name)
}

/// A whole number, which may have underscores.
pub fn number(text: &str) -> Result<u64, String> {
    let digits = text.replace('_', "");
    if text.starts_with('_') || text.ends_with('_') || digits.starts_with('+') {
        return Err(format!("`{text}` is not a whole number"));
    }
    digits.parse().map_err(|_| format!("`{text}` is not a whole number, such as 1000 or 1_000"))
}

/// A step: a whole number up to 2^53 − 1.
pub fn step(text: &str) -> Result<u64, String> {
    match number(text)? {
        step if step > MAX_STEP => Err(format!("step {step} is beyond the largest, {MAX_STEP}")),
        step => Ok(step),
    }
}

/// `A..B[:STRIDE]`; A is 0 by default and B the end of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StepRange {
    pub start: u64,
    pub end: Option<u64>,
    pub stride: u64,
}

/// Parses a range of steps.
pub fn step_range(text: &str) -> Result<StepRange, String> {
    let Some((start, rest)) = text.split_once("..") else {
        return Err("write A..B or A..B:STRIDE, such as 0..1_000:10".to_owned());
    };
    let (end, stride) = match rest.split_once(':') {
        Some((end, stride)) => (end, number(stride)?),
        None => (rest, 1),
    };
    // The end is exclusive, so it may be one more than the largest step.
    let end = match end {
        "" => None,
        end => match number(end)? {
            end if end > MAX_STEP + 1 => return Err(format!("the end {end} is beyond the largest step, {MAX_STEP}")),
            end => Some(end),
        },
    };
    let start = if start.is_empty() { 0 } else { step(start)? };
    if stride == 0 {
        return Err("the stride is 0: use 1 or more".to_owned());
    }
    if end.is_some_and(|end| end <= start) {
        return Err("there is no step in the range: it goes from A up to, but not including, B".to_owned());
    }
    Ok(StepRange { start, end, stride })
}

/// One of several equal slices of a sweep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    pub index: u64,
    pub count: u64,
}

impl Shard {
    /// The schedules in the slice.
    pub fn rows(self, schedules: usize) -> std::ops::Range<usize> {
        lrgrid_tables::job::slice(schedules, self.index, self.count)
    }
}

/// A shard by its number, or by the number of the task in a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShardChoice {
    At(Shard),
    Auto,
}

/// Parses `I/N` or `auto`.
pub fn shard_choice(text: &str) -> Result<ShardChoice, String> {
    if text == "auto" { Ok(ShardChoice::Auto) } else { shard(text).map(ShardChoice::At) }
}

/// Parses `I/N`.
pub fn shard(text: &str) -> Result<Shard, String> {
    let Some((index, count)) = text.split_once('/') else {
        return Err("write I/N, such as 0/4 for the first of four".to_owned());
    };
    let (index, count) = (number(index)?, number(count)?);
    if count == 0 {
        return Err("there are no shards of 0: use 0/1 for the whole".to_owned());
    }
    if index >= count {
        return Err(format!("there is no shard {index} of {count}: they count from 0 up to {}", count - 1));
    }
    Ok(Shard { index, count })
}

/// Parses a number of bytes: 1000, 64MiB, 1GB.
fn bytes(text: &str) -> Result<u64, String> {
    let split = text.find(|c: char| !c.is_ascii_digit() && c != '_').unwrap_or(text.len());
    let (digits, unit) = text.split_at(split);
    let factor: u64 = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "kb" => 1000,
        "mb" => 1000 * 1000,
        "gb" => 1000 * 1000 * 1000,
        "k" | "kib" => 1 << 10,
        "m" | "mib" => 1 << 20,
        "g" | "gib" => 1 << 30,
        other => return Err(format!("`{other}` is no unit of memory: use KiB, MiB, GiB, KB, MB, GB or none")),
    };
    match number(digits)?.checked_mul(factor) {
        Some(0) => Err("the limit is 0 bytes: use 1MiB or more".to_owned()),
        Some(bytes) => Ok(bytes),
        None => Err(format!("`{text}` is more than any memory")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        assert_eq!(step_range("2..10"), Ok(StepRange { start: 2, end: Some(10), stride: 1 }));
        assert_eq!(step_range("..1_000:10"), Ok(StepRange { start: 0, end: Some(1000), stride: 10 }));
        assert_eq!(step_range("5.."), Ok(StepRange { start: 5, end: None, stride: 1 }));
        assert!(step_range(&format!("0..{}", MAX_STEP + 1)).is_ok());
        for wrong in ["5", "5..5", "9..3", "0..10:0", "a..b", "0..99999999999999999", "-1..4", "1__..", "0..4:"] {
            assert!(step_range(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn shards_cover_everything_once() {
        for schedules in [0, 1, 5, 1000, usize::MAX] {
            for count in [1, 2, 3, 7, 1001] {
                let mut next = 0;
                for index in 0..count {
                    let rows = shard(&format!("{index}/{count}")).unwrap().rows(schedules);
                    assert_eq!(rows.start, next);
                    next = rows.end;
                }
                assert_eq!(next, schedules);
            }
        }
        for wrong in ["4/4", "0/0", "1", "-1/4", "a/b"] {
            assert!(shard(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn memory() {
        assert_eq!(bytes("1_000"), Ok(1000));
        assert_eq!(bytes("64MiB"), Ok(64 << 20));
        assert_eq!(bytes("1GB"), Ok(1_000_000_000));
        assert_eq!(bytes("2 g"), Ok(2 << 30));
        for wrong in ["", "0", "MiB", "5 apples", "99999999999GiB", "1.5GiB"] {
            assert!(bytes(wrong).is_err(), "{wrong}");
        }
    }
}
