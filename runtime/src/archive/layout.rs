//! What is in an image archive, in which order.

use std::collections::BTreeMap;

use files::oci::{self, Descriptor, Loadable};
use model::{Arch, canonical_json};

use crate::execute::{Image, Object};

/// What the version file of a layout says.
pub(super) const VERSION: &[u8] = br#"{"imageLayoutVersion":"1.0.0"}"#;

/// A member of the archive.
pub(super) enum Member {
    Dir(&'static str),
    Document(&'static str, Vec<u8>),
    Blob(Object),
}

/// The members of the archive of an index: documents first, then every blob once, in order of digest.
pub(super) fn members(index: &Object, images: &[Image], name: &str, tag: &str, plain: Arch) -> Vec<Member> {
    let mut top = Descriptor::new(oci::INDEX, index.digest, index.size);
    // containerd and podman take the whole name from an annotation of their own; without it, it would be the tag
    top.annotations = BTreeMap::from([
        (oci::REF_NAME.to_owned(), tag.to_owned()),
        (oci::CONTAINERD_NAME.to_owned(), format!("localhost/{name}:{tag}")),
    ]);
    let top = oci::Index {
        schema_version: 2,
        media_type: oci::INDEX.into(),
        manifests: vec![top],
        annotations: BTreeMap::new(),
    };
    // an image that is alone needs no other name
    let plain = if let [only] = images { only.arch } else { plain };
    let loadable: Vec<Loadable> = images
        .iter()
        .map(|image| {
            let mut tags = vec![format!("{name}-{}:{tag}", image.arch)];
            tags.extend((image.arch == plain).then(|| format!("{name}:{tag}")));
            Loadable {
                config: oci::path(&image.config.digest),
                repo_tags: Some(tags),
                layers: image.layers.iter().map(|layer| oci::path(&layer.digest)).collect(),
            }
        })
        .collect();
    let mut blobs = BTreeMap::from([(index.digest, index.size)]);
    for image in images {
        blobs.extend([image.manifest, image.config].map(|object| (object.digest, object.size)));
        blobs.extend(image.layers.iter().map(|layer| (layer.digest, layer.size)));
    }
    let documents = [
        Member::Document("oci-layout", VERSION.to_vec()),
        Member::Document("index.json", canonical_json(&top)),
        Member::Document("manifest.json", canonical_json(&loadable)),
        Member::Dir("blobs/"),
        Member::Dir("blobs/sha256/"),
    ];
    let blobs = blobs.into_iter().map(|(digest, size)| Member::Blob(Object { digest, size }));
    documents.into_iter().chain(blobs).collect()
}
