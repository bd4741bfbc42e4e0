//! A statement that somebody's key signed, read as far as nobody's word is needed: whoever gathers can have that done beside other
//! things, for it takes the most time of all.

use std::ops::Range;

use model::{Digest, json};
use serde::Deserialize;

use crate::base64;
use crate::bundle::{BUNDLE, BundleError, LARGEST, Material};
use crate::envelope::{Envelope, IN_TOTO, Signature, few, is_signed};
use crate::slice::Slice;
use crate::statement::Statement;

/// A bundle that names a key, and needs no more than is kept here of it.
#[derive(Clone, Debug)]
pub(crate) struct KeyBundle {
    /// What it says that the key is called.
    pub(crate) hint: String,
    pub(crate) envelope: Envelope,
    /// The SHA-256 of what is signed.
    pub(crate) digest: Digest,
    /// What is signed; why it is no statement.
    pub(crate) statement: Result<Statement, String>,
}

/// Why bytes are none.
#[derive(Debug)]
pub(crate) enum Other {
    /// They are something else, or read otherwise by others.
    Bytes(Vec<u8>),
    /// What is signed cannot be read.
    Broken(BundleError),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Outline<'b> {
    media_type: &'b str,
    verification_material: Material,
    #[serde(borrow, rename = "dsseEnvelope")]
    envelope: Sealed<'b>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sealed<'b> {
    payload: &'b str,
    payload_type: &'b str,
    #[serde(deserialize_with = "few")]
    signatures: Vec<Signature>,
}

impl KeyBundle {
    /// Reads a bundle, and decodes what is signed where it stands.
    ///
    /// # Errors
    /// What it is else.
    pub(crate) fn parse(mut bytes: Vec<u8>) -> Result<Self, Other> {
        let Some((hint, signatures, payload)) = outline(&bytes) else { return Err(Other::Bytes(bytes)) };
        let start = payload.start;
        let text = bytes.get_mut(payload).unwrap_or_default();
        if !is_signed(&signatures) {
            return Err(Other::Broken(BundleError::Unsigned));
        }
        let length = base64::decode(text).ok_or_else(|| Other::Broken(BundleError::Form("no base64".to_owned())))?;
        let envelope = Envelope::sealed(IN_TOTO, Slice::of(bytes, start..start + length), signatures);
        let (digest, statement) = (envelope.digest(), Statement::parse(envelope.payload()));
        Ok(Self { hint, envelope, digest, statement })
    }
}

/// The key's name, the signatures, and where the payload stands, of a bundle in which no name is there twice.
fn outline(bytes: &[u8]) -> Option<(String, Vec<Signature>, Range<usize>)> {
    if bytes.len() > LARGEST {
        return None;
    }
    let outline: Outline<'_> = serde_json::from_slice(bytes).ok()?;
    let Sealed { payload, payload_type, signatures } = outline.envelope;
    let hint =
        outline.verification_material.hint().filter(|_| outline.media_type == BUNDLE && payload_type == IN_TOTO)?;
    let start = payload.as_ptr().addr() - bytes.as_ptr().addr();
    let range = start..start + payload.len();
    // The payload is the most of it, and has no names in it.
    let rest = [bytes.get(..range.start)?, bytes.get(range.end..)?].concat();
    json::check(&rest).ok()?;
    Some((hint.to_owned(), signatures, range))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_plain_bundle_of_a_key_stays_as_it_is() {
        let text = |payload: &str, more: &str| {
            format!(
                r#"{{"mediaType":"{BUNDLE}","verificationMaterial":{{"publicKey":{{"hint":"h"}}}},"dsseEnvelope":{{"payload":"{payload}","payloadType":"{IN_TOTO}","signatures":[{{"sig":"AAAA"}}]{more}}}}}"#
            )
        };
        let good = KeyBundle::parse(text("e30=", "").into_bytes()).unwrap();
        assert_eq!((good.hint.as_str(), &**good.envelope.payload()), ("h", b"{}".as_slice()));
        assert_eq!(good.digest, Digest::of(&crate::pae(IN_TOTO, b"{}")));
        for other in
            [text(r"e30\u003d", ""), text("e30=", r#","a":1,"a":2"#), text("e30=", "").replace("publicKey", "x")]
        {
            let Err(Other::Bytes(bytes)) = KeyBundle::parse(other.clone().into_bytes()) else { panic!("{other}") };
            assert_eq!(bytes, other.as_bytes());
        }
        let broken = KeyBundle::parse(text("e3", "").into_bytes());
        assert!(matches!(broken, Err(Other::Broken(BundleError::Form(_)))), "{broken:?}");
        let unsigned = KeyBundle::parse(text("e30=", "").replace(r#"{"sig":"AAAA"}"#, "").into_bytes());
        assert!(matches!(unsigned, Err(Other::Broken(BundleError::Unsigned))), "{unsigned:?}");
    }
}
