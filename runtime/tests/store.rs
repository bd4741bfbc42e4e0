//! The store under tampering, kills, neighbours, and a full disk.
#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::collections::BTreeSet;
use std::fs::{self, File, FileTimes};
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use model::{Digest, codes};
use runtime::store::{GcOptions, GcReport, Store};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn open() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    (dir, store)
}

/// Writes over a stored file, which is read-only.
fn overwrite(path: &Path, bytes: &[u8]) {
    fs::remove_file(path).unwrap();
    fs::write(path, bytes).unwrap();
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

fn action_path(dir: &Path, key: &Digest) -> PathBuf {
    dir.join("actions").join(&key.hex()[..2]).join(key.hex())
}

fn age(path: &Path, by: Duration) {
    let time = SystemTime::now() - by;
    File::open(path).unwrap().set_times(FileTimes::new().set_modified(time)).unwrap();
}

#[test]
fn what_is_put_is_read() {
    let (_dir, store) = open();
    let digest = store.put(b"bytes").unwrap();
    assert_eq!(digest, Digest::of(b"bytes"));
    assert_eq!(store.read(&digest, 5).unwrap(), b"bytes");
    assert_eq!(fs::metadata(store.path(&digest)).unwrap().mode() & 0o777, 0o444);
    assert_eq!(store.read(&digest, 4).unwrap_err().code, codes::FETCH_TOO_LARGE);
    assert_eq!(store.read(&Digest::of(b"other"), 5).unwrap_err().code, codes::STORE_IO);
    assert!(!store.has(&Digest::of(b"other")));
}

#[test]
fn a_writer_keeps_nothing_unless_it_is_committed_as_what_it_is() {
    let (dir, store) = open();
    let mut writer = store.writer().unwrap();
    writer.write_all(b"by").unwrap();
    writer.write_all(b"tes").unwrap();
    assert_eq!(writer.commit_as(&Digest::of(b"other")).unwrap_err().code, codes::FETCH_WRONG_DIGEST);
    store.writer().unwrap().write_all(b"dropped").unwrap();
    assert_eq!(files(&dir.path().join("blobs")), Vec::<PathBuf>::new());
    assert_eq!(files(&dir.path().join("tmp")), Vec::<PathBuf>::new());
    let mut writer = store.writer().unwrap();
    writer.write_all(b"bytes").unwrap();
    assert_eq!(writer.commit_as(&Digest::of(b"bytes")).unwrap(), 5);
    assert!(store.has(&Digest::of(b"bytes")));
}

#[test]
fn a_damaged_object_is_found_remembered_and_mended() {
    let (_dir, store) = open();
    let digest = store.put(b"bytes").unwrap();
    overwrite(&store.path(&digest), b"byteZ");
    assert_eq!(store.read(&digest, 5).unwrap_err().code, codes::STORE_DAMAGED);
    assert_eq!(store.verify().unwrap().damaged, vec![digest]);
    assert_eq!(store.take_damaged(), vec![digest]);
    assert_eq!(store.take_damaged(), vec![]);
    assert_eq!(store.read(&digest, 5).unwrap_err().code, codes::STORE_DAMAGED);
    store.discard(&digest).unwrap();
    store.discard(&digest).unwrap();
    assert!(!store.has(&digest));
    assert_eq!(store.take_damaged(), vec![], "what is gone is not damaged any more");
    overwrite_with_put(&store, &digest);
}

fn overwrite_with_put(store: &Store, digest: &Digest) {
    store.put(b"bytes").unwrap();
    overwrite(&store.path(digest), b"byteZ");
    store.put(b"bytes").unwrap();
    assert_eq!(store.read(digest, 5).unwrap(), b"bytes");
}

#[test]
fn a_damaged_or_moved_record_is_absent() {
    let (dir, store) = open();
    let (key, other) = (Digest::of(b"key"), Digest::of(b"other key"));
    store.record(&key, b"content").unwrap();
    store.record(&other, b"").unwrap();
    assert_eq!(store.action(&key).unwrap(), b"content");
    assert_eq!(store.action(&other).unwrap(), b"");
    let path = action_path(dir.path(), &key);
    let whole = fs::read(&path).unwrap();
    overwrite(&action_path(dir.path(), &other), &whole);
    assert_eq!(store.action(&other), None, "a record belongs to its key");
    for at in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] ^= 1;
        overwrite(&path, &damaged);
        assert_eq!(store.action(&key), None, "byte {at}");
    }
    overwrite(&path, b"");
    assert_eq!(store.action(&key), None);
    let mut damaged = vec![key, other];
    damaged.sort();
    assert_eq!(store.verify().unwrap().damaged, damaged);
    store.record(&key, b"content").unwrap();
    assert_eq!(store.action(&key).unwrap(), b"content");
}

