//! Images that lie here, as what can be sent to registries.

use std::path::{Path, PathBuf};

use files::input;
use model::{Digest, Finding, codes};
use registry::{Beside, Content, Descriptor, Layout, Manifest, Named, Referrers};
use serde_json::Value;

use crate::project;

/// Bytes of a list of what is in a layout.
const LARGEST: u64 = 4 << 20;

/// Several layouts as one source, and what was signed about their images.
pub(crate) struct Layouts {
    layouts: Vec<Layout>,
    signed: Referrers,
}

impl Layouts {
    pub(crate) fn at(paths: &[PathBuf]) -> Result<Self, Finding> {
        let layouts = paths.iter().map(|path| {
            let layout = Layout::whole(path)?;
            if layout.images.is_empty() {
                return Err(broken(&format!("{} holds no image", path.display())));
            }
            Ok(layout)
        });
        Ok(Self { layouts: layouts.collect::<Result<_, Finding>>()?, signed: Referrers::default() })
    }

    pub(crate) fn with(self, signed: Referrers) -> Self {
        Self { signed, ..self }
    }

    pub(crate) fn images(&self) -> impl Iterator<Item = &Named> {
        self.layouts.iter().flat_map(|layout| &layout.images)
    }

    /// The images in an index.
    pub(crate) fn inside(&self, index: &Digest) -> Result<Vec<Descriptor>, Finding> {
        let mut layouts = self.layouts.iter();
        let layout = layouts.find(|layout| layout.images.iter().any(|image| image.digest == *index));
        layout.map_or(Ok(Vec::new()), |layout| Ok(parsed(&layout.document(index)?)?.manifests))
    }

    /// The images in an index, by their architectures.
    pub(crate) fn architectures(&self, index: &Digest) -> Result<Vec<(String, Digest)>, Finding> {
        let named = self.inside(index)?.into_iter().filter_map(|image| {
            let platform = image.platform.filter(|platform| platform.os != "unknown")?;
            let variant = platform.variant.map(|variant| format!("-{variant}")).unwrap_or_default();
            Some((format!("{}{variant}", platform.architecture), image.digest))
        });
        Ok(named.collect())
    }
}

impl registry::Blobs for Layouts {
    fn find(&self, digest: &Digest) -> Result<Option<Content>, Finding> {
        for layout in &self.layouts {
            if let Some(found) = layout.find(digest)? {
                return Ok(Some(found));
            }
        }
        self.signed.find(digest)
    }

    fn referrers(&self, subject: &Digest) -> Result<Vec<Descriptor>, Finding> {
        let mut all = self.signed.referrers(subject)?;
        for layout in &self.layouts {
            all.extend(layout.referrers(subject)?);
        }
        Ok(all)
    }

    fn beside(&self, subject: &Digest, beside: Beside) -> Result<Option<Digest>, Finding> {
        for layout in &self.layouts {
            if let Some(found) = layout.beside(subject, beside)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }
}

/// Adds what refers to an image to a layout in a folder; the list of what is there comes last.
pub(crate) fn add_referrers(folder: &Path, referrers: &Referrers) -> Result<(), Finding> {
    let unwritable =
        |e: std::io::Error| Finding::error(codes::OUTPUT_IO, format!("{} cannot be written: {e}", folder.display()));
    let name = folder.join("index.json");
    let text = input::read(&name, LARGEST).map_err(unwritable)?;
    let mut index: Value = serde_json::from_slice(&text).map_err(|e| broken(&format!("index.json is none: {e}")))?;
    let Some(listed) = index.get_mut("manifests").and_then(Value::as_array_mut) else {
        return Err(broken("index.json lists nothing"));
    };
    for (digest, content) in referrers.blobs() {
        let path = folder.join("blobs/sha256").join(digest.hex());
        if !path.exists() {
            project::write_whole(&path, &content.whole().map_err(unwritable)?)?;
        }
    }
    for manifest in referrers.manifests() {
        let digest = Value::String(manifest.digest.to_string());
        if !listed.iter().any(|there| there.get("digest") == Some(&digest)) {
            listed.push(serde_json::to_value(manifest).map_err(|e| broken(&e.to_string()))?);
        }
    }
    project::write_whole(&name, &model::canonical_json(&index))
}

fn parsed(bytes: &[u8]) -> Result<Manifest, Finding> {
    serde_json::from_slice(bytes).map_err(|e| broken(&format!("a manifest cannot be understood: {e}")))
}

fn broken(why: &str) -> Finding {
    Finding::error(codes::ARCHIVE_UNKNOWN, "this is no whole OCI layout").because(why)
}
