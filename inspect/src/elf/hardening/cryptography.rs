//! Copies of OpenSSL, and of what was made from it, within a file: what they answer, no provider of the image decides.

use std::collections::BTreeSet;

use memchr::memmem;
use object::read::elf::{FileHeader, ProgramHeader as _};
use object::{Endianness, ReadRef};

use super::super::Elf;
use super::input::{Input, Sections};

/// The library an image has OpenSSL's cryptography in.
const LIBCRYPTO: &str = "libcrypto.so.3";
/// What each says of itself: `OpenSSL 3.0.15 3 Sep 2024`, `OpenSSL 1.1.1 (compatible; BoringSSL)`, `LibreSSL 3.8.2`.
const NAMES: [&str; 2] = ["OpenSSL ", "LibreSSL "];
const LONGEST: usize = 80;

/// The copy that is a part of the file itself, as it calls itself. What is linked with the image's own library only repeats
/// what that was called when it was compiled.
pub(super) fn own_openssl<'data, H, R>(
    input: &Input<'data, H, R>,
    sections: &Sections<'data, H>,
    names: &Elf,
) -> Result<Option<String>, String>
where
    H: FileHeader<Endian = Endianness>,
    R: ReadRef<'data>,
{
    if names.needed.iter().any(|needed| needed == LIBCRYPTO) {
        return Ok(None);
    }
    if let Some(section) = sections.named(".rodata") {
        return Ok(named_in(&input.content(section)?));
    }
    let loaded = input.segments.iter().filter(|segment| segment.p_type(input.endian) == object::elf::PT_LOAD);
    let ranges: BTreeSet<(u64, u64)> = loaded.map(|segment| segment.file_range(input.endian)).collect();
    for range in ranges {
        if let Some(found) = named_in(input.bytes(range)?) {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

fn named_in(bytes: &[u8]) -> Option<String> {
    let found = NAMES.iter().flat_map(|name| memmem::find_iter(bytes, name).map(move |at| (at, name.len())));
    found.filter_map(|(at, name)| version(bytes.get(at..(at + LONGEST).min(bytes.len()))?, name)).min()
}

/// A name, a version of three numbers, and then a date or what it is compatible with.
fn version(bytes: &[u8], name: usize) -> Option<String> {
    let end = bytes.iter().position(|byte| !(0x20..0x7f).contains(byte)).unwrap_or(bytes.len());
    let text = std::str::from_utf8(bytes.get(..end)?).ok()?;
    let (version, rest) = text.get(name..)?.split_once(' ').unwrap_or((text.get(name..)?, ""));
    let numbers: Vec<&str> = version.splitn(3, '.').collect();
    let is_version = numbers.len() == 3 && numbers.iter().all(|part| part.starts_with(|c: char| c.is_ascii_digit()));
    let rest = rest.trim_start();
    let is_whole = rest.is_empty() || rest.starts_with(|c: char| c.is_ascii_digit() || c == '(');
    (is_version && is_whole).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_text_is_found_among_other_text() {
        let found = |text: &str| named_in(format!("x\0{text}\0y").as_bytes());
        for text in [
            "OpenSSL 3.0.15 3 Sep 2024",
            "OpenSSL 1.1.1w  11 Sep 2023",
            "OpenSSL 1.1.1 (compatible; BoringSSL)",
            "LibreSSL 3.8.2",
        ] {
            assert_eq!(found(text).as_deref(), Some(text), "{text}");
        }
        for text in ["OpenSSL error", "OpenSSL 3", "an OpenSSL 3.0.2 or newer is needed", "OpenSSL %d.%d.%d 1"] {
            assert_eq!(found(text), None, "{text}");
        }
        assert_eq!(named_in(b"OpenSSL 1.1.1 "), Some("OpenSSL 1.1.1 ".to_owned()));
    }
}
