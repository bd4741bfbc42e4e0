use std::collections::BTreeMap;

use model::lock::{self, Asker, Edge, FORMAT, Kept, Node, Origin, Resolution, Root};
use model::{Arch, Code};
use trust::suite_scope;

use super::*;
use crate::debian::testing::{INDEX, SUITE, TestArchive, digest, pool};
use crate::openpgp::testing::{DAY, Quirks, TestKey};

const HELLO: &str = "pkg:deb/debian/hello@1.0-1%2Bb2?arch=amd64";
const DATA: &str = "pkg:deb/debian/data@2?arch=all";
const WHEEL: &str = "pkg:pypi/wheel@3";

struct Case {
    store: Store,
    trust: Trust,
    lock: Lock,
    _dir: tempfile::TempDir,
}

fn node(origin: Origin, name: &str, version: &str, file: String, proof: Proof) -> Node {
    Node {
        origin,
        name: name.to_owned(),
        version: version.to_owned(),
        file,
        size: 5,
        sha256: digest(name),
        metadata: None,
        build: None,
        license: None,
        proof,
        requires: vec![],
        omits: vec![],
    }
}

fn signed() -> Proof {
    Proof::VerifiedByOpenpgp { release: SUITE.to_owned(), index: INDEX.to_owned() }
}

fn edge(origin: Origin, name: &str) -> Edge {
    Edge { origin, name: name.to_owned(), requirement: name.to_owned() }
}

fn answers<const N: usize>(resolutions: [(Arch, Resolution); N]) -> BTreeMap<Digest, lock::Answer> {
    let answer = lock::Answer { asked: lock::Asked::default(), resolutions: BTreeMap::from(resolutions) };
    BTreeMap::from([(answer.asked.digest(), answer)])
}

fn images(arches: &[Arch]) -> BTreeSet<(Digest, Arch)> {
    arches.iter().map(|arch| (lock::Asked::default().digest(), *arch)).collect()
}

impl Case {
    fn new(archive: &TestArchive) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let mut hello = node(Origin::Debian, "hello", "1.0-1+b2", pool("hello", "1.0-1+b2", "amd64"), signed());
        hello.requires = vec![edge(Origin::Debian, "data")];
        let data = node(Origin::Debian, "data", "2", pool("data", "2", "all"), signed());
        let wheel = node(Origin::Pypi, "wheel", "3", "wheel-3-py3-none-any.whl".to_owned(), Proof::IndexHash);
        let nodes = [(HELLO, hello), (DATA, data), (WHEEL, wheel)].map(|(id, node)| (id.to_owned(), node));
        let roots = [edge(Origin::Debian, "hello"), edge(Origin::Pypi, "wheel")];
        let resolution = Resolution {
            language_version: None,
            roots: roots.map(|edge| Root { by: Asker::Config, edge }).to_vec(),
            nodes: [DATA, HELLO, WHEEL].map(str::to_owned).to_vec(),
        };
        let lock = Lock {
            format: FORMAT,
            epoch: archive.date,
            releases: BTreeMap::from([(SUITE.to_owned(), archive.kept(&store))]),
            nodes: BTreeMap::from(nodes),
            answers: answers([(Arch::Amd64, resolution)]),
        };
        Self { store, trust: TestArchive::default().trust(), lock, _dir: dir }
    }

    fn prove(&self) -> Result<Summary, Findings> {
        prove(&self.store, &self.lock, &images(&Arch::ALL), &self.trust)
    }

    fn codes(&self) -> Vec<Code> {
        self.prove().expect_err("this must be refused").into_iter().map(|finding| finding.code).collect()
    }

    fn release(&mut self) -> &mut lock::Release {
        self.lock.releases.get_mut(SUITE).unwrap()
    }

    fn node(&mut self, id: &str) -> &mut Node {
        self.lock.nodes.get_mut(id).unwrap()
    }

    fn resolution(&mut self) -> &mut Resolution {
        self.lock.answers.values_mut().next().unwrap().resolutions.get_mut(&Arch::Amd64).unwrap()
    }
}

/// What becomes of a good lock after a change.
fn changed(change: impl Fn(&mut Case)) -> Vec<Code> {
    let mut case = Case::new(&TestArchive::default());
    case.prove().unwrap();
    change(&mut case);
    case.codes()
}

