//! Documents that change: cached by URL, confirmed with their server after a while.

use std::sync::PoisonError;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use model::lock::Origin;
use model::{Digest, Finding};
use reqwest::header::{
    ACCEPT, CONTENT_TYPE, ETAG, HeaderMap, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED,
};
use reqwest::{StatusCode, Url};
use serde::{Deserialize, Serialize};

use super::failure::{self, Failure, Kind};
use super::{Fetcher, offline};
use crate::sources::Root;

/// Within this time a document is used without asking again.
const YOUNG: Duration = Duration::from_secs(10 * 60);
/// The largest page of a project.
const PAGE_LIMIT: u64 = 64 << 20;
/// PEP 691: JSON where there is any, else what PEP 503 serves.
const PAGE_TYPES: &str =
    "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1";

/// A document as its server gave it; its bytes are also in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Their digest.
    pub digest: Digest,
    /// `Content-Type`, or empty.
    pub content_type: String,
    /// Whether every server on the way proved its name when the bytes were fetched.
    pub over_tls: bool,
    /// Where redirects ended: what relative links in it are relative to.
    pub url: Url,
}

/// What is remembered of an answer.
#[derive(Clone, Serialize, Deserialize)]
struct Cached {
    /// The document, or `None` where the server had none.
    body: Option<Digest>,
    content_type: String,
    over_tls: bool,
    url: String,
    etag: Option<String>,
    last_modified: Option<String>,
    /// Seconds since 1970.
    fetched_at: u64,
}

impl Fetcher {
    /// A document that may change, of at most `limit` bytes; `None` where the server says there is none.
    ///
    /// # Errors
    /// `OFFLINE`, `FETCH_FAILED`, `FETCH_TOO_LARGE`, `STORE_IO`.
    pub async fn document(
        &self,
        origin: Origin,
        root: &Root,
        path: &str,
        limit: u64,
    ) -> Result<Option<Document>, Finding> {
        self.http.trust(std::slice::from_ref(root));
        let url = root.join(path);
        let key = Digest::of(format!("document {url}").as_bytes());
        let known = self.cached(&key, limit);
        if let Some((cached, document)) = &known
            && (self.options.offline || self.is_fresh(&key, cached))
        {
            return Ok(document.clone());
        }
        if self.options.offline {
            return Err(offline(path));
        }
        let result = self.http.retrying(&url, async || self.ask(origin, &url, limit, known.as_ref()).await).await;
        let (cached, document) = match result {
            Ok(answer) => answer,
            Err(Failure { kind: Kind::NotFound, .. }) => (absent(&url), None),
            Err(Failure { kind: Kind::Local(finding), .. }) => return Err(*finding),
            Err(failure) => return Err(failure::finding(path, origin.name(), vec![(url, failure)])),
        };
        if let Ok(bytes) = serde_json::to_vec(&cached) {
            self.store.record_metadata(&key, &bytes)?;
        }
        self.confirmed.lock().unwrap_or_else(PoisonError::into_inner).insert(key);
        Ok(document)
    }

    /// The page of a Python project, from the first index that knows it.
    ///
    /// # Errors
    /// As [`Fetcher::document`], and `SOURCE_UNKNOWN`.
    pub async fn pypi_page(&self, name: &str) -> Result<Option<Document>, Finding> {
        let mut failed = None;
        for root in self.pypi_roots().await? {
            match self.page(&root, name).await {
                Ok(Some(document)) => return Ok(Some(document)),
                Ok(None) => {}
                Err(finding) => failed = failed.or(Some(finding)),
            }
        }
        // An index that could not be asked may know it.
        failed.map_or(Ok(None), Err)
    }

    pub(super) async fn page(&self, root: &Root, name: &str) -> Result<Option<Document>, Finding> {
        self.document(Origin::Pypi, root, &format!("{name}/"), PAGE_LIMIT).await
    }

    async fn ask(
        &self,
        origin: Origin,
        url: &Url,
        limit: u64,
        known: Option<&(Cached, Option<Document>)>,
    ) -> Result<(Cached, Option<Document>), Failure> {
        let mut headers = HeaderMap::new();
        if origin == Origin::Pypi {
            headers.insert(ACCEPT, HeaderValue::from_static(PAGE_TYPES));
        }
        if let Some((cached, Some(_))) = known {
            for (name, value) in [(IF_NONE_MATCH, &cached.etag), (IF_MODIFIED_SINCE, &cached.last_modified)] {
                if let Some(value) = value.as_ref().and_then(|value| value.parse().ok()) {
                    headers.insert(name, value);
                }
            }
        }
        let mut answer = self.http.get(url, &headers).await?;
        match (answer.response.status(), known) {
            (StatusCode::NOT_MODIFIED, Some((cached, document))) => {
                return Ok((Cached { fetched_at: now(), ..cached.clone() }, document.clone()));
            }
            (status, _) if !status.is_success() => {
                return Err(Failure::lasting(
                    Kind::Network,
                    format!("the server answers {status}, which was not asked for"),
                ));
            }
            _ => {}
        }
        let bytes = self.http.collect(&mut answer, limit).await?;
        let digest = self.store.put(&bytes)?;
        let header = |name| answer.response.headers().get(name).and_then(|value| Some(value.to_str().ok()?.to_owned()));
        let cached = Cached {
            body: Some(digest),
            content_type: header(CONTENT_TYPE).unwrap_or_default(),
            over_tls: answer.over_tls,
            url: answer.url.to_string(),
            etag: header(ETAG),
            last_modified: header(LAST_MODIFIED),
            fetched_at: now(),
        };
        let (content_type, over_tls, url) = (cached.content_type.clone(), cached.over_tls, answer.url);
        Ok((cached, Some(Document { bytes, digest, content_type, over_tls, url })))
    }

    /// What is remembered under a key, if the bytes are there and whole; damaged ones are fetched again.
    fn cached(&self, key: &Digest, limit: u64) -> Option<(Cached, Option<Document>)> {
        let cached: Cached = serde_json::from_slice(&self.store.metadata(key)?).ok()?;
        let Some(digest) = cached.body else {
            return Some((cached, None));
        };
        let Some(bytes) = self.store.whole(&digest, limit) else {
            if self.store.has(&digest) {
                self.progress.note(&format!("the stored object {digest} is damaged and not used"));
            }
            return None;
        };
        let (content_type, over_tls) = (cached.content_type.clone(), cached.over_tls);
        let document = Document { bytes, digest, content_type, over_tls, url: Url::parse(&cached.url).ok()? };
        Some((cached, Some(document)))
    }

    fn is_fresh(&self, key: &Digest, cached: &Cached) -> bool {
        let confirmed = self.confirmed.lock().unwrap_or_else(PoisonError::into_inner).contains(key);
        let young = (cached.fetched_at..cached.fetched_at.saturating_add(YOUNG.as_secs())).contains(&now());
        confirmed || (young && !self.options.refresh)
    }

    async fn pypi_roots(&self) -> Result<Vec<Root>, Finding> {
        self.roots(Origin::Pypi).await
    }
}

fn absent(url: &Url) -> Cached {
    Cached {
        body: None,
        content_type: String::new(),
        over_tls: false,
        url: url.to_string(),
        etag: None,
        last_modified: None,
        fetched_at: now(),
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}
