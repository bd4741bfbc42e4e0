use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};
use std::path::Path;

use model::{Digest, Finding, codes};
use serde::de::DeserializeOwned;

use super::look::Summed;
use super::opened::Opened;
use super::summary::{ImageEntry, ImageSummary, LayerEntry};
use crate::oci::{self, Descriptor, Loadable};

/// Bytes of a document: an index, a manifest, a configuration.
const MAX_DOCUMENT: u64 = 4 << 20;
const MAX_IMAGES: usize = 256;
/// Layers of an image; no runtime starts one with as many.
const MAX_LAYERS: usize = 1000;
/// Indexes and manifests.
const MAX_DOCUMENTS: usize = 4096;
/// How deep indexes may lie in indexes.
const MAX_DEPTH: usize = 4;

/// Reads what an OCI layout (a directory) or an image archive (tar, plain or compressed) holds; every blob that a digest
/// names is compared with it.
///
/// # Errors
/// `INPUT_IO` where it cannot be read, `ARCHIVE_UNKNOWN` where it is no image or damaged.
pub fn inspect_archive(path: &Path) -> Result<ImageSummary, Finding> {
    let opened = Opened::at(path)?;
    let read = || {
        let summary = opened.summary()?;
        let layers: BTreeMap<&str, &LayerEntry> =
            summary.images.iter().flat_map(|image| &image.layers).map(|layer| (layer.file.as_str(), layer)).collect();
        // Where no digest is given there is nothing to compare with.
        layers.into_values().filter(|layer| layer.digest.is_some()).try_for_each(|layer| opened.verify(layer))?;
        Ok(summary)
    };
    read().map_err(|finding: Finding| finding.because(format!("the image is {}", path.display())))
}

pub(super) fn unknown(why: impl Into<String>) -> Finding {
    Finding::error(codes::ARCHIVE_UNKNOWN, format!("this is no image archive and no OCI layout: {}", why.into()))
        .help("Name an OCI layout directory (oci:DIR), or an archive that `clnstrt-cli build`, `docker save` or skopeo wrote.")
}

impl Opened {
    /// What it says it holds; documents that a digest names are compared with it, layers are not.
    pub(super) fn summary(&self) -> Result<ImageSummary, Finding> {
        match self.document("index.json")? {
            Some(index) => layout(self, &index),
            None => match self.document("manifest.json")? {
                Some(list) => loadable(self, &list),
                None => Err(unknown("it has neither index.json nor manifest.json")),
            },
        }
    }

    /// Those images alone that have these manifests.
    pub(super) fn summary_of(&self, manifests: &[Digest]) -> Result<ImageSummary, Finding> {
        let images = manifests.iter().filter_map(|manifest| self.image(manifest).transpose());
        Ok(ImageSummary { index: None, names: Vec::new(), images: images.collect::<Result<_, Finding>>()? })
    }

    /// The image of a manifest, if it is one.
    fn image(&self, manifest: &Digest) -> Result<Option<ImageEntry>, Finding> {
        let digest = manifest;
        let manifest: oci::Manifest = self.blob(digest)?;
        // signatures and attestations are manifests as well, with configurations of other kinds
        if !matches!(
            manifest.config.media_type.as_str(),
            oci::CONFIG | "application/vnd.docker.container.image.v1+json"
        ) {
            return Ok(None);
        }
        let configuration: oci::Configuration = self.blob(&manifest.config.digest)?;
        bounded(manifest.layers.len())?;
        let layer = |layer: &Descriptor| (oci::path(&layer.digest), Some(layer.digest), layer.size);
        let layers = manifest.layers.iter().map(layer).collect();
        Ok(Some(entry(configuration, Some(*digest), manifest.config.digest, layers)))
    }

    /// A small file, if it is there.
    pub(super) fn document(&self, name: &str) -> Result<Option<Vec<u8>>, Finding> {
        let failed = |e: io::Error| unreadable(name, &e);
        let Some((content, size)) = self.open(name).map_err(failed)? else { return Ok(None) };
        let mut bytes = Vec::new();
        content.take(MAX_DOCUMENT + 1).read_to_end(&mut bytes).map_err(failed)?;
        if bytes.len() as u64 > MAX_DOCUMENT {
            return Err(unknown(format!("{name} has {size} bytes, too many for a document")));
        }
        Ok(Some(bytes))
    }

    /// Compares a layer, of whatever size, with its digest.
    fn verify(&self, layer: &LayerEntry) -> Result<(), Finding> {
        let mut content = Summed::new(self.layer(layer)?, false);
        io::copy(&mut content, &mut io::sink()).map_err(|e| unreadable(&layer.file, &e))?;
        compared(content, layer)
    }

    /// A layer's content, of as many bytes as the manifest says.
    pub(super) fn layer(&self, layer: &LayerEntry) -> Result<Box<dyn Read + Send + '_>, Finding> {
        let LayerEntry { file, size, .. } = layer;
        match self.open(file).map_err(|e| unreadable(file, &e))? {
            None => Err(unknown(format!("the layer {file} is not there"))),
            Some((_, found)) if found != *size => {
                Err(unknown(format!("the layer {file} has {found} bytes instead of {size}")))
            }
            Some((content, _)) => Ok(content),
        }
    }

    /// A document named by its digest, and verified.
    fn blob<T: DeserializeOwned>(&self, digest: &Digest) -> Result<T, Finding> {
        let bytes =
            self.document(&oci::path(digest))?.ok_or_else(|| unknown(format!("the blob {digest} is not there")))?;
        if Digest::of(&bytes) != *digest {
            return Err(damaged(digest));
        }
        parse(&bytes, &digest.to_string())
    }
}

pub(super) fn unreadable(name: &str, error: &io::Error) -> Finding {
    Finding::error(codes::INPUT_IO, format!("{name} cannot be read: {error}"))
}

