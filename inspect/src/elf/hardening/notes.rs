//! Notes: the build id, and what the file is marked for.

use std::collections::BTreeSet;

use data_encoding::HEXLOWER;
use model::Arch;
use model::hardening::BranchCheck;
use object::Endianness;
use object::ReadRef;
use object::elf::{
    ELF_NOTE_GNU, GNU_PROPERTY_AARCH64_FEATURE_1_AND, GNU_PROPERTY_X86_FEATURE_1_AND, NT_GNU_BUILD_ID, PT_GNU_PROPERTY,
    PT_NOTE, SHT_NOTE,
};
use object::read::elf::{FileHeader, NoteIterator, ProgramHeader as _, SectionHeader as _};

use super::input::{Input, Sections};

/// Bytes of a build id; SHA-1 has 20.
const MAX_BUILD_ID: usize = 64;

/// The bits of `GNU_PROPERTY_X86_FEATURE_1_AND` and `GNU_PROPERTY_AARCH64_FEATURE_1_AND`.
const X86: [(u32, BranchCheck); 2] = [(1, BranchCheck::Ibt), (2, BranchCheck::Shstk)];
const AARCH64: [(u32, BranchCheck); 3] = [(1, BranchCheck::Bti), (2, BranchCheck::Pac), (4, BranchCheck::Gcs)];

#[derive(Default)]
pub(super) struct Notes {
    pub(super) build_id: Option<String>,
    pub(super) branch_checks: BTreeSet<BranchCheck>,
}

/// Reads the notes that are loaded, and of a file that is still to be linked those of its sections.
pub(super) fn read<'data, H, R>(input: &Input<'data, H, R>, sections: &Sections<'data, H>) -> Result<Notes, String>
where
    H: FileHeader<Endian = Endianness>,
    R: ReadRef<'data>,
{
    let endian = input.endian;
    let mut notes = Notes::default();
    for segment in input.segments {
        // The kernel takes the marks of an ARM program from its own header, which points into a note.
        if matches!(segment.p_type(endian), PT_NOTE | PT_GNU_PROPERTY) {
            one(input, segment.p_align(endian), segment.file_range(endian), &mut notes)?;
        }
    }
    if input.segments.is_empty() {
        for section in sections.headers.iter().filter(|section| section.sh_type(endian) == SHT_NOTE) {
            let range = section.file_range(endian).unwrap_or_default();
            one(input, section.sh_addralign(endian), range, &mut notes)?;
        }
    }
    Ok(notes)
}

fn one<'data, H, R>(
    input: &Input<'data, H, R>,
    align: H::Word,
    range: (u64, u64),
    notes: &mut Notes,
) -> Result<(), String>
where
    H: FileHeader<Endian = Endianness>,
    R: ReadRef<'data>,
{
    let endian = input.endian;
    let machine = input.header.e_machine(endian).0;
    let iterator = NoteIterator::<H>::new(endian, align, input.bytes(range)?).map_err(|e| e.to_string())?;
    for note in iterator {
        let note = note.map_err(|e| e.to_string())?;
        if note.name() == ELF_NOTE_GNU && note.n_type(endian) == NT_GNU_BUILD_ID {
            let id = note.desc();
            notes.build_id = (!id.is_empty() && id.len() <= MAX_BUILD_ID).then(|| HEXLOWER.encode(id));
        }
        for property in note.gnu_properties(endian).into_iter().flatten() {
            let property = property.map_err(|e| e.to_string())?;
            let bits: &[_] = match property.pr_type() {
                GNU_PROPERTY_X86_FEATURE_1_AND if machine == Arch::Amd64.elf_machine() => &X86,
                GNU_PROPERTY_AARCH64_FEATURE_1_AND if machine == Arch::Arm64.elf_machine() => &AARCH64,
                _ => continue,
            };
            let value = property.data_u32(endian).map_err(|e| e.to_string())?;
            notes.branch_checks.extend(bits.iter().filter(|(bit, _)| value & bit != 0).map(|(_, check)| *check));
        }
    }
    Ok(())
}
