//! What refers to an image: signatures and attestations (distribution specification 1.1, "Listing Referrers" and "Referrers Tag
//! Schema").

use model::{Digest, Finding, canonical_json};
use net::{Failure, Kind, collect};
use reqwest::header::LINK;
use reqwest::{Method, Response, Url};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::manifest::{Descriptor, INDEX};
use crate::pull::{Document, LARGEST, media_type};
use crate::repository::{Ask, Repository};
use crate::turn::Turn;

/// More pages are no list of what refers to one image.
const PAGES: usize = 64;
/// Bytes of all pages; an entry has some four hundred.
const LARGEST_LIST: usize = 8 << 20;
/// How often a list of who refers is written that others write at the same time.
const ATTEMPTS: usize = 8;

/// An index of what refers to something.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct List {
    #[serde(default = "two")]
    schema_version: u32,
    #[serde(default = "index")]
    media_type: String,
    #[serde(default)]
    manifests: Vec<Value>,
}

impl List {
    /// What can be read of it: an entry that is none breaks no other.
    fn descriptors(&self) -> Vec<Descriptor> {
        self.manifests.iter().filter_map(|entry| Descriptor::deserialize(entry).ok()).collect()
    }
}

/// What refers to something.
pub(crate) struct Listed {
    manifests: Vec<Descriptor>,
    /// The registry keeps the list by itself.
    pub(crate) is_registrys: bool,
}

impl Listed {
    pub(crate) fn has(&self, digest: &Digest) -> bool {
        self.manifests.iter().any(|there| there.digest == *digest)
    }
}

fn two() -> u32 {
    2
}

fn index() -> String {
    INDEX.to_owned()
}

/// The tag under which registries without a list of their own have it.
fn tag(subject: &Digest) -> String {
    format!("sha256-{}", subject.hex())
}

fn parsed(bytes: &[u8]) -> Result<List, Failure> {
    serde_json::from_slice(bytes)
        .map_err(|e| Failure::lasting(Kind::WrongDigest, format!("its list of who refers is none: {e}")))
}

impl Repository<'_> {
    /// What refers to a manifest, as the registry lists it, or as those who wrote it did where the registry has no lists.
    ///
    /// # Errors
    /// `REGISTRY_…`.
    pub async fn referrers(&self, subject: &Digest) -> Result<Vec<Descriptor>, Finding> {
        Ok(self.list(subject).await?.manifests)
    }

    /// What refers to a manifest, and to those in it.
    ///
    /// # Errors
    /// `REGISTRY_…`.
    pub async fn all_referrers(&self, top: &Digest) -> Result<Vec<Descriptor>, Finding> {
        let mut found = self.referrers(top).await?;
        for inner in self.existing(&top.to_string()).await?.parsed()?.manifests {
            found.extend(self.referrers(&inner.digest).await?);
        }
        Ok(found)
    }

    /// The same as [`Self::referrers`], and whose list it is.
    pub(crate) async fn list(&self, subject: &Digest) -> Result<Listed, Finding> {
        let listed = self.listed(subject).await;
        let listed =
            listed.map_err(|failure| self.finding(&format!("listing what refers to {subject} in"), failure))?;
        let is_registrys = listed.is_some();
        let manifests = match listed {
            Some(found) => found,
            None => self.tagged(subject).await?,
        };
        Ok(Listed { manifests, is_registrys })
    }

    /// By the registry; `None` where it has no such list.
    async fn listed(&self, subject: &Digest) -> Result<Option<Vec<Descriptor>>, Failure> {
        let (mut found, mut bytes_of_all) = (Vec::new(), 0);
        let mut next = Some(self.url(&format!("referrers/{subject}"))?);
        let too_much = |what: String| Err(Failure::lasting(Kind::TooLarge, format!("more than {what} refer to it")));
        for _ in 0..PAGES {
            let Some(url) = next.take() else { return Ok(Some(found)) };
            let page = self.client.patience.retrying(async || {
                let ask = Ask::new(Method::GET, url.clone()).accepting(INDEX);
                let mut response = self.ask(&ask, &[404, 405, 501]).await?;
                // Some that know no such list answer with a page of words.
                if !response.status().is_success() || media_type(&response) != INDEX {
                    return Ok(None);
                }
                let next = following(&response, &url)?;
                let bytes = collect(&mut response, self.stall(), LARGEST).await?;
                Ok(Some((bytes.len(), parsed(&bytes)?.descriptors(), next)))
            });
            let Some((bytes, manifests, following)) = page.await? else { return Ok(None) };
            bytes_of_all += bytes;
            if bytes_of_all > LARGEST_LIST {
                return too_much(format!("{LARGEST_LIST} bytes of entries"));
            }
            found.extend(manifests);
            next = following;
        }
        if next.is_none() { Ok(Some(found)) } else { too_much(format!("{PAGES} pages")) }
    }

    /// By who wrote them.
    async fn tagged(&self, subject: &Digest) -> Result<Vec<Descriptor>, Finding> {
        Ok(self.tag_list(subject).await?.map(|list| list.descriptors()).unwrap_or_default())
    }

    async fn tag_list(&self, subject: &Digest) -> Result<Option<List>, Finding> {
        let Some(document) = self.manifest(&tag(subject)).await? else { return Ok(None) };
        parsed(&document.bytes).map(Some).map_err(|failure| self.finding("reading", failure))
    }

    /// Adds to the list under the tag, where the registry has none of its own. Those on this machine take turns. Nobody else can be
    /// kept from it: who finds after writing that somebody else wrote at the same time writes again, and does not find who writes
    /// later what they read before.
    ///
    /// # Errors
    /// `REGISTRY_…`.
    pub(crate) async fn add_referrers(&self, subject: &Digest, referrers: &[Descriptor]) -> Result<(), Finding> {
        let _turn = Turn::at(&self.to_string()).await;
        for attempt in 0..=ATTEMPTS {
            // What others wrote stays as they wrote it.
            let mut manifests = self.tag_list(subject).await?.map(|list| list.manifests).unwrap_or_default();
            let before = manifests.len();
            for referrer in referrers {
                let digest = Value::String(referrer.digest.to_string());
                if !manifests.iter().any(|there| there.get("digest") == Some(&digest)) {
                    manifests.push(json!(referrer));
                }
            }
            if manifests.len() == before {
                return Ok(());
            }
            if attempt == ATTEMPTS {
                break;
            }
            let bytes = canonical_json(&List { schema_version: 2, media_type: index(), manifests });
            let document = Document { media_type: index(), digest: Digest::of(&bytes), bytes };
            self.put_manifest(&tag(subject), &document).await?;
        }
        let failure = Failure::lasting(Kind::Network, "others write to the list of who refers at the same time");
        Err(self.finding(&format!("referring to {subject} in"), failure))
    }
}

/// The next page (RFC 8288).
fn following(response: &Response, url: &Url) -> Result<Option<Url>, Failure> {
    let Some(link) = response.headers().get(LINK).and_then(|link| link.to_str().ok()) else { return Ok(None) };
    let Some((target, _)) = link.trim_start().strip_prefix('<').and_then(|link| link.split_once('>')) else {
        return Ok(None);
    };
    let wrong = || Failure::lasting(Kind::Network, "the next page of its list is nowhere");
    let next = url.join(target).map_err(|_| wrong())?;
    if next.origin() == url.origin() { Ok(Some(next)) } else { Err(wrong()) }
}
