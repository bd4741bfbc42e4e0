//! Images on their way to repositories, whole or not to be seen: first blobs, then manifests, then what refers to them, and the tags last.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::io::{Seek as _, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use futures::join;
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use model::{Digest, Finding, codes};
use serde::Serialize;
use tokio::sync::OnceCell;

use crate::content::Content;
use crate::legacy::Beside;
use crate::manifest::{Descriptor, Manifest};
use crate::pull::Document;
use crate::referrers::Listed;
use crate::repository::Repository;
use crate::upload::Came;

/// Blobs of one manifest that are sent at once.
const AT_ONCE: usize = 8;
/// How deep indexes may lie in indexes.
const DEEPEST: usize = 4;
/// Bytes of a blob that is carried from one registry to another.
const LARGEST: u64 = 64 << 30;

/// Blobs that are here.
pub trait Blobs: Sync {
    /// The bytes that have a name; nobody has compared them with it.
    ///
    /// # Errors
    /// Why they cannot be read.
    fn find(&self, digest: &Digest) -> Result<Option<Content>, Finding>;

    /// What refers to a manifest.
    ///
    /// # Errors
    /// Why that cannot be read.
    fn referrers(&self, subject: &Digest) -> Result<Vec<Descriptor>, Finding>;

    /// What lies beside a manifest as cosign kept it before version 3.
    ///
    /// # Errors
    /// Why that cannot be read.
    fn beside(&self, subject: &Digest, beside: Beside) -> Result<Option<Digest>, Finding>;
}

/// Where images come from.
pub enum Source<'s> {
    /// What is here.
    Here(&'s dyn Blobs),
    /// Another repository.
    Repository(Repository<'s>),
}

/// A name that a manifest gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag {
    /// The name.
    pub name: String,
    /// Of which manifest.
    pub digest: Digest,
    /// Whether it may be taken from another one.
    pub moves: bool,
}

/// What became of blobs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Sums {
    /// Blobs that were sent.
    pub sent: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Blobs that were taken from another repository of the registry.
    pub mounted: u64,
    /// Blobs that were there.
    pub found: u64,
}

/// A blob that is in a repository.
struct Held {
    by: String,
    /// It was not there before.
    is_new: bool,
}

/// Sends what one source has, to any number of repositories. A blob goes to each registry once.
pub struct Sender<'s> {
    source: Source<'s>,
    /// Which repository of a registry has a blob, or whether a repository has it.
    have: Mutex<BTreeMap<(String, Digest), Arc<OnceCell<Held>>>>,
    sent: AtomicU64,
    bytes: AtomicU64,
    mounted: AtomicU64,
    found: AtomicU64,
}

impl<'s> Sender<'s> {
    /// One that has sent nothing yet.
    pub fn new(source: Source<'s>) -> Self {
        Self {
            source,
            have: Mutex::default(),
            sent: AtomicU64::default(),
            bytes: AtomicU64::default(),
            mounted: AtomicU64::default(),
            found: AtomicU64::default(),
        }
    }

    /// What became of blobs so far.
    pub fn sums(&self) -> Sums {
        let get = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Sums { sent: get(&self.sent), bytes: get(&self.bytes), mounted: get(&self.mounted), found: get(&self.found) }
    }

    /// Sends an image, what refers to it and to the images in it, and then its tags. What is there is not sent again.
    ///
    /// # Errors
    /// `TAG_TAKEN` before anything is sent, `REGISTRY_…`; what is wrong with the source.
    pub async fn image(&self, to: &Repository<'_>, top: &Digest, tags: &[Tag]) -> Result<(), Finding> {
        let to = &to.clone().writable();
        let top_name = top.to_string();
        let free = async || stream::iter(tags).then(|tag| is_free(to, tag)).try_for_each(async |_| Ok(())).await;
        let (free, there) = join!(free(), to.resolve(&top_name));
        free?;
        let is_there = there?.is_some();
        let mut manifests = Vec::new();
        // The statements' blobs travel with the layers, which take longer.
        let statements = async || if is_there { Ok(BTreeMap::new()) } else { self.statements(to, top, 0).await };
        let (image, lists) = join!(self.manifest(to, top, 0, Some(is_there), &mut manifests), statements());
        image?;
        let mut lists = lists?;
        for subject in &manifests {
            self.refer_to(to, subject, lists.remove(subject)).await?;
            self.legacy(to, subject).await?;
        }
        for tag in tags {
            if !is_free(to, tag).await? {
                to.put_manifest(&tag.name, &self.source.manifest(&tag.digest).await?).await?;
            }
        }
        Ok(())
    }

