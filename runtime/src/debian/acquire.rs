//! A suite's newest release and its indexes, from whichever configured archive has them.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use futures::future::{join_all, try_join_all};
use inspect::debian::Index;
use model::lock::{self, Kept, Origin};
use model::{Arch, Class, Finding, Findings, codes};
use trust::Trust;

use super::release::{known, when};
use super::{Checked, check, index, index_path, index_places, release_place};
use crate::fetch::Fetcher;
use crate::openpgp;
use crate::sources::Root;
use crate::store::Store;

/// A suite as it is now.
#[derive(Debug)]
pub struct Acquired {
    /// What a lock keeps of it.
    pub release: lock::Release,
    /// Its packages.
    pub indexes: BTreeMap<Arch, Arc<Index>>,
}

/// A release file that verified.
struct Candidate {
    bytes: Vec<u8>,
    checked: Checked,
}

/// Asks every configured archive for a suite, takes the newest release that verifies, and loads its indexes.
///
/// `now` is seconds since 1970. An expired release is taken only where the machine's apt is set to accept that.
///
/// # Errors
/// `SIGNATURE_INVALID`, `KEY_REVOKED`, `KEY_EXPIRED`, `WRONG_SIGNER`, `WRONG_RELEASE`, `RELEASE_EXPIRED` or
/// `RELEASE_UNREADABLE` where no archive has a good release, with what each of them answered; `FETCH_NOT_FOUND` where none has the suite, `INDEX_DIGEST` where the release
/// does not list an index, and whatever fetching, storing and reading indexes may end in.
pub async fn acquire(
    fetcher: &Fetcher,
    store: &Arc<Store>,
    trust: &Trust,
    suite: &str,
    arches: &[Arch],
    now: i64,
) -> Result<Acquired, Findings> {
    let Candidate { bytes, checked } = newest(fetcher, trust, suite, now).await?;
    let in_release = store.put(&bytes)?;
    let mut listed = BTreeMap::new();
    let mut findings = Findings::new();
    for arch in arches {
        let path = index_path(*arch);
        match checked.release.sha256.get(&path) {
            Some((digest, size)) => drop(listed.insert(*arch, (path, Kept { digest: *digest, size: *size }))),
            None => {
                findings.push(Finding::error(codes::INDEX_DIGEST, format!("the release of `{suite}` lists no {path}")))
            }
        }
    }
    if !findings.is_empty() {
        return Err(findings);
    }
    let by_hash = checked.release.acquire_by_hash;
    let indexes = try_join_all(listed.iter().map(|(arch, (path, kept))| async move {
        let places = index_places(suite, path, &kept.digest, by_hash);
        fetcher.by_digest(Origin::Debian, &places, &kept.digest, kept.size).await?;
        Ok::<_, Finding>((*arch, Arc::new(opened(store.clone(), *kept).await?)))
    }))
    .await?;
    let release = lock::Release {
        label: checked.release.label,
        codename: checked.release.codename,
        date: checked.release.date,
        in_release,
        size: bytes.len() as u64,
        signed_by: checked.signed_by,
        expired_accepted: checked.expired,
        indexes: listed.into_values().collect(),
    };
    Ok(Acquired { release, indexes: indexes.into_iter().collect() })
}

async fn newest(fetcher: &Fetcher, trust: &Trust, suite: &str, now: i64) -> Result<Candidate, Finding> {
    known(trust, suite)?;
    let roots = fetcher.roots(Origin::Debian).await?;
    let asked = join_all(roots.iter().map(|root| ask(fetcher, root, trust, suite, now))).await;
    let (mut candidates, mut failures) = (Vec::new(), Vec::new());
    for (root, answer) in roots.iter().zip(asked) {
        match answer {
            Ok(candidate) => candidates.push(candidate),
            Err(finding) => failures.push((root, finding)),
        }
    }
    // The newest of those still valid; of equals, the one whose archive is named first.
    candidates.sort_by_key(|candidate| (candidate.checked.expired, Reverse(candidate.checked.release.date)));
    let Some(best) = candidates.into_iter().next() else {
        return Err(nowhere(suite, failures));
    };
    if best.checked.expired {
        if !fetcher.accepts_expired().await? {
            return Err(best.checked.expiry(suite));
        }
        let until = best.checked.release.valid_until.map_or_else(String::new, when);
        fetcher.progress().note(&format!(
            "the release of {suite} expired on {until}; it is accepted because this machine's apt is set to"
        ));
    }
    Ok(best)
}

async fn ask(fetcher: &Fetcher, root: &Root, trust: &Trust, suite: &str, now: i64) -> Result<Candidate, Finding> {
    let document = fetcher.document(Origin::Debian, root, &release_place(suite), openpgp::MAX_BYTES as u64).await?;
    let document =
        document.ok_or_else(|| Finding::error(codes::FETCH_NOT_FOUND, format!("it has no suite `{suite}`")))?;
    let checked = check(&document.bytes, trust, suite, now)?;
    Ok(Candidate { bytes: document.bytes, checked })
}

/// What is wrong where no archive has the suite: what was refused weighs more than what was not there.
fn nowhere(suite: &str, failures: Vec<(&Root, Finding)>) -> Finding {
    let weight = |finding: &Finding| match finding.code {
        code if code.class == Class::Verdict => 0,
        code if code == codes::FETCH_NOT_FOUND => 2,
        _ => 1,
    };
    let code =
        failures.iter().map(|(_, finding)| finding).min_by_key(|finding| weight(finding)).map(|finding| finding.code);
    let message = format!("no configured Debian archive has a usable release of `{suite}`");
    let mut finding = Finding::error(code.unwrap_or(codes::FETCH_NOT_FOUND), message);
    for (root, failure) in failures {
        finding = finding.because(format!("{}: {}", root.url, failure.message));
        finding = failure.causes.into_iter().fold(finding, |finding, cause| finding.because(format!("  {cause}")));
    }
    finding
        .help("`clnstrt-cli sources` shows the archives and where each was found; `--source debian=URL` names another")
}

/// Loads an index on a thread of its own: making the compact form takes a second of computing.
async fn opened(store: Arc<Store>, kept: Kept) -> Result<Index, Finding> {
    tokio::task::spawn_blocking(move || index::load(&store, &kept.digest))
        .await
        .map_err(|e| Finding::error(codes::STORE_IO, "an index was not read to its end").because(e.to_string()))?
}
