use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use model::{Arch, Digest, Finding, Findings, codes};

use super::testing::{INDEX, NOW, SUITE, TestArchive, damage, digest};
use super::*;
use crate::Quiet;
use crate::fetch::{FetchOptions, Fetcher};
use crate::openpgp::testing::{DAY, Quirks, TestKey};
use crate::sources::{SourceArgs, Sources};
use crate::store::Store;

/// Serves files until the test ends; answers the address.
fn serve(files: BTreeMap<String, Vec<u8>>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
            let target = lines.next().and_then(|line| Some(line.split(' ').nth(1)?.to_owned())).unwrap_or_default();
            lines.find(String::is_empty);
            let (status, body) =
                files.get(&target).map_or(("404 Not Found", &[][..]), |body| ("200 OK", body.as_slice()));
            let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
            let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body));
        }
    });
    format!("http://{address}/")
}

struct Machine {
    store: Arc<Store>,
    fetcher: Fetcher,
    _dir: tempfile::TempDir,
}

impl Machine {
    fn new(archives: &[BTreeMap<String, Vec<u8>>]) -> Self {
        Self::with(archives, false)
    }

    fn with(archives: &[BTreeMap<String, Vec<u8>>], offline: bool) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Arc::new(Store::open(dir.path()).unwrap());
        let given = archives.iter().map(|files| format!("debian={}", serve(files.clone()))).collect();
        let sources = Sources::discover(&SourceArgs { given }).unwrap();
        let options =
            FetchOptions { offline, attempts: 1, backoff: Duration::from_millis(1), ..FetchOptions::default() };
        let fetcher = Fetcher::new(store.clone(), sources, options, Arc::new(Quiet));
        Self { store, fetcher, _dir: dir }
    }

    fn acquire(&self) -> Result<Acquired, Findings> {
        let trust = TestArchive::default().trust();
        wait(acquire(&self.fetcher, &self.store, &trust, SUITE, &[Arch::Amd64], NOW))
    }

    fn refusal(&self) -> Finding {
        self.acquire().expect_err("this must be refused").remove(0)
    }
}

