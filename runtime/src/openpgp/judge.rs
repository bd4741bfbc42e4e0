//! What is believed of a signature: whose key made it, whether that may sign this, and whether it held at the time.

use std::io::{Read, Seek};

use model::{Finding, codes};
use pgp::composed::SignedPublicKey;
use pgp::packet::{Signature, SignatureType};
use pgp::types::{KeyDetails, VerifyingKey};
use trust::{Key, Trust};

use super::Signed;
use super::certificate::{self, Validity};
use super::refusal::Refusal;

/// How long after the time of judgement a signature may have been made, in seconds: clocks differ, and a release is
/// signed after the `Date` it carries, by people where it is a point release.
const SKEW: i64 = 24 * 60 * 60;

/// What signatures are to vouch for.
pub(super) struct Claim<'a> {
    pub(super) trust: &'a Trust,
    /// What the key must be allowed to sign.
    pub(super) scope: &'a str,
    /// Over what the signature is to be: a text or a file.
    pub(super) kind: SignatureType,
    /// The time of judgement, seconds since 1970.
    pub(super) at: i64,
}

impl Claim<'_> {
    /// Who made valid signatures, by the rules of the trust data; at least one must be.
    pub(super) fn judge(&self, signatures: &[Signature], document: &mut (impl Read + Seek)) -> Result<Signed, Finding> {
        let certificates = certificates(self.trust)?;
        let (mut signers, mut refusals, mut ignored, mut signed_at) = (Vec::new(), Vec::new(), Vec::new(), i64::MIN);
        for signature in signatures {
            match self.signer(signature, document, &certificates) {
                Ok((key, made)) => {
                    signers.push(key.fingerprint.clone());
                    signed_at = signed_at.max(made);
                }
                Err(refusal) => {
                    ignored.push(format!("the signature by {}: {refusal}", issuer(signature)));
                    refusals.push(refusal);
                }
            }
        }
        if signers.is_empty() {
            let code = refusals.iter().min().map_or(codes::SIGNATURE_INVALID, Refusal::code);
            let message = format!("no signature is a valid one by a key that may sign `{}`", self.scope);
            let finding = Finding::error(code, message).help(
                "`clnstrt-cli trust` lists the keys and what each may sign; another source may have an untouched copy",
            );
            return Err(ignored.into_iter().fold(finding, Finding::because));
        }
        signers.sort();
        signers.dedup();
        Ok(Signed { signers, signed_at, ignored })
    }

    /// The key that made a signature and when, or why the signature counts for nothing.
    fn signer<'c>(
        &self,
        signature: &Signature,
        document: &mut (impl Read + Seek),
        certificates: &'c [(&Key, SignedPublicKey)],
    ) -> Result<(&'c Key, i64), Refusal> {
        for (key, certificate) in certificates {
            if made_by(signature, &certificate.primary_key) {
                self.may_sign(key)?;
                let validities = [certificate::primary(certificate, true)?, window(key)];
                return Ok((key, self.holds(signature, document, &certificate.primary_key, key, &validities)?));
            }
            let Some(subkey) = certificate.public_subkeys.iter().find(|subkey| made_by(signature, &subkey.key)) else {
                continue;
            };
            self.may_sign(key)?;
            let validities =
                [certificate::primary(certificate, false)?, certificate::subkey(certificate, subkey)?, window(key)];
            return Ok((key, self.holds(signature, document, &subkey.key, key, &validities)?));
        }
        Err(Refusal::Signer("no such key is in the trust data".to_owned()))
    }

    fn may_sign(&self, key: &Key) -> Result<(), Refusal> {
        if let Some(revoked) = &key.revoked {
            return Err(Refusal::Revoked(format!("it is believed no more: {}", revoked.reason)));
        }
        match key.signs.contains(self.scope) {
            true => Ok(()),
            false => Err(Refusal::Signer(format!("the key of {} may not sign `{}`", key.name, self.scope))),
        }
    }

    /// When the signature was made; an error where it does not match, or did not hold at the time.
    fn holds(
        &self,
        signature: &Signature,
        document: &mut (impl Read + Seek),
        signer: &impl VerifyingKey,
        key: &Key,
        validities: &[Validity],
    ) -> Result<i64, Refusal> {
        let invalid = |why: &str| Refusal::Invalid(why.to_owned());
        if signature.typ() != Some(self.kind) {
            let what = if self.kind == SignatureType::Text { "text" } else { "file" };
            return Err(Refusal::Invalid(format!("it is not a signature over a {what}")));
        }
        certificate::acceptable(signature).map_err(Refusal::Invalid)?;
        document.rewind().map_err(unread)?;
        signature.verify(signer, document).map_err(|error| match error {
            pgp::errors::Error::IO { source, .. } => unread(source),
            _ => invalid("it does not match what was signed"),
        })?;
        let made = i64::from(signature.created().ok_or_else(|| invalid("it does not say when it was made"))?.as_secs());
        if made > self.at.saturating_add(SKEW) {
            return Err(invalid("it was made in the future"));
        }
        let lasts = signature.signature_expiration_time().map(|time| i64::from(time.as_secs()));
        if lasts.is_some_and(|seconds| seconds > 0 && made + seconds <= self.at) {
            return Err(invalid("it has expired"));
        }
        let now = self.at.max(made);
        validities.iter().try_for_each(|validity| validity.check("when it was made, its key", made))?;
        match key.believed_until {
            None => validities.iter().try_for_each(|validity| validity.check("its key", now))?,
            Some(until) if now >= until.as_second() => {
                return Err(Refusal::Expired(format!("what its key signed was believed until {until} only")));
            }
            Some(_) => {}
        }
        Ok(made)
    }
}

fn unread(error: std::io::Error) -> Refusal {
    Refusal::Unread(format!("what was signed cannot be read: {error}"))
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

/// Whether the signature says the key made it. Only the crypto, later, shows that it did.
fn made_by(signature: &Signature, key: &impl KeyDetails) -> bool {
    let fingerprints = signature.issuer_fingerprint();
    match fingerprints.is_empty() {
        true => signature.issuer_key_id().contains(&&key.legacy_key_id()),
        false => fingerprints.contains(&&key.fingerprint()),
    }
}

fn window(key: &Key) -> Validity {
    Validity { from: key.valid_from.as_second(), until: key.valid_until.map(|until| until.as_second()) }
}

/// What a signature says about who made it.
fn issuer(signature: &Signature) -> String {
    let fingerprint = signature.issuer_fingerprint().first().map(|fingerprint| format!("{fingerprint:x}"));
    let key_id = || signature.issuer_key_id().first().map(|id| id.to_string());
    fingerprint.or_else(key_id).unwrap_or_else(|| "an unnamed key".to_owned())
}
