use std::io::{Cursor, Write as _};

use ::zip::write::SimpleFileOptions;
use ::zip::{CompressionMethod, ZipWriter};
use model::{TreePath, codes};
use proptest::prelude::*;

use super::super::testing::{Discard, Memory};
use super::*;

fn archive(files: &[(&str, &[u8], u32)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content, mode) in files {
        let options =
            SimpleFileOptions::default().compression_method(CompressionMethod::Deflated).unix_permissions(*mode);
        zip.start_file(*name, options).unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn read(bytes: &[u8]) -> Result<Tree, Finding> {
    unpack(Cursor::new(bytes), &Limits::default(), &mut Memory::default())
}

/// Replaces every occurrence, in local headers and directory alike.
fn rename(bytes: &mut [u8], from: &[u8], to: &[u8]) {
    for at in 0..bytes.len() - from.len() {
        if bytes[at..].starts_with(from) {
            bytes[at..at + from.len()].copy_from_slice(to);
        }
    }
}

#[test]
fn files_keep_their_executable_bit_only() {
    let tree = read(&archive(&[("d/x", b"x", 0o700), ("d/y", b"y", 0o666)])).unwrap();
    let mode = |name: &str| tree.get(&name.parse::<TreePath>().unwrap()).unwrap().mode;
    assert_eq!((mode("d"), mode("d/x"), mode("d/y")), (0o755, 0o755, 0o644));
}

#[test]
fn names_that_leave_the_root_are_refused() {
    for bad in ["../e", "/abs", "a/..", "a//b"] {
        let mut bytes = archive(&[("abcd", b"x", 0o644), ("f", b"", 0o644)]);
        let mut name = bad.as_bytes().to_vec();
        name.resize(4, b'x');
        rename(&mut bytes, b"abcd", &name);
        assert_eq!(read(&bytes).unwrap_err().code, codes::ARCHIVE_ESCAPES, "{bad}");
    }
}

#[test]
fn a_name_given_twice_is_refused() {
    let mut bytes = archive(&[("one", b"1", 0o644), ("two", b"2", 0o644)]);
    rename(&mut bytes, b"two", b"one");
    assert_eq!(read(&bytes).unwrap_err().code, codes::ARCHIVE_INVALID);
}

#[test]
fn a_local_header_that_tells_another_name_is_refused() {
    let mut bytes = archive(&[("one", b"1", 0o644)]);
    let at = bytes.windows(3).position(|w| w == b"one").unwrap();
    bytes[at..at + 3].copy_from_slice(b"two");
    assert_eq!(read(&bytes).unwrap_err().code, codes::ARCHIVE_INVALID);
}

#[test]
fn links_and_encrypted_members_are_refused() {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.add_symlink("l", "/etc/passwd", SimpleFileOptions::default()).unwrap();
    let bytes = zip.finish().unwrap().into_inner();
    assert_eq!(read(&bytes).unwrap_err().code, codes::ARCHIVE_FORBIDDEN_MEMBER);

    let mut bytes = archive(&[("one", b"1", 0o644)]);
    bytes[6] |= 1;
    let directory = bytes.windows(4).position(|w| w == b"PK\x01\x02").unwrap();
    bytes[directory + 8] |= 1;
    assert_eq!(read(&bytes).unwrap_err().code, codes::ARCHIVE_INVALID);
}

#[test]
fn a_bomb_and_too_many_members_are_stopped() {
    let bytes = archive(&[("zeros", &vec![0; 40 << 20], 0o644)]);
    let limits = Limits { small: 1 << 20, ratio: 100, ..Limits::default() };
    assert_eq!(unpack(Cursor::new(&bytes), &limits, &mut Discard).unwrap_err().code, codes::ARCHIVE_TOO_LARGE);
    let limits = Limits { entries: 1, ..Limits::default() };
    let bytes = archive(&[("a", b"", 0o644), ("b", b"", 0o644)]);
    assert_eq!(unpack(Cursor::new(&bytes), &limits, &mut Discard).unwrap_err().code, codes::ARCHIVE_TOO_LARGE);
}

#[test]
fn a_changed_content_is_found_by_its_checksum() {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("f", SimpleFileOptions::default().compression_method(CompressionMethod::Stored)).unwrap();
    zip.write_all(b"content").unwrap();
    let mut bytes = zip.finish().unwrap().into_inner();
    rename(&mut bytes, b"content", b"CONTENT");
    assert_eq!(read(&bytes).unwrap_err().code, codes::ARCHIVE_INVALID);
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = read(&bytes);
    }

    #[test]
    fn a_damaged_archive_never_panics(at: usize, byte: u8) {
        let mut bytes = archive(&[("d/x", b"some content", 0o755), ("d/y", b"other", 0o644)]);
        let at = at % bytes.len();
        bytes[at] = byte;
        let _ = read(&bytes);
    }
}
