//! Images that lie here, as what can be sent to registries.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use files::archive::Blobs;
use files::input;
use model::{Digest, Finding, Reference, codes, is_tag};
use registry::{Beside, Blobs as _, Content, Descriptor, Manifest, REF_NAME, Referrers, WHOLE_NAME};
use serde_json::Value;

use crate::project;

/// Bytes of a list of what is in a layout.
const LARGEST: u64 = 4 << 20;

/// A layout.
pub(crate) struct Layout {
    blobs: Blobs,
    /// The images.
    pub(crate) images: Vec<Named>,
    referrers: BTreeMap<Digest, Vec<Descriptor>>,
    /// What lies beside an image as cosign kept it before version 3.
    beside: BTreeMap<(Digest, Beside), Digest>,
}

/// An image of a layout.
#[derive(Clone, Debug)]
pub(crate) struct Named {
    /// Its index or manifest.
    pub(crate) digest: Digest,
    /// The same, as the layout lists it.
    pub(crate) descriptor: Descriptor,
    /// What it is called, without registry.
    pub(crate) name: Option<String>,
    /// Its tag.
    pub(crate) tag: Option<String>,
}

impl Layout {
    pub(crate) fn at(path: &Path) -> Result<Self, Finding> {
        let blobs = Blobs::at(path)?;
        let index: Manifest = parsed(&blobs.index)?;
        let mut layout = Self { blobs, images: Vec::new(), referrers: BTreeMap::new(), beside: BTreeMap::new() };
        for descriptor in index.manifests {
            layout.take_in(descriptor)?;
        }
        Ok(layout)
    }

    /// An image, or what refers to one.
    fn take_in(&mut self, mut descriptor: Descriptor) -> Result<(), Finding> {
        let manifest: Manifest = parsed(&self.document(&descriptor.digest)?)?;
        if let Some(subject) = manifest.subject {
            descriptor.artifact_type = manifest.artifact_type.or(manifest.config.map(|config| config.media_type));
            descriptor.annotations = manifest.annotations;
            self.referrers.entry(subject.digest).or_default().push(descriptor);
            return Ok(());
        }
        let annotation = |key: &str| descriptor.annotations.get(key).map(String::as_str);
        if let Some(beside) = annotation(REF_NAME).and_then(Beside::of_tag) {
            self.beside.insert(beside, descriptor.digest);
            return Ok(());
        }
        let whole = annotation(WHOLE_NAME).and_then(|name| name.parse::<Reference>().ok());
        let (name, tag) = whole.map_or((None, None), |whole| (Some(whole.repository), whole.tag));
        let tag = annotation(REF_NAME).filter(|tag| is_tag(tag)).map(str::to_owned).or(tag);
        let name = name.and_then(|name| name.rsplit('/').next().map(str::to_owned));
        self.images.push(Named { digest: descriptor.digest, name, tag, descriptor });
        Ok(())
    }

    /// A manifest's bytes; whoever sends them compares them with their name.
    pub(crate) fn document(&self, digest: &Digest) -> Result<Vec<u8>, Finding> {
        let content = self.find(digest)?;
        let content = content.ok_or_else(|| broken(&format!("{digest} is not there")))?;
        content.whole().map_err(|e| broken(&format!("{digest} cannot be read: {e}")))
    }
}

impl registry::Blobs for Layout {
    fn find(&self, digest: &Digest) -> Result<Option<Content>, Finding> {
        Ok(self.blobs.find(digest)?.map(|(file, at)| Content::File(file, at)))
    }

    fn referrers(&self, subject: &Digest) -> Result<Vec<Descriptor>, Finding> {
        Ok(self.referrers.get(subject).cloned().unwrap_or_default())
    }

    fn beside(&self, subject: &Digest, beside: Beside) -> Result<Option<Digest>, Finding> {
        Ok(self.beside.get(&(*subject, beside)).copied())
    }
}

/// Several layouts as one source, and what was signed about their images.
pub(crate) struct Layouts {
    layouts: Vec<Layout>,
    signed: Referrers,
}

impl Layouts {
    pub(crate) fn at(paths: &[PathBuf]) -> Result<Self, Finding> {
        let layouts = paths.iter().map(|path| {
            let layout = Layout::at(path)?;
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
