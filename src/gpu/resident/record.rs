//! The targets of recorded commands: an encoder, or an open compute pass.

mod sealed {
    pub trait Sealed {}
    impl Sealed for wgpu::CommandEncoder {}
    impl Sealed for wgpu::ComputePass<'_> {}
}

/// A [`wgpu::CommandEncoder`] or a [`wgpu::ComputePass`].
///
/// Recording into an open pass replaces its pipeline and its bind groups 0 and 1.
pub trait Record: sealed::Sealed {
    /// Records into a compute pass of this target.
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
        // A fresh borrow, because a pass is tied to the lifetime with which it was begun.
        commands(self);
    }
}
