use model::Digest;
use serde::Serialize;

use super::{Blob, Build, Made};

/// The digest of everything a build made and was made from.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Hashes<'b> {
    format: u32,
    name: &'b str,
    version: Option<&'b str>,
    index: Blob,
    images: Vec<ImageHashes<'b>>,
    archive: Archive<'b>,
    plan: Digest,
    lock: Digest,
    config: Digest,
}

#[derive(Serialize)]
struct ImageHashes<'b> {
    architecture: &'static str,
    manifest: Blob,
    config: Blob,
    layers: Vec<LayerHashes<'b>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LayerHashes<'b> {
    title: &'b str,
    digest: Digest,
    size: u64,
    diff_id: Digest,
}

#[derive(Serialize)]
struct Archive<'b> {
    name: &'b str,
    digest: Digest,
    size: u64,
}

/// The software hashes: of the image, its configurations, layers and archive, of the plan, the lock and the configuration. The
/// archive is a file with a name. JSON.
pub fn software_hashes(build: &Build<'_>, archive: (&str, Blob)) -> Vec<u8> {
    let (name, Blob { digest, size }) = archive;
    let hashes = Hashes {
        format: 1,
        name: build.name,
        version: build.version,
        index: build.index,
        images: build.images.iter().map(image).collect(),
        archive: Archive { name, digest, size },
        plan: build.plan.digest(),
        lock: build.lock_file,
        config: build.declared.documents.first().map_or_else(|| Digest::of(b""), |(_, digest)| *digest),
    };
    crate::json(&hashes)
}

fn image(made: &Made) -> ImageHashes<'_> {
    let layers = made.layers.iter().map(|layer| LayerHashes {
        title: &layer.title,
        digest: layer.packed.digest,
        size: layer.packed.size,
        diff_id: layer.diff_id,
    });
    ImageHashes {
        architecture: made.arch.name(),
        manifest: made.manifest,
        config: made.config,
        layers: layers.collect(),
    }
}
