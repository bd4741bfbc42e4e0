//! The parts of a file, read within limits.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::BTreeSet;
use std::io::Read as _;

use flate2::read::ZlibDecoder;
use memchr::memchr;
use object::elf::{ELFCOMPRESS_ZLIB, PT_DYNAMIC, SHF_EXECINSTR, SHT_NOBITS, SectionType};
use object::read::elf::{CompressionHeader as _, FileHeader, ProgramHeader as _, SectionHeader as _};
use object::{Endianness, Pod, ReadRef, pod};

/// Bytes read and inflated of one file. The debug information of a large program is a tenth of it.
pub(super) const MAX_READ: u64 = 256 << 20;
/// Program headers; what has more is a memory dump.
const MAX_SEGMENTS: u32 = 1 << 16;
/// Section headers. A relocatable file may have one for each function.
const MAX_SECTIONS: u32 = 1 << 20;
/// Different lines of `.GCC.command.line`, and bytes of one.
const MAX_COMMAND_LINES: usize = 1024;
pub(super) const MAX_COMMAND_LINE: usize = 16 << 10;

/// A file whose headers are read.
pub(super) struct Input<'data, H: FileHeader, R> {
    pub(super) data: R,
    pub(super) header: &'data H,
    pub(super) endian: Endianness,
    pub(super) segments: &'data [H::ProgramHeader],
    left: Cell<u64>,
}

impl<'data, H, R> Input<'data, H, R>
where
    H: FileHeader<Endian = Endianness>,
    R: ReadRef<'data>,
{
    pub(super) fn open(data: R) -> Result<Self, String> {
        let header = H::parse(data).map_err(|e| e.to_string())?;
        let endian = header.endian().map_err(|e| e.to_string())?;
        if header.phnum(endian, data).map_err(|e| e.to_string())? > MAX_SEGMENTS {
            return Err(format!("it has more than {MAX_SEGMENTS} program headers"));
        }
        let segments = header.program_headers(endian, data).map_err(|e| e.to_string())?;
        Ok(Self { data, header, endian, segments, left: Cell::new(MAX_READ) })
    }

    /// Bytes at an offset; they count.
    pub(super) fn bytes(&self, (offset, size): (u64, u64)) -> Result<&'data [u8], String> {
        self.take(size)?;
        self.data.read_bytes_at(offset, size).map_err(|()| "a part of it lies outside the file".to_owned())
    }

    /// A table of things of one size; what does not fill one at its end is left out.
    pub(super) fn table<T: Pod>(&self, range: (u64, u64)) -> Result<&'data [T], String> {
        let bytes = self.bytes(range)?;
        let count = bytes.len() / size_of::<T>();
        let (table, _) = pod::slice_from_bytes(bytes, count).map_err(|()| "a table of it is not aligned".to_owned())?;
        Ok(table)
    }

    fn take(&self, size: u64) -> Result<(), String> {
        let left = self.left.get().checked_sub(size);
        self.left.set(left.ok_or_else(|| format!("more than {MAX_READ} bytes of it would have to be read"))?);
        Ok(())
    }

    /// The entries of the dynamic section; none where there is no such section.
    pub(super) fn dynamic(&self) -> Result<&'data [H::Dyn], String> {
        let segment = self.segments.iter().find(|segment| segment.p_type(self.endian) == PT_DYNAMIC);
        segment.map_or(Ok(&[]), |segment| self.table(segment.file_range(self.endian)))
    }

    pub(super) fn sections(&self) -> Result<Sections<'data, H>, String> {
        let (endian, data) = (self.endian, self.data);
        if self.header.shnum(endian, data).map_err(|e| e.to_string())? > MAX_SECTIONS {
            return Err(format!("it has more than {MAX_SECTIONS} sections"));
        }
        let headers = self.header.section_headers(endian, data).map_err(|e| e.to_string())?;
        if headers.is_empty() {
            return Ok(Sections { headers, names: &[], endian });
        }
        let names = self.header.shstrndx(endian, data).map_err(|e| e.to_string())?;
        let names = headers.get(names as usize).and_then(|header| header.file_range(endian));
        Ok(Sections { headers, names: names.map_or(Ok(&[][..]), |range| self.bytes(range))?, endian })
    }

    /// What a section holds, inflated. Empty where it has no bytes in this file.
    pub(super) fn content(&self, section: &H::SectionHeader) -> Result<Cow<'data, [u8]>, String> {
        let Some(range) = section.file_range(self.endian) else { return Ok(Cow::default()) };
        let Some((header, offset, size)) = section.compression(self.endian, self.data).map_err(|e| e.to_string())?
        else {
            return Ok(Cow::Borrowed(self.bytes(range)?));
        };
        if header.ch_type(self.endian) != ELFCOMPRESS_ZLIB {
            return Err("a section is compressed in another way than zlib's".into());
        }
        let expected: u64 = header.ch_size(self.endian).into();
        self.take(expected)?;
        let mut content = Vec::new();
        let inflated = ZlibDecoder::new(self.bytes((offset, size))?).take(expected).read_to_end(&mut content);
        match inflated {
            Ok(size) if size as u64 == expected => Ok(Cow::Owned(content)),
            _ => Err("a compressed section is damaged".into()),
        }
    }
}

