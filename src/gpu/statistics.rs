//! Statistics on the device: a second kernel reduces each tile in device memory, and only its partial results come
//! back.

use std::ops::Range;
use std::sync::PoisonError;

use super::Gpu;
use super::buffers::TileBuffers;
use super::device::Device;
use super::reducer::{Reducer, Reduction, add_partials, partial_bytes};
use super::request::Request;
use super::resources::Resources;
use super::ring::{Results, Ring};
use super::tile::Tile;
use crate::element::{Dtype, Element};
use crate::error::{Error, EvaluateError, GpuError};
use crate::packed::Batch;
use crate::statistics::{Gathered, Statistics, Summarize, check};
use crate::steps::Steps;

/// Bytes of a tile; moderate, because the results of short rows are larger than the rows.
const TILE_BYTES: u64 = 16 << 20;

/// Transfers of results in flight while the next tile is computed.
const SLOTS: usize = 2;

impl Summarize for Gpu {
    fn statistics<T: Element>(
        &self,
        batch: &Batch,
        rows: Range<usize>,
        steps: &Steps,
        above: Option<f64>,
    ) -> Result<Vec<Statistics>, Error> {
        let threshold = check(batch, &rows, steps, above)?;
        if T::DTYPE == Dtype::F64 {
            return Err(EvaluateError::Dtype { backend: "gpu", dtype: "f64", remedy: "f32, or the CPU backend" }.into());
        }
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let mut resources = self.resources.lock().unwrap_or_else(PoisonError::into_inner);
        let mut tuning = self.tuning;
        tuning.tile_bytes = tuning.tile_bytes.min(TILE_BYTES);
        let request = Request { batch, rows, steps, dtype: T::DTYPE, tuning };
        let gathered = request.attempt(|request| run(&self.device, &mut resources, request, threshold))?;
        Ok(gathered.into_iter().map(|row| row.finish(steps)).collect::<Result<_, _>>()?)
    }
}

/// Reduces every row of the request.
fn run(
    device: &Device,
    resources: &mut Resources,
    request: &Request<'_>,
    threshold: f64,
) -> Result<Vec<Gathered>, GpuError> {
    let mut gathered: Vec<Gathered> = (0..request.rows.len()).map(|_| Gathered::default()).collect();
    let slices = request.slices(device)?;
    let result = device.guarded(|| {
        let reducer = resources.reducer.get_or_insert_with(|| Reducer::new(device)).clone();
        for rows in slices {
            run_slice(device, resources, &reducer, request, &rows, threshold, &mut gathered)?;
        }
        Ok(())
    });
    if result.is_err() {
        resources.kernels.forget_tables();
    }
    result.map(|()| gathered)
}

fn run_slice(
    device: &Device,
    resources: &mut Resources,
    reducer: &Reducer,
    request: &Request<'_>,
    rows: &Range<usize>,
    threshold: f64,
    gathered: &mut [Gathered],
) -> Result<(), GpuError> {
    let tiles = request.tiles(device, rows);
    let kernel = resources.kernels.prepare(device, request, rows)?;
    // The device processes its queue in order, so all tiles can use one table.
    let table = TileBuffers::new(device, request.sizes(&tiles));
    let bindings = kernel.bind(device, &table);
    let most = tiles.iter().map(partial_bytes).max().unwrap_or(0);
    let reduction = Reduction::new(device, reducer, &table, most);
    let mut ring = Ring::<SLOTS>::new(device, most);
    let encode = |_, tile: &Tile, commands: &mut wgpu::CommandEncoder| {
        kernel.write(device, request, &table, tile);
        reduction.write(device, tile, request.dtype, threshold);
        let mut pass = commands.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
        kernel.dispatch(device, &mut pass, &bindings, tile);
        reduction.dispatch(device, &mut pass, tile);
        Results { buffer: reduction.partials(), bytes: partial_bytes(tile) }
    };
    ring.run(device, tiles, encode, |tile, bytes| add_partials(bytes, tile, &mut gathered[tile.rows.clone()]))
}
