//! OpenPGP: whether a text or a file was signed by a key that may sign it.
//!
//! The `pgp` crate computes; what is believed is decided here: scope, validity, revocation and algorithms.

mod certificate;
mod cleartext;
mod judge;
mod refusal;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

use std::io::{Cursor, Read, Seek};

use model::{Finding, codes};
use pgp::composed::{Deserializable, DetachedSignature};
use pgp::packet::{Signature, SignatureType};
use trust::Trust;

use judge::Claim;

/// A signed text has at most so many bytes; Debian's largest has 1.5 MB.
pub const MAX_BYTES: usize = 16 << 20;

/// Signatures have at most so many bytes; three RSA signatures have 2 kB.
pub const MAX_SIGNATURE_BYTES: usize = 64 << 10;

/// More signatures than this are not tried.
const MAX_SIGNATURES: usize = 16;

/// Who signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// Fingerprints of the certificates whose signatures are valid, lower-case hex, sorted.
    pub signers: Vec<String>,
    /// When the newest of the valid signatures was made, seconds since 1970.
    pub signed_at: i64,
    /// The signatures that were not believed, and why.
    pub ignored: Vec<String>,
}

/// A text, and who signed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedText {
    /// The signed text; nothing outside of it.
    pub text: String,
    /// Who signed it.
    pub signed: Signed,
}

/// Verifies a cleartext signed message: at least one of its signatures is by a key that may sign `scope`, and valid.
///
/// `at` is the time validity is judged by, seconds since 1970.
///
/// # Errors
/// `SIGNATURE_INVALID` where it is no such message or is not what was signed, `KEY_REVOKED`, `KEY_EXPIRED`,
/// `WRONG_SIGNER`: of several signatures the first code in this order, with a cause for each. `TRUST_UNREADABLE` where
/// a certificate of the trust data cannot be read.
pub fn verify_cleartext(bytes: &[u8], trust: &Trust, scope: &str, at: i64) -> Result<SignedText, Finding> {
    let invalid = |cause: String| {
        Finding::error(codes::SIGNATURE_INVALID, format!("what is offered as `{scope}` is not a signed text"))
            .because(cause)
            .help("the server answers with something else than was asked for; check `clnstrt-cli sources`")
    };
    if bytes.len() > MAX_BYTES {
        return Err(invalid(format!("it has {} bytes; {MAX_BYTES} are the limit", bytes.len())));
    }
    let message = std::str::from_utf8(bytes).map_err(|_| invalid("it is not UTF-8".to_owned()))?;
    let message = cleartext::split(message).map_err(invalid)?;
    let signatures = signatures(message.signatures.as_bytes()).map_err(invalid)?;
    let claim = Claim { trust, scope, kind: SignatureType::Text, at };
    let signed = claim.judge(&signatures, &mut Cursor::new(message.signed_bytes()))?;
    Ok(SignedText { text: message.text, signed })
}

/// Verifies signatures, armoured or not, over a file they are not part of: at least one is by a key that may sign
/// `scope`, and valid.
///
/// The file is read to its end for each signature by such a key, and not held in memory. Whether it is the file that
/// was asked for, the caller knows by its digest. `at` is the time validity is judged by, seconds since 1970.
///
/// # Errors
/// As [`verify_cleartext`]; `SIGNATURE_MISSING` where there is no signature, `STORE_IO` where the file cannot be read.
pub fn verify_detached(
    document: &mut (impl Read + Seek),
    signatures: &[u8],
    trust: &Trust,
    scope: &str,
    at: i64,
) -> Result<Signed, Finding> {
    if signatures.trim_ascii().is_empty() {
        return Err(missing(scope));
    }
    let signatures = self::signatures(signatures).map_err(|cause| {
        Finding::error(codes::SIGNATURE_INVALID, format!("the signature for `{scope}` cannot be read"))
            .because(cause)
            .help("another source may have an untouched copy")
    })?;
    Claim { trust, scope, kind: SignatureType::Binary, at }.judge(&signatures, document)
}

/// The finding where something is to be signed and comes without a signature.
pub fn missing(scope: &str) -> Finding {
    Finding::error(codes::SIGNATURE_MISSING, format!("a signature for `{scope}` is demanded, and there is none"))
        .help("the signature lies beside the file at its publisher's; another source may have both")
}

fn signatures(bytes: &[u8]) -> Result<Vec<Signature>, String> {
    if bytes.len() > MAX_SIGNATURE_BYTES {
        return Err(format!("its signatures have {} bytes; {MAX_SIGNATURE_BYTES} are the limit", bytes.len()));
    }
    let (parsed, _) = DetachedSignature::from_reader_many_buf(bytes).map_err(|e| e.to_string())?;
    let parsed = parsed.take(MAX_SIGNATURES).map(|found| found.map(|found| found.signature).map_err(|e| e.to_string()));
    let signatures = parsed.collect::<Result<Vec<_>, _>>()?;
    if signatures.is_empty() { Err("it holds no signature".to_owned()) } else { Ok(signatures) }
}
