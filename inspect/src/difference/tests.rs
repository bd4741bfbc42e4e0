use std::io::{Cursor, Write as _};

use proptest::prelude::*;

use super::*;

fn explained(first: &[u8], second: &[u8]) -> Vec<String> {
    explain(&mut Cursor::new(first), &mut Cursor::new(second)).unwrap()
}

#[track_caller]
fn assert_says(first: &[u8], second: &[u8], expected: &[&str]) {
    assert_eq!(explained(first, second), expected);
    assert_eq!(explained(first, first), Vec::<String>::new(), "equal files");
}

fn gzip(time: u32, content: &[u8]) -> Vec<u8> {
    let mut writer = flate2::GzBuilder::new().mtime(time).write(Vec::new(), flate2::Compression::default());
    writer.write_all(content).unwrap();
    writer.finish().unwrap()
}

fn tarred(members: &[(&str, u64, &str)]) -> Vec<u8> {
    let mut archive = ::tar::Builder::new(Vec::new());
    for (name, time, content) in members {
        let mut header = ::tar::Header::new_ustar();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(*time);
        header.set_uid(0);
        header.set_gid(0);
        archive.append_data(&mut header, name, content.as_bytes()).unwrap();
    }
    archive.into_inner().unwrap()
}

fn zipped(members: &[(&str, u8, &str)]) -> Vec<u8> {
    let mut archive = ::zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, second, content) in members {
        let time = ::zip::DateTime::from_date_and_time(2020, 1, 1, 0, 0, *second).unwrap();
        let options = ::zip::write::SimpleFileOptions::default().last_modified_time(time).unix_permissions(0o644);
        archive.start_file(*name, options).unwrap();
        archive.write_all(content.as_bytes()).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

fn library(members: &[(&str, u64, &str)]) -> Vec<u8> {
    let mut bytes = b"!<arch>\n".to_vec();
    for (name, time, content) in members {
        write!(bytes, "{name:<16}{time:<12}{:<6}{:<6}{:<8}{:<10}`\n{content}", 0, 0, 644, content.len()).unwrap();
        if content.len() % 2 == 1 {
            bytes.push(b'\n');
        }
    }
    bytes
}

/// A file of sections only; the last holds the names.
fn relocatable(sections: &[(&str, &[u8])]) -> Vec<u8> {
    let mut names = vec![0];
    let mut body = Vec::new();
    let mut headers = vec![0; 64];
    let mut add = |name: u32, content: &[u8]| {
        let at = 64 + body.len() as u64;
        body.extend_from_slice(content);
        headers.extend(name.to_le_bytes());
        headers.extend(1u32.to_le_bytes());
        for word in [0, 0, at, content.len() as u64] {
            headers.extend(word.to_le_bytes());
        }
        headers.extend([0; 24]);
    };
    for (name, content) in sections {
        add(names.len() as u32, content);
        names.extend(name.bytes());
        names.push(0);
    }
    let own = names.len() as u32;
    names.extend(b".shstrtab\0");
    add(own, &names);
    let count = sections.len() as u16 + 2;
    let mut bytes = b"\x7fELF\x02\x01\x01".to_vec();
    bytes.resize(16, 0);
    bytes.extend([1, 0, 62, 0, 1, 0, 0, 0]);
    for word in [0, 0, 64 + body.len() as u64] {
        bytes.extend(word.to_le_bytes());
    }
    bytes.extend([0; 4]);
    for half in [64, 0, 0, 64, count, count - 1] {
        bytes.extend(half.to_le_bytes());
    }
    bytes.extend(body);
    bytes.extend(headers);
    bytes
}

#[test]
fn of_texts_the_lines_are_shown() {
    assert_says(
        b"one\nmade at 10:00\nthree\n",
        b"one\nmade at 10:02\nthree\n",
        &["line 2:", "- made at 10:00", "+ made at 10:02"],
    );
    assert_says(b"a\nb\n", b"a\nx\ny\nb\n", &["from line 2 on: 0 lines and 2", "+ x", "+ y"]);
    assert_says(b"a\n", b"a", &["line 1:", "- a", "+ a (without an end)"]);
    assert_says(b"a\x1b[1m\n", b"b\n", &["line 1:", "- a\u{fffd}[1m", "+ b"]);
}

#[test]
fn what_is_no_text_is_shown_from_the_first_byte_on() {
    let mut first = vec![0xff; 100_000];
    let mut second = first.clone();
    second[70_003] = b'x';
    let row = "ff ff ff ff ff ff ff ff ff ff ff ff ff";
    assert_says(
        &first,
        &second,
        &[
            "from byte 70003 on",
            &format!("- 00011170  ff ff ff {row}  |................|"),
            &format!("+ 00011170  ff ff ff 78 {}  |...x............|", &row[3..]),
        ],
    );
    first.truncate(16);
    let lines = explained(&first, &first[..0]);
    assert_eq!(lines[0], "from byte 0 on");
    assert_eq!(lines[2], "+ 00000000  (it ends there)");
    // texts that differ in a byte that is none
    assert_eq!(explained(b"a\0", b"a\x01")[0], "from byte 1 on");
}

#[test]
fn members_of_tar_archives_are_named() {
    let one = tarred(&[("a", 1, "x"), ("b", 1, "same"), ("d", 1, "y")]);
    let other = tarred(&[("a", 2, "x"), ("b", 1, "same"), ("c", 1, "y"), ("d", 1, "z")]);
    let expected =
        ["the member a: times 1 and 2", "the member d: its content differs", "only the second has the member c"];
    assert_says(&one, &other, &expected);
    assert_says(&gzip(0, &one), &gzip(0, &other), &expected);
}

#[test]
fn members_in_another_order_are_named() {
    let expected = ["the members are equal, their order is not: where the first has a, the second has b"];
    assert_says(&tarred(&[("a", 1, "x"), ("b", 1, "y")]), &tarred(&[("b", 1, "y"), ("a", 1, "x")]), &expected);
    assert_says(&zipped(&[("a", 2, "x"), ("b", 2, "y")]), &zipped(&[("b", 2, "y"), ("a", 2, "x")]), &expected);
}

#[test]
fn members_of_zip_archives_are_named() {
    let one = zipped(&[("a.py", 2, "x"), ("b.py", 2, "y"), ("gone", 2, "")]);
    let other = zipped(&[("a.py", 4, "x"), ("b.py", 2, "longer")]);
    let expected = [
        "the member a.py: times 2020-01-01 00:00:02 and 2020-01-01 00:00:04",
        "the member b.py: it has 1 bytes and 6",
        "only the first has the member gone",
    ];
    assert_says(&one, &other, &expected);
}

#[test]
fn members_of_libraries_are_named_also_by_long_names() {
    let names = "a-name-longer-than-sixteen.o/\n";
    let of = |time, content| library(&[("//", 0, names), ("/0", time, "same"), ("short.o/", 0, content)]);
    let expected =
        ["the member a-name-longer-than-sixteen.o: times 1 and 1000", "the member short.o: its content differs"];
    assert_says(&of(1, "one"), &of(1000, "two"), &expected);
}

#[test]
fn one_long_name_of_many_members_is_not_copied_without_end() {
    let names = "x".repeat(1 << 20);
    let of = |content| {
        let many = (0..100).map(|n| ("/0", n, content));
        library(&[("//", 0, names.as_str())].into_iter().chain(many).collect::<Vec<_>>())
    };
    assert_eq!(explained(&of("1"), &of("2"))[0], "line 4:", "it is compared as the text it is");
}

#[test]
fn what_is_compressed_is_compared_unpacked_and_the_time_of_gzip_is_named() {
    let expected = [
        "the times in the headers of gzip are 1 and 2, seconds since 1970",
        "unpacked, nothing differs in the first 1024 MiB",
    ];
    assert_says(&gzip(1, b"text\n"), &gzip(2, b"text\n"), &expected);
    assert_says(&gzip(1, b"a\n"), &gzip(1, b"b\n"), &["unpacked:", "line 1:", "- a", "+ b"]);
}

#[test]
fn sections_of_elf_files_are_named() {
    let of = |rodata: &[u8], comment| relocatable(&[(".text", b"same"), (".rodata", rodata), (".comment", comment)]);
    let expected = [
        "the section .rodata differs from byte 9 on",
        "- 00000000  62 75 69 6c 74 20 61 74 31 32  |built at12|",
        "+ 00000000  62 75 69 6c 74 20 61 74 31 33  |built at13|",
    ];
    assert_says(&of(b"built at12", b"c"), &of(b"built at13", b"c"), &expected);
    let lines = explained(&of(b"a", b"c"), &relocatable(&[(".text", b"same"), (".rodata", b"ab")]));
    assert!(lines.iter().any(|line| line.starts_with("the section .rodata (1 bytes and 2) differs")), "{lines:?}");
    assert!(lines.iter().any(|line| line == "only the first has the section .comment"), "{lines:?}");
    // the same sections, another header
    let mut other = of(b"a", b"c");
    other[7] = 9;
    assert_eq!(explained(&of(b"a", b"c"), &other)[0], "from byte 7 on");
}

#[test]
fn sections_over_one_another_are_not_followed() {
    let mut hostile = relocatable(&[(".a", &[0; 4096]), (".b", b"x"), (".c", b"y")]);
    let headers = hostile.len() - 3 * 64;
    for header in [0, 1, 2].map(|number| headers + number * 64) {
        hostile[header + 24..header + 32].copy_from_slice(&0u64.to_le_bytes());
        hostile[header + 32..header + 40].copy_from_slice(&4000u64.to_le_bytes());
    }
    let mut other = hostile.clone();
    other[100] = 1;
    assert_eq!(explained(&hostile, &other)[0], "from byte 100 on");
}

#[test]
fn what_only_begins_like_an_archive_is_compared_by_its_bytes() {
    for start in [&b"!<arch>\n"[..], b"PK\x03\x04", b"\x1f\x8b\x08", b"\x7fELF\x02\x01\x01", b"\xfd7zXZ\0"] {
        let [one, other] = [b"\x00one", b"\x00two"].map(|end| [start, end].concat());
        assert_says_from(&one, &other, start.len() + 1);
    }
}

#[track_caller]
fn assert_says_from(first: &[u8], second: &[u8], byte: usize) {
    assert_eq!(explained(first, second)[0], format!("from byte {byte} on"));
}

#[test]
fn explanations_are_short_however_much_differs() {
    let numbers = |add: u32| (0..5000).map(|n| format!("{}\n", n * 2 + add)).collect::<String>();
    let lines = explained(numbers(0).as_bytes(), numbers(1).as_bytes());
    assert_eq!(lines.len(), LINES);
    assert!(lines[LINES - 1].starts_with("and ") && lines[LINES - 1].ends_with(" more lines"), "{lines:?}");
    let long = "x".repeat(3 << 20);
    let lines = explained(format!("{long}1").as_bytes(), format!("{long}2").as_bytes());
    assert!(lines.iter().all(|line| line.len() < 2 * LINE), "a line is too long");
    assert_eq!(lines[1], "- …xxxxxxxxxxxxxxxxxxxx1 (without an end)");
    let names: Vec<String> = (0..500).map(|n| format!("member-{n:03}")).collect();
    let archive = |time| tarred(&names.iter().map(|name| (name.as_str(), time, "")).collect::<Vec<_>>());
    let lines = explained(&archive(1), &archive(2));
    assert_eq!(lines.len(), LINES);
    assert_eq!(lines[LINES - 1], "and 489 more members");
}

proptest! {
    #[test]
    fn any_two_files_are_explained(one in noise(), other in noise()) {
        let lines = explained(&one, &other);
        prop_assert_eq!(lines.is_empty(), one == other);
        prop_assert!(lines.len() <= LINES + 2);
    }
}

/// Bytes, and what could be taken for a file of some kind.
fn noise() -> impl Strategy<Value = Vec<u8>> {
    let starts = [&b""[..], b"!<arch>\n", b"PK\x03\x04", b"\x1f\x8b", b"\x7fELF\x02\x01\x01", b"BZh9", b"\xfd7zXZ\0"];
    (proptest::sample::select(starts.to_vec()), proptest::collection::vec(any::<u8>(), 0..300))
        .prop_map(|(start, rest)| [start, &rest].concat())
}
