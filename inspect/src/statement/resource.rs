//! `ResourceDescriptor` (in-toto attestation framework, spec/v1) and `DigestSet`.

use data_encoding::BASE64;
use serde_json::Value;

use super::Rules;

/// Hexadecimal digits of digests by algorithm (spec/v1, digest_set.md); a git object has a SHA-1 or a SHA-256.
const LENGTHS: [(&str, &[usize]); 16] = [
    ("gitBlob", &[40, 64]),
    ("gitCommit", &[40, 64]),
    ("gitTag", &[40, 64]),
    ("gitTree", &[40, 64]),
    ("md5", &[32]),
    ("sha1", &[40]),
    ("sha224", &[56]),
    ("sha256", &[64]),
    ("sha384", &[96]),
    ("sha3_224", &[56]),
    ("sha3_256", &[64]),
    ("sha3_384", &[96]),
    ("sha3_512", &[128]),
    ("sha512", &[128]),
    ("sha512_224", &[56]),
    ("sha512_256", &[64]),
];

pub(super) fn check(rules: &mut Rules, value: &Value) {
    let Some(resource) = rules.object(value) else { return };
    let is_empty = |value: &Value| value.as_object().is_some_and(serde_json::Map::is_empty);
    if !["uri", "digest", "content"].iter().any(|name| resource.get(*name).is_some_and(|value| !is_empty(value))) {
        rules.violated("it has no `uri`, no `digest` and no `content`: nobody can know what it is");
    }
    for name in ["name", "mediaType"] {
        rules.optional(resource, name, |rules, value| {
            if rules.text(value).is_some_and(str::is_empty) {
                rules.violated("it is empty");
            }
        });
    }
    for name in ["uri", "downloadLocation"] {
        rules.optional(resource, name, |rules, value| {
            if let Some(text) = rules.text(value) {
                rules.uri(text);
            }
        });
    }
    rules.optional(resource, "digest", digests);
    rules.optional(resource, "content", |rules, value| {
        if rules.text(value).is_some_and(|text| BASE64.decode(text.as_bytes()).is_err()) {
            rules.violated("it is not written in Base64");
        }
    });
    rules.optional(resource, "annotations", Rules::is_object);
}

fn digests(rules: &mut Rules, value: &Value) {
    let Some(digests) = rules.object(value) else { return };
    for (algorithm, digest) in digests {
        rules.below(algorithm, |rules| {
            let Some(digest) = rules.text(digest) else { return };
            let known = LENGTHS.iter().find(|(name, _)| name == algorithm);
            match known {
                Some(_) if !digest.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) => {
                    rules.violated("it is not written in hexadecimal digits with small letters");
                }
                Some((_, lengths)) if !lengths.contains(&digest.len()) => {
                    rules.violated(format!("it has {} digits, which no {algorithm} has", digest.len()));
                }
                None if digest.is_empty() => rules.violated("it is empty"),
                _ => {}
            }
        });
    }
}
