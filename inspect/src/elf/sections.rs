//! Which sections a file has, and where they lie in it.

use std::io::{Read, Seek};

use object::elf::{FileHeader32, FileHeader64};
use object::read::elf::{FileHeader, SectionHeader as _};
use object::{Endianness, ReadCache, ReadRef};

/// Section headers. A relocatable file may have one for each function.
const MAX_SECTIONS: u32 = 1 << 16;
/// Bytes of the table of names.
const MAX_NAMES: u64 = 16 << 20;
/// Bytes of a name; what is longer is cut.
const LONGEST: usize = 200;

/// A section.
pub(crate) struct Section {
    pub(crate) name: String,
    /// Offset in the file.
    pub(crate) start: u64,
    /// Bytes in the file; none of what is only there when it runs.
    pub(crate) size: u64,
}

/// Every section of a file, in its order.
///
/// # Errors
/// What is broken about it, or too large to look at.
pub(crate) fn sections(file: impl Read + Seek) -> Result<Vec<Section>, String> {
    let cache = ReadCache::new(file);
    match super::class(&cache)? {
        super::Class::Elf32 => listed::<FileHeader32<Endianness>, _>(&cache),
        super::Class::Elf64 => listed::<FileHeader64<Endianness>, _>(&cache),
    }
}

fn listed<'data, H, R>(data: R) -> Result<Vec<Section>, String>
where
    H: FileHeader<Endian = Endianness>,
    R: ReadRef<'data>,
{
    let broken = |e: object::Error| e.to_string();
    let header = H::parse(data).map_err(broken)?;
    let endian = header.endian().map_err(broken)?;
    if header.shnum(endian, data).map_err(broken)? > MAX_SECTIONS {
        return Err(format!("it has more than {MAX_SECTIONS} sections"));
    }
    let headers = header.section_headers(endian, data).map_err(broken)?;
    let names = match headers.is_empty() {
        true => None,
        false => headers.get(header.shstrndx(endian, data).map_err(broken)? as usize),
    };
    let names = match names.and_then(|names| names.file_range(endian)) {
        Some((_, size)) if size > MAX_NAMES => return Err(format!("its names have more than {MAX_NAMES} bytes")),
        Some((start, size)) => {
            data.read_bytes_at(start, size).map_err(|()| "its names lie outside of it".to_owned())?
        }
        None => &[],
    };
    let section = |header: &H::SectionHeader| {
        let name = names.get(header.sh_name(endian) as usize..).unwrap_or_default();
        let name = name.split(|byte| *byte == 0).next().unwrap_or_default();
        let name = String::from_utf8_lossy(name.get(..LONGEST).unwrap_or(name)).into_owned();
        let (start, size) = header.file_range(endian).unwrap_or_default();
        Section { name, start, size }
    };
    Ok(headers.iter().map(section).collect())
}
