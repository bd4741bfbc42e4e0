//! What lies in the images of an archive or layout, whoever made it.

use std::collections::BTreeMap;
use std::io::{self, BufReader, Read, Seek as _, SeekFrom};
use std::num::NonZero;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::thread;

use data_encoding::HEXLOWER;
use inspect::archive::Limits;
use inspect::archive::layer::{self, Change};
use inspect::inventory::{Filesystem, Scanner};
use model::inventory::{Inventory, Item};
use model::{Digest, Entry, Finding, Hasher, Kind, TreePath};
use sha1::{Digest as _, Sha1};
use tempfile::SpooledTempFile;

use super::opened::Opened;
use super::read::{Hashing, unknown, unreadable};
use super::summary::{ImageEntry, ImageSummary, LayerEntry};

/// Bytes of a file that is looked into which are kept in memory; more of it goes to a temporary file.
const IN_MEMORY: usize = 4 << 20;
const CHUNK: usize = 128 << 10;

/// The images of an archive, and what lies in each.
pub struct Images {
    opened: Opened,
    /// The images.
    pub summary: ImageSummary,
}

impl Images {
    /// Reads what an OCI layout (a directory) or an image archive says it holds.
    ///
    /// # Errors
    /// `INPUT_IO` where it cannot be read, `ARCHIVE_UNKNOWN` where it is no image or a document in it is damaged.
    pub fn at(path: &Path) -> Result<Self, Finding> {
        let opened = Opened::at(path)?;
        let summary = opened.summary()?;
        Ok(Self { opened, summary })
    }

    /// Reads every layer of some of the images, and says what lies in each image. A file's SHA-1 is there if it is wanted.
    ///
    /// # Errors
    /// `INPUT_IO`, `ARCHIVE_UNKNOWN` where a layer is damaged, and what is wrong with what is in it.
    pub fn inventories(&self, images: &[&ImageEntry], with_sha1: bool) -> Result<Vec<Inventory>, Finding> {
        // A layer that several images have is read once; the largest first, so that all processors have work to the end.
        let wanted: BTreeMap<&str, &LayerEntry> =
            images.iter().flat_map(|image| &image.layers).map(|layer| (layer.file.as_str(), layer)).collect();
        let mut left: Vec<&LayerEntry> = wanted.into_values().collect();
        left.sort_by_key(|layer| layer.size);
        let threads = thread::available_parallelism().map_or(1, NonZero::get).min(left.len());
        let left = Mutex::new(left);
        let next = || left.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let work = || {
            let mut read = Vec::new();
            while let Some(layer) = next() {
                read.push((layer.file.as_str(), self.layer_of(layer, with_sha1)));
            }
            read
        };
        let read: Vec<(&str, Result<Layer, Finding>)> = thread::scope(|scope| {
            let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
            workers.into_iter().flat_map(|worker| worker.join().unwrap_or_default()).collect()
        });
        let read: BTreeMap<&str, Result<Layer, Finding>> = read.into_iter().collect();
        images.iter().map(|image| inventory(image, &read)).collect()
    }

    fn layer_of(&self, layer: &LayerEntry, with_sha1: bool) -> Result<Layer, Finding> {
        let (content, size) = self.opened.layer(layer)?;
        let mut content = Hashing::new(content);
        let read = Layer::read(&mut content, size, with_sha1);
        let rest = io::copy(&mut content, &mut io::sink());
        rest.map_err(|e| unreadable(&layer.file, &e))?;
        // A damaged layer is that first, whatever else is wrong with it.
        content.compared(layer)?;
        read.map_err(|finding| finding.because(format!("the layer is {}", layer.file)))
    }
}

/// What one layer holds.
struct Layer {
    changes: Vec<Change>,
    scanner: Scanner,
    /// By the digest of a content, its SHA-1.
    sums: BTreeMap<Digest, String>,
}

