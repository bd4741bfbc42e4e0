mod kill;
mod tamper;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use tempfile::TempDir;

use super::*;
use crate::growth::Growth;
use crate::proof::{Proof, ProofError};
use crate::{Action, Subject, Who, Why};

fn record(n: u64) -> Record {
    Record {
        when: format!("2026-01-31T23:{:02}:{:02}Z", n / 60 % 60, n % 60),
        who: Who { name: "tester".to_owned(), uid: 1000 },
        what: Action::Build,
        of: vec![Subject { name: format!("app:{n}"), digest: Digest::of(&n.to_be_bytes()) }],
        how: [("version".to_owned(), "1".to_owned())].into(),
        why: Why::default(),
        previous: None,
    }
}

/// A log of the records 1 to `size`.
fn begin(dir: &Path, size: u64) -> Log {
    let log = Log::open(dir).unwrap();
    for n in 1..=size {
        assert_eq!(log.append(record(n)).unwrap(), n);
    }
    log
}

type Files = BTreeMap<PathBuf, Vec<u8>>;

/// One log at some of its sizes. At 300 lines it has a full tile of leaves and one that is not.
fn at(size: u64) -> TempDir {
    static STATES: OnceLock<BTreeMap<u64, Files>> = OnceLock::new();
    let states = STATES.get_or_init(|| {
        let dir = TempDir::new().unwrap();
        let (log, mut states) = (begin(dir.path(), 0), BTreeMap::new());
        for size in 0..=300 {
            if [0, 1, 2, 5, 100, 254, 255, 256, 300].contains(&size) {
                states.insert(size, files(dir.path()));
            }
            log.append(record(size + 1)).unwrap();
        }
        states
    });
    laid_out(&states[&size])
}

fn long() -> TempDir {
    at(300)
}

fn files(dir: &Path) -> Files {
    fn add(root: &Path, dir: &Path, files: &mut Files) {
        for path in fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                add(root, &path, files);
            } else {
                files.insert(path.strip_prefix(root).unwrap().to_owned(), fs::read(&path).unwrap());
            }
        }
    }
    let mut files = Files::new();
    add(dir, dir, &mut files);
    files
}

fn laid_out(files: &Files) -> TempDir {
    let dir = TempDir::new().unwrap();
    for (path, bytes) in files {
        let path = dir.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    dir
}

fn copy(from: &Path) -> TempDir {
    laid_out(&files(from))
}

fn read(dir: &Path, name: &str) -> String {
    fs::read_to_string(dir.join(name)).unwrap()
}

/// What the records of a log are about.
fn names(dir: &Path) -> Vec<String> {
    let mut names = Vec::new();
    records(dir, |number, record| {
        assert_eq!(number, names.len() as u64 + 1);
        names.push(record.of[0].name.clone());
        Ok(())
    })
    .unwrap();
    names
}

#[test]
fn a_log_proves_that_it_has_only_grown() {
    let dir = long();
    let key = public_key(&Folder::at(dir.path())).unwrap();
    let kept = |size| fs::read_to_string(at(size).path().join("checkpoint")).unwrap();
    for size in [0, 1, 2, 5, 100, 254, 255, 256, 300] {
        let older = Checkpoint::open(&kept(size), &key).unwrap();
        let growth = prove_growth(dir.path(), &kept(size)).unwrap();
        assert_eq!(growth.check(&older, &key).unwrap().size, 300);
        assert_eq!(Growth::parse(&growth.to_string()), Ok(growth.clone()));
        // Of another older state it shows nothing, whatever is said of its size.
        let other = Checkpoint { root: Digest::of(b"other"), ..older.clone() };
        assert_eq!(growth.check(&other, &key), Err(ProofError::NotGrown));
        let shorter = Checkpoint { size: size.saturating_sub(1) + u64::from(size == 0), ..older };
        assert_eq!(growth.check(&shorter, &key), Err(ProofError::NotGrown));
    }
    // A log that was shortened does not begin with what it was.
    assert!(prove_growth(at(100).path(), &kept(300)).unwrap_err().message.contains("has 100 lines"));
    let another = TempDir::new().unwrap();
    begin(another.path(), 300);
    assert!(prove_growth(another.path(), &kept(100)).unwrap_err().message.contains("is not one of"));
}

#[test]
fn a_log_of_300_lines_is_what_it_signs() {
    let dir = long();
    let log = Log::open(dir.path()).unwrap();
    let verified = verify(dir.path(), Some(log.key()), None).unwrap();
    assert_eq!((verified.checkpoint.size, verified.is_unfinished), (300, false));
    assert_eq!(names(dir.path()), (1..=300).map(|n| format!("app:{n}")).collect::<Vec<_>>());
    let mut found: Vec<String> = tile::Tile::all(300).map(|tile| tile.path()).collect();
    found.sort();
    assert_eq!(found, ["tile/0/000", "tile/0/001.p/44", "tile/1/000.p/1"]);
    // Of partial tiles only the last are kept.
    assert!(!dir.path().join("tile/0/000.p").exists() && !dir.path().join("tile/entries/000.p").exists());
    assert_eq!(fs::read_dir(dir.path().join("tile/0/001.p")).unwrap().count(), 1);
    assert!(!dir.path().join(PENDING).exists());
}

#[test]
fn a_new_log_is_for_its_owner_and_keeps_its_key() {
    use std::os::unix::fs::PermissionsExt as _;
    let above = TempDir::new().unwrap();
    let dir = above.path().join("state/audit");
    let key = Log::open(&dir).unwrap().key().clone();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&dir), mode(&dir.join("key"))), (0o700, 0o600));
    assert_eq!(read(&dir, PUBLIC), format!("{key}\n"));
    assert!(
        read(&dir, "key").starts_with("-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEI"),
        "as openssl writes it"
    );
    assert_eq!(verify(&dir, Some(&key), None).unwrap().checkpoint.size, 0);
    assert_eq!(Log::open(&dir).unwrap().key(), &key);
    fs::remove_file(dir.join("key")).unwrap();
    let finding = Log::open(&dir).err().unwrap();
    assert_eq!(finding.code, codes::AUDIT_UNUSABLE);
    fs::write(dir.join("key"), "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n").unwrap();
    assert_eq!(Log::open(&dir).err().unwrap().code, codes::AUDIT_UNUSABLE);
}

