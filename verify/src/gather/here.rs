//! Evidence in folders and archives.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use model::{Digest, Finding, codes};
use registry::{Blobs as _, Layout, Named};
use verifier::{Answer, Depth, Found, LARGEST_STATEMENT, Need};

/// Bytes that are read in less time than it takes to start a thread.
const SMALL: u64 = 64 << 10;
/// Images that are named where it is not clear which one is meant.
const MOST_SHOWN: usize = 10;

/// A layout, and one of its images.
pub(crate) struct Here {
    pub(crate) path: PathBuf,
    pub(crate) digest: Digest,
    layout: Layout,
}

/// Which image of a layout.
pub(crate) enum Which<'w> {
    Only,
    Tag(&'w str),
    Digest(Digest),
}

/// The only image, or the only one with a tag: where others would take another one by it, it is none.
fn only(images: &[Named], path: &Path, which: &Which<'_>) -> Result<Digest, Finding> {
    let is_meant = |image: &&Named| match which {
        Which::Tag(tag) => image.tags().contains(*tag),
        _ => true,
    };
    // One image may have several names.
    let meant: BTreeSet<Digest> = images.iter().filter(is_meant).map(|image| image.digest).collect();
    if let [digest] = meant.iter().collect::<Vec<_>>().as_slice() {
        return Ok(**digest);
    }
    let tagged = if let Which::Tag(tag) = which { format!(" tagged `{}`", tag.escape_debug()) } else { String::new() };
    let message = format!("{} holds {} images{tagged}", path.display(), meant.len());
    let mut finding = Finding::error(codes::USAGE, message)
        .help("say which one by its tag, `oci:DIR:TAG`, or by its digest, `oci:DIR@sha256:…`");
    for image in images.iter().take(MOST_SHOWN) {
        let tags: Vec<String> = image.tags().into_iter().collect();
        finding = finding.because(format!("{}  {}", image.digest, tags.join(" ")).trim_end());
    }
    Err(finding)
}

impl Here {
    pub(crate) fn at(path: &Path, which: &Which<'_>) -> Result<Self, Finding> {
        let mut layout = Layout::at(path)?;
        let digest = match which {
            Which::Digest(digest) => *digest,
            // What nobody here can read, others may read as an image.
            _ if !layout.broken.is_empty() => return Err(layout.broken.swap_remove(0)),
            which => only(&layout.images, path, which)?,
        };
        Ok(Self { path: path.to_owned(), digest, layout })
    }

    pub(super) fn listing(&self) -> &[u8] {
        self.layout.listing()
    }

    pub(super) fn loadable(&self) -> Option<&[u8]> {
        self.layout.loadable()
    }

    /// What is large on all processors at once, the largest first; what is small takes less time than it takes to share it.
    pub(super) fn answers(&self, needs: &[Need], depth: Depth, mut give: impl FnMut(Found)) {
        let mut large: Vec<(usize, Need, u64)> = Vec::new();
        for (at, need) in needs.iter().enumerate() {
            if let Need::Layer(_, size) | Need::Document(_, size) = need
                && *size > SMALL
            {
                large.push((at, *need, *size));
            }
        }
        large.sort_by_key(|(_, _, size)| std::cmp::Reverse(*size));
        let (next, read) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
        let work = || {
            while let Some((at, need, _)) = large.get(next.fetch_add(1, Ordering::Relaxed)) {
                let found = need.read(self.answer(need), depth);
                if let Ok(mut read) = read.lock() {
                    read.insert(*at, found);
                }
            }
        };
        let threads = match large.len() {
            0 | 1 => 1,
            many => thread::available_parallelism().map_or(1, usize::from).min(many),
        };
        thread::scope(|scope| {
            for _ in 1..threads {
                scope.spawn(work);
            }
            work();
        });
        let mut read = read.into_inner().unwrap_or_default();
        for (at, need) in needs.iter().enumerate() {
            give(read.remove(&at).unwrap_or_else(|| need.read(self.answer(need), depth)));
        }
    }

    fn answer(&self, need: &Need) -> Answer {
        match need {
            Need::Manifest(digest) => self.bytes(digest, verifier::LARGEST_MANIFEST as u64),
            Need::Referrer(digest) => self.bytes(digest, verifier::LARGEST_REFERRER as u64),
            Need::Config(digest, size) | Need::Document(digest, size) => {
                self.bytes(digest, (*size).min(LARGEST_STATEMENT))
            }
            Need::Layer(digest, size) => self.layer(digest, *size),
            Need::Referrers(digest) => Answer::Listed(self.layout.referring(digest)),
            Need::Beside(digest, beside) => match self.layout.beside(digest, super::there::tag(*beside)) {
                Ok(Some(manifest)) => self.bytes(&manifest, verifier::LARGEST_MANIFEST as u64),
                _ => Answer::Missing,
            },
        }
    }

    fn bytes(&self, digest: &Digest, most: u64) -> Answer {
        match self.layout.find(digest) {
            Ok(None) => Answer::Missing,
            Ok(Some(content)) if content.size() > most => {
                Answer::Wrong(format!("{digest} has {} bytes, and {most} are expected", content.size()))
            }
            Ok(Some(content)) => match content.bytes() {
                Ok(bytes) => Answer::Bytes(bytes),
                Err(e) => Answer::Wrong(format!("{digest} cannot be read: {e}")),
            },
            Err(finding) => Answer::Wrong(finding.message),
        }
    }

    fn layer(&self, digest: &Digest, size: u64) -> Answer {
        match self.layout.find(digest) {
            Ok(None) => Answer::Missing,
            Ok(Some(content)) if content.size() != size => {
                Answer::Wrong(format!("it has {} bytes, and not {size}", content.size()))
            }
            Ok(Some(content)) => match content.hash() {
                Ok(found) if found == *digest => Answer::Holds,
                Ok(found) => Answer::Wrong(format!("its bytes are {found}")),
                Err(e) => Answer::Wrong(format!("it cannot be read: {e}")),
            },
            Err(finding) => Answer::Wrong(finding.message),
        }
    }
}
