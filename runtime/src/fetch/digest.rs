//! Files whose digest is known: any place may have them.

use std::time::Duration;

use model::lock::Origin;
use model::{Digest, Finding};
use reqwest::header::{CONTENT_RANGE, HeaderMap, RANGE};
use reqwest::{StatusCode, Url};

use super::failure::{self, Failure, Kind};
use super::{Fetcher, blocking};
use crate::Task;
use crate::sources::Root;
use crate::store::Partial;

/// The largest file whose size nobody told.
const LIMIT: u64 = 8 << 30;
/// How often to look whether another process has finished a download of the same file.
const LOOK: Duration = Duration::from_millis(50);

/// Where a file may be.
pub(super) enum Place {
    /// Here.
    At(Url),
    /// Where the project's page on this index says.
    Listed { root: Root, project: String, file: String },
}

impl Fetcher {
    /// Downloads from the first place that has the right bytes. A `size` of 0 is unknown.
    pub(super) async fn fetch(
        &self,
        origin: Origin,
        name: &str,
        places: Vec<Place>,
        sha256: &Digest,
        size: u64,
    ) -> Result<(), Finding> {
        let Some(mut partial) = self.claim(sha256).await? else {
            return Ok(());
        };
        let task = self.progress.task(name.rsplit('/').next().unwrap_or(name), size);
        let mut failures = Vec::new();
        for place in places {
            let (url, located) = match place {
                Place::At(url) => (url.clone(), Ok(url)),
                Place::Listed { root, project, file } => {
                    let located = self.locate(&root, &project, &file, sha256).await;
                    (located.as_ref().map_or_else(|_| root.url.clone(), Url::clone), located)
                }
            };
            let pulled = match located {
                Ok(url) => {
                    self.http
                        .retrying(&url, async || self.pull(&url, &mut partial, sha256, size, task.as_ref()).await)
                        .await
                }
                Err(failure) => Err(failure),
            };
            match pulled {
                Ok(()) => {
                    let store = self.store.clone();
                    let committed =
                        blocking(move || partial.commit().map_err(|e| store.failed("an object cannot be written", &e)))
                            .await;
                    task.finish();
                    return committed?;
                }
                Err(Failure { kind: Kind::Local(finding), .. }) => {
                    task.finish();
                    return Err(*finding);
                }
                Err(failure) => failures.push((url, failure)),
            }
        }
        task.finish();
        Err(failure::finding(name, origin.name(), failures))
    }

    /// Takes the partial download, waiting while another process has it; `None` once the object is there.
    async fn claim(&self, sha256: &Digest) -> Result<Option<Partial>, Finding> {
        loop {
            let (store, sha256) = (self.store.clone(), *sha256);
            let claimed = blocking(move || {
                if store.has(&sha256) {
                    return Ok((true, None));
                }
                let partial = store.partial(&sha256).map_err(|e| store.failed("a download cannot be written", &e))?;
                // It may have been finished between looking and locking.
                Ok((store.has(&sha256), partial))
            })
            .await??;
            match claimed {
                (true, _) => return Ok(None),
                (false, Some(partial)) => return Ok(Some(partial)),
                (false, None) => tokio::time::sleep(LOOK).await,
            }
        }
    }

    /// One attempt at one URL, going on where the partial download ends.
    async fn pull(
        &self,
        url: &Url,
        partial: &mut Partial,
        sha256: &Digest,
        size: u64,
        task: &dyn Task,
    ) -> Result<(), Failure> {
        let local = |e: std::io::Error| Failure::from(self.store.failed("a download cannot be written", &e));
        let limit = if size == 0 { LIMIT } else { size };
        if partial.size() > limit {
            partial.restart().map_err(local)?;
        }
        let resumed = partial.size();
        let mut announced = true;
        if size == 0 || resumed < size {
            let mut headers = HeaderMap::new();
            if resumed > 0
                && let Ok(value) = format!("bytes={resumed}-").parse()
            {
                headers.insert(RANGE, value);
            }
            let mut answer = self.http.get(url, &headers).await?;
            match answer.response.status() {
                StatusCode::PARTIAL_CONTENT
                    if content_range(answer.response.headers()).is_some_and(|(start, _)| start == resumed) => {}
                StatusCode::OK => partial.restart().map_err(local)?,
                status => {
                    partial.restart().map_err(local)?;
                    return Err(Failure::passing(format!(
                        "the server answers {status} to a request that goes on at byte {resumed}"
                    )));
                }
            }
            // Without an announced length a body that broke off looks like a whole one.
            announced = answer.response.content_length().is_some();
            let result = self
                .http
                .body(&mut answer, |chunk| {
                    if partial.size() + chunk.len() as u64 > limit {
                        return Err(Failure::lasting(
                            Kind::WrongDigest,
                            format!("it has more than the expected {limit} bytes"),
                        ));
                    }
                    task.advance(chunk.len() as u64);
                    partial.append(chunk).map_err(local)
                })
                .await;
            if let Err(failure) = result {
                if matches!(failure.kind, Kind::WrongDigest) {
                    partial.restart().map_err(local)?;
                    // What was there before may be the wrong part.
                    let again = (resumed > 0).then_some(Duration::ZERO);
                    return Err(Failure { again, ..failure });
                }
                return Err(failure);
            }
        }
        if partial.size() < size && !announced {
            return Err(Failure::passing(format!("it ended after {} of {size} bytes", partial.size())));
        }
        let found = partial.digest();
        if found == *sha256 {
            return Ok(());
        }
        partial.restart().map_err(local)?;
        let again = (resumed > 0).then_some(Duration::ZERO);
        Err(Failure { again, ..Failure::lasting(Kind::WrongDigest, format!("expected {sha256}, got {found}")) })
    }
}

/// First byte and total size in `Content-Range: bytes 5-9/10`.
pub(super) fn content_range(headers: &HeaderMap) -> Option<(u64, u64)> {
    let value = headers.get(CONTENT_RANGE)?.to_str().ok()?.strip_prefix("bytes ")?;
    let (range, total) = value.split_once('/')?;
    Some((range.split_once('-')?.0.parse().ok()?, total.parse().ok()?))
}
