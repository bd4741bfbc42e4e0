//! Releases of source code: whether somebody who may release a project signed the very file.

use inspect::debian::Dsc;
use model::Finding;
use model::lock::{Kept, Node, Proof};
use trust::Trust;

use super::{documents, not_held};
use crate::openpgp;
use crate::store::Store;

/// Larger signatures and descriptions of source packages are not read.
const MAX_DOCUMENT: u64 = 1 << 20;

/// Verifies what vouches for a release, from the store; `at` is the time it is judged by, seconds since 1970.
///
/// # Errors
/// `PROOF_MISSING`, `PROOF_DAMAGED`, `PROOF_NOT_HELD`, and what checking a signature may end in.
pub fn release(store: &Store, node: &Node, trust: &Trust, at: i64) -> Result<(), Finding> {
    let of = format!("{} {}", node.name, node.version);
    let scope = format!("{} {}", node.name, line(&node.version));
    let read = |what: &str, kept: Kept| documents::read(store, &format!("{what} of {of}"), kept, MAX_DOCUMENT);
    let (signers, expected) = match &node.proof {
        Proof::VerifiedBySignature { signature, signed_by } => {
            let signature = read("the signature", *signature)?;
            let mut file = store.open_blob(&node.sha256)?;
            (openpgp::verify_detached(&mut file, &signature, trust, &scope, at)?.signers, signed_by)
        }
        Proof::VerifiedByDsc { package, dsc, signed_by } => {
            let bytes = read("the source package", *dsc)?;
            let verified = openpgp::verify_cleartext(&bytes, trust, &format!("debian-source {package}"), at)?;
            let listed = Dsc::parse(&verified.text)?.files;
            if !listed.values().any(|(digest, size)| (digest, size) == (&node.sha256, &node.size)) {
                return Err(not_held(&of, "the signed source package lists no such file"));
            }
            (verified.signed.signers, signed_by)
        }
        _ => return Err(openpgp::missing(&scope)),
    };
    match signers.contains(expected) {
        true => Ok(()),
        false => Err(not_held(&of, format!("{expected} made no valid signature on it"))),
    }
}

/// `3.13.5` is of the line `3.13`.
fn line(version: &str) -> String {
    version.split('.').take(2).collect::<Vec<_>>().join(".")
}
