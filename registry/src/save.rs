//! Images as an OCI layout in a folder (image specification 1.1, "OCI Image Layout").

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::path::Path;

use files::oci::{CONTAINERD_NAME, REF_NAME};
use model::{Digest, Finding, Reference, canonical_json, codes};
use serde_json::json;

use crate::client::Client;
use crate::legacy::Beside;
use crate::manifest::{Descriptor, INDEX};
use crate::pull::Document;
use crate::push::Source;

/// Bytes of all images together.
const LARGEST: u64 = 64 << 30;
/// Bytes of a configuration.
const LARGEST_CONFIG: u64 = 4 << 20;
/// Manifests, configurations and layers together.
const MOST: usize = 65_536;
/// How deep indexes may lie in indexes.
const DEEPEST: usize = 4;

/// What is saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted<'w> {
    /// Images, and the layers of one architecture alone where one is named.
    Images(Option<&'w str>),
    /// Images, and what is said of them.
    All,
}

/// An image that is saved.
#[derive(Clone, Debug)]
pub struct Top {
    document: Document,
    annotations: BTreeMap<String, String>,
}

impl Top {
    /// The image a reference names now; a tag is asked for once, from then on only the digest counts.
    ///
    /// # Errors
    /// `REFERENCE_INVALID`, `REGISTRY_…`.
    pub async fn named(client: &Client, reference: &Reference) -> Result<Self, Finding> {
        let document = client.repository(reference)?.named(reference).await?;
        let mut annotations = BTreeMap::from([(CONTAINERD_NAME.to_owned(), reference.to_string())]);
        annotations.extend(reference.tag.clone().map(|tag| (REF_NAME.to_owned(), tag)));
        Ok(Self { document, annotations })
    }

    /// An image of a source, by what lists there say of it.
    ///
    /// # Errors
    /// What is wrong with the source.
    pub async fn listed(source: &Source<'_>, listed: &Descriptor) -> Result<Self, Finding> {
        let document = source.manifest(&listed.digest).await?;
        Ok(Self { document, annotations: listed.annotations.clone() })
    }

    /// Its index or manifest, as others point to it.
    pub fn descriptor(&self) -> Descriptor {
        let Document { media_type, bytes, .. } = &self.document;
        Descriptor { annotations: self.annotations.clone(), ..Descriptor::of(media_type, bytes) }
    }
}

/// Writes images into a folder, which becomes an OCI layout.
///
/// # Errors
/// `REGISTRY_…`; what is wrong with the source; `OUTPUT_IO` where the folder cannot be written.
pub async fn save(source: &Source<'_>, tops: &[Top], wanted: Wanted<'_>, folder: &Path) -> Result<(), Finding> {
    let blobs = folder.join("blobs/sha256");
    fs::create_dir_all(&blobs).map_err(|e| unwritable(&blobs, &e))?;
    let mut save = Save { source, wanted, folder, done: BTreeSet::new(), manifests: Vec::new(), bytes: 0 };
    let mut listed = Vec::new();
    for top in tops {
        save.manifest(top.document.clone(), 0, true).await?;
        listed.push(top.descriptor());
    }
    if wanted == Wanted::All {
        for subject in save.manifests.clone() {
            listed.extend(save.said(&subject).await?);
        }
    }
    let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": listed });
    save.write("index.json", &canonical_json(&index))?;
    save.write("oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#)
}

struct Save<'s> {
    source: &'s Source<'s>,
    wanted: Wanted<'s>,
    folder: &'s Path,
    done: BTreeSet<Digest>,
    /// Images and indexes, in the order in which they were found.
    manifests: Vec<Digest>,
    bytes: u64,
}

impl Save<'_> {
    /// A manifest or an index, and all that it leads to; layers only if they are wanted.
    async fn manifest(&mut self, document: Document, depth: usize, with_layers: bool) -> Result<(), Finding> {
        let named = document.parsed()?;
        if depth > DEEPEST {
            return Err(too_much(format!("indexes lie in {} more than {DEEPEST} deep", document.digest)));
        }
        self.keep(&document)?;
        self.manifests.push(document.digest);
        for inner in named.manifests {
            let is_wanted = match (self.wanted, &inner.platform) {
                (Wanted::Images(Some(wanted)), Some(platform)) => platform.architecture == wanted,
                _ => true,
            };
            if !self.done.contains(&inner.digest) {
                let inner = self.source.manifest(&inner.digest).await?;
                Box::pin(self.manifest(inner, depth + 1, is_wanted)).await?;
            }
        }
        if let Some(config) = &named.config {
            self.blob(config, LARGEST_CONFIG).await?;
        }
        for layer in named.layers.iter().filter(|_| with_layers) {
            self.blob(layer, LARGEST).await?;
        }
        Ok(())
    }

    /// What is said of a manifest, as lists have it.
    async fn said(&mut self, subject: &Digest) -> Result<Vec<Descriptor>, Finding> {
        let mut listed = self.source.referrers(subject).await?;
        for beside in [Beside::Signatures, Beside::Attestations] {
            if let Some(document) = self.source.beside(subject, beside).await? {
                let annotations = BTreeMap::from([(REF_NAME.to_owned(), beside.tag(subject))]);
                let Document { media_type, bytes, .. } = &document;
                listed.push(Descriptor { annotations, ..Descriptor::of(media_type, bytes) });
            }
        }
        for referrer in &listed {
            if !self.done.contains(&referrer.digest) {
                let document = self.source.manifest(&referrer.digest).await?;
                self.keep(&document)?;
                for blob in document.parsed()?.blobs() {
                    self.blob(blob, LARGEST).await?;
                }
            }
        }
        Ok(listed)
    }

    fn keep(&mut self, document: &Document) -> Result<(), Finding> {
        self.take_in(&document.digest, document.bytes.len() as u64)?;
        self.write(&format!("blobs/sha256/{}", document.digest.hex()), &document.bytes)
    }

    /// Whether something was not written yet; there is room for it then.
    fn take_in(&mut self, digest: &Digest, size: u64) -> Result<bool, Finding> {
        if !self.done.insert(*digest) {
            return Ok(false);
        }
        self.bytes = self.bytes.saturating_add(size);
        if self.done.len() > MOST || self.bytes > LARGEST {
            return Err(too_much(format!("it is more than {MOST} blobs, or than {LARGEST} bytes")));
        }
        Ok(true)
    }

    /// A blob, once.
    async fn blob(&mut self, wanted: &Descriptor, most: u64) -> Result<(), Finding> {
        if wanted.size > most {
            return Err(too_much(format!("{} has {} bytes, and {most} are enough", wanted.digest, wanted.size)));
        }
        if !self.take_in(&wanted.digest, wanted.size)? {
            return Ok(());
        }
        let path = self.folder.join("blobs/sha256").join(wanted.digest.hex());
        let failed = |e: io::Error| unwritable(&path, &e);
        let mut file = BufWriter::new(File::create(&path).map_err(failed)?);
        self.source.read(wanted, |piece| file.write_all(piece).map_err(failed)).await?;
        file.flush().map_err(failed)
    }

    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), Finding> {
        let path = self.folder.join(name);
        fs::write(&path, bytes).map_err(|e| unwritable(&path, &e))
    }
}

fn too_much(why: String) -> Finding {
    Finding::error(codes::ARCHIVE_UNKNOWN, "an image is not saved").because(why).help("make the image again")
}

fn unwritable(path: &Path, error: &io::Error) -> Finding {
    Finding::error(codes::OUTPUT_IO, format!("{} cannot be written: {error}", path.display()))
}
