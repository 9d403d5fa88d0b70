//! The WGSL library in a shader of somebody else's, the packed block by its document, and the command that prints both.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test's helpers may fail as tests do")]

use std::collections::BTreeMap;
use std::fs;

use assert_cmd::Command;
use lrgrid::packed::{
    BLOCK_HEADER_WORDS, PackedHeight, PackedNumber, PackedProgram, PackedSegment, PackedStage, PackedTrack,
};
use lrgrid::{Batch, Spec};

const SWEEP: &str = r#"
    schedule = { kind = "warmup", steps = 70, then = { kind = "cosine_power", start = "$peak", end = 1e-6, steps = 930, power = 1.3 } }
    sweep.parameters.peak = { min = 1e-4, max = 1e-2, count = 9, distribution = "log_uniform_values" }"#;

fn sweep() -> Batch {
    Spec::from_toml(SWEEP).unwrap().compile().unwrap()
}

/// Field offsets and types of a record, from the tables of docs/block.md.
fn documented(record: &str) -> (usize, Vec<(usize, String, String)>) {
    let path = lrgrid_testkit::root().join("docs/block.md");
    let text = fs::read_to_string(path).unwrap();
    let section = text.split("\n## ").find(|section| section.starts_with(&format!("{record}: "))).expect(record);
    let size = section.split_whitespace().nth(1).unwrap().parse().unwrap();
    let rows = section.lines().filter_map(|line| {
        let cells: Vec<&str> = line.strip_prefix("| ")?.split(" | ").collect();
        let offset = cells[0].parse().ok()?;
        let name = cells[2].split('`').nth(1).unwrap_or_default().to_owned();
        Some((offset, cells[1].to_owned(), name))
    });
    (size, rows.collect())
}

fn word(bytes: &[u8], offset: usize) -> u32 {
    u32::from_le_bytes(bytes[offset..offset + 4].try_into().unwrap())
}

/// A record's words by the document: fields of several words have several.
fn fields(record: &str, bytes: &[u8]) -> (usize, BTreeMap<String, Vec<u32>>) {
    let (size, rows) = documented(record);
    let mut next = 0;
    let fields = rows.into_iter().map(|(offset, kind, name)| {
        assert_eq!(offset, next, "{record}: {name}");
        let words = match kind.as_str() {
            "u64" | "i64" | "f64" => 2,
            "number" => 3,
            "u32" | "i32" | "4 bytes" => 1,
            other => panic!("{record}: {name} is {other}"),
        };
        next = offset + 4 * words;
        (name, (0..words).map(|i| word(bytes, offset + 4 * i)).collect())
    });
    let fields = fields.collect();
    assert_eq!(next, size, "{record} has no gap and no end before its size");
    (size, fields)
}

/// The words of a twin's fields, by name.
macro_rules! twin {
    ($record:expr, $($field:ident),*) => {{
        let record = $record;
        BTreeMap::from([$((
            stringify!($field).to_owned(),
            bytemuck::cast_slice::<u8, u32>(bytemuck::bytes_of(&record.$field)).to_vec(),
        )),*])
    }};
}

#[test]
fn a_block_can_be_read_by_its_document() {
    let batch = sweep();
    let bytes = batch.as_bytes();
    let (header_size, _) = fields("Header", &bytes);
    assert_eq!(header_size, BLOCK_HEADER_WORDS * 4);
    assert_eq!(&bytes[..4], b"LRG3");
    assert_eq!(word(&bytes, 4) as usize, batch.len());
    assert_eq!(word(&bytes, 8), 8);
    assert_eq!(word(&bytes, 28) as usize * 4, bytes.len());
    assert_eq!(documented("Number").0, size_of::<PackedNumber>());
    let tables = [("Program", 8), ("Stage", 12), ("Track", 16), ("Segment", 20), ("Height", 24)];
    for (index, (record, at)) in tables.into_iter().enumerate() {
        let table = &bytes[word(&bytes, at) as usize * 4..];
        for row in 0..3 {
            let (size, found) = fields(record, &table[row * documented(record).0..]);
            let (want, twin_size) = match index {
                0 => {
                    let Some(&record) = batch.programs().get(row) else { continue };
                    let want = twin!(
                        record,
                        stage_first,
                        stage_count,
                        segment_first,
                        segment_count,
                        height_first,
                        height_count
                    );
                    (want, size_of::<PackedProgram>())
                }
                1 => {
                    let Some(&record) = batch.stages().get(row) else { continue };
                    let want = twin!(
                        record,
                        start,
                        quantum,
                        track_first,
                        track_count,
                        height,
                        scaled,
                        lower,
                        upper,
                        clamped,
                        summed
                    );
                    (want, size_of::<PackedStage>())
                }
                2 => {
                    let Some(&record) = batch.tracks().get(row) else { continue };
                    let want =
                        twin!(record, advance, period, segment_first, segment_count, repetition, clamped, lower, upper);
                    (want, size_of::<PackedTrack>())
                }
                3 => {
                    let Some(&record) = batch.segments().get(row) else { continue };
                    let want = twin!(record, start, length, quantum, origin, rate, a, b, kind, rate_rest);
                    (want, size_of::<PackedSegment>())
                }
                _ => {
                    let Some(&record) = batch.heights().get(row) else { continue };
                    let want = twin!(record, base, amplitude, base_rest, amplitude_rest);
                    (want, size_of::<PackedHeight>())
                }
            };
            assert_eq!(size, twin_size, "{record}");
            assert_eq!(found, want, "{record} {row}");
        }
    }
}

