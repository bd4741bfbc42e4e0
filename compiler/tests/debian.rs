//! Every folder of `tests/debian/cases` is a case: `wanted.txt`, what suites list as `SUITE.Packages`, and what must
//! come out, `expected.txt`. With `UPDATE=1` in the environment that is written instead of compared.
//!
//! A stanza may leave out what does not matter: where it names no file, one is made up, and `Architecture: any` stands
//! for one stanza for each architecture.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]
#![expect(clippy::disallowed_methods, reason = "the cases are files")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use compiler::debian::{Wanted, WantedRoot, step, versions_of};
use compiler::{Fetched, Need, Pins, Step};
use inspect::debian::{Index, Stanzas, compact, relation};
use model::config::SystemPackage;
use model::lock::{Asker, Origin, Proof};
use model::{Arch, Digest, Finding, SourceId, Span};

#[test]
fn every_case_resolves_to_what_it_says() {
    let cases = cases::folders("debian/cases");
    cases::compare(cases.iter().map(|case| (case.join("expected.txt"), outcome(case))));
}

#[test]
fn all_missing_indexes_are_asked_for_at_once() {
    let wanted = Wanted {
        arches: Arch::ALL.to_vec(),
        suites: vec!["glow-security".into(), "glow".into()],
        roots: Vec::new(),
        built: BTreeMap::new(),
    };
    let mut fetched = Fetched::default();
    let index = || Arc::new(Index::open(compact(&mut &b""[..]).unwrap()).unwrap());
    fetched.debian.insert(("glow".into(), Arch::Amd64), index());
    let Step::Need(needs) = step(&wanted, &fetched) else { panic!("it went on without indexes") };
    let need = |suite: &str, arch| Need::DebianIndex { suite: suite.into(), arch };
    let expected = [need("glow", Arch::Arm64), need("glow-security", Arch::Amd64), need("glow-security", Arch::Arm64)];
    assert_eq!(needs, expected);
}

#[test]
fn versions_are_those_every_architecture_has_newest_first() {
    let case = cases::place("debian/cases/security-wins");
    let (wanted, fetched) = read(&case);
    assert_eq!(versions_of(&fetched, &wanted.suites, &Arch::ALL, "lantern"), ["2.0-1+deb1u1", "2.0-1", "1.0-1"]);
    assert_eq!(versions_of(&fetched, &wanted.suites, &[Arch::Amd64], "lantern")[0], "2.0-1+deb1u2");
    assert!(versions_of(&fetched, &wanted.suites, &Arch::ALL, "torch").is_empty());
}

fn outcome(case: &Path) -> String {
    let (wanted, fetched) = read(case);
    match step(&wanted, &fetched) {
        Step::Need(needs) => panic!("{}: {needs:?}", case.display()),
        Step::Conflict(findings) => findings.iter().map(|finding| shown(finding, &wanted)).collect(),
        Step::Pins(pins) => pinned(&pins) + &pins.warnings.iter().map(|w| shown(w, &wanted)).collect::<String>(),
    }
}

fn pinned(pins: &Pins) -> String {
    let mut text = String::new();
    for (arch, roots) in &pins.roots {
        text += &format!("{arch}\n");
        for root in roots {
            text += &format!("  {:?} asks for {}: {}\n", root.by, root.edge.requirement, root.edge.name).to_lowercase();
        }
        pins.ids[arch].iter().for_each(|id| text += &format!("  {id}\n"));
    }
    for (id, node) in &pins.nodes {
        let Proof::VerifiedByOpenpgp { release, index } = &node.proof else { panic!("{id} has no signed proof") };
        text += &format!("{id} from {release} {index}\n");
        assert!(pins.ids.values().flatten().any(|listed| listed == id), "{id} is in no image");
        assert_eq!((node.origin, node.sha256), (Origin::Debian, Digest::of(node.file.as_bytes())));
        node.requires.iter().for_each(|edge| text += &format!("  needs {}: {}\n", edge.requirement, edge.name));
        node.omits.iter().for_each(|o| text += &format!("  does without {}: {}\n", o.requirement, o.reason));
    }
    text
}

fn shown(finding: &Finding, wanted: &Wanted) -> String {
    let place = |span: Span| {
        let root = wanted.roots.iter().find(|root| root.span == Some(span)).unwrap();
        root.package.name.clone()
    };
    let at = finding.span.map_or(String::new(), |span| format!(" at {}", place(span)));
    let mut text = format!("{}{at}: {}\n", finding.code, finding.message);
    finding.labels.iter().for_each(|label| text += &format!("  at {}: {}\n", place(label.span), label.text));
    finding.causes.iter().for_each(|cause| text += &format!("  because {cause}\n"));
    finding.help.iter().for_each(|help| text += &format!("  help: {help}\n"));
    text
}

/// `wanted.txt`: lines of `arches`, `suites`, `root RELATION`, `base NAME`, `keep NAME VERSION`.
fn read(case: &Path) -> (Wanted, Fetched) {
    let mut wanted =
        Wanted { arches: Arch::ALL.to_vec(), suites: vec!["glow".into()], roots: Vec::new(), built: BTreeMap::new() };
    let mut fetched = Fetched::default();
    let text = fs::read_to_string(case.join("wanted.txt")).unwrap();
    for (number, line) in text.lines().enumerate() {
        let (word, rest) = line.split_once(' ').unwrap();
        let words = || rest.split(' ').map(str::to_owned);
        match word {
            "arches" => wanted.arches = words().map(|arch| arch.parse().unwrap()).collect(),
            "suites" => wanted.suites = words().collect(),
            "base" | "root" => {
                let dependency = relation::parse(rest).unwrap().remove(0).remove(0);
                let package = SystemPackage { name: dependency.name, relation: dependency.relation };
                let by = if word == "base" { Asker::Base } else { Asker::Config };
                let span = (by == Asker::Config).then(|| Span::new(SourceId(0), number, number + 1));
                wanted.roots.push(WantedRoot { by, package, span });
            }
            "keep" => {
                let (name, version) = rest.split_once(' ').unwrap();
                let kept = fetched.keep.entry((Origin::Debian, name.to_owned())).or_default();
                kept.insert(version.to_owned());
            }
            other => panic!("{}: {other}", case.display()),
        }
    }
    for suite in &wanted.suites {
        for arch in &wanted.arches {
            let text = fs::read(case.join(format!("{suite}.Packages"))).unwrap_or_default();
            let index = Index::open(compact(&mut filled(&text, *arch).as_bytes()).unwrap()).unwrap();
            fetched.debian.insert((suite.clone(), *arch), Arc::new(index));
        }
    }
    (wanted, fetched)
}

/// The stanzas of one architecture, with what they leave out.
fn filled(mut text: &[u8], wanted: Arch) -> String {
    let mut out = String::new();
    let mut stanzas = Stanzas::new(&mut text);
    while let Some(stanza) = stanzas.read().unwrap() {
        let get = |name| stanza.get(name).unwrap_or_default();
        let arch = if get("Architecture") == "any" { wanted.name() } else { get("Architecture") };
        if arch != "all" && arch != wanted.name() {
            continue;
        }
        let fields = stanza.fields().filter(|(name, _)| *name != "Architecture");
        fields.for_each(|(name, value)| out += &format!("{name}: {value}\n"));
        let file = format!("pool/{}_{}_{arch}.deb", get("Package"), get("Version"));
        let sha256 = Digest::of(file.as_bytes()).hex();
        out += &format!("Architecture: {arch}\nFilename: {file}\nSize: {}\nSHA256: {sha256}\n\n", file.len());
    }
    out
}