#[test]
fn where_there_is_no_log_there_is_none() {
    let dir = TempDir::new().unwrap();
    assert_eq!(verify(dir.path(), None, None).unwrap_err()[0].code, codes::AUDIT_UNUSABLE);
    assert_eq!(verify(&dir.path().join("x"), None, None).unwrap_err()[0].code, codes::AUDIT_UNUSABLE);
    assert_eq!(prove(dir.path(), 1).unwrap_err().code, codes::AUDIT_UNUSABLE);
    assert_eq!(records(dir.path(), |_, _| Ok(())).unwrap_err().code, codes::AUDIT_UNUSABLE);
    fs::write(dir.path().join("file"), "").unwrap();
    assert_eq!(Log::open(&dir.path().join("file")).err().unwrap().code, codes::AUDIT_UNUSABLE);
}

#[test]
fn a_record_no_log_takes_changes_nothing() {
    let dir = TempDir::new().unwrap();
    let log = begin(dir.path(), 2);
    let reason = Some("x".repeat(crate::record::LONGEST));
    let long = Record { why: Why { reason, ..Why::default() }, ..record(3) };
    for record in [long, Record { when: "today".to_owned(), ..record(3) }] {
        assert_eq!(log.append(record).unwrap_err().code, codes::AUDIT_UNUSABLE);
    }
    assert_eq!(log.append(record(3)).unwrap(), 3);
    assert_eq!(verify(dir.path(), None, None).unwrap().checkpoint.size, 3);
}

#[test]
fn the_longest_record_fits() {
    let dir = TempDir::new().unwrap();
    let log = begin(dir.path(), 1);
    let mut long = Record { previous: Some(Digest::of(b"")), ..record(2) };
    long.why.reason = Some(String::new());
    let room = crate::record::LONGEST - long.line().unwrap().len();
    long.why.reason = Some("x".repeat(room));
    assert_eq!(log.append(long.clone()).unwrap(), 2);
    assert_eq!(log.append(record(3)).unwrap(), 3);
    assert_eq!(verify(dir.path(), None, None).unwrap().checkpoint.size, 3);
    assert_eq!(Proof::parse(&prove(dir.path(), 2).unwrap().to_string()).unwrap().check(log.key()).unwrap().line, 2);
    long.why.reason = Some("x".repeat(room + 1));
    assert_eq!(log.append(long).unwrap_err().code, codes::AUDIT_UNUSABLE);
}

