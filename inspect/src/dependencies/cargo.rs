//! Rust: `Cargo.toml` and `Cargo.lock` (the Cargo book).

use std::collections::BTreeSet;

use model::dependencies::Dependency;
use model::inventory::Ecosystem;
use toml::{Table, Value};

use super::{Read, commit, is_commit};

/// Old manifests may have underscores in them.
const SECTIONS: [&str; 5] =
    ["dependencies", "dev-dependencies", "dev_dependencies", "build-dependencies", "build_dependencies"];

pub(super) fn manifest(text: &str) -> Read {
    let root: Table = toml::from_str(text).map_err(|e| e.message().to_owned())?;
    let targets = root.get("target").and_then(Value::as_table).into_iter().flatten().filter_map(|(_, t)| t.as_table());
    let workspace = root.get("workspace").and_then(Value::as_table);
    let tables = targets.chain(workspace).chain([&root]);
    let sections = tables.flat_map(|table| SECTIONS.iter().filter_map(|name| table.get(*name)?.as_table()));
    // What is put in the place of packages of a registry, or of an address.
    let patches = root.get("patch").and_then(Value::as_table).into_iter().flat_map(Table::values);
    let sections = sections.chain(patches.filter_map(Value::as_table));
    Ok(sections.flatten().filter_map(|(name, wanted)| asked(name, wanted)).collect())
}

/// What one entry asks for; nothing where it is a folder of the same tree, or what the workspace says.
fn asked(name: &str, wanted: &Value) -> Option<Dependency> {
    let (name, requirement, digest) = match wanted {
        Value::String(requirement) => (name, requirement.clone(), None),
        Value::Table(table) => {
            let text = |key: &str| table.get(key).and_then(Value::as_str);
            if table.contains_key("workspace") || table.contains_key("path") {
                return None;
            }
            let requirement = match (text("version"), text("git"), text("rev")) {
                (Some(version), ..) => version.to_owned(),
                (None, Some(git), Some(rev)) => format!("{git}@{rev}"),
                (None, Some(git), None) => git.to_owned(),
                _ => return None,
            };
            let commit = text("git").and(text("rev")).filter(|rev| is_commit(rev)).map(str::to_owned);
            (text("package").unwrap_or(name), requirement, commit)
        }
        _ => return None,
    };
    // `=1` allows every 1.x.
    let exact = requirement.strip_prefix('=').map(str::trim);
    let version = exact.filter(|exact| exact.split('.').count() >= 3 && !exact.contains([',', '*'])).map(str::to_owned);
    Some(Dependency {
        version,
        requirement: Some(requirement),
        digest,
        direct: true,
        ..Dependency::new(Ecosystem::Cargo, name)
    })
}

pub(super) fn lock(text: &str) -> Read {
    let root: Table = toml::from_str(text).map_err(|e| e.message().to_owned())?;
    let packages: Vec<&Table> =
        root.get("package").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_table).collect();
    let names = |package: &Table| -> Vec<String> {
        let needed = package.get("dependencies").and_then(Value::as_array).into_iter().flatten();
        // `name`, or `name version` where there are several
        needed.filter_map(|name| Some(name.as_str()?.split(' ').next()?.to_owned())).collect()
    };
    let text = |package: &Table, key: &str| package.get(key).and_then(Value::as_str).map(str::to_owned);
    // The first version of the format has the checksums in a table of their own.
    let checksum = |package: &Table| {
        let text = |key: &str| package.get(key).and_then(Value::as_str);
        let key = format!("checksum {} {} ({})", text("name")?, text("version")?, text("source")?);
        root.get("metadata")?.get(&key)?.as_str().map(str::to_owned)
    };
    // What comes from nowhere is of the tree itself.
    let own = packages.iter().filter(|package| !package.contains_key("source"));
    let direct: BTreeSet<String> = own.flat_map(|package| names(package)).collect();
    let locked = packages.iter().filter(|package| package.contains_key("source")).filter_map(|package| {
        let name = text(package, "name")?;
        let commit = || commit(&text(package, "source")?);
        Some(Dependency {
            version: text(package, "version"),
            digest: text(package, "checksum").or_else(|| checksum(package)).or_else(commit),
            direct: direct.contains(&name),
            requires: names(package),
            ..Dependency::new(Ecosystem::Cargo, name)
        })
    });
    Ok(locked.collect())
}
