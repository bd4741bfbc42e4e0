use ed25519_dalek::pkcs8::DecodePrivateKey as _;
use model::{Finding, codes};
use p256::ecdsa::signature::{SignatureEncoding as _, Signer as _};
use p256::pkcs8::EncodePublicKey as _;
use rsa::pkcs1v15;
use rsa::rand_core::OsRng;
use rsa::signature::RandomizedSigner as _;
use sha2::Sha256;
use verifier::PublicKey;

use crate::Signer;

/// A key in this program's memory. All three kinds overwrite themselves when they are dropped.
pub struct PrivateKey {
    key: Key,
    public: PublicKey,
}

enum Key {
    P256(p256::ecdsa::SigningKey),
    Ed25519(ed25519_dalek::SigningKey),
    Rsa(Box<pkcs1v15::SigningKey<Sha256>>),
}

impl PrivateKey {
    /// Reads a key in PKCS #8 (RFC 5958), without a password.
    ///
    /// # Errors
    /// Why it is none that is used here.
    pub fn from_pkcs8(der: &[u8]) -> Result<Self, String> {
        let other = || "it is no key in PKCS #8 of ECDSA on P-256, Ed25519 or RSA".to_owned();
        let (key, public) = if let Ok(key) = p256::SecretKey::from_pkcs8_der(der) {
            let public = key.public_key().to_public_key_der();
            (Key::P256(key.into()), public)
        } else if let Ok(key) = ed25519_dalek::SigningKey::from_pkcs8_der(der) {
            let public = key.verifying_key().to_public_key_der();
            (Key::Ed25519(key), public)
        } else {
            let key = rsa::RsaPrivateKey::from_pkcs8_der(der).map_err(|_| other())?;
            let public = key.to_public_key().to_public_key_der();
            (Key::Rsa(Box::new(pkcs1v15::SigningKey::new(key))), public)
        };
        let public = public.map_err(|_| other())?;
        let public = PublicKey::from_der(public.as_bytes()).map_err(|why| why.to_string())?;
        Ok(Self { key, public })
    }
}

impl Signer for PrivateKey {
    fn public(&self) -> &PublicKey {
        &self.public
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Finding> {
        let failed = |why: String| {
            Finding::error(codes::KEY_UNUSABLE, "a signature could not be made").because(why).help("use another key")
        };
        match &self.key {
            // The same bytes get the same signature (RFC 6979), so what was signed before is known again.
            Key::P256(key) => {
                let signature: p256::ecdsa::Signature = key.try_sign(message).map_err(|e| failed(e.to_string()))?;
                Ok(signature.to_der().to_bytes().into_vec())
            }
            Key::Ed25519(key) => Ok(key.try_sign(message).map_err(|e| failed(e.to_string()))?.to_vec()),
            // The random number blinds the computation; the signature does not depend on it.
            Key::Rsa(key) => {
                Ok(key.try_sign_with_rng(&mut OsRng, message).map_err(|e| failed(e.to_string()))?.to_vec())
            }
        }
    }
}
