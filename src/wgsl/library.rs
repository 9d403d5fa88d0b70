//! The text of the WGSL library, under the caller's names, group and binding.

use super::reserved::is_reserved;
use super::text::library_text;
use super::used::used;
use crate::error::WgslError;
use crate::packed::Batch;
use crate::program::MAX_STEP;

/// The library with the names of its own files, reading the packed block.
const LIBRARY: &str = library_text!("packed.wgsl");

/// The attributes with which [`LIBRARY`] binds the packed block.
const BINDING: &str = "@group(0) @binding(0)";
/// The beginning of the declaration of [`LIBRARY`]'s public function.
const FUNCTION: &str = "fn lr_at(";
/// That function's default name.
const ENTRY: &str = "lr_at";
/// The prefixes of the names in [`LIBRARY`]: of functions and variables, types, constants.
const PREFIXES: [&str; 3] = ["lrgrid_", "Lrgrid", "LRGRID_"];
/// wgpu's limit on bind groups per pipeline.
const MAX_GROUPS: u32 = 8;
/// WebGPU's limit on binding numbers.
const MAX_BINDINGS: u32 = 1000;

/// Names, group and binding of the library within the caller's shader.
///
/// ```
/// use lrgrid::wgsl::{Options, library};
///
/// let text = library(&Options { group: 2, binding: 5, prefix: Some("sched_".to_owned()), ..Options::default() })?;
/// assert!(text.contains("@group(2) @binding(5) var<storage, read> sched_block: array<u32>;"));
/// assert!(text.contains("fn sched_lr_at(program: u32, step: vec2<u32>) -> f32"));
/// # Ok::<(), lrgrid::error::WgslError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// The bind group of the packed block.
    pub group: u32,
    /// The packed block's binding within its group.
    pub binding: u32,
    /// The prefix of every name, the function's included. Without one, names begin with `lrgrid_` and the function is
    /// `lr_at`.
    pub prefix: Option<String>,
    /// The function's full name, if it is not prefix and `lr_at`.
    pub entry: Option<String>,
    /// The curves and features to include.
    pub uses: Uses,
}

/// Curves and features of the lowered form; all of them by default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Uses(u32);

impl Default for Uses {
    fn default() -> Self {
        Self(u32::MAX)
    }
}

impl Uses {
    /// Those that a batch needs, for a shorter shader.
    ///
    /// The shader returns wrong values for programs of other batches that need more.
    #[must_use]
    pub fn of(batch: &Batch) -> Self {
        // The steps are known to the shader only, so assume the largest.
        Self(used(batch, 0..batch.len(), MAX_STEP))
    }

    /// The union of two sets.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// WGSL that declares `lr_at(program: u32, step: vec2<u32>) -> f32`, to be appended to the caller's shader.
///
/// `program` is a row of the batch; `step` is a 64-bit integer, low word first. The value is within 0.56 ULP of `f32`
/// on any device, because it is computed in integers. A program index past the last reads past the end of the buffer,
/// which returns an unspecified value but no fault. Past its last step, a schedule that ends (`until`) continues as the
/// schedule within it.
///
/// The text binds one read-only storage buffer, `var<storage, read> …block: array<u32>`, to be filled with the bytes of
/// [`Batch::as_bytes`]. It needs no optional feature of WGSL, and may stand before or after the code that uses it.
///
/// # Errors
/// When a name is invalid in WGSL or clashes with one of the library's, or a group or binding exceeds WebGPU's limits.
pub fn library(options: &Options) -> Result<String, WgslError> {
    let number = |option, value, limit: u32| {
        if value < limit { Ok(()) } else { Err(WgslError::Number { option, value, largest: limit - 1 }) }
    };
    number("group", options.group, MAX_GROUPS)?;
    number("binding", options.binding, MAX_BINDINGS)?;
    let prefix = options.prefix.as_deref().unwrap_or(PREFIXES[0]);
    check_name("prefix", prefix)?;
    let entry = match (&options.entry, &options.prefix) {
        (Some(entry), _) => entry.clone(),
        (None, Some(prefix)) => format!("{prefix}{ENTRY}"),
        (None, None) => ENTRY.to_owned(),
    };
    check_name("entry", &entry)?;
    if is_reserved(&entry) {
        return Err(WgslError::Name { option: "entry", value: entry, reason: "it is a word of WGSL" });
    }
    let binding = format!("@group({}) @binding({})", options.group, options.binding);
    let mut body = LIBRARY.replace(BINDING, &binding);
    for old in PREFIXES {
        body = body.replace(old, prefix);
    }
    if declared(&body).any(|name| name == entry) {
        let reason = "the library has another thing of that name";
        return Err(WgslError::Name { option: "entry", value: entry, reason });
    }
    let body = body.replace(FUNCTION, &format!("fn {entry}("));
    let (version, used) = (env!("CARGO_PKG_VERSION"), options.uses.0);
    Ok(format!(
        "// Learning rates by lrgrid {version}: {entry}(program: u32, step: vec2<u32>) -> f32, the step's low word first.\n\
         // Bind the bytes of a packed batch at {binding}. Every other name begins with {prefix}.\n\n\
         // The curves and features that are used.\n\
         const {prefix}USED: u32 = {used:#x}u;\n\n{body}"
    ))
}

/// The names that a text declares at module level, except the public function's.
fn declared(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.starts_with(FUNCTION)).filter_map(|line| {
        let rest = ["fn ", "struct ", "const "].iter().find_map(|keyword| line.strip_prefix(keyword));
        let rest = rest.or_else(|| line.split_once("var<storage, read> ").map(|(_, rest)| rest))?;
        rest.split(|c: char| !is_inside(c)).next()
    })
}

