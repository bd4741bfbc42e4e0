//! Signed bytes and what they are (DSSE 1.0).

use data_encoding::BASE64;
use serde::{Deserialize, Serialize};

use crate::PublicKey;

/// What the payload of an in-toto statement is called.
pub const IN_TOTO: &str = "application/vnd.in-toto+json";

/// Signatures of an envelope: each takes as long as hashing the payload.
const MOST_SIGNATURES: usize = 16;

/// Bytes, what they are, and signatures over both.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Envelope {
    /// The bytes, in base64.
    payload: String,
    /// What they are.
    pub payload_type: String,
    signatures: Vec<Signature>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Signature {
    /// In base64.
    sig: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    keyid: String,
}

/// What is signed: the bytes and what they are, each after its length, so that neither can be taken for a part of the other.
pub fn pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len());
    [head.as_bytes(), payload].concat()
}

impl Envelope {
    /// Bytes with a signature over their [`pae`].
    pub fn new(payload_type: &str, payload: &[u8], signature: &[u8]) -> Self {
        let signature = Signature { sig: BASE64.encode(signature), keyid: String::new() };
        Self { payload: BASE64.encode(payload), payload_type: payload_type.to_owned(), signatures: vec![signature] }
    }

    /// The bytes; nobody has said yet whose they are.
    pub fn payload(&self) -> Option<Vec<u8>> {
        BASE64.decode(self.payload.as_bytes()).ok()
    }

    /// Whether there is a signature, of whomever, and not more than are tried.
    pub(crate) fn is_signed(&self) -> bool {
        (1..=MOST_SIGNATURES).contains(&self.signatures.len())
    }

    /// The bytes, if one of the signatures is of this key.
    pub fn verified(&self, key: &PublicKey) -> Option<Vec<u8>> {
        let payload = self.payload()?;
        let message = pae(&self.payload_type, &payload);
        let is_signed = self.is_signed()
            && self.signatures.iter().any(|signature| {
                BASE64.decode(signature.sig.as_bytes()).is_ok_and(|signature| key.verifies(&message, &signature))
            });
        is_signed.then_some(payload)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification.
    #[test]
    fn what_is_signed_is_the_type_and_the_bytes_with_their_lengths() {
        let signed = pae("http://example.com/HelloWorld", b"hello world");
        assert_eq!(signed, b"DSSEv1 29 http://example.com/HelloWorld 11 hello world");
    }
}
