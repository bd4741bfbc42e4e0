//! Blobs and manifests on their way to a repository (distribution specification 1.1, "Push").

use futures::join;
use model::{Digest, Finding};
use net::{Failure, Kind, collect, refused};
use reqwest::header::{CONTENT_RANGE, HeaderName, RANGE};
use reqwest::{Method, Response, Url};
use tokio::sync::OnceCell;

use crate::content::Content;
use crate::pull::{Document, LARGEST, MANIFESTS, lies};
use crate::repository::{Ask, Repository};

/// A blob of at most so many bytes is sent whole.
const WHOLE: u64 = 8 << 20;
/// Of a larger one, so many bytes at a time: what a connection that breaks off loses at most.
const PIECE: u64 = 32 << 20;
const OCTETS: &str = "application/octet-stream";
/// What a registry says of bytes it took.
const CONTENT_DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");
/// That a registry lists referrers by itself.
const OCI_SUBJECT: HeaderName = HeaderName::from_static("oci-subject");

/// What a registry says that misses a blob of a manifest (distribution specification 1.1, "Error Codes").
const BLOB_UNKNOWN: &[u8] = b"MANIFEST_BLOB_UNKNOWN";

/// How a blob came to a repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Came {
    /// It was there.
    Found,
    /// From another repository of the registry.
    Mounted,
    /// It was sent.
    Sent,
}

/// An upload that has begun: where it goes on, and how much of it is there.
struct Begun {
    url: Url,
    at: u64,
}

