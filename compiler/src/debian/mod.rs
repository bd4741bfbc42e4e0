//! Debian: which packages of which version stand in an image. A package brings what it pre-depends and depends on,
//! less what the reviewed list leaves out; never what it recommends.

mod archive;
mod check;
mod pins;
mod step;
mod universe;

use std::collections::BTreeMap;

use model::Arch;
use model::Span;
use model::config::SystemPackage;
use model::lock::Asker;

use crate::Fetched;
use archive::Archive;
pub use archive::Built;
pub(crate) use pins::requirement;
pub use step::step;

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Architectures of the image.
    pub arches: Vec<Arch>,
    /// Suites packages are taken from. Where several have the same version, the first counts as its origin.
    pub suites: Vec<String>,
    /// The packages asked for by name.
    pub roots: Vec<WantedRoot>,
    /// Packages in whose place something compiled here stands, by name.
    pub built: BTreeMap<String, Built>,
}

/// A package somebody asks for by name.
#[derive(Clone, Debug)]
pub struct WantedRoot {
    /// Who asks.
    pub by: Asker,
    /// What for.
    pub package: SystemPackage,
    /// Where that is written.
    pub span: Option<Span>,
}

/// Versions of a package that every architecture has, the newest first. Indexes that were not fetched count as empty.
pub fn versions_of(fetched: &Fetched, suites: &[String], arches: &[Arch], name: &str) -> Vec<String> {
    let none = BTreeMap::new();
    let archives: Vec<Archive<'_>> = arches.iter().map(|arch| Archive::new(fetched, suites, *arch, &none)).collect();
    let Some((first, others)) = archives.split_first() else { return Vec::new() };
    let everywhere = |version: &String| others.iter().all(|archive| archive.find(name, version).is_some());
    first.versions(name).iter().map(|listed| listed.package.version.clone()).filter(everywhere).collect()
}
