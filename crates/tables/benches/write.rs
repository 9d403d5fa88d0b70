//! Bytes per second of tables written to a file, beside a plain write of as many bytes to the same folder.
//!
//! Each round writes them in turn, synced to the disk, because the speed of a disk drifts; what counts is the median of
//! the rounds' ratios. `LRGRID_BENCH_FOLDER` chooses the folder, `LRGRID_BENCH_MIB` the size, `LRGRID_BENCH_ROUNDS` how often.
#![expect(clippy::unwrap_used, reason = "a bench's set-up may fail as benches do")]

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use lrgrid::{Backend, Dtype, Spec, Steps};
use lrgrid_tables::job::Job;
use lrgrid_tables::table::{Control, Memory, Options};

const STEPS: u64 = 65_536;

/// Bytes of one plain write.
const CHUNK: usize = 16 << 20;

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().map_or(default, |text| text.parse().unwrap())
}

fn job(dtype: Dtype, bytes: u64) -> Job {
    let count = bytes / STEPS / dtype.size() as u64;
    let spec = format!(
        "schedule = {{ kind = \"warmup\", steps = 2000, then = {{ kind = \"cosine\", start = \"$peak\", end = 0, steps = 63536 }} }}\n\
         sweep.parameters.peak = {{ min = 1e-4, max = 1e-2, count = {count}, distribution = \"log_uniform_values\" }}"
    );
    let job = Job::new(Spec::from_toml(&spec).unwrap(), Steps::range(0..STEPS));
    Job { dtype, backend: Backend::Cpu, ..job }
}

/// Seconds of writing a table.
fn table(job: &Job, path: &Path) -> f64 {
    let (engine, stop) = (job.engine(None, Memory::default()).unwrap(), AtomicBool::new(false));
    let started = Instant::now();
    let mut control = Control { memory: Memory::default(), stop: &stop, progress: &mut |_| {} };
    job.write(0..job.schedules(), path, &engine, &Options::default(), &mut control).unwrap();
    started.elapsed().as_secs_f64()
}

/// Seconds of writing as many bytes that are there already.
fn plain(path: &Path, bytes: u64) -> f64 {
    let chunk: Vec<u8> = (0..CHUNK).map(|index| index as u8).collect();
    let started = Instant::now();
    let mut file = File::create(path).unwrap();
    for start in (0..bytes).step_by(CHUNK) {
        file.write_all(&chunk[..CHUNK.min((bytes - start) as usize)]).unwrap();
    }
    file.sync_all().unwrap();
    started.elapsed().as_secs_f64()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn main() {
    let folder = std::env::var_os("LRGRID_BENCH_FOLDER").map_or_else(std::env::temp_dir, PathBuf::from);
    let folder = tempfile::tempdir_in(folder).unwrap();
    let bytes = setting("LRGRID_BENCH_MIB", 1024) << 20;
    let rounds = setting("LRGRID_BENCH_ROUNDS", 5);
    println!("{} MiB a table, {rounds} rounds, in {}", bytes >> 20, folder.path().display());
    for (dtype, ending) in [(Dtype::F32, "npy"), (Dtype::F16, "npy"), (Dtype::Bf16, "safetensors")] {
        let (job, path) = (job(dtype, bytes), folder.path().join(format!("table.{ending}")));
        let (mut ratios, mut rates, mut plain_rates) = (Vec::new(), Vec::new(), Vec::new());
        for round in 0..rounds {
            let mut seconds = [0.0; 2];
            // In turn first: neither always finds the disk idle.
            for side in [round % 2, (round + 1) % 2] {
                seconds[side as usize] = if side == 0 { table(&job, &path) } else { plain(&path, bytes) };
                let written = fs::metadata(&path).unwrap().len();
                assert!(written >= bytes / STEPS * STEPS && written < bytes + (1 << 20), "{written} bytes");
                fs::read_dir(folder.path()).unwrap().for_each(|file| fs::remove_file(file.unwrap().path()).unwrap());
            }
            rates.push(bytes as f64 / seconds[0] / 1e9);
            plain_rates.push(bytes as f64 / seconds[1] / 1e9);
            ratios.push(seconds[1] / seconds[0]);
        }
        println!(
            "write/{}/{ending}: {:.2} GB/s, plain write {:.2} GB/s, ratio {:.2} ({})",
            dtype.name(),
            median(rates),
            median(plain_rates),
            median(ratios.clone()),
            ratios.iter().map(|ratio| format!("{ratio:.2}")).collect::<Vec<_>>().join(" ")
        );
    }
}
