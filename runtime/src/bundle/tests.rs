use std::collections::BTreeMap;

use model::lock::{FORMAT, Node, Origin, Proof};

use super::*;
use crate::debian::testing::{SUITE, TestArchive};

struct Case {
    dir: tempfile::TempDir,
    store: Store,
    lock: Lock,
}

fn case() -> Case {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("store")).unwrap();
    let archive = TestArchive::default();
    let wheel = Node {
        origin: Origin::Pypi,
        name: "wheel".to_owned(),
        version: "1".to_owned(),
        file: "wheel-1-py3-none-any.whl".to_owned(),
        size: 0,
        sha256: store.put(b"the wheel").unwrap(),
        metadata: None,
        build: None,
        license: None,
        proof: Proof::IndexHash,
        requires: vec![],
        omits: vec![],
    };
    let lock = Lock {
        format: FORMAT,
        epoch: archive.date,
        releases: BTreeMap::from([(SUITE.to_owned(), archive.kept(&store))]),
        nodes: BTreeMap::from([("pkg:pypi/wheel@1".to_owned(), wheel)]),
        answers: BTreeMap::new(),
    };
    Case { dir, store, lock }
}

impl Case {
    fn exported(&self, name: &str) -> (Exported, Vec<u8>) {
        let path = self.dir.path().join(name);
        let exported = export(&self.store, &self.lock, &path).unwrap();
        (exported, std::fs::read(path).unwrap())
    }

    /// Imports bytes into an empty store.
    fn import(&self, bytes: &[u8]) -> (Result<Imported, Finding>, Store) {
        let path = self.dir.path().join("in.tar");
        std::fs::write(&path, bytes).unwrap();
        let store = Store::open(&self.dir.path().join(Digest::of(bytes).hex())).unwrap();
        (import(&store, &path), store)
    }

    fn refused(&self, bytes: &[u8]) -> String {
        let finding = self.import(bytes).0.expect_err("this must be refused");
        assert_eq!(finding.code, codes::BUNDLE_INVALID);
        finding.message
    }
}

#[test]
fn a_bundle_carries_everything_and_is_the_same_every_time() {
    let case = case();
    let (exported, bytes) = case.exported("a.tar");
    assert_eq!(exported, Exported { sha256: Digest::of(&bytes), objects: 3, bytes: bytes.len() as u64 });
    assert_eq!(case.exported("b.tar").1, bytes);
    let (imported, store) = case.import(&bytes);
    assert_eq!(imported.unwrap().objects, 3);
    for digest in objects(&case.lock).keys() {
        assert_eq!(store.read(digest, 1 << 20).unwrap(), case.store.read(digest, 1 << 20).unwrap());
    }
    assert_eq!(files(&case.lock)[0].sha256, Digest::of(b"the wheel"));
}

#[test]
fn export_notices_missing_and_damaged_objects_and_leaves_no_file() {
    let case = case();
    let output = case.dir.path().join("out.tar");
    let wheel = Digest::of(b"the wheel");
    crate::debian::testing::damage(&case.store.path(&wheel));
    assert_eq!(export(&case.store, &case.lock, &output).unwrap_err().code, codes::STORE_DAMAGED);
    case.store.discard(&wheel).unwrap();
    assert_eq!(export(&case.store, &case.lock, &output).unwrap_err().code, codes::STORE_IO);
    let left: Vec<_> = std::fs::read_dir(case.dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["store"]);
    assert_eq!(export(&case.store, &case.lock, &case.dir.path().join("no/dir")).unwrap_err().code, codes::OUTPUT_IO);
}

#[test]
fn a_changed_truncated_or_foreign_file_is_refused() {
    let case = case();
    let (_, good) = case.exported("good.tar");
    let at = good.windows(9).position(|window| window == b"the wheel").unwrap();
    let mut flipped = good.clone();
    flipped[at] ^= 1;
    assert!(case.refused(&flipped).contains("expected sha256:"));
    assert!(!case.import(&flipped).1.has(&Digest::of(&flipped[at..at + 9])));
    for length in [0, 100, 512, at - 512, at + 4] {
        case.refused(&good[..length]);
    }
    case.refused(b"no archive");
    assert_eq!(import(&case.store, Path::new("/nonexistent")).unwrap_err().code, codes::INPUT_IO);
}

#[test]
fn names_sizes_and_kinds_are_not_believed() {
    let case = case();
    let lock = case.lock.to_text();
    let blob = |digest: &Digest| format!("{BLOBS}{}", digest.hex());
    let wheel = blob(&Digest::of(b"the wheel"));
    let archive = |entries: &[(&str, EntryType, &[u8])]| {
        let mut builder = Builder::new(Vec::new());
        for (name, kind, content) in entries {
            let mut header = Header::new_ustar();
            header.as_ustar_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
            header.set_entry_type(*kind);
            header.set_size(content.len() as u64);
            header.set_cksum();
            builder.append(&header, *content).unwrap();
        }
        builder.into_inner().unwrap()
    };
    let with = |name: &str, kind, content: &[u8]| {
        case.refused(&archive(&[(LOCK, EntryType::Regular, lock.as_bytes()), (name, kind, content)]))
    };
    assert!(with("../../evil", EntryType::Regular, b"the wheel").contains("does not list"));
    assert!(with("/etc/evil", EntryType::Regular, b"the wheel").contains("does not list"));
    assert!(with(&wheel, EntryType::Symlink, b"").contains("does not list"));
    assert!(with(&wheel, EntryType::Regular, b"another wheel").contains("expected sha256:"));
    assert!(with(&blob(&Digest::of(b"x")), EntryType::Regular, b"x").contains("does not list"));
    let release = blob(&case.lock.releases[SUITE].in_release);
    assert!(with(&release, EntryType::Regular, b"short").contains("the lock says"));
    assert!(with("long", EntryType::GNULongName, b"evil").contains("does not list"));
    assert!(with(&wheel, EntryType::Regular, b"the wheel").contains("2 of the objects"));
    assert!(case.refused(&archive(&[(&wheel, EntryType::Regular, b"the wheel")])).contains("it begins with"));
    assert!(case.refused(&archive(&[(LOCK, EntryType::Regular, b"{}")])).contains("its lock cannot be read"));
    let newer = lock.replacen("\"format\": 2", "\"format\": 3", 1);
    assert!(case.refused(&archive(&[(LOCK, EntryType::Regular, newer.as_bytes())])).contains("format 3"));
}
