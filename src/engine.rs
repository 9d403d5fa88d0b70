//! The engine: any backend behind one type, and the automatic choice between CPU and GPU.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};

use crate::cpu::Cpu;
#[cfg(feature = "gpu")]
use crate::element::Dtype;
use crate::element::Element;
use crate::error::{Error, GpuError, UnknownName};
use crate::evaluate::{Evaluation, Evaluator, Reference};
#[cfg(feature = "gpu")]
use crate::gpu::{Gpu, devices};
use crate::packed::Batch;
use crate::statistics::{Statistics, Summarize};
use crate::steps::Steps;

/// The least number of values for which [`Backend::Auto`] considers a GPU, given the number of CPU threads; `None` if
/// it never does.
///
/// Every value of a table must be transferred to the host, at 4 to 9 billion values per second on the machines
/// measured, while one thread computes 3 billion. So from three threads on, the bus is the bottleneck. With fewer
/// threads, a GPU has to make up for about half a second to open its device and compile its shaders. `lrgrid bench`
/// measures both on your machine. None of this applies to tables that stay on the device.
///
/// ```
/// use lrgrid::engine::gpu_pays_from;
///
/// assert_eq!(gpu_pays_from(1), Some(1 << 31));
/// assert_eq!(gpu_pays_from(16), None);
/// ```
#[must_use]
pub const fn gpu_pays_from(threads: usize) -> Option<u64> {
    match threads {
        0 | 1 => Some(1 << 31),
        2 => Some(1 << 33),
        _ => None,
    }
}

/// The choice of a backend.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Backend {
    /// A hardware GPU if there is one and the work is large enough to pay, otherwise the CPU.
    #[default]
    Auto,
    /// The vectorised CPU engine.
    Cpu,
    /// Any adapter, software adapters included.
    Gpu,
    /// The scalar reference.
    Reference,
}

impl Backend {
    /// Every backend.
    pub const ALL: [Self; 4] = [Self::Auto, Self::Cpu, Self::Gpu, Self::Reference];

    /// The name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Cpu => "cpu",
            Self::Gpu => "gpu",
            Self::Reference => "reference",
        }
    }
}

impl fmt::Display for Backend {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

impl FromStr for Backend {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        UnknownName::find("backend", name, &Self::ALL, Self::name)
    }
}

/// Any backend behind one type.
///
/// ```
/// use lrgrid::program::Program;
/// use lrgrid::{Backend, Batch, Engine, Evaluate, Steps};
///
/// let engine = Engine::new(Backend::Auto, None)?;
/// let batch = Batch::from_programs([&Program::hold(3e-4)])?;
/// assert_eq!(engine.evaluate::<f32>(&batch, &Steps::range(0..4))?, [3e-4; 4]);
/// assert!(engine.take_warnings().is_empty());
/// # Ok::<(), lrgrid::Error>(())
/// ```
#[derive(Debug)]
pub struct Engine {
    chosen: Chosen,
    warnings: Mutex<Vec<String>>,
    /// The backends that have evaluated something, in order.
    used: Mutex<Vec<String>>,
}

#[derive(Debug)]
enum Chosen {
    Auto(Auto),
    Cpu(Cpu),
    #[cfg(feature = "gpu")]
    Gpu(Box<Gpu>),
    Reference,
}

/// The CPU, and a GPU once it is needed.
#[derive(Debug)]
struct Auto {
    cpu: Cpu,
    /// The total number of values of all calls, if known.
    expected: Option<u64>,
    /// The least number of values for which a GPU is considered.
    #[cfg(feature = "gpu")]
    pays_from: Option<u64>,
    #[cfg(feature = "gpu")]
    accelerator: Mutex<Accelerator>,
}

/// A GPU that `auto` may use.
#[cfg(feature = "gpu")]
#[derive(Debug)]
enum Accelerator {
    /// Not searched for yet; with the requested adapter's name, if any.
    Unknown(Option<String>),
    Ready(Box<Gpu>),
    /// There is no GPU, or it failed.
    Absent,
}

impl Engine {
    /// Creates an engine. For `Gpu` and `Auto`, `adapter` is a part of the adapter's name, or its index in the list.
    ///
    /// `Auto` opens no device before the first call that is large enough to use it.
    ///
    /// # Errors
    /// When the backend is not available: no adapter, no device, or built without the `gpu` feature.
    pub fn new(backend: Backend, adapter: Option<&str>) -> Result<Self, Error> {
        let chosen = match backend {
            Backend::Auto => Chosen::Auto(Auto {
                cpu: Cpu::new()?,
                expected: None,
                #[cfg(feature = "gpu")]
                pays_from: gpu_pays_from(rayon::current_num_threads()),
                #[cfg(feature = "gpu")]
                accelerator: Mutex::new(Accelerator::Unknown(adapter.map(str::to_owned))),
            }),
            Backend::Cpu => Chosen::Cpu(Cpu::new()?),
            Backend::Gpu => Self::open_gpu(adapter)?,
            Backend::Reference => Chosen::Reference,
        };
        Ok(Self { chosen, warnings: Mutex::default(), used: Mutex::default() })
    }

