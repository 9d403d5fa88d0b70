//! The nearest name to a misspelt one.

/// The least similarity for a suggestion.
const ALIKE: f64 = 0.72;

/// "did you mean `x`?" if a name is similar, otherwise the list of all names.
///
/// ```
/// use lrgrid::spec::nearest;
///
/// assert_eq!(nearest("cosin", &["cosine", "step"]), "did you mean `cosine`?");
/// assert_eq!(nearest("wibble", &["cosine", "step"]), "there are `cosine`, `step`");
/// ```
#[must_use]
pub fn nearest(wrong: &str, names: &[&str]) -> String {
    let likeness = |name: &&&str| strsim::jaro_winkler(&wrong.to_lowercase(), &name.to_lowercase());
    let best = names.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    match best {
        Some(name) if likeness(&name) >= ALIKE => format!("did you mean `{name}`?"),
        _ => format!("there are {}", names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_its_name_and_nonsense_the_list() {
        let names = ["cosine", "constant", "cyclic"];
        assert_eq!(nearest("cosin", &names), "did you mean `cosine`?");
        assert_eq!(nearest("Constnat", &names), "did you mean `constant`?");
        assert_eq!(nearest("wibble", &names), "there are `cosine`, `constant`, `cyclic`");
    }
}
