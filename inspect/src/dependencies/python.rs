//! Python: requirements files (pip's documentation), `pyproject.toml` (packaging.python.org), and the locks of pip, Pipenv, Poetry
//! and uv.

use std::collections::BTreeSet;
use std::str::FromStr as _;

use model::dependencies::Dependency;
use model::inventory::Ecosystem;
use pep440_rs::Operator;
use pep508_rs::{Requirement, VersionOrUrl};
use toml::{Table, Value};

use super::Read;
use crate::pypi::{Address, normalize};

pub(super) fn requirements(text: &str) -> Read {
    let mut found = Vec::new();
    for line in text.replace("\\\n", " ").replace("\\\r\n", " ").lines() {
        let line = line.split(" #").next().unwrap_or_default().trim();
        // Options, and other files, which are read by themselves where they are.
        if line.is_empty() || line.starts_with(['#', '-']) {
            continue;
        }
        let (words, hashes) = line.split_once("--hash").map_or((line, None), |(words, rest)| (words, Some(rest)));
        let words = words.split(" --").next().unwrap_or_default().trim();
        let mut package = asked(words).ok_or_else(|| format!("`{}` is no requirement", words.escape_debug()))?;
        package.digest =
            hashes.and_then(|rest| rest.trim_start_matches(['=', ' ']).split(' ').next()).map(str::to_owned);
        found.push(package);
    }
    Ok(found)
}

/// What a requirement asks for.
fn asked(text: &str) -> Option<Dependency> {
    let requirement = Requirement::<Address>::from_str(text).ok()?;
    let version = match &requirement.version_or_url {
        Some(VersionOrUrl::VersionSpecifier(specifiers)) => match specifiers.iter().collect::<Vec<_>>()[..] {
            [only] if matches!(only.operator(), Operator::Equal | Operator::ExactEqual) => {
                Some(only.version().to_string())
            }
            _ => None,
        },
        _ => None,
    };
    Some(Dependency {
        version,
        requirement: Some(text.to_owned()),
        direct: true,
        ..Dependency::new(Ecosystem::Pypi, normalize(requirement.name.as_ref()))
    })
}

pub(super) fn project(text: &str) -> Read {
    let root: Table = toml::from_str(text).map_err(|e| e.message().to_owned())?;
    let table = |names: &[&str]| names.iter().try_fold(&root, |table, name| table.get(*name)?.as_table());
    let lists = table(&["project"]).and_then(|project| project.get("dependencies")).into_iter();
    let lists = lists.chain(table(&["build-system"]).and_then(|system| system.get("requires")));
    let lists = lists.chain(table(&["project", "optional-dependencies"]).into_iter().flat_map(Table::values));
    let lists = lists.chain(table(&["dependency-groups"]).into_iter().flat_map(Table::values));
    let mut found = Vec::new();
    for words in lists.filter_map(Value::as_array).flatten().filter_map(Value::as_str) {
        found.push(asked(words).ok_or_else(|| format!("`{}` is no requirement", words.escape_debug()))?);
    }
    let groups = table(&["tool", "poetry", "group"]).into_iter().flat_map(Table::values);
    let groups = groups.filter_map(|group| group.get("dependencies")?.as_table());
    for (name, wanted) in table(&["tool", "poetry", "dependencies"]).into_iter().chain(groups).flatten() {
        let text = wanted.as_str().or_else(|| wanted.get("version")?.as_str());
        if let Some(requirement) = text.filter(|_| name != "python") {
            let exact = requirement.trim_start_matches("==");
            let is_exact = exact.starts_with(|c: char| c.is_ascii_digit()) && !exact.contains(['*', ',', '|', ' ']);
            found.push(Dependency {
                version: is_exact.then(|| exact.to_owned()),
                requirement: Some(requirement.to_owned()),
                direct: true,
                ..Dependency::new(Ecosystem::Pypi, normalize(name))
            });
        }
    }
    Ok(found)
}

/// `uv.lock`, `poetry.lock`, `pylock.toml`: lists of packages, each with the digests of its files.
pub(super) fn lock(text: &str) -> Read {
    let root: Table = toml::from_str(text).map_err(|e| e.message().to_owned())?;
    let packages = ["package", "packages"].iter().find_map(|name| root.get(*name)?.as_array());
    let packages: Vec<&Table> = packages.into_iter().flatten().filter_map(Value::as_table).collect();
    // uv locks the project itself as well.
    let is_own = |package: &Table| {
        let source = package.get("source").and_then(Value::as_table);
        source.is_some_and(|source| ["virtual", "editable", "directory"].iter().any(|kind| source.contains_key(*kind)))
    };
    let direct: BTreeSet<String> =
        packages.iter().filter(|package| is_own(package)).flat_map(|own| needed(own)).collect();
    let locked = packages.iter().filter(|package| !is_own(package)).filter_map(|package| {
        let name = normalize(package.get("name")?.as_str()?);
        Some(Dependency {
            version: package.get("version").and_then(Value::as_str).map(str::to_owned),
            digest: digest(package),
            direct: direct.contains(&name),
            requires: needed(package),
            ..Dependency::new(Ecosystem::Pypi, name)
        })
    });
    Ok(locked.collect())
}

/// The names of what a package needs: of uv and pip a list of tables, of Poetry a table.
fn needed(package: &Table) -> Vec<String> {
    match package.get("dependencies") {
        Some(Value::Array(list)) => list.iter().filter_map(|one| Some(normalize(one.get("name")?.as_str()?))).collect(),
        Some(Value::Table(table)) => table.keys().map(|name| normalize(name)).collect(),
        _ => Vec::new(),
    }
}

/// The first digest among a package's files.
fn digest(package: &Table) -> Option<String> {
    let lists = ["files", "wheels"].iter().filter_map(|name| package.get(*name)?.as_array()).flatten();
    let mut files = lists.chain(package.get("sdist")).chain(package.get("archive"));
    files.find_map(|file| {
        if let Some(hash) = file.get("hash") {
            return hash.as_str().map(str::to_owned);
        }
        let (algorithm, hash) = file.get("hashes")?.as_table()?.iter().next()?;
        Some(format!("{algorithm}:{}", hash.as_str()?))
    })
}

pub(super) fn pipfile_lock(text: &str) -> Read {
    let root: serde_json::Value = serde_json::from_str(text).map_err(|e| e.to_string())?;
    let sections = ["default", "develop"].iter().filter_map(|name| root.get(*name)?.as_object());
    let locked = sections.flatten().map(|(name, entry)| {
        let version = entry.get("version").and_then(|version| version.as_str());
        let digest = entry.get("hashes").and_then(|hashes| hashes.get(0)?.as_str());
        Dependency {
            version: version.map(|version| version.trim_start_matches("==").to_owned()),
            digest: digest.map(str::to_owned),
            ..Dependency::new(Ecosystem::Pypi, normalize(name))
        }
    });
    Ok(locked.collect())
}
