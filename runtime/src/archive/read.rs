use std::collections::BTreeMap;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use inspect::archive::{ContentSink, Limits, tar};
use model::{Digest, Finding, Hasher, Kind, Tree, codes};
use serde::de::DeserializeOwned;

use super::layout::{self, Loadable};
use super::summary::{ImageEntry, ImageSummary, LayerEntry};
use crate::execute::oci::{self, Descriptor};
use crate::input;

/// Bytes of a document: an index, a manifest, a configuration.
const MAX_DOCUMENT: u64 = 4 << 20;
/// Bytes of all small files of an archive together.
const MAX_KEPT: usize = 64 << 20;
/// Bytes an archive may unpack to; large layers are what archives are full of.
pub(super) const MAX_BYTES: u64 = 64 << 30;
const MAX_IMAGES: usize = 256;
/// How deep indexes may lie in indexes.
const MAX_DEPTH: usize = 4;

/// Reads what an OCI layout (a directory) or an image archive (tar, plain or gzip or xz) holds; every blob that a digest
/// names is compared with it.
///
/// # Errors
/// `INPUT_IO` where it cannot be read, `ARCHIVE_UNKNOWN` where it is no image or damaged.
pub fn inspect_archive(path: &Path) -> Result<ImageSummary, Finding> {
    Opened::at(path)?.summary().map_err(|finding| finding.because(format!("the image is {}", path.display())))
}

pub(super) fn unknown(why: impl Into<String>) -> Finding {
    Finding::error(codes::ARCHIVE_UNKNOWN, format!("this is no image archive and no OCI layout: {}", why.into()))
        .help("Name an OCI layout directory (oci:DIR), or an archive that `clnstrt-cli build`, `docker save` or skopeo wrote.")
}

/// An archive or layout, its small files in memory.
pub(super) enum Opened {
    Directory(PathBuf),
    Archive { tree: Tree, documents: BTreeMap<Digest, Vec<u8>> },
}

impl Opened {
    pub(super) fn at(path: &Path) -> Result<Self, Finding> {
        let failed = |e: io::Error| Finding::error(codes::INPUT_IO, format!("{} cannot be read: {e}", path.display()));
        let metadata = std::fs::metadata(path).map_err(failed)?;
        if metadata.is_dir() {
            return Ok(Opened::Directory(path.to_owned()));
        }
        let file = input::open(path).map_err(failed)?;
        Self::archive(BufReader::with_capacity(1 << 17, file), metadata.len())
            .map_err(|finding| finding.because(format!("the image is {}", path.display())))
    }

    /// What it says it holds, compared with every digest it names.
    pub(super) fn summary(&self) -> Result<ImageSummary, Finding> {
        match self.document("index.json")? {
            Some(index) => layout(self, &index),
            None => match self.document("manifest.json")? {
                Some(list) => loadable(self, &list),
                None => Err(unknown("it has neither index.json nor manifest.json")),
            },
        }
    }

    fn archive(input: impl Read, size: u64) -> Result<Self, Finding> {
        let mut documents = Documents { kept: BTreeMap::new(), left: MAX_KEPT };
        let limits = Limits { bytes: MAX_BYTES, ..Limits::default() };
        let options = tar::Options { owners: false, merge_usr: false };
        let tree = tar::unpack(input, size, options, &limits, &mut documents)
            .map_err(|finding| finding.causes.into_iter().fold(unknown(finding.message), Finding::because))?;
        Ok(Opened::Archive { tree, documents: documents.kept })
    }

    /// A small file, if it is there.
    fn document(&self, name: &str) -> Result<Option<Vec<u8>>, Finding> {
        match self {
            Opened::Directory(dir) => {
                let path = dir.join(name);
                if !path.is_file() {
                    return Ok(None);
                }
                let failed =
                    |e: io::Error| Finding::error(codes::INPUT_IO, format!("{} cannot be read: {e}", path.display()));
                let mut bytes = Vec::new();
                input::open(&path).map_err(failed)?.take(MAX_DOCUMENT + 1).read_to_end(&mut bytes).map_err(failed)?;
                if bytes.len() as u64 > MAX_DOCUMENT {
                    return Err(unknown(format!("{name} has more than {MAX_DOCUMENT} bytes")));
                }
                Ok(Some(bytes))
            }
            Opened::Archive { tree, documents } => match file(tree, name) {
                None => Ok(None),
                Some((digest, size)) => match documents.get(&digest) {
                    Some(bytes) => Ok(Some(bytes.clone())),
                    None => Err(unknown(format!("{name} has {size} bytes, too many for a document"))),
                },
            },
        }
    }

    /// Compares a blob, of whatever size, with its digest.
    fn verify(&self, digest: &Digest) -> Result<(), Finding> {
        let name = layout::path(digest);
        let found = match self {
            Opened::Archive { tree, .. } => file(tree, &name).map(|(digest, _)| digest),
            Opened::Directory(dir) => {
                let path = dir.join(&name);
                let failed = |e| Finding::error(codes::INPUT_IO, format!("{} cannot be read: {e}", path.display()));
                if path.is_file() {
                    Some(hash(&mut input::open(&path).map_err(failed)?).map_err(failed)?.0)
                } else {
                    None
                }
            }
        };
        match found {
            Some(found) if found == *digest => Ok(()),
            Some(_) => Err(damaged(digest)),
            None => Err(unknown(format!("the blob {digest} is not there"))),
        }
    }