    /// Sends the blobs of what refers to an image that is here, and to the images in it; answers what the registry lists of them.
    async fn statements(
        &self,
        to: &Repository<'_>,
        digest: &Digest,
        depth: usize,
    ) -> Result<BTreeMap<Digest, Listed>, Finding> {
        let mut lists = BTreeMap::new();
        let Source::Here(here) = &self.source else { return Ok(lists) };
        let referrers = here.referrers(digest)?;
        if !referrers.is_empty() {
            // While that is asked for, the layers begin.
            lists.insert(*digest, to.list(digest).await?);
        }
        let mut manifests = Vec::new();
        for referrer in referrers {
            manifests.push(self.source.manifest(&referrer.digest).await?.parsed()?);
        }
        self.blobs(to, manifests.iter().flat_map(Manifest::blobs)).await?;
        if depth < DEEPEST {
            for inner in self.source.manifest(digest).await?.parsed()?.manifests {
                lists.extend(Box::pin(self.statements(to, &inner.digest, depth + 1)).await?);
            }
        }
        Ok(lists)
    }

    /// Sends a manifest after all it leads to, and adds it and those in it to `all`.
    async fn manifest(
        &self,
        to: &Repository<'_>,
        digest: &Digest,
        depth: usize,
        known: Option<bool>,
        all: &mut Vec<Digest>,
    ) -> Result<(), Finding> {
        let document = self.source.manifest(digest).await?;
        let manifest = document.parsed()?;
        if depth > DEEPEST {
            return Err(broken(format!("indexes lie in it more than {DEEPEST} deep")));
        }
        // A registry has a manifest only with all it leads to.
        let is_there = match known {
            Some(known) => known,
            None => to.resolve(&digest.to_string()).await?.is_some(),
        };
        for inner in &manifest.manifests {
            if !all.contains(&inner.digest) {
                Box::pin(self.manifest(to, &inner.digest, depth + 1, is_there.then_some(true), all)).await?;
            }
        }
        all.push(*digest);
        if is_there {
            return Ok(());
        }
        self.blobs(to, manifest.blobs()).await?;
        to.put_manifest(&digest.to_string(), &document).await.map(drop)
    }

    /// Sends blobs, the largest first; answers whether one of them was not there before.
    async fn blobs<'b>(
        &self,
        to: &Repository<'_>,
        blobs: impl IntoIterator<Item = &'b Descriptor>,
    ) -> Result<bool, Finding> {
        let mut blobs: Vec<&Descriptor> = blobs.into_iter().collect();
        blobs.sort_by_key(|blob| Reverse(blob.size));
        let sent = stream::iter(blobs).map(|blob| self.blob(to, blob)).buffer_unordered(AT_ONCE);
        sent.try_fold(false, async |any, is_new| Ok(any || is_new)).await
    }

    async fn blob(&self, to: &Repository<'_>, blob: &Descriptor) -> Result<bool, Finding> {
        let first = self.once(to.host(), &blob.digest);
        let held = first.get_or_try_init(|| self.put(to, blob, None)).await?;
        if held.by == to.name() {
            return Ok(held.is_new);
        }
        let own = self.once(&to.to_string(), &blob.digest);
        Ok(own.get_or_try_init(|| self.put(to, blob, Some(&held.by))).await?.is_new)
    }

    async fn put(&self, to: &Repository<'_>, blob: &Descriptor, elsewhere: Option<&str>) -> Result<Held, Finding> {
        // Another repository of the same registry has it, if that is where it comes from.
        let elsewhere = elsewhere.or(match &self.source {
            Source::Repository(from) if from.host() == to.host() && from.name() != to.name() => Some(from.name()),
            _ => None,
        });
        let content = async || self.source.content(blob).await;
        let came = to.put_blob(&blob.digest, content, elsewhere).await?;
        let (count, bytes) = match came {
            Came::Found => (&self.found, 0),
            Came::Mounted => (&self.mounted, 0),
            Came::Sent => (&self.sent, blob.size),
        };
        count.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        Ok(Held { by: to.name().to_owned(), is_new: came != Came::Found })
    }

    fn once(&self, place: &str, digest: &Digest) -> Arc<OnceCell<Held>> {
        let mut have = self.have.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(have.entry((place.to_owned(), *digest)).or_default())
    }

    /// Sends what refers to a manifest that is there, and sees to it that it is listed.
    ///
    /// # Errors
    /// As [`Sender::image`].
    pub async fn refer(&self, to: &Repository<'_>, subject: &Digest) -> Result<(), Finding> {
        self.refer_to(&to.clone().writable(), subject, None).await
    }

    /// The same; what is listed of it may be known already.
    async fn refer_to(&self, to: &Repository<'_>, subject: &Digest, list: Option<Listed>) -> Result<(), Finding> {
        let referrers = &self.source.referrers(subject).await?;
        if referrers.is_empty() {
            return Ok(());
        }
        let list = match list {
            Some(list) => list,
            None => to.list(subject).await?,
        };
        let unlisted: Vec<&Descriptor> = referrers.iter().filter(|one| !list.has(&one.digest)).collect();
        let sent = stream::iter(unlisted).map(|referrer| self.referrer(to, referrer)).buffer_unordered(AT_ONCE);
        sent.try_collect::<()>().await?;
        if list.is_registrys { Ok(()) } else { to.add_referrers(subject, referrers).await }
    }

    /// Carries along what lies beside a manifest as cosign kept it before version 3.
    async fn legacy(&self, to: &Repository<'_>, subject: &Digest) -> Result<(), Finding> {
        for beside in [Beside::Signatures, Beside::Attestations] {
            let Some(document) = self.source.beside(subject, beside).await? else { continue };
            let layers = document.parsed()?.layers;
            self.blobs(to, &layers).await?;
            to.list_beside(subject, beside, &layers).await?;
        }
        Ok(())
    }

    async fn referrer(&self, to: &Repository<'_>, referrer: &Descriptor) -> Result<(), Finding> {
        let name = referrer.digest.to_string();
        let document = self.source.manifest(&referrer.digest).await?;
        // A registry has a manifest only with all it leads to.
        let is_new = self.blobs(to, document.parsed()?.blobs()).await?;
        if is_new || to.resolve(&name).await?.is_none() {
            to.put_manifest(&name, &document).await?;
        }
        Ok(())
    }
}