#[test]
fn verify_counts_what_there_is() {
    let (dir, store) = open();
    store.put(b"one").unwrap();
    store.put(b"three").unwrap();
    store.record(&Digest::of(b"key"), b"content").unwrap();
    fs::write(dir.path().join("blobs/sha256/stray"), b"").unwrap();
    let report = store.verify().unwrap();
    assert_eq!((report.objects, report.bytes, report.leftovers), (3, 15, 1));
    assert_eq!(report.damaged, vec![]);
}

#[test]
fn leftovers_of_the_dead_go_and_work_of_the_living_stays() {
    let (dir, living) = open();
    let mut writer = living.writer().unwrap();
    writer.write_all(b"bytes").unwrap();
    let dead = dir.path().join("tmp/dead");
    fs::create_dir(&dead).unwrap();
    fs::write(dead.join("half"), b"half an object").unwrap();
    let second = Store::open(dir.path()).unwrap();
    assert!(!dead.exists());
    assert_eq!(second.verify().unwrap().leftovers, 1);
    assert_eq!(writer.commit().unwrap().0, Digest::of(b"bytes"));
    assert!(second.has(&Digest::of(b"bytes")));
}

/// Not a test of its own: what the tests below start as another process, with the store in an argument.
#[test]
#[ignore = "started by other tests"]
fn child() {
    let dir = std::env::var_os("STORE").unwrap();
    let store = Store::open(Path::new(&dir)).unwrap();
    match std::env::var("DO").unwrap().as_str() {
        "write until killed" => {
            // Other bytes than an earlier process wrote.
            let first = u64::from(std::process::id()) << 32;
            for n in first.. {
                let bytes = n.to_le_bytes().repeat(10_000);
                let digest = store.put(&bytes).unwrap();
                store.record(&digest, digest.to_string().as_bytes()).unwrap();
            }
        }
        "fill the disk" => {
            let finding = store.put(&[7; 100_000]).unwrap_err();
            assert_eq!(finding.code, codes::STORE_IO);
            assert!(finding.help.unwrap().contains("store gc"));
            assert_eq!(store.put(b"small").unwrap(), Digest::of(b"small"));
        }
        other => panic!("{other}"),
    }
}

/// A shell command that ends in the child: `prepare` is run first, in the same process.
fn child_after(prepare: &str, dir: &Path, what: &str) -> Command {
    let mut command = Command::new("sh");
    command
        .args(["-c", &format!("{prepare}; exec \"$0\" --exact child --ignored")])
        .arg(std::env::current_exe().unwrap())
        .env("STORE", dir)
        .env("DO", what);
    command
}

#[test]
fn a_kill_at_any_moment_leaves_whole_objects() {
    let dir = tempfile::tempdir().unwrap();
    for round in 1..=10_u32 {
        let before = if dir.path().join("tmp").exists() { files(&dir.path().join("blobs")).len() } else { 0 };
        let mut child = child_after("umask 077", dir.path(), "write until killed").spawn().unwrap();
        while !dir.path().join("blobs").exists() || files(&dir.path().join("blobs")).len() < before + 20 {
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_millis(u64::from(round)));
        child.kill().unwrap();
        child.wait().unwrap();
        let report = Store::open(dir.path()).unwrap().verify().unwrap();
        assert_eq!(report.damaged, vec![]);
        assert_eq!(report.leftovers, 1, "the killed process had begun something");
        assert_eq!(fs::read_dir(dir.path().join("tmp")).unwrap().count(), 0);
    }
    let store = Store::open(dir.path()).unwrap();
    for path in files(&dir.path().join("blobs")) {
        // One that was killed between making a directory and setting its mode is mended by the next to write there.
        store.put(&fs::read(&path).unwrap()).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o444, "whatever the umask");
        assert_eq!(fs::metadata(path.parent().unwrap()).unwrap().permissions().mode() & 0o777, 0o755);
    }
}

