use model::Reference;
use regorus::Value;

use super::{Answer, object, text};

/// `clnstrt.reference.parse("registry.example/team/app:1.2@sha256:…")`: `{"registry", "repository", "tag", "digest"}` of the name of
/// an image in a registry; what it has not is absent. Nothing is filled in: a name without a registry has none.
pub(super) fn parse(arguments: &[Value]) -> Answer {
    let reference = text(arguments, 0)?;
    // Digests of other kinds than an image built here has are well formed, too.
    let (name, digest) = match reference.split_once('@') {
        Some((name, digest)) => (name, Some(digest)),
        None => (reference, None),
    };
    if let Some(digest) = digest {
        super::digest::parse(&[digest.into()])?;
    }
    let parsed: Reference = name.parse().map_err(|why| format!("`{reference}` is no name of an image: {why}"))?;
    Ok(object([
        ("registry", parsed.registry.map(Value::from)),
        ("repository", Some(parsed.repository.into())),
        ("tag", parsed.tag.map(Value::from)),
        ("digest", digest.map(Value::from)),
    ]))
}
