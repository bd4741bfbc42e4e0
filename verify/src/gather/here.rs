//! Evidence in folders and archives.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use model::{Digest, Finding, codes};
use registry::{Blobs as _, Layout};
use verifier::{Answer, LARGEST_STATEMENT, Need};

/// A layout, and one of its images.
pub(crate) struct Here {
    pub(crate) path: PathBuf,
    pub(crate) digest: Digest,
    layout: Layout,
}

impl Here {
    pub(crate) fn at(path: &Path, digest: Option<Digest>) -> Result<Self, Finding> {
        let mut layout = Layout::at(path)?;
        // One image may have several names.
        let images: BTreeSet<Digest> = layout.images.iter().map(|image| image.digest).collect();
        let images: Vec<Digest> = images.into_iter().collect();
        let digest = match (digest, images.as_slice()) {
            (Some(digest), _) => digest,
            // What nobody here can read, others may read as an image.
            (None, _) if !layout.broken.is_empty() => return Err(layout.broken.swap_remove(0)),
            (None, [only]) => *only,
            (None, _) => {
                let message = format!("{} holds {} images", path.display(), images.len());
                return Err(
                    Finding::error(codes::USAGE, message).help("say which one by its digest: `oci:DIR@sha256:…`")
                );
            }
        };
        Ok(Self { path: path.to_owned(), digest, layout })
    }

    pub(super) fn listing(&self) -> &[u8] {
        self.layout.listing()
    }

    pub(super) fn loadable(&self) -> Option<&[u8]> {
        self.layout.loadable()
    }

    /// Documents one after another; layers on all processors at once, the largest first.
    pub(super) fn answers(&self, needs: &[Need], mut give: impl FnMut(Need, Answer)) {
        let mut layers: Vec<(usize, &Digest, u64)> = Vec::new();
        for (at, need) in needs.iter().enumerate() {
            if let Need::Layer(digest, size) = need {
                layers.push((at, digest, *size));
            }
        }
        layers.sort_by_key(|(_, _, size)| std::cmp::Reverse(*size));
        let (next, hashed) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
        let work = || {
            while let Some((at, digest, size)) = layers.get(next.fetch_add(1, Ordering::Relaxed)) {
                let answer = self.layer(digest, *size);
                if let Ok(mut hashed) = hashed.lock() {
                    hashed.insert(*at, answer);
                }
            }
        };
        let threads = thread::available_parallelism().map_or(1, usize::from).min(layers.len());
        thread::scope(|scope| {
            for _ in 1..threads {
                scope.spawn(work);
            }
            work();
        });
        let mut hashed = hashed.into_inner().unwrap_or_default();
        for (at, need) in needs.iter().enumerate() {
            let answer = match need {
                // Of what was not hashed nobody says that it holds.
                Need::Layer(..) => hashed.remove(&at).unwrap_or(Answer::Missing),
                need => self.answer(need),
            };
            give(*need, answer);
        }
    }

    fn answer(&self, need: &Need) -> Answer {
        match need {
            Need::Manifest(digest) => self.bytes(digest, verifier::LARGEST_MANIFEST as u64),
            Need::Referrer(digest) => self.bytes(digest, verifier::LARGEST_REFERRER as u64),
            Need::Blob(digest, size) => self.bytes(digest, (*size).min(LARGEST_STATEMENT)),
            Need::Layer(digest, size) => self.layer(digest, *size),
            Need::Referrers(digest) => {
                let listed = self.layout.referrers(digest).unwrap_or_default();
                Answer::Listed(listed.into_iter().map(|one| one.digest).collect())
            }
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
