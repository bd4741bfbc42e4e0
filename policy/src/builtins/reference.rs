use regorus::Value;

use super::{Answer, object, text};

/// `clnstrt.reference.parse("registry.example/team/app:1.2@sha256:…")`: `{"registry", "repository", "tag", "digest"}` of the name of
/// an image in a registry; what it has not is absent. Nothing is filled in: a name without a registry has none.
pub(super) fn parse(arguments: &[Value]) -> Answer {
    let reference = text(arguments, 0)?;
    let wrong = |why: &str| format!("`{reference}` is no name of an image: {why}");
    let (name, digest) = match reference.split_once('@') {
        Some((name, digest)) => (name, Some(digest)),
        None => (reference, None),
    };
    if let Some(digest) = digest {
        super::digest::parse(&[digest.into()])?;
    }
    let (name, tag) = match name.rsplit_once(':') {
        Some((before, tag)) if !tag.contains('/') => (before, Some(tag)),
        _ => (name, None),
    };
    let in_tag = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-');
    if tag.is_some_and(|tag| tag.is_empty() || tag.len() > 128 || !tag.bytes().all(in_tag)) {
        return Err(wrong("its tag"));
    }
    // The first part is a registry if it could be no part of a repository's name, as all clients agree.
    let (registry, repository) = match name.split_once('/') {
        Some((first, rest)) if first.contains(['.', ':']) || first == "localhost" => (Some(first), rest),
        _ => (None, name),
    };
    let in_part = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'.' | b'-');
    let is_part = |part: &str| {
        let edge = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        part.starts_with(edge) && part.ends_with(edge) && part.bytes().all(in_part)
    };
    if !repository.split('/').all(is_part) {
        return Err(wrong("a part of its repository"));
    }
    Ok(object([
        ("registry", registry.map(Value::from)),
        ("repository", Some(repository.into())),
        ("tag", tag.map(Value::from)),
        ("digest", digest.map(Value::from)),
    ]))
}
