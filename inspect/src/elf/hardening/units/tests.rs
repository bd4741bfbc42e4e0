use super::*;

/// A unit of DWARF 5 with the abbreviations at an offset, and the bytes of its own entry.
fn unit(kind: u8, abbreviations: u32, entry: &[u8]) -> Vec<u8> {
    let length = 8 + entry.len() as u32;
    let header = [5, 0, kind, 8].into_iter().chain(abbreviations.to_le_bytes());
    length.to_le_bytes().into_iter().chain(header).chain(entry.iter().copied()).collect()
}

/// A table with one abbreviation: number 1, the tag, no children, and pairs of attribute and form.
fn abbreviation(tag: u8, attributes: &[(u8, u8)]) -> Vec<u8> {
    let pairs = attributes.iter().flat_map(|(attribute, form)| [*attribute, *form]);
    [1, tag, 0].into_iter().chain(pairs).chain([0, 0, 0]).collect()
}

const COMPILE: u8 = 0x11;
const PARTIAL: u8 = 0x3c;
const NAME: u8 = 0x03;
const STATEMENTS: u8 = 0x10;
const LANGUAGE: u8 = 0x13;
const PRODUCER: u8 = 0x25;
const OFFSETS_BASE: u8 = 0x72;
const STRING: u8 = 0x08;
const STRX1: u8 = 0x25;
const STRP: u8 = 0x0e;
const DATA2: u8 = 0x05;
const SEC_OFFSET: u8 = 0x17;
const FLAG_PRESENT: u8 = 0x19;

fn debug<'a>(info: Vec<u8>, abbrev: Vec<u8>) -> Debug<'a> {
    Debug {
        endian: RunTimeEndian::Little,
        info: info.into(),
        abbrev: abbrev.into(),
        line: Cow::default(),
        str: Cow::default(),
        line_str: Cow::default(),
        str_offsets: Cow::default(),
    }
}

fn reason(debug: &Debug<'_>) -> String {
    debug.found().err().unwrap()
}

#[test]
fn language_producer_and_name_are_read_and_equal_units_counted() {
    let abbrev = abbreviation(COMPILE, &[(LANGUAGE, DATA2), (PRODUCER, STRING), (NAME, STRING)]);
    let one = unit(1, 0, b"\x01\x1d\0GNU\0/a/one.c\0");
    let other = unit(1, 0, b"\x01\x1d\0GNU\0two.c\0");
    let third = unit(1, 0, b"\x01\x99\x99cc\0\0");
    let found = debug([one, other, third].concat(), abbrev).found().unwrap();
    let way = |language: &str, producer: &str, count| Units {
        language: language.into(),
        producer: producer.into(),
        count,
        fortified: 0,
    };
    assert_eq!(found.units, [way("0x9999", "cc", 1), way("C11", "GNU", 2)]);
    assert_eq!(found.names, [("".into(), 1), ("one.c".into(), 1), ("two.c".into(), 1)].into());
}

#[test]
fn a_text_of_another_section_is_found_by_offset_and_by_index() {
    // Where indexes count from may stand behind the first of them.
    let abbrev = abbreviation(COMPILE, &[(PRODUCER, STRX1), (NAME, STRP), (OFFSETS_BASE, SEC_OFFSET)]);
    let mut debug = debug(unit(1, 0, b"\x01\x01\x03\0\0\0\x08\0\0\0"), abbrev);
    debug.str = b"cc\0one.c\0".into();
    debug.str_offsets = [12u32, 5, 3, 0].into_iter().flat_map(u32::to_le_bytes).collect();
    let found = debug.found().unwrap();
    assert_eq!((found.units[0].producer.as_str(), found.names.keys().next().unwrap().as_str()), ("cc", "one.c"));
    debug.str_offsets = Cow::default();
    assert!(reason(&debug).contains("damaged"));
}

#[test]
fn a_text_that_does_not_end_or_lies_outside_is_none() {
    let abbrev = abbreviation(COMPILE, &[(PRODUCER, STRP)]);
    let mut debug = debug(unit(1, 0, b"\x01\0\0\0\0"), abbrev);
    for text in [vec![], b"cc".to_vec(), vec![b'a'; MAX_COMMAND_LINE + 2]] {
        debug.str = text.into();
        assert_eq!(debug.found().unwrap().units[0].producer, "");
    }
}

