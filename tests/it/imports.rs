//! Imports run one way: each module of the library may use only those before it. (Between crates the compiler sees to it.)
#![expect(clippy::unwrap_used, reason = "a test's helpers may fail as tests do")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// What each module may use of the crate.
const ALLOWED: &[(&str, &[&str])] = &[
    ("error", &[]),
    ("bounded", &[]),
    ("double_double", &[]),
    ("element", &["double_double", "error"]),
    ("ulp", &["double_double", "element"]),
    ("curve", &["double_double"]),
    ("program", &["curve", "double_double", "error"]),
    ("steps", &["error", "program"]),
    ("packed", &["curve", "double_double", "error", "program", "steps"]),
    ("evaluate", &["element", "error", "packed", "steps"]),
    ("statistics", &["double_double", "element", "error", "evaluate", "packed", "steps"]),
    ("cpu", &["curve", "double_double", "element", "error", "evaluate", "packed", "program", "statistics", "steps"]),
    ("wgsl", &["curve", "error", "packed", "program"]),
    (
        "gpu",
        &[
            "curve",
            "double_double",
            "element",
            "error",
            "evaluate",
            "packed",
            "program",
            "statistics",
            "steps",
            "ulp",
            "wgsl",
        ],
    ),
    ("engine", &["cpu", "element", "error", "evaluate", "gpu", "packed", "program", "statistics", "steps"]),
    ("readable", &[]),
    ("schedule", &["curve", "double_double", "error", "program"]),
    ("sweep", &["error"]),
    ("dialect", &["double_double", "error", "program", "schedule"]),
    (
        "spec",
        &[
            "bounded",
            "curve",
            "dialect",
            "double_double",
            "error",
            "packed",
            "program",
            "readable",
            "schedule",
            "steps",
            "sweep",
        ],
    ),
    ("survey", &["element", "error", "packed", "spec", "statistics", "steps"]),
];

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

/// The modules named in `crate::` paths, outside of comments.
fn modules_used(text: &str) -> BTreeSet<String> {
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    let mut used = BTreeSet::new();
    for line in code {
        for path in line.split("crate::").skip(1) {
            let name: String = path.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            // Types that lib.rs re-exports belong to the module that defines them.
            used.insert(if name.starts_with(char::is_uppercase) {
                format!("a module, not the crate root's {name}")
            } else {
                name
            });
        }
    }
    used
}

#[test]
fn imports_run_one_way() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let allowed: BTreeMap<&str, &[&str]> = ALLOWED.iter().copied().collect();
    let mut files = Vec::new();
    rust_files(&root, &mut files);
    assert!(files.len() > 40, "found only {} files", files.len());
    let mut modules = BTreeSet::new();
    for file in files {
        let relative = file.strip_prefix(&root).unwrap().to_string_lossy().replace('\\', "/");
        let module = relative.split('/').next().unwrap().trim_end_matches(".rs").to_owned();
        // The root ties everything together.
        if module == "lib" {
            continue;
        }
        let text = fs::read_to_string(&file).unwrap();
        let Some(may) = allowed.get(module.as_str()) else {
            panic!("{relative}: say in ALLOWED what `{module}` may use")
        };
        for used in modules_used(&text) {
            assert!(
                used == module || may.contains(&used.as_str()),
                "{relative} uses `{used}`, which `{module}` may not"
            );
        }
        modules.insert(module);
    }
    for (module, _) in ALLOWED {
        assert!(modules.contains(*module), "`{module}` is in ALLOWED but not in src");
    }
}

#[test]
fn unsafe_code_stands_in_the_simd_files() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    rust_files(&root, &mut files);
    let code = |text: &str| text.lines().any(|line| !line.trim_start().starts_with("//") && line.contains("unsafe "));
    let with: BTreeSet<_> = files.iter().filter(|file| code(&fs::read_to_string(file).unwrap())).collect();
    let simd = ["avx2", "avx512", "level", "store"].map(|name| root.join(format!("cpu/simd/{name}.rs")));
    assert_eq!(with, simd.iter().collect());
}
