//! Checks every backend on one spec: its error against the bound, and that it gives the same bits for the same steps.

use half::{bf16, f16};

use super::looks::Look;
use crate::check::bounds::{Allowance, bound, cancelling_terms};
use lrgrid::Steps;
use lrgrid::cpu::{Cpu, Level};
use lrgrid::double_double::DoubleDouble;
use lrgrid::element::{Dtype, Element};
use lrgrid::engine::Backend;
use lrgrid::error::{Error, GpuError};
use lrgrid::evaluate::Evaluate;
#[cfg(feature = "gpu")]
use lrgrid::gpu::Gpu;
use lrgrid::packed::Batch;
use lrgrid::program::Program;
use lrgrid::ulp::ulps;

/// What is compared with the reference.
pub(super) enum Engine {
    /// The formula itself: it must be a number.
    Reference,
    /// The lowered form's own evaluator.
    Lowered,
    Cpu(Cpu),
    #[cfg(feature = "gpu")]
    Gpu(Box<Gpu>),
}

/// An engine under its name.
pub(super) struct Contender {
    pub name: String,
    pub engine: Engine,
}

impl Contender {
    /// The engines that the options allow, and the reasons for those that are unavailable.
    pub fn all(backend: Backend, adapter: Option<&str>) -> Result<(Vec<Self>, Vec<String>), Error> {
        let mut contenders = vec![Self { name: "reference".to_owned(), engine: Engine::Reference }];
        let mut skipped = Vec::new();
        if matches!(backend, Backend::Auto | Backend::Cpu) {
            contenders.push(Self { name: "lowered form".to_owned(), engine: Engine::Lowered });
            for level in Level::available() {
                let cpu = Cpu::new()?.with_level(level);
                contenders.push(Self { name: format!("cpu ({})", level.name()), engine: Engine::Cpu(cpu) });
            }
        }
        if matches!(backend, Backend::Auto | Backend::Gpu) {
            match (gpu(adapter), backend) {
                (Ok(gpu), _) => contenders.push(gpu),
                (
                    Err(reason @ (GpuError::NotBuilt | GpuError::NoAdapter { .. } | GpuError::NoDevice { .. })),
                    Backend::Auto,
                ) => skipped.push(format!("gpu: {reason}")),
                (Err(error), _) => return Err(error.into()),
            }
        }
        Ok((contenders, skipped))
    }

    /// The types that it writes.
    pub fn dtypes(&self) -> &'static [Dtype] {
        match self.engine {
            Engine::Reference | Engine::Lowered => &[Dtype::F64],
            Engine::Cpu(_) => &Dtype::ALL,
            #[cfg(feature = "gpu")]
            Engine::Gpu(_) => &[Dtype::F32, Dtype::F16, Dtype::Bf16],
        }
    }

    /// Whose bound it has.
    pub fn backend(&self) -> Backend {
        match self.engine {
            Engine::Reference => Backend::Reference,
            Engine::Lowered | Engine::Cpu(_) => Backend::Cpu,
            #[cfg(feature = "gpu")]
            Engine::Gpu(_) => Backend::Gpu,
        }
    }

    fn evaluate<T: Element>(&self, program: &Program, batch: &Batch, steps: &Steps) -> Result<Vec<T>, Error> {
        match &self.engine {
            Engine::Reference => Ok(Vec::new()),
            Engine::Lowered => Ok(steps.iter().map(|step| T::from_exact(program.exact(step))).collect()),
            Engine::Cpu(cpu) => cpu.evaluate(batch, steps),
            #[cfg(feature = "gpu")]
            Engine::Gpu(gpu) => gpu.evaluate(batch, steps),
        }
    }

    /// Whether a table's bits must not depend on how its steps are given.
    fn is_exact(&self) -> bool {
        matches!(self.engine, Engine::Cpu(_))
    }
}

#[cfg(feature = "gpu")]
fn gpu(adapter: Option<&str>) -> Result<Contender, GpuError> {
    let gpu = adapter.map_or_else(Gpu::new, Gpu::with_adapter)?;
    Ok(Contender { name: format!("gpu ({})", gpu.adapter_name()), engine: Engine::Gpu(Box::new(gpu)) })
}

