//! Brings bytes from the machine's sources into the store. What is fetched by digest is verified while it arrives;
//! documents that change are cached with what their server said about them.

mod digest;
mod document;
mod failure;
mod http;
pub(crate) mod sdist;
mod sparse;
mod wheel;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::StreamExt as _;
use model::lock::Origin;
use model::{Digest, Finding, Findings, codes};

pub use document::Document;

use crate::Progress;
use crate::sources::{Root, Sources};
use crate::store::Store;

/// How to fetch.
#[derive(Clone, Debug)]
pub struct FetchOptions {
    /// Open no socket and start no client; what is not in the store is a finding.
    pub offline: bool,
    /// Ask servers again for documents that change, however young the cached ones are.
    pub refresh: bool,
    /// A server that sends nothing for this long is not waited for any longer.
    pub stall: Duration,
    /// How often one URL is tried.
    pub attempts: u32,
    /// Pause before the second attempt; it doubles with each further one.
    pub backoff: Duration,
    /// Requests at a time.
    pub jobs: usize,
}

impl Default for FetchOptions {
    fn default() -> Self {
        Self {
            offline: false,
            refresh: false,
            stall: Duration::from_secs(20),
            attempts: 4,
            backoff: Duration::from_millis(500),
            jobs: 8,
        }
    }
}

/// A file that is locked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Which ecosystem's servers have it.
    pub origin: Origin,
    /// Name of the package, normalised.
    pub name: String,
    /// File name; for a Debian package its path below the archive's root.
    pub file: String,
    /// Digest.
    pub sha256: Digest,
    /// Size in bytes; 0 where unknown.
    pub size: u64,
}

/// Fetches into a store.
pub struct Fetcher {
    store: Arc<Store>,
    sources: Arc<Sources>,
    options: FetchOptions,
    progress: Arc<dyn Progress>,
    http: http::Http,
    /// Documents that were fetched or confirmed by this fetcher.
    confirmed: Mutex<BTreeSet<Digest>>,
}

impl Fetcher {
    /// A fetcher; it does nothing yet.
    pub fn new(store: Arc<Store>, mut sources: Sources, options: FetchOptions, progress: Arc<dyn Progress>) -> Self {
        if !options.refresh {
            sources.remember_in(store.clone());
        }
        let http = http::Http::new(&options, progress.clone());
        Self { store, sources: Arc::new(sources), options, progress, http, confirmed: Mutex::default() }
    }

    /// The endpoints of a source.
    ///
    /// # Errors
    /// `SOURCE_UNKNOWN`.
    pub async fn roots(&self, origin: Origin) -> Result<Vec<Root>, Finding> {
        let sources = self.sources.clone();
        let roots = blocking(move || sources.roots(origin)).await??;
        self.http.trust(&roots);
        Ok(roots)
    }

    /// Whether the machine's apt accepts expired indexes.
    ///
    /// # Errors
    /// `FETCH_FAILED` where the program is ending.
    pub async fn accepts_expired(&self) -> Result<bool, Finding> {
        let sources = self.sources.clone();
        blocking(move || sources.accepts_expired()).await
    }

    /// Where this fetcher says what it does.
    /// A server that sends nothing for this long is not waited for any longer.
    pub fn stall(&self) -> Duration {
        self.options.stall
    }

    pub(crate) fn progress(&self) -> &dyn Progress {
        self.progress.as_ref()
    }

    /// Sees to it that every file is in the store. All that fail are reported.
    ///
    /// # Errors
    /// `OFFLINE`, `SOURCE_UNKNOWN`, `FETCH_FAILED`, `FETCH_NOT_FOUND`, `FETCH_WRONG_DIGEST`, `STORE_IO`; in the
    /// order of the files.
    pub async fn files(&self, wanted: Vec<Wanted>) -> Result<(), Findings> {
        let missing: Vec<Wanted> = wanted.into_iter().filter(|file| !self.store.has(&file.sha256)).collect();
        self.all_or_online(missing.iter().map(|file| file.file.as_str()))?;
        let mut results: Vec<(usize, Finding)> = futures::stream::iter(missing.iter().enumerate())
            .map(|(at, file)| async move { self.file(file).await.err().map(|finding| (at, finding)) })
            .buffer_unordered(self.options.jobs.max(1))
            .filter_map(std::future::ready)
            .collect()
            .await;
        results.sort_by_key(|(at, _)| *at);
        if results.is_empty() { Ok(()) } else { Err(results.into_iter().map(|(_, finding)| finding).collect()) }
    }

    /// Refuses at once, in one finding, what is missing while the network must not be asked.
    pub(crate) fn all_or_online<'a>(&self, mut missing: impl Iterator<Item = &'a str>) -> Result<(), Finding> {
        match missing.next().filter(|_| self.options.offline) {
            None => Ok(()),
            Some(first) => Err(match missing.count() {
                0 => offline(first),
                others => offline(first).because(format!("{others} more files are missing like it")),
            }),
        }
    }

    async fn file(&self, file: &Wanted) -> Result<(), Finding> {
        let roots = self.roots(file.origin).await?;
        let at = |url| digest::Place::At(url);
        let places = match file.origin {
            Origin::Debian => roots.iter().map(|root| at(root.join(&file.file))).collect(),
            Origin::Pypi => {
                let listed = |root| digest::Place::Listed { root, project: file.name.clone(), file: file.file.clone() };
                roots.into_iter().map(listed).collect()
            }
            Origin::Upstream => {
                let Some(known) = stdlib::source::file(&file.sha256)? else {
                    return Err(Finding::error(codes::FETCH_NOT_FOUND, format!("no release has {}", file.file)).help(
                        "the lock is of another version of this program; make it again: `clnstrt-cli lock --update`",
                    ));
                };
                let mut places: Vec<_> = roots.iter().map(|root| at(root.join(&known.file))).collect();
                // Debian's archives are nearer than a project's own site, and their bytes are the same or not taken.
                if let Ok(archives) = self.roots(Origin::Debian).await {
                    let paths = known.debian.iter();
                    places.extend(paths.flat_map(|path| archives.iter().map(|root| at(root.join(path)))));
                }
                places.extend(known.url.iter().filter_map(|url| url.parse().ok()).map(at));
                places
            }
        };
        self.fetch(file.origin, &file.file, places, &file.sha256, file.size).await
    }

    /// Sees to it that the object is in the store; each of `paths`, relative to a root, is tried on every root of
    /// the source. A `size` of 0 is unknown.
    ///
    /// # Errors
    /// As [`Fetcher::files`].
    pub async fn by_digest(&self, origin: Origin, paths: &[String], digest: &Digest, size: u64) -> Result<(), Finding> {
        if self.store.has(digest) {
            return Ok(());
        }
        let name = paths.last().map_or("", String::as_str);
        if self.options.offline {
            return Err(offline(name));
        }
        let roots = self.roots(origin).await?;
        let places = paths.iter().flat_map(|path| roots.iter().map(|root| digest::Place::At(root.join(path))));
        self.fetch(origin, name, places.collect(), digest, size).await
    }
}

fn offline(name: &str) -> Finding {
    Finding::error(codes::OFFLINE, format!("{name} is not in the store, and the build is offline"))
        .help("Build once without --offline, or import a bundle that has it with `clnstrt-cli bundle import`.")
}

/// Runs what waits for a disk or another program on a thread of its own.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Finding> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|e| Finding::error(codes::FETCH_FAILED, "fetching was interrupted").because(e.to_string()))
}
