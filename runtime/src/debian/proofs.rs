//! Sees to it that what a build re-proves from is in the store.

use futures::future::join_all;
use model::lock::{Kept, Lock, Node, Origin};
use model::{Class, Finding, Findings, codes};

use super::{index_places, release_place};
use crate::fetch::{Fetcher, Wanted};
use crate::store::Store;

/// Fetches the releases and indexes a lock was made from, and the releases of source code in it, where they are not kept.
///
/// # Errors
/// `PROOF_MISSING` where no source has one any more; `OFFLINE` where the network would be needed; and whatever
/// fetching may end in.
pub async fn fetch_proofs(fetcher: &Fetcher, store: &Store, lock: &Lock) -> Result<(), Findings> {
    let mut wanted = Vec::new();
    for (suite, release) in &lock.releases {
        let kept = Kept { digest: release.in_release, size: release.size };
        wanted.push((format!("the signed release of `{suite}`"), vec![release_place(suite)], kept));
        for (path, kept) in &release.indexes {
            wanted.push((
                format!("the index {path} of `{suite}`"),
                index_places(suite, path, &kept.digest, true),
                *kept,
            ));
        }
    }
    wanted.retain(|(_, _, kept)| !store.has(&kept.digest));
    fetcher.all_or_online(wanted.iter().map(|(what, ..)| what.as_str()))?;
    let fetched = join_all(wanted.iter().map(|(what, places, kept)| async move {
        let fetched = fetcher.by_digest(Origin::Debian, places, &kept.digest, kept.size).await;
        fetched.err().map(|finding| missing(what, finding))
    }))
    .await;
    let findings: Findings = fetched.into_iter().flatten().collect();
    if findings.is_empty() { fetcher.files(releases(lock)).await } else { Err(findings) }
}

/// Releases of source code, and what vouches for each: a signature is over the whole file, so that is read as well.
pub fn releases(lock: &Lock) -> Vec<Wanted> {
    let of_upstream = lock.nodes.values().filter(|node| node.origin == Origin::Upstream);
    let files = of_upstream.flat_map(|node| {
        let Node { name, file, sha256, size, .. } = node;
        let wanted =
            |file: String, sha256, size| Wanted { origin: Origin::Upstream, name: name.clone(), file, sha256, size };
        let document =
            node.proof.document().map(|kept| wanted(format!("{file}, the signature"), kept.digest, kept.size));
        [wanted(file.clone(), *sha256, *size)].into_iter().chain(document)
    });
    files.collect()
}

/// Another content than the locked one means that the archive has moved on, not that somebody tampers.
fn missing(what: &str, finding: Finding) -> Finding {
    if finding.code != codes::FETCH_NOT_FOUND && finding.code.class != Class::Verdict {
        return finding;
    }
    let message = format!("{what} that the lock was made from is not kept here, and no source has it any more");
    let missing = Finding::error(codes::PROOF_MISSING, message).because(finding.message);
    finding.causes.into_iter().fold(missing, Finding::because).help(
        "archives keep only the newest: resolve again with `clnstrt-cli lock --update`, import a bundle of this lock, or \
         name an archive's snapshot of the time with `--source debian=URL`",
    )
}
