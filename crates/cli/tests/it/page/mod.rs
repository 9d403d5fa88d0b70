//! The HTML page in headless Chromium: it loads, computes what the reference computes, and follows its sliders.
#![expect(clippy::unwrap_used, reason = "a test's helpers may fail as tests do")]

mod driver;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use driver::Browser;
use lrgrid::Spec;
use serde_json::{Value, json};

/// Makes a page with the command line, as a user does.
fn page(folder: &Path, specs: &[&str], name: &str) -> PathBuf {
    let path = folder.join(name);
    let status = Command::new(env!("CARGO_BIN_EXE_lrgrid"))
        .current_dir(lrgrid_testkit::root())
        .arg("plot")
        .args(specs)
        .args(["--force", "-o"])
        .arg(&path)
        .status()
        .unwrap();
    assert!(status.success());
    path
}

/// Opens a page; what computes its curves.
fn open(browser: &Browser, path: &Path) -> String {
    browser.command("POST", "/url", &json!({ "url": format!("file://{}", path.display()) }));
    browser.run("return window.lrgrid.ready;").as_str().unwrap().to_owned()
}

/// Values of the page against those of the spec, at steps around everything that happens.
fn check(browser: &Browser, spec: &Spec, schedule: usize, how: &str, allowed: f64) {
    let batch = spec.compile().unwrap();
    let end = spec.table_steps().unwrap();
    let mut steps: Vec<u64> = batch.program(schedule).marks(Some(end));
    steps.extend((0..400).map(|part| (u128::from(end) * part / 400) as u64));
    steps.truncate(2000);
    let found = browser.run(&format!("return window.lrgrid.{how}({});", json!(steps)));
    let peak = steps.iter().map(|&step| batch.value(schedule, step).abs()).fold(0.0, f64::max);
    for (step, got) in steps.iter().zip(found[0].as_array().unwrap()) {
        let (got, want) = (got.as_f64().unwrap(), batch.value(schedule, *step));
        assert!((got - want).abs() <= allowed * want.abs() + 1e-15 * peak, "{how} at {step}: {got:e} for {want:e}");
    }
}

fn keep_screenshot(browser: &Browser, name: &str) {
    let picture = browser.command("GET", "/screenshot", &Value::Null);
    let bytes = STANDARD.decode(picture.as_str().unwrap()).unwrap();
    assert!(bytes.starts_with(b"\x89PNG"));
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("page");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join(name), bytes).unwrap();
}

fn spec(name: &str) -> Spec {
    Spec::from_toml(&fs::read_to_string(lrgrid_testkit::root().join(name)).unwrap()).unwrap()
}

#[test]
fn a_page_computes_what_the_reference_does_and_follows_its_slider() {
    let Some(browser) = driver::browser(&[]) else { return };
    let folder = tempfile::tempdir().unwrap();
    let grid = spec("examples/grid.toml");
    let how = open(&browser, &page(folder.path(), &["examples/grid.toml"], "grid.html"));
    println!("the page computes with {how}");
    keep_screenshot(&browser, "grid-before.png");
    // It begins in the middle of each axis.
    let chosen = || {
        let points = browser.run("return window.lrgrid.points()[0];");
        points.as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(chosen(), [3e-4, 100.0]);
    check(&browser, &grid, 5, "evaluateJs", 1e-13);
    check(&browser, &grid, 5, "evaluate", 1e-6);
    browser.run(
        "const slider = document.querySelectorAll('#sliders input')[1]; slider.value = 3;
         slider.dispatchEvent(new Event('input')); return new Promise((done) => setTimeout(done, 300));",
    );
    assert_eq!(chosen(), [3e-4, 200.0]);
    assert_eq!(browser.run("return document.querySelectorAll('#sliders output')[1].textContent;"), "200");
    check(&browser, &grid, 7, "evaluateJs", 1e-13);
    check(&browser, &grid, 7, "evaluate", 1e-6);
    keep_screenshot(&browser, "grid-after.png");
    // Hover reads step and value; the toggle and the zoom redraw.
    browser.run(
        "const box = document.querySelector('canvas').getBoundingClientRect();
         document.querySelector('canvas').dispatchEvent(new PointerEvent('pointermove', { clientX: box.left + 400, clientY: box.top + 50 }));
         document.getElementById('log').click();
         document.querySelector('canvas').dispatchEvent(new WheelEvent('wheel', { clientX: box.left + 400, deltaY: -100, cancelable: true }));
         return new Promise((done) => setTimeout(done, 300));",
    );
    let readout = browser.run("return document.getElementById('readout').textContent;");
    assert!(readout.as_str().unwrap().starts_with("step "), "{readout}");
    keep_screenshot(&browser, "grid-zoomed.png");
    assert_eq!(browser.complaints(), Vec::<Value>::new());
}

#[test]
fn every_example_is_computed_alike() {
    let Some(browser) = driver::browser(&[]) else { return };
    let folder = tempfile::tempdir().unwrap();
    for name in [
        "sgdr",
        "cyclic",
        "product",
        "epochs",
        "fractional_epochs",
        "tokens",
        "wave",
        "wsd",
        "one_cycle",
        "torch_one_cycle",
    ] {
        let path = format!("examples/{name}.toml");
        open(&browser, &page(folder.path(), &[&path], "page.html"));
        check(&browser, &spec(&path), 0, "evaluateJs", 2e-12);
        assert_eq!(browser.complaints(), Vec::<Value>::new(), "{name}");
    }
}

/// SwiftShader, which Chromium brings along, is a GPU like any other to the page.
#[test]
fn with_webgpu_the_page_computes_the_same() {
    let flags = ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader", "--enable-features=Vulkan"];
    let Some(browser) = driver::browser(&flags) else { return };
    let folder = tempfile::tempdir().unwrap();
    let how = open(&browser, &page(folder.path(), &["examples/grid.toml"], "grid.html"));
    println!("the page computes with {how}");
    check(&browser, &spec("examples/grid.toml"), 5, "evaluate", if how == "webgpu" { 1.2e-7 } else { 1e-13 });
    assert_eq!(browser.complaints(), Vec::<Value>::new());
}
