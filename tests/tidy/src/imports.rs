//! Who may import whom: the table of docs/src/architecture.md.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, Metadata};

/// Folder of a crate, and the folders of the workspace it imports outside its tests.
pub type Imports = BTreeMap<String, BTreeSet<String>>;

/// The table: lines `| folder/ | what it holds | imports |`, the last column a list, `all`, or a dash.
pub fn table(architecture: &str) -> Imports {
    let row = |line: &str| {
        let cells: Vec<&str> = line.strip_prefix('|')?.strip_suffix('|')?.split('|').map(str::trim).collect();
        let [folder, _, imports] = cells.as_slice() else {
            return None;
        };
        let folder = folder.trim_matches('`').strip_suffix('/')?;
        let imports = imports.split(", ").map(|name| name.trim_matches('`').to_owned()).filter(|name| name != "–");
        Some((folder.to_owned(), imports.collect()))
    };
    architecture.lines().filter_map(row).collect()
}

/// What the crates of the workspace import, by folder.
pub fn actual(metadata: &Metadata) -> Imports {
    let folder = |path: &str| {
        let inside = path.strip_prefix(metadata.workspace_root.as_str())?;
        Some(inside.trim_start_matches('/').trim_end_matches("/Cargo.toml").to_owned())
    };
    let packages = metadata.workspace_packages();
    let imports = packages.iter().filter_map(|package| {
        let dependencies = package.dependencies.iter().filter(|d| d.kind != DependencyKind::Development);
        let inside = dependencies.filter_map(|d| folder(d.path.as_ref()?.as_str()));
        Some((folder(package.manifest_path.as_str())?, inside.collect()))
    });
    imports.collect()
}

/// Imports the table does not allow, and crates it does not know. Folders below `tests/` share its row.
pub fn problems(table: &Imports, actual: &Imports) -> Vec<String> {
    let mut problems = Vec::new();
    for (folder, imports) in actual {
        let row = folder.split('/').next().unwrap_or(folder);
        let Some(allowed) = table.get(row) else {
            problems.push(format!("{folder}: the table of architecture.md has no row for it"));
            continue;
        };
        for import in imports.iter().filter(|import| !allowed.contains("all") && !allowed.contains(*import)) {
            problems.push(format!("{folder} imports {import}, which the table of architecture.md does not allow"));
        }
    }
    problems
}

/// All that a crate imports, itself or through others.
pub fn reach<'i>(imports: &'i Imports, crate_: &'i str) -> BTreeSet<&'i str> {
    let mut reached = BTreeSet::new();
    let mut open = vec![crate_];
    while let Some(name) = open.pop() {
        let new = imports.get(name).into_iter().flatten().map(String::as_str).filter(|import| reached.insert(*import));
        open.extend(new);
    }
    reached
}