#[cfg(feature = "gpu")]
mod foreign {
    //! A shader with names, bindings and functions of its own, some of them as the library's might be.

    use lrgrid::ulp::ulps;
    use lrgrid::wgpu::{self, BufferUsages as Usage, naga};
    use lrgrid::wgsl::{Options, Uses, library};
    use lrgrid::{Batch, Evaluate as _, Reference, Spec, Steps};

    use super::sweep;

    /// A caller's shader: its own names are in the library too, but for the prefix.
    const OWN: &str = "
        struct Segment { first: u32, steps: u32 }
        const ONE: u32 = 1u;
        fn one() -> f32 { return 1.0; }
        fn shape(x: f32) -> f32 { return x * one(); }
        @group(0) @binding(0) var<storage, read> segments: array<Segment>;
        @group(2) @binding(1) var<storage, read_write> rates: array<f32>;
        @compute @workgroup_size(1)
        fn main(@builtin(global_invocation_id) at: vec3<u32>) {
            let segment = segments[0];
            let step = segment.first + at.y * ONE;
            rates[at.x * segment.steps + at.y] = shape(RATE(at.x, vec2<u32>(step, 0u)));
        }\n";

    fn check(source: &str) {
        let module = naga::front::wgsl::parse_str(source).unwrap_or_else(|e| panic!("{}", e.emit_to_string(source)));
        let (flags, capabilities) = (naga::valid::ValidationFlags::all(), naga::valid::Capabilities::empty());
        naga::valid::Validator::new(flags, capabilities)
            .validate(&module)
            .unwrap_or_else(|e| panic!("{}", e.emit_to_string(source)));
    }

    #[test]
    fn it_compiles_under_any_names_and_twice_in_one_shader() {
        let with = |group, prefix: Option<&str>, entry: Option<&str>| {
            let (prefix, entry) = (prefix.map(str::to_owned), entry.map(str::to_owned));
            library(&Options { group, binding: 3, prefix, entry, ..Options::default() }).unwrap()
        };
        check(&[&OWN.replace("RATE", "lr_at"), &with(1, None, None)[..]].concat());
        check(&[&OWN.replace("RATE", "s_lr_at"), &with(1, Some("s_"), None)[..]].concat());
        check(&[&OWN.replace("RATE", "rate_of"), &with(1, Some("X"), Some("rate_of"))[..]].concat());
        let both = [with(0, Some("first_"), None), with(1, Some("second_"), None)].concat();
        check(&both);
    }

