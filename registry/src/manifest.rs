//! What manifests and indexes say (image specification 1.1).

use std::collections::BTreeMap;

use files::oci::CONFIG;
pub use files::oci::{INDEX, MANIFEST};
use model::Digest;
use serde::{Deserialize, Serialize};

/// The configuration of what needs none: `{}`.
pub const EMPTY: &str = "application/vnd.oci.empty.v1+json";

/// Configurations of images: OCI's, and docker's.
const IMAGES: [&str; 2] = [CONFIG, "application/vnd.docker.container.image.v1+json"];
/// What layers are that have signatures and statements.
const SIGNED: [&str; 2] = ["application/vnd.dev.cosign.simplesigning.v1+json", "application/vnd.dsse.envelope.v1+json"];

/// A pointer to bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// What they are.
    #[serde(default)]
    pub media_type: String,
    /// Their digest.
    pub digest: Digest,
    /// How many there are.
    pub size: u64,
    /// What the manifest there is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// For whom they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<Platform>,
    /// What else is said of them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// What runs an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Platform {
    /// As Go names it.
    #[serde(default)]
    pub architecture: String,
    /// As Go names it.
    #[serde(default)]
    pub os: String,
    /// Which processors of the architecture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
}

/// What a manifest or index leads to.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// What it says it is.
    #[serde(default)]
    pub media_type: String,
    /// What it is about, if it is no image.
    #[serde(default)]
    pub artifact_type: Option<String>,
    /// Of an index: what is in it.
    #[serde(default)]
    pub manifests: Vec<Descriptor>,
    /// An image's configuration.
    #[serde(default)]
    pub config: Option<Descriptor>,
    /// An image's layers.
    #[serde(default)]
    pub layers: Vec<Descriptor>,
    /// What it refers to.
    #[serde(default)]
    pub subject: Option<Descriptor>,
    /// What else is said of it.
    #[serde(default)]
    pub annotations: BTreeMap<String, String>,
}

impl Descriptor {
    /// A pointer to bytes of a type.
    pub fn of(media_type: &str, bytes: &[u8]) -> Self {
        Self {
            media_type: media_type.to_owned(),
            digest: Digest::of(bytes),
            size: bytes.len() as u64,
            artifact_type: None,
            platform: None,
            annotations: BTreeMap::new(),
        }
    }
}

impl Manifest {
    /// Whether an engine could run it: an index, or what has an image's configuration and is not cosign's (before version 3).
    pub(crate) fn can_run(&self) -> bool {
        let is_image = |config: &Descriptor| IMAGES.contains(&config.media_type.as_str());
        let is_signed = |layer: &Descriptor| SIGNED.contains(&layer.media_type.as_str());
        let is_cosigns = !self.layers.is_empty() && self.layers.iter().all(is_signed);
        !self.manifests.is_empty() || self.config.as_ref().is_some_and(is_image) && !is_cosigns
    }

    /// Everything that has to be there before it: configuration and layers, each once.
    pub(crate) fn blobs(&self) -> Vec<&Descriptor> {
        let mut blobs: Vec<&Descriptor> = self.config.iter().chain(&self.layers).collect();
        blobs.sort_by_key(|blob| blob.digest);
        blobs.dedup_by_key(|blob| blob.digest);
        blobs
    }
}
