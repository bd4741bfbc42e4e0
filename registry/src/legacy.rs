//! Signatures and attestations under tags of their own, as cosign kept them before version 3: images whose layers are what was signed
//! (cosign, "Signature Specification").

use std::collections::BTreeMap;

use files::oci::CONFIG;
use model::{Digest, Finding, canonical_json, codes};
use net::{Failure, Kind};
use serde::Serialize;
use serde_json::json;

use crate::content::Content;
use crate::manifest::{Descriptor, MANIFEST};
use crate::pull::Document;
use crate::repository::Repository;
use crate::turn::Turn;

/// No time: images that are the same have the same digest.
const NEVER: &str = "0001-01-01T00:00:00Z";
/// Layers of such an image: cosign reads no more.
const MOST: usize = 1000;
/// How often a tag is written that others write at the same time.
const ATTEMPTS: usize = 8;

/// Which of the tags beside an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Beside {
    /// `sha256-….sig`.
    Signatures,
    /// `sha256-….att`.
    Attestations,
}

/// What is signed, and what is said of it there.
pub struct Layer {
    descriptor: Descriptor,
    content: Content,
}

impl Layer {
    /// Bytes of a type.
    pub fn new(media_type: &str, bytes: Vec<u8>, annotations: BTreeMap<String, String>) -> Self {
        let descriptor = Descriptor { annotations, ..Descriptor::of(media_type, &bytes) };
        Self { descriptor, content: bytes.into() }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Image {
    schema_version: u32,
    media_type: &'static str,
    config: Descriptor,
    layers: Vec<Descriptor>,
}

impl Beside {
    /// What it is called beside an image.
    pub(crate) fn tag(self, subject: &Digest) -> String {
        let ending = match self {
            Beside::Signatures => "sig",
            Beside::Attestations => "att",
        };
        format!("sha256-{}.{ending}", subject.hex())
    }

    /// Whether a tag is one of these, and beside which image.
    pub fn of_tag(tag: &str) -> Option<(Digest, Self)> {
        let (name, ending) = tag.split_once('.')?;
        let subject = name.replacen('-', ":", 1).parse().ok()?;
        match ending {
            "sig" => Some((subject, Beside::Signatures)),
            "att" => Some((subject, Beside::Attestations)),
            _ => None,
        }
    }
}

impl Repository<'_> {
    /// Adds to what lies under a tag beside an image.
    ///
    /// # Errors
    /// `REGISTRY_…`.
    pub async fn add_beside(&self, subject: &Digest, beside: Beside, layers: &[Layer]) -> Result<(), Finding> {
        let to = self.clone().writable();
        for Layer { descriptor, content } in layers {
            to.put_blob(&descriptor.digest, async || Ok(content.clone()), None).await?;
        }
        let descriptors: Vec<Descriptor> = layers.iter().map(|layer| layer.descriptor.clone()).collect();
        to.list_beside(subject, beside, &descriptors).await
    }

    /// What lies under a tag beside an image; `None` if there is no such tag.
    ///
    /// # Errors
    /// `REGISTRY_…`; `REGISTRY_LIES` where something else lies there.
    pub async fn beside(&self, subject: &Digest, beside: Beside) -> Result<Option<Document>, Finding> {
        let tag = beside.tag(subject);
        match self.manifest(&tag).await? {
            None => Ok(None),
            Some(document) if document.media_type == MANIFEST => Ok(Some(document)),
            Some(document) => {
                let message =
                    format!("{self}:{tag} is {}, and no list of signatures", document.media_type.escape_debug());
                Err(Finding::error(codes::REGISTRY_LIES, message).help("see who wrote it, and remove it"))
            }
        }
    }

    /// Adds layers that are there to what lies under a tag beside an image, as to a list of who refers to it.
    pub(crate) async fn list_beside(
        &self,
        subject: &Digest,
        beside: Beside,
        layers: &[Descriptor],
    ) -> Result<(), Finding> {
        if layers.is_empty() {
            return Ok(());
        }
        let tag = beside.tag(subject);
        let _turn = Turn::at(&self.to_string()).await;
        for attempt in 0..=ATTEMPTS {
            let there = self.beside(subject, beside).await?;
            let mut all = there.map_or(Ok(Vec::new()), |there| there.parsed().map(|there| there.layers))?;
            let before = all.len();
            let new = layers.iter().filter(|layer| !all.contains(layer)).cloned().collect::<Vec<_>>();
            all.extend(new);
            if all.len() == before {
                return Ok(());
            }
            if all.len() > MOST {
                let message = format!("{self}:{tag} has {before} signatures, and nobody reads more than {MOST}");
                return Err(Finding::error(codes::REGISTRY_LIES, message).help("see who wrote them, and remove it"));
            }
            if attempt == ATTEMPTS {
                break;
            }
            let config = config(&all);
            let described = Descriptor::of(CONFIG, &config);
            let content = Content::from(config);
            self.put_blob(&described.digest, async || Ok(content.clone()), None).await?;
            let image = Image { schema_version: 2, media_type: MANIFEST, config: described, layers: all };
            let bytes = canonical_json(&image);
            let document = Document { media_type: MANIFEST.to_owned(), digest: Digest::of(&bytes), bytes };
            self.put_manifest(&tag, &document).await?;
        }
        let failure = Failure::lasting(Kind::Network, "others write to it at the same time");
        Err(self.finding(&format!("writing {tag} in"), failure))
    }
}

fn config(layers: &[Descriptor]) -> Vec<u8> {
    let layer_ids: Vec<&Digest> = layers.iter().map(|layer| &layer.digest).collect();
    let history = vec![json!({ "created": NEVER }); layers.len()];
    canonical_json(&json!({
        "architecture": "",
        "config": {},
        "created": NEVER,
        "history": history,
        "os": "",
        "rootfs": { "type": "layers", "diff_ids": layer_ids },
    }))
}
