//! The files of the WGSL library, in the order of their text.

/// The text of a file in `shaders`, as a literal.
macro_rules! shader {
    ($file:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/shaders/", $file))
    };
}
pub(crate) use shader;

/// The text of the library, as a literal, with the file that defines how it reads a batch.
macro_rules! library_text {
    ($tables:literal) => {
        concat!(
            $crate::wgsl::shader!("ir.wgsl"),
            wgsl_curve_ids!(),
            $crate::wgsl::shader!($tables),
            $crate::wgsl::shader!("constants.wgsl"),
            $crate::wgsl::shader!("integer.wgsl"),
            $crate::wgsl::shader!("number.wgsl"),
            $crate::wgsl::shader!("math.wgsl"),
            $crate::wgsl::shader!("curve.wgsl"),
            $crate::wgsl::shader!("program.wgsl"),
        )
    };
}
pub(crate) use library_text;
