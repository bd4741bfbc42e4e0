//! Bytes in base64 with padding (RFC 4648 §4), which is at the end alone: large ones are decoded where they stand.

use std::fmt;

use base64_simd::STANDARD;
use data_encoding::BASE64;
use serde::de::{Deserializer, Error, Visitor};
use serde::ser::Serializer;

use crate::slice::Slice;

/// Decodes a text where it stands; answers how many bytes it is. What is no base64 is spoiled.
pub(crate) fn decode(text: &mut [u8]) -> Option<usize> {
    STANDARD.decode_inplace(text).ok().map(|bytes| bytes.len())
}

pub(crate) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&BASE64.encode_display(bytes))
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Slice, D::Error> {
    deserializer.deserialize_str(Text)
}

struct Text;

impl Visitor<'_> for Text {
    type Value = Slice;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("bytes in base64")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Slice, E> {
        let mut bytes = text.as_bytes().to_vec();
        let length = decode(&mut bytes).ok_or_else(|| E::custom("no base64"))?;
        Ok(Slice::of(bytes, 0..length))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_decoded_where_it_stands() {
        for length in [0, 1, 2, 3, 3071, 3072, 3073, 6143, 6144, 9000] {
            let bytes: Vec<u8> = (0..length).map(|n: usize| n as u8).collect();
            let mut text = BASE64.encode(&bytes).into_bytes();
            assert_eq!(decode(&mut text), Some(length));
            assert_eq!(text[..length], bytes);
        }
    }

    #[test]
    fn what_others_read_otherwise_is_none() {
        for text in [
            "A", "AA", "AAA", "A===", "AA==AAAA", "AA=A", "AAA!", "AB==", "AAB=", "AAAA\n", "AA\nAA", "AA-_", " AAA",
            "AAAA=",
        ] {
            for before in [0, 4, 60, 64, 4096] {
                for after in [0, 64] {
                    let text = "A".repeat(before) + text + &"A".repeat(after);
                    assert_eq!(decode(&mut text.clone().into_bytes()), None, "{text}");
                }
            }
        }
    }
}
