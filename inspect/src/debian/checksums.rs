//! Lists of files with digest and size, as release files, source indexes and source descriptions have them.

use model::Digest;

/// Digest, size and name on one line of a list.
pub(super) fn checksum(line: &str) -> Option<(Digest, u64, &str)> {
    let mut words = line.split_ascii_whitespace();
    let entry = (Digest::from_hex(words.next()?).ok()?, words.next()?.parse().ok()?, words.next()?);
    words.next().is_none().then_some(entry)
}

/// Whether a path leads from a folder to something below it.
pub(super) fn stays_below(path: &str) -> bool {
    path.split('/').all(|part| !matches!(part, "" | "." | ".."))
}

/// The start of a text, for a message.
pub(super) fn start(text: &str) -> String {
    text.chars().take(80).collect()
}
