//! What is in a repository.

use model::{Digest, Finding, Hasher, Reference, codes};
use net::{Failure, Kind, body, collect};
use reqwest::Method;
use reqwest::Response;
use reqwest::header::{CONTENT_TYPE, RANGE};
use serde::Deserialize;

use crate::manifest::{INDEX, MANIFEST, Manifest};
use crate::repository::{Ask, Repository};

/// Bytes of a manifest or an index; registries take no more than four million.
pub(crate) const LARGEST: u64 = 4 << 20;
/// What manifests may be: those of OCI and of docker.
pub(crate) const MANIFESTS: &str = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, \
                         application/vnd.docker.distribution.manifest.list.v2+json, \
                         application/vnd.docker.distribution.manifest.v2+json";

/// What a manifest says it is. Whether the rest of it is one is seen by who reads that.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Said {
    #[serde(default)]
    media_type: String,
}

/// A manifest or an index, as its bytes are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// What it says it is, or the server.
    pub media_type: String,
    /// Its digest.
    pub digest: Digest,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

impl Document {
    /// Bytes that are to have a digest; their type is what they say it is.
    pub(crate) fn of(bytes: Vec<u8>, wanted: &Digest) -> Result<Self, Finding> {
        let digest = Digest::of(&bytes);
        let mut document = Self { media_type: String::new(), digest, bytes };
        if digest != *wanted {
            let message = format!("what is called {wanted} is {digest}");
            return Err(Finding::error(codes::ARCHIVE_UNKNOWN, message).help("make the layout or archive again"));
        }
        document.media_type = match document.parsed()? {
            Manifest { media_type, .. } if !media_type.is_empty() => media_type,
            // Manifests need not say it (image specification 1.1, "mediaType").
            Manifest { config: Some(_), .. } => MANIFEST.to_owned(),
            Manifest { .. } => INDEX.to_owned(),
        };
        Ok(document)
    }

    /// What it says.
    pub(crate) fn parsed(&self) -> Result<Manifest, Finding> {
        serde_json::from_slice(&self.bytes).map_err(|e| {
            let message = format!("the manifest {} cannot be understood: {e}", self.digest);
            Finding::error(codes::ARCHIVE_UNKNOWN, message).help("whoever made the image has to make it again")
        })
    }
}

impl Repository<'_> {
    /// The manifest of a tag or a digest; `None` if there is none. By a digest it is what that names.
    ///
    /// # Errors
    /// `REGISTRY_…`.
    pub async fn manifest(&self, name: &str) -> Result<Option<Document>, Finding> {
        self.document(name).await.map_err(|failure| self.finding(&format!("reading the manifest {name} of"), failure))
    }

    /// The same, where there has to be one.
    ///
    /// # Errors
    /// `REGISTRY_MISSING` where there is none; `REGISTRY_…`.
    pub(crate) async fn existing(&self, name: &str) -> Result<Document, Finding> {
        self.manifest(name).await?.ok_or_else(|| {
            Finding::error(codes::REGISTRY_MISSING, format!("{self} has no manifest {name}"))
                .help("see whether name, tag and digest are written as they were pushed")
        })
    }

    /// The manifest a reference names now. Only its digest counts, where it has one; a tag beside it has to name the same.
    ///
    /// # Errors
    /// `REFERENCE_INVALID` where it has neither, `TAG_TAKEN` where the tag names something else; `REGISTRY_…`.
    pub async fn named(&self, reference: &Reference) -> Result<Document, Finding> {
        let name = reference.tag.clone().or_else(|| Some(reference.digest?.to_string())).ok_or_else(|| {
            Finding::error(codes::REFERENCE_INVALID, format!("`{reference}` names neither tag nor digest"))
                .help("name one: `registry.example/team/app:1.2`")
        })?;
        let found = self.existing(&name).await?;
        match reference.digest.filter(|wanted| *wanted != found.digest) {
            None => Ok(found),
            Some(wanted) => {
                let message = format!("{self}:{name} names {} now, not {wanted}", found.digest);
                Err(Finding::error(codes::TAG_TAKEN, message).help("leave the tag out if the digest is what is meant"))
            }
        }
    }

    async fn document(&self, name: &str) -> Result<Option<Document>, Failure> {
        let ask = Ask::new(Method::GET, self.url(&format!("manifests/{name}"))?).accepting(MANIFESTS);
        let wanted = name.parse::<Digest>().ok();
        self.client
            .patience
            .retrying(async || {
                let mut response = self.ask(&ask, &[404]).await?;
                if response.status().as_u16() == 404 {
                    return Ok(None);
                }
                let mut media_type = media_type(&response);
                let bytes = collect(&mut response, self.stall(), LARGEST).await?;
                let digest = Digest::of(&bytes);
                if let Some(wanted) = wanted.filter(|wanted| *wanted != digest) {
                    return Err(lies(&wanted, &digest));
                }
                let said = serde_json::from_slice::<Said>(&bytes);
                let said = said.map_err(|e| Failure::lasting(Kind::WrongDigest, format!("it is none: {e}")))?;
                // What a document says of itself is under its digest; what the server says of it is not.
                if !said.media_type.is_empty() {
                    media_type = said.media_type;
                }
                Ok(Some(Document { media_type, digest, bytes }))
            })
            .await
    }

    /// Reads a blob of at most `limit` bytes piece by piece. Where an answer breaks off, the next goes on from there. Only after the
    /// last piece is it known that they are what the digest names.
    ///
    /// # Errors
    /// `REGISTRY_…`; what `sink` fails with.
    pub async fn read_blob(
        &self,
        digest: &Digest,
        limit: u64,
        mut sink: impl FnMut(&[u8]) -> Result<(), Finding>,
    ) -> Result<(), Finding> {
        let doing = format!("reading {digest} from");
        let url = self.url(&format!("blobs/{digest}")).map_err(|failure| self.finding(&doing, failure))?;
        let (mut hasher, mut received) = (Hasher::new(), 0_u64);
        let read = self.client.patience.retrying(async || {
            let mut ask = Ask::new(Method::GET, url.clone());
            if received > 0 {
                ask = ask.with(RANGE, &format!("bytes={received}-"));
            }
            let mut response = self.ask(&ask, &[]).await?;
            // One that knows no ranges begins anew: what is known already is passed over.
            let mut known = if response.status().as_u16() == 206 { 0 } else { received };
            body(&mut response, self.stall(), |piece| {
                let skipped = usize::try_from(known).unwrap_or(usize::MAX).min(piece.len());
                known -= skipped as u64;
                let piece = piece.get(skipped..).unwrap_or_default();
                received += piece.len() as u64;
                if received > limit {
                    return Err(Failure::lasting(Kind::TooLarge, format!("it has more than {limit} bytes")));
                }
                hasher.update(piece);
                Ok(sink(piece)?)
            })
            .await
        });
        read.await.map_err(|failure| self.finding(&doing, failure))?;
        let found = hasher.finish();
        if found == *digest { Ok(()) } else { Err(self.finding(&doing, lies(digest, &found))) }
    }
}

/// What the server says the body is, without parameters.
pub(crate) fn media_type(response: &Response) -> String {
    let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.split(';').next().unwrap_or_default().trim().to_owned()
}

pub(crate) fn lies(wanted: &Digest, found: &Digest) -> Failure {
    Failure::lasting(Kind::WrongDigest, format!("asked for {wanted}, it gives bytes whose digest is {found}"))
}
