//! What lies in the images of an archive or layout, whoever made it.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{channel, sync_channel};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread;

use inspect::archive::layer::{self, Change};
use inspect::archive::{Limits, decompress};
use inspect::inventory::{Filesystem, Scanner};
use model::inventory::{Inventory, Item};
use model::{Digest, Finding, Kind, TreePath};

use super::look::{Looker, Summed};
use super::opened::Opened;
use super::pipe::{Filler, Piped, pipe};
use super::read::{compared, damaged, unknown, unreadable};
use super::summary::{ImageEntry, ImageSummary, LayerEntry};

/// Layers that are read at once: each may take the memory that its compression asks for.
const MOST_THREADS: usize = 8;
/// Members of the layers of all images, each counted in every image that has its layer.
const MOST_CHANGES: usize = 20_000_000;
/// What a layer may hold. Gzip packs nothing tighter than 1,032 to 1, and layers of zeros are no attack by themselves.
const LIMITS: Limits =
    Limits { entries: 1_000_000, bytes: 8 << 30, ratio: 1100, small: 64 << 20, name: 4096, metadata: 16 << 20 };

/// The images of an archive, and what lies in each.
pub struct Images {
    path: PathBuf,
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
        let is_image = |finding: Finding| finding.because(format!("the image is {}", path.display()));
        let summary = opened.summary().map_err(is_image)?;
        Ok(Self { path: path.to_owned(), opened, summary })
    }

    /// The same of a layout, and of those images alone that have these manifests: nothing else that lies there is looked at.
    ///
    /// # Errors
    /// As [`Self::at`].
    pub fn of(path: &Path, manifests: &[Digest]) -> Result<Self, Finding> {
        let opened = Opened::at(path)?;
        let is_image = |finding: Finding| finding.because(format!("the image is {}", path.display()));
        let summary = opened.summary_of(manifests).map_err(is_image)?;
        Ok(Self { path: path.to_owned(), opened, summary })
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
        let read: BTreeMap<&str, OnceLock<Result<Layer, Finding>>> =
            left.iter().map(|layer| (layer.file.as_str(), OnceLock::new())).collect();
        // Each of them has another one that unpacks.
        let threads = thread::available_parallelism().map_or(1, |all| all.get().div_ceil(2));
        let threads = threads.min(MOST_THREADS).min(left.len());
        let left = Mutex::new(left);
        let next = || left.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let work = || {
            self.layers(next, with_sha1, |layer, found| {
                if let Some(slot) = read.get(layer.file.as_str()) {
                    let _ = slot.set(found);
                }
            });
        };
        thread::scope(|scope| {
            // Without one that cannot be started the others have more to do.
            let helpers: Vec<_> =
                (1..threads).filter_map(|_| thread::Builder::new().spawn_scoped(scope, work).ok()).collect();
            work();
            // What one that died did not read is not there, and said to be.
            helpers.into_iter().for_each(|helper| drop(helper.join()));
        });
        let mut left = MOST_CHANGES;
        let mut inventories = Vec::new();
        for image in images {
            inventories.push(inventory(image, &read, &mut left).map_err(|finding| self.named(finding))?);
        }
        Ok(inventories)
    }

    fn named(&self, finding: Finding) -> Finding {
        finding.because(format!("the image is {}", self.path.display()))
    }

    /// Reads layers one after another. Unpacking takes half of the time, so one thread does that for all of them, ahead of who
    /// reads what is in them.
    fn layers<'l>(
        &self,
        next: impl Fn() -> Option<&'l LayerEntry> + Send,
        with_sha1: bool,
        found: impl Fn(&'l LayerEntry, Result<Layer, Finding>),
    ) {
        thread::scope(|scope| {
            let (hand_over, handed) = sync_channel(0);
            let unpack = move || {
                while let Some(layer) = next() {
                    let (filler, piped) = pipe();
                    let (end, ended) = channel();
                    let Ok(()) = hand_over.send((layer, piped, ended)) else { return };
                    let _ = end.send(self.unpack(layer, filler));
                }
            };
            // Where no thread can be started no layer is read, and that is said.
            let _ = thread::Builder::new().spawn_scoped(scope, unpack);
            for (layer, piped, ended) in handed {
                let read = Layer::of(layer, piped, with_sha1);
                let unread = || unknown(format!("the layer {} was not read", layer.file));
                // A damaged layer is that first, whatever else is wrong with it.
                let unpacked = ended.recv().unwrap_or_else(|_| Err(unread()));
                let is_layer = |finding: Finding| {
                    let help = "nothing was read from it: ask who made the image for another one";
                    finding.because(format!("the layer is {}", layer.file)).help(help)
                };
                found(layer, unpacked.and_then(|()| read.map_err(is_layer)));
            }
        });
    }

    /// Unpacks a layer, and compares it with its digest.
    fn unpack(&self, layer: &LayerEntry, filler: Filler) -> Result<(), Finding> {
        let mut content = Summed::new(self.opened.layer(layer)?, false);
        filler.fill(decompress(&mut content));
        io::copy(&mut content, &mut io::sink()).map_err(|e| unreadable(&layer.file, &e))?;
        compared(content, layer)
    }
}

