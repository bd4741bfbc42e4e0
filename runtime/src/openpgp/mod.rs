//! OpenPGP: whether a signed text was signed by a key that may sign it.
//!
//! The `pgp` crate computes; what is believed is decided here: scope, validity, revocation and algorithms.

mod certificate;
mod cleartext;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

use model::{Finding, codes};
use pgp::composed::{Deserializable, DetachedSignature, SignedPublicKey};
use pgp::packet::{Signature, SignatureType};
use pgp::types::{KeyDetails, VerifyingKey};
use trust::{Key, Scope, Trust};

use certificate::Validity;

/// A signed text has at most so many bytes; Debian's largest has 1.5 MB.
pub const MAX_BYTES: usize = 16 << 20;

/// Armoured signatures have at most so many bytes; three RSA signatures have 2 kB.
const MAX_SIGNATURE_BYTES: usize = 64 << 10;

/// More signatures than this are not tried.
const MAX_SIGNATURES: usize = 16;

/// How long after the time of judgement a signature may have been made, in seconds: clocks differ, and a release is
/// signed after the `Date` it carries, by people where it is a point release.
const SKEW: i64 = 24 * 60 * 60;

/// A text, and who signed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The signed text; nothing outside of it.
    pub text: String,
    /// Fingerprints of the certificates whose signatures are valid, lower-case hex, sorted.
    pub signers: Vec<String>,
    /// When the newest of the valid signatures was made, seconds since 1970.
    pub signed_at: i64,
    /// The signatures that were not believed, and why.
    pub ignored: Vec<String>,
}

/// Verifies a cleartext signed message: at least one of its signatures is by a key that may sign `scope`, and valid.
///
/// `at` is the time validity is judged by, seconds since 1970.
///
/// # Errors
/// `SIGNATURE_INVALID` with a cause for every signature; `TRUST_UNREADABLE` where a certificate of the trust data
/// cannot be read.
pub fn verify_cleartext(bytes: &[u8], trust: &Trust, scope: &Scope, at: i64) -> Result<Verified, Finding> {
    let invalid = |cause: String| {
        Finding::error(codes::SIGNATURE_INVALID, format!("the release of `{}` is not a signed text", scope.suite))
            .because(cause)
            .help("the server answers with something else than a Debian suite's InRelease; check `clnstrt-cli sources`")
    };
    if bytes.len() > MAX_BYTES {
        return Err(invalid(format!("it has {} bytes; {MAX_BYTES} are the limit", bytes.len())));
    }
    let message = std::str::from_utf8(bytes).map_err(|_| invalid("it is not UTF-8".to_owned()))?;
    let message = cleartext::split(message).map_err(invalid)?;
    let signatures = signatures(message.signatures).map_err(invalid)?;
    let certificates = certificates(trust)?;
    let signed = message.signed_bytes();
    let (mut signers, mut ignored, mut signed_at) = (Vec::new(), Vec::new(), i64::MIN);
    for signature in &signatures {
        match judge(signature, &signed, &certificates, scope, at) {
            Ok((key, made)) => {
                signers.push(key.fingerprint.clone());
                signed_at = signed_at.max(made);
            }
            Err(why) => ignored.push(format!("the signature by {}: {why}", issuer(signature))),
        }
    }
    if signers.is_empty() {
        let message =
            format!("no signature on the release of `{}` is a valid one by a key that may sign it", scope.suite);
        let finding = Finding::error(codes::SIGNATURE_INVALID, message).help(
            "`clnstrt-cli trust` lists the keys and what each may sign; another source may have an untouched copy",
        );
        return Err(ignored.into_iter().fold(finding, Finding::because));
    }
    signers.sort();
    signers.dedup();
    Ok(Verified { text: message.text, signers, signed_at, ignored })
}

fn signatures(armoured: &str) -> Result<Vec<Signature>, String> {
    if armoured.len() > MAX_SIGNATURE_BYTES {
        return Err(format!("its signatures have {} bytes; {MAX_SIGNATURE_BYTES} are the limit", armoured.len()));
    }
    let (parsed, _) = DetachedSignature::from_string_many(armoured).map_err(|e| e.to_string())?;
    let parsed = parsed.take(MAX_SIGNATURES).map(|found| found.map(|found| found.signature).map_err(|e| e.to_string()));
    let signatures = parsed.collect::<Result<Vec<_>, _>>()?;
    if signatures.is_empty() { Err("it holds no signature".to_owned()) } else { Ok(signatures) }
}

