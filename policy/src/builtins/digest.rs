use regorus::Value;

use super::{Answer, object, text};

/// `clnstrt.digest.parse("sha256:…")`: `{"algorithm", "hex"}` of a digest as OCI writes it (image-spec, descriptor.md).
pub(super) fn parse(arguments: &[Value]) -> Answer {
    let digest = text(arguments, 0)?;
    let (algorithm, hex) = digest.split_once(':').ok_or_else(|| format!("`{digest}` is no digest"))?;
    let length = match algorithm {
        "sha256" => 64,
        "sha512" => 128,
        _ => return Err(format!("`{algorithm}` is no algorithm of digests that is accepted")),
    };
    if hex.len() != length || !hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
        return Err(format!("`{digest}` is no digest: after `{algorithm}:` come {length} hexadecimal digits"));
    }
    Ok(object([("algorithm", Some(algorithm.into())), ("hex", Some(hex.into()))]))
}
