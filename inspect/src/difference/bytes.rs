//! The first byte that differs.

use std::fmt::Write as _;
use std::io::{self, Read};

/// Bytes read at a time; a multiple of [`ROW`].
const CHUNK: usize = 64 << 10;
/// Bytes of a row, as hex dumps have them.
const ROW: usize = 16;

/// Where two contents begin to differ, and the row of each that shows it; `None` where they are equal.
pub(super) fn difference(first: &mut dyn Read, second: &mut dyn Read) -> io::Result<Option<Vec<String>>> {
    let (mut one, mut other) = (Vec::with_capacity(CHUNK), Vec::with_capacity(CHUNK));
    let mut before = 0;
    loop {
        chunk(first, &mut one)?;
        chunk(second, &mut other)?;
        if one != other {
            let same = one.iter().zip(&other).take_while(|(one, other)| one == other).count();
            let row = same / ROW * ROW;
            return Ok(Some(vec![
                format!("from byte {} on", before + same as u64),
                format!("- {}", hex(before, &one, row)),
                format!("+ {}", hex(before, &other, row)),
            ]));
        }
        if one.is_empty() {
            return Ok(None);
        }
        before += one.len() as u64;
    }
}

/// Reads a chunk, or what is left.
fn chunk(from: &mut dyn Read, into: &mut Vec<u8>) -> io::Result<()> {
    into.clear();
    from.take(CHUNK as u64).read_to_end(into).map(drop)
}

/// A row as hex dumps write it: offset, bytes, characters.
fn hex(before: u64, chunk: &[u8], row: usize) -> String {
    let bytes = chunk.get(row..).unwrap_or_default();
    let bytes = bytes.get(..ROW).unwrap_or(bytes);
    let mut line = format!("{:08x} ", before + row as u64);
    if bytes.is_empty() {
        line.push_str(" (it ends there)");
        return line;
    }
    for byte in bytes {
        write!(line, " {byte:02x}").unwrap_or_default(); // writing into a string does not fail
    }
    let shown = |byte: &u8| if byte.is_ascii_graphic() || *byte == b' ' { char::from(*byte) } else { '.' };
    write!(line, "  |{}|", bytes.iter().map(shown).collect::<String>()).unwrap_or_default();
    line
}
