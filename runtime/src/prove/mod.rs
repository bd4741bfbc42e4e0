//! Re-proves a lock from the documents it was made from: what it claims to be verified, a build verifies again.

mod consistency;
mod documents;
#[cfg(test)]
mod tests;
mod upstream;

use std::collections::{BTreeMap, BTreeSet};

use model::lock::{Lock, Node, Origin, Proof};
use model::{Arch, Digest, Finding, Findings, codes};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use trust::Trust;

use crate::store::Store;
use documents::Proved;

pub use consistency::check_lock;
pub(crate) use documents::of as documents_of;
pub use upstream::release;

/// Raised whenever the same lock may get another answer.
const VERSION: u32 = 1;

/// How many packages are verified, each way.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// A signed release lists an index that lists the package; proved again just now.
    pub verified: usize,
    /// The index gave their digest over TLS when the lock was made.
    pub index_hash: usize,
    /// The index gave their digest over a connection nobody vouches for.
    pub unsigned: usize,
    /// Suites whose release had expired when it was locked, as the machine's apt accepts.
    pub expired_accepted: Vec<String>,
}

/// What is kept of a lock that was proved.
#[derive(Serialize, Deserialize)]
struct Record {
    summary: Summary,
    /// Garbage collection keeps the documents as long as this record.
    documents: Vec<Digest>,
}

/// Proves what a lock claims of the packages in some images, from the kept releases and indexes; judged by the
/// lock's epoch, not by a clock.
///
/// The answer is kept in the store: for the same lock and trust data nothing is read again.
///
/// # Errors
/// `LOCK_INCONSISTENT`, `PROOF_MISSING`, `PROOF_DAMAGED`, `PROOF_NOT_HELD`, `INDEX_DIGEST`, and what checking a release may
/// end in: `SIGNATURE_INVALID`, `KEY_REVOKED`, `KEY_EXPIRED`, `WRONG_SIGNER`, `WRONG_RELEASE`, `RELEASE_EXPIRED`, `RELEASE_UNREADABLE`.
pub fn prove(
    store: &Store,
    lock: &Lock,
    images: &BTreeSet<(Digest, Arch)>,
    trust: &Trust,
) -> Result<Summary, Findings> {
    check_lock(lock)?;
    let lock = &lock.narrowed(images);
    let key = key(lock, trust);
    if let Some(record) = store.action(&key).and_then(|record| serde_json::from_slice::<Record>(&record).ok()) {
        return Ok(record.summary);
    }
    let proved = documents::prove(store, lock, trust)?;
    let nodes: Vec<_> = lock.nodes.iter().collect();
    let findings: Findings = nodes
        .par_iter()
        .filter_map(|(id, node)| match node.origin {
            Origin::Upstream => upstream::release(store, node, trust, lock.epoch).err(),
            _ => held(id, node, lock, &proved).err(),
        })
        .collect();
    if !findings.is_empty() {
        return Err(findings);
    }
    let record = Record { summary: summary(lock), documents: documents_of(lock).map(|kept| kept.digest).collect() };
    let bytes = serde_json::to_vec(&record).unwrap_or_default();
    store.record(&key, &bytes)?;
    Ok(record.summary)
}

/// Everything the answer depends on. The documents are in it by the digests the lock gives them.
fn key(lock: &Lock, trust: &Trust) -> Digest {
    let claims = (&lock.nodes, &lock.releases, &lock.answers, lock.epoch);
    Digest::of(&serde_json::to_vec(&("prove", VERSION, trust.digest(), claims)).unwrap_or_default())
}

fn summary(lock: &Lock) -> Summary {
    let mut summary = Summary::default();
    for node in lock.nodes.values() {
        match node.proof {
            Proof::VerifiedByOpenpgp { .. } | Proof::VerifiedBySignature { .. } | Proof::VerifiedByDsc { .. } => {
                summary.verified += 1;
            }
            Proof::IndexHash => summary.index_hash += 1,
            Proof::UnsignedUpstream => summary.unsigned += 1,
        }
    }
    let expired = lock.releases.iter().filter(|(_, release)| release.expired_accepted);
    summary.expired_accepted = expired.map(|(suite, _)| suite.clone()).collect();
    summary
}

/// Whether a node is what its proof says.
fn held(id: &str, node: &Node, lock: &Lock, proved: &BTreeMap<(&str, &str), Proved>) -> Result<(), Finding> {
    let (release, index) = match (&node.proof, node.origin) {
        (Proof::VerifiedByOpenpgp { release, index }, Origin::Debian) => (release, index),
        (Proof::IndexHash | Proof::UnsignedUpstream, Origin::Pypi) => return Ok(()),
        (_, Origin::Pypi) => {
            return Err(not_held(id, "nothing signed by OpenPGP vouches for files of a Python index"));
        }
        _ => return Err(not_held(id, "a Debian package is believed only through a signed release")),
    };
    let Some(proved) = proved.get(&(release.as_str(), index.as_str())) else {
        return Err(not_held(id, format!("the lock has no index {index} of a release `{release}`")));
    };
    let Some(package) = proved.index.find(&node.name, &node.version) else {
        return Err(not_held(id, format!("{index} of `{release}` lists no {} {}", node.name, node.version)));
    };
    let same = [
        ("file", package.filename == node.file, &package.filename, &node.file),
        ("digest", package.sha256 == node.sha256, &package.sha256.to_string(), &node.sha256.to_string()),
        ("size", package.size == node.size, &package.size.to_string(), &node.size.to_string()),
    ];
    if let Some((what, _, listed, locked)) = same.into_iter().find(|(_, same, ..)| !same) {
        return Err(not_held(id, format!("{index} of `{release}` gives the {what} {listed}, the lock {locked}")));
    }
    let fits = |arch: Arch| package.architecture == "all" || package.architecture == arch.name();
    let foreign = lock.images().find(|(_, arch, image)| !fits(*arch) && image.nodes.iter().any(|node| node == id));
    match foreign {
        None => Ok(()),
        Some((_, arch, _)) => {
            let message =
                format!("the lock puts {id} into the image for {arch}, and it is for {}", package.architecture);
            Err(Finding::error(codes::LOCK_INCONSISTENT, message).help(MAKE_AGAIN))
        }
    }
}

const MAKE_AGAIN: &str =
    "the lock was changed by hand, or merged wrongly; make it again with `clnstrt-cli lock --update`";

fn not_held(what: &str, why: impl Into<String>) -> Finding {
    Finding::error(codes::PROOF_NOT_HELD, format!("{what} claims a proof it does not have"))
        .because(why)
        .help(MAKE_AGAIN)
}
