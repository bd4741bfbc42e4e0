//! Language runtimes that are compiled here: which releases they are compiled from, and what stands in their place.

use std::collections::BTreeMap;

use model::lock::{Asker, Edge, Node, Origin, Root};
use model::{Finding, codes};
use stdlib::source::{self, Project, Release, Suite};

use crate::debian::Built;

/// A release and every release it is linked with, those that others need first.
#[derive(Clone, Debug)]
pub(crate) struct Chain(Vec<Link>);

/// One release of a chain.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    pub(crate) project: Project,
    pub(crate) release: Release,
}

impl Chain {
    /// The chain that ends in this release of a project.
    ///
    /// # Errors
    /// `STDLIB_UNREADABLE`.
    pub(crate) fn of(project: &Project, release: &Release) -> Result<Self, Finding> {
        let mut chain = Self(Vec::new());
        chain.take_in(project, release)?;
        Ok(chain)
    }

    fn take_in(&mut self, project: &Project, release: &Release) -> Result<(), Finding> {
        if self.0.iter().any(|known| known.project.name == project.name) {
            return Ok(());
        }
        for name in &project.recipe.needs {
            let needed = named(name)?;
            let of_suite = needed.releases.iter().find(|needed| needed.suite == release.suite);
            let of_suite = of_suite.ok_or_else(|| missing(&format!("release of {name} for {}", release.suite)))?;
            self.take_in(&needed, of_suite)?;
        }
        self.0.push(Link { project: project.clone(), release: release.clone() });
        Ok(())
    }

    /// Its links, those that others need first.
    pub(crate) fn links(&self) -> &[Link] {
        &self.0
    }

    /// The version of what it ends in.
    pub(crate) fn version(&self) -> &str {
        self.0.last().map_or("", |link| &link.release.version)
    }

    /// The Debian packages it stands in the place of.
    pub(crate) fn built(&self) -> BTreeMap<String, Built> {
        let of = |link: &Link| {
            let built = Built { project: link.project.name.clone(), version: link.release.debian_version().to_owned() };
            let names = link.suite().replaces.clone().into_iter();
            names.map(move |name| (name, built.clone()))
        };
        self.0.iter().flat_map(of).collect()
    }

    /// The Debian packages it needs when it runs.
    pub(crate) fn runtime(&self) -> impl Iterator<Item = &String> {
        self.0.iter().flat_map(|link| &link.suite().runtime)
    }

    /// The Debian packages its recipes need besides the language's toolchain.
    pub(crate) fn toolchain(&self) -> impl Iterator<Item = &String> {
        self.0.iter().flat_map(|link| &link.suite().toolchain)
    }

    /// What asks for it.
    pub(crate) fn root(&self) -> Option<Root> {
        self.0.last().map(|link| Root { by: Asker::Base, edge: link.edge() })
    }

    /// A node of the lock for each release, by id.
    pub(crate) fn nodes(&self) -> BTreeMap<String, Node> {
        self.0.iter().map(|link| (link.id(), self.node(link))).collect()
    }

    fn node(&self, link: &Link) -> Node {
        let Link { project, release } = link;
        let needed = self.0.iter().filter(|other| project.recipe.needs.contains(&other.project.name));
        let built = self.built();
        let libraries = link
            .suite()
            .runtime
            .iter()
            .filter(|library| !built.contains_key(*library))
            .map(|library| Edge { origin: Origin::Debian, name: library.clone(), requirement: library.clone() });
        let mut requires: Vec<Edge> = needed.map(Link::edge).chain(libraries).collect();
        requires.sort();
        Node {
            origin: Origin::Upstream,
            name: project.name.clone(),
            version: release.version.clone(),
            file: release.source.file.clone(),
            size: release.source.size,
            sha256: release.source.sha256,
            metadata: None,
            build: None,
            license: Some(project.licence.clone()),
            proof: release.proof(),
            requires,
            omits: Vec::new(),
        }
    }
}

impl Link {
    /// What is particular about its suite.
    pub(crate) fn suite(&self) -> &Suite {
        static NOTHING: Suite = Suite { toolchain: Vec::new(), runtime: Vec::new(), replaces: Vec::new() };
        self.project.recipe.suites.get(&self.release.suite).unwrap_or(&NOTHING)
    }

    /// The package URL of a release: `pkg:generic/NAME@VERSION`.
    pub(crate) fn id(&self) -> String {
        format!("pkg:generic/{}@{}", self.project.name, self.release.version)
    }

    fn edge(&self) -> Edge {
        let requirement = format!("{} {}", self.project.name, self.release.version);
        Edge { origin: Origin::Upstream, name: self.project.name.clone(), requirement }
    }
}

/// A project of the standard library.
///
/// # Errors
/// `STDLIB_UNREADABLE`, also where there is none of that name.
pub(crate) fn named(name: &str) -> Result<Project, Finding> {
    source::project(name).unwrap_or_else(|| Err(missing(&format!("project {name}"))))
}

fn missing(what: &str) -> Finding {
    Finding::error(codes::STDLIB_UNREADABLE, format!("the standard library has no {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn python(suite: &str) -> Chain {
        let project = named("cpython").unwrap();
        let release = project.releases.iter().find(|release| release.suite == suite).unwrap();
        Chain::of(&project, release).unwrap()
    }

    #[test]
    fn what_others_need_comes_first_and_each_once() {
        for suite in ["bookworm", "trixie"] {
            let chain = python(suite);
            let names: Vec<&str> = chain.links().iter().map(|link| link.project.name.as_str()).collect();
            assert_eq!(names.last(), Some(&"cpython"));
            for (at, link) in chain.links().iter().enumerate() {
                assert_eq!(link.release.suite, suite);
                assert!(link.project.recipe.needs.iter().all(|need| names[..at].contains(&need.as_str())), "{names:?}");
                assert_eq!(names.iter().filter(|name| **name == link.project.name).count(), 1);
            }
        }
    }

    #[test]
    fn a_node_needs_what_is_compiled_from_there_and_the_rest_from_debian() {
        let chain = python("trixie");
        let nodes = chain.nodes();
        let python = &nodes["pkg:generic/cpython@3.13.5"];
        let answers = |name: &str| python.requires.iter().find(|edge| edge.name == name).map(|edge| edge.origin);
        assert_eq!(answers("openssl"), Some(Origin::Upstream));
        assert_eq!(answers("libffi8"), Some(Origin::Debian));
        assert_eq!((answers("zlib1g"), answers("libssl3t64")), (None, None));
        assert!(python.requires.is_sorted());
        assert!(matches!(python.proof, model::lock::Proof::VerifiedBySignature { .. }));
    }

    #[test]
    fn a_replaced_package_counts_in_the_version_debian_would_give_it() {
        let built = python("trixie").built();
        assert_eq!(built["zlib1g"].project, "zlib");
        assert!(built["zlib1g"].version.starts_with("1:1.3"), "{:?}", built["zlib1g"]);
        assert!(built["libssl3t64"].version.starts_with("3.5."), "{:?}", built["libssl3t64"]);
        assert!(!built.contains_key("libc6"));
    }
}
