//! Signatures that a log has: of a certificate that was made for one signature (keyless), or of a key.
//!
//! A certificate authority (Fulcio) says who signed; its certificates are valid for minutes. A log (Rekor) or a timestamp
//! authority (RFC 3161) says that it was signed in those minutes. Whom to believe in this is a [`TrustedRoot`].
//! `sigstore-verify` does the checking.
//!
//! That library asks the machine for the time, and cannot be told another: it refuses what a log took in later than
//! that, and keys of logs and authorities whose time has not come. So a clock that is slow makes it refuse more than it
//! should; no clock makes it accept anything. Whether a certificate was valid is judged by the times that were signed,
//! and those must not be after the `now` given here.

mod crypto;
mod identity;
mod log;
mod read;
mod reason;
mod root;

use model::Digest;
use sigstore_verify::types::bundle::VerificationMaterialContent as Material;
use sigstore_verify::types::{self, DerPublicKey, Sha256Hash, SignatureContent};
use sigstore_verify::{Policy, PublicKeyVerificationPolicy, VerificationPolicy, VerificationResult};

pub use identity::{Expected, Identity};
pub use reason::Reason;
pub use root::TrustedRoot;

use crate::PublicKey;
use read::read;

/// What a bundle has to be about.
#[derive(Clone, Copy, Debug)]
pub enum Artifact<'a> {
    /// These bytes.
    Bytes(&'a [u8]),
    /// What has this digest: an image, mostly. Ed25519 over a file rather than a statement takes the bytes.
    Digest(Digest),
}

/// What is known of a signature that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// The in-toto statement, if that is what was signed, and not the artifact itself.
    pub statement: Option<Vec<u8>>,
    /// Whom the certificate names.
    pub subject: String,
    /// Who says so.
    pub issuer: String,
    /// The earliest time that a log or an authority gave it, in seconds since 1970.
    pub signed_at: i64,
}

/// Checks that one of the identities signed an artifact, or an in-toto statement about it. Reads bundles of versions 0.1
/// to 0.3; `now` is in seconds since 1970.
///
/// # Errors
/// Why not. Who signed is looked at last, so [`Reason::Subject`] and [`Reason::Issuer`] say who it really was.
pub fn verify(
    bundle: &[u8],
    artifact: Artifact<'_>,
    root: &TrustedRoot,
    identities: &[Identity],
    now: i64,
) -> Result<Signed, Reason> {
    let bundle = read(bundle)?;
    if let Material::PublicKey(_) = bundle.verification_material.content {
        return Err(Reason::NoCertificate);
    }
    // Whoever it was: the library knows no regular expressions.
    let (result, signed_at) = check(&bundle, artifact, root, &VerificationPolicy::any_identity(), now)?;
    let signed_at = signed_at.ok_or(Reason::NoTimestamp)?;
    let (subject, issuer) = (result.identity().map(|name| name.as_str()), result.issuer());
    let is_trusted = |one: &Identity, subject, issuer| one.subject.is(subject) && one.issuer.is(issuer);
    match subject.zip(issuer) {
        Some((subject, issuer)) if identities.iter().any(|one| is_trusted(one, subject, issuer)) => {
            Ok(Signed { statement: statement(bundle), subject: subject.into(), issuer: issuer.into(), signed_at })
        }
        _ => Err(Reason::stranger(subject, issuer, identities)),
    }
}

/// Checks that a key signed an artifact, or an in-toto statement about it, and that a log has the signature; answers the
/// statement, if that is what was signed. For bundles that no log has, see [`crate::Bundle`].
///
/// # Errors
/// Why not.
pub fn verify_key(
    bundle: &[u8],
    artifact: Artifact<'_>,
    root: &TrustedRoot,
    key: &PublicKey,
    now: i64,
) -> Result<Option<Vec<u8>>, Reason> {
    let bundle = read(bundle)?;
    let Material::PublicKey(_) = bundle.verification_material.content else {
        return Err(Reason::NoKey);
    };
    let policy = PublicKeyVerificationPolicy::new(DerPublicKey::new(key.to_der().to_vec()));
    check(&bundle, artifact, root, &policy, now)?;
    Ok(statement(bundle))
}

/// What the library says, and the earliest of the times it believes; none is after `now`.
fn check(
    bundle: &types::Bundle,
    artifact: Artifact<'_>,
    root: &TrustedRoot,
    policy: &impl Policy,
    now: i64,
) -> Result<(VerificationResult, Option<i64>), Reason> {
    let artifact = match artifact {
        Artifact::Bytes(bytes) => types::Artifact::from_blob(bytes),
        Artifact::Digest(digest) => types::Artifact::from_digest(Sha256Hash::new(*digest.as_bytes())),
    };
    let result = root.verifier.verify(artifact, bundle, policy)?;
    log::check(&bundle.verification_material.tlog_entries, &root.logs, result.verified_timestamps(), now)?;
    let times = || result.verified_timestamps().iter().map(|time| time.as_second());
    match times().max() {
        Some(signed_at) if signed_at > now => Err(Reason::Future { signed_at, now }),
        _ => {
            let first = times().min();
            Ok((result, first))
        }
    }
}

fn statement(bundle: types::Bundle) -> Option<Vec<u8>> {
    match bundle.content {
        SignatureContent::DsseEnvelope(envelope) => Some(envelope.payload.as_bytes().to_vec()),
        _ => None,
    }
}
