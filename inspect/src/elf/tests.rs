use std::io::Cursor;

use proptest::prelude::*;

use super::*;

/// A shared object of headers and a dynamic section only: one loaded segment over the whole file at address 0x1000.
fn shared(machine: u16, interpreter: Option<&str>, tags: &[(u64, &str)]) -> Vec<u8> {
    let mut strings = vec![0];
    let mut dynamic = Vec::new();
    for (tag, value) in tags {
        dynamic.push((*tag, strings.len() as u64));
        strings.extend(value.bytes());
        strings.push(0);
    }
    let interpreter = interpreter.map(|path| format!("{path}\0")).unwrap_or_default();
    let (headers, rows) = (64 + 3 * 56, dynamic.len() + 3);
    let strings_at = (headers + rows * 16) as u64;
    let interpreter_at = strings_at + strings.len() as u64;
    let total = interpreter_at + interpreter.len() as u64;
    dynamic.extend([(5, 0x1000 + strings_at), (10, strings.len() as u64), (0, 0)]);

    let mut bytes = b"\x7fELF\x02\x01\x01".to_vec();
    bytes.resize(16, 0);
    bytes.extend(3u16.to_le_bytes());
    bytes.extend(machine.to_le_bytes());
    bytes.extend(1u32.to_le_bytes());
    for word in [0u64, 64, 0] {
        bytes.extend(word.to_le_bytes());
    }
    bytes.extend(0u32.to_le_bytes());
    for half in [64u16, 56, 3, 64, 0, 0] {
        bytes.extend(half.to_le_bytes());
    }
    let mut segment = |kind: u32, at: u64, size: u64| {
        bytes.extend(kind.to_le_bytes());
        bytes.extend(4u32.to_le_bytes());
        for word in [at, 0x1000 + at, 0x1000 + at, size, size, 8] {
            bytes.extend(word.to_le_bytes());
        }
    };
    segment(1, 0, total);
    segment(2, headers as u64, (rows * 16) as u64);
    // without an interpreter, a kind of segment nobody reads
    segment(if interpreter.is_empty() { 0 } else { 3 }, interpreter_at, interpreter.len() as u64);
    for (tag, value) in dynamic {
        bytes.extend(tag.to_le_bytes());
        bytes.extend(value.to_le_bytes());
    }
    bytes.extend(strings);
    bytes.extend(interpreter.bytes());
    bytes
}

#[test]
fn names_are_read_through_the_loaded_segments() {
    let bytes = shared(
        62,
        Some("/lib64/ld.so"),
        &[(1, "libc.so.6"), (14, "libx.so.1"), (29, "$ORIGIN:/opt"), (1, "libm.so.6")],
    );
    let elf = read(Cursor::new(&bytes)).unwrap();
    let expected = Elf {
        is_64: true,
        machine: 62,
        kind: 3,
        interpreter: Some("/lib64/ld.so".into()),
        soname: Some("libx.so.1".into()),
        needed: vec!["libc.so.6".into(), "libm.so.6".into()],
        rpath: vec![],
        runpath: vec!["$ORIGIN".into(), "/opt".into()],
    };
    assert_eq!(elf, expected);
    assert!(is_elf(&bytes) && !is_elf(b"#!/bin/sh"));
}

#[test]
fn what_points_outside_is_an_error() {
    let mut bytes = shared(62, None, &[(1, "libc.so.6")]);
    bytes[64 + 3 * 56 + 8] = 200; // the name's offset
    assert!(read(Cursor::new(&bytes)).is_err());
    assert!(read(Cursor::new(&bytes[..70])).is_err());
    assert!(read(Cursor::new(b"\x7fELF")).is_err());
}

proptest! {
    #[test]
    fn a_damaged_file_never_panics(changes in proptest::collection::vec((any::<usize>(), any::<u8>()), 1..6)) {
        let mut bytes = shared(62, Some("/lib64/ld.so"), &[(1, "libc.so.6"), (15, "/a:/b")]);
        for (at, byte) in changes {
            let at = at % bytes.len();
            bytes[at] = byte;
        }
        if let Ok(elf) = read(Cursor::new(&bytes)) {
            prop_assert!(elf.needed.len() <= MAX_NAMES);
        }
    }
}
