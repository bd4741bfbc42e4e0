//! The log's key: Ed25519 in PKCS #8 (RFC 8410), beside the log.

use data_encoding::BASE64;
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _, KeypairBytes};
use model::{Finding, codes};
use ring::rand::{SecureRandom as _, SystemRandom};
use zeroize::Zeroizing;

use super::folder::Folder;
use crate::note::Signer;

pub(super) const KEY: &str = "key";
const BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
const END: &str = "-----END PRIVATE KEY-----";
/// What logs are called before the part that is their key's.
const NAME: &str = "clnstrt-audit";
/// Bytes of a file with a key.
const LARGEST: u64 = 4096;

/// The key, if there is one.
pub(super) fn read(folder: &Folder) -> Result<Option<Signer>, Finding> {
    let Some(text) = folder.read(KEY, LARGEST)?.map(Zeroizing::new) else { return Ok(None) };
    let key = std::str::from_utf8(&text).ok().and_then(decode).ok_or_else(|| {
        Finding::error(
            codes::AUDIT_UNUSABLE,
            "the key of the audit trail cannot be read: it is no Ed25519 key in PKCS #8",
        )
        .help("Put back the key the log was begun with, or begin a new one in another folder.")
    })?;
    Ok(Some(Signer::new(NAME, key)))
}

/// Makes a key.
pub(super) fn make(folder: &Folder) -> Result<Signer, Finding> {
    let failed =
        |why: String| Finding::error(codes::AUDIT_UNUSABLE, "no key for the audit trail could be made").because(why);
    let mut seed = Zeroizing::new([0; 32]);
    SystemRandom::new().fill(seed.as_mut()).map_err(|_| failed("there are no random numbers".to_owned()))?;
    // Without the public part, as older versions of openssl read it.
    let pair = KeypairBytes { secret_key: *seed, public_key: None };
    let der = pair.to_pkcs8_der().map_err(|e| failed(e.to_string()))?;
    let body = Zeroizing::new(BASE64.encode(der.as_bytes())); // one line of 64 characters
    let text = Zeroizing::new(format!("{BEGIN}\n{}\n{END}\n", *body));
    folder.write(KEY, text.as_bytes())?;
    Ok(Signer::new(NAME, SigningKey::from_bytes(&seed)))
}

fn decode(text: &str) -> Option<SigningKey> {
    let body = text.trim().strip_prefix(BEGIN)?.strip_suffix(END)?;
    let body = Zeroizing::new(body.split_whitespace().collect::<String>());
    let der = Zeroizing::new(BASE64.decode(body.as_bytes()).ok()?);
    SigningKey::from_pkcs8_der(&der).ok()
}
