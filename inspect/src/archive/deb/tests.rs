use std::io::Write as _;

use model::{TreePath, codes};
use proptest::prelude::*;

use super::super::testing::Memory;
use super::*;

fn ar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut bytes = b"!<arch>\n".to_vec();
    for (name, content) in members {
        bytes.extend(format!("{name:<16}0           0     0     100644  {:<10}`\n", content.len()).bytes());
        bytes.extend(*content);
        if content.len() % 2 == 1 {
            bytes.push(b'\n');
        }
    }
    bytes
}

fn tar(files: &[(&str, &str)]) -> Vec<u8> {
    let mut builder = ::tar::Builder::new(Vec::new());
    for (name, content) in files {
        let mut header = ::tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o755);
        header.set_uid(0);
        header.set_gid(0);
        builder.append_data(&mut header, name, content.as_bytes()).unwrap();
    }
    builder.into_inner().unwrap()
}

fn xz(bytes: &[u8]) -> Vec<u8> {
    let mut out = liblzma::write::XzEncoder::new(Vec::new(), 1);
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

fn control_tar() -> Vec<u8> {
    tar(&[
        ("control", "Package: hello\nVersion: 1:2.0-1\nDescription: x\n y: z\n"),
        ("postinst", "#!/bin/sh\n"),
        ("prerm", "x"),
        ("md5sums", "00  usr/bin/hello\n"),
    ])
}

fn read(bytes: &[u8]) -> Result<Deb, Finding> {
    unpack(bytes, &Limits::default(), &mut Memory::default())
}

#[test]
fn a_package_is_read_whatever_its_compression() {
    let data = tar(&[("bin/hello", "hi"), ("usr/share/x", "y")]);
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(&data).unwrap();
    let gz = gz.finish().unwrap();
    let zst = zstd::encode_all(data.as_slice(), 0).unwrap();
    for (suffix, data) in [(".xz", xz(&data)), (".gz", gz), (".zst", zst), ("", data)] {
        let name = format!("data.tar{suffix}");
        let bytes = ar(&[
            ("debian-binary", b"2.0\n"),
            ("_extra", b"odd"),
            ("control.tar.xz", &xz(&control_tar())),
            (&name, &data),
            ("signature", b"s"),
        ]);
        let deb = read(&bytes).unwrap_or_else(|e| panic!("{name}: {e:?}"));
        assert_eq!((deb.field("package"), deb.field("Version")), (Some("hello"), Some("1:2.0-1")));
        assert_eq!(deb.md5sums, "00  usr/bin/hello\n");
        assert_eq!(deb.scripts, BTreeMap::from([("postinst".to_owned(), Digest::of(b"#!/bin/sh\n"))]));
        assert!(deb.data.get(&"usr/bin/hello".parse::<TreePath>().unwrap()).is_some());
    }
}

#[test]
fn other_shapes_are_refused() {
    let data = tar(&[]);
    let control = control_tar();
    let bad: [&[(&str, &[u8])]; 6] = [
        &[("debian-binary", b"2.0\n"), ("data.tar", &data), ("control.tar", &control)],
        &[("debian-binary", b"3.0\n"), ("control.tar", &control), ("data.tar", &data)],
        &[("control.tar", &control), ("data.tar", &data)],
        &[("debian-binary", b"2.0\n"), ("control.tar", &control)],
        &[("debian-binary", b"2.0\n"), ("control.tar", &data), ("data.tar", &data)],
        &[("debian-binary", b"2.0\n"), ("control.tar", &control), ("data.tar.zst", b"\x28\xb5\x2f\xfdxxxx")],
    ];
    for members in bad {
        assert_eq!(read(&ar(members)).err().map(|f| f.code), Some(codes::ARCHIVE_INVALID), "{:?}", members[1].0);
    }
    let whole = ar(&[("debian-binary", b"2.0\n"), ("control.tar", &control), ("data.tar.xz", &xz(&data))]);
    assert!(read(&whole[..whole.len() - 20]).is_err());
}

#[test]
fn a_control_archive_that_is_too_large_is_refused() {
    let large = "x".repeat(17 << 20);
    let bytes = ar(&[
        ("debian-binary", b"2.0\n"),
        ("control.tar.xz", &xz(&tar(&[("control", &large)]))),
        ("data.tar", &tar(&[])),
    ]);
    assert_eq!(read(&bytes).err().map(|f| f.code), Some(codes::ARCHIVE_TOO_LARGE));
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = read(&[b"!<arch>\n", bytes.as_slice()].concat());
    }

    #[test]
    fn a_damaged_package_never_panics(at: usize, byte: u8) {
        let mut bytes = ar(&[("debian-binary", b"2.0\n"), ("control.tar.xz", &xz(&control_tar())), ("data.tar.xz", &xz(&tar(&[("a", "b")])))]);
        let at = at % bytes.len();
        bytes[at] = byte;
        let _ = read(&bytes);
    }
}