/// What one layer holds.
struct Layer {
    changes: Vec<Change>,
    looker: Looker,
}

impl Layer {
    /// Where nothing else names a layer's bytes, the configuration does, as they are unpacked.
    fn of(layer: &LayerEntry, mut piped: Piped, with_sha1: bool) -> Result<Self, Finding> {
        let Some(wanted) = layer.diff_id.filter(|_| layer.digest.is_none()) else {
            return Self::read(piped, layer.size, with_sha1);
        };
        let mut content = Summed::new(&mut piped, false);
        let read = Self::read(&mut content, layer.size, with_sha1)?;
        io::copy(&mut content, &mut io::sink()).map_err(|e| unreadable(&layer.file, &e))?;
        let (found, _) = content.finish();
        if found == wanted { Ok(read) } else { Err(damaged(&wanted)) }
    }

    /// Reads a layer that is unpacked already, of what had `size` bytes before.
    fn read(plain: impl Read, size: u64, with_sha1: bool) -> Result<Self, Finding> {
        let (mut changes, mut looker) = (Vec::new(), Looker::new(with_sha1));
        let mut take = |path: &TreePath, size: u64, content: &mut dyn Read| looker.look(path, size, content);
        layer::read_plain(plain, size, &LIMITS, &mut take, &mut |change| changes.push(change))?;
        Ok(Self { changes, looker })
    }
}

/// What an image's layers make together; `left` is how many more changes may be made.
fn inventory(
    image: &ImageEntry,
    layers: &BTreeMap<&str, OnceLock<Result<Layer, Finding>>>,
    left: &mut usize,
) -> Result<Inventory, Finding> {
    let mut filesystem = Filesystem::default();
    let mut scanner = Scanner::default();
    let mut sums: BTreeMap<&Digest, &String> = BTreeMap::new();
    for (number, entry) in image.layers.iter().enumerate() {
        let layer = layers.get(entry.file.as_str()).and_then(OnceLock::get);
        let layer = layer.ok_or_else(|| unknown(format!("the layer {} was not read", entry.file)))?;
        let layer = layer.as_ref().map_err(Clone::clone)?;
        *left = left
            .checked_sub(layer.changes.len())
            .ok_or_else(|| unknown(format!("its images have more than {MOST_CHANGES} files together")))?;
        if number > 0 {
            filesystem.next_layer();
        }
        layer.changes.iter().for_each(|change| filesystem.apply(change.clone()));
        scanner.cover(&layer.changes, &layer.looker.scanner);
        sums.extend(&layer.looker.sums);
    }
    let (mut items, unread) = filesystem.finish();
    for Item { entry, sha1, .. } in &mut items {
        if let Kind::File { digest, .. } = &entry.node {
            *sha1 = sums.get(digest).map(|sum| (*sum).clone());
        }
    }
    Ok(scanner.inventory(&image.arch, (items, unread)))
}
