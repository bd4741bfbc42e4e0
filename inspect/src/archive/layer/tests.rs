use ::tar::{Builder, EntryType, Header};

use super::*;

fn member(name: &str, kind: EntryType, content: &[u8]) -> (Header, String, Vec<u8>) {
    let mut header = Header::new_ustar();
    header.set_entry_type(kind);
    header.set_mode(0o640);
    header.set_uid(0);
    header.set_gid(0);
    header.set_size(content.len() as u64);
    (header, name.to_owned(), content.to_vec())
}

fn layer(members: Vec<(Header, String, Vec<u8>)>) -> Vec<u8> {
    let mut builder = Builder::new(Vec::new());
    for (mut header, name, content) in members {
        builder.append_data(&mut header, name, content.as_slice()).unwrap();
    }
    builder.into_inner().unwrap()
}

fn changes(bytes: &[u8]) -> Result<Vec<String>, Finding> {
    let mut found = Vec::new();
    let mut take = |_: &TreePath, _: u64, content: &mut dyn Read| {
        let mut bytes = Vec::new();
        content.read_to_end(&mut bytes)?;
        Ok(Digest::of(&bytes))
    };
    read(bytes, bytes.len() as u64, &Limits::default(), &mut take, &mut |change| {
        found.push(match change {
            Change::Put(path, entry) => match entry.node {
                Kind::File { digest, size } => {
                    format!("{} {:o} {size} {}", path.display(), entry.mode, digest == Digest::of(b"x"))
                }
                _ => path.display(),
            },
            Change::Remove(path) => format!("-{}", path.display()),
            Change::Clear(path) => format!("-{}/*", path.map_or_else(String::new, |path| path.display())),
            Change::Special(path, what) => format!("{} is {what}", path.display()),
        });
    })?;
    Ok(found)
}

#[test]
fn whiteouts_devices_and_files() {
    let bytes = layer(vec![
        member("etc/a", EntryType::Regular, b"x"),
        member("etc/.wh.b", EntryType::Regular, b""),
        member(".wh.c", EntryType::Regular, b""),
        member("opt/.wh..wh..opq", EntryType::Regular, b""),
        member(".wh..wh..opq", EntryType::Regular, b""),
        member("dev/null", EntryType::Char, b""),
        member("run/pipe", EntryType::Fifo, b""),
    ]);
    let expected =
        ["etc/a 640 1 true", "-etc/b", "-c", "-opt/*", "-/*", "dev/null is a device", "run/pipe is a named pipe"];
    assert_eq!(changes(&bytes).unwrap(), expected);
}

#[test]
fn names_are_understood_as_unpackers_do() {
    let bytes = layer(vec![member("./a//b/./c", EntryType::Regular, b"x"), member("./", EntryType::Directory, b"")]);
    assert_eq!(changes(&bytes).unwrap(), ["a/b/c 640 1 true"]);
}

#[test]
fn a_layer_that_is_cut_off_or_removes_what_has_no_name_is_refused() {
    let bytes = layer(vec![member("a", EntryType::Regular, &[b'x'; 4096])]);
    assert!(changes(bytes.get(..2000).unwrap()).is_err());
    for name in [".wh.", ".wh..", ".wh..."] {
        assert!(changes(&layer(vec![member(name, EntryType::Regular, b"")])).is_err(), "{name}");
    }
}
