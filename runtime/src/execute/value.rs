use model::{Arch, Digest, digest_of};
use serde::{Deserialize, Serialize};

/// An object of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Object {
    /// Its digest.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
}

/// A gzip-compressed image layer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Layer {
    /// Digest of the compressed layer.
    pub digest: Digest,
    /// Size of the compressed layer in bytes.
    pub size: u64,
    /// Digest of the layer's tar archive.
    pub diff_id: Digest,
    /// What the layer is.
    pub title: String,
}

/// One architecture's image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Image {
    /// Architecture.
    pub arch: Arch,
    /// OCI image manifest.
    pub manifest: Object,
    /// OCI image configuration.
    pub config: Object,
    /// Layers, bottom first.
    pub layers: Vec<Layer>,
}

impl Image {
    /// Bytes of manifest, configuration and compressed layers.
    pub fn size(&self) -> u64 {
        self.manifest.size + self.config.size + self.layers.iter().map(|layer| layer.size).sum::<u64>()
    }
}

/// What a step made. The bytes are in the store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "value", rename_all = "lowercase")]
pub enum Value {
    /// A file.
    Blob(Object),
    /// A file tree.
    Tree {
        /// The canonical JSON of the [`model::Tree`].
        tree: Digest,
        /// Objects that hold its smaller contents; the larger ones are objects of their own.
        packs: Vec<Digest>,
    },
    /// A check passed.
    Nothing,
    /// A layer.
    Layer(Layer),
    /// An image.
    Image(Image),
    /// An OCI image index.
    Index {
        /// Its digest.
        digest: Digest,
        /// Its size in bytes.
        size: u64,
        /// The images, in the index's order.
        images: Vec<Image>,
    },
}

impl Value {
    /// The digest of the content, whichever packs it is kept in.
    pub(crate) fn content(&self) -> Digest {
        match self {
            Value::Blob(object) => object.digest,
            Value::Tree { tree, .. } => *tree,
            other => digest_of(other),
        }
    }
}
