//! The sections of ELF files that differ.

use std::io::{self, Read, Seek, SeekFrom};

use super::{LINES, bytes, numbered, shortened, shown};
use crate::elf::{Section, sections};

/// Sections of which is shown where they begin to differ.
const SHOWN: usize = 3;

/// The sections that differ; none where what differs is in no section, or where the files cannot be taken apart.
pub(super) fn differences<R: Read + Seek>(first: &mut R, second: &mut R) -> io::Result<Vec<String>> {
    let (Ok(one), Ok(other)) = (sections(&mut *first), sections(&mut *second)) else { return Ok(Vec::new()) };
    // sections do not overlap in a sound file, so they are no longer than it together
    if length(&one) > size(first)? || length(&other) > size(second)? {
        return Ok(Vec::new());
    }
    let (one, mut other) = (numbered(&one, |section| &section.name), numbered(&other, |section| &section.name));
    let (mut details, mut rest) = (Vec::new(), Vec::new());
    for (key, section) in one {
        let name = shown(key.0);
        let Some(twin) = other.remove(&key) else {
            rest.push(format!("only the first has the section {name}"));
            continue;
        };
        let differs = bytes::difference(&mut part(first, section)?, &mut part(second, twin)?)?;
        let sizes = if section.size == twin.size {
            String::new()
        } else {
            format!(" ({} bytes and {})", section.size, twin.size)
        };
        match differs {
            Some(lines) if details.len() < SHOWN * 3 => {
                let mut lines = lines.into_iter();
                let place = lines.next().unwrap_or_default();
                details.push(format!("the section {name}{sizes} differs {place}"));
                details.extend(lines);
            }
            Some(_) => rest.push(format!("the section {name}{sizes} differs")),
            None => {}
        }
    }
    rest.extend(other.keys().map(|(name, _)| format!("only the second has the section {}", shown(name))));
    let room = LINES.saturating_sub(details.len());
    if rest.len() > room {
        let more = rest.len() - room.saturating_sub(1);
        rest.truncate(room.saturating_sub(1));
        rest.push(format!("and {more} more sections"));
    }
    details.extend(rest);
    Ok(shortened(details, "sections"))
}

fn part<'a, R: Read + Seek>(file: &'a mut R, section: &Section) -> io::Result<io::Take<&'a mut R>> {
    file.seek(SeekFrom::Start(section.start))?;
    Ok(file.take(section.size))
}

fn length(sections: &[Section]) -> u64 {
    sections.iter().map(|section| section.size).fold(0, u64::saturating_add)
}

fn size(file: &mut impl Seek) -> io::Result<u64> {
    file.seek(SeekFrom::End(0))
}
