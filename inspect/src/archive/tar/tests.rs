use std::collections::BTreeMap;
use std::io::Write as _;

use model::codes;
use proptest::prelude::*;

use super::super::testing::{Discard, Memory};
use super::*;

const PLAIN: Options = Options { owners: true, merge_usr: false };
const MERGED: Options = Options { owners: true, merge_usr: true };

/// A header as hostile as need be: the tar crate's own setters refuse bad names.
fn header(name: &[u8], kind: u8, link: &[u8], size: u64) -> Vec<u8> {
    let mut header = Header::new_ustar();
    header.set_mode(0o644);
    header.set_uid(7);
    header.set_gid(8);
    header.set_size(size);
    header.set_entry_type(EntryType::new(kind));
    let bytes = header.as_mut_bytes();
    bytes[..name.len()].copy_from_slice(name);
    bytes[157..157 + link.len()].copy_from_slice(link);
    header.set_cksum();
    header.as_bytes().to_vec()
}

fn file(name: &str, content: &[u8]) -> Vec<u8> {
    member(name.as_bytes(), b'0', b"", content)
}

fn member(name: &[u8], kind: u8, link: &[u8], content: &[u8]) -> Vec<u8> {
    let mut bytes = header(name, kind, link, content.len() as u64);
    bytes.extend(content);
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    bytes
}

fn archive(members: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = members.concat();
    bytes.extend([0; 1024]);
    bytes
}

fn read(bytes: &[u8], options: Options) -> Result<Tree, Finding> {
    unpack(bytes, bytes.len() as u64, options, &Limits::default(), &mut Memory::default())
}

fn refused(members: &[Vec<u8>]) -> Finding {
    read(&archive(members), PLAIN).unwrap_err()
}

fn names(tree: &Tree) -> Vec<String> {
    tree.entries().keys().map(TreePath::display).collect()
}

#[test]
fn members_become_entries_with_mode_owner_and_content() {
    let bytes = archive(&[
        file("./a/f", b"hello"),
        member(b"./a/l", b'2', b"/else/where", b""),
        member(b"./a/h", b'1', b"./a/f", b""),
    ]);
    let mut sink = Memory::default();
    let tree = unpack(&bytes[..], bytes.len() as u64, PLAIN, &Limits::default(), &mut sink).unwrap();
    assert_eq!(names(&tree), ["a", "a/f", "a/h", "a/l"]);
    let entry = |name: &str| tree.get(&name.parse().unwrap()).unwrap().clone();
    let Kind::File { digest, size: 5 } = entry("a/f").node else { panic!("{:?}", entry("a/f")) };
    assert_eq!(
        (sink.0[&digest].as_slice(), entry("a/f").mode, entry("a/f").uid, entry("a/f").gid),
        (&b"hello"[..], 0o644, 7, 8)
    );
    assert_eq!(entry("a/l").node, Kind::Symlink { target: "/else/where".into() });
    assert_eq!(entry("a/h").node, Kind::Hardlink { to: "a/f".parse().unwrap() });
    assert_eq!(entry("a/h").uid, 7);
    let dropped = read(&bytes, Options { owners: false, merge_usr: false }).unwrap();
    assert_eq!(dropped.get(&"a/f".parse().unwrap()).unwrap().uid, 0);
}

#[test]
fn names_that_leave_the_root_are_refused() {
    for bad in [&b"../x"[..], b"a/../../x", b"/etc/passwd", b"a//b", b""] {
        let finding = refused(&[member(bad, b'0', b"", b"")]);
        assert_eq!(finding.code, codes::ARCHIVE_ESCAPES, "{bad:?}: {finding:?}");
    }
    let link = refused(&[file("f", b""), member(b"h", b'1', b"../f", b"")]);
    assert_eq!(link.code, codes::ARCHIVE_ESCAPES);
}

#[test]
fn nothing_is_placed_through_a_link() {
    let finding = refused(&[member(b"d", b'2', b"/etc", b""), file("d/passwd", b"x")]);
    assert_eq!(finding.code, codes::ARCHIVE_ESCAPES, "{finding:?}");
    let later = refused(&[file("d/passwd", b"x"), member(b"d", b'2', b"/etc", b"")]);
    assert_eq!(later.code, codes::ARCHIVE_ESCAPES, "{later:?}");
    let deep = refused(&[member(b"d", b'2', b"/etc", b""), file("d/a/b/c", b"x")]);
    assert_eq!(deep.code, codes::ARCHIVE_ESCAPES);
}

#[test]
fn devices_pipes_and_sparse_files_are_refused() {
    for kind in [b'3', b'4', b'6', b'S', b'V'] {
        assert_eq!(
            refused(&[member(b"x", kind, b"", b"")]).code,
            codes::ARCHIVE_FORBIDDEN_MEMBER,
            "{}",
            char::from(kind)
        );
    }
    let sparse = pax(&[("GNU.sparse.major", b"1")]);
    assert_eq!(refused(&[sparse, file("x", b"")]).code, codes::ARCHIVE_FORBIDDEN_MEMBER);
}

