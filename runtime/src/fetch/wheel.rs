//! The core metadata of a wheel, fetched with as few bytes as its server allows.

use std::io::{Read, Seek, Write as _};

use inspect::pypi::{Page, PageFile};
use model::lock::Origin;
use model::{Digest, Finding, Hasher, codes};
use reqwest::header::{HeaderMap, HeaderValue, RANGE};
use reqwest::{StatusCode, Url};

use super::digest::content_range;
use super::document::Document;
use super::failure::{Failure, Kind};
use super::sparse::Sparse;
use super::{Fetcher, Wanted, blocking, offline};
use crate::sources::Root;

/// The largest METADATA file.
const LIMIT: u64 = 16 << 20;
/// What the first request asks for: enough for the directory of most wheels. Each further one asks for more.
const PART: u64 = 64 << 10;
const LARGEST_PART: u64 = 1 << 20;
/// The directory of the largest wheels and their METADATA need fewer requests than this.
const PARTS: u32 = 32;

impl Fetcher {
    /// The METADATA of a wheel: the file beside it (PEP 658), else the bytes read out of its end, else out of the whole
    /// wheel, which is then in the store. What does not come out of the whole wheel is not covered by the wheel's digest:
    /// it is compared once the wheel is fetched.
    ///
    /// # Errors
    /// `OFFLINE`, `SOURCE_UNKNOWN`, `FETCH_…`, `STORE_…`, `WHEEL_INVALID`.
    pub async fn wheel_metadata(&self, name: &str, file: &str, sha256: &Digest) -> Result<Vec<u8>, Finding> {
        // What servers gave apart from the wheel is only remembered as theirs: a verified wheel says it better, and an
        // index that is asked instead of one that was wrong must not be answered for by it.
        let sources: Vec<String> = self.roots(Origin::Pypi).await?.iter().map(|root| root.url.to_string()).collect();
        let key = Digest::of(format!("wheel metadata 2 {sha256} {sources:?}").as_bytes());
        if self.store.has(sha256) {
            return self.out_of_store(file, sha256).await;
        }
        if let Some(bytes) = self.remembered(&key).filter(|_| !self.options.refresh) {
            return Ok(bytes);
        }
        let bytes = if self.options.offline {
            return Err(offline(&format!("the metadata of {file}")));
        } else if let Some(bytes) = self.without_wheel(name, file, sha256).await? {
            bytes
        } else {
            let wanted =
                Wanted { origin: Origin::Pypi, name: name.into(), file: file.into(), sha256: *sha256, size: 0 };
            self.file(&wanted).await?;
            self.out_of_store(file, sha256).await?
        };
        let digest = self.store.put(&bytes)?;
        self.store.record(&key, digest.to_string().as_bytes())?;
        Ok(bytes)
    }

    fn remembered(&self, key: &Digest) -> Option<Vec<u8>> {
        let digest: Digest = String::from_utf8(self.store.action(key)?).ok()?.parse().ok()?;
        self.store.has(&digest).then(|| self.store.read(&digest, LIMIT).ok()).flatten()
    }

    /// The metadata from any index that gives it apart from the wheel.
    async fn without_wheel(&self, name: &str, file: &str, sha256: &Digest) -> Result<Option<Vec<u8>>, Finding> {
        for root in self.roots(Origin::Pypi).await? {
            let Ok((url, listed)) = self.listed(&root, name, file, sha256).await else {
                continue;
            };
            let beside = self.beside(&url, &listed).await;
            let result = match beside {
                Ok(bytes) => Ok(bytes),
                Err(Failure { kind: Kind::Local(finding), .. }) => return Err(*finding),
                Err(_) => self.out_of_ranges(&url, file).await,
            };
            match result {
                Ok(bytes) => return Ok(Some(bytes)),
                Err(Failure { kind: Kind::Local(finding), .. }) => return Err(*finding),
                Err(_) => {}
            }
        }
        Ok(None)
    }

    /// Where a page says a file is.
    pub(super) async fn locate(&self, root: &Root, name: &str, file: &str, sha256: &Digest) -> Result<Url, Failure> {
        self.listed(root, name, file, sha256).await.map(|(url, _)| url)
    }

    async fn listed(&self, root: &Root, name: &str, file: &str, sha256: &Digest) -> Result<(Url, PageFile), Failure> {
        let page = match self.page(root, name).await {
            Ok(Some(document)) => parse(&document, name)?,
            Ok(None) => {
                return Err(Failure::lasting(Kind::NotFound, format!("the index does not know {name}")));
            }
            Err(finding) => return Err(as_failure(finding)),
        };
        let (base, page) = page;
        let Some(listed) = page.files.into_iter().find(|listed| listed.name == file) else {
            return Err(Failure::lasting(Kind::NotFound, format!("the page of {name} does not list {file}")));
        };
        if let Some(other) = listed.sha256.filter(|digest| digest != sha256) {
            return Err(Failure::lasting(
                Kind::WrongDigest,
                format!("the index lists {file} with {other}, expected {sha256}"),
            ));
        }
        let url = base.join(&listed.url).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        let Some(mut url) = url else {
            return Err(Failure::lasting(Kind::Network, format!("the page of {name} has no usable link to {file}")));
        };
        url.set_fragment(None);
        Ok((url, listed))
    }

