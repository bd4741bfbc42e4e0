//! Keys that sign, wherever they are kept. What is secret is overwritten when it is dropped, and never shown.

mod cosign;
mod key;
mod pem;
mod pkcs11;
mod reference;

use model::Finding;
use verifier::PublicKey;

pub use cosign::generate;
pub use key::PrivateKey;
pub use pkcs11::TokenUri;
pub use reference::{KeyReference, Password, Secret, open};

/// A key that signs.
pub trait Signer {
    /// What its signatures are held against.
    fn public(&self) -> &PublicKey;

    /// A signature over bytes: ECDSA in DER with SHA-256, Ed25519, or RSA (PKCS #1 v1.5) with SHA-256.
    ///
    /// # Errors
    /// `KEY_UNUSABLE`.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Finding>;
}