#[test]
fn a_name_given_twice_is_refused_unless_it_is_a_directory() {
    assert_eq!(refused(&[file("x", b"1"), file("x", b"2")]).code, codes::ARCHIVE_INVALID);
    assert!(read(&archive(&[member(b"d/", b'5', b"", b""), member(b"d/", b'5', b"", b"")]), PLAIN).is_ok());
    assert_eq!(refused(&[file("x", b"1"), file("x/y", b"2")]).code, codes::ARCHIVE_INVALID);
}

fn pax(records: &[(&str, &[u8])]) -> Vec<u8> {
    let mut content = Vec::new();
    for (key, value) in records {
        let mut length = key.len() + value.len() + 3;
        length += (length + 2).to_string().len();
        content.extend([format!("{length} {key}=").as_bytes(), value, b"\n"].concat());
    }
    member(b"pax", b'x', b"", &content)
}

#[test]
fn long_names_and_attributes_come_from_extended_headers() {
    let long = "d/".repeat(80) + "f";
    let gnu = member(b"././@LongLink", b'L', b"", format!("{long}\0").as_bytes());
    assert!(names(&read(&archive(&[gnu, file("short", b"")]), PLAIN).unwrap()).contains(&long));
    let posix = pax(&[("path", long.as_bytes()), ("uid", b"3000000"), ("SCHILY.xattr.user.x", b"a\nb")]);
    let tree = read(&archive(&[posix, file("short", b"")]), PLAIN).unwrap();
    let entry = tree.get(&long.parse().unwrap()).unwrap();
    assert_eq!((entry.uid, &entry.xattrs), (3_000_000, &BTreeMap::from([("user.x".to_owned(), "610a62".to_owned())])));
}

#[test]
fn ambiguous_extended_headers_are_refused() {
    assert_eq!(refused(&[pax(&[("path", b"a"), ("path", b"b")]), file("c", b"")]).code, codes::ARCHIVE_INVALID);
    assert_eq!(refused(&[pax(&[("size", b"1")]), file("c", b"")]).code, codes::ARCHIVE_INVALID);
    assert_eq!(refused(&[member(b"g", b'g', b"", b"11 path=abc\n"), file("c", b"")]).code, codes::ARCHIVE_INVALID);
    assert_eq!(refused(&[file("c", b""), pax(&[("path", b"a")])]).code, codes::ARCHIVE_INVALID);
    assert_eq!(refused(&[header(b"x", b'x', b"", 1 << 30)]).code, codes::ARCHIVE_TOO_LARGE);
}

#[test]
fn a_truncated_archive_is_refused() {
    let whole = archive(&[file("a", &[7; 2000])]);
    for end in [100, 512 + 100, 512 + 1999] {
        assert_eq!(read(&whole[..end], PLAIN).unwrap_err().code, codes::ARCHIVE_INVALID, "{end}");
    }
    let mut broken = whole;
    broken[0] = b'b';
    assert_eq!(read(&broken, PLAIN).unwrap_err().code, codes::ARCHIVE_INVALID);
}

#[test]
fn a_bomb_is_stopped_at_the_limit() {
    // gzip makes a gibibyte of zeros out of one megabyte, so this would unpack to 1000 times its size and more
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(&header(b"zeros", b'0', b"", 200 << 20)).unwrap();
    for _ in 0..200 {
        gz.write_all(&vec![0; 1 << 20]).unwrap();
    }
    let bytes = gz.finish().unwrap();
    let limits = Limits { small: 1 << 20, ratio: 100, ..Limits::default() };
    let finding = unpack(&bytes[..], bytes.len() as u64, PLAIN, &limits, &mut Discard).unwrap_err();
    assert_eq!(finding.code, codes::ARCHIVE_TOO_LARGE, "{finding:?}");
    // and one that never ends, as a stream
    let endless = header(b"zeros", b'0', b"", 8 << 40);
    let limits = Limits { bytes: 32 << 20, ..Limits::default() };
    let finding = unpack(endless.chain(io::repeat(0)), u64::MAX, PLAIN, &limits, &mut Discard).unwrap_err();
    assert_eq!(finding.code, codes::ARCHIVE_TOO_LARGE);
}

fn index(bytes: &[u8]) -> Result<BTreeMap<TreePath, Option<Range<u64>>>, Finding> {
    super::index(io::Cursor::new(bytes), bytes.len() as u64, &Limits::default())
}

