//! The text of the shaders, and the Rust twins of the records that only kernels use.

use bytemuck::{Pod, Zeroable};

use crate::element::Dtype;
use crate::wgsl::{library_text, shader};

/// The library of the table kernels: that of [`wgsl::library`](crate::wgsl::library), but with a separate binding for
/// each of the batch's five tables, `@group(0)`, bindings 0 to 4.
pub const LIBRARY: &str = library_text!("tables.wgsl");

/// The entry points that fill tables; to be appended to [`LIBRARY`].
pub const TABLE: &str = concat!(
    shader!("place.wgsl"),
    shader!("tile.wgsl"),
    shader!("interpolation.wgsl"),
    shader!("block.wgsl"),
    shader!("table.wgsl"),
);

/// The kernels of [`Programs`](super::Programs), with the library that they need.
pub const RESIDENT: &str = concat!(
    "const LRGRID_USED: u32 = 0xffffffffu;\n",
    library_text!("packed.wgsl"),
    shader!("place.wgsl"),
    shader!("resident.wgsl"),
    shader!("adam.wgsl"),
);

/// The shader that receives a number from recorded commands.
pub const PROGRESSION: &str = shader!("progression.wgsl");
/// The shader that reduces a table to statistics.
pub const STATISTICS: &str = concat!(
    "const LRGRID_USED: u32 = 0xffffffffu;\n",
    shader!("ir.wgsl"),
    shader!("integer.wgsl"),
    shader!("statistics.wgsl"),
);
/// Columns that a workgroup of [`STATISTICS`] reduces.
pub const REDUCTION_CHUNK: u32 = 4096;

/// The shader that only stores, as a limit for comparison.
pub const STORE: &str = shader!("store.wgsl");
/// Words of 16 bytes that a workgroup of [`STORE`] writes: as many as the first blocks of a table kernel's workgroup in
/// `f32`.
pub const STORE_WORDS: u32 = GROUP * MAX_OCTETS * OCTET * 4 / THREAD_BYTES as u32;

/// Threads per workgroup.
pub const WORKGROUP_SIZE: u32 = 64;
/// Threads per block, and blocks with which a workgroup begins.
pub const GROUP: u32 = 8;
/// Columns of the smallest block; larger blocks are multiples.
pub const OCTET: u32 = 8;
/// Octets of the largest block.
pub const MAX_OCTETS: u32 = 256;

/// The constant that specialises a pipeline: the curves and features that its batches use.
///
/// Bit n stands for curve n of [`table`](crate::curve::table), the bits `USES_*` of [`wgsl`](crate::wgsl) for
/// features; all bits are set by default.
pub const USED: &str = "LRGRID_USED";

/// Bytes that a thread writes at once.
pub const THREAD_BYTES: usize = 16;

/// The part of a table that one dispatch fills; twin of `LrgridTile`.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct PackedTile {
    /// Step of the first column, if the steps are a progression.
    pub start: [u32; 2],
    /// Distance from one step to the next.
    pub stride: [u32; 2],
    /// First program.
    pub program_first: u32,
    /// Number of rows.
    pub rows: u32,
    /// Number of columns.
    pub columns: u32,
    /// The row's pitch in units of 16 bytes.
    pub groups: u32,
    /// 1 if the steps are a list.
    pub listed: u32,
    /// Blocks per row before any is divided.
    pub row_blocks: u32,
    /// Keeps the record a multiple of 8 bytes.
    pub padding: u32,
    /// 0, but not a constant for the compiler.
    pub zero: u32,
}

const _: () = assert!(size_of::<PackedTile>() == 48);

/// The part of a table that a dispatch of [`STATISTICS`] reduces; twin of `LrgridReduction`.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct PackedReduction {
    /// Number of rows.
    pub rows: u32,
    /// Number of columns.
    pub columns: u32,
    /// Distance between rows in words.
    pub pitch: u32,
    /// Chunks of a row.
    pub chunks: u32,
    /// The element type: one of the constants here.
    pub format: u32,
    /// Values with a greater key are counted.
    pub threshold: u32,
    /// Keeps the record a multiple of 16 bytes.
    pub padding: [u32; 2],
}

impl PackedReduction {
    /// The format of `f32`.
    pub const F32: u32 = 0;
    /// The format of `f16`.
    pub const F16: u32 = 1;
    /// The format of `bf16`.
    pub const BF16: u32 = 2;
}

/// The partial results of a chunk of a row; twin of `LrgridPartial`.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct PackedPartial {
    /// The sum in units of 2^(`exponent` − 176), in two's complement.
    pub sum: [u32; 2],
    /// The sum of squares in units of 2^(2·`exponent` − 303).
    pub squares: [u32; 2],
    /// The greatest biased exponent of a value.
    pub exponent: u32,
    /// The key of the least value: keys are integers in the order of the values.
    pub min: u32,
    /// Its first column.
    pub min_column: u32,
    /// The key of the greatest value.
    pub max: u32,
    /// Its first column.
    pub max_column: u32,
    /// The key of the last value.
    pub last: u32,
    /// Values above the threshold.
    pub above: u32,
    /// Keeps the record a multiple of 8 bytes.
    pub padding: u32,
}

const _: () = assert!(size_of::<PackedReduction>() == 32 && size_of::<PackedPartial>() == 48);

/// How a kernel evaluates a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Way {
    /// Block by block: one polynomial for up to 2048 columns.
    Blocks,
    /// Value by value.
    Values,
}

/// The entry point for an element type; `None` if the GPU does not support the type.
#[must_use]
pub const fn entry_point(dtype: Dtype, way: Way) -> Option<&'static str> {
    match (dtype, way) {
        (Dtype::F64, _) => None,
        (Dtype::F32, Way::Blocks) => Some("lrgrid_blocks_f32"),
        (Dtype::F16, Way::Blocks) => Some("lrgrid_blocks_f16"),
        (Dtype::Bf16, Way::Blocks) => Some("lrgrid_blocks_bf16"),
        (Dtype::F32, Way::Values) => Some("lrgrid_values_f32"),
        (Dtype::F16, Way::Values) => Some("lrgrid_values_f16"),
        (Dtype::Bf16, Way::Values) => Some("lrgrid_values_bf16"),
    }
}
