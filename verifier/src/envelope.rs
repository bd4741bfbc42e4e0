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
    #[serde(with = "base64")]
    payload: Vec<u8>,
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
    [head(payload_type, payload).as_bytes(), payload].concat()
}

fn head(payload_type: &str, payload: &[u8]) -> String {
    format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len())
}

impl Envelope {
    /// Bytes with a signature over their [`pae`].
    pub fn new(payload_type: &str, payload: &[u8], signature: &[u8]) -> Self {
        let signature = Signature { sig: BASE64.encode(signature), keyid: String::new() };
        Self { payload: payload.to_vec(), payload_type: payload_type.to_owned(), signatures: vec![signature] }
    }

    /// The bytes; nobody has said yet whose they are.
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// The same, for good.
    pub(crate) fn into_payload(self) -> Vec<u8> {
        self.payload
    }

    /// Whether there is a signature, of whomever, and not more than are tried.
    pub(crate) fn is_signed(&self) -> bool {
        (1..=MOST_SIGNATURES).contains(&self.signatures.len())
    }

    /// Whether one of the signatures is of this key.
    pub fn is_of(&self, key: &PublicKey) -> bool {
        let head = head(&self.payload_type, &self.payload);
        self.is_signed()
            && self.signatures.iter().any(|signature| {
                BASE64
                    .decode(signature.sig.as_bytes())
                    .is_ok_and(|signature| key.verifies(&[head.as_bytes(), &self.payload], &signature))
            })
    }
}

/// Bytes in base64.
mod base64 {
    use std::fmt;

    use data_encoding::BASE64;
    use serde::de::{Deserializer, Error, Visitor};
    use serde::ser::Serializer;

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&BASE64.encode_display(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        deserializer.deserialize_str(Text)
    }

    struct Text;

    impl Visitor<'_> for Text {
        type Value = Vec<u8>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("bytes in base64")
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<Vec<u8>, E> {
            BASE64.decode(text.as_bytes()).map_err(|e| E::custom(format!("no base64: {e}")))
        }
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
