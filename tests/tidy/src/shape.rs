//! The shape of the source tree: sizes of files, lints of crates, reasons of dependencies.

use std::collections::BTreeSet;
use std::path::Path;

use crate::File;

/// Lines from which a file is worth splitting.
pub const LONG: usize = 600;
/// Lines no source file may exceed.
pub const TOO_LONG: usize = 800;

/// Rust files with more than `limit` lines.
pub fn long_files(files: &[File], limit: usize) -> Vec<String> {
    let lines = |bytes: &[u8]| bytes.iter().filter(|byte| **byte == b'\n').count();
    let rust = files.iter().filter(|(path, _)| path.ends_with(".rs"));
    let long = rust.map(|(path, bytes)| (path, lines(bytes))).filter(|(_, lines)| *lines > limit);
    long.map(|(path, lines)| format!("{path} has {lines} lines, more than {limit}")).collect()
}

/// Pure crates that are not under the lints that keep them pure.
pub fn impure_crates(root: &Path, pure: &[&str]) -> Vec<String> {
    let linked = |name: &str| {
        std::fs::read_link(root.join(name).join("clippy.toml")).is_ok_and(|to| to == Path::new("../clippy.pure.toml"))
    };
    let lints = |name: &str| {
        let manifest = std::fs::read_to_string(root.join(name).join("Cargo.toml")).unwrap_or_default();
        manifest.contains("[lints]\nworkspace = true")
    };
    let bad = pure.iter().filter(|name| !linked(name) || !lints(name));
    bad.map(|name| format!("{name}: clippy.toml must be a link to ../clippy.pure.toml, and [lints] the workspace's"))
        .collect()
}

/// Libraries of the manifests without a row in the page of dependencies, and rows without a library. What stands below
/// the page's heading of libraries that were left out is no row.
pub fn unexplained_dependencies(manifests: &[String], page: &str) -> Vec<String> {
    let names: BTreeSet<&str> = manifests.iter().flat_map(|manifest| dependencies(manifest)).collect();
    let page = page.split("left out\n").next().unwrap_or_default();
    let rows: Vec<&str> = page.lines().filter_map(|line| Some(line.strip_prefix("| `")?.split_once('`')?.0)).collect();
    let missing = names.iter().filter(|name| !rows.contains(name));
    let stray = rows.iter().filter(|row| !names.contains(*row));
    let missing = missing.map(|name| format!("docs/src/dependencies.md does not say why {name} is there"));
    missing.chain(stray.map(|row| format!("docs/src/dependencies.md explains {row}, which is not there"))).collect()
}

/// What a manifest's table of dependencies names, the workspace's own crates aside.
fn dependencies(manifest: &str) -> impl Iterator<Item = &str> {
    let tables = manifest.split("\n[").filter(|table| table.contains("dependencies]\n"));
    let entries = tables.flat_map(str::lines).filter(|line| !line.starts_with('#') && !line.contains("path = "));
    entries.filter_map(|line| Some(line.split_once(" = ")?.0))
}
