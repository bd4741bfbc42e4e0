use std::fmt;

use data_encoding::BASE64;
use ed25519_dalek::pkcs8::{DecodePublicKey, EncodePublicKey};
use model::Digest;
use p256::ecdsa::signature::hazmat::PrehashVerifier as _;
use p256::pkcs8::LineEnding;
use rsa::traits::PublicKeyParts as _;
use sha2::Sha256;

/// Bits that an RSA key has at least (NIST SP 800-131A), and at most, for time is theirs to the third power.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=4096;

/// A key that signatures are held against: ECDSA on P-256 with SHA-256, Ed25519, or RSA (PKCS #1 v1.5) with SHA-256.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    key: Key,
    /// The key as a SubjectPublicKeyInfo (RFC 5280 §4.1) in DER.
    der: Vec<u8>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Key {
    P256(p256::ecdsa::VerifyingKey),
    Ed25519(ed25519_dalek::VerifyingKey),
    Rsa(rsa::RsaPublicKey),
}

/// Why a text is no public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyError {
    /// It is no `PUBLIC KEY` in PEM (RFC 7468 §13).
    NotPem,
    /// There is more than one thing in it.
    Several,
    /// It is of a kind that is not read here.
    OtherKind,
    /// It is an RSA key of too few bits, or of too many.
    Size(usize),
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            KeyError::NotPem => f.write_str("it is no public key in PEM"),
            KeyError::Several => f.write_str("there is more in it than one key: name each in a file of its own"),
            KeyError::OtherKind => f.write_str("it is neither ECDSA on P-256 nor Ed25519 nor RSA of at most 4096 bits"),
            KeyError::Size(bits) => {
                write!(f, "it is an RSA key of {bits} bits: {} to {} are accepted", RSA_BITS.start(), RSA_BITS.end())
            }
        }
    }
}

impl std::error::Error for KeyError {}

impl PublicKey {
    /// Reads a key as `openssl` and `cosign` write it.
    ///
    /// # Errors
    /// Why it is none.
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        let mut lines = text.lines().map(str::trim).skip_while(|line| *line != "-----BEGIN PUBLIC KEY-----").skip(1);
        let body: String = lines.by_ref().take_while(|line| !line.starts_with("-----")).collect();
        if lines.any(|line| line.starts_with("-----BEGIN")) {
            return Err(KeyError::Several);
        }
        let der = BASE64.decode(body.as_bytes()).map_err(|_| KeyError::NotPem)?;
        if der.is_empty() { Err(KeyError::NotPem) } else { Self::from_der(&der) }
    }

    /// Reads a SubjectPublicKeyInfo.
    ///
    /// # Errors
    /// Why it is none.
    pub fn from_der(der: &[u8]) -> Result<Self, KeyError> {
        let key = if let Ok(key) = p256::ecdsa::VerifyingKey::from_public_key_der(der) {
            Key::P256(key)
        } else if let Ok(key) = ed25519_dalek::VerifyingKey::from_public_key_der(der) {
            Key::Ed25519(key)
        } else {
            let key = rsa::RsaPublicKey::from_public_key_der(der).map_err(|_| KeyError::OtherKind)?;
            let bits = key.n().bits();
            if !RSA_BITS.contains(&bits) {
                return Err(KeyError::Size(bits));
            }
            Key::Rsa(key)
        };
        Ok(Self { key, der: der.to_vec() })
    }

    /// The key in PEM.
    pub fn to_pem(&self) -> String {
        let pem = match &self.key {
            Key::P256(key) => key.to_public_key_pem(LineEnding::LF),
            Key::Ed25519(key) => key.to_public_key_pem(LineEnding::LF),
            Key::Rsa(key) => key.to_public_key_pem(LineEnding::LF),
        };
        pem.unwrap_or_default()
    }

    /// The key as a SubjectPublicKeyInfo.
    pub(crate) fn to_der(&self) -> &[u8] {
        &self.der
    }

    /// What bundles call the key by: the SHA-256 of its DER, in base64.
    pub fn hint(&self) -> String {
        BASE64.encode(self.fingerprint().as_bytes())
    }

    /// The SHA-256 of its DER.
    pub fn fingerprint(&self) -> Digest {
        Digest::of(&self.der)
    }

    /// Whether a signature is of this key and over these bytes.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.verifies_hashed(&Digest::of(message), &[message], signature)
    }

    /// The same of bytes one after another whose digest is known: it is the same however many keys and signatures are tried.
    pub(crate) fn verifies_hashed(&self, digest: &Digest, message: &[&[u8]], signature: &[u8]) -> bool {
        match &self.key {
            Key::P256(key) => p256::ecdsa::Signature::from_der(signature)
                .is_ok_and(|signature| key.verify_prehash(digest.as_bytes(), &signature).is_ok()),
            Key::Ed25519(key) => ed25519_dalek::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify_strict(&message.concat(), &signature).is_ok()),
            Key::Rsa(key) => rsa::pkcs1v15::Signature::try_from(signature).is_ok_and(|signature| {
                let key = rsa::pkcs1v15::VerifyingKey::<Sha256>::new(key.clone());
                key.verify_prehash(digest.as_bytes(), &signature).is_ok()
            }),
        }
    }
}
