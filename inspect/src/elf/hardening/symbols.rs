//! Symbols: which functions a file takes from the C library, and which sources it was linked of.

use std::collections::{BTreeMap, BTreeSet};

use object::elf::{SHT_DYNSYM, SHT_SYMTAB, STT_FILE, STT_FUNC, STT_GNU_IFUNC};
use object::read::elf::{FileHeader, SectionHeader as _, Sym as _};
use object::{Endianness, ReadRef};

use super::coverage::Coverage;
use super::fortify;
use super::input::{Input, Sections, terminated};

/// Bytes of a name; no function that is looked for has a longer one.
const MAX_NAME: usize = 256;
/// Names of C and C++ files.
const MAX_SOURCES: usize = 1 << 16;

const STACK_PROTECTOR: [&str; 4] =
    ["__stack_chk_fail", "__stack_chk_fail_local", "__stack_chk_guard", "__intel_security_cookie"];

/// Functions the C library has for every program: of its start files and of what is linked in statically beside it. They
/// have no debug information. What the compiler adds of its own has names that begin with `__`, which C reserves for it.
const SUPPORT: [&[u8]; 6] =
    [b"_start", b"_dl_relocate_static_pie", b"call_weak_fn", b"atexit", b"at_quick_exit", b"pthread_atfork"];

#[derive(Default)]
pub(super) struct Symbols {
    /// There is a table.
    pub(super) known: bool,
    pub(super) stack_protector: BTreeSet<String>,
    pub(super) fortified: BTreeSet<String>,
    pub(super) unfortified: BTreeSet<String>,
    /// C and C++ files of objects that were linked, with how many there are of a name; none without a `.symtab`.
    pub(super) sources: Option<BTreeMap<String, u64>>,
}

pub(super) fn read<'data, H, R>(
    input: &Input<'data, H, R>,
    sections: &Sections<'data, H>,
    dynamic: bool,
) -> Result<Symbols, String>
where
    H: FileHeader<Endian = Endianness>,
    R: ReadRef<'data>,
{
    let mut symbols = Symbols::default();
    if let Some(table) = sections.of_kind(SHT_DYNSYM).filter(|_| dynamic) {
        symbols.known |= each::<H, R>(input, sections, table, |name, symbol| {
            symbols.evidence(name, symbol.is_undefined(input.endian));
            Ok(())
        })?;
    }
    if let Some(table) = sections.of_kind(SHT_SYMTAB) {
        let mut sources = BTreeMap::new();
        let known = each::<H, R>(input, sections, table, |name, symbol| {
            if symbol.st_type() == STT_FILE {
                if is_source(name) {
                    *sources.entry(String::from_utf8_lossy(name).into_owned()).or_default() += 1;
                }
            } else if !dynamic {
                symbols.evidence(name, symbol.is_undefined(input.endian));
            }
            match sources.len() > MAX_SOURCES {
                true => Err(format!("it names more than {MAX_SOURCES} source files")),
                false => Ok(()),
            }
        })?;
        symbols.known |= known;
        symbols.sources = known.then_some(sources);
    }
    Ok(symbols)
}

/// Whether every function in the linker's table lies in code that units account for, compiler and C library aside.
pub(super) fn are_covered<'data, H, R>(
    input: &Input<'data, H, R>,
    sections: &Sections<'data, H>,
    coverage: &Coverage,
) -> Result<bool, String>
where
    H: FileHeader<Endian = Endianness>,
    R: ReadRef<'data>,
{
    let Some(table) = sections.of_kind(SHT_SYMTAB) else { return Ok(false) };
    let mut covered = true;
    each::<H, R>(input, sections, table, |name, symbol| {
        let function = matches!(symbol.st_type(), STT_FUNC | STT_GNU_IFUNC) && !symbol.is_undefined(input.endian);
        let (address, size) = (symbol.st_value(input.endian).into(), symbol.st_size(input.endian).into());
        let support = name.starts_with(b"__") || SUPPORT.contains(&name);
        covered &= !function || size == 0 || support || coverage.has(address, size);
        Ok(())
    })?;
    Ok(covered)
}

impl Symbols {
    fn evidence(&mut self, name: &[u8], imported: bool) {
        let Ok(name) = str::from_utf8(name) else { return };
        if STACK_PROTECTOR.contains(&name) {
            self.stack_protector.insert(name.to_owned());
        }
        if imported && let Some(checked) = fortify::function(name) {
            let list = if checked { &mut self.fortified } else { &mut self.unfortified };
            list.insert(name.to_owned());
        }
    }
}

/// Every named symbol of a table; whether the table has bytes in this file.
fn each<'data, H, R>(
    input: &Input<'data, H, R>,
    sections: &Sections<'data, H>,
    table: &H::SectionHeader,
    mut found: impl FnMut(&'data [u8], &H::Sym) -> Result<(), String>,
) -> Result<bool, String>
where
    H: FileHeader<Endian = Endianness>,
    R: ReadRef<'data>,
{
    let strings = sections.headers.get(table.sh_link(input.endian) as usize);
    let ranges = (table.file_range(input.endian), strings.and_then(|strings| strings.file_range(input.endian)));
    let (Some(table), Some(strings)) = ranges else { return Ok(false) };
    let strings = input.bytes(strings)?;
    for symbol in input.table::<H::Sym>(table)? {
        let name = terminated(strings, symbol.st_name(input.endian) as usize, MAX_NAME);
        if let Some(name) = name.filter(|name| !name.is_empty()) {
            found(name, symbol)?;
        }
    }
    Ok(true)
}

/// Whether an object of this name was made from C or C++. The compiler's own start files are not.
fn is_source(name: &[u8]) -> bool {
    let Some(dot) = name.iter().rposition(|byte| *byte == b'.') else { return false };
    matches!(name.get(dot..), Some(b".c" | b".cc" | b".cpp" | b".cxx" | b".C" | b".c++")) && name != b"crtstuff.c"
}
