//! Python: requirements files (pip's documentation), `pyproject.toml` (packaging.python.org), and the locks of pip, Pipenv, Poetry
//! and uv.

use std::collections::BTreeSet;
use std::str::FromStr as _;

use model::dependencies::Dependency;
use model::inventory::Ecosystem;
use pep440_rs::Operator;
use pep508_rs::{Requirement, VersionOrUrl};
use toml::{Table, Value};

use super::{Contents, Read, file_name, fragment, is_commit, is_requirements, quoted};
use crate::pypi::{Address, normalize, requirement_head};

/// The longest requirement that is read, in bytes.
const LONGEST: usize = 4096;
/// The most words and parentheses that join the parts of a marker.
const JOINTS: usize = 128;
/// The most `and` among as many `or`: markers become decision diagrams, whose size can double with each such pair.
const ALTERNATIONS: usize = 10;

pub(super) fn requirements(text: &str) -> Read {
    let mut found = Contents::default();
    for line in text.replace("\\\n", " ").replace("\\\r\n", " ").lines() {
        let line = uncommented(line).trim();
        if let Some(file) = option(line, ["--requirement", "-r"]).or_else(|| option(line, ["--constraint", "-c"])) {
            // One of a known name is read by itself where it is.
            if file.contains("://") || !is_requirements(file_name(file)) {
                found.unread.push(format!("{} is not followed", quoted(line)));
            }
            continue;
        }
        let is_option = line.starts_with('-') && option(line, EDITABLE).is_none();
        if line.is_empty() || is_option {
            continue;
        }
        let (words, hashes) = line.split_once("--hash").map_or((line, None), |(words, rest)| (words, Some(rest)));
        let words = words.split(" --").next().unwrap_or_default().trim();
        let hash = hashes.and_then(|rest| rest.trim_start_matches(['=', ' ']).split(' ').next()).map(str::to_owned);
        let package = asked(words);
        found.add(package.map(|one| one.map(|one| Dependency { digest: hash.or(one.digest.clone()), ..one })));
    }
    Ok(found)
}

/// A line as far as its comment, which begins with the line or after white space.
fn uncommented(line: &str) -> &str {
    let before = line.match_indices('#').filter_map(|(at, _)| line.get(..at));
    let mut before = before.filter(|before| before.is_empty() || before.ends_with(char::is_whitespace));
    before.next().unwrap_or(line)
}

const EDITABLE: [&str; 2] = ["--editable", "-e"];

/// What an option is given, if the line is that option: `-r FILE`, `-rFILE`, `--requirement=FILE`.
fn option<'l>(line: &'l str, names: [&str; 2]) -> Option<&'l str> {
    let given = names.iter().find_map(|name| line.strip_prefix(name))?;
    Some(given.trim_start_matches(['=', ' ', '\t']))
}

/// What a requirement asks for; nothing where it is a folder or file of the same tree.
fn asked(text: &str) -> Result<Option<Dependency>, String> {
    let text = option(text, EDITABLE).unwrap_or(text);
    let first = text.split([' ', '\t']).next().unwrap_or_default();
    let is_scheme = |scheme: &str| scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b));
    if first.split_once("://").is_some_and(|(scheme, _)| scheme != "file" && is_scheme(scheme)) {
        return Ok(Some(placed(first)));
    }
    if is_path(first) {
        return Ok(None);
    }
    let unreadable = || format!("{} is no requirement", quoted(text));
    let may_be_read = |text: &&str| is_bounded(text) && requirement_head(text).is_ok();
    let requirement = Some(text).filter(may_be_read).ok_or_else(unreadable)?;
    let requirement = Requirement::<Address>::from_str(requirement).map_err(|_| unreadable())?;
    let (version, digest) = match &requirement.version_or_url {
        Some(VersionOrUrl::VersionSpecifier(specifiers)) => {
            // The others can only allow less.
            let is_one = |operator| matches!(operator, &Operator::Equal | &Operator::ExactEqual);
            let exact = specifiers.iter().find(|specifier| is_one(specifier.operator()));
            (exact.map(|exact| exact.version().to_string()), None)
        }
        Some(VersionOrUrl::Url(address)) if is_path(&address.to_string()) => return Ok(None),
        Some(VersionOrUrl::Url(address)) => (None, vouched(&address.to_string())),
        None => (None, None),
    };
    Ok(Some(Dependency {
        version,
        requirement: Some(text.to_owned()),
        digest,
        direct: true,
        ..Dependency::new(Ecosystem::Pypi, normalize(requirement.name.as_ref()))
    }))
}