#[cfg(not(feature = "gpu"))]
fn gpu(_adapter: Option<&str>) -> Result<Contender, GpuError> {
    Err(GpuError::NotBuilt)
}

/// Rows that share their shapes are evaluated together on the CPU, from 16 on in another order.
const ROWS: usize = 17;

/// A compiled spec and the steps to check.
pub(super) struct Case {
    pub batch: Batch,
    pub program: Program,
    /// The same program several times, so that its rows are evaluated together.
    rows: Batch,
    pub looks: Vec<Look>,
    /// The reference's values at each look's judged columns.
    exact: Vec<Vec<DoubleDouble>>,
    /// The size of the terms that cancel, if any do.
    terms: Option<f64>,
}

/// The kind of error of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Problem {
    /// It is further from the reference than the bound.
    Bound,
    /// It has other bits when the steps are given in another way, or beside other rows.
    OtherBits,
    /// It, or the reference, is not a number.
    NotANumber,
    /// The table was refused, or evaluating it panicked.
    Failed,
}

/// One wrong value.
#[derive(Clone, Debug, PartialEq)]
pub struct Wrong {
    /// The kind of error.
    pub problem: Problem,
    /// The backend.
    pub backend: String,
    /// The element type.
    pub dtype: Dtype,
    /// The step.
    pub step: u64,
    /// The value, and its bits in its own type.
    pub got: (f64, u64),
    /// The correct value, rounded to the type, and its bits.
    pub want: (f64, u64),
    /// The error, in units in the last place.
    pub off: f64,
    /// The bound on the error.
    pub bound: f64,
    /// How the steps were given, or the message of a failure.
    pub note: String,
}

/// How one backend did in one type.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Score {
    pub values: u64,
    pub sum: f64,
    /// The worst deviation that is allowed, and the step.
    pub worst: (f64, u64),
    pub breaches: u64,
    pub first: Option<Wrong>,
}

impl Score {
    /// That of a table that could not be had at all.
    pub fn failed(contender: &Contender, dtype: Dtype, message: &str) -> Self {
        let mut score = Self::default();
        score.wrong(Wrong::failed(contender, dtype, 0, message.to_owned()));
        score
    }

    fn wrong(&mut self, wrong: Wrong) {
        self.breaches += 1;
        let key = |wrong: &Wrong| (wrong.problem, wrong.off);
        let worse = |known: &Wrong| {
            let ((problem, off), (known, known_off)) = (key(&wrong), key(known));
            problem > known || problem == known && off > known_off
        };
        if self.first.as_ref().is_none_or(worse) {
            self.first = Some(wrong);
        }
    }
}

impl Case {
    /// # Errors
    /// When the program is too large to be packed several times.
    pub fn new(batch: Batch, looks: Vec<Look>) -> Result<Self, Error> {
        let program = batch.program(0);
        let rows = Batch::from_programs(std::iter::repeat_n(&program, ROWS))?;
        let values = |look: &Look| {
            let mut values = Vec::with_capacity(look.columns.len());
            let mut steps = look.columns.iter().map(|&column| look.steps.get(column));
            batch.reference_values(0, &mut steps, &mut |value| values.push(value));
            values
        };
        let exact = looks.iter().map(values).collect();
        let steps = looks.iter().flat_map(|look| look.columns.iter().map(|&column| look.steps.get(column)));
        let terms = cancelling_terms(&program, steps);
        Ok(Self { batch, program, rows, looks, exact, terms })
    }

    /// Holds a contender to its bound in one type.
    pub fn judge(&self, contender: &Contender, dtype: Dtype) -> Score {
        match dtype {
            Dtype::F64 => self.judge_in::<f64>(contender),
            Dtype::F32 => self.judge_in::<f32>(contender),
            Dtype::F16 => self.judge_in::<f16>(contender),
            Dtype::Bf16 => self.judge_in::<bf16>(contender),
        }
    }

