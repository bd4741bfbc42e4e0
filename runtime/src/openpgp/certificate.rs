//! What a certificate says about its keys: validity, revocation, and whether a key may sign.

use pgp::composed::{Deserializable, SignedPublicKey, SignedPublicSubKey};
use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{Signature, SignatureType, SubpacketData};
use pgp::types::{KeyDetails, Tag};

use super::refusal::Refusal;

/// Seconds since 1970 between which a key is valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Validity {
    pub(super) from: i64,
    /// `None`: it does not expire.
    pub(super) until: Option<i64>,
}

impl Validity {
    pub(super) fn check(self, what: &str, at: i64) -> Result<(), Refusal> {
        if at < self.from {
            return Err(Refusal::Expired(format!("{what} was not made yet")));
        }
        match self.until {
            Some(until) if at >= until => Err(Refusal::Expired(format!("{what} has expired"))),
            _ => Ok(()),
        }
    }
}

/// Reads one armoured certificate.
pub(super) fn read(armoured: &str) -> Result<SignedPublicKey, String> {
    let (mut certificates, _) = SignedPublicKey::from_string_many(armoured).map_err(|e| e.to_string())?;
    let certificate = certificates.next().ok_or("it holds no certificate")?.map_err(|e| e.to_string())?;
    match certificates.next() {
        None => Ok(certificate),
        Some(_) => Err("it holds several certificates".to_owned()),
    }
}

/// Lower-case hex.
pub(super) fn fingerprint(key: &impl KeyDetails) -> String {
    format!("{:x}", key.fingerprint())
}

/// Validity of the primary key; an error where it is revoked, or is not to sign but `signs` is asked.
pub(super) fn primary(certificate: &SignedPublicKey, signs: bool) -> Result<Validity, Refusal> {
    let key = &certificate.primary_key;
    if certificate.details.revocation_signatures.iter().any(|revocation| revocation.verify_key(key).is_ok()) {
        return Err(Refusal::Revoked("its certificate is revoked".to_owned()));
    }
    let newest = certificate.details.users.iter().filter_map(|user| {
        let valid = |signature: &&Signature| {
            acceptable(signature).is_ok() && signature.verify_certification(key, Tag::UserId, &user.id).is_ok()
        };
        let own: Vec<&Signature> = user.signatures.iter().filter(valid).collect();
        let revoked = own.iter().any(|signature| signature.typ() == Some(SignatureType::CertRevocation));
        if revoked { None } else { own.into_iter().max_by_key(|signature| signature.created()) }
    });
    let newest = newest.max_by_key(|signature| signature.created());
    let newest = newest.ok_or_else(|| may_not("its certificate has no valid user id"))?;
    if signs && !newest.key_flags().sign() {
        return Err(may_not("its certificate does not let it sign"));
    }
    Ok(validity(key, newest))
}

/// Validity of a subkey that may sign; an error where it is not bound to its primary key, revoked, or not to sign.
pub(super) fn subkey(certificate: &SignedPublicKey, subkey: &SignedPublicSubKey) -> Result<Validity, Refusal> {
    let primary = &certificate.primary_key;
    let bound = |signature: &&Signature| {
        acceptable(signature).is_ok() && signature.verify_subkey_binding(primary, &subkey.key).is_ok()
    };
    // A revocation counts whatever hash algorithm it was made with.
    let revokes = |signature: &Signature| {
        signature.typ() == Some(SignatureType::SubkeyRevocation)
            && signature.verify_subkey_binding(primary, &subkey.key).is_ok()
    };
    if subkey.signatures.iter().any(revokes) {
        return Err(Refusal::Revoked("it is revoked".to_owned()));
    }
    let binding = subkey.signatures.iter().filter(bound).max_by_key(|signature| signature.created());
    let binding = binding.ok_or_else(|| may_not("no valid signature binds it to its certificate"))?;
    if !binding.key_flags().sign() {
        return Err(may_not("its certificate does not let it sign"));
    }
    // Without its own consent, a signing key of somebody else could be bound and its signatures claimed.
    let consents = binding
        .embedded_signature()
        .is_some_and(|back| acceptable(back).is_ok() && back.verify_primary_key_binding(&subkey.key, primary).is_ok());
    if !consents {
        return Err(may_not("it does not confirm that it belongs to its certificate"));
    }
    Ok(validity(&subkey.key, binding))
}

fn may_not(why: &str) -> Refusal {
    Refusal::Signer(why.to_owned())
}

fn validity(key: &impl KeyDetails, signature: &Signature) -> Validity {
    let from = i64::from(key.created_at().as_secs());
    let lasts = signature.key_expiration_time().map(|time| i64::from(time.as_secs())).filter(|seconds| *seconds > 0);
    Validity { from, until: lasts.map(|seconds| from + seconds) }
}

/// Whether a signature is of a kind that is believed at all: its hash is strong, and it has no condition attached that
/// this program does not know (RFC 9580 §5.2.3.7: an unknown critical subpacket makes a signature invalid).
pub(super) fn acceptable(signature: &Signature) -> Result<(), String> {
    match signature.hash_alg() {
        Some(
            HashAlgorithm::Sha256
            | HashAlgorithm::Sha384
            | HashAlgorithm::Sha512
            | HashAlgorithm::Sha3_256
            | HashAlgorithm::Sha3_512,
        ) => {}
        Some(weak) => return Err(format!("it uses {weak}; SHA-256 or better is expected")),
        None => return Err("its format is unknown".to_owned()),
    }
    let unknown = |data: &SubpacketData| {
        matches!(data, SubpacketData::Other(..) | SubpacketData::Experimental(..) | SubpacketData::Notation(_))
    };
    let config = signature.config().ok_or("its format is unknown")?;
    if config.hashed_subpackets().any(|subpacket| subpacket.is_critical && unknown(&subpacket.data)) {
        return Err("it has a critical condition that is not known here".to_owned());
    }
    Ok(())
}
