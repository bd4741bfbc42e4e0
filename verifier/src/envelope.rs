//! Signed bytes and what they are (DSSE 1.0).

use std::fmt;

use data_encoding::BASE64;
use model::{Digest, Hasher};
use serde::de::{Deserializer, IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};

use crate::PublicKey;
use crate::slice::Slice;

/// What the payload of an in-toto statement is called.
pub const IN_TOTO: &str = "application/vnd.in-toto+json";

/// Signatures of an envelope that are tried: each of Ed25519 takes as long as hashing the payload.
const MOST_SIGNATURES: usize = 16;

/// Bytes, what they are, and signatures over both.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Envelope {
    #[serde(with = "crate::base64")]
    payload: Slice,
    /// What they are.
    pub payload_type: String,
    #[serde(deserialize_with = "few")]
    signatures: Vec<Signature>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Signature {
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

/// As many signatures as are tried, and one more where there are more.
pub(crate) fn few<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Signature>, D::Error> {
    struct Few;

    impl<'de> Visitor<'de> for Few {
        type Value = Vec<Signature>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("signatures")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Vec<Signature>, A::Error> {
            let mut signatures = Vec::new();
            while signatures.len() <= MOST_SIGNATURES {
                match items.next_element()? {
                    Some(signature) => signatures.push(signature),
                    None => return Ok(signatures),
                }
            }
            while items.next_element::<IgnoredAny>()?.is_some() {}
            Ok(signatures)
        }
    }

    deserializer.deserialize_seq(Few)
}

pub(crate) fn is_signed(signatures: &[Signature]) -> bool {
    (1..=MOST_SIGNATURES).contains(&signatures.len())
}

impl Envelope {
    /// Bytes with a signature over their [`pae`].
    pub fn new(payload_type: &str, payload: &[u8], signature: &[u8]) -> Self {
        let signature = Signature { sig: BASE64.encode(signature), keyid: String::new() };
        Self::sealed(payload_type, payload.to_vec().into(), vec![signature])
    }

    pub(crate) fn sealed(payload_type: &str, payload: Slice, signatures: Vec<Signature>) -> Self {
        Self { payload, payload_type: payload_type.to_owned(), signatures }
    }

    /// The bytes; nobody has said yet whose they are.
    pub fn payload(&self) -> &Slice {
        &self.payload
    }

    /// The SHA-256 of their [`pae`].
    pub(crate) fn digest(&self) -> Digest {
        let mut hasher = Hasher::new();
        hasher.update(head(&self.payload_type, &self.payload).as_bytes());
        hasher.update(&self.payload);
        hasher.finish()
    }

    /// Whether there is a signature, of whomever, and not more than are tried.
    pub(crate) fn is_signed(&self) -> bool {
        is_signed(&self.signatures)
    }

    /// Whether one of the signatures is of this key; the digest is that of [`Self::digest`].
    pub(crate) fn is_of(&self, key: &PublicKey, digest: &Digest) -> bool {
        let head = head(&self.payload_type, &self.payload);
        self.is_signed()
            && self.signatures.iter().any(|signature| {
                BASE64
                    .decode(signature.sig.as_bytes())
                    .is_ok_and(|signature| key.verifies_hashed(digest, &[head.as_bytes(), &self.payload], &signature))
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_signatures_no_more_are_kept_than_show_that_they_are_many() {
        let envelope = |count: usize| {
            let signatures = vec![r#"{"sig":"AAAA"}"#; count].join(",");
            let text = format!(r#"{{"payload":"","payloadType":"t","signatures":[{signatures}]}}"#);
            serde_json::from_str::<Envelope>(&text).unwrap()
        };
        for (count, kept, is_signed) in [(0, 0, false), (1, 1, true), (16, 16, true), (17, 17, false), (100, 17, false)]
        {
            let envelope = envelope(count);
            assert_eq!((envelope.signatures.len(), envelope.is_signed()), (kept, is_signed), "{count}");
        }
    }

    /// The example of the specification.
    #[test]
    fn what_is_signed_is_the_type_and_the_bytes_with_their_lengths() {
        let signed = pae("http://example.com/HelloWorld", b"hello world");
        assert_eq!(signed, b"DSSEv1 29 http://example.com/HelloWorld 11 hello world");
    }
}
