//! What an ELF file shows of how it was compiled and linked. What protects it when it runs is read from where the kernel
//! and the dynamic linker read it, the program headers; what is only evidence, symbols and debug information, from sections.

mod coverage;
mod cryptography;
mod fortify;
mod input;
mod judge;
mod lines;
mod notes;
mod symbols;
mod units;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Seek};

use model::hardening::{Compiled, FileKind, Hardening, Relro};
use object::elf::{
    DF_1_NOW, DF_1_PIE, DF_BIND_NOW, DF_TEXTREL, DT_BIND_NOW, DT_FLAGS, DT_FLAGS_1, DT_JMPREL, DT_NULL, DT_TEXTREL,
    ET_CORE, ET_DYN, ET_EXEC, ET_REL, FileHeader32, FileHeader64, PF_W, PF_X, PT_DYNAMIC, PT_GNU_RELRO, PT_GNU_STACK,
    PT_LOAD,
};
use object::read::elf::{Dyn as _, FileHeader, ProgramHeader as _};
use object::{Endianness, ReadCache, ReadRef};

pub use judge::judge;

use super::Elf;
use input::{Input, Sections};

/// Reads the facts of one ELF file. Memory is bounded by [`input::MAX_READ`], time by a multiple of it.
///
/// # Errors
/// What is broken about it, or too large to look at. Broken debug information is a fact, not an error.
pub fn hardening(file: impl Read + Seek) -> Result<Hardening, String> {
    let cache = ReadCache::new(file);
    match super::class(&cache)? {
        super::Class::Elf32 => facts::<FileHeader32<Endianness>, _>(&cache),
        super::Class::Elf64 => facts::<FileHeader64<Endianness>, _>(&cache),
    }
}

/// The facts of a file whose debug information was moved to a file of its own: what `debug` says of the units holds for
/// `file`.
///
/// # Errors
/// The two do not belong together: their build ids are not the same, or one has none.
pub fn described(file: Hardening, debug: Hardening) -> Result<Hardening, String> {
    match (&file.build_id, &debug.build_id) {
        (Some(one), Some(other)) if one == other => Ok(Hardening { compiled: debug.compiled, ..file }),
        (None, _) | (_, None) => Err("without a build id in both, the debug information may be another file's".into()),
        (Some(one), Some(other)) => Err(format!("the debug information is of the build {other}, the file is of {one}")),
    }
}

fn facts<'data, H, R>(data: R) -> Result<Hardening, String>
where
    H: FileHeader<Endian = Endianness>,
    R: ReadRef<'data>,
{
    let input = Input::<H, R>::open(data)?;
    let sections = input.sections()?;
    let Linking { kind, nx, writable_code, relro, text_relocations, dynamic, names } = linking(&input, &sections)?;
    let notes = notes::read(&input, &sections)?;
    let own_openssl = match kind {
        FileKind::Relocatable | FileKind::Debug => None,
        _ => cryptography::own_openssl(&input, &sections, &names)?,
    };
    let symbols = symbols::read(&input, &sections, dynamic)?;
    let compiled = match kind {
        // References between sections are the linker's to fill in, and it has not seen the file yet.
        FileKind::Relocatable => Compiled::Unknown,
        _ => compiled(&input, &sections, symbols.sources.as_ref()).unwrap_or_else(Compiled::Unreadable),
    };
    Ok(Hardening {
        kind,
        machine: input.header.e_machine(input.endian).0,
        dynamic,
        nx: if kind == FileKind::Relocatable { sections.asks_for_plain_stack() } else { nx },
        writable_code,
        relro,
        text_relocations,
        symbols: symbols.known,
        stack_protector: symbols.stack_protector,
        fortified: symbols.fortified,
        unfortified: symbols.unfortified,
        branch_checks: notes.branch_checks,
        rpath: names.rpath,
        runpath: names.runpath,
        build_id: notes.build_id,
        stripped: symbols.sources.is_none(),
        compiled,
        own_openssl,
        command_lines: sections.command_lines(&input)?,
    })
}

