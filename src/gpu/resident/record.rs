//! Where commands are recorded: an encoder, or a pass that is already open.

mod sealed {
    pub trait Sealed {}
    impl Sealed for wgpu::CommandEncoder {}
    impl Sealed for wgpu::ComputePass<'_> {}
}

/// A [`wgpu::CommandEncoder`] or a [`wgpu::ComputePass`].
///
/// In a pass that is already open, its pipeline and its bind groups 0 and 1 are others afterwards.
pub trait Record: sealed::Sealed {
    /// Records into a compute pass.
    #[doc(hidden)]
    fn record(&mut self, commands: impl FnOnce(&mut wgpu::ComputePass<'_>));
}

impl Record for wgpu::CommandEncoder {
    fn record(&mut self, commands: impl FnOnce(&mut wgpu::ComputePass<'_>)) {
        let descriptor = wgpu::ComputePassDescriptor { label: Some("lrgrid"), timestamp_writes: None };
        commands(&mut self.begin_compute_pass(&descriptor));
    }
}

impl Record for wgpu::ComputePass<'_> {
    fn record(&mut self, commands: impl FnOnce(&mut wgpu::ComputePass<'_>)) {
        // A borrow of its own, because passes are tied to the lifetime they were begun with.
        commands(self);
    }
}
