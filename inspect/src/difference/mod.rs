//! What differs between two files that should be the same, for people to find the cause: of archives which members, of ELF
//! files which sections, of texts which lines, of anything else from which byte on.
//!
//! The files may be hostile. They are read in pieces; only small texts and the tables of contents are held in memory, within
//! limits, and what goes beyond these is compared byte by byte.

mod bytes;
mod elf;
mod members;
mod text;

use std::collections::BTreeMap;
use std::io::{self, Read, Seek};

use crate::archive::decompress;

/// Lines of an explanation.
const LINES: usize = 12;
/// Characters of a line.
const LINE: usize = 200;
/// Bytes that are unpacked of an archive or compressed file.
const UNPACKED: u64 = 1 << 30;
/// Bytes that tell what a file is.
const START: u64 = 512;

/// Says in at most [`LINES`] lines what differs between two files. Equal files give none.
///
/// # Errors
/// What reading them failed with. A file that is not what its first bytes say is no error.
pub fn explain<R: Read + Seek>(first: &mut R, second: &mut R) -> io::Result<Vec<String>> {
    let Some(differing) = bytes::difference(&mut whole(first)?, &mut whole(second)?)? else { return Ok(Vec::new()) };
    let (one, other) = (start(&mut whole(first)?)?, start(&mut whole(second)?)?);
    let lines = match (kind(&one), kind(&other)) {
        (Kind::Elf, Kind::Elf) => elf::differences(first, second),
        (Kind::Ar, Kind::Ar) => members::differences(first, second, members::ar),
        (Kind::Zip, Kind::Zip) => members::differences(first, second, members::zip),
        (Kind::Tar, Kind::Tar) => members::differences(first, second, members::tar),
        (Kind::Compressed, Kind::Compressed) => compressed(first, second, &one, &other),
        _ => Ok(Vec::new()),
    };
    match lines {
        Ok(lines) if !lines.is_empty() => Ok(lines),
        // it is no such file after all, or no part of it differs: its bytes do
        _ => Ok(text::differences(&mut whole(first)?, &mut whole(second)?)?.unwrap_or(differing)),
    }
}

enum Kind {
    Elf,
    Ar,
    Zip,
    Tar,
    Compressed,
    Other,
}

fn kind(start: &[u8]) -> Kind {
    match start {
        _ if crate::elf::is_elf(start) => Kind::Elf,
        [b'!', b'<', b'a', b'r', b'c', b'h', b'>', b'\n', ..] => Kind::Ar,
        [b'P', b'K', 3, 4, ..] => Kind::Zip,
        _ if is_tar(start) => Kind::Tar,
        [0x1f, 0x8b, ..] | [0xfd, b'7', b'z', b'X', b'Z', 0, ..] | [b'B', b'Z', b'h', ..] => Kind::Compressed,
        _ => Kind::Other,
    }
}

fn is_tar(start: &[u8]) -> bool {
    start.get(257..262) == Some(b"ustar")
}

/// What differs once both are unpacked, and in the header of gzip, which may hold a time.
fn compressed<R: Read + Seek>(first: &mut R, second: &mut R, one: &[u8], other: &[u8]) -> io::Result<Vec<String>> {
    if is_tar(&start(&mut unpacked(first)?)?) && is_tar(&start(&mut unpacked(second)?)?) {
        return members::differences(first, second, members::tar);
    }
    let mut lines = Vec::new();
    let time = |start: &[u8]| match start {
        [0x1f, 0x8b, _, _, time @ ..] => time.first_chunk().copied().map(u32::from_le_bytes),
        _ => None,
    };
    if let (Some(one), Some(other)) = (time(one), time(other))
        && one != other
    {
        lines.push(format!("the times in the headers of gzip are {one} and {other}, seconds since 1970"));
    }
    let texts = text::differences(&mut unpacked(first)?, &mut unpacked(second)?)?;
    let inside = match texts {
        None => bytes::difference(&mut unpacked(first)?, &mut unpacked(second)?)?,
        texts => texts,
    };
    match inside {
        None => lines.push(format!("unpacked, nothing differs in the first {} MiB", UNPACKED >> 20)),
        Some(inside) => {
            lines.push("unpacked:".to_owned());
            lines.extend(inside);
        }
    }
    Ok(lines)
}

/// As it is.
fn whole<R: Read + Seek>(file: &mut R) -> io::Result<Box<dyn Read + '_>> {
    file.rewind()?;
    Ok(Box::new(file))
}

/// What is behind its compression, at most [`UNPACKED`] bytes.
fn unpacked<R: Read + Seek>(file: &mut R) -> io::Result<Box<dyn Read + '_>> {
    file.rewind()?;
    Ok(Box::new(decompress(file)?.take(UNPACKED)))
}

fn start(file: &mut dyn Read) -> io::Result<Vec<u8>> {
    let mut start = Vec::new();
    file.take(START).read_to_end(&mut start)?;
    Ok(start)
}

/// Parts of a file by name; one that occurs several times gets a number.
fn numbered<T>(parts: &[T], name: impl Fn(&T) -> &String) -> BTreeMap<(&str, usize), &T> {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    let mut numbered = BTreeMap::new();
    for part in parts {
        let times = seen.entry(name(part)).or_default();
        *times += 1;
        numbered.insert((name(part).as_str(), *times), part);
    }
    numbered
}

/// Ends a list that is too long with how much more there is of it.
fn shortened(mut lines: Vec<String>, what: &str) -> Vec<String> {
    let more = lines.len().saturating_sub(LINES);
    if more > 0 {
        lines.truncate(LINES - 1);
        lines.push(format!("and {} more {what}", more + 1));
    }
    lines
}

/// Text of a file as a part of a line: short, and harmless to a terminal.
fn shown(text: &str) -> String {
    let printable = |c: char| if c.is_control() && c != '\t' { '\u{fffd}' } else { c };
    let more = text.chars().nth(LINE).map(|_| '…');
    text.chars().take(LINE).map(printable).chain(more).collect()
}

#[cfg(test)]
mod tests;
