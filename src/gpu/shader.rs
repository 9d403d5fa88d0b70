//! The shaders' text, and the Rust twins of what only the table's entry points use.

use bytemuck::{Pod, Zeroable};

use crate::element::Dtype;

/// The WGSL library: append it to a shader of your own and call `lr_at(program, step)`.
///
/// It binds the four tables of a [`Batch`](crate::Batch) at `@group(0)`, bindings 0 to 3: programs,
/// stages, tracks and segments, as the words of [`Batch::programs`](crate::Batch::programs) and its
/// siblings. `lr_at(program: u32, step: vec2<u32>) -> f32` takes the step's low word first. All other
/// names begin with `lrgrid_`, `Lrgrid` or `LRGRID_`.
pub const LIBRARY: &str = concat!(
    include_str!("../../shaders/ir.wgsl"),
    include_str!("../../shaders/constants.wgsl"),
    include_str!("../../shaders/integer.wgsl"),
    include_str!("../../shaders/number.wgsl"),
    include_str!("../../shaders/math.wgsl"),
    include_str!("../../shaders/curve.wgsl"),
    include_str!("../../shaders/program.wgsl"),
);

/// The entry points that fill tables; they need [`LIBRARY`].
pub const TABLE: &str = include_str!("../../shaders/table.wgsl");

/// Threads per workgroup.
pub const WORKGROUP_SIZE: u32 = 64;

/// The constant that a pipeline is specialised by: the curves and features that its batches use.
///
/// Bit n stands for curve n of [`curve_id`](crate::packed::curve_id), and the `USES_*` for the rest;
/// all bits are set by default.
pub const USED: &str = "LRGRID_USED";

/// Bit of [`USED`]: phases are bent.
pub const USES_WARP: u32 = 16;
/// Bit of [`USED`]: there are stairs or slower clocks.
pub const USES_QUANTUM: u32 = 17;
/// Bit of [`USED`]: tracks repeat.
pub const USES_REPETITION: u32 = 18;
/// Bit of [`USED`]: tracks or stages have bounds.
pub const USES_CLAMP: u32 = 19;
/// Bit of [`USED`]: steps of 2^32 and more are divided.
pub const USES_LONG_DIVISION: u32 = 20;
/// Bit of [`USED`]: phase counts have fractions.
pub const USES_LEAD: u32 = 21;

/// Bytes that one thread writes.
pub const THREAD_BYTES: usize = 16;

/// What one dispatch fills; twin of `LrgridTile`.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct PackedTile {
    /// Step of the first column, where the steps are a progression.
    pub start: [u32; 2],
    /// From one step to the next.
    pub stride: [u32; 2],
    /// First program.
    pub program_first: u32,
    /// Number of rows.
    pub rows: u32,
    /// Number of columns.
    pub columns: u32,
    /// Threads per row.
    pub groups: u32,
    /// 1 where the steps are listed.
    pub listed: u32,
    /// Keeps the record a multiple of 8 bytes.
    pub padding: u32,
}

const _: () = assert!(size_of::<PackedTile>() == 40);

/// The entry point that writes an element type, if the GPU can.
#[must_use]
pub const fn entry_point(dtype: Dtype) -> Option<&'static str> {
    match dtype {
        Dtype::F64 => None,
        Dtype::F32 => Some("lrgrid_table_f32"),
        Dtype::F16 => Some("lrgrid_table_f16"),
        Dtype::Bf16 => Some("lrgrid_table_bf16"),
    }
}