pub(super) fn damaged(digest: &Digest) -> Finding {
    Finding::error(codes::ARCHIVE_UNKNOWN, format!("the blob {digest} is damaged: its bytes have another digest"))
        .help("Build or copy the image again.")
}

/// What was read of a layer to its end is what the manifest names.
pub(super) fn compared<R: Read>(content: Summed<R>, layer: &LayerEntry) -> Result<(), Finding> {
    let (found, _) = content.finish();
    layer.digest.filter(|wanted| *wanted != found).map_or(Ok(()), |wanted| Err(damaged(&wanted)))
}

fn parse<T: DeserializeOwned>(bytes: &[u8], name: &str) -> Result<T, Finding> {
    serde_json::from_slice(bytes).map_err(|e| unknown(format!("{name} cannot be understood: {e}")))
}

fn layout(files: &Opened, index: &[u8]) -> Result<ImageSummary, Finding> {
    let index: oci::Index = parse(index, "index.json")?;
    let top = match index.manifests.as_slice() {
        [only] => Some(only.digest),
        _ => None,
    };
    let mut images = Vec::new();
    let mut seen = BTreeSet::new();
    for descriptor in &index.manifests {
        collect(files, descriptor, 0, &mut seen, &mut images)?;
    }
    let name = |descriptor: &Descriptor| {
        [oci::CONTAINERD_NAME, oci::REF_NAME].iter().find_map(|key| descriptor.annotations.get(*key).cloned())
    };
    Ok(ImageSummary { index: top, names: index.manifests.iter().filter_map(name).collect(), images })
}

/// The images a descriptor leads to. What was seen before leads to nothing new.
fn collect(
    files: &Opened,
    descriptor: &Descriptor,
    depth: usize,
    seen: &mut BTreeSet<Digest>,
    images: &mut Vec<ImageEntry>,
) -> Result<(), Finding> {
    if depth > MAX_DEPTH || images.len() >= MAX_IMAGES || seen.len() >= MAX_DOCUMENTS {
        return Err(unknown("its indexes are nested too deeply or name too many images"));
    }
    // What says how an image was made is a manifest like that of an image.
    if descriptor.annotations.contains_key("vnd.docker.reference.type") || !seen.insert(descriptor.digest) {
        return Ok(());
    }
    match descriptor.media_type.as_str() {
        oci::INDEX | "application/vnd.docker.distribution.manifest.list.v2+json" => {
            let index: oci::Index = files.blob(&descriptor.digest)?;
            index.manifests.iter().try_for_each(|inner| collect(files, inner, depth + 1, seen, images))
        }
        oci::MANIFEST | "application/vnd.docker.distribution.manifest.v2+json" => {
            images.extend(files.image(&descriptor.digest)?);
            Ok(())
        }
        _ => Ok(()),
    }
}

fn bounded(layers: usize) -> Result<(), Finding> {
    if layers > MAX_LAYERS { Err(unknown(format!("an image has more than {MAX_LAYERS} layers"))) } else { Ok(()) }
}

fn loadable(files: &Opened, list: &[u8]) -> Result<ImageSummary, Finding> {
    let list: Vec<Loadable> = parse(list, "manifest.json")?;
    if list.len() > MAX_IMAGES {
        return Err(unknown(format!("manifest.json names more than {MAX_IMAGES} images")));
    }
    let mut images = Vec::new();
    for image in &list {
        if image.config.parse::<model::TreePath>().is_err()
            || image.layers.iter().any(|l| l.parse::<model::TreePath>().is_err())
        {
            return Err(unknown("manifest.json names files outside the archive"));
        }
        bounded(image.layers.len())?;
        let bytes = files.document(&image.config)?.ok_or_else(|| unknown(format!("{} is not there", image.config)))?;
        let configuration: oci::Configuration = parse(&bytes, &image.config)?;
        let layers = image.layers.iter().map(|layer| {
            let found = files.open(layer).map_err(|e| unreadable(layer, &e))?;
            Ok((layer.clone(), None, found.map_or(0, |(_, size)| size)))
        });
        let layers = layers.collect::<Result<_, Finding>>()?;
        images.push(entry(configuration, None, Digest::of(&bytes), layers));
    }
    let names = list.into_iter().flat_map(|image| image.repo_tags.unwrap_or_default()).collect();
    Ok(ImageSummary { index: None, names, images })
}

fn entry(
    configuration: oci::Configuration,
    manifest: Option<Digest>,
    config: Digest,
    layers: Vec<(String, Option<Digest>, u64)>,
) -> ImageEntry {
    let mut titles = configuration
        .history
        .into_iter()
        .filter(|history| !history.empty_layer)
        .map(|history| history.comment.filter(|c| !c.is_empty()).or(history.created_by).unwrap_or_default());
    let mut diff_ids = configuration.rootfs.diff_ids.into_iter();
    let layers = layers
        .into_iter()
        .map(|(file, digest, size)| {
            let (diff_id, title) = (diff_ids.next(), titles.next().unwrap_or_default());
            LayerEntry { file, digest, diff_id, size, title }
        })
        .collect();
    let execution = configuration.config;
    ImageEntry {
        arch: configuration.architecture,
        manifest,
        config,
        layers,
        created: configuration.created,
        labels: execution.labels.unwrap_or_default(),
        env: execution.env.unwrap_or_default(),
        entrypoint: execution.entrypoint.unwrap_or_default(),
        command: execution.cmd.unwrap_or_default(),
        user: execution.user,
        workdir: execution.working_dir,
        ports: execution.exposed_ports.unwrap_or_default().into_keys().collect(),
        other: execution.other.into_iter().chain([("os".to_owned(), configuration.os.into())]).collect(),
    }
}
