//! What is in a repository.

use model::{Digest, Finding, Hasher};
use net::{Failure, Kind, body, collect};
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderValue, RANGE};

use crate::client::{Ask, Repository};

/// Bytes of a manifest or an index; registries take no more than four million.
const LARGEST: u64 = 4 << 20;
/// What manifests may be: those of OCI and of docker.
const MANIFESTS: &str = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, \
                         application/vnd.docker.distribution.manifest.list.v2+json, \
                         application/vnd.docker.distribution.manifest.v2+json";

/// A manifest or an index, as its bytes are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Document {
    /// What the server says it is.
    pub(crate) media_type: String,
    /// Its digest.
    pub(crate) digest: Digest,
    /// Its bytes.
    pub(crate) bytes: Vec<u8>,
}

impl Repository<'_> {
    /// The manifest of a tag or a digest; `None` if there is none. By a digest it is what that names.
    ///
    /// # Errors
    /// `REGISTRY_…`.
    pub(crate) async fn manifest(&self, name: &str) -> Result<Option<Document>, Finding> {
        self.document(name).await.map_err(|failure| self.finding(&format!("reading the manifest {name} of"), failure))
    }

    async fn document(&self, name: &str) -> Result<Option<Document>, Failure> {
        let ask = Ask::new(Method::GET, self.url(&format!("manifests/{name}"))?).accepting(MANIFESTS);
        let wanted = name.parse::<Digest>().ok();
        self.client
            .retrying(async || {
                let mut response = self.ask(&ask, &[404]).await?;
                if response.status().as_u16() == 404 {
                    return Ok(None);
                }
                let media_type = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
                let media_type = media_type.unwrap_or_default().split(';').next().unwrap_or_default().trim().to_owned();
                let bytes = collect(&mut response, self.stall(), LARGEST).await?;
                let digest = Digest::of(&bytes);
                match wanted {
                    Some(wanted) if wanted != digest => Err(lies(&wanted, &digest)),
                    _ => Ok(Some(Document { media_type, digest, bytes })),
                }
            })
            .await
    }

    /// Reads a blob of at most `limit` bytes piece by piece. Where an answer breaks off, the next goes on from there. Only after the
    /// last piece is it known that they are what the digest names.
    ///
    /// # Errors
    /// `REGISTRY_…`; what `sink` fails with.
    pub(crate) async fn read_blob(
        &self,
        digest: &Digest,
        limit: u64,
        mut sink: impl FnMut(&[u8]) -> Result<(), Finding>,
    ) -> Result<(), Finding> {
        let doing = format!("reading {digest} from");
        let url = self.url(&format!("blobs/{digest}")).map_err(|failure| self.finding(&doing, failure))?;
        let (mut hasher, mut received) = (Hasher::new(), 0_u64);
        let read = self.client.retrying(async || {
            let mut ask = Ask::new(Method::GET, url.clone());
            if received > 0
                && let Ok(range) = HeaderValue::from_str(&format!("bytes={received}-"))
            {
                ask.headers.insert(RANGE, range);
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

fn lies(wanted: &Digest, found: &Digest) -> Failure {
    Failure::lasting(Kind::WrongDigest, format!("asked for {wanted}, it gives bytes whose digest is {found}"))
}
