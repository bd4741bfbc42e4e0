//! An OCI artifact in a layout on disk (OCI image specification 1.1, "image layout"): a manifest of which each layer is one file of a
//! policy with its name as an annotation, as conftest and oras push them, or an archive of such files, as OPA's bundles are.

use std::io;
use std::path::Path;

use flate2::read::MultiGzDecoder;
use model::Digest;
use serde::de::DeserializeOwned;

use super::{MOST_ALL, MOST_FILES, Taken, archive, counts};
use crate::input;
use crate::oci::{Index, Manifest};

/// Bytes of an index or manifest at most.
const MOST_DOCUMENT: u64 = 4 << 20;
/// The annotation with the name of a file.
const TITLE: &str = "org.opencontainers.image.title";

/// Reads the files of the artifact with a digest, or of the only one, and says by which digest it goes.
pub(super) fn artifact(layout: &Path, pinned: Option<Digest>, taken: &mut Taken) -> io::Result<Digest> {
    let index: Index = read(&input::read(&layout.join("index.json"), MOST_DOCUMENT)?)?;
    let digest = match index.manifests.as_slice() {
        [only] => only.digest,
        several => {
            let wanted = several.iter().map(|one| one.digest).find(|digest| Some(*digest) == pinned);
            wanted
                .ok_or_else(|| io::Error::other("it has several artifacts, and none with the digest that was named"))?
        }
    };
    let manifest: Manifest = read(&blob(layout, digest, MOST_DOCUMENT)?)?;
    if manifest.layers.len() > MOST_FILES {
        return Err(io::Error::other(format!("it has more than {MOST_FILES} layers")));
    }
    for layer in manifest.layers {
        let title = layer.annotations.get(TITLE).map_or("", String::as_str);
        if counts(title) {
            taken.add(title.to_owned(), blob(layout, layer.digest, MOST_ALL)?.as_slice())?;
        } else if layer.media_type.ends_with("tar+gzip") {
            archive(MultiGzDecoder::new(blob(layout, layer.digest, MOST_ALL)?.as_slice()), taken)?;
        } else if layer.media_type.ends_with("tar") {
            archive(blob(layout, layer.digest, MOST_ALL)?.as_slice(), taken)?;
        } else if !layer.media_type.contains(".data.layer.") {
            let kind = layer.media_type;
            return Err(io::Error::other(format!("its layer `{title}` of type {kind} cannot be read as a policy")));
        }
    }
    Ok(digest)
}

/// What has a digest, and is really that.
fn blob(layout: &Path, digest: Digest, most: u64) -> io::Result<Vec<u8>> {
    let hex = digest.to_string();
    let bytes = input::read(&layout.join("blobs/sha256").join(hex.trim_start_matches("sha256:")), most)?;
    if Digest::of(&bytes) == digest {
        return Ok(bytes);
    }
    Err(io::Error::other(format!("the blob {digest} is not what its digest says")))
}

fn read<T: DeserializeOwned>(bytes: &[u8]) -> io::Result<T> {
    serde_json::from_slice(bytes).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// A layout with a manifest of these layers: media type, title, bytes.
    fn layout(dir: &Path, layers: &[(&str, &str, &[u8])]) -> Digest {
        let blobs = dir.join("blobs/sha256");
        std::fs::create_dir_all(&blobs).unwrap();
        let put = |bytes: &[u8]| {
            let digest = Digest::of(bytes);
            std::fs::write(blobs.join(digest.to_string().trim_start_matches("sha256:")), bytes).unwrap();
            digest
        };
        let layer = |(kind, title, bytes): &(&str, &str, &[u8])| -> Value {
            json!({ "mediaType": kind, "digest": put(bytes), "size": bytes.len(), "annotations": { TITLE: title } })
        };
        let layers: Vec<Value> = layers.iter().map(layer).collect();
        let config = json!({ "digest": put(b"{}"), "size": 2 });
        let manifest = put(json!({ "schemaVersion": 2, "config": config, "layers": layers }).to_string().as_bytes());
        std::fs::write(dir.join("oci-layout"), "{\"imageLayoutVersion\": \"1.0.0\"}").unwrap();
        std::fs::write(dir.join("index.json"), index(&[manifest])).unwrap();
        manifest
    }

    fn index(manifests: &[Digest]) -> String {
        let one = |digest: &Digest| json!({ "digest": digest, "size": 1 });
        json!({ "schemaVersion": 2, "manifests": manifests.iter().map(one).collect::<Vec<_>>() }).to_string()
    }

    #[test]
    fn an_artifact_goes_by_the_digest_of_its_manifest_and_a_changed_blob_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let rego = "application/vnd.cncf.openpolicyagent.policy.layer.v1+rego";
        let data = "application/vnd.cncf.openpolicyagent.data.layer.v1+json";
        let manifest = layout(dir.path(), &[(rego, "a.rego", b"package a"), (data, "data.json", b"{}")]);
        let bundle = super::super::read(dir.path(), None).unwrap();
        assert_eq!(bundle.digest, manifest);
        assert_eq!(bundle.files.keys().collect::<Vec<_>>(), ["a.rego"]);

        let blob = Digest::of(b"package a").to_string();
        std::fs::write(dir.path().join("blobs/sha256").join(blob.trim_start_matches("sha256:")), "package b").unwrap();
        let refused = super::super::read(dir.path(), Some(manifest)).unwrap_err();
        assert!(refused.message.contains("is not what its digest says"), "{}", refused.message);
    }

    #[test]
    fn of_several_artifacts_the_pinned_one_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let one = layout(dir.path(), &[("", "one.rego", b"package one")]);
        let two = layout(dir.path(), &[("", "two.rego", b"package two")]);
        std::fs::write(dir.path().join("index.json"), index(&[one, two])).unwrap();
        assert_eq!(super::super::read(dir.path(), Some(two)).unwrap().files["two.rego"], b"package two");
        assert!(super::super::read(dir.path(), None).unwrap_err().message.contains("several artifacts"));
        assert!(super::super::read(dir.path(), Some(Digest::of(b""))).is_err());
    }

    #[test]
    fn a_layer_that_nobody_understands_is_refused_and_none_is_left_out() {
        let dir = tempfile::tempdir().unwrap();
        layout(dir.path(), &[("", "a.rego", b"package a"), ("application/vnd.oci.image.layer.v1.tar+zstd", "", b"x")]);
        assert!(super::super::read(dir.path(), None).unwrap_err().message.contains("cannot be read as a policy"));
    }

    #[test]
    fn an_artifact_may_be_an_archive() {
        let dir = tempfile::tempdir().unwrap();
        let mut builder = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_ustar();
        header.set_size(9);
        builder.append_data(&mut header, "inner/a.rego", b"package a".as_slice()).unwrap();
        layout(dir.path(), &[("application/vnd.oci.image.layer.v1.tar", "", &builder.into_inner().unwrap())]);
        let files = super::super::read(dir.path(), None).unwrap().files;
        assert_eq!(files.keys().collect::<Vec<_>>(), ["inner/a.rego"]);
    }
}
