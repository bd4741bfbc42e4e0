use serde::Serialize;

use crate::Digest;

/// The RFC 8785 (JCS) form of a value: one text for one value, whatever machine writes it.
///
/// # Panics
/// Never for this crate's documents: their keys are strings and their numbers are finite.
#[expect(clippy::expect_used, reason = "the documents serialised here have string keys and finite numbers")]
pub fn canonical_json<T: Serialize>(value: &T) -> Vec<u8> {
    serde_json_canonicalizer::to_vec(value).expect("documents have string keys and finite numbers")
}

/// The digest of a value's canonical form.
pub fn digest_of<T: Serialize>(value: &T) -> Digest {
    Digest::of(&canonical_json(value))
}
