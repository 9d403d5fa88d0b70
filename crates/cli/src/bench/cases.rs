//! The cases of the benchmark: a schedule for each curve and several common schedules, in tables of two regimes.

use lrgrid::Error;
use lrgrid::Steps;
use lrgrid::packed::Batch;
use lrgrid::spec::Spec;

/// The steps that every schedule spans.
const HORIZON: u64 = 65_536;

/// A schedule to measure, with its peak swept over the rows of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Case {
    /// The name in tables and filters.
    pub name: &'static str,
    /// The schedule in TOML; `$peak` differs in every row.
    pub schedule: &'static str,
    /// The parameter that differs between rows instead of `$peak`, in TOML.
    own: Option<&'static str>,
}

const fn case(name: &'static str, schedule: &'static str) -> Case {
    Case { name, schedule, own: None }
}

/// Every case: first one for each curve, then schedules of several segments.
pub const CASES: [Case; 21] = [
    case("constant", "kind = 'constant', value = '$peak'"),
    case("linear", "kind = 'linear', start = '$peak', end = 1e-6, steps = 65_536"),
    case("polynomial", "kind = 'polynomial', start = '$peak', end = 1e-6, steps = 65_536, power = 1.7"),
    case("k_decay", "kind = 'k_decay', start = '$peak', end = 1e-6, steps = 65_536, k = 2.5"),
    case("cosine", "kind = 'cosine', start = '$peak', end = 1e-6, steps = 65_536"),
    case("cosine_power", "kind = 'cosine_power', start = '$peak', end = 1e-6, steps = 65_536, power = 2.5"),
    case(
        "cosine_exponential",
        "kind = 'cosine_power', start = '$peak', end = 1e-6, steps = 65_536, power = 10, form = 'exponential'",
    ),
    case("exponential", "kind = 'exponential', start = '$peak', decay_rate = 0.9999"),
    case(
        "normalized_exponential",
        "kind = 'normalized_exponential', start = '$peak', end = 1e-6, steps = 65_536, ratio = 0.01",
    ),
    case("logistic", "kind = 'logistic', start = '$peak', end = 1e-6, steps = 65_536"),
    case("inverse_time", "kind = 'inverse_time', start = '$peak', decay_rate = 1e-3"),
    case("inverse_sqrt", "kind = 'inverse_sqrt', start = '$peak', timescale = 1000"),
    case("rex", "kind = 'rex', start = '$peak', end = 1e-6, steps = 65_536"),
    case("step", "kind = 'step', start = '$peak', decay_rate = 0.5, step_size = 5000"),
    case(
        "warmup_cosine",
        "kind = 'warmup', steps = 2000, then = { kind = 'cosine', start = '$peak', end = 1e-6, steps = 63_536 }",
    ),
    case("one_cycle", "kind = 'one_cycle', max = '$peak', initial = 1e-5, final = 1e-8, steps = 65_536"),
    case(
        "cyclic",
        "kind = 'cyclic', base = 1e-6, max = '$peak', step_size_up = 2000, mode = 'exp_range', gamma = 0.9999",
    ),
    case("cosine_restarts", "kind = 'cosine_restarts', max = '$peak', min = 1e-6, period = 10_000, decay = 0.8"),
    case("wsd", "kind = 'wsd', peak = '$peak', warmup_steps = 2000, stable_steps = 50_000, decay_steps = 13_536"),
    case(
        "sequence",
        "kind = 'sequence', pieces = [{ kind = 'linear', start = 0, end = '$peak', steps = 5000 }, \
         { kind = 'cosine', start = '$peak', end = 1e-5, steps = 30_000 }, \
         { kind = 'exponential', start = 1e-5, decay_rate = 0.9999 }]",
    ),
    Case {
        name: "cosine_own_length",
        schedule: "kind = 'cosine', start = 1e-3, end = 1e-6, steps = '$length'",
        own: Some("length = { min = 50_000, distribution = 'int_uniform' }"),
    },
];

impl Case {
    /// The sweep over `rows` schedules.
    ///
    /// # Errors
    /// When the schedule does not compile.
    pub fn compile(&self, rows: usize) -> Result<Batch, Error> {
        Spec::from_toml(&self.spec(rows))?.compile()
    }

    fn spec(&self, rows: usize) -> String {
        let parameters = match self.own {
            Some(own) => own.replace("min = 50_000", &format!("min = 50_000, max = {}", 49_999 + rows)),
            None => format!("peak = {{ min = 1e-4, max = 1e-2, count = {rows}, distribution = 'log_uniform_values' }}"),
        };
        format!("schedule = {{ {} }}\n[sweep.parameters]\n{parameters}\n", self.schedule)
    }
}

/// The shape of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Regime {
    /// 1024 schedules × 65,536 steps: a row is long beside what it takes to set it up.
    LongRows,
    /// 1,000,000 schedules × 64 steps, 1024 apart: setting rows up is the work.
    ShortRows,
}

impl Regime {
    /// Both.
    pub const ALL: [Self; 2] = [Self::LongRows, Self::ShortRows];

    /// The name in tables and filters.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::LongRows => "long",
            Self::ShortRows => "short",
        }
    }

    /// Schedules of a table that is `divisor` times smaller than the full one.
    #[must_use]
    pub const fn rows(self, divisor: usize) -> usize {
        let rows = match self {
            Self::LongRows => 1024,
            Self::ShortRows => 1_000_000,
        };
        if divisor > rows { 1 } else { rows / divisor }
    }

    /// Its steps.
    #[must_use]
    pub fn steps(self) -> Steps {
        match self {
            Self::LongRows => Steps::range(0..HORIZON),
            Self::ShortRows => Steps::range(0..HORIZON).stride_by(HORIZON / 64),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_case_compiles_to_rows_that_differ() {
        for case in CASES {
            let batch = case.compile(3).unwrap();
            assert_eq!(batch.len(), 3, "{}", case.name);
            assert_ne!(batch.value(0, 1000), batch.value(2, 1000), "{}", case.name);
        }
    }

    #[test]
    fn every_curve_is_measured() {
        use std::collections::BTreeSet;
        let names = |case: &Case| -> Vec<&str> {
            case.compile(1).unwrap().program(0).segments().map(|segment| segment.curve.name()).collect()
        };
        let measured: BTreeSet<&str> = CASES.iter().flat_map(names).collect();
        assert!(measured.len() >= 11, "only {measured:?}");
    }

    #[test]
    fn regimes_have_their_shapes() {
        let shape = |regime: Regime| (regime.rows(1), regime.steps().len());
        assert_eq!(Regime::ALL.map(shape), [(1024, 65_536), (1_000_000, 64)]);
        assert_eq!(Regime::ShortRows.rows(4), 250_000);
    }
}
