//! Learning rates into a Burn tensor, on Burn's own device.

use burn::tensor::Tensor;
use burn::tensor::wgpu::WgpuSetup;
use burn_dispatch::{BackendTensor, DispatchTensorKind};
use burn_std::{DType, tensor::is_contiguous};
use cubecl::wgpu::{AutoCompiler, WgpuServer};
use lrgrid::wgpu;
use lrgrid::{Programs, Steps};

/// Why a tensor cannot be filled.
#[derive(Debug)]
#[non_exhaustive]
pub enum WriteError {
    /// The tensor is none that can be written in place.
    Tensor {
        /// What it is.
        found: String,
        /// What would be right.
        remedy: &'static str,
    },
    /// Burn did not give its memory away.
    Burn(String),
    /// lrgrid refused.
    Lrgrid(lrgrid::Error),
}

impl std::fmt::Display for WriteError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Tensor { found, remedy } => write!(f, "the tensor is {found}: {remedy}"),
            Self::Burn(reason) => write!(f, "Burn refused its memory: {reason}"),
            Self::Lrgrid(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for WriteError {}

impl From<lrgrid::Error> for WriteError {
    fn from(error: lrgrid::Error) -> Self {
        Self::Lrgrid(error)
    }
}

/// Fills a tensor with every program's values at the steps: `f32`, `programs.len() * steps.len()` elements, row-major
/// `[program, step]`, whatever the shape. Nothing comes to the host.
///
/// `setup` is Burn's, from `Device::wgpu_options().init_with_setup()`, and the programs are uploaded through
/// `Gpu::from_device(setup.device.clone(), setup.queue.clone())`. Work that Burn has queued is submitted first; what Burn
/// does later sees the values.
///
/// # Errors
/// When the tensor is not a contiguous `f32` tensor on a wgpu device without autodiff (use `.inner()` and
/// `Tensor::from_inner`), other tensors share its memory, it has another number of elements, or a device fails.
pub fn write_into<const D: usize>(
    tensor: Tensor<D>,
    setup: &WgpuSetup,
    programs: &Programs,
    steps: &Steps,
) -> Result<Tensor<D>, WriteError> {
    let refused = |found: &str, remedy| Err(WriteError::Tensor { found: found.to_owned(), remedy });
    let values = programs.len().saturating_mul(steps.len());
    let elements: usize = tensor.dims().iter().product();
    if elements != values {
        let found = format!("of {elements} elements");
        return Err(WriteError::Tensor { found, remedy: "make it as large as programs times steps" });
    }
    let dispatch = tensor.into_dispatch();
    let DispatchTensorKind::Cube(BackendTensor::Float(cube)) = &dispatch.kind else {
        return refused(
            "no plain float tensor on a device of CubeCL's",
            "use a wgpu device, and .inner() with autodiff",
        );
    };
    if cube.dtype != DType::F32 {
        return refused(cube.dtype.name(), "cast it to f32");
    }
    if !is_contiguous(cube.meta.shape(), cube.meta.strides()) {
        return refused("not contiguous", "make a new one, such as Tensor::empty");
    }
    if !cube.handle.can_mut() {
        return refused("shared with another tensor", "drop the others, or make a new one");
    }
    let burn = |error: &dyn std::fmt::Debug| WriteError::Burn(format!("{error:?}"));
    let memory = cube.client.get_resource::<WgpuServer<AutoCompiler>>(cube.handle.clone()).map_err(|e| burn(&e))?;
    // What Burn has queued for this memory comes first.
    cube.client.flush().map_err(|e| burn(&e))?;
    let resource = memory.resource();
    let binding = wgpu::BufferBinding {
        buffer: &resource.buffer,
        offset: resource.offset,
        size: wgpu::BufferSize::new(resource.size),
    };
    let mut encoder = setup.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
    programs.encode(&mut encoder, steps, binding)?;
    setup.queue.submit([encoder.finish()]);
    drop(memory);
    Ok(Tensor::from_dispatch(dispatch))
}