#[test]
fn a_good_lock_is_proved_once() {
    let case = Case::new(&TestArchive::default());
    let summary = case.prove().unwrap();
    assert_eq!(summary, Summary { verified: 2, index_hash: 1, unsigned: 0, expired_accepted: vec![] });
    // The answer is kept; another lock, or other trust data, is proved anew.
    let in_release = case.lock.releases[SUITE].in_release;
    case.store.discard(&in_release).unwrap();
    assert_eq!(case.prove().unwrap(), summary);
    let other = TestKey::new(1, Quirks::default()).trusted(&[&suite_scope(SUITE), "debian two"]);
    assert_eq!(prove(&case.store, &case.lock, &images(&Arch::ALL), &other).unwrap_err()[0].code, codes::PROOF_MISSING);
}

#[test]
fn missing_and_damaged_documents_are_told_apart() {
    for (pick, code) in [(0, codes::PROOF_MISSING), (1, codes::PROOF_DAMAGED)] {
        for document in 0..2 {
            let case = Case::new(&TestArchive::default());
            let release = &case.lock.releases[SUITE];
            let digest = [release.in_release, release.indexes[INDEX].digest][document];
            if pick == 0 {
                case.store.discard(&digest).unwrap();
            } else {
                crate::debian::testing::damage(&case.store.path(&digest));
            }
            assert_eq!(case.codes(), [code], "document {document}");
            assert_eq!(case.store.take_damaged(), if pick == 0 { vec![] } else { vec![digest] });
        }
    }
}

#[test]
fn a_claim_the_index_does_not_bear_out_is_refused() {
    let not_held = [codes::PROOF_NOT_HELD];
    assert_eq!(changed(|case| case.node(HELLO).sha256 = digest("evil")), not_held);
    assert_eq!(changed(|case| case.node(HELLO).size = 6), not_held);
    assert_eq!(changed(|case| case.node(HELLO).file = "pool/main/evil.deb".to_owned()), not_held);
    assert_eq!(changed(|case| case.node(HELLO).proof = Proof::IndexHash), not_held);
    assert_eq!(changed(|case| case.node(HELLO).proof = Proof::UnsignedUpstream), not_held);
    assert_eq!(changed(|case| case.node(WHEEL).proof = signed()), not_held);
    let elsewhere = Proof::VerifiedByOpenpgp { release: SUITE.to_owned(), index: "other".to_owned() };
    assert_eq!(changed(|case| case.node(HELLO).proof = elsewhere.clone()), not_held);
    let unlisted = |case: &mut Case| {
        let mut node = case.lock.nodes.remove(DATA).unwrap();
        node.version = "3".to_owned();
        case.lock.nodes.insert(DATA.replace("@2", "@3"), node);
        case.resolution().nodes[0] = DATA.replace("@2", "@3");
    };
    assert_eq!(changed(unlisted), not_held);
}

#[test]
fn a_claim_the_release_does_not_bear_out_is_refused() {
    let not_held = [codes::PROOF_NOT_HELD];
    assert_eq!(changed(|case| case.release().label = "Other".to_owned()), not_held);
    assert_eq!(changed(|case| case.release().codename = "two".to_owned()), not_held);
    assert_eq!(changed(|case| case.release().signed_by.push("00".to_owned())), not_held);
    let later = |case: &mut Case| {
        case.release().date += 1;
        case.lock.epoch += 1;
    };
    assert_eq!(changed(later), not_held);
    let other_index = |case: &mut Case| {
        let packages = TestArchive { packages: vec![("evil", "1", "amd64")], ..TestArchive::default() }.packages_xz();
        let kept = Kept { digest: case.store.put(&packages).unwrap(), size: packages.len() as u64 };
        case.release().indexes.insert(INDEX.to_owned(), kept);
    };
    assert_eq!(changed(other_index), [codes::INDEX_DIGEST]);
    assert_eq!(changed(|case| case.release().size += 1), [codes::LOCK_INCONSISTENT]);
}

#[test]
fn a_release_of_another_key_label_or_codename_is_refused() {
    let foreign = TestArchive { key: TestKey::new(9, Quirks::default()), ..TestArchive::default() };
    assert_eq!(Case::new(&foreign).codes(), [codes::WRONG_SIGNER]);
    let label = TestArchive { label: "Other", ..TestArchive::default() };
    assert_eq!(Case::new(&label).codes(), [codes::WRONG_RELEASE]);
    let codename = TestArchive { codename: "two", ..TestArchive::default() };
    assert_eq!(Case::new(&codename).codes(), [codes::WRONG_RELEASE]);
}

