//! Images that lie here, in folders and archives (image specification 1.1, "OCI Image Layout").

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use files::oci::{CONTAINERD_NAME, REF_NAME};
use model::{Digest, Finding, Reference, codes, is_tag};
use serde::Deserialize;
use serde_json::Value;

use crate::content::Content;
use crate::legacy::Beside;
use crate::manifest::{Descriptor, Manifest};
use crate::push::Blobs;

/// Entries of `index.json`.
const MOST_ENTRIES: usize = 20_000;
/// Characters of what a parser says of a document, which has a text of it within.
const LONGEST_REASON: usize = 200;

/// What `index.json` lists; whoever plants an entry that is none breaks no other.
#[derive(Deserialize)]
struct Listing {
    #[serde(default)]
    manifests: Vec<Value>,
}

/// A layout.
pub struct Layout {
    blobs: files::archive::Blobs,
    /// The images.
    pub images: Vec<Named>,
    /// What it lists and nobody can read.
    pub broken: Vec<Finding>,
    referrers: BTreeMap<Digest, Vec<Descriptor>>,
    /// What lies beside an image as cosign kept it before version 3.
    beside: BTreeMap<(Digest, Beside), Digest>,
}

/// An image of a layout.
#[derive(Clone, Debug)]
pub struct Named {
    /// Its index or manifest.
    pub digest: Digest,
    /// The same, as the layout lists it.
    pub descriptor: Descriptor,
    /// What it is called, without registry.
    pub name: Option<String>,
    /// Its tag.
    pub tag: Option<String>,
}

impl Layout {
    /// What docker reads of it, `manifest.json`.
    pub fn loadable(&self) -> Option<&[u8]> {
        self.blobs.loadable.as_deref()
    }

    /// What lists its images, `index.json`.
    pub fn listing(&self) -> &[u8] {
        &self.blobs.index
    }

    /// Opens a folder, or an archive.
    ///
    /// # Errors
    /// `INPUT_IO` where it cannot be read, `ARCHIVE_UNKNOWN` where it is no layout.
    pub fn at(path: &Path) -> Result<Self, Finding> {
        let blobs = files::archive::Blobs::at(path)?;
        let index: Listing = serde_json::from_slice(&blobs.index)
            .map_err(|e| broken(&format!("its index.json cannot be understood: {e}")))?;
        if index.manifests.len() > MOST_ENTRIES {
            return Err(broken(&format!("its index.json has more than {MOST_ENTRIES} entries")));
        }
        let (referrers, beside) = (BTreeMap::new(), BTreeMap::new());
        let mut layout = Self { blobs, images: Vec::new(), broken: Vec::new(), referrers, beside };
        let mut seen = BTreeSet::new();
        for entry in index.manifests {
            let descriptor = serde_json::from_value::<Descriptor>(entry);
            let taken = match descriptor {
                Err(e) => Err(broken(&format!("an entry of its index.json cannot be understood: {e}"))),
                // Several names for one thing are read once; it keeps the first.
                Ok(descriptor) if !seen.insert((descriptor.digest, descriptor.annotations.get(REF_NAME).cloned())) => {
                    Ok(())
                }
                Ok(descriptor) => layout.take_in(descriptor),
            };
            layout.broken.extend(taken.err());
        }
        Ok(layout)
    }

    /// The same, where everything that is listed can be read.
    ///
    /// # Errors
    /// Of [`Self::at`], and the first of what is broken.
    pub fn whole(path: &Path) -> Result<Self, Finding> {
        let mut layout = Self::at(path)?;
        if layout.broken.is_empty() { Ok(layout) } else { Err(layout.broken.swap_remove(0)) }
    }

    /// An image, or what refers to one.
    fn take_in(&mut self, mut descriptor: Descriptor) -> Result<(), Finding> {
        let manifest: Manifest = parsed(&self.document(&descriptor.digest)?)?;
        let annotation = |key: &str| descriptor.annotations.get(key).map(String::as_str);
        let beside = annotation(REF_NAME).and_then(Beside::of_tag);
        // Whoever asks for an image takes what has its name, or can be run, whatever it says of itself.
        let has_name = annotation(CONTAINERD_NAME).is_some() || annotation(REF_NAME).is_some() && beside.is_none();
        let is_image = has_name || manifest.can_run();
        if let Some(subject) = manifest.subject.filter(|_| !is_image) {
            let all = self.referrers.entry(subject.digest).or_default();
            if all.iter().any(|known| known.digest == descriptor.digest) {
                return Ok(());
            }
            descriptor.artifact_type = manifest.artifact_type.or(manifest.config.map(|config| config.media_type));
            descriptor.annotations = manifest.annotations;
            all.push(descriptor);
            return Ok(());
        }
        if let Some(beside) = beside.filter(|_| !is_image) {
            self.beside.insert(beside, descriptor.digest);
            return Ok(());
        }
        let whole = annotation(CONTAINERD_NAME).and_then(|name| name.parse::<Reference>().ok());
        let (name, tag) = whole.map_or((None, None), |whole| (Some(whole.repository), whole.tag));
        let tag = annotation(REF_NAME).filter(|tag| is_tag(tag)).map(str::to_owned).or(tag);
        let name = name.and_then(|name| name.rsplit('/').next().map(str::to_owned));
        self.images.push(Named { digest: descriptor.digest, name, tag, descriptor });
        Ok(())
    }

    /// A manifest's bytes; whoever sends them compares them with their name.
    ///
    /// # Errors
    /// `ARCHIVE_UNKNOWN` where they cannot be read.
    pub fn document(&self, digest: &Digest) -> Result<Vec<u8>, Finding> {
        let content = self.find(digest)?;
        let content = content.ok_or_else(|| broken(&format!("{digest} is not there")))?;
        content.whole().map_err(|e| broken(&format!("{digest} cannot be read: {e}")))
    }
}

impl Blobs for Layout {
    fn find(&self, digest: &Digest) -> Result<Option<Content>, Finding> {
        Ok(self.blobs.find(digest)?.map(|(file, at)| Content::File(file, at)))
    }

    fn referrers(&self, subject: &Digest) -> Result<Vec<Descriptor>, Finding> {
        Ok(self.referrers.get(subject).cloned().unwrap_or_default())
    }

    fn beside(&self, subject: &Digest, beside: Beside) -> Result<Option<Digest>, Finding> {
        Ok(self.beside.get(&(*subject, beside)).copied())
    }
}

fn parsed(bytes: &[u8]) -> Result<Manifest, Finding> {
    serde_json::from_slice(bytes).map_err(|e| {
        let why: String = e.to_string().chars().take(LONGEST_REASON).collect();
        broken(&format!("a manifest cannot be understood: {why}"))
    })
}

fn broken(why: &str) -> Finding {
    Finding::error(codes::ARCHIVE_UNKNOWN, "this is no whole OCI layout").because(why)
}
