//! What lies in the images of an archive or layout, whoever made it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek as _, SeekFrom};
use std::path::Path;

use data_encoding::HEXLOWER;
use inspect::archive::Limits;
use inspect::archive::layer::{self, Change};
use inspect::inventory::{Filesystem, Scanner};
use model::inventory::{Inventory, Item};
use model::{Digest, Entry, Finding, Hasher, Kind, TreePath, codes};
use sha1::{Digest as _, Sha1};
use tempfile::SpooledTempFile;

use super::read::{self, MAX_BYTES, Opened, unknown};
use super::summary::{ImageEntry, ImageSummary};
use crate::input;

/// Bytes of a file that is looked into which are kept in memory; more of it goes to a temporary file.
const IN_MEMORY: usize = 4 << 20;
const CHUNK: usize = 128 << 10;

/// The images of an archive, each with what lies in it.
pub struct Contents {
    /// The images.
    pub summary: ImageSummary,
    /// Of each image, in their order.
    pub inventories: Vec<Inventory>,
}

/// Reads an OCI layout (a directory) or an image archive, and every layer in it.
///
/// # Errors
/// `INPUT_IO` where it cannot be read, `ARCHIVE_UNKNOWN` where it is no image or damaged, and what is wrong with a layer.
pub fn contents(path: &Path) -> Result<Contents, Finding> {
    let opened = Opened::at(path)?;
    let summary = opened.summary()?;
    // A layer that several images have is read once.
    let wanted: BTreeMap<String, Option<Digest>> =
        summary.images.iter().flat_map(|image| &image.layers).map(|layer| (layer.file.clone(), layer.digest)).collect();
    let mut layers: BTreeMap<String, Layer> = BTreeMap::new();
    opened.each(path, &wanted, &mut |name, size, content| {
        let layer = Layer::read(content, size).map_err(|finding| finding.because(format!("the layer is {name}")))?;
        layers.insert(name.to_owned(), layer);
        Ok(())
    })?;
    let inventories = summary.images.iter().map(|image| inventory(image, &layers)).collect::<Result<_, _>>()?;
    Ok(Contents { summary, inventories })
}

/// What one layer holds.
struct Layer {
    changes: Vec<Change>,
    scanner: Scanner,
    /// By the digest of a content, its SHA-1.
    sums: BTreeMap<Digest, String>,
}

impl Layer {
    fn read(content: &mut dyn Read, size: u64) -> Result<Self, Finding> {
        let mut read = Self { changes: Vec::new(), scanner: Scanner::default(), sums: BTreeMap::new() };
        let Self { changes, scanner, sums } = &mut read;
        let mut take = |path: &TreePath, size: u64, content: &mut dyn Read| {
            let (digest, sha1) = looked_at(scanner, path, size, content)?;
            sums.insert(digest, sha1);
            Ok(digest)
        };
        let content = BufReader::with_capacity(CHUNK, content);
        layer::read(content, size, &Limits::default(), &mut take, &mut |change| changes.push(change))?;
        Ok(read)
    }
}

/// Shows a file of `size` bytes to a scanner, if that wants it; answers its digest and its SHA-1.
pub(super) fn looked_at(
    scanner: &mut Scanner,
    path: &TreePath,
    size: u64,
    content: &mut dyn Read,
) -> io::Result<(Digest, String)> {
    let mut start = [0; 4];
    let filled = fill(content, &mut start)?;
    let start = start.get(..filled).unwrap_or_default();
    let mut content = Summed::new(start.chain(content));
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
    sha1: Sha1,
}

impl<R: Read> Summed<R> {
    pub(crate) fn new(inner: R) -> Self {
        Self { inner, sha256: Hasher::new(), sha1: Sha1::new() }
    }

    /// The digest and the SHA-1 of what was read.
    pub(crate) fn finish(self) -> (Digest, String) {
        (self.sha256.finish(), HEXLOWER.encode(&self.sha1.finalize()))
    }
}

impl<R: Read> Read for Summed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        let bytes = buffer.get(..read).unwrap_or_default();
        self.sha256.update(bytes);
        self.sha1.update(bytes);
        Ok(read)
    }
}

fn inventory(image: &ImageEntry, layers: &BTreeMap<String, Layer>) -> Result<Inventory, Finding> {
    let mut filesystem = Filesystem::default();
    let mut scanner = Scanner::default();
    let mut sums: BTreeMap<&Digest, &String> = BTreeMap::new();
    for (number, entry) in image.layers.iter().enumerate() {
        let layer = layers.get(&entry.file).ok_or_else(|| unknown(format!("the layer {} is not there", entry.file)))?;
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

impl Opened {
    /// Calls `each` for every wanted file, with its name, size and content, compared with its digest where that is known.
    fn each(
        &self,
        path: &Path,
        wanted: &BTreeMap<String, Option<Digest>>,
        each: &mut dyn FnMut(&str, u64, &mut dyn Read) -> Result<(), Finding>,
    ) -> Result<(), Finding> {
        let failed = |e: io::Error| Finding::error(codes::INPUT_IO, format!("{} cannot be read: {e}", path.display()));
        match self {
            Opened::Directory(dir) => wanted.iter().try_for_each(|(name, digest)| {
                let mut file: File = input::open(&dir.join(name)).map_err(failed)?;
                let size = file.metadata().map_err(failed)?.len();
                verified(name, size, &mut file, *digest, each)
            }),
            Opened::Archive { .. } => {
                let file = input::open(path).map_err(failed)?;
                let size = file.metadata().map_err(failed)?.len();
                let input = BufReader::with_capacity(CHUNK, file);
                let mut refused = None;
                let mut take = |path: &TreePath, size: u64, content: &mut dyn Read| {
                    let name = path.display();
                    match wanted.get(&name) {
                        Some(digest) => verified(&name, size, content, *digest, each).map_err(|finding| {
                            refused = Some(finding);
                            io::Error::other("it is refused")
                        })?,
                        None => drop(io::copy(content, &mut io::sink())?),
                    }
                    Ok(Digest::of(b""))
                };
                let limits = Limits { bytes: MAX_BYTES, ..Limits::default() };
                // An archive is read as a layer is; only its files matter.
                let read = layer::read(input, size, &limits, &mut take, &mut |_| {});
                refused.map_or(read, Err)
            }
        }
    }
}

fn verified(
    name: &str,
    size: u64,
    content: &mut dyn Read,
    wanted: Option<Digest>,
    each: &mut dyn FnMut(&str, u64, &mut dyn Read) -> Result<(), Finding>,
) -> Result<(), Finding> {
    let mut content = Summed::new(content);
    let done = each(name, size, &mut content);
    let rest = io::copy(&mut content, &mut io::sink());
    rest.map_err(|e| Finding::error(codes::INPUT_IO, format!("{name} cannot be read: {e}")))?;
    let (found, _) = content.finish();
    // A damaged layer is that first, whatever else is wrong with it.
    match wanted {
        Some(wanted) if wanted != found => Err(read::damaged(&wanted)),
        _ => done,
    }
}
