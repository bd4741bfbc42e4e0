//! Finding what the verifier needs: in a registry, or in what lies here.

mod here;
mod there;

use std::path::{Path, PathBuf};

use model::{Digest, Finding, Reference, codes};
use tempfile::TempDir;
use verifier::{Depth, Evidence};

use crate::args::Machine;

pub(crate) use here::{Here, Which};
pub(crate) use there::There;

/// More rounds than any image takes.
const MOST_ROUNDS: usize = 32;

/// Where an image is.
pub(crate) enum Place {
    /// In a folder or an archive.
    Here(Box<Here>),
    /// In a registry.
    There(Box<There>),
}

/// An image with its layers.
pub(crate) enum Downloaded {
    There(PathBuf),
    Copy(TempDir),
}

impl Downloaded {
    pub(crate) fn path(&self) -> &Path {
        match self {
            Downloaded::There(path) => path,
            Downloaded::Copy(folder) => folder.path(),
        }
    }
}

impl Place {
    /// Finds an image: `oci:DIR`, `oci:DIR:TAG`, the path of what is there, else a name in a registry.
    pub(crate) fn of(machine: &Machine, name: &str) -> Result<Self, Finding> {
        // What is written like an image of a registry is one, whatever lies here under that name.
        let is_reference = name.parse::<Reference>().is_ok_and(|reference| reference.registry.is_some());
        let lies_here = |path: &str| name.starts_with("oci:") || !is_reference && Path::new(path).exists();
        let (path, which) = match name.rsplit_once('@') {
            Some((path, digest)) if lies_here(path) => {
                let digest: Digest = digest.parse().map_err(|_| {
                    Finding::error(codes::REFERENCE_INVALID, format!("`{}` ends in no digest", name.escape_debug()))
                })?;
                (path, Which::Digest(digest))
            }
            _ => (name, Which::Only),
        };
        if lies_here(path) {
            let path = path.strip_prefix("oci:").unwrap_or(path);
            let (path, which) = match path.rsplit_once(':') {
                Some((folder, tag)) if matches!(which, Which::Only) && !Path::new(path).exists() => {
                    (folder, Which::Tag(tag))
                }
                _ => (path, which),
            };
            return Here::at(Path::new(path), &which).map(|here| Place::Here(Box::new(here)));
        }
        if machine.offline {
            let message = format!("registries are not asked offline, and {} needs one", name.escape_debug());
            let help = "leave `--offline` out, or name a layout or an archive";
            return Err(Finding::error(codes::OFFLINE, message).help(help));
        }
        let wrong = |why: String| {
            Finding::error(codes::REFERENCE_INVALID, format!("`{}` {why}", name.escape_debug()))
                .help("name an image of a registry, `registry.example/team/app:1.2`, a layout, or an archive")
        };
        let reference: Reference = name.parse().map_err(|part| wrong(format!("names no image: {part} is wrong")))?;
        if reference.registry.is_none() {
            return Err(wrong("is nothing here, and names no registry".to_owned()));
        }
        There::at(machine, reference).map(|there| Place::There(Box::new(there)))
    }

    /// The digest that its name stood for.
    pub(crate) fn digest(&self) -> Digest {
        match self {
            Place::Here(here) => here.digest,
            Place::There(there) => there.digest(),
        }
    }

    /// What docker reads of an archive instead of its index.
    pub(crate) fn loadable(&self) -> Option<&[u8]> {
        match self {
            Place::Here(here) => here.loadable(),
            Place::There(_) => None,
        }
    }

    /// The image with its layers: where it lies, or a copy that is gone with the answer.
    pub(crate) fn downloaded(&self) -> Result<Downloaded, Finding> {
        match self {
            Place::Here(here) => Ok(Downloaded::There(here.path.clone())),
            Place::There(there) => there.download().map(Downloaded::Copy),
        }
    }

    /// What lists the images that lie here.
    pub(crate) fn listing(&self) -> Option<&[u8]> {
        match self {
            Place::Here(here) => Some(here.listing()),
            Place::There(_) => None,
        }
    }

    /// Finds what is needed until nothing is. What failed, and is no fault of the image, is in the answer.
    pub(crate) fn gather(&self, evidence: &mut Evidence) -> Vec<Finding> {
        let mut failed = Vec::new();
        for _ in 0..MOST_ROUNDS {
            let needs = evidence.needs();
            if needs.is_empty() {
                break;
            }
            let depth = evidence.depth;
            // Each is given when it is found, for only what it says is kept of most.
            let give = |found| evidence.give(found);
            match self {
                Place::Here(here) => here.answers(&needs, depth, give),
                Place::There(there) => there.answers(&needs, give, &mut failed),
            }
        }
        failed
    }

    /// What can be looked at without much ado: layers that lie here are hashed, those of registries whoever takes them hashes.
    pub(crate) fn depth(&self, manifests_only: bool) -> Depth {
        let is_here = matches!(self, Place::Here(_));
        Depth { layers: is_here && !manifests_only, unhashed: is_here && manifests_only, ..Depth::default() }
    }
}