/// What an index says of an archive: each file or link, and what is read there.
fn indexed(members: &[Vec<u8>]) -> Vec<(String, Option<String>)> {
    let bytes = archive(members);
    let content = |at: Range<u64>| String::from_utf8_lossy(&bytes[at.start as usize..at.end as usize]).into_owned();
    index(&bytes).unwrap().into_iter().map(|(path, at)| (path.display(), at.map(content))).collect()
}

fn symlink(name: &str, target: &str) -> Vec<u8> {
    member(name.as_bytes(), b'2', target.as_bytes(), b"")
}

fn hardlink(name: &str, target: &str) -> Vec<u8> {
    member(name.as_bytes(), b'1', target.as_bytes(), b"")
}

#[test]
fn an_index_says_where_files_lie() {
    let long = format!("a/{}", "x".repeat(120));
    let directory = member(b"a/", b'5', b"", b"");
    let named = pax(&[("path", long.as_bytes())]);
    let found = indexed(&[directory, file("a/b", b"one"), named, file("short", b"two"), file("empty", b"")]);
    let expected = [("a/b", "one"), (long.as_str(), "two"), ("empty", "")];
    assert_eq!(found, expected.map(|(name, content)| (name.to_owned(), Some(content.to_owned()))));
    let twice = archive(&[file("a", b"one"), file("a", b"two")]);
    assert!(index(&twice).unwrap_err().message.contains("twice"));
    let cut = &file("a", &[1; 2000])[..1500];
    assert!(index(cut).unwrap_err().message.contains("ends inside"));
    assert_eq!(index(&archive(&[file("../a", b"")])).unwrap_err().code, codes::ARCHIVE_ESCAPES);
    // What others would unpack is what is read.
    let again = |kind: u8| archive(&[file("a", b"one"), member(b"a", kind, b"b", b"")]);
    for kind in [b'1', b'2', b'3'] {
        assert!(index(&again(kind)).unwrap_err().message.contains("twice"), "{kind}");
    }
    let below = archive(&[file("a/b", b""), member(b"a", b'2', b"c", b"")]);
    assert_eq!(index(&below).unwrap_err().code, codes::ARCHIVE_ESCAPES);
    for kind in [b'0', b'1', b'2', b'3'] {
        let directory = || member(b"d/", b'5', b"", b"");
        let other = || member(b"d", kind, b"a", b"");
        for members in [[file("a", b""), directory(), other()], [file("a", b""), other(), directory()]] {
            assert!(index(&archive(&members)).unwrap_err().message.contains("twice"), "{kind}");
        }
        assert!(indexed(&[directory(), directory()]).is_empty());
    }
}

#[test]
fn an_index_has_links_that_lead_to_a_file_in_one_step() {
    // As docker saved a layer that an image has twice, and skopeo one that has a name of its own.
    let found = indexed(&[
        member(b"a/", b'5', b"", b""),
        file("a/layer.tar", b"one"),
        member(b"b/", b'5', b"", b""),
        symlink("b/layer.tar", "../a/layer.tar"),
        symlink("c/layer.tar", "../d.tar"),
        file("d.tar", b"two"),
        symlink("e", "./a//./layer.tar"),
        hardlink("f", "a/layer.tar"),
        // Nothing is read there, but that is not as if there were no member.
        symlink("g", "nowhere/at/all"),
        member(b"h", b'6', b"", b""),
    ]);
    let one = Some("one");
    let expected = [
        ("a/layer.tar", one),
        ("b/layer.tar", one),
        ("c/layer.tar", Some("two")),
        ("d.tar", Some("two")),
        ("e", one),
        ("f", one),
        ("g", None),
        ("h", None),
    ];
    assert_eq!(found, expected.map(|(name, content)| (name.to_owned(), content.map(str::to_owned))));
}