    fn judge_in<T: Element>(&self, contender: &Contender) -> Score {
        let mut score = Score::default();
        let backend = contender.backend();
        let allowance = Allowance::new::<T>(bound(backend, T::DTYPE), backend, self.terms);
        for (look, exact) in self.looks.iter().zip(&self.exact) {
            if matches!(contender.engine, Engine::Reference) {
                self.judge_reference(look, exact, &mut score);
                continue;
            }
            let table: Vec<T> = match contender.evaluate(&self.program, &self.batch, &look.steps) {
                Ok(table) => table,
                Err(error) => {
                    score.wrong(Wrong::failed(contender, T::DTYPE, look.steps.get(0), error.to_string()));
                    continue;
                }
            };
            for (&column, &exact) in look.columns.iter().zip(exact) {
                let (got, step) = (table[column], look.steps.get(column));
                let off = allowance.distance(got, exact);
                score.values += 1;
                if allowance.permits(off) {
                    score.sum += off;
                    score.worst = if off > score.worst.0 { (off, step) } else { score.worst };
                    continue;
                }
                let nan = got.to_f64().is_nan() || exact.high().is_nan();
                score.wrong(Wrong {
                    problem: if nan { Problem::NotANumber } else { Problem::Bound },
                    backend: contender.name.clone(),
                    dtype: T::DTYPE,
                    step,
                    got: shown(got),
                    want: shown(T::from_exact(exact)),
                    off,
                    bound: allowance.bound,
                    note: given(&look.steps),
                });
            }
            if contender.is_exact() {
                self.compare_ways(contender, look, &table, &mut score);
            }
        }
        score
    }

    fn judge_reference(&self, look: &Look, exact: &[DoubleDouble], score: &mut Score) {
        for (&column, exact) in look.columns.iter().zip(exact) {
            score.values += 1;
            if exact.high().is_nan() {
                let nan = shown(exact.high());
                score.wrong(Wrong {
                    problem: Problem::NotANumber,
                    backend: "reference".to_owned(),
                    dtype: Dtype::F64,
                    step: look.steps.get(column),
                    got: nan,
                    want: nan,
                    off: f64::INFINITY,
                    bound: 0.0,
                    note: given(&look.steps),
                });
            }
        }
    }

    /// The same steps as a list, a part of them, and the same row among others have the same bits.
    fn compare_ways<T: Element>(&self, contender: &Contender, look: &Look, table: &[T], score: &mut Score) {
        let mut ways = Vec::new();
        if look.steps.progression().is_some() {
            ways.push((&self.batch, Steps::list(look.steps.iter()), 0, "listed"));
        }
        if let Some(slice) = &look.slice {
            ways.push((&self.batch, look.steps.slice(slice.clone()), slice.start, "sliced"));
        }
        if look.among_rows {
            ways.push((&self.rows, look.steps.clone(), 0, "among rows"));
        }
        for (batch, steps, first, way) in ways {
            let other: Vec<T> = match contender.evaluate(&self.program, batch, &steps) {
                Ok(other) => other,
                Err(error) => {
                    score.wrong(Wrong::failed(contender, T::DTYPE, steps.get(0), error.to_string()));
                    continue;
                }
            };
            for row in other.chunks(steps.len().max(1)) {
                let pairs = table[first..].iter().zip(row).enumerate();
                for (place, (&want, &got)) in pairs {
                    // Below the range of f64, sums in two parts lose the sign of a zero.
                    let zeros = T::DTYPE == Dtype::F64 && got == want && got == T::zeroed();
                    if zeros || got.to_f64().to_bits() == want.to_f64().to_bits() {
                        continue;
                    }
                    score.wrong(Wrong {
                        problem: Problem::OtherBits,
                        backend: contender.name.clone(),
                        dtype: T::DTYPE,
                        step: steps.get(place),
                        got: shown(got),
                        want: shown(want),
                        off: ulps(got, want.to_f64().into()),
                        bound: 0.0,
                        note: format!("{way}, against {}", given(&look.steps)),
                    });
                }
            }
        }
    }
}

