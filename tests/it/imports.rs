//! Imports run one way: each module of the library may use only those before it, and the files of the folders in
//! [`ACYCLIC`] import each other without a cycle. (Between crates the compiler sees to it.)
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

/// Folders whose files import each other without a cycle.
const ACYCLIC: &[&str] = &["gpu", "packed", "wgsl"];

/// A module: the names on the way to it from the crate's root.
type Module = Vec<String>;

/// The files of a folder and what they import from each other.
struct Folder {
    /// Each file's code: no comments, no tests.
    code: BTreeMap<Module, String>,
    /// The paths that each `mod.rs` imports from its children, which its other children reach through `super`.
    shown: BTreeMap<Module, Vec<Vec<String>>>,
}

/// A file's text without comments and tests.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod ").next().unwrap_or(text);
    let lines = text.lines().map(|line| line.split("//").next().unwrap_or(line));
    lines.collect::<Vec<_>>().join("\n")
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Every path of a tree of imports such as `a::{b, c::{d, e as f}}`, and what follows the tree.
fn paths(tree: &str) -> (Vec<Vec<String>>, &str) {
    let tree = tree.trim_start();
    if let Some(mut rest) = tree.strip_prefix('{') {
        let mut all = Vec::new();
        loop {
            rest = rest.trim_start_matches([',', ' ', '\n']);
            if let Some(rest) = rest.strip_prefix('}') {
                return (all, rest);
            }
            let (some, after) = paths(rest);
            assert!(after.len() < rest.len(), "cannot read the imports at {rest}");
            all.extend(some);
            rest = after;
        }
    }
    let end = tree.find(|c| !is_name(c)).unwrap_or(tree.len());
    let (name, rest) = tree.split_at(end);
    let rest = rest.strip_prefix('*').unwrap_or(rest);
    let rest = rest.strip_prefix(" as ").map_or(rest, |rest| rest.trim_start_matches(is_name));
    let Some(inside) = rest.strip_prefix("::") else { return (vec![vec![name.to_owned()]], rest) };
    let (ends, rest) = paths(inside);
    (ends.into_iter().map(|end| [vec![name.to_owned()], end].concat()).collect(), rest)
}

/// The paths in a text that begin with this name.
fn paths_from(text: &str, first: &str) -> Vec<Vec<String>> {
    let begins = |&(at, _): &(usize, &str)| !text[..at].ends_with(|c| is_name(c) || c == ':');
    text.match_indices(&format!("{first}::")).filter(begins).flat_map(|(at, _)| paths(&text[at..]).0).collect()
}

impl Folder {
    fn read(root: &Path, name: &str) -> Self {
        let mut files = Vec::new();
        rust_files(&root.join(name), &mut files);
        let module = |file: &Path| -> Module {
            let path = file.strip_prefix(root).unwrap().with_extension("");
            path.iter().map(|name| name.to_string_lossy().into_owned()).filter(|name| name != "mod").collect()
        };
        let code: BTreeMap<Module, String> =
            files.iter().map(|file| (module(file), code(&fs::read_to_string(file).unwrap()))).collect();
        let mut folder = Self { code, shown: BTreeMap::new() };
        for (module, text) in &folder.code {
            let uses = text.split("use ").skip(1).flat_map(|tree| paths(tree).0);
            let children = uses.filter(|path| folder.code.contains_key(&[&module[..], &path[..1]].concat()));
            folder.shown.insert(module.clone(), children.collect());
        }
        folder
    }

    /// The file that defines what a path names, seen from a module.
    fn definition(&self, module: &[String], path: &[String]) -> Module {
        let Some(name) = path.first() else { return module.to_vec() };
        let child = [module, &path[..1]].concat();
        if self.code.contains_key(&child) {
            return self.definition(&child, &path[1..]);
        }
        match self.shown.get(module).into_iter().flatten().find(|shown| shown.last() == Some(name)) {
            Some(shown) => self.definition(module, shown),
            None => module.to_vec(),
        }
    }

    /// The files that a file imports from.
    fn imports(&self, module: &Module) -> BTreeSet<Module> {
        let text = &self.code[module];
        let mut found = BTreeSet::new();
        for path in paths_from(text, "super") {
            let up = path.iter().take_while(|name| *name == "super").count();
            // `super` alone, as in `pub(in super::super)`, imports nothing.
            if up < path.len() {
                assert!(up < module.len(), "{}: `{}` leaves the folder unseen", module.join("/"), path.join("::"));
                found.insert(self.definition(&module[..module.len() - up], &path[up..]));
            }
        }
        for path in paths_from(text, &format!("crate::{}", module[0])) {
            found.insert(self.definition(&module[..1], &path[2..]));
        }
        // A `mod.rs` needs a child that it names in its code or whose items it names; a mere `pub use` passes them on.
        let private = text.lines().filter(|line| !line.trim_start().starts_with("pub use"));
        let private = private.collect::<Vec<_>>().join("\n");
        for child in self.code.keys().filter(|child| child.len() > module.len() && child.starts_with(module)) {
            let paths = paths_from(&private, &child[module.len()]);
            found.extend(paths.iter().map(|path| self.definition(module, path)));
        }
        for name in self.shown[module].iter().filter_map(|path| path.last()) {
            let outside = |text: &&str| !text.trim_start().starts_with("pub use");
            let named =
                text.split(';').filter(outside).any(|text| text.split(|c| !is_name(c)).any(|word| word == name));
            if named {
                found.insert(self.definition(module, std::slice::from_ref(name)));
            }
        }
        found.remove(module);
        found
    }
}

#[test]
fn trees_of_imports_are_read() {
    let text = "use super::{a, b::{c, d as e}, f::*};\npub(in super::super) fn g() { super::h::i(my_super::j) }";
    let read = paths_from(&code(text), "super").into_iter().map(|path| path.join("::"));
    let want = ["super::a", "super::b::c", "super::b::d", "super::f::", "super::super", "super::h::i"];
    assert_eq!(read.collect::<Vec<_>>(), want);
}

#[test]
fn files_of_a_folder_import_without_cycles() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for name in ACYCLIC {
        let folder = Folder::read(&root, name);
        let mut left: BTreeMap<&Module, BTreeSet<Module>> =
            folder.code.keys().map(|module| (module, folder.imports(module))).collect();
        let edges: usize = left.values().map(BTreeSet::len).sum();
        assert!(edges > left.len(), "found only {edges} imports among {} files of {name}", left.len());
        // Take away files that import none of those left, until none is left.
        while let Some(last) = left.iter().find(|(_, uses)| uses.is_empty()).map(|(&module, _)| module) {
            left.remove(last);
            left.values_mut().for_each(|uses| _ = uses.remove(last));
        }
        let lines = left.iter().map(|(module, uses)| {
            let uses: Vec<_> = uses.iter().map(|used| used.join("/")).collect();
            format!("{} imports {}", module.join("/"), uses.join(", "))
        });
        assert!(
            left.is_empty(),
            "these files import each other in a circle:\n{}",
            lines.collect::<Vec<_>>().join("\n")
        );
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