/// The sections of a file; a file that is only run needs none.
pub(super) struct Sections<'data, H: FileHeader> {
    pub(super) headers: &'data [H::SectionHeader],
    names: &'data [u8],
    endian: Endianness,
}

impl<'data, H: FileHeader<Endian = Endianness>> Sections<'data, H> {
    pub(super) fn named(&self, name: &str) -> Option<&'data H::SectionHeader> {
        self.headers.iter().find(|header| {
            let start = self.names.get(header.sh_name(self.endian) as usize..).unwrap_or_default();
            start.strip_prefix(name.as_bytes()).is_some_and(|rest| rest.first() == Some(&0))
        })
    }

    pub(super) fn of_kind(&self, kind: SectionType) -> Option<&'data H::SectionHeader> {
        self.headers.iter().find(|header| header.sh_type(self.endian) == kind)
    }

    /// Whether a file that is still to be linked does without an executable stack.
    pub(super) fn asks_for_plain_stack(&self) -> bool {
        let note = self.named(".note.GNU-stack");
        note.is_some_and(|note| !note.sh_flags(self.endian).contains(SHF_EXECINSTR))
    }

    /// Whether the addresses of functions in a static program lie in this range of memory.
    pub(super) fn protects_functions(&self, (start, size): (u64, u64)) -> bool {
        let outside = |table: &H::SectionHeader| {
            let at = table.sh_addr(self.endian).into();
            let end = at.checked_add(table.sh_size(self.endian).into());
            at < start || end.is_none_or(|end| end - start > size)
        };
        !self.headers.is_empty() && !self.named(".got.plt").is_some_and(outside)
    }

    /// The lines of `.GCC.command.line`, of which one is as good as many.
    pub(super) fn command_lines<R>(&self, input: &Input<'data, H, R>) -> Result<BTreeSet<String>, String>
    where
        R: ReadRef<'data>,
    {
        let section = self.named(".GCC.command.line").filter(|s| s.sh_type(self.endian) != SHT_NOBITS);
        let content = section.map_or(Ok(Cow::default()), |section| input.content(section))?;
        let mut lines = BTreeSet::new();
        for line in content.split(|byte| *byte == 0).filter(|line| !line.is_empty()) {
            lines.insert(clipped(line));
            if lines.len() > MAX_COMMAND_LINES {
                return Err(format!("it names more than {MAX_COMMAND_LINES} command lines"));
            }
        }
        Ok(lines)
    }
}

/// A text that ends with a NUL, of at most `limit` bytes.
pub(super) fn terminated(table: &[u8], offset: usize, limit: usize) -> Option<&[u8]> {
    let rest = table.get(offset..)?;
    let rest = rest.get(..limit.saturating_add(1)).unwrap_or(rest);
    rest.get(..memchr(0, rest)?)
}

/// A command line as text, cut where it is too long to be one.
pub(super) fn clipped(line: &[u8]) -> String {
    String::from_utf8_lossy(line.get(..MAX_COMMAND_LINE).unwrap_or(line)).into_owned()
}