/// Whether it costs little to read a requirement.
fn is_bounded(text: &str) -> bool {
    let words = || text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let count = |joint: &str| words().filter(|word| *word == joint).count();
    let (ands, ors, opened) = (count("and"), count("or"), text.matches('(').count());
    text.len() <= LONGEST && ands + ors + opened <= JOINTS && ands.min(ors) <= ALTERNATIONS
}

fn is_path(text: &str) -> bool {
    text.starts_with(['.', '/']) || text.starts_with("file:") || text.contains('/') && !text.contains([':', '@', ';'])
}

/// What an address asks for by itself. It may say the name; else it is named by the address.
fn placed(address: &str) -> Dependency {
    let (place, fragment) = address.split_once('#').unwrap_or((address, ""));
    let egg = fragment.split('&').find_map(|part| part.strip_prefix("egg=")?.split('[').next());
    Dependency {
        requirement: Some(address.to_owned()),
        digest: vouched(address),
        direct: true,
        ..Dependency::new(Ecosystem::Pypi, egg.map_or_else(|| place.to_owned(), normalize))
    }
}

/// The commit that the address of a repository gives, or the digest that one of a file does.
fn vouched(address: &str) -> Option<String> {
    let (place, fragment) = address.split_once('#').unwrap_or((address, ""));
    let digest = if place.starts_with("git+") {
        place.rsplit_once('@').map(|(_, commit)| commit).filter(|commit| is_commit(commit))
    } else {
        fragment.split('&').find(|part| part.starts_with("sha") && part.contains('='))
    };
    digest.map(str::to_owned)
}

const LISTS: [&[&str]; 3] =
    [&["project", "dependencies"], &["build-system", "requires"], &["tool", "uv", "dev-dependencies"]];
const TABLES_OF_LISTS: [&[&str]; 3] =
    [&["project", "optional-dependencies"], &["dependency-groups"], &["tool", "pdm", "dev-dependencies"]];

pub(super) fn project(text: &str) -> Read {
    let root: Table = toml::from_str(text).map_err(|e| e.message().to_owned())?;
    let root = Value::Table(root);
    let at = |names: &[&str]| names.iter().try_fold(&root, |value, name| value.get(*name));
    let table = |names: &[&str]| at(names).and_then(Value::as_table);
    let mut found = Contents::default();
    let lists = LISTS.iter().filter_map(|names| at(names));
    let lists = lists.chain(TABLES_OF_LISTS.iter().filter_map(|names| table(names)).flat_map(Table::values));
    for words in lists.filter_map(Value::as_array).flatten().filter_map(Value::as_str) {
        found.add(asked(words));
    }
    let poetry = ["dependencies", "dev-dependencies"].iter().filter_map(|name| table(&["tool", "poetry", name]));
    let groups = table(&["tool", "poetry", "group"]).into_iter().flat_map(Table::values);
    let groups = groups.filter_map(|group| group.get("dependencies")?.as_table());
    for (name, wanted) in poetry.chain(groups).flatten().filter(|(name, _)| *name != "python") {
        entries(name, wanted, &mut found);
    }
    // Its own extras, and other projects of the same tree.
    let own = at(&["project", "name"]).and_then(Value::as_str);
    let sources = table(&["tool", "uv", "sources"]).into_iter().flatten();
    let folders = sources.filter(|(_, source)| source.get("workspace").or(source.get("path")).is_some());
    let own: Vec<String> = own.into_iter().chain(folders.map(|(name, _)| name.as_str())).map(normalize).collect();
    found.packages.retain(|package| !own.contains(&package.name));
    let dynamic = at(&["project", "dynamic"]).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    for field in dynamic.filter(|field| field.ends_with("dependencies")) {
        found.unread.push(format!("{} are dynamic: what makes them is not run", quoted(field)));
    }
    Ok(found)
}