impl Repository<'_> {
    /// Sees to it that a blob is there; another repository may have it. Its content is asked for only if nobody there has it, and
    /// compared with its digest before the upload ends.
    ///
    /// # Errors
    /// `REGISTRY_…`; `ARCHIVE_UNKNOWN` where the content is another.
    pub(crate) async fn put_blob(
        &self,
        digest: &Digest,
        content: impl AsyncFn() -> Result<Content, Finding>,
        elsewhere: Option<&str>,
    ) -> Result<Came, Finding> {
        let mut begun: Option<Begun> = None;
        let (bytes, checked) = (OnceCell::new(), OnceCell::new());
        let check = async |content: &Content| checked.get_or_try_init(|| content.check(digest)).await.map(drop);
        let put = self.client.patience.retrying(async || {
            // What an attempt began is gone on with, unless the registry forgot it.
            let known = match begun.take() {
                Some(before) => self.reached(&before.url).await?,
                None => None,
            };
            let upload = match known {
                Some(upload) => upload,
                None => {
                    // An attempt may have come to its end without our hearing of it.
                    if self.has_blob(digest).await? {
                        return Ok(Came::Found);
                    }
                    // What is not to be taken from elsewhere is read meanwhile.
                    let early = async || match elsewhere {
                        None => match bytes.get_or_try_init(|| content()).await? {
                            small if small.size() <= WHOLE => check(small).await,
                            _ => Ok(()),
                        },
                        Some(_) => Ok(()),
                    };
                    let (begun, read) = join!(self.begin(digest, elsewhere), early());
                    read?;
                    match begun? {
                        Some(upload) => upload,
                        None => return Ok(Came::Mounted),
                    }
                }
            };
            let content = bytes.get_or_try_init(|| content()).await?;
            let size = content.size();
            if size <= WHOLE && upload.at == 0 {
                check(content).await?;
                let ask = Ask::new(Method::PUT, closing(&upload.url, digest)).sending(OCTETS, content, 0..size);
                self.ask(&ask, &[]).await?;
                return Ok(Came::Sent);
            }
            // A large one is hashed beside what is sent.
            let (sent, same) = join!(self.put_pieces(upload, content, &mut begun), check(content));
            same?;
            let upload = sent?;
            let ask = Ask::new(Method::PUT, closing(&upload.url, digest)).sending(OCTETS, content, size..size);
            self.ask(&ask, &[]).await?;
            Ok(Came::Sent)
        });
        put.await.map_err(|failure| self.finding(&format!("sending {digest} to"), failure))
    }

    /// Sends what is missing of an upload. Where that breaks off, `begun` says how far it came.
    async fn put_pieces(
        &self,
        mut upload: Begun,
        content: &Content,
        begun: &mut Option<Begun>,
    ) -> Result<Begun, Failure> {
        let size = content.size();
        while upload.at < size {
            let end = size.min(upload.at + PIECE);
            let ask = Ask::new(Method::PATCH, upload.url.clone())
                .with(CONTENT_RANGE, &format!("{}-{}", upload.at, end - 1))
                .sending(OCTETS, content, upload.at..end);
            let taken = match self.ask(&ask, &[416]).await {
                // It has another part of it than was thought.
                Ok(response) if response.status().as_u16() == 416 => self.reached(&upload.url).await?,
                Ok(response) => Some(self.taken(&response)?),
                Err(failure) => {
                    *begun = Some(upload);
                    return Err(failure);
                }
            };
            let moved = taken.filter(|taken| taken.at > upload.at && taken.at <= size);
            upload = moved.ok_or_else(|| Failure::passing("it does not keep what is sent"))?;
        }
        Ok(upload)
    }

    async fn has_blob(&self, digest: &Digest) -> Result<bool, Failure> {
        let ask = Ask::new(Method::HEAD, self.url(&format!("blobs/{digest}"))?);
        Ok(self.ask(&ask, &[404]).await?.status().is_success())
    }

    /// Begins an upload; `None` if the blob is there now, taken from elsewhere.
    async fn begin(&self, digest: &Digest, elsewhere: Option<&str>) -> Result<Option<Begun>, Failure> {
        let mut url = self.url("blobs/uploads/")?;
        if let Some(other) = elsewhere {
            url.query_pairs_mut().append_pair("mount", &digest.to_string()).append_pair("from", other);
        }
        let response = self.ask(&Ask::new(Method::POST, url).reading(elsewhere), &[]).await?;
        if response.status().as_u16() == 201 {
            return Ok(None);
        }
        Ok(Some(Begun { url: self.location(&response)?, at: 0 }))
    }

    /// How far an upload has come; `None` if the registry does not know it any more.
    async fn reached(&self, url: &Url) -> Result<Option<Begun>, Failure> {
        let response = self.ask(&Ask::new(Method::GET, url.clone()), &[404, 405]).await?;
        if response.status().is_success() { self.taken(&response).map(Some) } else { Ok(None) }
    }

    /// What a registry says it has of an upload.
    fn taken(&self, response: &Response) -> Result<Begun, Failure> {
        let range = response.headers().get(RANGE).and_then(|range| range.to_str().ok());
        let last = range.and_then(|range| range.trim_start_matches("bytes=").split_once('-')?.1.parse::<u64>().ok());
        // Of nothing, registries say that it ends at 0.
        let at = last.filter(|last| *last > 0).map_or(0, |last| last.saturating_add(1));
        Ok(Begun { url: self.location(response)?, at })
    }

    /// The digest of the manifest a name has; `None` if there is none. `what` is a tag or a digest.
    ///
    /// # Errors
    /// `REGISTRY_…`.
    pub(crate) async fn resolve(&self, what: &str) -> Result<Option<Digest>, Finding> {
        let resolved = self.client.patience.retrying(async || {
            let ask = Ask::new(Method::HEAD, self.url(&format!("manifests/{what}"))?).accepting(MANIFESTS);
            let response = self.ask(&ask, &[404]).await?;
            Ok(response.status().is_success().then(|| said(&response)))
        });
        let resolved = resolved.await.map_err(|failure| self.finding(&format!("looking for {what} in"), failure))?;
        match resolved {
            None => Ok(None),
            Some(Some(digest)) => Ok(Some(digest)),
            // A registry need not say it: then the manifest does.
            Some(None) => Ok(self.manifest(what).await?.map(|document| document.digest)),
        }
    }

    /// Puts a manifest under a tag or its digest; answers whether the registry lists what refers to others by itself.
    ///
    /// # Errors
    /// `REGISTRY_…`.
    pub(crate) async fn put_manifest(&self, name: &str, document: &Document) -> Result<bool, Finding> {
        let content = Content::from(document.bytes.clone());
        let put = self.client.patience.retrying(async || {
            let url = self.url(&format!("manifests/{name}"))?;
            let ask = Ask::new(Method::PUT, url).sending(&document.media_type, &content, 0..content.size());
            let mut response = self.ask(&ask, &[400]).await?;
            if response.status().as_u16() == 400 {
                let failure = refused(&response);
                let words = collect(&mut response, self.stall(), LARGEST).await.unwrap_or_default();
                // Where others send the same blob at the same time, some lose sight of it for a moment.
                let is_unseen = words.windows(BLOB_UNKNOWN.len()).any(|part| part == BLOB_UNKNOWN);
                return Err(if is_unseen { Failure::passing(failure.text) } else { failure });
            }
            match said(&response) {
                Some(found) if found != document.digest => Err(lies(&document.digest, &found)),
                _ => Ok(response.headers().contains_key(OCI_SUBJECT)),
            }
        });
        put.await.map_err(|failure| {
            let failure = match failure.kind {
                // Registries answer so where a manifest names blobs they do not have.
                Kind::NotFound => Failure { kind: Kind::Network, ..failure },
                _ => failure,
            };
            self.finding(&format!("writing the manifest {name} to"), failure)
        })
    }
}

/// The address that ends an upload.
fn closing(url: &Url, digest: &Digest) -> Url {
    let mut url = url.clone();
    url.query_pairs_mut().append_pair("digest", &digest.to_string());
    url
}

/// The digest a registry says something has.
fn said(response: &Response) -> Option<Digest> {
    response.headers().get(CONTENT_DIGEST)?.to_str().ok()?.parse().ok()
}