    #[cfg(feature = "gpu")]
    fn open_gpu(adapter: Option<&str>) -> Result<Chosen, GpuError> {
        Ok(Chosen::Gpu(Box::new(adapter.map_or_else(Gpu::new, Gpu::with_adapter)?)))
    }

    #[cfg(not(feature = "gpu"))]
    fn open_gpu(_adapter: Option<&str>) -> Result<Chosen, GpuError> {
        Err(GpuError::NotBuilt)
    }

    /// Tells `Auto` the total number of values of all calls, so that it does not judge a large table by its tiles.
    #[must_use]
    pub fn expecting(mut self, values: u64) -> Self {
        if let Chosen::Auto(auto) = &mut self.chosen {
            auto.expected = Some(values);
        }
        self
    }

    /// The warnings since the last call: errors that did not stop the work, such as a failed GPU replaced by the CPU.
    #[must_use]
    pub fn take_warnings(&self) -> Vec<String> {
        std::mem::take(&mut self.warnings.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The backends used so far: `cpu`, `gpu` with its adapter, `reference`; several if one replaced another.
    ///
    /// ```
    /// use lrgrid::program::Program;
    /// use lrgrid::{Backend, Batch, Engine, Evaluate, Steps};
    ///
    /// let engine = Engine::new(Backend::Auto, None)?;
    /// engine.evaluate::<f32>(&Batch::from_programs([&Program::hold(3e-4)])?, &Steps::range(0..4))?;
    /// assert_eq!(engine.used(), "cpu");
    /// # Ok::<(), lrgrid::Error>(())
    /// ```
    #[must_use]
    pub fn used(&self) -> String {
        self.used.lock().unwrap_or_else(PoisonError::into_inner).join(" and ")
    }

    fn note(&self, name: &str) {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        if !used.iter().any(|known| known == name) {
            used.push(name.to_owned());
        }
    }

    #[cfg(feature = "gpu")]
    fn note_gpu(&self, gpu: &Gpu) {
        self.note(&format!("gpu ({})", gpu.adapter_name()));
    }

    #[cfg(feature = "gpu")]
    fn warn(&self, error: &GpuError) {
        let warning = format!("{error}; going on with the CPU");
        self.warnings.lock().unwrap_or_else(PoisonError::into_inner).push(warning);
    }

    /// Runs `work` on the GPU; `None` if there is none or it failed, so that the CPU has to.
    #[cfg(feature = "gpu")]
    fn accelerate<R>(&self, auto: &Auto, work: impl FnOnce(&Gpu) -> Result<R, Error>) -> Option<Result<R, Error>> {
        let mut accelerator = auto.accelerator.lock().unwrap_or_else(PoisonError::into_inner);
        if let Accelerator::Unknown(adapter) = &*accelerator {
            let found = hardware(adapter.as_deref()).unwrap_or_else(|error| {
                self.warn(&error);
                None
            });
            *accelerator = found.map_or(Accelerator::Absent, |gpu| Accelerator::Ready(Box::new(gpu)));
        }
        let Accelerator::Ready(gpu) = &*accelerator else { return None };
        match work(gpu) {
            Err(Error::Gpu(error)) => {
                self.warn(&error);
                *accelerator = Accelerator::Absent;
                None
            }
            result => {
                self.note_gpu(gpu);
                Some(result)
            }
        }
    }
}

/// The requested adapter or the best; `None` if there are only software adapters.
#[cfg(feature = "gpu")]
fn hardware(adapter: Option<&str>) -> Result<Option<Gpu>, GpuError> {
    // Listing adapters is cheap; opening a software adapter would compile shaders in vain.
    if adapter.is_none() && devices().iter().all(|device| device.is_software()) {
        return Ok(None);
    }
    let gpu = adapter.map_or_else(Gpu::new, Gpu::with_adapter)?;
    Ok((!gpu.is_software()).then_some(gpu))
}

impl Auto {
    /// Whether the work is large enough for a GPU.
    #[cfg(feature = "gpu")]
    fn is_large(&self, dtype: Dtype, values: u64) -> bool {
        let expected = self.expected.unwrap_or(0).max(values);
        dtype != Dtype::F64 && self.pays_from.is_some_and(|least| expected >= least)
    }
}

impl Evaluator for Engine {
    fn run(&self, evaluation: Evaluation<'_>) -> Result<(), Error> {
        match &self.chosen {
            Chosen::Auto(auto) => {
                #[cfg(feature = "gpu")]
                let evaluation = {
                    let mut evaluation = evaluation;
                    if auto.is_large(evaluation.table.dtype(), evaluation.table.len() as u64)
                        && let Some(result) = self.accelerate(auto, |gpu| gpu.run(evaluation.reborrow()))
                    {
                        return result;
                    }
                    evaluation
                };
                self.note(Backend::Cpu.name());
                auto.cpu.run(evaluation)
            }
            Chosen::Cpu(cpu) => {
                self.note(Backend::Cpu.name());
                cpu.run(evaluation)
            }
            #[cfg(feature = "gpu")]
            Chosen::Gpu(gpu) => {
                self.note_gpu(gpu);
                gpu.run(evaluation)
            }
            Chosen::Reference => {
                self.note(Backend::Reference.name());
                Reference.run(evaluation)
            }
        }
    }
}

impl Summarize for Engine {
    fn statistics<T: Element>(
        &self,
        batch: &Batch,
        rows: Range<usize>,
        steps: &Steps,
        above: Option<f64>,
    ) -> Result<Vec<Statistics>, Error> {
        match &self.chosen {
            Chosen::Auto(auto) => {
                #[cfg(feature = "gpu")]
                if auto.is_large(T::DTYPE, (rows.len() as u64).saturating_mul(steps.len() as u64))
                    && let Some(result) =
                        self.accelerate(auto, |gpu| gpu.statistics::<T>(batch, rows.clone(), steps, above))
                {
                    return result;
                }
                auto.cpu.statistics::<T>(batch, rows, steps, above)
            }
            Chosen::Cpu(cpu) => cpu.statistics::<T>(batch, rows, steps, above),
            #[cfg(feature = "gpu")]
            Chosen::Gpu(gpu) => gpu.statistics::<T>(batch, rows, steps, above),
            Chosen::Reference => Reference.statistics::<T>(batch, rows, steps, above),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::Evaluate;
    use crate::program::Program;

    fn batch() -> Batch {
        Batch::from_programs([&Program::hold(0.5), &Program::hold(0.25)]).unwrap()
    }

    #[test]
    fn auto_leaves_small_work_and_f64_to_the_cpu() {
        let engine = Engine::new(Backend::Auto, Some("no such adapter")).unwrap();
        let steps = Steps::range(0..3);
        assert_eq!(engine.evaluate::<f32>(&batch(), &steps).unwrap(), [0.5, 0.5, 0.5, 0.25, 0.25, 0.25]);
        let engine = engine.expecting(u64::MAX);
        assert_eq!(engine.evaluate::<f64>(&batch(), &steps).unwrap()[3], 0.25);
        assert!(engine.take_warnings().is_empty());
        #[cfg(feature = "gpu")]
        assert!(
            matches!(&engine.chosen, Chosen::Auto(auto) if matches!(*auto.accelerator.lock().unwrap(), Accelerator::Unknown(_)))
        );
    }

    #[test]
    fn auto_never_fails_for_lack_of_a_gpu() {
        #[cfg_attr(not(feature = "gpu"), expect(unused_mut, reason = "nothing to set"))]
        let mut engine = Engine::new(Backend::Auto, Some("no such adapter")).unwrap();
        #[cfg(feature = "gpu")]
        if let Chosen::Auto(auto) = &mut engine.chosen {
            // Independent of this machine's number of threads.
            auto.pays_from = Some(1);
        }
        for _ in 0..2 {
            assert_eq!(engine.evaluate::<f32>(&batch(), &Steps::range(5..6)).unwrap(), [0.5, 0.25]);
        }
        // Warned once, and only in builds with the GPU backend.
        assert_eq!(engine.take_warnings().len(), usize::from(cfg!(feature = "gpu")));
        assert!(engine.take_warnings().is_empty());
    }

    #[cfg(feature = "gpu")]
    #[test]
    fn a_gpu_is_left_alone_where_threads_outrun_the_bus() {
        let engine = Engine::new(Backend::Auto, Some("no such adapter")).unwrap().expecting(u64::MAX);
        let Chosen::Auto(auto) = &engine.chosen else { panic!("{engine:?}") };
        assert_eq!(auto.is_large(Dtype::F32, 1), rayon::current_num_threads() <= 2);
        assert!(!auto.is_large(Dtype::F64, 1));
    }

    #[test]
    fn a_named_adapter_that_is_missing_is_an_error() {
        assert!(matches!(Engine::new(Backend::Gpu, Some("no such adapter")), Err(Error::Gpu(_))));
    }

    #[test]
    fn every_backend_has_a_name() {
        for backend in Backend::ALL {
            assert_eq!(Backend::ALL.iter().filter(|other| other.name() == backend.name()).count(), 1);
        }
    }
}