    /// The `.metadata` file beside the wheel; many servers have it without advertising it.
    async fn beside(&self, wheel: &Url, listed: &PageFile) -> Result<Vec<u8>, Failure> {
        let mut url = wheel.clone();
        url.set_path(&format!("{}.metadata", wheel.path()));
        let bytes = self
            .http
            .retrying(&url, async || {
                let mut answer = self.http.get(&url, &HeaderMap::new()).await?;
                self.http.collect(&mut answer, LIMIT).await
            })
            .await?;
        let advertised = listed.metadata.as_ref().and_then(|hash| hash.sha256);
        if advertised.is_some_and(|digest| digest != Digest::of(&bytes)) {
            return Err(Failure::lasting(Kind::WrongDigest, "the metadata is not what the index advertises"));
        }
        // Servers that answer every request with some page are not believed.
        if memchr::memmem::find(&bytes, b"Metadata-Version:").is_none() {
            return Err(Failure::lasting(Kind::Network, "the answer is no metadata"));
        }
        Ok(bytes)
    }

    /// Reads METADATA through byte ranges, from the wheel's end.
    async fn out_of_ranges(&self, url: &Url, file: &str) -> Result<Vec<u8>, Failure> {
        let (start, total, bytes) = self.range(url, &format!("bytes=-{PART}")).await?;
        let mut sparse = Sparse::new(total);
        sparse.add(start, bytes);
        for part in 0..PARTS {
            let length = PART.saturating_mul(1 << part).min(LARGEST_PART);
            let result = metadata_in(&mut sparse, file);
            let Some(from) = sparse.lacks else {
                return result.map_err(|e| Failure::lasting(Kind::Network, e.message));
            };
            let (start, _, bytes) =
                self.range(url, &format!("bytes={from}-{}", from.saturating_add(length - 1))).await?;
            if start != from || bytes.is_empty() {
                return Err(Failure::lasting(Kind::Network, "the server answers with another range"));
            }
            sparse.add(start, bytes);
        }
        Err(Failure::lasting(Kind::Network, "its directory is too large to be read in parts"))
    }

    /// One byte range: its start, the size of the whole, its bytes.
    async fn range(&self, url: &Url, range: &str) -> Result<(u64, u64, Vec<u8>), Failure> {
        let mut headers = HeaderMap::new();
        headers
            .insert(RANGE, HeaderValue::from_str(range).map_err(|e| Failure::lasting(Kind::Network, e.to_string()))?);
        self.http
            .retrying(url, async || {
                let mut answer = self.http.get(url, &headers).await?;
                let range = content_range(answer.response.headers());
                let Some((start, total)) = range.filter(|_| answer.response.status() == StatusCode::PARTIAL_CONTENT)
                else {
                    return Err(Failure::lasting(Kind::Network, "the server does not serve byte ranges"));
                };
                Ok((start, total, self.http.collect(&mut answer, LARGEST_PART).await?))
            })
            .await
    }

    /// METADATA out of a wheel in the store, after the wheel was verified.
    async fn out_of_store(&self, file: &str, sha256: &Digest) -> Result<Vec<u8>, Finding> {
        let (store, file, sha256) = (self.store.clone(), file.to_owned(), *sha256);
        blocking(move || {
            let mut wheel = store.open_blob(&sha256)?;
            let mut hasher = Hasher::new();
            let read = std::io::copy(&mut wheel, &mut hasher).and_then(|_| hasher.flush());
            read.map_err(|e| store.failed(&format!("{sha256} cannot be read"), &e))?;
            if hasher.finish() != sha256 {
                return Err(store.damaged(&sha256));
            }
            metadata_in(&mut wheel, &file)
        })
        .await?
    }
}

/// The page and what its links are relative to.
fn parse(document: &Document, name: &str) -> Result<(Url, Page), Failure> {
    let page = Page::parse(&document.bytes, &document.content_type, name).map_err(|finding| {
        Failure::lasting(Kind::Network, format!("the page of {name} cannot be read: {}", finding.message))
    })?;
    Ok((document.url.clone(), page))
}

/// A page that could not be had is a failure of its index only, unless this machine is the cause.
fn as_failure(finding: Finding) -> Failure {
    if finding.code == codes::STORE_IO {
        return finding.into();
    }
    let text = std::iter::once(finding.message).chain(finding.causes).collect::<Vec<_>>().join(": ");
    Failure::lasting(Kind::Network, text)
}

/// The one METADATA of a wheel (PEP 427).
fn metadata_in(wheel: &mut (impl Read + Seek), file: &str) -> Result<Vec<u8>, Finding> {
    let invalid = |cause: String| {
        Finding::error(codes::WHEEL_INVALID, format!("the metadata of {file} cannot be read"))
            .because(cause)
            .help("The file is broken on its index: choose another version.")
    };
    let mut archive = zip::ZipArchive::new(wheel).map_err(|e| invalid(e.to_string()))?;
    let is_metadata = |at: &usize| {
        let name = archive.name_for_index(*at).and_then(Result::ok);
        name.is_some_and(|name| name.strip_suffix(".dist-info/METADATA").is_some_and(|stem| !stem.contains('/')))
    };
    let found: Vec<usize> = (0..archive.len()).filter(is_metadata).collect();
    let [at] = found.as_slice() else {
        return Err(invalid(format!("expected one .dist-info/METADATA, found {}", found.len())));
    };
    let member = archive.by_index(*at).map_err(|e| invalid(e.to_string()))?;
    let mut bytes = Vec::new();
    member.take(LIMIT + 1).read_to_end(&mut bytes).map_err(|e| invalid(e.to_string()))?;
    if bytes.len() as u64 > LIMIT {
        return Err(invalid(format!("it has more than {LIMIT} bytes")));
    }
    Ok(bytes)
}