#[test]
fn an_index_has_no_links_of_which_programs_make_different_things() {
    let evil = || file("evil", b"evil");
    let shapes: [(&str, Vec<Vec<u8>>); 29] = [
        ("up from a link", vec![symlink("index.json", "m/../evil"), symlink("m", "x/y"), evil(), file("x/evil", b"")]),
        ("up from a link to nothing", vec![symlink("index.json", "m/../evil"), symlink("m", "x"), evil()]),
        ("up from nothing", vec![symlink("index.json", "m/../evil"), evil()]),
        ("up from a file", vec![symlink("index.json", "m/../evil"), file("m", b""), evil()]),
        ("below a link to here", vec![file("index.json", b""), symlink("m", "."), file("m/index.json", b"evil")]),
        ("a link below one", vec![file("index.json", b""), evil(), symlink("m", "."), symlink("m/index.json", "evil")]),
        (
            "a hard link below",
            vec![file("index.json", b""), evil(), symlink("m", "."), hardlink("m/index.json", "evil")],
        ),
        ("a directory below", vec![symlink("m", "x"), member(b"m/d/", b'5', b"", b"")]),
        ("a link below nothing", vec![evil(), symlink("m", "x"), symlink("m/index.json", "../evil")]),
        ("a hard link below nothing", vec![evil(), symlink("m", "x"), hardlink("m/index.json", "evil")]),
        ("a file below nothing", vec![symlink("m", "x"), file("m/index.json", b"")]),
        ("below a link to a file", vec![evil(), hardlink("m", "evil"), symlink("m/index.json", "../evil")]),
        ("a chain", vec![symlink("manifest.json", "l2"), symlink("l2", "evil"), evil()]),
        ("a chain to nothing", vec![symlink("manifest.json", "l2"), symlink("l2", "nothing")]),
        ("itself", vec![symlink("manifest.json", "manifest.json")]),
        ("a hard link to a link", vec![evil(), symlink("l2", "evil"), hardlink("manifest.json", "l2")]),
        ("a chain of hard links", vec![evil(), hardlink("l2", "evil"), hardlink("manifest.json", "l2")]),
        ("a link to a hard link", vec![evil(), hardlink("l2", "evil"), symlink("manifest.json", "l2")]),
        ("through a link", vec![symlink("manifest.json", "m/evil"), symlink("m", "x"), file("x/evil", b"")]),
        ("through a link to nothing", vec![symlink("manifest.json", "m/evil"), symlink("m", "x")]),
        ("from the root", vec![symlink("manifest.json", "/evil"), evil()]),
        ("a hard link from the root", vec![evil(), hardlink("manifest.json", "/evil")]),
        ("outside", vec![symlink("a/manifest.json", "../../evil"), evil()]),
        ("a hard link outside", vec![evil(), hardlink("manifest.json", "../evil")]),
        ("a hard link to what follows", vec![hardlink("manifest.json", "evil"), evil()]),
        ("a directory", vec![symlink("blobs", "b"), file("b/x", b"")]),
        ("an empty directory", vec![symlink("blobs", "b"), member(b"b/", b'5', b"", b"")]),
        ("a file as a directory", vec![symlink("manifest.json", "evil/"), evil()]),
        ("the root", vec![evil(), symlink("./", "evil")]),
    ];
    for (what, members) in shapes {
        let finding = index(&archive(&members)).expect_err(what);
        let is_refusal = [codes::ARCHIVE_INVALID, codes::ARCHIVE_ESCAPES].contains(&finding.code);
        assert!(is_refusal && !finding.message.contains("twice"), "{what}: {finding:?}");
    }
    let deep = pax(&[("linkpath", format!("{}b", "b/".repeat(200)).as_bytes())]);
    assert_eq!(index(&archive(&[deep, symlink("a", "b")])).unwrap_err().code, codes::ARCHIVE_TOO_LARGE);
}

#[test]
fn too_many_members_are_refused() {
    let limits = Limits { entries: 3, ..Limits::default() };
    let members: Vec<_> = (0..4).map(|n| file(&n.to_string(), b"")).collect();
    let bytes = archive(&members);
    let finding = unpack(&bytes[..], bytes.len() as u64, PLAIN, &limits, &mut Discard).unwrap_err();
    assert_eq!(finding.code, codes::ARCHIVE_TOO_LARGE);
}

#[test]
fn merged_directories_move_below_usr() {
    let members = [
        member(b"./lib/", b'5', b"", b""),
        file("./lib/x86_64-linux-gnu/libc.so.6", b"c"),
        file("./lib64/ld.so", b"l"),
        file("./library", b"n"),
        member(b"./bin", b'2', b"usr/bin", b""),
        member(b"./usr/alias", b'1', b"./lib64/ld.so", b""),
    ];
    let tree = read(&archive(&members), MERGED).unwrap();
    let expected = [
        "bin",
        "library",
        "usr",
        "usr/alias",
        "usr/lib",
        "usr/lib/x86_64-linux-gnu",
        "usr/lib/x86_64-linux-gnu/libc.so.6",
        "usr/lib64",
        "usr/lib64/ld.so",
    ];
    assert_eq!(names(&tree), expected);
    let clash = archive(&[file("lib/a", b"1"), file("usr/lib/a", b"2")]);
    assert_eq!(read(&clash, MERGED).unwrap_err().code, codes::ARCHIVE_INVALID);
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
        let _ = read(&bytes, MERGED);
    }

    #[test]
    fn a_damaged_archive_never_panics(at in 0usize..3000, byte: u8) {
        let mut bytes = archive(&[pax(&[("path", b"long/name")]), file("a", b"x"), member(b"l", b'2', b"t", b""), file("b", b"y")]);
        let at = at % bytes.len();
        bytes[at] = byte;
        if let Ok(tree) = read(&bytes, MERGED) {
            prop_assert!(tree.entries().len() < 10);
        }
    }
}