#[test]
fn units_of_types_and_parts_of_units_are_not_counted() {
    let table = [abbreviation(PARTIAL, &[]), abbreviation(COMPILE, &[])].concat();
    let types = unit(2, 6, &[0; 13]); // its kind has a signature and an offset before the entry
    let info = [unit(1, 0, b"\x01"), types, unit(3, 0, b"\x01"), unit(1, 6, b"\x01")].concat();
    let found = debug(info, table).found().unwrap();
    assert_eq!(found.units.iter().map(|units| units.count).sum::<u64>(), 1);
}

#[test]
fn tables_of_abbreviations_that_overlap_are_refused() {
    let table = abbreviation(COMPILE, &[(PRODUCER, STRING)]);
    let info = [unit(1, 0, b"\x01cc\0"), unit(1, 2, b"\x01cc\0")].concat();
    assert!(reason(&debug(info, table)).contains("damaged"));
    let outside = debug(unit(1, 100, b"\x01"), abbreviation(COMPILE, &[]));
    assert!(reason(&outside).contains("outside"));
}

#[test]
fn attributes_units_and_ways_are_counted() {
    let many = abbreviation(COMPILE, &[(0x7f, FLAG_PRESENT); MAX_ATTRIBUTES + 1]);
    assert!(reason(&debug(unit(1, 0, b"\x01"), many)).contains("attributes"));
    let units = unit(1, 0, b"\x01").repeat(MAX_UNITS + 1);
    assert!(reason(&debug(units, abbreviation(COMPILE, &[]))).contains("units"));
    let producer = abbreviation(COMPILE, &[(PRODUCER, STRING)]);
    let ways = |count: usize, text: usize| {
        let way = |number| unit(1, 0, format!("\x01{number}{}\0", "-".repeat(text)).as_bytes());
        debug((0..count).flat_map(way).collect(), producer.clone()).found().err()
    };
    assert_eq!(ways(MAX_WAYS, 0), None);
    assert!(ways(MAX_WAYS + 1, 0).unwrap().contains("more ways"));
    assert!(ways(MAX_WAYS_BYTES / 10_000 + 1, 10_000).unwrap().contains("more ways"));
}

/// A table of files of DWARF 4.
fn files(names: &[&str]) -> Vec<u8> {
    let names = names.iter().flat_map(|name| name.bytes().chain([0, 0, 0, 0]));
    let header: Vec<u8> = [1, 1, 1, 0, 1, 1, 0].into_iter().chain(names).chain([0]).collect();
    let body = [4, 0].into_iter().chain((header.len() as u32).to_le_bytes()).chain(header);
    let body: Vec<u8> = body.collect();
    (body.len() as u32).to_le_bytes().into_iter().chain(body).collect()
}

#[test]
fn a_unit_that_used_a_fortified_header_is_counted() {
    let abbrev = abbreviation(COMPILE, &[(STATEMENTS, SEC_OFFSET)]);
    let plain = files(&["one.c", "/usr/include/unistd.h"]);
    let second = plain.len() as u8;
    let info = [unit(1, 0, &[1, 0, 0, 0, 0]), unit(1, 0, &[1, second, 0, 0, 0])].concat();
    let mut debug = debug(info, abbrev);
    debug.line = [plain, files(&["two.c", "/usr/include/bits/unistd.h"])].concat().into();
    let found = debug.found().unwrap();
    assert_eq!((found.units[0].count, found.units[0].fortified), (2, 1));
}

#[test]
fn tables_of_files_that_overlap_or_are_too_large_are_refused() {
    let abbrev = abbreviation(COMPILE, &[(STATEMENTS, SEC_OFFSET)]);
    let info = [unit(1, 0, &[1, 0, 0, 0, 0]), unit(1, 0, &[1, 4, 0, 0, 0])].concat();
    let mut overlapping = debug(info, abbrev.clone());
    overlapping.line = files(&["one.c"]).into();
    assert!(reason(&overlapping).contains("damaged"));
    let mut large = debug(unit(1, 0, &[1, 0, 0, 0, 0]), abbrev.clone());
    large.line = files(&["one.c"; (1 << 20) / 9 + 1]).into();
    assert!(reason(&large).contains("a table of files has more"));
    large.line = Cow::default();
    assert!(reason(&large).contains("damaged") || reason(&large).contains("outside"));
}