fn compiled<'data, H, R>(
    input: &Input<'data, H, R>,
    sections: &Sections<'data, H>,
    sources: Option<&BTreeMap<String, u64>>,
) -> Result<Compiled, String>
where
    H: FileHeader<Endian = Endianness>,
    R: ReadRef<'data>,
{
    let Some(found) = units::read(input, sections)? else { return Ok(Compiled::Unknown) };
    let units_of = |name: &String| found.names.get(name).copied().unwrap_or_default();
    let undescribed = sources.map(|sources| {
        let more = sources.iter().filter(|(name, count)| **count > units_of(name));
        more.map(|(name, _)| name.clone()).collect::<BTreeSet<_>>()
    });
    // A file in which the preprocessor leaves nothing has no debug information either, and no code.
    let undescribed = match undescribed {
        Some(files)
            if !files.is_empty() && symbols::are_covered(input, sections, &units::coverage(input, sections)?)? =>
        {
            Some([].into())
        }
        other => other,
    };
    Ok(Compiled::Known { units: found.units, undescribed })
}

/// What program headers and dynamic section say.
struct Linking {
    kind: FileKind,
    nx: bool,
    writable_code: bool,
    relro: Relro,
    text_relocations: bool,
    dynamic: bool,
    names: Elf,
}

fn linking<'data, H, R>(input: &Input<'data, H, R>, sections: &Sections<'data, H>) -> Result<Linking, String>
where
    H: FileHeader<Endian = Endianness>,
    R: ReadRef<'data>,
{
    let endian = input.endian;
    let mut linking = Linking {
        kind: FileKind::Other,
        nx: false,
        writable_code: false,
        relro: Relro::None,
        text_relocations: false,
        dynamic: false,
        names: Elf::default(),
    };
    let (mut stacks, mut plain_stacks, mut relro, mut moved_away) = (0, 0, None, false);
    for segment in input.segments {
        let (flags, kind) = (segment.p_flags(endian), segment.p_type(endian));
        let (writable, executable) = (flags.contains(PF_W), flags.contains(PF_X));
        let (in_file, in_memory) = (segment.p_filesz(endian).into(), segment.p_memsz(endian).into());
        match kind {
            PT_GNU_STACK => {
                stacks += 1;
                plain_stacks += usize::from(!executable);
            }
            PT_LOAD => {
                linking.writable_code |= writable && executable;
                moved_away |= executable && !writable && in_file < in_memory;
            }
            PT_GNU_RELRO if in_memory > 0 => relro = Some((segment.p_vaddr(endian).into(), in_memory)),
            PT_DYNAMIC => linking.dynamic = true,
            _ => {}
        }
    }
    // Without a header, the kernel gives the program an executable stack where it ever did.
    linking.nx = stacks > 0 && stacks == plain_stacks;
    linking.kind = match input.header.e_type(endian) {
        ET_REL => FileKind::Relocatable,
        ET_CORE => FileKind::Core,
        ET_EXEC | ET_DYN if moved_away => FileKind::Debug,
        ET_EXEC => FileKind::Executable,
        ET_DYN => FileKind::Shared,
        _ => FileKind::Other,
    };
    if !matches!(linking.kind, FileKind::Executable | FileKind::Shared) {
        return Ok(linking);
    }
    let (mut now, mut lazy, mut pie) = (false, false, false);
    for entry in input.dynamic()?.iter().take_while(|entry| entry.tag(endian) != DT_NULL) {
        let value = entry.val(endian);
        let has = |flag: u64| value & flag != 0;
        match entry.tag(endian) {
            DT_BIND_NOW => now = true,
            DT_JMPREL => lazy = true,
            DT_TEXTREL => linking.text_relocations = true,
            DT_FLAGS => {
                now |= has(DF_BIND_NOW.0);
                linking.text_relocations |= has(DF_TEXTREL.0);
            }
            DT_FLAGS_1 => {
                now |= has(DF_1_NOW.0);
                pie |= has(DF_1_PIE.0);
            }
            _ => {}
        }
    }
    linking.names = super::parse::<H, R>(input.data).map_err(|e| e.to_string())??;
    // A linker that knows no DF_1_PIE left the name out at least; the C library has an interpreter and a name.
    let program = linking.names.interpreter.is_some();
    if linking.kind == FileKind::Shared && (pie || program && linking.names.soname.is_none()) {
        linking.kind = if program { FileKind::Pie } else { FileKind::StaticPie };
    }
    linking.relro = match relro {
        None => Relro::None,
        Some(_) if now => Relro::Full,
        // What has no table of functions to bind later has nothing to bind lazily.
        Some(_) if linking.dynamic && !lazy => Relro::Full,
        Some(_) if linking.dynamic => Relro::Partial,
        // A static program binds its own functions when it starts, and their table is protected if it lies inside.
        Some(protected) if sections.protects_functions(protected) => Relro::Full,
        Some(_) => Relro::Partial,
    };
    Ok(linking)
}

#[cfg(test)]
mod tests;