#[test]
fn a_full_disk_is_a_finding_with_help_and_harms_nothing() {
    let dir = tempfile::tempdir().unwrap();
    // The shell's limit on file sizes (8 or 4 KiB) is the disk that is full.
    let output = child_after("trap '' XFSZ; ulimit -f 8", dir.path(), "fill the disk").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    let report = Store::open(dir.path()).unwrap().verify().unwrap();
    assert_eq!((report.objects, report.damaged), (1, vec![]));
}

#[test]
fn an_unusable_directory_is_a_finding() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("file"), b"").unwrap();
    let finding = Store::open(&dir.path().join("file")).err().unwrap();
    assert_eq!(finding.code, codes::STORE_IO);
    assert!(finding.help.unwrap().contains("--store"));
}

#[test]
fn concurrent_writers_agree() {
    let (dir, first) = open();
    let second = Store::open(dir.path()).unwrap();
    std::thread::scope(|scope| {
        for store in [&first, &second, &first, &second] {
            scope.spawn(move || {
                for n in 0..50_u8 {
                    let digest = store.put(&[n; 1000]).unwrap();
                    store.record(&digest, &[n]).unwrap();
                    assert_eq!(store.read(&digest, 1000).unwrap(), [n; 1000]);
                    assert_eq!(store.action(&digest).unwrap(), [n]);
                }
            });
        }
    });
    let report = first.verify().unwrap();
    assert_eq!((report.objects, report.damaged, report.leftovers), (100, vec![], 0));
}

#[test]
fn gc_keeps_what_recent_actions_and_the_caller_name() {
    let (dir, store) = open();
    let [used, named, young, old] = [&b"used"[..], b"named", b"young", b"old"].map(|bytes| store.put(bytes).unwrap());
    let (recent, stale) = (Digest::of(b"recent"), Digest::of(b"stale"));
    store.record(&recent, format!("{{\"made\":[\"{used}\"]}}").as_bytes()).unwrap();
    store.record(&stale, old.to_string().as_bytes()).unwrap();
    age(&action_path(dir.path(), &stale), DAY * 40);
    for digest in [used, named, old] {
        age(&store.path(&digest), DAY * 40);
    }
    let abandoned = dir.path().join("partial").join(old.hex());
    fs::write(&abandoned, b"o").unwrap();
    age(&abandoned, DAY * 40);
    let report = store.gc(&GcOptions { max_age: DAY * 30, keep: BTreeSet::from([named]) }).unwrap();
    assert_eq!(report, GcReport { removed: 3, bytes: 3 + 1 + old.to_string().len() as u64 + 72, kept: 4 });
    assert!([used, named, young].iter().all(|digest| store.has(digest)));
    assert!(
        !store.has(&old) && store.action(&stale).is_none() && store.action(&recent).is_some() && !abandoned.exists()
    );
}

#[test]
fn use_renews_the_age() {
    let (dir, store) = open();
    let (blob, key) = (store.put(b"bytes").unwrap(), Digest::of(b"key"));
    store.record(&key, b"").unwrap();
    age(&store.path(&blob), DAY * 40);
    age(&action_path(dir.path(), &key), DAY * 40);
    assert!(store.has(&blob) && store.action(&key).is_some());
    let report = store.gc(&GcOptions { max_age: DAY * 30, keep: BTreeSet::new() }).unwrap();
    assert_eq!((report.removed, report.kept), (0, 2));
}

#[test]
fn gc_waits_for_nobody_and_touches_nothing_in_use() {
    let (dir, store) = open();
    let digest = store.put(b"bytes").unwrap();
    let options = GcOptions { max_age: Duration::ZERO, keep: BTreeSet::new() };
    let neighbour = Store::open(dir.path()).unwrap();
    assert_eq!(store.gc(&options).unwrap_err().code, codes::STORE_IO);
    assert!(store.has(&digest));
    // The failed attempt has not cost this store its own lock.
    assert_eq!(neighbour.gc(&options).unwrap_err().code, codes::STORE_IO);
    drop(neighbour);
    assert_eq!(store.gc(&options).unwrap().removed, 1);
}
