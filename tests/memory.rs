//! What a batch takes: 48 bytes per schedule of one piece, whatever else it keeps included.
#![expect(clippy::unwrap_used, reason = "a test's helpers may fail as tests do")]

use lrgrid::{Batch, Spec};

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

/// Bytes in use, of everything.
fn bytes() -> usize {
    dhat::HeapStats::get().curr_bytes
}

fn compile(count: usize) -> Batch {
    let text = format!(
        "schedule = {{ kind = \"cosine\", start = \"$peak\", end = 1e-6, steps = 1000 }}\n[sweep.parameters.peak]\n\
         min = 1e-4\nmax = 1e-2\ncount = {count}\ndistribution = \"log_uniform_values\""
    );
    Spec::from_toml(&text).unwrap().compile().unwrap()
}

#[test]
fn a_batch_takes_48_bytes_per_schedule() {
    let _profiler = dhat::Profiler::builder().testing().build();
    // Threads and their queues are there before the count begins.
    drop(compile(5_000));
    let (before, count) = (bytes(), 200_000);
    let batch = compile(count);
    let taken = bytes() - before;
    println!("{} bytes per schedule", taken as f64 / count as f64);
    assert!(taken >= 48 * count, "{taken} bytes: the tables alone are more");
    // The spec for the reference, and one stage, track and segment.
    assert!(taken <= 48 * count + (16 << 10), "{taken} bytes for {count} schedules");
    assert_eq!((batch.len(), batch.stages().len(), batch.tracks().len()), (count, 1, 1));
    assert_eq!(batch.segments().len(), 1);
}