    fn adapter() -> Option<wgpu::Adapter> {
        let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle());
        match pollster::block_on(instance.request_adapter(&wgpu::RequestAdapterOptions::default())) {
            Ok(adapter) => Some(adapter),
            Err(error) if std::env::var_os("LRGRID_REQUIRE_GPU").is_some_and(|value| value == "1") => {
                panic!("LRGRID_REQUIRE_GPU=1, but {error}")
            }
            Err(error) => {
                eprintln!("skipped: no GPU adapter: {error}");
                None
            }
        }
    }

    /// What the foreign shader writes: every schedule at steps `from..from + steps`.
    fn run(adapter: &wgpu::Adapter, batch: &Batch, library: &str, entry: &str, from: u32, steps: u32) -> Vec<f32> {
        let request = adapter.request_device(&wgpu::DeviceDescriptor::default());
        let (device, queue) = pollster::block_on(request).unwrap();
        let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
            label: None,
            source: wgpu::ShaderSource::Wgsl([&OWN.replace("RATE", entry), library].concat().into()),
        });
        let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: None,
            layout: None,
            module: &module,
            entry_point: Some("main"),
            compilation_options: wgpu::PipelineCompilationOptions::default(),
            cache: None,
        });
        let buffer = |bytes: &[u8], usage| {
            let size = bytes.len() as u64;
            let buffer =
                device.create_buffer(&wgpu::BufferDescriptor { label: None, size, usage, mapped_at_creation: false });
            queue.write_buffer(&buffer, 0, bytes);
            buffer
        };
        let count = batch.len() * steps as usize;
        let own = buffer(bytemuck::cast_slice(&[from, steps]), Usage::STORAGE | Usage::COPY_DST);
        let block = buffer(&batch.as_bytes(), Usage::STORAGE | Usage::COPY_DST);
        let rates = buffer(&vec![0xff; count * 4], Usage::STORAGE | Usage::COPY_DST | Usage::COPY_SRC);
        let staging = device.create_buffer(&wgpu::BufferDescriptor {
            label: None,
            size: rates.size(),
            usage: Usage::MAP_READ | Usage::COPY_DST,
            mapped_at_creation: false,
        });
        let group = |index, binding, buffer: &wgpu::Buffer| {
            device.create_bind_group(&wgpu::BindGroupDescriptor {
                label: None,
                layout: &pipeline.get_bind_group_layout(index),
                entries: &[wgpu::BindGroupEntry { binding, resource: buffer.as_entire_binding() }],
            })
        };
        let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        {
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
            pass.set_pipeline(&pipeline);
            pass.set_bind_group(0, &group(0, 0, &own), &[]);
            pass.set_bind_group(1, &group(1, 7, &block), &[]);
            pass.set_bind_group(2, &group(2, 1, &rates), &[]);
            pass.dispatch_workgroups(batch.len() as u32, steps, 1);
        }
        encoder.copy_buffer_to_buffer(&rates, 0, &staging, 0, rates.size());
        queue.submit([encoder.finish()]);
        staging.map_async(wgpu::MapMode::Read, .., |mapped| mapped.unwrap());
        device.poll(wgpu::PollType::wait_indefinitely()).unwrap();
        let view = staging.get_mapped_range(..).unwrap();
        view.chunks_exact(4).map(|word| f32::from_le_bytes(word.try_into().unwrap())).collect()
    }

    #[test]
    fn a_foreign_shader_computes_the_references_values() {
        let Some(adapter) = adapter() else { return };
        let restarts = r#"schedule = { kind = "clamp", min = 2e-4, of = { kind = "product", factors = [
            { kind = "cosine_restarts", max = "$peak", min = 0, period = 40, multiplier = 2 },
            { kind = "step", start = 1, decay_rate = 0.7, step_size = 33 }] } }
            sweep.parameters.peak = { values = [1e-3, 7e-3] }"#;
        for (batch, from) in [(sweep(), 0), (sweep(), 990), (Spec::from_toml(restarts).unwrap().compile().unwrap(), 17)]
        {
            let steps = Steps::range(from..from + 110);
            let want: Vec<f64> = Reference.evaluate(&batch, &steps).unwrap();
            for uses in [Uses::default(), Uses::of(&batch)] {
                let options = Options { group: 1, binding: 7, prefix: Some("sched_".to_owned()), entry: None, uses };
                let got = run(&adapter, &batch, &library(&options).unwrap(), "sched_lr_at", from as u32, 110);
                for (index, (&got, &want)) in got.iter().zip(&want).enumerate() {
                    let off = ulps(got, want.into());
                    assert!(off <= 0.56, "{off} ULP at {index} from {from}: {got:e} for {want:e}");
                }
            }
        }
    }
}

fn lrgrid() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lrgrid"));
    command.current_dir(lrgrid_testkit::root());
    command
}

#[test]
fn the_command_prints_what_the_library_returns() {
    let output = lrgrid().args(["wgsl", "--group", "2", "--binding", "4", "--prefix", "my_"]).assert().success();
    let text = String::from_utf8(output.get_output().stdout.clone()).unwrap();
    let options = lrgrid::wgsl::Options { group: 2, binding: 4, prefix: Some("my_".to_owned()), ..Default::default() };
    assert_eq!(text, lrgrid::wgsl::library(&options).unwrap());
    let plain = lrgrid().arg("wgsl").assert().success();
    assert!(
        String::from_utf8_lossy(&plain.get_output().stdout).contains("fn lr_at(program: u32, step: vec2<u32>) -> f32")
    );
}

#[test]
fn the_command_writes_text_and_block() {
    let folder = tempfile::tempdir().unwrap();
    let (text, block) = (folder.path().join("lr.wgsl"), folder.path().join("lr.bin"));
    let spec = folder.path().join("sweep.toml");
    fs::write(&spec, SWEEP).unwrap();
    let arguments =
        ["wgsl".as_ref(), spec.as_os_str(), "-o".as_ref(), text.as_os_str(), "--block".as_ref(), block.as_os_str()];
    let output = lrgrid().args(arguments).assert().success();
    assert!(output.get_output().stdout.is_empty() && output.get_output().stderr.is_empty());
    assert_eq!(fs::read(&block).unwrap(), sweep().as_bytes());
    let text = fs::read_to_string(&text).unwrap();
    assert!(text.contains("const lrgrid_USED: u32 = 0x") && !text.contains("0xffffffffu;\n\n"), "only what is used");
}

#[test]
fn wrong_names_numbers_and_specs_are_the_command_lines_fault() {
    for (arguments, says) in [
        (vec!["--prefix", "9"], "cannot be used in WGSL"),
        (vec!["--entry", "fn"], "a word of WGSL"),
        (vec!["--group", "9"], "beyond the largest, 7"),
        (vec!["--group", "x"], "invalid digit"),
        (vec!["--block", "x.bin"], "SPEC"),
        (vec!["no_such_spec.toml"], "could not read"),
    ] {
        let output = lrgrid().arg("wgsl").args(&arguments).assert().code(2);
        let error = String::from_utf8(output.get_output().stderr.clone()).unwrap();
        assert!(error.starts_with("error: ") && error.contains(says), "{arguments:?}: {error}");
    }
}