impl Wrong {
    /// A table that could not be had.
    fn failed(contender: &Contender, dtype: Dtype, step: u64, message: String) -> Self {
        let nothing = (f64::NAN, 0);
        let backend = contender.name.clone();
        Self {
            problem: Problem::Failed,
            backend,
            dtype,
            step,
            got: nothing,
            want: nothing,
            off: f64::INFINITY,
            bound: 0.0,
            note: message,
        }
    }
}

/// A value and its bits.
fn shown<T: Element>(value: T) -> (f64, u64) {
    let bytes = bytemuck::bytes_of(&value);
    let bits = if cfg!(target_endian = "little") {
        bytes.iter().rev().fold(0, |bits, &byte| bits << 8 | u64::from(byte))
    } else {
        bytes.iter().fold(0, |bits, &byte| bits << 8 | u64::from(byte))
    };
    (value.to_f64(), bits)
}

/// How steps are given, in a few words.
fn given(steps: &Steps) -> String {
    let count = steps.len();
    match steps.progression() {
        Some((start, 1)) => format!("{count} steps from {start}"),
        Some((start, stride)) => format!("{count} steps from {start} by {stride}"),
        None => format!("a list of {count} steps"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::draw::Choices;
    use crate::check::random::looks::looks;
    use lrgrid::spec::Spec;

    fn case(schedule: &str) -> Case {
        let spec = Spec::from_json(&format!("{{\"schedule\": {schedule}}}")).unwrap();
        let batch = spec.compile().unwrap();
        let looks = looks(&batch.program(0), &batch, Some(1000), None, &mut Choices::seeded(1, 2));
        Case::new(batch, looks).unwrap()
    }

    fn cpu() -> Contender {
        Contender { name: "cpu".to_owned(), engine: Engine::Cpu(Cpu::new().unwrap()) }
    }

    const COSINE: &str = r#"{ "kind": "cosine", "start": 0.1, "end": 1e-3, "steps": 1000 }"#;

    #[test]
    fn one_value_that_is_off_is_found_in_every_type_and_look() {
        let right = case(COSINE);
        for look in 0..right.looks.len() {
            let mut wrong = case(COSINE);
            let last = wrong.exact[look].len() - 1;
            wrong.exact[look][last] = wrong.exact[look][last] * (1.0 + 2f64.powi(-6));
            for dtype in Dtype::ALL {
                assert_eq!(right.judge(&cpu(), dtype).breaches, 0);
                let score = wrong.judge(&cpu(), dtype);
                let found = score.first.unwrap();
                assert_eq!((score.breaches, found.problem, found.dtype), (1, Problem::Bound, dtype));
                let column = wrong.looks[look].columns[last];
                assert_eq!(found.step, wrong.looks[look].steps.get(column));
            }
        }
    }

    #[test]
    fn a_reference_without_a_number_is_a_breach_of_its_own() {
        let mut wrong = case(COSINE);
        wrong.exact[0][5] = f64::NAN.into();
        let reference = Contender { name: "reference".to_owned(), engine: Engine::Reference };
        for contender in [reference, cpu()] {
            let score = wrong.judge(&contender, Dtype::F64);
            assert_eq!((score.breaches, score.first.unwrap().problem), (1, Problem::NotANumber));
        }
    }

    #[test]
    fn rows_and_slices_of_other_bits_are_found() {
        let mut wrong = case(COSINE);
        let other = case(r#"{ "kind": "cosine", "start": 0.1001, "end": 1e-3, "steps": 1000 }"#);
        wrong.rows = other.rows;
        wrong.looks.iter_mut().for_each(|look| look.among_rows = true);
        let score = wrong.judge(&cpu(), Dtype::F32);
        let found = score.first.unwrap();
        assert!(score.breaches > 0 && found.problem == Problem::OtherBits && found.note.starts_with("among rows"));
        assert!(found.got.1 != found.want.1 && f64::from(f32::from_bits(found.got.1 as u32)) == found.got.0);
    }
}
