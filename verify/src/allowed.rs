//! Images that need no check.

use std::path::Path;

use files::input;
use model::{Digest, Finding, Reference, codes};

/// Bytes of a list.
const LARGEST: u64 = 4 << 20;

/// The line of a list that lets an image through without a look at it.
pub(crate) fn line(list: &Path, name: &str) -> Result<Option<usize>, Finding> {
    let bytes = input::read(list, LARGEST)
        .map_err(|e| Finding::error(codes::INPUT_IO, format!("{} cannot be read: {e}", list.display())))?;
    let text = String::from_utf8_lossy(&bytes);
    for (number, line) in text.lines().enumerate() {
        let entry = line.split('#').next().unwrap_or_default().trim();
        if entry.is_empty() {
            continue;
        }
        if is_wrong(entry) {
            let message =
                format!("line {} of {} names no image: `{}`", number + 1, list.display(), entry.escape_debug());
            return Err(Finding::error(codes::REFERENCE_INVALID, message)
                .help("write a digest, a repository, one image, or what begins a name with `/*` behind it"));
        }
        if allows(entry, name) {
            return Ok(Some(number + 1));
        }
    }
    Ok(None)
}

fn is_wrong(entry: &str) -> bool {
    let name = entry.strip_suffix("/*").unwrap_or(entry);
    let is_image = name.parse::<Reference>().is_ok_and(|reference| reference.registry.is_some());
    let is_server = entry.ends_with("/*") && !name.is_empty() && !name.contains(['*', ' ', '@']);
    name.parse::<Digest>().is_err() && !is_image && !is_server
}

/// An entry with a tag or a digest is that image alone, and one without is all of a repository. What lies here has no name that
/// counts.
fn allows(entry: &str, name: &str) -> bool {
    let Ok(image) = name.parse::<Reference>() else { return false };
    let Some(registry) = &image.registry else { return false };
    let repository = format!("{registry}/{}", image.repository);
    if let Ok(digest) = entry.parse::<Digest>() {
        return image.digest == Some(digest);
    }
    if let Some(start) = entry.strip_suffix("/*") {
        return repository.strip_prefix(start).is_some_and(|rest| rest.starts_with('/'));
    }
    entry.parse::<Reference>().is_ok_and(|allowed| {
        let same = format!("{}/{}", allowed.registry.clone().unwrap_or_default(), allowed.repository) == repository;
        // Beside a digest a tag says nothing: the digest is what is taken.
        let is_named = match (&allowed.tag, allowed.digest) {
            (_, Some(digest)) => image.digest == Some(digest),
            (Some(tag), None) => image.digest.is_none() && image.tag.as_ref() == Some(tag),
            (None, None) => true,
        };
        same && is_named
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_lets_through_what_it_names_and_nothing_like_it() {
        let (digest, other) = (format!("sha256:{}", "0".repeat(64)), format!("sha256:{}", "1".repeat(64)));
        let pinned = format!("registry.example/team/app@{digest}");
        let tagged = format!("registry.example/team/app:1@{digest}");
        for (entry, name, wanted) in [
            ("registry.example/team/app", "registry.example/team/app:1", true),
            ("registry.example/team/app", "registry.example/team/application:1", false),
            ("registry.example/team/app", "other.example/team/app:1", false),
            ("registry.example/team/app:1", "registry.example/team/app:1", true),
            ("registry.example/team/app:1", "registry.example/team/app:2", false),
            ("registry.example/team/*", "registry.example/team/a/b:1", true),
            ("registry.example/team/*", "registry.example/teams/a:1", false),
            ("registry.example/*", "registry.example.evil.example/a:1", false),
            ("registry.example/team/app:1", tagged.as_str(), false),
            (digest.as_str(), pinned.as_str(), true),
            (other.as_str(), pinned.as_str(), false),
            (pinned.as_str(), "registry.example/team/app:1", false),
            ("registry.example/team/app", "oci:registry.example/team/app", false),
        ] {
            assert!(!is_wrong(entry), "{entry}");
            assert_eq!(allows(entry, name), wanted, "{entry} {name}");
        }
        for entry in ["*", "/*", "app", "registry.example/*/app", "a b/*"] {
            assert!(is_wrong(entry), "{entry}");
        }
    }
}