const fn is_inside(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// Checks that this can be a name in WGSL, or the beginning of one.
fn check_name(option: &'static str, value: &str) -> Result<(), WgslError> {
    let reason = if value.is_empty() {
        "it is empty: builtins of WGSL have the same names"
    } else if value.starts_with(|c: char| c.is_ascii_digit()) || !value.chars().all(is_inside) {
        "names have letters, digits and underscores, and do not begin with a digit"
    } else if value.starts_with("__") || value == "_" && option == "entry" {
        "names in WGSL do not begin with two underscores, and one is none"
    } else {
        return Ok(());
    };
    Err(WgslError::Name { option, value: value.to_owned(), reason })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn with(prefix: &str, entry: Option<&str>) -> Result<String, WgslError> {
        let (prefix, entry) = (Some(prefix.to_owned()), entry.map(str::to_owned));
        library(&Options { prefix, entry, ..Options::default() })
    }

    #[test]
    fn every_name_has_the_prefix() {
        for prefix in ["lrgrid_", "my", "_x", "L"] {
            let text = with(prefix, None).unwrap();
            let names: Vec<&str> = declared(&text).collect();
            assert!(names.len() > 80, "{}", names.len());
            assert!(names.iter().all(|name| name.starts_with(prefix)), "{prefix}: {names:?}");
            assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "{prefix} makes two names one");
            assert!(text.contains(&format!("fn {prefix}lr_at(")));
        }
        assert!(!with("my", None).unwrap().replace("by lrgrid", "").to_lowercase().contains("lrgrid"));
    }

    #[test]
    fn what_is_replaced_is_there_once() {
        assert_eq!(LIBRARY.matches(BINDING).count(), 1);
        assert_eq!(LIBRARY.matches("@group").count(), 1);
        assert_eq!(LIBRARY.matches(FUNCTION).count(), 1);
        assert_eq!(LIBRARY.matches("lr_at").count(), 1);
    }

    #[test]
    fn wrong_names_and_numbers_are_refused() {
        for prefix in ["", "9a", "a-b", "a b", "__a", "ä", "a;"] {
            assert!(matches!(with(prefix, None), Err(WgslError::Name { option: "prefix", .. })), "{prefix}");
        }
        for entry in ["", "_", "fn", "select", "from", "a.b", "x_fold", "x_Segment", "x_block"] {
            assert!(matches!(with("x_", Some(entry)), Err(WgslError::Name { option: "entry", .. })), "{entry}");
        }
        assert!(with("x_", Some("rate")).unwrap().contains("fn rate("));
        let far = library(&Options { group: 8, ..Options::default() });
        assert_eq!(far, Err(WgslError::Number { option: "group", value: 8, largest: 7 }));
        assert!(library(&Options { binding: 1000, ..Options::default() }).is_err());
    }
}