    fn size(&self, name: &str) -> Option<u64> {
        match self {
            Opened::Directory(dir) => std::fs::metadata(dir.join(name)).ok().filter(|m| m.is_file()).map(|m| m.len()),
            Opened::Archive { tree, .. } => file(tree, name).map(|(_, size)| size),
        }
    }

    /// A document named by its digest, and verified.
    fn blob<T: DeserializeOwned>(&self, digest: &Digest) -> Result<T, Finding> {
        let bytes =
            self.document(&layout::path(digest))?.ok_or_else(|| unknown(format!("the blob {digest} is not there")))?;
        if Digest::of(&bytes) != *digest {
            return Err(damaged(digest));
        }
        parse(&bytes, &digest.to_string())
    }
}

pub(super) fn damaged(digest: &Digest) -> Finding {
    Finding::error(codes::ARCHIVE_UNKNOWN, format!("the blob {digest} is damaged: its bytes have another digest"))
        .help("Build or copy the image again.")
}

/// Digest and size of what a reader gives.
fn hash(content: &mut dyn Read) -> io::Result<(Digest, u64)> {
    let (mut hasher, mut size, mut buffer) = (Hasher::new(), 0, vec![0; 1 << 17]);
    loop {
        match content.read(&mut buffer)? {
            0 => return Ok((hasher.finish(), size)),
            read => {
                hasher.update(buffer.get(..read).unwrap_or_default());
                size += read as u64;
            }
        }
    }
}

fn file(tree: &Tree, name: &str) -> Option<(Digest, u64)> {
    match tree.get(&name.parse().ok()?)?.node {
        Kind::File { digest, size } => Some((digest, size)),
        _ => None,
    }
}

fn parse<T: DeserializeOwned>(bytes: &[u8], name: &str) -> Result<T, Finding> {
    serde_json::from_slice(bytes).map_err(|e| unknown(format!("{name} cannot be understood: {e}")))
}

/// Keeps small contents; of larger ones, which are layers, digest and size count.
struct Documents {
    kept: BTreeMap<Digest, Vec<u8>>,
    left: usize,
}

impl ContentSink for Documents {
    fn store(&mut self, content: &mut dyn Read) -> io::Result<(Digest, u64)> {
        let limit = MAX_DOCUMENT.min(self.left as u64);
        let mut bytes = Vec::new();
        content.take(limit + 1).read_to_end(&mut bytes)?;
        let size = bytes.len() as u64;
        if size > limit {
            return hash(&mut bytes.as_slice().chain(content));
        }
        let digest = Digest::of(&bytes);
        self.left -= bytes.len();
        self.kept.insert(digest, bytes);
        Ok((digest, size))
    }
}

fn layout(files: &Opened, index: &[u8]) -> Result<ImageSummary, Finding> {
    let index: oci::Index = parse(index, "index.json")?;
    let top = match index.manifests.as_slice() {
        [only] => Some(only.digest),
        _ => None,
    };
    let mut images = Vec::new();
    for descriptor in &index.manifests {
        collect(files, descriptor, 0, &mut images)?;
    }
    let name = |descriptor: &Descriptor| {
        [oci::CONTAINERD_NAME, oci::REF_NAME].iter().find_map(|key| descriptor.annotations.get(*key).cloned())
    };
    Ok(ImageSummary { index: top, names: index.manifests.iter().filter_map(name).collect(), images })
}

fn collect(files: &Opened, descriptor: &Descriptor, depth: usize, images: &mut Vec<ImageEntry>) -> Result<(), Finding> {
    if depth > MAX_DEPTH || images.len() >= MAX_IMAGES {
        return Err(unknown("its indexes are nested too deeply or name too many images"));
    }
    match descriptor.media_type.as_str() {
        oci::INDEX | "application/vnd.docker.distribution.manifest.list.v2+json" => {
            let index: oci::Index = files.blob(&descriptor.digest)?;
            index.manifests.iter().try_for_each(|inner| collect(files, inner, depth + 1, images))
        }
        oci::MANIFEST | "application/vnd.docker.distribution.manifest.v2+json" => {
            let manifest: oci::Manifest = files.blob(&descriptor.digest)?;
            // signatures and attestations are manifests as well, with configurations of other kinds
            if !matches!(
                manifest.config.media_type.as_str(),
                oci::CONFIG | "application/vnd.docker.container.image.v1+json"
            ) {
                return Ok(());
            }
            let configuration: oci::Configuration = files.blob(&manifest.config.digest)?;
            manifest.layers.iter().try_for_each(|layer| files.verify(&layer.digest))?;
            let layer = |layer: &Descriptor| (layout::path(&layer.digest), Some(layer.digest), layer.size);
            let layers = manifest.layers.iter().map(layer).collect();
            images.push(entry(configuration, Some(descriptor.digest), manifest.config.digest, layers));
            Ok(())
        }
        _ => Ok(()),
    }
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
        let bytes = files.document(&image.config)?.ok_or_else(|| unknown(format!("{} is not there", image.config)))?;
        let configuration: oci::Configuration = parse(&bytes, &image.config)?;
        let layer = |layer: &String| (layer.clone(), None, files.size(layer).unwrap_or(0));
        let layers = image.layers.iter().map(layer).collect();
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
    let layers = layers
        .into_iter()
        .map(|(file, digest, size)| LayerEntry { file, digest, size, title: titles.next().unwrap_or_default() })
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
    }
}
