//! The suites of one architecture, looked at as one archive.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use inspect::debian::relation::{self, Dependency};
use inspect::debian::{Index, Package, version};
use model::config::Relation;
use model::{Arch, Digest};

use crate::Fetched;

/// What a name or a provided name leads to, kept once it was looked up.
type Cache<T> = RefCell<BTreeMap<String, Rc<[T]>>>;

/// Every index of one architecture.
pub(super) struct Archive<'a> {
    pub(super) arch: Arch,
    /// Packages whose place something compiled here takes.
    pub(super) built: &'a BTreeMap<String, Built>,
    indexes: Vec<(&'a str, &'a Index)>,
    versions: Cache<Listed>,
    providers: Cache<Provider>,
}

/// One version of a package.
#[derive(Clone)]
pub(super) struct Listed {
    /// The first suite that lists it.
    pub(super) suite: String,
    /// As listed there.
    pub(super) package: Package,
}

/// What stands in the place of a package.
#[derive(Clone, Debug)]
pub struct Built {
    /// The project it is compiled from.
    pub project: String,
    /// The version it counts as, in the archive's own way of writing.
    pub version: String,
}

impl Built {
    /// As a package that needs no other: what it needs, whoever compiles it asks for.
    fn listed(&self, name: &str) -> Listed {
        let none = String::new;
        let package = Package {
            name: name.to_owned(),
            version: self.version.clone(),
            architecture: none(),
            multi_arch: none(),
            pre_depends: none(),
            depends: none(),
            conflicts: none(),
            breaks: none(),
            provides: none(),
            filename: none(),
            size: 0,
            sha256: Digest::of(b""),
            source: None,
        };
        Listed { suite: none(), package }
    }
}

/// A package version that provides another name.
#[derive(Clone)]
pub(super) struct Provider {
    name: String,
    version: String,
    /// The version it provides the name in.
    provided: Option<String>,
}

impl<'a> Archive<'a> {
    pub(super) fn new(
        fetched: &'a Fetched,
        suites: &'a [String],
        arch: Arch,
        built: &'a BTreeMap<String, Built>,
    ) -> Self {
        let index = |suite: &'a String| Some((suite.as_str(), fetched.debian.get(&(suite.clone(), arch))?.as_ref()));
        let indexes = suites.iter().filter_map(index).collect();
        Self { arch, built, indexes, versions: Cache::default(), providers: Cache::default() }
    }

    /// Every version of a package, the newest first, each once.
    pub(super) fn versions(&self, name: &str) -> Rc<[Listed]> {
        cached(&self.versions, name, || {
            if let Some(built) = self.built.get(name) {
                return vec![built.listed(name)];
            }
            let listed = |(suite, index): &(&str, &Index)| {
                let suite = (*suite).to_owned();
                index.packages(name).into_iter().map(move |package| Listed { suite: suite.clone(), package })
            };
            let mut all: Vec<Listed> = self.indexes.iter().flat_map(listed).collect();
            all.sort_by(|a, b| newest_first(&a.package.version, &b.package.version)); // stable: suites stay in order
            all.dedup_by(|later, first| later.package.version == first.package.version);
            all
        })
    }

    pub(super) fn find(&self, name: &str, version: &str) -> Option<Listed> {
        self.versions(name).iter().find(|listed| listed.package.version == version).cloned()
    }

    /// The packages that may stand for a name, best first: the one that carries it, then those that provide it, by
    /// name; each with the versions that will do. Empty where nothing does.
    pub(super) fn answers(&self, name: &str, limit: Option<&(Relation, String)>) -> Vec<(String, BTreeSet<String>)> {
        let holds = |found: &str| limit.is_none_or(|(relation, bound)| version::satisfies(found, *relation, bound));
        let real = self.versions(name).iter().map(|l| l.package.version.clone()).filter(|v| holds(v)).collect();
        let mut provided: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for provider in self.providers(name).iter() {
            // Policy 7.5: a provided name without version answers only a dependency without one.
            if provider.provided.as_deref().map_or(limit.is_none(), holds) {
                provided.entry(provider.name.clone()).or_default().insert(provider.version.clone());
            }
        }
        let answers = std::iter::once((name.to_owned(), real)).chain(provided);
        answers.filter(|(_, versions)| !versions.is_empty()).collect()
    }

    /// Whether anything carries or provides a name.
    pub(super) fn knows(&self, name: &str) -> bool {
        !self.versions(name).is_empty() || !self.providers(name).is_empty()
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.indexes.iter().flat_map(|(_, index)| index.names())
    }

    fn providers(&self, name: &str) -> Rc<[Provider]> {
        cached(&self.providers, name, || {
            let of = |(_, index): &(&str, &Index)| index.providers(name);
            let found = self
                .indexes
                .iter()
                .flat_map(of)
                .filter(|(package, _)| package.name != name && !self.built.contains_key(&package.name));
            found.map(|(Package { name, version, .. }, provided)| Provider { name, version, provided }).collect()
        })
    }
}

fn cached<T: Clone>(cache: &Cache<T>, name: &str, look_up: impl FnOnce() -> Vec<T>) -> Rc<[T]> {
    if let Some(found) = cache.borrow().get(name) {
        return Rc::clone(found);
    }
    let found: Rc<[T]> = look_up().into();
    cache.borrow_mut().insert(name.to_owned(), Rc::clone(&found));
    found
}

/// The order versions are tried in; those that count as equal by their text.
pub(super) fn newest_first(a: &str, b: &str) -> std::cmp::Ordering {
    version::compare(b, a).then_with(|| b.cmp(a))
}

/// What a package needs: `Pre-Depends` and `Depends`. The error says which field cannot be read.
pub(super) fn needs(package: &Package) -> Result<Vec<Vec<Dependency>>, String> {
    both([("Pre-Depends", &package.pre_depends), ("Depends", &package.depends)])
}

/// What a package does not stand beside: `Conflicts` and `Breaks`.
pub(super) fn excludes(package: &Package) -> Result<Vec<Vec<Dependency>>, String> {
    both([("Conflicts", &package.conflicts), ("Breaks", &package.breaks)])
}

fn both(fields: [(&str, &String); 2]) -> Result<Vec<Vec<Dependency>>, String> {
    let mut all = Vec::new();
    for (field, text) in fields {
        all.extend(relation::parse(text).map_err(|problem| format!("its {field} field cannot be read: {problem}"))?);
    }
    Ok(all)
}
