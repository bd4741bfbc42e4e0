//! What manifests, indexes and configurations say (image specification 1.1), as far as it is judged.

use model::text::short;
use model::{Digest, oci};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::bundle::BUNDLE;
use crate::evidence::LARGEST_STATEMENT;

/// Bytes of a manifest or an index; registries take no more.
pub const LARGEST: usize = 4 << 20;
/// Layers of a manifest; no engine starts an image of more.
const MOST_LAYERS: usize = 1000;
/// Manifests and indexes of an image.
pub(crate) const MOST_MANIFESTS: usize = 256;
/// Bytes of a signature in base64; one of RSA with 4096 bits has 684.
const LONGEST_SIGNATURE: usize = 4096;

/// What a layer is that has a signature of cosign before version 3.
pub(crate) const CLAIM: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
/// And a statement.
pub(crate) const ENVELOPE: &str = "application/vnd.dsse.envelope.v1+json";

/// What indexes and manifests say they are: those of OCI, and of docker (schema 2).
const INDEXES: [&str; 2] =
    ["application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json"];
const MANIFESTS: [&str; 2] =
    ["application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json"];

/// A pointer to bytes.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Descriptor {
    #[serde(default)]
    pub(crate) media_type: String,
    pub(crate) digest: Digest,
    pub(crate) size: u64,
    #[serde(default)]
    platform: Option<Platform>,
    #[serde(default)]
    pub(crate) annotations: Annotations,
}

/// What is looked at of what is noted of something.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Annotations {
    /// Where the signature of a layer stands (cosign, "Signature Specification").
    #[serde(default, rename = "dev.cosignproject.cosign/signature")]
    pub(crate) signature: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
struct Platform {
    architecture: String,
    os: String,
    #[serde(default)]
    variant: Option<String>,
}

/// A manifest or an index.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Manifest {
    #[serde(default)]
    schema_version: Option<u64>,
    #[serde(default)]
    media_type: String,
    #[serde(default)]
    pub(crate) manifests: Vec<Descriptor>,
    #[serde(default)]
    pub(crate) config: Option<Descriptor>,
    #[serde(default)]
    pub(crate) layers: Vec<Descriptor>,
}

/// The configuration of an image.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Config {
    pub(crate) architecture: String,
    pub(crate) os: String,
    #[serde(default)]
    pub(crate) config: Option<Map<String, Value>>,
    pub(crate) rootfs: RootFs,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct RootFs {
    pub(crate) diff_ids: Vec<Digest>,
}

impl Descriptor {
    /// `linux/arm64`, `linux/arm/v7`; empty where nothing is said.
    pub(crate) fn platform(&self) -> String {
        let Some(Platform { architecture, os, variant }) = &self.platform else { return String::new() };
        let variant = variant.iter().map(|variant| format!("/{variant}")).collect::<String>();
        format!("{os}/{architecture}{variant}")
    }

    /// Whether it is for no machine.
    pub(crate) fn is_for_nobody(&self) -> bool {
        self.platform.as_ref().is_some_and(|platform| platform.os == "unknown" && platform.architecture == "unknown")
    }
}

impl Manifest {
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, String> {
        if bytes.len() > LARGEST {
            return Err(format!("it has more than {LARGEST} bytes"));
        }
        oci::unambiguous(bytes)?;
        let mut manifest: Self = serde_json::from_slice(bytes).map_err(short)?;
        if let Some(version) = manifest.schema_version.filter(|version| *version != 2) {
            return Err(format!("it is of version {version}"));
        }
        let (is_index, is_image) = (!manifest.manifests.is_empty(), manifest.config.is_some());
        if is_index == is_image || is_index && !manifest.layers.is_empty() {
            return Err("it has to name images, or a configuration, and not both".to_owned());
        }
        // What it says it is decides how others read it.
        let kinds = if is_index { INDEXES } else { MANIFESTS };
        if !manifest.media_type.is_empty() && !kinds.contains(&manifest.media_type.as_str()) {
            return Err(format!("it says that it is {:?}", manifest.media_type));
        }
        if manifest.layers.len() > MOST_LAYERS {
            return Err(format!("it has more than {MOST_LAYERS} layers"));
        }
        if manifest.manifests.len() > MOST_MANIFESTS {
            return Err(format!("it names more than {MOST_MANIFESTS} manifests"));
        }
        for layer in &mut manifest.layers {
            layer.annotations.signature.take_if(|text| text.len() > LONGEST_SIGNATURE);
        }
        Ok(manifest)
    }
}

impl Config {
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, String> {
        oci::unambiguous(bytes)?;
        serde_json::from_slice(bytes).map_err(short)
    }

    /// `linux/arm64`
    pub(crate) fn platform(&self) -> String {
        format!("{}/{}", self.os, self.architecture)
    }

    /// A field of what says how the image is started.
    pub(crate) fn field(&self, name: &str) -> Option<&Value> {
        self.config.as_ref()?.get(name).filter(|value| !value.is_null())
    }
}

/// Whether something can be a statement or a signature. What a list says something is, registries get wrong.
pub(crate) fn is_statement(layer: &Descriptor) -> bool {
    let is_kind = [BUNDLE, CLAIM, ENVELOPE].contains(&layer.media_type.as_str())
        || layer.media_type.starts_with("application/vnd.dev.sigstore.bundle");
    is_kind && layer.size <= LARGEST_STATEMENT
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_signature_that_is_too_long_is_none() {
        let signature = |length: usize| {
            let described = json!({ "mediaType": CLAIM, "digest": Digest::of(b""), "size": 1, "annotations": { "dev.cosignproject.cosign/signature": "A".repeat(length) } });
            let manifest = json!({ "config": described, "layers": [described] });
            let manifest = Manifest::parse(manifest.to_string().as_bytes()).unwrap();
            manifest.layers[0].annotations.signature.as_ref().map(String::len)
        };
        assert_eq!((signature(LONGEST_SIGNATURE), signature(LONGEST_SIGNATURE + 1)), (Some(LONGEST_SIGNATURE), None));
    }
}