/// What an entry of Poetry's or Pipenv's tables asks for: one thing, or a list of them for different platforms.
fn entries(name: &str, wanted: &Value, found: &mut Contents) {
    let list = wanted.as_array().map_or(std::slice::from_ref(wanted), Vec::as_slice);
    for wanted in list {
        found.add(entry(name, wanted));
    }
}

fn entry(name: &str, wanted: &Value) -> Result<Option<Dependency>, String> {
    let text = |key: &str| wanted.get(key).and_then(Value::as_str);
    let reference = || ["rev", "ref", "tag", "branch"].iter().find_map(|key| text(key));
    let commit = text("git").and_then(|_| reference()).filter(|reference| is_commit(reference)).map(str::to_owned);
    let git =
        text("git").map(|git| reference().map_or_else(|| git.to_owned(), |reference| format!("{git}@{reference}")));
    let other = || wanted.as_str().or_else(|| ["version", "url", "file"].iter().find_map(|key| text(key)));
    let Some(requirement) = git.or_else(|| other().map(str::to_owned)) else {
        let is_folder = text("path").is_some();
        return if is_folder { Ok(None) } else { Err(format!("{} asks for what is not known here", quoted(name))) };
    };
    let exact = requirement.trim_start_matches('=').trim();
    let is_exact = exact.starts_with(|c: char| c.is_ascii_digit()) && !exact.contains(['*', ',', '|', ' ']);
    Ok(Some(Dependency {
        version: is_exact.then(|| exact.to_owned()),
        digest: commit.or_else(|| vouched(&requirement)),
        requirement: Some(requirement),
        direct: true,
        ..Dependency::new(Ecosystem::Pypi, normalize(name))
    }))
}

/// What a `Pipfile` holds besides lists of packages, which may have any name.
const PIPFILE: [&str; 5] = ["source", "requires", "scripts", "pipenv", "pipfile"];

pub(super) fn pipfile(text: &str) -> Read {
    let root: Table = toml::from_str(text).map_err(|e| e.message().to_owned())?;
    let mut found = Contents::default();
    let lists = root.iter().filter(|(name, _)| !PIPFILE.contains(&name.as_str()));
    for (name, wanted) in lists.filter_map(|(_, list)| list.as_table()).flatten() {
        entries(name, wanted, &mut found);
    }
    Ok(found)
}

/// `setup.cfg`, which often holds only what tools are told.
pub(super) fn setup(text: &str) -> Read {
    let asks = ["install_requires", "extras_require", "setup_requires", "tests_require"];
    let asks = asks.iter().any(|key| text.contains(key));
    if asks { Err("what it asks for is not read".into()) } else { Ok(Contents::default()) }
}

