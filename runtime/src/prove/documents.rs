//! The kept releases and indexes of a lock.

use std::collections::BTreeMap;

use inspect::debian::Index;
use model::lock::{Kept, Lock, Release};
use model::{Finding, Findings, codes};
use rayon::prelude::*;
use trust::Trust;

use super::{MAKE_AGAIN, not_held};
use crate::debian::{self, Checked};
use crate::openpgp;
use crate::store::Store;

/// An index that a signed release vouches for.
pub(super) struct Proved {
    pub(super) index: Index,
}

/// Every document a lock was made from.
pub(crate) fn of(lock: &Lock) -> impl Iterator<Item = Kept> {
    let of_releases = lock.releases.values().flat_map(|release| {
        let own = Kept { digest: release.in_release, size: release.size };
        release.indexes.values().copied().chain([own])
    });
    of_releases.chain(lock.nodes.values().filter_map(|node| node.proof.document()))
}

/// Verifies the releases, then the indexes they list; by suite and path.
pub(super) fn prove<'a>(
    store: &Store,
    lock: &'a Lock,
    trust: &Trust,
) -> Result<BTreeMap<(&'a str, &'a str), Proved>, Findings> {
    let suites: Vec<_> = lock.releases.iter().collect();
    let releases: Vec<_> = suites
        .par_iter()
        .map(|(suite, release)| Ok((*suite, *release, proved(store, suite, release, lock.epoch, trust)?)))
        .collect();
    let (releases, mut findings) = split(releases);
    let wanted: Vec<_> = releases
        .iter()
        .flat_map(|(suite, release, checked)| {
            release.indexes.iter().map(move |(path, kept)| (*suite, path, kept, checked))
        })
        .collect();
    let indexes: Vec<_> = wanted
        .par_iter()
        .map(|(suite, path, kept, checked)| {
            let index = listed(store, suite, path, **kept, checked)?;
            Ok(((suite.as_str(), path.as_str()), Proved { index }))
        })
        .collect();
    let (indexes, more) = split(indexes);
    findings.extend(more);
    if findings.is_empty() { Ok(indexes.into_iter().collect()) } else { Err(findings) }
}

fn split<T>(results: Vec<Result<T, Finding>>) -> (Vec<T>, Findings) {
    let (mut good, mut findings) = (Vec::new(), Findings::new());
    for result in results {
        match result {
            Ok(value) => good.push(value),
            Err(finding) => findings.push(finding),
        }
    }
    (good, findings)
}

fn proved(store: &Store, suite: &str, release: &Release, epoch: i64, trust: &Trust) -> Result<Checked, Finding> {
    let what = format!("the kept release of `{suite}`");
    let kept = Kept { digest: release.in_release, size: release.size };
    let bytes = read(store, &what, kept, openpgp::MAX_BYTES as u64)?;
    let checked = debian::check(&bytes, trust, suite, epoch)?;
    let found = &checked.release;
    let same = [
        ("label", &release.label, &found.label),
        ("codename", &release.codename, &found.codename),
        ("date", &release.date.to_string(), &found.date.to_string()),
    ];
    if let Some((what, locked, signed)) = same.into_iter().find(|(_, locked, signed)| locked != signed) {
        let why = format!("its signed {what} is `{signed}`, the lock says `{locked}`");
        return Err(not_held(&format!("the release of `{suite}`"), why));
    }
    if let Some(key) = release.signed_by.iter().find(|key| !checked.signed_by.contains(key)) {
        let why = format!("{key} made no valid signature on it");
        return Err(not_held(&format!("the release of `{suite}`"), why));
    }
    // At the epoch an expired release may still have been valid, so the mark may be there without an expiry to see.
    match (checked.expired, release.expired_accepted) {
        (true, false) => Err(checked.expiry(suite)),
        (false, true) if found.valid_until.is_none() => {
            let message = format!("the lock says that the release of `{suite}` had expired, and it never does");
            Err(Finding::error(codes::LOCK_INCONSISTENT, message).help(MAKE_AGAIN))
        }
        _ => Ok(checked),
    }
}

fn listed(store: &Store, suite: &str, path: &str, kept: Kept, release: &Checked) -> Result<Index, Finding> {
    if release.release.sha256.get(path) != Some(&(kept.digest, kept.size)) {
        let message = format!("the lock's {path} of `{suite}` is not the one the signed release lists");
        return Err(Finding::error(codes::INDEX_DIGEST, message).help(MAKE_AGAIN));
    }
    read(store, &format!("the kept {path} of `{suite}`"), kept, debian::MAX_PACKED)?;
    debian::load(store, &kept.digest)
}

/// A kept document, verified against its digest and size.
pub(super) fn read(store: &Store, what: &str, kept: Kept, limit: u64) -> Result<Vec<u8>, Finding> {
    if !store.has(&kept.digest) {
        let finding = Finding::error(codes::PROOF_MISSING, format!("{what} is not in the store"));
        return Err(finding.help("build online once, or import a bundle of this lock"));
    }
    let bytes = store.read(&kept.digest, limit).map_err(|finding| match finding.code {
        codes::STORE_DAMAGED | codes::FETCH_TOO_LARGE => {
            store.damaged(&kept.digest);
            Finding::error(codes::PROOF_DAMAGED, format!("{what} is damaged: it is not {} any more", kept.digest))
                .help("an online build fetches it again; offline, import a bundle of this lock")
        }
        _ => finding,
    })?;
    if bytes.len() as u64 == kept.size {
        return Ok(bytes);
    }
    let message = format!("the lock gives {what} {} bytes; it has {}", kept.size, bytes.len());
    Err(Finding::error(codes::LOCK_INCONSISTENT, message).help(MAKE_AGAIN))
}
