//! Signatures in one document with what it takes to check them (sigstore bundle, version 0.3).

use std::fmt;

use model::text::short;
use serde::{Deserialize, Serialize};

use crate::envelope::{Envelope, IN_TOTO};
use crate::public_key::PublicKey;

/// What a bundle is called.
pub const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
/// Bytes of a bundle; a bill of materials of a large image has a few million.
pub(crate) const LARGEST: usize = 64 << 20;

/// An envelope, and whose key it was signed with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Bundle {
    media_type: String,
    verification_material: Material,
    /// What is signed.
    #[serde(rename = "dsseEnvelope")]
    pub envelope: Envelope,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Material {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    public_key: Option<Hint>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Hint {
    #[serde(default)]
    hint: String,
}

impl Material {
    /// What it says that the key is called.
    pub(crate) fn hint(&self) -> Option<&str> {
        Some(&self.public_key.as_ref()?.hint)
    }
}

/// Why bytes are no bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BundleError {
    /// There are too many.
    TooLarge,
    /// They are no JSON, or not of this form.
    Form(String),
    /// They are of another version.
    Version(String),
    /// What is signed is no statement.
    Payload(String),
    /// Nobody signed it, or more did than are looked at.
    Unsigned,
}

impl fmt::Display for BundleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BundleError::TooLarge => write!(f, "it has more than {LARGEST} bytes"),
            BundleError::Form(why) => write!(f, "it is no sigstore bundle: {why}"),
            BundleError::Version(found) => write!(f, "it is {found:?}, not {BUNDLE:?}"),
            BundleError::Payload(found) => write!(f, "what it signs is {found:?}, no in-toto statement"),
            BundleError::Unsigned => f.write_str("nobody signed it, or more did than are looked at"),
        }
    }
}

impl std::error::Error for BundleError {}

impl Bundle {
    /// An envelope that was signed with a key.
    pub fn new(envelope: Envelope, key: &PublicKey) -> Self {
        let verification_material = Material { public_key: Some(Hint { hint: key.hint() }) };
        Self { media_type: BUNDLE.to_owned(), verification_material, envelope }
    }

    /// What it says that the key is called which signed it.
    pub(crate) fn hint(&self) -> Option<&str> {
        self.verification_material.hint()
    }

    /// Reads a bundle of a statement.
    ///
    /// # Errors
    /// Why it is none.
    pub fn parse(bytes: &[u8]) -> Result<Self, BundleError> {
        if bytes.len() > LARGEST {
            return Err(BundleError::TooLarge);
        }
        let bundle: Self = serde_json::from_slice(bytes).map_err(|e| BundleError::Form(short(e)))?;
        if bundle.media_type != BUNDLE {
            return Err(BundleError::Version(bundle.media_type));
        }
        if bundle.envelope.payload_type != IN_TOTO {
            return Err(BundleError::Payload(bundle.envelope.payload_type));
        }
        if !bundle.envelope.is_signed() {
            return Err(BundleError::Unsigned);
        }
        Ok(bundle)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made by `openssl ecparam -name prime256v1 -genkey`, and used for nothing else.
    const KEY: &str = "-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEUlunGRDYlnIfoZR1kt3s0ezekg6V
Hd+bjmlhFvZIwEa890TG3ZVAw0/qkTP7NJKjXL4h+a53BHGZFEGFcFm/Qw==
-----END PUBLIC KEY-----
";

    #[test]
    fn a_bundle_is_read_as_it_is_written_and_others_are_refused() {
        let key = PublicKey::from_pem(KEY).unwrap();
        assert_eq!(key.to_pem(), KEY);
        let bundle = Bundle::new(Envelope::new(IN_TOTO, b"{}", b"no signature"), &key);
        let text = serde_json::to_string(&bundle).unwrap();
        assert_eq!(Bundle::parse(text.as_bytes()), Ok(bundle.clone()));
        assert_eq!(**bundle.envelope.payload(), *b"{}");
        assert!(!bundle.envelope.is_of(&key, &bundle.envelope.digest()));
        let with = |from: &str, to: &str| Bundle::parse(text.replace(from, to).as_bytes());
        assert!(matches!(with("v0.3", "v0.1"), Err(BundleError::Version(_))));
        assert!(matches!(with("in-toto", "other"), Err(BundleError::Payload(_))));
        assert!(matches!(with("dsseEnvelope", "x"), Err(BundleError::Form(_))));
        assert!(matches!(Bundle::parse(b""), Err(BundleError::Form(_))));
    }

    #[test]
    fn what_is_no_key_is_none() {
        for text in
            ["", "-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----", &KEY.replace("MFkw", "MFkx"), &KEY.repeat(2)]
        {
            assert!(PublicKey::from_pem(text).is_err(), "{text}");
        }
    }
}
