//! What a distribution says of itself: `os-release` (freedesktop.org). The file below `/usr` is the distribution's own; `/etc` has
//! a link to it, or another one of the administrator's, which counts less here.

use super::{List, Told, said};

const PLACES: [&[u8]; 2] = [b"etc/os-release", b"usr/lib/os-release"];
/// What is kept of it.
const FIELDS: [&str; 5] = ["ID", "NAME", "PRETTY_NAME", "VERSION_CODENAME", "VERSION_ID"];

pub(super) fn is_release(path: &[u8]) -> bool {
    PLACES.contains(&path)
}

pub(super) fn release(text: &[u8]) -> Told {
    let text = String::from_utf8_lossy(text);
    let pairs = text.lines().filter_map(|line| line.split_once('='));
    let fields = pairs.filter(|(name, _)| FIELDS.contains(name)).filter_map(|(name, value)| {
        let value = said(value.trim().trim_matches(['"', '\'']))?;
        Some((name.to_owned(), value))
    });
    Told { list: Some(List::Distribution(fields.collect())), ..Told::default() }
}
