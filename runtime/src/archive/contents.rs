//! What lies in the images of an archive or layout, whoever made it.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::num::NonZero;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::thread;

use inspect::archive::layer::{self, Change};
use inspect::archive::{Limits, decompress};
use inspect::inventory::{Filesystem, Scanner};
use model::inventory::{Inventory, Item};
use model::{Digest, Finding, Kind, TreePath};

use super::look::Looker;
use super::opened::Opened;
use super::pipe::pipe;
use super::read::{Hashing, unknown, unreadable};
use super::summary::{ImageEntry, ImageSummary, LayerEntry};

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

    /// Unpacking takes half of the time, so it has a thread of its own.
    fn layer_of(&self, layer: &LayerEntry, with_sha1: bool) -> Result<Layer, Finding> {
        let (content, size) = self.opened.layer(layer)?;
        let (filler, piped) = pipe();
        let (unpacked, read) = thread::scope(|scope| {
            let unpacking = scope.spawn(move || {
                let mut content = Hashing::new(content);
                filler.fill(decompress(&mut content));
                io::copy(&mut content, &mut io::sink()).map_err(|e| unreadable(&layer.file, &e))?;
                content.compared(layer)
            });
            let read = Layer::read(piped, size, with_sha1);
            (unpacking.join(), read)
        });
        // A damaged layer is that first, whatever else is wrong with it.
        unpacked.unwrap_or_else(|_| Err(unknown(format!("the layer {} was not read", layer.file))))?;
        read.map_err(|finding| finding.because(format!("the layer is {}", layer.file)))
    }
}

/// What one layer holds.
struct Layer {
    changes: Vec<Change>,
    looker: Looker,
}

impl Layer {
    /// Reads a layer that is unpacked already, of what had `size` bytes before.
    fn read(plain: impl Read, size: u64, with_sha1: bool) -> Result<Self, Finding> {
        let (mut changes, mut looker) = (Vec::new(), Looker::new(with_sha1));
        let mut take = |path: &TreePath, size: u64, content: &mut dyn Read| looker.look(path, size, content);
        layer::read_plain(plain, size, &Limits::default(), &mut take, &mut |change| changes.push(change))?;
        Ok(Self { changes, looker })
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
