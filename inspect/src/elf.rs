//! ELF files, as far as a dynamic linker reads them (System V ABI, chapter 5).

mod hardening;
mod sections;

use std::io::{Read, Seek};
use std::ops::Range;

use object::elf::{
    DT_NEEDED, DT_NULL, DT_RPATH, DT_RUNPATH, DT_SONAME, DT_STRSZ, DT_STRTAB, ELFMAG, FileHeader32, FileHeader64,
    PT_INTERP, PT_LOAD,
};
use object::read::elf::{Dyn as _, FileHeader, ProgramHeader as _};
use object::{Endianness, ReadCache, ReadRef};

pub use hardening::{described, hardening, judge};
pub(crate) use sections::{Section, sections};

/// More than any linker makes; what has more is refused.
const MAX_NAMES: usize = 4096;
/// Bytes of a name or path.
const MAX_NAME: u64 = 4096;

/// What an ELF file is and what it needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Elf {
    /// Whether it is of the 64-bit class.
    pub is_64: bool,
    /// `e_machine`; compare with [`model::Arch::elf_machine`].
    pub machine: u16,
    /// `e_type`: 1 relocatable, 2 executable, 3 shared.
    pub kind: u16,
    /// Path of the program interpreter.
    pub interpreter: Option<String>,
    /// Name other files need it by.
    pub soname: Option<String>,
    /// Names of the libraries it needs.
    pub needed: Vec<String>,
    /// `DT_RPATH` directories.
    pub rpath: Vec<String>,
    /// `DT_RUNPATH` directories.
    pub runpath: Vec<String>,
}

/// Whether these first bytes are an ELF file's.
pub fn is_elf(start: &[u8]) -> bool {
    start.starts_with(&ELFMAG)
}

/// Reads headers and the dynamic section; only the parts needed are read.
///
/// # Errors
/// What is broken about it.
pub fn read(file: impl Read + Seek) -> Result<Elf, String> {
    let cache = ReadCache::new(file);
    let elf = match class(&cache)? {
        Class::Elf32 => parse::<FileHeader32<Endianness>, _>(&cache),
        Class::Elf64 => parse::<FileHeader64<Endianness>, _>(&cache),
    };
    elf.map_err(|e| e.to_string())?
}

enum Class {
    Elf32,
    Elf64,
}

fn class<'data>(data: impl ReadRef<'data>) -> Result<Class, String> {
    match data.read_bytes_at(4, 1).map_err(|()| "it ends in its first bytes".to_owned())? {
        [1] => Ok(Class::Elf32),
        [2] => Ok(Class::Elf64),
        _ => Err("its class is unknown".into()),
    }
}

fn parse<'data, H, R>(data: R) -> object::Result<Result<Elf, String>>
where
    H: FileHeader<Endian = Endianness>,
    R: ReadRef<'data>,
{
    let header = H::parse(data)?;
    let endian = header.endian()?;
    let mut elf = Elf {
        is_64: header.is_class_64(),
        machine: header.e_machine(endian).0,
        kind: header.e_type(endian).0,
        ..Elf::default()
    };
    let segments = header.program_headers(endian, data)?;
    let mut dynamics: &[H::Dyn] = &[];
    for segment in segments {
        if segment.p_type(endian) == PT_INTERP {
            let (start, size) = segment.file_range(endian);
            elf.interpreter = string(data, start..start.saturating_add(size));
        }
        if let Some(found) = segment.dynamic(endian, data)? {
            dynamics = found;
        }
    }
    let value = |tag| dynamics.iter().find(|d| d.tag(endian) == tag).map(|d| d.val(endian));
    let Some(table) = value(DT_STRTAB) else { return Ok(Ok(elf)) };
    // a dynamic linker finds the string table where it is loaded to
    let loaded = segments.iter().filter(|s| s.p_type(endian) == PT_LOAD).find_map(|segment| {
        let into = table.checked_sub(segment.p_vaddr(endian).into())?;
        let (start, size) = segment.file_range(endian);
        (into < size).then(|| start.checked_add(into)).flatten()
    });
    let Some(start) = loaded else { return Ok(Err("its string table is not loaded".into())) };
    let size = value(DT_STRSZ).unwrap_or(0);
    let name = |at: u64| {
        let name = (at < size).then(|| string(data, start.checked_add(at)?..start.saturating_add(size))).flatten();
        name.ok_or_else(|| "a name lies outside its string table".to_owned())
    };
    for entry in dynamics.iter().take_while(|d| d.tag(endian) != DT_NULL) {
        let tag = entry.tag(endian);
        if !matches!(tag, DT_NEEDED | DT_SONAME | DT_RPATH | DT_RUNPATH) {
            continue;
        }
        let value = match name(entry.val(endian)) {
            Ok(value) => value,
            Err(e) => return Ok(Err(e)),
        };
        match tag {
            DT_NEEDED => elf.needed.push(value),
            DT_SONAME => elf.soname = Some(value),
            DT_RPATH => elf.rpath.extend(value.split(':').map(str::to_owned)),
            _ => elf.runpath.extend(value.split(':').map(str::to_owned)),
        }
        if elf.needed.len() + elf.rpath.len() + elf.runpath.len() > MAX_NAMES {
            return Ok(Err(format!("its dynamic section has more than {MAX_NAMES} names")));
        }
    }
    Ok(Ok(elf))
}

/// A NUL-terminated string; one longer than any path is none.
fn string<'data, R: ReadRef<'data>>(data: R, range: Range<u64>) -> Option<String> {
    let end = range.end.min(range.start.saturating_add(MAX_NAME));
    let bytes = data.read_bytes_at_until(range.start..end, 0).ok()?;
    Some(String::from_utf8_lossy(bytes).into_owned())
}

#[cfg(test)]
mod tests;
