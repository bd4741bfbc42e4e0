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
type Read = Result<Contents, String>;

/// What a file says.
#[derive(Default)]
struct Contents {
    packages: Vec<Dependency>,
    /// What of it is not read, and why.
    unread: Vec<String>,
    /// It is a lock that does not say what is asked for directly.
    direct_unknown: bool,
}

impl Contents {
    /// Adds what one entry asks for, which is nothing if it is of the tree itself, or why that is not known.
    fn add(&mut self, asked: Result<Option<Dependency>, String>) {
        match asked {
            Ok(package) => self.packages.extend(package),
            Err(why) => self.unread.push(why),
        }
    }

    /// What is not read, in words. Of much only the beginning.
    fn unread(&self) -> Option<String> {
        let first = self.unread.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join("; ");
        match self.unread.len() {
            0 => None,
            1..=SHOWN => Some(first),
            all => Some(format!("{first}; and {} more", all - SHOWN)),
        }
    }
}

impl FromIterator<Dependency> for Contents {
    fn from_iter<I: IntoIterator<Item = Dependency>>(packages: I) -> Self {
        Self { packages: packages.into_iter().collect(), ..Self::default() }
    }
}

/// How many entries that are not read are shown, and how many characters of each.
const SHOWN: usize = 10;
const SHOWN_CHARS: usize = 100;

/// A format: its name as a file, whether it is that of a lock file, and who reads it.
struct Format {
    is: fn(&str) -> bool,
    is_lock: bool,
    read: fn(&str) -> Read,
}

const FORMATS: [Format; 19] = [
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
    Format { is: |name| name == "Pipfile", is_lock: false, read: python::pipfile },
    Format { is: |name| name == "Pipfile.lock", is_lock: true, read: python::pipfile_lock },
    Format {
        is: |name| matches!(name, "uv.lock" | "poetry.lock") || is_pylock(name),
        is_lock: true,
        read: python::lock,
    },
    Format { is: is_requirements, is_lock: false, read: python::requirements },
    Format { is: |name| name == "pnpm-lock.yaml", is_lock: true, read: |_| Err("locks of pnpm are not read".into()) },
    Format {
        is: |name| matches!(name, "bun.lock" | "bun.lockb"),
        is_lock: true,
        read: |_| Err("locks of bun are not read".into()),
    },
    Format { is: |name| name == "setup.cfg", is_lock: false, read: python::setup },
    Format { is: |name| name == "setup.py", is_lock: false, read: |_| Err("it is a program, and not run".into()) },
    Format { is: |name| name == "Gemfile", is_lock: false, read: |_| Err("it is a program: its lock is read".into()) },
];

fn is_requirements(name: &str) -> bool {
    name.strip_suffix(".txt").is_some_and(|stem| stem.contains("requirements") || stem == "constraints")
}

/// `pylock.toml` or `pylock.NAME.toml`.
fn is_pylock(name: &str) -> bool {
    name.starts_with("pylock.") && name.ends_with(".toml")
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
    let mut manifests: Vec<Manifest> = files.iter().filter_map(|(path, text)| manifest(path, text)).collect();
    learn_direct(&mut manifests);
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
                _ if is_locked || package.digest.is_some() => {}
                None => found.unpinned.push(unsettled(package.requirement.as_ref())),
                Some(version) => found.unverified.push(unsettled(Some(version))),
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
    // Editors of some systems begin a text with such a mark.
    let text = text.strip_prefix("\u{feff}".as_bytes()).unwrap_or(text);
    let read = std::str::from_utf8(text).map_err(|e| format!("it is no text: {e}")).and_then(format.read);
    let (contents, unread) = match read {
        Ok(contents) => {
            let unread = contents.unread();
            (contents, unread)
        }
        Err(why) => (Contents::default(), Some(why)),
    };
    let Contents { packages, direct_unknown, .. } = contents;
    Some(Manifest { path: path.to_owned(), is_lock: format.is_lock, packages, direct_unknown, unread })
}

/// Where a lock does not say what is asked for directly, the manifests in its folder do, and those below it that have no such lock
/// nearer to them.
fn learn_direct(manifests: &mut [Manifest]) {
    let place = |folder: &str, name: &str| (folder.to_owned(), name.to_owned());
    let lock_place = |lock: &Manifest| place(folder(&lock.path), manifest_of(file_name(&lock.path)));
    let locks: BTreeSet<_> = manifests.iter().filter(|manifest| manifest.is_lock).map(lock_place).collect();
    let mut asked: BTreeMap<_, BTreeSet<String>> = BTreeMap::new();
    for manifest in manifests.iter().filter(|manifest| !manifest.is_lock && manifest.unread.is_none()) {
        let mut places = folders(&manifest.path).map(|folder| place(folder, file_name(&manifest.path)));
        if let Some(lock) = places.find(|place| locks.contains(place)) {
            let direct = manifest.packages.iter().filter(|package| package.direct);
            asked.entry(lock).or_default().extend(direct.map(|package| package.name.clone()));
        }
    }
    for lock in manifests.iter_mut().filter(|manifest| manifest.direct_unknown) {
        if let Some(asked) = asked.get(&lock_place(lock)) {
            lock.packages.iter_mut().for_each(|package| package.direct = asked.contains(&package.name));
            lock.direct_unknown = false;
        }
    }
}

/// The manifest whose packages a lock chooses.
fn manifest_of(lock: &str) -> &'static str {
    match lock {
        "go.sum" => "go.mod",
        "Pipfile.lock" => "Pipfile",
        "npm-shrinkwrap.json" | "package-lock.json" | "yarn.lock" => "package.json",
        _ => "pyproject.toml",
    }
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
        folders(path).any(|folder| {
            let chosen = self.0.get(&(folder, package.ecosystem, package.name.as_str()));
            chosen.is_some_and(|versions| package.version.is_none() || versions.contains(&package.version.as_deref()))
        })
    }
}

/// The commit that the address of a repository ends with. Nobody holds a file against what its address ends with, but yarn and pip.
fn commit(address: &str) -> Option<String> {
    let is_git = ["git+", "git:", "github:"].iter().any(|kind| address.starts_with(kind));
    fragment(address).filter(|_| is_git)
}

/// The commit, or digest like one, that an address ends with.
fn fragment(address: &str) -> Option<String> {
    let (_, commit) = address.rsplit_once('#')?;
    is_commit(commit).then(|| commit.to_owned())
}

/// Whether it names a commit, which is a digest of all its files; the name of a branch is none.
fn is_commit(reference: &str) -> bool {
    [40, 64].contains(&reference.len()) && reference.bytes().all(|b| b.is_ascii_hexdigit())
}

/// Words of a file as they can be shown.
fn quoted(words: &str) -> String {
    let more = if words.chars().nth(SHOWN_CHARS).is_some() { "…" } else { "" };
    let shown: String = words.chars().take(SHOWN_CHARS).flat_map(char::escape_debug).collect();
    format!("`{shown}{more}`")
}

/// The folder a file is in, and those above it.
fn folders(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(folder(path)), |below| (!below.is_empty()).then(|| folder(below)))
}

fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

fn file_name(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

#[cfg(test)]
mod tests;
