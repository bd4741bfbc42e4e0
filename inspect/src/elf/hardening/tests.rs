use std::io::Cursor;

use model::Arch;
use model::hardening::BranchCheck;
use object::elf::PT_NOTE;

use super::*;

/// A 64-bit file of headers and segments, without sections.
fn elf(kind: u16, arch: Arch, segments: &[(u32, u32, &[u8])]) -> Vec<u8> {
    let mut bytes = b"\x7fELF\x02\x01\x01".to_vec();
    bytes.resize(16, 0);
    bytes.extend(kind.to_le_bytes());
    bytes.extend(arch.elf_machine().to_le_bytes());
    bytes.extend(1u32.to_le_bytes());
    for word in [0u64, 64, 0] {
        bytes.extend(word.to_le_bytes());
    }
    bytes.extend(0u32.to_le_bytes());
    for half in [64, 56, segments.len() as u16, 64, 0, 0] {
        bytes.extend(half.to_le_bytes());
    }
    let mut at = 64 + segments.len() as u64 * 56;
    for (kind, flags, content) in segments {
        bytes.extend(kind.to_le_bytes());
        bytes.extend(flags.to_le_bytes());
        let size = content.len() as u64;
        for word in [at, at, at, size, size, 8] {
            bytes.extend(word.to_le_bytes());
        }
        at += size;
    }
    bytes.extend(segments.iter().flat_map(|(_, _, content)| *content));
    bytes
}

fn facts_of(bytes: &[u8]) -> Hardening {
    hardening(Cursor::new(bytes)).unwrap()
}

/// A note with one 32-bit property.
fn property(kind: u32, value: u32) -> Vec<u8> {
    [4, 16, 5, u32::from_le_bytes(*b"GNU\0"), kind, 4, value, 0].into_iter().flat_map(u32::to_le_bytes).collect()
}

const STACK: u32 = PT_GNU_STACK.0;
const SHARED: u16 = 3;

#[test]
fn a_stack_nobody_asked_for_is_executable() {
    let plain = facts_of(&elf(SHARED, Arch::Amd64, &[(STACK, 6, &[])]));
    assert!(plain.nx && plain.kind == FileKind::Shared && !plain.dynamic && !plain.symbols && plain.stripped);
    assert!(!facts_of(&elf(SHARED, Arch::Amd64, &[])).nx);
    assert!(!facts_of(&elf(SHARED, Arch::Amd64, &[(STACK, 7, &[])])).nx);
    // Two headers that contradict each other: whichever is used, it is not proven.
    assert!(!facts_of(&elf(SHARED, Arch::Amd64, &[(STACK, 6, &[]), (STACK, 7, &[])])).nx);
}

#[test]
fn marks_are_read_for_the_architecture_they_are_of() {
    let marks =
        |arch, kind, value| facts_of(&elf(SHARED, arch, &[(PT_NOTE.0, 4, &property(kind, value))])).branch_checks;
    let (x86, aarch64) = (0xc000_0002, 0xc000_0000);
    assert_eq!(marks(Arch::Amd64, x86, 3), [BranchCheck::Ibt, BranchCheck::Shstk].into());
    assert_eq!(marks(Arch::Amd64, x86, 2), [BranchCheck::Shstk].into());
    assert_eq!(marks(Arch::Arm64, aarch64, 0b111), [BranchCheck::Bti, BranchCheck::Pac, BranchCheck::Gcs].into());
    assert_eq!(marks(Arch::Arm64, aarch64, 8), [].into());
    assert_eq!(marks(Arch::Arm64, x86, 3), [].into());
    assert_eq!(marks(Arch::Amd64, aarch64, 3), [].into());
}

#[test]
fn a_damaged_note_is_an_error() {
    let mut note = property(0xc000_0002, 3);
    note[4] = 200; // more than there is
    assert!(hardening(Cursor::new(elf(SHARED, Arch::Amd64, &[(PT_NOTE.0, 4, &note)]))).is_err());
}

#[test]
fn a_build_id_too_long_to_be_one_is_none() {
    let id = |size: u32| {
        let header = [4, size, 3, u32::from_le_bytes(*b"GNU\0")].into_iter().flat_map(u32::to_le_bytes);
        let note: Vec<u8> = header.chain(std::iter::repeat_n(0xab, size as usize)).collect();
        facts_of(&elf(SHARED, Arch::Amd64, &[(PT_NOTE.0, 4, &note)])).build_id
    };
    assert_eq!(id(4).as_deref(), Some("abababab"));
    assert_eq!((id(0), id(72)), (None, None));
}

#[test]
fn code_that_is_elsewhere_makes_a_file_of_debug_information() {
    let mut bytes = elf(SHARED, Arch::Amd64, &[(1, 5, &[0; 8])]);
    assert_eq!(facts_of(&bytes).kind, FileKind::Shared);
    bytes[64 + 40] = 9; // bytes in memory
    assert_eq!(facts_of(&bytes).kind, FileKind::Debug);
}

#[test]
fn other_kinds_are_named_and_what_is_no_elf_file_is_an_error() {
    for (number, kind) in
        [(1, FileKind::Relocatable), (2, FileKind::Executable), (4, FileKind::Core), (9, FileKind::Other)]
    {
        assert_eq!(facts_of(&elf(number, Arch::Arm64, &[])).kind, kind);
    }
    for bytes in [&b""[..], b"\x7fELF", b"\x7fELF\x02", b"#!/bin/sh\n"] {
        assert!(hardening(Cursor::new(bytes)).is_err());
    }
}

/// A file of a few bytes that says it holds as much as there could be.
struct Endless;

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        buffer.fill(0);
        Ok(buffer.len())
    }
}

#[test]
fn segments_that_are_read_again_and_again_come_to_an_end() {
    struct File(Cursor<Vec<u8>>, u64);
    impl Read for File {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let read = self.0.read(buffer)?;
            if read == 0 { Endless.read(buffer) } else { Ok(read) }
        }
    }
    impl Seek for File {
        fn seek(&mut self, to: std::io::SeekFrom) -> std::io::Result<u64> {
            match to {
                std::io::SeekFrom::End(_) => Ok(self.1),
                to => self.0.seek(to),
            }
        }
    }
    let mut bytes = elf(SHARED, Arch::Amd64, &[(PT_NOTE.0, 4, &[])]);
    for at in [32, 40] {
        bytes[64 + at..64 + at + 8].copy_from_slice(&(1u64 << 40).to_le_bytes());
    }
    let why = hardening(File(Cursor::new(bytes), 1 << 41)).unwrap_err();
    assert!(why.contains("would have to be read"), "{why}");
}
