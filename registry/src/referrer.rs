//! A document that refers to an image, as a manifest of its own (image specification 1.1, "Guidelines for Artifact Usage").

use std::collections::BTreeMap;

use model::{Digest, Finding, canonical_json};
use serde::Serialize;

use crate::content::Content;
use crate::legacy::Beside;
use crate::manifest::{Descriptor, EMPTY, MANIFEST};
use crate::push::Blobs;

/// What `EMPTY` is.
const NOTHING: &[u8] = b"{}";

/// Documents that refer to images, and all it takes to send them.
#[derive(Default)]
pub struct Referrers {
    /// Their manifests, as lists have them, by what they refer to.
    manifests: BTreeMap<Digest, Vec<Descriptor>>,
    blobs: BTreeMap<Digest, Content>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Manifest<'m> {
    schema_version: u32,
    media_type: &'m str,
    artifact_type: &'m str,
    config: Descriptor,
    layers: [Descriptor; 1],
    subject: &'m Descriptor,
    annotations: &'m BTreeMap<String, String>,
}

impl Referrers {
    /// Adds a document of a type. The same of the same image is the same manifest, whenever it is made.
    pub fn add(&mut self, subject: &Descriptor, kind: &str, document: Vec<u8>, annotations: BTreeMap<String, String>) {
        let subject = Descriptor { annotations: BTreeMap::new(), platform: None, ..subject.clone() };
        let manifest = canonical_json(&Manifest {
            schema_version: 2,
            media_type: MANIFEST,
            artifact_type: kind,
            config: Descriptor::of(EMPTY, NOTHING),
            layers: [Descriptor::of(kind, &document)],
            subject: &subject,
            annotations: &annotations,
        });
        let listed =
            Descriptor { artifact_type: Some(kind.to_owned()), annotations, ..Descriptor::of(MANIFEST, &manifest) };
        self.manifests.entry(subject.digest).or_default().push(listed);
        for bytes in [NOTHING.to_vec(), document, manifest] {
            self.blobs.insert(Digest::of(&bytes), bytes.into());
        }
    }

    /// Their manifests, as lists have them.
    pub fn manifests(&self) -> impl Iterator<Item = &Descriptor> {
        self.manifests.values().flatten()
    }

    /// Every blob by its digest, manifests among them.
    pub fn blobs(&self) -> impl Iterator<Item = (&Digest, &Content)> {
        self.blobs.iter()
    }
}

impl Blobs for Referrers {
    fn find(&self, digest: &Digest) -> Result<Option<Content>, Finding> {
        Ok(self.blobs.get(digest).cloned())
    }

    fn referrers(&self, subject: &Digest) -> Result<Vec<Descriptor>, Finding> {
        Ok(self.manifests.get(subject).cloned().unwrap_or_default())
    }

    fn beside(&self, _: &Digest, _: Beside) -> Result<Option<Digest>, Finding> {
        Ok(None)
    }
}