fn certificates(trust: &Trust) -> Result<Vec<(&Key, SignedPublicKey)>, Finding> {
    let read = |key: &'_ Key| {
        let certificate = certificate::read(&key.certificate)?;
        let found = certificate::fingerprint(&certificate);
        if found == key.fingerprint { Ok(certificate) } else { Err(format!("its fingerprint is {found}")) }
    };
    let keys = trust.keys.iter().map(|key| match read(key) {
        Ok(certificate) => Ok((key, certificate)),
        Err(why) => {
            let message = format!("the certificate {} of the trust data cannot be used", key.fingerprint);
            Err(Finding::error(codes::TRUST_UNREADABLE, message).because(why))
        }
    });
    keys.collect()
}

/// The key that made a signature and when, or why the signature counts for nothing.
fn judge<'a>(
    signature: &Signature,
    signed: &[u8],
    certificates: &'a [(&'a Key, SignedPublicKey)],
    scope: &Scope,
    at: i64,
) -> Result<(&'a Key, i64), String> {
    for (key, certificate) in certificates {
        if made_by(signature, &certificate.primary_key) {
            within(key, scope)?;
            let own = certificate::primary(certificate, true)?;
            return Ok((key, valid(signature, signed, &certificate.primary_key, &[own, window(key)], at)?));
        }
        let Some(subkey) = certificate.public_subkeys.iter().find(|subkey| made_by(signature, &subkey.key)) else {
            continue;
        };
        within(key, scope)?;
        let validities =
            [certificate::primary(certificate, false)?, certificate::subkey(certificate, subkey)?, window(key)];
        return Ok((key, valid(signature, signed, &subkey.key, &validities, at)?));
    }
    Err("no such key is in the trust data".to_owned())
}

/// Whether the signature says the key made it. Only the crypto, later, shows that it did.
fn made_by(signature: &Signature, key: &impl KeyDetails) -> bool {
    let fingerprints = signature.issuer_fingerprint();
    match fingerprints.is_empty() {
        true => signature.issuer_key_id().contains(&&key.legacy_key_id()),
        false => fingerprints.contains(&&key.fingerprint()),
    }
}

fn within(key: &Key, scope: &Scope) -> Result<(), String> {
    if let Some(revoked) = &key.revoked {
        return Err(format!("it is believed no more: {}", revoked.reason));
    }
    match key.suites.contains(&scope.suite) {
        true => Ok(()),
        false => Err(format!("the key of {} may not sign `{}`", key.name, scope.suite)),
    }
}

fn window(key: &Key) -> Validity {
    Validity { from: key.valid_from.as_second(), until: Some(key.valid_until.as_second()) }
}

fn valid(
    signature: &Signature,
    signed: &[u8],
    signer: &impl VerifyingKey,
    validities: &[Validity],
    at: i64,
) -> Result<i64, String> {
    if signature.typ() != Some(SignatureType::Text) {
        return Err("it is not a signature over a text".to_owned());
    }
    certificate::acceptable(signature)?;
    signature.verify(signer, signed).map_err(|_| "it does not match the text".to_owned())?;
    let made = signature.created().ok_or("it does not say when it was made")?;
    let made = i64::from(made.as_secs());
    if made > at.saturating_add(SKEW) {
        return Err("it was made in the future".to_owned());
    }
    let lasts = signature.signature_expiration_time().map(|time| i64::from(time.as_secs()));
    if lasts.is_some_and(|seconds| seconds > 0 && made + seconds <= at) {
        return Err("it has expired".to_owned());
    }
    for validity in validities {
        validity.check("when it was made, its key", made)?;
        validity.check("its key", at.max(made))?;
    }
    Ok(made)
}

/// What a signature says about who made it.
fn issuer(signature: &Signature) -> String {
    let fingerprint = signature.issuer_fingerprint().first().map(|fingerprint| format!("{fingerprint:x}"));
    let key_id = || signature.issuer_key_id().first().map(|id| id.to_string());
    fingerprint.or_else(key_id).unwrap_or_else(|| "an unnamed key".to_owned())
}
