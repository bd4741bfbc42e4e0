//! The lines that differ.

use std::io::{self, Read};

use super::{LINE, shortened, shown};

/// Bytes of a text that is compared by its lines.
const LARGEST: u64 = 4 << 20;
/// Lines of one side that are shown where the two sides have not as many.
const SIDE: usize = 4;
/// Characters of a long line that are shown before its difference.
const BEFORE: usize = 20;

/// The lines that differ; `None` where one is no text of a size to be compared by lines, or has no line another than the other.
pub(super) fn differences(first: &mut dyn Read, second: &mut dyn Read) -> io::Result<Option<Vec<String>>> {
    let Some(first) = text(first)? else { return Ok(None) };
    let Some(second) = text(second)? else { return Ok(None) };
    // the ends belong to the lines: a missing one is a difference too
    let (one, other): (Vec<&str>, Vec<&str>) =
        (first.split_inclusive('\n').collect(), second.split_inclusive('\n').collect());
    let before = one.iter().zip(&other).take_while(|(one, other)| one == other).count();
    let (one, other) = (one.get(before..).unwrap_or_default(), other.get(before..).unwrap_or_default());
    let after = one.iter().rev().zip(other.iter().rev()).take_while(|(one, other)| one == other).count();
    let (one, other) = (without(one, after), without(other, after));
    if one.is_empty() && other.is_empty() {
        return Ok(None);
    }
    if one.len() == other.len() {
        let pairs = (before + 1..).zip(one.iter().zip(other)).filter(|(_, (one, other))| one != other);
        let lines = pairs.map(|(number, (one, other))| {
            let same = one.chars().zip(other.chars()).take_while(|(one, other)| one == other).count();
            [format!("line {number}:"), side('-', one, same), side('+', other, same)]
        });
        return Ok(Some(shortened(lines.flatten().collect(), "lines")));
    }
    let mut lines = vec![format!("from line {} on: {} lines and {}", before + 1, one.len(), other.len())];
    lines.extend(one.iter().take(SIDE).map(|line| side('-', line, 0)));
    lines.extend(other.iter().take(SIDE).map(|line| side('+', line, 0)));
    Ok(Some(lines))
}

fn text(file: &mut dyn Read) -> io::Result<Option<String>> {
    let mut bytes = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut bytes)?;
    let fits = bytes.len() as u64 <= LARGEST && !bytes.contains(&0);
    Ok(if fits { String::from_utf8(bytes).ok() } else { None })
}

fn without<'a>(lines: &'a [&'a str], last: usize) -> &'a [&'a str] {
    lines.get(..lines.len().saturating_sub(last)).unwrap_or_default()
}

/// A line of one side, of which so many characters are the other's too.
fn side(sign: char, line: &str, same: usize) -> String {
    let left_out = if same < LINE / 2 { 0 } else { same - BEFORE };
    let start = line.char_indices().nth(left_out).map_or(line.len(), |(at, _)| at);
    let begin = if left_out == 0 { "" } else { "…" };
    let rest = line.get(start..).unwrap_or_default();
    match rest.strip_suffix('\n') {
        Some(rest) => format!("{sign} {begin}{}", shown(rest)),
        None => format!("{sign} {begin}{} (without an end)", shown(rest)),
    }
}
