//! Images of a registry as an OCI layout in a folder (image specification 1.1, "OCI Image Layout").

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::path::Path;

use model::{Digest, Finding, Reference, codes};
use serde_json::{Value, json};

use crate::client::Client;
use crate::manifest::{Descriptor, Manifest};
use crate::pull::Document;
use crate::repository::Repository;

/// Bytes of all images of a name together.
const LARGEST: u64 = 64 << 30;
/// Bytes of a configuration.
const LARGEST_CONFIG: u64 = 4 << 20;
/// Manifests, configurations and layers together.
const MOST: usize = 4096;
/// How deep indexes may lie in indexes.
const DEEPEST: usize = 4;

/// Writes the images a reference names into a folder, which becomes an OCI layout; the layers of one architecture alone, if one is
/// named. A tag is asked for once; from then on only digests count.
///
/// # Errors
/// `REFERENCE_INVALID`, `REGISTRY_…`; `OUTPUT_IO` where the folder cannot be written.
pub async fn download(
    client: &Client,
    reference: &Reference,
    architecture: Option<&str>,
    folder: &Path,
) -> Result<(), Finding> {
    let repository = client.repository(reference)?;
    let top = repository.named(reference).await?;
    let blobs = folder.join("blobs/sha256");
    fs::create_dir_all(&blobs).map_err(|e| unwritable(&blobs, &e))?;
    let mut download = Download { repository, architecture, folder, done: BTreeSet::new(), bytes: 0 };
    let top = download.manifest(top, 0, true).await?;
    let index = json!({
        "schemaVersion": 2,
        "manifests": [{
            "mediaType": top.media_type,
            "digest": top.digest,
            "size": top.bytes.len(),
            "annotations": { "org.opencontainers.image.ref.name": reference.tag, "io.containerd.image.name": reference.to_string() },
        }],
    });
    download.write("index.json", without_nulls(index).to_string().as_bytes())?;
    download.write("oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#)
}

/// An absent tag is no annotation.
fn without_nulls(mut index: Value) -> Value {
    if let Some(annotations) = index.pointer_mut("/manifests/0/annotations").and_then(Value::as_object_mut) {
        annotations.retain(|_, value| !value.is_null());
    }
    index
}

struct Download<'d> {
    repository: Repository<'d>,
    architecture: Option<&'d str>,
    folder: &'d Path,
    done: BTreeSet<Digest>,
    bytes: u64,
}

impl Download<'_> {
    /// A manifest or an index, and all that it leads to; layers only if they are wanted.
    async fn manifest(&mut self, mut document: Document, depth: usize, with_layers: bool) -> Result<Document, Finding> {
        let name = document.digest;
        let wrong = |why: String| {
            let message = format!("the manifest {name} of {} is none: {why}", self.repository);
            Finding::error(codes::REGISTRY_LIES, message).help("push it again")
        };
        let named: Manifest = serde_json::from_slice(&document.bytes).map_err(|e| wrong(e.to_string()))?;
        // What a document says of itself is under its digest; what the server says of it is not.
        if !named.media_type.is_empty() {
            document.media_type = named.media_type;
        }
        if depth > DEEPEST || self.done.len() > MOST {
            return Err(wrong("its indexes are nested too deeply or name too much".into()));
        }
        self.keep(&document)?;
        for inner in named.manifests {
            let is_wanted = match (self.architecture, &inner.platform) {
                (Some(wanted), Some(platform)) => platform.architecture == wanted,
                _ => true,
            };
            if !self.done.contains(&inner.digest) {
                let inner = self.repository.existing(&inner.digest.to_string()).await?;
                Box::pin(self.manifest(inner, depth + 1, is_wanted)).await?;
            }
        }
        if let Some(config) = &named.config {
            self.blob(config, LARGEST_CONFIG).await?;
        }
        for layer in named.layers.iter().filter(|_| with_layers) {
            self.blob(layer, LARGEST).await?;
        }
        Ok(document)
    }

    fn keep(&mut self, document: &Document) -> Result<(), Finding> {
        self.done.insert(document.digest);
        self.bytes += document.bytes.len() as u64;
        self.write(&format!("blobs/sha256/{}", document.digest.hex()), &document.bytes)
    }

    /// A blob, once.
    async fn blob(&mut self, wanted: &Descriptor, most: u64) -> Result<(), Finding> {
        if !self.done.insert(wanted.digest) {
            return Ok(());
        }
        let path = self.folder.join("blobs/sha256").join(wanted.digest.hex());
        let failed = |e: io::Error| unwritable(&path, &e);
        let mut file = BufWriter::new(File::create(&path).map_err(failed)?);
        let most = most.min(wanted.size).min(LARGEST.saturating_sub(self.bytes));
        let mut read = 0_u64;
        let write = |piece: &[u8]| {
            read += piece.len() as u64;
            file.write_all(piece).map_err(failed)
        };
        self.repository.read_blob(&wanted.digest, most, write).await?;
        file.flush().map_err(failed)?;
        // At most what was left.
        self.bytes += read;
        Ok(())
    }

    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), Finding> {
        let path = self.folder.join(name);
        fs::write(&path, bytes).map_err(|e| unwritable(&path, &e))
    }
}

fn unwritable(path: &Path, error: &io::Error) -> Finding {
    Finding::error(codes::OUTPUT_IO, format!("{} cannot be written: {error}", path.display()))
}
