//! Manifests and lock files of source trees. One reader a format; what no reader knows is said to be passed over.

mod cargo;
mod gem;
mod golang;
mod maven;
mod npm;
mod python;
mod yarn;

use std::collections::{BTreeMap, BTreeSet};

use model::dependencies::{Dependencies, Dependency, Manifest, Unsettled};
use model::inventory::Ecosystem;

/// What a file says, or why it cannot be read.
type Read = Result<Vec<Dependency>, String>;

/// A format: its name as a file, whether it is that of a lock file, and who reads it.
struct Format {
    is: fn(&str) -> bool,
    is_lock: bool,
    read: fn(&str) -> Read,
}

const FORMATS: [Format; 15] = [
    Format { is: |name| name == "Cargo.toml", is_lock: false, read: cargo::manifest },
    Format { is: |name| name == "Cargo.lock", is_lock: true, read: cargo::lock },
    Format { is: |name| name == "Gemfile.lock", is_lock: true, read: gem::lock },
    Format { is: |name| name == "go.mod", is_lock: false, read: golang::modules },
    Format { is: |name| name == "go.sum", is_lock: true, read: golang::sums },
    Format { is: |name| name == "package.json", is_lock: false, read: npm::manifest },
    Format { is: |name| matches!(name, "package-lock.json" | "npm-shrinkwrap.json"), is_lock: true, read: npm::lock },
    Format { is: |name| name == "pom.xml", is_lock: false, read: maven::project },
    Format { is: |name| name == "yarn.lock", is_lock: true, read: yarn::lock },
    Format { is: |name| name == "pyproject.toml", is_lock: false, read: python::project },
    Format { is: |name| name == "Pipfile.lock", is_lock: true, read: python::pipfile_lock },
    Format { is: |name| matches!(name, "uv.lock" | "poetry.lock" | "pylock.toml"), is_lock: true, read: python::lock },
    Format { is: is_requirements, is_lock: false, read: python::requirements },
    Format { is: |name| name == "pnpm-lock.yaml", is_lock: true, read: |_| Err("locks of pnpm are not read".into()) },
    Format { is: |name| name == "Gemfile", is_lock: false, read: |_| Err("it is a program: its lock is read".into()) },
];

fn is_requirements(name: &str) -> bool {
    name.strip_suffix(".txt").is_some_and(|stem| stem.contains("requirements") || stem == "constraints")
}

/// Whether a file of this name says what a source tree asks for.
pub fn is_manifest(name: &str) -> bool {
    format(name).is_some()
}

fn format(name: &str) -> Option<&'static Format> {
    FORMATS.iter().find(|format| (format.is)(name))
}

/// What files of a source tree ask for, each given by its path and text.
pub fn analyse(files: &BTreeMap<String, Vec<u8>>) -> Dependencies {
    let manifests: Vec<Manifest> = files.iter().filter_map(|(path, text)| manifest(path, text)).collect();
    let locked = Locked::of(&manifests);
    let mut found = Dependencies::default();
    for manifest in &manifests {
        for package in &manifest.packages {
            let unsettled = |wanted: Option<&String>| Unsettled {
                path: manifest.path.clone(),
                ecosystem: package.ecosystem,
                name: package.name.clone(),
                wanted: wanted.cloned().unwrap_or_default(),
            };
            let is_locked = !manifest.is_lock && locked.has(&manifest.path, package);
            match &package.version {
                None if !is_locked => found.unpinned.push(unsettled(package.requirement.as_ref())),
                Some(version) if !is_locked && package.digest.is_none() => {
                    found.unverified.push(unsettled(Some(version)));
                }
                _ => {}
            }
            if manifest.is_lock || !is_locked {
                let licence = package.licence.clone().unwrap_or_else(|| "unknown".to_owned());
                *found.licences.entry(licence).or_default() += 1;
            }
        }
    }
    for list in [&mut found.unpinned, &mut found.unverified] {
        list.sort();
        list.dedup();
    }
    Dependencies { manifests, ..found }
}

fn manifest(path: &str, text: &[u8]) -> Option<Manifest> {
    let format = format(file_name(path))?;
    let read = std::str::from_utf8(text).map_err(|e| format!("it is no text: {e}")).and_then(format.read);
    let (packages, unread) = read.map_or_else(|why| (Vec::new(), Some(why)), |packages| (packages, None));
    Some(Manifest { path: path.to_owned(), is_lock: format.is_lock, packages, unread })
}

/// What lock files choose, by the folder they are in.
struct Locked<'m>(BTreeMap<(&'m str, Ecosystem, &'m str), BTreeSet<Option<&'m str>>>);

impl<'m> Locked<'m> {
    fn of(manifests: &'m [Manifest]) -> Self {
        let locks = manifests.iter().filter(|manifest| manifest.is_lock);
        let mut chosen: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
        for lock in locks {
            for package in &lock.packages {
                let named = (folder(&lock.path), package.ecosystem, package.name.as_str());
                chosen.entry(named).or_default().insert(package.version.as_deref());
            }
        }
        Self(chosen)
    }

    /// Whether a lock in the manifest's folder, or in one above it as in workspaces, chooses the package, in the version that the
    /// manifest names if it names one.
    fn has(&self, path: &str, package: &Dependency) -> bool {
        let mut folder = folder(path);
        loop {
            let chosen = self.0.get(&(folder, package.ecosystem, package.name.as_str()));
            if chosen
                .is_some_and(|versions| package.version.is_none() || versions.contains(&package.version.as_deref()))
            {
                return true;
            }
            if folder.is_empty() {
                return false;
            }
            folder = self::folder(folder);
        }
    }
}

/// The commit an address ends with, which is a digest of all its files; the name of a branch is none.
fn commit(address: &str) -> Option<String> {
    let (_, commit) = address.strip_prefix("git+")?.rsplit_once('#')?;
    let is_digest = [40, 64].contains(&commit.len()) && commit.bytes().all(|b| b.is_ascii_hexdigit());
    is_digest.then(|| commit.to_owned())
}

fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

fn file_name(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

#[cfg(test)]
mod tests;
