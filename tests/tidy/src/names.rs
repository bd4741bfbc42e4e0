//! Names that belong to one machine and not into the repository.

use crate::File;

/// Files that hold one of these words, ignoring case.
pub fn problems(files: &[File], words: &[String]) -> Vec<String> {
    let mut problems = Vec::new();
    for (path, bytes) in files {
        let text = String::from_utf8_lossy(bytes).to_ascii_lowercase();
        for word in words {
            if let Some(at) = text.find(&word.to_ascii_lowercase()) {
                let line = text[..at].matches('\n').count() + 1;
                problems.push(format!("{path}:{line} names `{word}`"));
            }
        }
    }
    problems
}

/// The host of an address, without user and port.
pub fn host(url: &str) -> Option<String> {
    let authority = url.split_once("://")?.1.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?;
    let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
    (!host.is_empty()).then(|| host.to_owned())
}
