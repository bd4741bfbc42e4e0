//! The tables of files that stand before line numbers.

use std::collections::BTreeSet;

use gimli::{AttributeValue, DebugLine, DebugLineOffset, EndianSlice, Reader as _, RunTimeEndian};

use super::fortify;
use super::units::{Debug, broken};

/// Files of all tables together.
const MAX_FILES: usize = 4_000_000;
/// Bytes of a table; an entry takes a few, and many times as much when it is read.
const MAX_TABLE: usize = 1 << 20;
/// Bytes of a name; a longer one is none that is looked for.
const MAX_NAME: usize = 512;

/// Which of the tables at these offsets name a fortified header.
pub(super) fn fortified(debug: &Debug<'_>, tables: &BTreeSet<usize>) -> Result<BTreeSet<usize>, String> {
    let ends = tables.iter().skip(1).copied().chain([debug.line.len()]);
    let (mut files, mut fortified) = (0, BTreeSet::new());
    for (start, end) in tables.iter().zip(ends) {
        // As with abbreviations: what overlaps would be read again and again.
        let table = debug.line.get(*start..end).ok_or("a table of files lies outside its section")?;
        if header_length(EndianSlice::new(table, debug.endian))? > MAX_TABLE {
            return Err(format!("a table of files has more than {MAX_TABLE} bytes"));
        }
        // How wide addresses are matters to line numbers alone.
        let program = DebugLine::from(EndianSlice::new(table, debug.endian)).program(DebugLineOffset(0), 8, None, None);
        let program = program.map_err(broken)?;
        let header = program.header();
        files += header.file_names().len();
        if files > MAX_FILES {
            return Err(format!("its units name more than {MAX_FILES} files"));
        }
        let text = |value: AttributeValue<_>| debug.text(value, MAX_NAME).unwrap_or_default();
        let named = header
            .file_names()
            .iter()
            .any(|file| fortify::header(file.directory(header).map(text).unwrap_or_default(), text(file.path_name())));
        fortified.extend(named.then_some(*start));
    }
    Ok(fortified)
}

/// The `header_length` field (DWARF 5, section 6.2.4).
fn header_length(mut table: EndianSlice<'_, RunTimeEndian>) -> Result<usize, String> {
    let (_, format) = table.read_initial_length().map_err(broken)?;
    if table.read_u16().map_err(broken)? >= 5 {
        table.skip(2).map_err(broken)?;
    }
    table.read_length(format).map_err(broken)
}