#[test]
fn expiry_is_judged_by_the_epoch() {
    let archive = TestArchive::default();
    let expired = TestArchive { valid_until: Some(archive.date - DAY), ..TestArchive::default() };
    let mut case = Case::new(&expired);
    assert_eq!(case.codes(), [codes::RELEASE_EXPIRED]);
    case.release().expired_accepted = true;
    assert_eq!(case.prove().unwrap().expired_accepted, [SUITE]);
    // It was valid at the epoch, and may have expired before it was locked.
    let mut case = Case::new(&archive);
    case.release().expired_accepted = true;
    assert_eq!(case.prove().unwrap().expired_accepted, [SUITE]);
    let mut case = Case::new(&TestArchive { valid_until: None, ..TestArchive::default() });
    case.release().expired_accepted = true;
    assert_eq!(case.codes(), [codes::LOCK_INCONSISTENT]);
}

#[test]
fn a_lock_whose_parts_do_not_fit_is_refused() {
    let inconsistent = [codes::LOCK_INCONSISTENT];
    assert_eq!(changed(|case| case.lock.epoch += 1), inconsistent);
    assert_eq!(changed(|case| case.resolution().nodes.push("pkg:pypi/zero@1".to_owned())), inconsistent);
    assert_eq!(changed(|case| case.resolution().nodes.swap(0, 1)), inconsistent);
    assert_eq!(changed(|case| case.resolution().roots.push(root("nobody"))), inconsistent);
    assert_eq!(changed(|case| case.node(WHEEL).requires.push(edge(Origin::Pypi, "nobody"))), inconsistent);
    // Its id, and the requirement it answered.
    assert_eq!(changed(|case| case.node(WHEEL).name = "other".to_owned()), [codes::LOCK_INCONSISTENT; 2]);
    assert_eq!(changed(|case| case.node(WHEEL).version = "4".to_owned()), inconsistent);
    let orphan = |case: &mut Case| {
        let node = case.lock.nodes[WHEEL].clone();
        case.lock.nodes.insert("pkg:pypi/wheel@3?copy".to_owned(), node);
    };
    assert_eq!(changed(orphan), inconsistent);
    let twice = |case: &mut Case| {
        orphan(case);
        case.resolution().nodes.push("pkg:pypi/wheel@3?copy".to_owned());
    };
    assert_eq!(changed(twice), inconsistent);
    let foreign = |case: &mut Case| {
        let resolution = case.resolution().clone();
        case.lock.answers.values_mut().next().unwrap().resolutions.insert(Arch::Arm64, resolution);
    };
    assert_eq!(changed(foreign), inconsistent);
}

fn root(name: &str) -> Root {
    Root { by: Asker::Config, edge: edge(Origin::Debian, name) }
}

#[test]
fn a_requirement_may_apply_to_one_architecture_only() {
    let mut case = Case::new(&TestArchive { packages: vec![("data", "2", "all")], ..TestArchive::default() });
    case.lock.nodes.remove(HELLO);
    case.node(DATA).requires.push(edge(Origin::Pypi, "wheel"));
    let of = |names: &[&str]| Resolution {
        language_version: None,
        roots: vec![],
        nodes: names.iter().map(ToString::to_string).collect(),
    };
    case.lock.answers = answers([(Arch::Amd64, of(&[DATA, WHEEL])), (Arch::Arm64, of(&[DATA]))]);
    assert_eq!(case.prove().unwrap().verified, 1);
}

#[test]
fn only_what_the_chosen_architectures_hold_is_proved() {
    let mut case = Case::new(&TestArchive::default());
    let of = |nodes: &[&str]| Resolution {
        nodes: nodes.iter().map(ToString::to_string).collect(),
        roots: vec![],
        language_version: None,
    };
    case.lock.answers = answers([(Arch::Amd64, of(&[DATA, HELLO])), (Arch::Arm64, of(&[WHEEL]))]);
    let prove = |arch| prove(&case.store, &case.lock, &images(&[arch]), &case.trust);
    let index = case.lock.releases[SUITE].indexes[INDEX].digest;
    case.store.discard(&index).unwrap();
    assert_eq!(prove(Arch::Arm64).unwrap(), Summary { index_hash: 1, ..Summary::default() });
    assert_eq!(prove(Arch::Amd64).unwrap_err()[0].code, codes::PROOF_MISSING);
}
