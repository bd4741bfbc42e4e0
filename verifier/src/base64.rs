//! Bytes in base64 with padding (RFC 4648 §4), which is at the end alone: large ones are decoded where they stand.

use std::fmt;

use data_encoding::{BASE64, DecodeError, DecodeKind};
use serde::de::{Deserializer, Error, Visitor};
use serde::ser::Serializer;

use crate::slice::Slice;

/// Bytes that are decoded at once: whole groups of four.
const CHUNK: usize = 4096;

/// Decodes a text where it stands; answers how many bytes it is.
///
/// # Errors
/// What is wrong, and where.
pub(crate) fn decode(text: &mut [u8]) -> Result<usize, DecodeError> {
    let (mut read, mut written) = (0, 0);
    let mut chunk = [0; CHUNK];
    while read < text.len() {
        let end = text.len().min(read + CHUNK);
        let (Some(from), Some(part)) = (text.get(read..end), chunk.get_mut(..end - read)) else { break };
        part.copy_from_slice(from);
        let most = BASE64.decode_len(part.len())?;
        let to = text.get_mut(written..written + most).unwrap_or_default();
        let at = |position| DecodeError { position: read + position, kind: DecodeKind::Padding };
        let length =
            BASE64.decode_mut(part, to).map_err(|e| DecodeError { position: read + e.error.position, ..e.error })?;
        // The library takes texts that are put together, each with its padding.
        let padding = part.iter().position(|byte| *byte == b'=').filter(|_| length < most);
        match padding {
            Some(position) if end < text.len() || position + 2 < part.len() => return Err(at(position)),
            _ => (read, written) = (end, written + length),
        }
    }
    Ok(written)
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
        let length = decode(&mut bytes).map_err(|e| E::custom(format!("no base64: {e}")))?;
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
            assert_eq!(decode(&mut text), Ok(length));
            assert_eq!(text[..length], bytes);
        }
    }

    #[test]
    fn what_is_wrong_is_found_wherever_it_stands() {
        for (text, position) in
            [("A", 0), ("AAA", 0), ("AA==AAAA", 2), ("AA=A", 2), ("AAA!", 3), ("AB==", 1), ("AAAA\n", 4)]
        {
            assert_eq!(decode(&mut text.as_bytes().to_vec()).unwrap_err().position, position, "{text}");
            // The same behind what fills a chunk.
            let behind = decode(&mut ("A".repeat(CHUNK) + text).into_bytes()).unwrap_err().position;
            assert!(behind == CHUNK + position || text.len() % 4 != 0, "{text}: {behind}");
        }
        let padded = "A".repeat(CHUNK - 4) + "AA==" + "AAAA";
        let wrong = DecodeError { position: CHUNK - 2, kind: DecodeKind::Padding };
        assert_eq!(decode(&mut padded.into_bytes()), Err(wrong));
    }
}