/// Whether a tag names its manifest already; an error if it names another and must not move.
async fn is_free(to: &Repository<'_>, tag: &Tag) -> Result<bool, Finding> {
    match to.resolve(&tag.name).await? {
        Some(there) if there == tag.digest => Ok(true),
        Some(there) if !tag.moves => {
            let message = format!("{to}:{} names {there}, and {} is to be called so", tag.name, tag.digest);
            Err(Finding::error(codes::TAG_TAKEN, message)
                .help("give the image another version, or say with `--move-tags` that the name goes to this one"))
        }
        _ => Ok(false),
    }
}

impl Source<'_> {
    pub(crate) async fn manifest(&self, digest: &Digest) -> Result<Document, Finding> {
        match self {
            Source::Here(blobs) => {
                let content = blobs.find(digest)?.ok_or_else(|| broken(format!("{digest} is not there")))?;
                Document::of(content.whole().map_err(|e| broken(format!("{digest} cannot be read: {e}")))?, digest)
            }
            Source::Repository(from) => from.existing(&digest.to_string()).await,
        }
    }

    pub(crate) async fn referrers(&self, subject: &Digest) -> Result<Vec<Descriptor>, Finding> {
        match self {
            Source::Here(blobs) => blobs.referrers(subject),
            Source::Repository(from) => from.referrers(subject).await,
        }
    }

    pub(crate) async fn beside(&self, subject: &Digest, beside: Beside) -> Result<Option<Document>, Finding> {
        match self {
            Source::Here(blobs) => match blobs.beside(subject, beside)? {
                Some(digest) => self.manifest(&digest).await.map(Some),
                None => Ok(None),
            },
            Source::Repository(from) => from.beside(subject, beside).await,
        }
    }

    /// Reads a blob piece by piece. Only after the last piece is it known that they are what the digest names.
    pub(crate) async fn read(
        &self,
        blob: &Descriptor,
        mut sink: impl FnMut(&[u8]) -> Result<(), Finding>,
    ) -> Result<(), Finding> {
        match self {
            Source::Here(_) => {
                let unreadable = |e| broken(format!("{} cannot be read: {e}", blob.digest));
                let content = self.content(blob).await?;
                content.pieces().try_for_each(|piece| sink(&piece.map_err(unreadable)?))?;
                content.check(&blob.digest).await
            }
            Source::Repository(from) => from.read_blob(&blob.digest, LARGEST.min(blob.size), sink).await,
        }
    }

    /// A blob's bytes; of what is here, nobody has compared them with its digest.
    async fn content(&self, blob: &Descriptor) -> Result<Content, Finding> {
        let Descriptor { digest, size, .. } = blob;
        match self {
            Source::Here(blobs) => {
                let content = blobs.find(digest)?.ok_or_else(|| broken(format!("the blob {digest} is not there")))?;
                match content.size() {
                    found if found == *size => Ok(content),
                    found => Err(broken(format!("{digest} has {found} bytes, and not {size}"))),
                }
            }
            Source::Repository(from) => {
                let failed = |e: std::io::Error| {
                    Finding::error(codes::OUTPUT_IO, format!("a temporary file cannot be written: {e}"))
                };
                let mut file = tempfile::tempfile().map_err(failed)?;
                from.read_blob(digest, LARGEST.min(*size), |piece| file.write_all(piece).map_err(failed)).await?;
                let end = file.stream_position().map_err(failed)?;
                Ok(Content::File(Arc::new(file), 0..end))
            }
        }
    }
}

pub(crate) fn broken(why: impl Into<String>) -> Finding {
    Finding::error(codes::ARCHIVE_UNKNOWN, "an image cannot be sent as it is")
        .because(why)
        .help("whoever made the layout or archive has to make it again")
}