#[test]
fn several_writers_lose_nothing() {
    let dir = TempDir::new().unwrap();
    std::thread::scope(|scope| {
        for writer in 0..8 {
            let dir = dir.path();
            scope.spawn(move || {
                let log = Log::open(dir).unwrap();
                for n in 0..20 {
                    log.append(record(writer * 20 + n)).unwrap();
                }
            });
        }
    });
    assert_eq!(verify(dir.path(), None, None).unwrap().checkpoint.size, 160);
    let mut found = names(dir.path());
    let mut wanted: Vec<String> = (0..160).map(|n| format!("app:{n}")).collect();
    found.sort();
    wanted.sort();
    assert_eq!(found, wanted);
}

#[test]
fn a_line_is_proven_to_whoever_has_the_key() {
    let dir = long();
    let key = verify(dir.path(), None, None).unwrap().key;
    for line in [1, 2, 255, 256, 257, 300] {
        let text = prove(dir.path(), line).unwrap().to_string();
        let proven = Proof::parse(&text).unwrap().check(&key).unwrap();
        assert_eq!((proven.line, proven.record.of[0].name.as_str()), (line, format!("app:{line}").as_str()));
        assert_eq!(proven.checkpoint.size, 300);
    }
    for line in [0, 301, u64::MAX] {
        assert_eq!(prove(dir.path(), line).unwrap_err().code, codes::AUDIT_UNUSABLE);
    }
}

#[test]
fn a_proof_that_was_changed_proves_nothing() {
    let dir = long();
    let key = verify(dir.path(), None, None).unwrap().key;
    let text = prove(dir.path(), 3).unwrap().to_string();
    let check = |text: &str| Proof::parse(text)?.check(&key);
    for at in 0..text.len() {
        let mut bytes = text.clone().into_bytes();
        bytes[at] ^= 1;
        let Ok(changed) = String::from_utf8(bytes) else { continue };
        assert!(check(&changed).is_err(), "{changed}");
    }
    assert_eq!(check(&text.replace("index 2\n", "index 3\n")), Err(ProofError::NotIncluded));
    assert_eq!(check(&text.replace("index 2\n", "index 02\n")), Err(ProofError::Form));
    assert_eq!(check(&"x".repeat(1 << 20)), Err(ProofError::TooLarge));
    assert_eq!(check(&text.replace("index 2\n", &format!("index 2\n{}", "A\n".repeat(65)))), Err(ProofError::Form));
    let other = begin(TempDir::new().unwrap().path(), 0).key().clone();
    assert!(matches!(Proof::parse(&text).unwrap().check(&other), Err(ProofError::Checkpoint(_))));
}

#[test]
fn what_is_exported_is_the_public_part() {
    let (dir, above) = (long(), TempDir::new().unwrap());
    let key = verify(dir.path(), None, None).unwrap().key;
    let to = above.path().join("copy");
    export(dir.path(), &to, Some(&key)).unwrap();
    let verified = verify(&to, Some(&key), Some(&read(dir.path(), CHECKPOINT))).unwrap();
    assert_eq!(verified.checkpoint.size, 300);
    let mut found: Vec<_> = fs::read_dir(&to).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    found.sort();
    assert_eq!(found, ["checkpoint", "key.pub", "log.jsonl", "tile"]);
    assert_eq!(prove(&to, 7).unwrap(), prove(dir.path(), 7).unwrap());
    assert_eq!(names(&to), names(dir.path()));
    assert_eq!(fs::read_dir(above.path()).unwrap().count(), 1, "nothing else is left");
    // Neither what is there is replaced, nor what is wrong copied.
    assert_eq!(export(dir.path(), &to, None).unwrap_err()[0].code, codes::AUDIT_UNUSABLE);
    fs::write(dir.path().join(LINES), read(dir.path(), LINES).replacen("app:7\"", "app:8\"", 1)).unwrap();
    let findings = export(dir.path(), &above.path().join("other"), None).unwrap_err();
    assert!(findings[0].message.contains("line 7 of the audit trail was edited"), "{findings:?}");
    assert_eq!(fs::read_dir(above.path()).unwrap().count(), 1);
}
