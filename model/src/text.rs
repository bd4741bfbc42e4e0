//! Words of strangers, as they may be shown.

use std::fmt;

/// Characters of [`short`].
const LONGEST: usize = 240;

/// Whether a character may stand in every document and on every terminal: no control character, none that XML 1.0 forbids (§2.2),
/// none that makes others run the other way (UAX 9).
pub fn is_plain(c: char) -> bool {
    let turns = matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    !c.is_control() && !turns && !matches!(c, '\u{fffe}' | '\u{ffff}')
}

/// A line with a mark in place of every character that is not plain.
pub fn printable(line: &str) -> String {
    line.replace(|c| !is_plain(c), "\u{fffd}")
}

/// A line in which characters that are not plain are written by their numbers, so that different ones stay different.
pub fn escaped(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    for c in line.chars() {
        if is_plain(c) { text.push(c) } else { text.extend(c.escape_unicode()) }
    }
    text
}

/// One line of whatever somebody else wrote, with an end: what a parser says may have a whole document within.
pub fn short(text: impl fmt::Display) -> String {
    let text = text.to_string();
    let end = text.char_indices().nth(LONGEST).map(|(at, _)| at);
    let line = escaped(end.and_then(|end| text.get(..end)).unwrap_or(&text));
    if end.is_some() { line + "…" } else { line }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_plain_is_marked_or_numbered() {
        assert_eq!(printable("a\u{1b}[31m\u{202e}é\n"), "a\u{fffd}[31m\u{fffd}é\u{fffd}");
        assert_eq!(short("é".repeat(240)), "é".repeat(240));
        assert_eq!(short("é".repeat(241)), "é".repeat(240) + "…");
        assert_eq!(short("a\nb"), "a\\u{a}b");
        assert_eq!(escaped("a\n\u{ffff} é"), "a\\u{a}\\u{ffff} é");
    }
}