/// `uv.lock`, `poetry.lock`, `pylock.toml`: lists of packages, each with the digests of its files.
pub(super) fn lock(text: &str) -> Read {
    let root: Table = toml::from_str(text).map_err(|e| e.message().to_owned())?;
    let packages = ["package", "packages"].iter().find_map(|name| root.get(*name)?.as_array());
    let packages: Vec<&Table> = packages.into_iter().flatten().filter_map(Value::as_table).collect();
    // uv locks the projects of the tree as well, Poetry and pip folders.
    let is_project = |package: &Table| {
        let source = package.get("source").and_then(Value::as_table);
        source.is_some_and(|source| ["virtual", "editable", "directory"].iter().any(|kind| source.contains_key(*kind)))
    };
    let is_folder = |package: &Table| {
        let kind = package.get("source").and_then(|source| source.get("type")?.as_str());
        kind == Some("directory") || package.contains_key("directory")
    };
    let projects = packages.iter().filter(|package| is_project(package));
    let direct: BTreeSet<String> = projects.clone().flat_map(|project| needed(project)).collect();
    let direct_unknown = projects.count() == 0;
    // In older locks of Poetry the digests are in a table of their own.
    let files = |name: &str| root.get("metadata")?.get("files")?.get(name)?.as_array();
    let locked = packages.iter().filter(|package| !is_project(package) && !is_folder(package)).filter_map(|package| {
        let written = package.get("name")?.as_str()?;
        let name = normalize(written);
        let elsewhere = || files(written)?.iter().find_map(file_digest);
        Some(Dependency {
            version: package.get("version").and_then(Value::as_str).map(str::to_owned),
            digest: digest(package).or_else(|| locked_commit(package)).or_else(elsewhere),
            direct: direct.contains(&name),
            requires: needed(package),
            ..Dependency::new(Ecosystem::Pypi, name)
        })
    });
    Ok(Contents { direct_unknown, ..locked.collect() })
}

/// The names of what a package needs, with extras and groups: of uv and pip lists of tables, of Poetry a table.
fn needed(package: &Table) -> Vec<String> {
    let groups = ["optional-dependencies", "dev-dependencies"].iter().filter_map(|kind| package.get(*kind)?.as_table());
    let lists = package.get("dependencies").into_iter().chain(groups.flat_map(Table::values));
    let names = |list: &Value| -> Vec<String> {
        match list {
            Value::Array(list) => list.iter().filter_map(|one| Some(normalize(one.get("name")?.as_str()?))).collect(),
            Value::Table(table) => table.keys().map(|name| normalize(name)).collect(),
            _ => Vec::new(),
        }
    };
    lists.flat_map(names).collect()
}

/// The commit a package is at: of uv, of Poetry, and of pip.
fn locked_commit(package: &Table) -> Option<String> {
    let text = |table: &str, key: &str| package.get(table)?.get(key)?.as_str();
    let reference = text("source", "resolved_reference").or_else(|| text("vcs", "commit-id"));
    let reference = reference.filter(|reference| is_commit(reference)).map(str::to_owned);
    reference.or_else(|| fragment(text("source", "git")?))
}

/// The first digest among a package's files.
fn digest(package: &Table) -> Option<String> {
    let lists = ["files", "wheels"].iter().filter_map(|name| package.get(*name)?.as_array()).flatten();
    let mut files = lists.chain(package.get("sdist")).chain(package.get("archive"));
    files.find_map(file_digest)
}

fn file_digest(file: &Value) -> Option<String> {
    if let Some(hash) = file.get("hash") {
        return hash.as_str().map(str::to_owned);
    }
    let (algorithm, hash) = file.get("hashes")?.as_table()?.iter().next()?;
    Some(format!("{algorithm}:{}", hash.as_str()?))
}

pub(super) fn pipfile_lock(text: &str) -> Read {
    let root: serde_json::Value = serde_json::from_str(text).map_err(|e| e.to_string())?;
    let sections = root.as_object().into_iter().flatten().filter(|(name, _)| *name != "_meta");
    let packages = sections.filter_map(|(_, section)| section.as_object()).flatten();
    let locked = packages.filter(|(_, entry)| entry.get("path").is_none()).map(|(name, entry)| {
        let text = |key: &str| entry.get(key).and_then(|value| value.as_str());
        let digest = entry.get("hashes").and_then(|hashes| hashes.get(0)?.as_str());
        let commit = text("ref").filter(|reference| is_commit(reference));
        Dependency {
            version: text("version").map(|version| version.trim_start_matches("==").to_owned()),
            digest: digest.or(commit).map(str::to_owned),
            ..Dependency::new(Ecosystem::Pypi, normalize(name))
        }
    });
    Ok(Contents { direct_unknown: true, ..locked.collect() })
}
