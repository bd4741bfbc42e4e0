//! Every folder of `tests/pypi` is a case: `case.json` (the base and what is asked for), `pages/` and `metadata/` (what
//! the index answers), and `expected.txt`: what was fetched in each round, and the answer. With `UPDATE=1` in the
//! environment the expected files are written instead of compared.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]
#![expect(clippy::disallowed_methods, reason = "the cases are files")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use compiler::pypi::{Environment, Sources as SourceDistributions, Wanted, step};
use compiler::{Fetched, Metadata, Need, Pins, Project, Step};
use inspect::pypi::{CoreMetadata, Page};
use model::lock::Origin;
use model::{Arch, Digest, Findings, Severity, SourceId, Span, Spanned};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    python: String,
    glibc: (u32, u32),
    architectures: Vec<Arch>,
    requirements: Vec<String>,
    #[serde(default)]
    keep: BTreeMap<String, BTreeSet<String>>,
    #[serde(default = "yes")]
    over_tls: bool,
    /// Where source distributions may be taken: the projects of which nothing else is.
    no_binary: Option<BTreeSet<String>>,
}

fn yes() -> bool {
    true
}

#[test]
fn every_case_resolves_to_what_it_says() {
    let cases = cases::folders("pypi");
    cases::compare(cases.iter().map(|case| (case.join("expected.txt"), outcome(case))));
}

fn outcome(folder: &Path) -> String {
    let case: Case = serde_json::from_str(&fs::read_to_string(folder.join("case.json")).unwrap()).unwrap();
    let environment = Environment { python: case.python.clone(), glibc: case.glibc };
    let wanted = Wanted {
        environments: case.architectures.iter().map(|arch| (*arch, environment.clone())).collect(),
        requirements: spanned(&case.requirements),
        sources: case.no_binary.clone().map_or(SourceDistributions::Never, SourceDistributions::Allowed),
    };
    let keep = case.keep.iter().map(|(name, versions)| ((Origin::Pypi, name.clone()), versions.clone())).collect();
    let mut fetched = Fetched { keep, ..Fetched::default() };
    let mut text = String::new();
    let answer = loop {
        match step(&wanted, &fetched) {
            Step::Need(needs) => {
                let names: Vec<String> = needs.iter().map(shown).collect();
                writeln!(text, "fetch {}", names.join(" ")).unwrap();
                needs.into_iter().for_each(|need| supply(folder, &case, need, &mut fetched));
            }
            Step::Pins(pins) => break answer(&pins),
            Step::Conflict(findings) => break shown_findings(&findings),
        }
    };
    assert_eq!(format!("{:?}", step(&wanted, &fetched)), format!("{:?}", step(&wanted, &fetched)));
    text + &answer
}

/// As if the requirements stood one after another, a line each.
fn spanned(requirements: &[String]) -> Vec<Spanned<String>> {
    let mut start = 0;
    let spans = requirements.iter().map(|text| {
        let span = Span::new(SourceId(0), start, start + text.len());
        start += text.len() + 1;
        Spanned::new(text.clone(), span)
    });
    spans.collect()
}

fn shown(need: &Need) -> String {
    match need {
        Need::DebianIndex { suite, arch } => format!("{suite}/{arch}"),
        Need::PypiProject { name } => name.clone(),
        Need::PypiMetadata { file, .. } => file.clone(),
    }
}

fn supply(folder: &Path, case: &Case, need: Need, fetched: &mut Fetched) {
    match need {
        Need::DebianIndex { .. } => panic!("no Debian here"),
        Need::PypiProject { name } => {
            let kinds = [("html", "text/html"), ("json", "application/vnd.pypi.simple.v1+json")];
            let page = kinds.iter().find_map(|(ending, kind)| {
                let bytes = fs::read(folder.join(format!("pages/{name}.{ending}"))).ok()?;
                Some(Arc::new(Page::parse(&bytes, kind, &name).unwrap()))
            });
            let project = page.map_or(Project::Absent, |page| Project::Page { page, over_tls: case.over_tls });
            assert!(fetched.projects.insert(name, project).is_none(), "asked for twice");
        }
        Need::PypiMetadata { file, sha256, .. } => {
            let bytes =
                fs::read(folder.join(format!("metadata/{file}.metadata"))).unwrap_or_else(|e| panic!("{file}: {e}"));
            let parsed = Arc::new(CoreMetadata::parse(&bytes).unwrap());
            let build = (!file.ends_with(".whl")).then(|| vec!["flit-core".to_owned()]);
            let metadata = Metadata { parsed, digest: Digest::of(&bytes), build };
            assert!(fetched.metadata.insert(sha256, metadata).is_none(), "asked for twice");
        }
    }
}

fn answer(pins: &Pins) -> String {
    let mut text = String::new();
    for (arch, ids) in &pins.ids {
        writeln!(text, "{arch}").unwrap();
        for root in &pins.roots[arch] {
            writeln!(text, "  {:?} asks for {} by `{}`", root.by, root.edge.name, root.edge.requirement).unwrap();
        }
        ids.iter().for_each(|id| writeln!(text, "  {id}").unwrap());
    }
    for (id, node) in &pins.nodes {
        assert!(id.starts_with(&format!("pkg:pypi/{}@", node.name)), "{id}");
        assert_eq!(node.sha256, Digest::of(node.file.as_bytes()));
        assert!(node.metadata.is_some());
        let license = node.license.as_deref().unwrap_or("no licence");
        writeln!(text, "{} {} {} {} {license} {:?}", node.name, node.version, node.file, node.size, node.proof)
            .unwrap();
        node.requires
            .iter()
            .for_each(|edge| writeln!(text, "  needs {} by `{}`", edge.name, edge.requirement).unwrap());
    }
    text + &shown_findings(&pins.warnings)
}

fn shown_findings(findings: &Findings) -> String {
    let mut text = String::new();
    for finding in findings {
        let kind = if finding.severity == Severity::Error { "error" } else { "warning" };
        let place = finding.span.map_or(String::new(), |span| format!(" at {span}"));
        writeln!(text, "{kind} {}{place}: {}", finding.code, finding.message).unwrap();
        finding.labels.iter().for_each(|label| writeln!(text, "  at {}: {}", label.span, label.text).unwrap());
        finding.causes.iter().for_each(|cause| writeln!(text, "  because {cause}").unwrap());
        finding.help.iter().for_each(|help| writeln!(text, "  help: {help}").unwrap());
    }
    text
}
