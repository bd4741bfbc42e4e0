//! The documents of the benchmarks: a template, and what makes images of it, twelve for each set of packages.

use std::collections::BTreeSet;

/// What every image is made of.
pub(crate) const TEMPLATE: &str = include_str!("template.yaml");
/// The versions of Python.
pub(crate) const PYTHON: [&str; 2] = ["3.13", "3.13.5"];
/// How many libraries there are.
pub(crate) const LIBRARIES: usize = 41;
/// Libraries of one set.
const CHOSEN: usize = 6;

/// The libraries of a set.
pub(crate) fn libraries(set: usize) -> BTreeSet<usize> {
    (0..CHOSEN).map(|at| (set * 7 + at * (1 + set / LIBRARIES)) % LIBRARIES).collect()
}

/// How a set asks for a library.
pub(crate) fn requirement(library: usize) -> String {
    format!("library-{library:02}==1.0")
}

/// The first sets, as JSON.
pub(crate) fn sets(count: usize) -> String {
    let quoted = |library| format!("\"{}\"", requirement(library));
    let list = |set| libraries(set).into_iter().map(quoted).collect::<Vec<_>>().join(", ");
    let sets: Vec<String> = (0..count).map(|set| format!("\"s{set}\": [{}]", list(set))).collect();
    format!("{{\"sets\": {{{}}}}}\n", sets.join(", "))
}

/// The document that extends `template.yaml` and has an axis for each parameter but the sets themselves.
pub(crate) fn image(count: usize) -> String {
    let names: Vec<String> = (0..count).map(|set| format!("s{set}")).collect();
    format!(
        "extends: ./template.yaml
matrix:
  python: [\"{}\"]
  architecture: [amd64, arm64]
  flavour: [plain, sweet, sour]
  set: [{}]
with: {}",
        PYTHON.join("\", \""),
        names.join(", "),
        sets(count)
    )
}
