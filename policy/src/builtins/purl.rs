use regorus::Value;

use super::{Answer, object, text};

/// `clnstrt.purl.parse("pkg:deb/debian/zlib1g@1.3?arch=amd64#sub")`: `{"type", "namespace", "name", "version", "qualifiers",
/// "subpath"}` of a package URL (ECMA-427); what it has not is absent.
pub(super) fn parse(arguments: &[Value]) -> Answer {
    let purl = text(arguments, 0)?;
    let wrong = || format!("`{purl}` is no package URL");
    let (rest, subpath) = split_last(purl, '#');
    let (rest, qualifiers) = split_last(rest, '?');
    let rest = rest.strip_prefix("pkg:").ok_or_else(wrong)?.trim_start_matches('/');
    let (kind, rest) = rest.split_once('/').ok_or_else(wrong)?;
    let known = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-');
    if kind.is_empty() || !kind.bytes().all(known) || kind.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(wrong());
    }
    // An `@` before the last `/` is one of a namespace: `@scope/name`.
    let (rest, version) = match rest.rsplit_once('@') {
        Some((before, version)) if !version.contains('/') && !before.is_empty() => (before, Some(version)),
        _ => (rest, None),
    };
    let (namespace, name) = match rest.trim_matches('/').rsplit_once('/') {
        Some((namespace, name)) => (Some(namespace), name),
        None => (None, rest.trim_matches('/')),
    };
    if name.is_empty() {
        return Err(wrong());
    }
    let decoded = |text: &str| decode(text).map(Value::from).ok_or_else(wrong);
    let mut pairs = Value::new_object();
    for pair in qualifiers.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').ok_or_else(wrong)?;
        let value = decoded(value)?;
        let pairs = pairs.as_object_mut().map_err(|_| wrong())?;
        if pairs.insert(key.to_ascii_lowercase().into(), value).is_some() {
            return Err(wrong());
        }
    }
    Ok(object([
        ("type", Some(kind.to_ascii_lowercase().into())),
        ("namespace", namespace.map(decoded).transpose()?),
        ("name", Some(decoded(name)?)),
        ("version", version.map(decoded).transpose()?),
        ("qualifiers", Some(pairs)),
        ("subpath", subpath.map(decoded).transpose()?),
    ]))
}

fn split_last(text: &str, at: char) -> (&str, Option<&str>) {
    text.rsplit_once(at).map_or((text, None), |(before, after)| (before, Some(after)))
}

/// Percent-decoding (RFC 3986 §2.1).
fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let digit = |byte: u8| char::from(byte).to_digit(16);
                let value = digit(rest.next()?)? * 16 + digit(rest.next()?)?;
                u8::try_from(value).ok()?
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok()
}
