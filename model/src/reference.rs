//! Names of images in registries.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Digest;

/// What an image is called: `registry.example/team/app:1.2@sha256:…` (OCI distribution specification 1.1, "Pulling manifests").
/// Nothing is filled in: a name without a registry has none.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Reference {
    /// Host, and port where one is given.
    pub registry: Option<String>,
    /// The repository in it.
    pub repository: String,
    /// A name that may move.
    pub tag: Option<String>,
    /// What it is to be.
    pub digest: Option<Digest>,
}

/// Why a text is no name of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReferenceError {
    /// What follows `@` is no SHA-256 digest.
    Digest,
    /// What follows the last `:` is no tag.
    Tag,
    /// What stands before the first `/` is no host.
    Registry,
    /// A part between two `/` may not be called so.
    Repository,
}

impl fmt::Display for ReferenceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Digest => "its digest",
            Self::Tag => "its tag",
            Self::Registry => "its registry",
            Self::Repository => "a part of its repository",
        })
    }
}

impl std::error::Error for ReferenceError {}

impl FromStr for Reference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        let (name, digest) = match text.split_once('@') {
            Some((name, digest)) => (name, Some(digest.parse().map_err(|_| ReferenceError::Digest)?)),
            None => (text, None),
        };
        let (name, tag) = match name.rsplit_once(':') {
            Some((before, tag)) if !tag.contains('/') => (before, Some(tag)),
            _ => (name, None),
        };
        if tag.is_some_and(|tag| !is_tag(tag)) {
            return Err(ReferenceError::Tag);
        }
        // The first part is a registry if it could be no part of a repository's name, as all clients agree.
        let (registry, repository) = match name.split_once('/') {
            Some((first, rest)) if first.contains(['.', ':']) || first == "localhost" => (Some(first), rest),
            _ => (None, name),
        };
        if registry.is_some_and(|registry| !is_host(registry)) {
            return Err(ReferenceError::Registry);
        }
        if repository.len() > 255 || !repository.split('/').all(is_part) {
            return Err(ReferenceError::Repository);
        }
        let owned = |text: Option<&str>| text.map(str::to_owned);
        Ok(Self { registry: owned(registry), repository: repository.to_owned(), tag: owned(tag), digest })
    }
}

/// Whether manifests can have this tag.
pub fn is_tag(text: &str) -> bool {
    let inner = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-');
    !text.is_empty() && text.len() <= 128 && text.bytes().all(inner) && !text.starts_with(['.', '-'])
}

/// A host's name or address, with or without a port; an IPv6 address stands in brackets.
fn is_host(text: &str) -> bool {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (text, None),
    };
    let is_port = port.is_none_or(|port| port.parse::<u16>().is_ok() && !port.starts_with('+'));
    let is_name = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        // `.` and `..` are folders.
        None => host.split('.').all(|label| {
            !label.is_empty()
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
                && !label.starts_with('-')
        }),
    };
    is_port && is_name
}

/// Lower-case letters and digits, with `.`, `_`, `__` or any number of `-` between them.
fn is_part(part: &str) -> bool {
    let is_word = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let is_inner = part
        .as_bytes()
        .split(|b| is_word(*b))
        .all(|between| matches!(between, b"" | b"." | b"_" | b"__") || between.iter().all(|b| *b == b'-'));
    let edges = [part.bytes().next(), part.bytes().next_back()];
    is_inner && edges.into_iter().all(|edge| edge.is_some_and(is_word))
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { registry, repository, tag, digest } = self;
        registry.iter().try_for_each(|registry| write!(f, "{registry}/"))?;
        f.write_str(repository)?;
        tag.iter().try_for_each(|tag| write!(f, ":{tag}"))?;
        digest.iter().try_for_each(|digest| write!(f, "@{digest}"))
    }
}

impl TryFrom<String> for Reference {
    type Error = ReferenceError;

    fn try_from(text: String) -> Result<Self, ReferenceError> {
        text.parse()
    }
}

impl From<Reference> for String {
    fn from(reference: Reference) -> Self {
        reference.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_apart_and_put_together() {
        let digest = Digest::of(b"x");
        let whole = format!("registry.example:5000/team/app:1.2@{digest}");
        let parsed: Reference = whole.parse().unwrap();
        assert_eq!(parsed.registry.as_deref(), Some("registry.example:5000"));
        assert_eq!(
            (parsed.repository.as_str(), parsed.tag.as_deref(), parsed.digest),
            ("team/app", Some("1.2"), Some(digest))
        );
        let names = ["app", "team/app", "localhost/app", "[::1]:5000/app:x", "127.0.0.1:1/a/b/c", "a__b/c-d.e"];
        for text in names.into_iter().chain([whole.as_str()]) {
            assert_eq!(text.parse::<Reference>().unwrap().to_string(), text);
        }
        assert_eq!("team/app".parse::<Reference>().unwrap().registry, None);
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for (text, error) in [
            ("", ReferenceError::Repository),
            ("App", ReferenceError::Repository),
            ("a//b", ReferenceError::Repository),
            ("host.example/", ReferenceError::Repository),
            ("host.example:99999/a", ReferenceError::Registry),
            ("ho st.example/a", ReferenceError::Registry),
            ("./a", ReferenceError::Registry),
            ("../a:1", ReferenceError::Registry),
            ("user@host.example/a", ReferenceError::Digest),
            ("a..b", ReferenceError::Repository),
            ("a___b", ReferenceError::Repository),
            ("a._b", ReferenceError::Repository),
            ("-a", ReferenceError::Repository),
            ("a/-", ReferenceError::Repository),
            ("a:", ReferenceError::Tag),
            ("a:.x", ReferenceError::Tag),
            ("a@sha256:12", ReferenceError::Digest),
        ] {
            assert_eq!(text.parse::<Reference>(), Err(error), "{text}");
        }
        assert_eq!(format!("{}/a", "a".repeat(300)).parse::<Reference>(), Err(ReferenceError::Repository));
    }
}