impl Layer {
    fn read(content: &mut dyn Read, size: u64, with_sha1: bool) -> Result<Self, Finding> {
        let mut read = Self { changes: Vec::new(), scanner: Scanner::default(), sums: BTreeMap::new() };
        let Self { changes, scanner, sums } = &mut read;
        let mut take = |path: &TreePath, size: u64, content: &mut dyn Read| {
            let (digest, sha1) = looked_at(scanner, path, size, content, with_sha1)?;
            sums.extend(sha1.map(|sha1| (digest, sha1)));
            Ok(digest)
        };
        let content = BufReader::with_capacity(CHUNK, content);
        layer::read(content, size, &Limits::default(), &mut take, &mut |change| changes.push(change))?;
        Ok(read)
    }
}

/// Shows a file of `size` bytes to a scanner, if that wants it; answers its digest, and its SHA-1 if that is wanted.
pub(super) fn looked_at(
    scanner: &mut Scanner,
    path: &TreePath,
    size: u64,
    content: &mut dyn Read,
    with_sha1: bool,
) -> io::Result<(Digest, Option<String>)> {
    let mut start = [0; 4];
    let filled = fill(content, &mut start)?;
    let start = start.get(..filled).unwrap_or_default();
    let mut content = Summed::new(start.chain(content), with_sha1);
    let entry = Entry::root(Kind::File { digest: Digest::of(b""), size }, 0);
    if Scanner::wants(path, &entry, start.try_into().ok()) {
        let mut spool = SpooledTempFile::new(IN_MEMORY);
        io::copy(&mut content, &mut spool)?;
        spool.seek(SeekFrom::Start(0))?;
        scanner.look(path, &mut spool)?;
    } else {
        io::copy(&mut content, &mut io::sink())?;
    }
    Ok(content.finish())
}

/// Reads until the buffer is full or there is no more; answers how much.
fn fill(content: &mut dyn Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match content.read(rest) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(filled)
}

/// What is read, and its digests.
pub(crate) struct Summed<R> {
    inner: R,
    sha256: Hasher,
    sha1: Option<Sha1>,
}

impl<R: Read> Summed<R> {
    pub(crate) fn new(inner: R, with_sha1: bool) -> Self {
        Self { inner, sha256: Hasher::new(), sha1: with_sha1.then(Sha1::new) }
    }

    /// The digest of what was read, and its SHA-1 if that was wanted.
    pub(crate) fn finish(self) -> (Digest, Option<String>) {
        (self.sha256.finish(), self.sha1.map(|sha1| HEXLOWER.encode(&sha1.finalize())))
    }
}

impl<R: Read> Read for Summed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        let bytes = buffer.get(..read).unwrap_or_default();
        self.sha256.update(bytes);
        if let Some(sha1) = &mut self.sha1 {
            sha1.update(bytes);
        }
        Ok(read)
    }
}

fn inventory(image: &ImageEntry, layers: &BTreeMap<&str, Result<Layer, Finding>>) -> Result<Inventory, Finding> {
    let mut filesystem = Filesystem::default();
    let mut scanner = Scanner::default();
    let mut sums: BTreeMap<&Digest, &String> = BTreeMap::new();
    for (number, entry) in image.layers.iter().enumerate() {
        let layer = layers.get(entry.file.as_str());
        let layer = layer.ok_or_else(|| unknown(format!("the layer {} was not read", entry.file)))?;
        let layer = layer.as_ref().map_err(Clone::clone)?;
        if number > 0 {
            filesystem.next_layer();
        }
        layer.changes.iter().for_each(|change| filesystem.apply(change.clone()));
        scanner.cover(&layer.changes, &layer.scanner);
        sums.extend(&layer.sums);
    }
    let (mut items, unread) = filesystem.finish();
    for Item { entry, sha1, .. } in &mut items {
        if let Kind::File { digest, .. } = &entry.node {
            *sha1 = sums.get(digest).map(|sum| (*sum).clone());
        }
    }
    Ok(scanner.inventory(&image.arch, (items, unread)))
}
