//! The least limits of a device.

use super::shader::WORKGROUP_SIZE;
use crate::error::GpuError;

/// Bytes of workgroup memory: WebGPU's default; the kernels use a part of it.
const WORKGROUP_BYTES: u32 = 16384;

/// Each required limit: its name in [`wgpu::Limits`], the device's value, and the least sufficient value.
fn limits(has: &wgpu::Limits) -> [(&'static str, u64, u64); 12] {
    [
        ("max_bind_groups", has.max_bind_groups.into(), 2),
        ("max_bindings_per_bind_group", has.max_bindings_per_bind_group.into(), 9),
        ("max_storage_buffers_per_shader_stage", has.max_storage_buffers_per_shader_stage.into(), 7),
        ("max_uniform_buffers_per_shader_stage", has.max_uniform_buffers_per_shader_stage.into(), 8),
        (
            "max_dynamic_uniform_buffers_per_pipeline_layout",
            has.max_dynamic_uniform_buffers_per_pipeline_layout.into(),
            8,
        ),
        ("max_storage_buffer_binding_size", has.max_storage_buffer_binding_size, 1 << 16),
        ("max_buffer_size", has.max_buffer_size, 1 << 17),
        (
            "max_compute_invocations_per_workgroup",
            has.max_compute_invocations_per_workgroup.into(),
            WORKGROUP_SIZE.into(),
        ),
        ("max_compute_workgroup_size_x", has.max_compute_workgroup_size_x.into(), WORKGROUP_SIZE.into()),
        ("max_compute_workgroup_size_y", has.max_compute_workgroup_size_y.into(), 1),
        ("max_compute_workgroup_storage_size", has.max_compute_workgroup_storage_size.into(), WORKGROUP_BYTES.into()),
        ("max_compute_workgroups_per_dimension", has.max_compute_workgroups_per_dimension.into(), 256),
    ]
}

/// Rejects a device with a limit that is too small, and names the first such limit.
pub(super) fn check(adapter: &str, has: &wgpu::Limits) -> Result<(), GpuError> {
    match limits(has).into_iter().find(|(_, found, needed)| found < needed) {
        None => Ok(()),
        Some((limit, found, needed)) => Err(GpuError::Limit { adapter: adapter.to_owned(), limit, needed, found }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn webgpu_defaults_do_and_less_is_named() {
        assert!(check("", &wgpu::Limits::default()).is_ok());
        let few = wgpu::Limits { max_storage_buffers_per_shader_stage: 4, ..wgpu::Limits::default() };
        let error = check("a card", &few).unwrap_err();
        assert!(matches!(error, GpuError::Limit { limit: "max_storage_buffers_per_shader_stage", found: 4, .. }));
        assert!(check("", &wgpu::Limits::downlevel_webgl2_defaults()).is_err());
    }
}