fn wait<F: Future>(work: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

#[test]
fn a_suite_gives_release_and_packages() {
    let archive = TestArchive::default();
    let machine = Machine::new(&[archive.served()]);
    let acquired = machine.acquire().unwrap();
    assert_eq!(acquired.release, archive.kept(&machine.store));
    let hello = acquired.indexes[&Arch::Amd64].packages("hello").remove(0);
    assert_eq!((hello.version.as_str(), hello.sha256, hello.size), ("1.0-1+b2", digest("hello"), 5));
}

#[test]
fn an_archive_without_by_hash_is_asked_for_the_plain_path() {
    let archive = TestArchive { by_hash: false, ..TestArchive::default() };
    let machine = Machine::new(&[archive.served()]);
    assert_eq!(machine.acquire().unwrap().release, archive.kept(&machine.store));
}

#[test]
fn the_newest_good_release_wins() {
    let old = TestArchive { packages: vec![("hello", "0.9", "amd64")], ..TestArchive::default() };
    let new = TestArchive { date: old.date + 60, ..TestArchive::default() };
    let foreign =
        TestArchive { key: TestKey::new(9, Quirks::default()), date: new.date + 60, ..TestArchive::default() };
    let machine = Machine::new(&[BTreeMap::new(), old.served(), foreign.served(), new.served()]);
    assert_eq!(machine.acquire().unwrap().release.date, new.date);
}

#[test]
fn releases_of_another_key_label_or_codename_are_refused() {
    let foreign = TestArchive { key: TestKey::new(9, Quirks::default()), ..TestArchive::default() };
    let label = TestArchive { label: "Test-Security", ..TestArchive::default() };
    let codename = TestArchive { codename: "two", ..TestArchive::default() };
    for (archive, code, cause) in [
        (foreign, codes::WRONG_SIGNER, "no such key"),
        (label, codes::WRONG_RELEASE, "`Test-Security`, expected `Test`"),
        (codename, codes::WRONG_RELEASE, "`two`, expected `one`"),
    ] {
        let finding = Machine::new(&[BTreeMap::new(), archive.served()]).refusal();
        assert_eq!(finding.code, code);
        assert!(finding.causes.iter().any(|found| found.contains(cause)), "{finding:?}");
        assert!(finding.causes.iter().any(|found| found.contains("has no suite")), "{finding:?}");
    }
}

#[test]
fn an_expired_release_is_taken_only_where_apt_would() {
    let archive = TestArchive { valid_until: Some(NOW - 1), ..TestArchive::default() };
    let machine = Machine::new(&[archive.served()]);
    if wait(machine.fetcher.accepts_expired()).unwrap() {
        assert!(machine.acquire().unwrap().release.expired_accepted);
    } else {
        assert_eq!(machine.refusal().code, codes::RELEASE_EXPIRED);
    }
    let fresh = TestArchive { date: archive.date - DAY, ..TestArchive::default() };
    let acquired = Machine::new(&[archive.served(), fresh.served()]).acquire().unwrap();
    assert_eq!((acquired.release.date, acquired.release.expired_accepted), (fresh.date, false));
}

#[test]
fn a_suite_nobody_has_and_an_index_the_release_does_not_list_are_findings() {
    assert_eq!(Machine::new(&[BTreeMap::new()]).refusal().code, codes::FETCH_NOT_FOUND);
    let machine = Machine::new(&[TestArchive::default().served()]);
    let trust = TestArchive::default().trust();
    let arm = wait(acquire(&machine.fetcher, &machine.store, &trust, SUITE, &[Arch::Arm64], NOW));
    assert_eq!(arm.unwrap_err()[0].code, codes::INDEX_DIGEST);
    let unknown = wait(acquire(&machine.fetcher, &machine.store, &trust, "three", &[Arch::Amd64], NOW));
    assert!(unknown.unwrap_err()[0].message.contains("nobody is trusted to sign"));
}

#[test]
fn an_index_with_another_content_is_refused() {
    let mut served = TestArchive::default().served();
    for (path, body) in &mut served {
        if path.contains("by-hash") {
            *body = TestArchive { packages: vec![], ..TestArchive::default() }.packages_xz();
        }
    }
    assert_eq!(Machine::new(&[served]).refusal().code, codes::FETCH_WRONG_DIGEST);
}

#[test]
fn a_damaged_compact_index_is_made_again() {
    let archive = TestArchive::default();
    let machine = Machine::new(&[archive.served()]);
    let before = machine.acquire().unwrap().indexes[&Arch::Amd64].packages("hello");
    let kept = archive.kept(&machine.store);
    let documents = [kept.in_release, kept.indexes[INDEX].digest];
    let (mut flipped, blobs) = (0, machine.store.dir().join("blobs/sha256"));
    for entry in std::fs::read_dir(blobs).unwrap() {
        for file in std::fs::read_dir(entry.unwrap().path()).unwrap() {
            let path = file.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if !documents.contains(&Digest::from_hex(name).unwrap()) {
                damage(&path);
                flipped += 1;
            }
        }
    }
    assert_eq!(flipped, 1);
    let after = machine.acquire().unwrap().indexes[&Arch::Amd64].packages("hello");
    assert_eq!(format!("{before:?}"), format!("{after:?}"));
    assert!(machine.store.verify().unwrap().damaged.is_empty());
}

#[test]
fn garbage_for_an_index_is_a_finding() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let garbage = store.put(b"no xz at all").unwrap();
    assert!(load(&store, &garbage).is_err());
    let mut truncated = TestArchive::default().packages_xz();
    truncated.truncate(truncated.len() / 2);
    let truncated = store.put(&truncated).unwrap();
    assert!(load(&store, &truncated).is_err());
}

mod kept_proofs {
    use std::collections::BTreeMap;

    use model::lock::{FORMAT, Lock};

    use super::*;

    fn lock(archive: &TestArchive) -> Lock {
        let dir = tempfile::tempdir().unwrap();
        let release = archive.kept(&Store::open(dir.path()).unwrap());
        Lock {
            format: FORMAT,
            epoch: archive.date,
            releases: BTreeMap::from([(SUITE.to_owned(), release)]),
            nodes: BTreeMap::new(),
            answers: BTreeMap::new(),
        }
    }

    #[test]
    fn they_are_fetched_where_the_archive_still_has_them() {
        let archive = TestArchive::default();
        let machine = Machine::new(&[archive.served()]);
        let lock = lock(&archive);
        wait(fetch_proofs(&machine.fetcher, &machine.store, &lock)).unwrap();
        let release = &lock.releases[SUITE];
        assert!(machine.store.has(&release.in_release) && machine.store.has(&release.indexes[INDEX].digest));
    }

    #[test]
    fn an_archive_that_moved_on_is_a_missing_proof() {
        let archive = TestArchive::default();
        let newer = TestArchive { date: archive.date + 60, ..TestArchive::default() };
        let machine = Machine::new(&[newer.served()]);
        let findings = wait(fetch_proofs(&machine.fetcher, &machine.store, &lock(&archive))).unwrap_err();
        assert_eq!(findings.iter().map(|f| f.code).collect::<Vec<_>>(), [codes::PROOF_MISSING]);
        let offline = Machine::with(&[archive.served()], true);
        let findings = wait(fetch_proofs(&offline.fetcher, &offline.store, &lock(&archive))).unwrap_err();
        assert_eq!(findings.iter().map(|f| f.code).collect::<Vec<_>>(), [codes::OFFLINE]);
    }
}
