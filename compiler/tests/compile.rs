//! Every folder of `tests/compile/plan` is a case: `image.yaml`, `recorded/` (what the indexes answered), and
//! what must come out: `lock.json` and `plan.json`, or `findings.txt`.
//! With `UPDATE=1` in the environment the expected files are written instead of compared.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]
#![expect(clippy::disallowed_methods, reason = "the cases are files")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use compiler::{Answer, Fetched, LocalTrees, Lowerer, Metadata, Need, Project};
use inspect::debian::Index;
use inspect::pypi::{CoreMetadata, Page};
use model::lock::{Asker, Kept, Lock, Release};
use model::plan::{Op, Plan, PlanKey};
use model::{Arch, Digest, Findings, Severity, Sources, canonical_json, codes};

#[test]
fn every_case_compiles_to_what_it_says() {
    let mut cases = cases::folders("compile/plan");
    cases.retain(|case| !case.ends_with("recorded"));
    cases::compare(
        cases.iter().flat_map(|case| outcome(case).into_iter().map(|(file, found)| (case.join(file), found))),
    );
}

#[test]
fn a_plan_does_not_depend_on_the_order_of_the_configuration() {
    let case = cases::place("compile/plan/python-two-architectures");
    let text = fs::read_to_string(case.join("image.yaml")).unwrap();
    let (head, tail) = text.split_once("system_packages").unwrap();
    let moved = format!("system_packages{tail}\n{head}");
    assert_ne!(text, moved);
    assert_eq!(compiled(&case, &text).unwrap().1, compiled(&case, &moved).unwrap().1);
}

/// A layer's key names all that can influence it: equal keys, equal bytes.
#[test]
fn a_variant_is_a_layer_on_top_of_those_that_prod_has() {
    let case = cases::place("compile/plan/builder");
    let text = fs::read_to_string(case.join("image.yaml")).unwrap();
    let layers = |text: &str| {
        let plan: Plan = serde_json::from_str(&compiled(&case, text).unwrap().1).unwrap();
        let steps = plan.steps.iter();
        let layers = steps.filter_map(|(key, step)| match &step.op {
            Op::Layer { title, .. } => Some((title.clone(), *key)),
            _ => None,
        });
        layers.collect::<BTreeMap<String, PlanKey>>()
    };
    let mut builder = layers(&text);
    assert!(builder.remove("variant").is_some());
    assert_eq!(builder, layers(&text.replace("[builder]", "[prod]")));
    assert_eq!(builder.keys().collect::<Vec<_>>(), ["base", "packages"]);
}

/// The parts of a lock that say what it answers can be edited together with its digest of the configuration.
#[test]
fn a_lock_that_answers_something_else_is_refused() {
    refuses_other_answers(&cases::place("compile/plan/python-two-architectures"), "libpq5", "libpq5 (>= 15)");
    refuses_other_answers(&cases::place("compile/plan/builder"), "zstd", "zstd (>= 1.5)");
}

#[test]
fn what_parts_are_built_with_must_be_what_they_ask_for() {
    let case = cases::place("compile/plan/built");
    let text = fs::read_to_string(case.join("image.yaml")).unwrap();
    let config = compiler::config::read(&grammar::yaml::parse(model::SourceId(0), &text).root.unwrap()).0.unwrap();
    let lock: Lock = Lock::from_text(&fs::read(case.join("lock.json")).unwrap()).unwrap();
    let local = LocalTrees { source: Some(Digest::of(b"application")), ..LocalTrees::default() };
    let lowered = |lock: &Lock| Lowerer::new(lock).unwrap().lower(&config, &config.architectures, &local);
    lowered(&lock).unwrap();
    assert_eq!(lock.answers.len(), 4, "image, root, what lampwork is built with, tools");
    assert_eq!(compiler::questions(&config, &lock).unwrap().len(), 4);
    let refused = |lock: &Lock, what: &str| {
        let findings = lowered(lock).expect_err(what);
        assert!(findings.iter().all(|finding| finding.code == codes::LOCK_INCONSISTENT), "{what}: {findings:?}");
    };
    for asked in lock.answers.keys() {
        let mut without = lock.clone();
        without.answers.remove(asked);
        refused(&without, "an answer is missing");
        let mut other = lock.clone();
        other.answers.get_mut(asked).unwrap().resolutions.values_mut().for_each(|image| drop(image.roots.pop()));
        refused(&other, "a root is missing");
    }
    let mut other = lock.clone();
    let built = other.nodes.values_mut().find(|node| node.build.is_some()).unwrap();
    built.build = Some(vec!["annealer".into()]);
    refused(&other, "nothing answers what it is built with");
    let mut other = lock.clone();
    other.nodes.values_mut().for_each(|node| node.build = None);
    refused(&other, "a source distribution is taken for a wheel");
}

fn refuses_other_answers(case: &Path, package: &str, requirement: &str) {
    let text = fs::read_to_string(case.join("image.yaml")).unwrap();
    let parsed = grammar::yaml::parse(model::SourceId(0), &text);
    let config = compiler::config::read(&parsed.root.unwrap()).0.unwrap();
    let lock: Lock = Lock::from_text(&fs::read(case.join("lock.json")).unwrap()).unwrap();
    let local = LocalTrees { source: Some(Digest::of(b"application")), ..LocalTrees::default() };
    let lowered = |lock: &Lock| Lowerer::new(lock).unwrap().lower(&config, &config.architectures, &local);
    lowered(&lock).unwrap();
    let changed = |change: &dyn Fn(&mut Lock)| {
        let mut lock = lock.clone();
        change(&mut lock);
        let findings = lowered(&lock).unwrap_err();
        assert!(findings.iter().all(|finding| finding.code == codes::LOCK_INCONSISTENT), "{findings:?}");
        findings.into_iter().map(|finding| finding.message).collect::<Vec<_>>().join("\n")
    };
    let roots = |lock: &mut Lock, change: &dyn Fn(&mut Vec<model::lock::Root>)| {
        lock.answers
            .values_mut()
            .flat_map(|answer| answer.resolutions.values_mut())
            .for_each(|resolution| change(&mut resolution.roots));
    };
    let image = lock.images().find(|(_, arch, _)| *arch == Arch::Amd64).unwrap().2;
    for root in &image.roots {
        let asked = format!("`{}`", root.edge.requirement);
        let without = changed(&|lock| roots(lock, &|roots| roots.retain(|other| other != root)));
        assert!(without.contains(&asked), "{without}");
        let by = |by| if by == Asker::Base { Asker::Config } else { Asker::Base };
        let other = changed(&|lock| {
            roots(lock, &|roots| roots.iter_mut().filter(|r| *r == root).for_each(|r| r.by = by(r.by)));
        });
        assert!(other.contains(&asked), "{other}");
    }
    let named = |name: &str| lock.nodes.iter().find(|(_, node)| node.name == name).unwrap().0;
    let older = |name: &str| changed(&|lock| lock.nodes.get_mut(named(name)).unwrap().version = "1".into());
    assert!(older(package).contains(&format!("does not answer `{requirement}`")));
    let exact = image.roots.iter().find(|root| root.edge.requirement.contains("(= ")).unwrap();
    assert!(older(&exact.edge.name).contains(&exact.edge.requirement));
}

fn outcome(case: &Path) -> Vec<(&'static str, String)> {
    let text = fs::read_to_string(case.join("image.yaml")).unwrap();
    match compiled(case, &text) {
        Ok((lock, plan)) => vec![("lock.json", lock), ("plan.json", plan)],
        Err(findings) => vec![("findings.txt", findings)],
    }
}

fn compiled(case: &Path, text: &str) -> Result<(String, String), String> {
    let mut sources = Sources::default();
    let source = sources.add("image.yaml", text);
    let shown = |findings: Findings| findings.iter().map(|f| show(&sources, f)).collect::<String>();
    let parsed = grammar::yaml::parse(source, text);
    assert_eq!(parsed.findings, Vec::new());
    let (config, findings) = compiler::config::read(&parsed.root.unwrap());
    if findings.iter().any(|f| f.severity == Severity::Error) {
        return Err(shown(findings));
    }
    let config = config.unwrap();
    let mut fetched = Fetched::default();
    let mut releases = BTreeMap::new();
    let resolved = loop {
        match compiler::resolve(&config, &fetched) {
            Answer::Need(needs) => needs.into_iter().for_each(|need| supply(case, need, &mut fetched, &mut releases)),
            Answer::Conflict(findings) => return Err(shown(findings)),
            Answer::Done(resolved) => break resolved,
        }
    };
    let lock = compiler::lock(&config, *resolved, &releases);
    let local = LocalTrees { source: Some(Digest::of(b"application")), ..LocalTrees::default() };
    let plan = Lowerer::new(&lock).unwrap().lower(&config, &config.architectures, &local).map_err(shown)?;
    plan.check().unwrap();
    check_facts(&config, &lock, &plan);
    Ok((lock.to_text(), String::from_utf8(canonical_json(&plan)).unwrap()))
}

/// The facts for policies are as their schema says, and agree with lock and plan.
fn check_facts(config: &model::config::Config, lock: &Lock, plan: &Plan) {
    let facts = compiler::facts(config, lock, "2027-01-01T00:00:00Z").unwrap();
    assert_eq!(facts.misfits(), Findings::new());
    let annotated = plan.steps.values().find_map(|step| match &step.op {
        Op::Index { annotations, .. } => Some(serde_json::to_value(annotations).unwrap()),
        _ => None,
    });
    assert_eq!(annotated.as_ref(), Some(&facts.document["image"]["labels"]));
    let env = plan.steps.values().find_map(|step| match &step.op {
        Op::Image { config, .. } => Some(config.env.clone()),
        _ => None,
    });
    let of_facts = facts.document["image"]["env"].as_object().unwrap().iter();
    assert_eq!(env, Some(of_facts.map(|(name, value)| format!("{name}={}", value.as_str().unwrap())).collect()));
    let packages = facts.document["packages"].as_array().unwrap();
    let asked = compiler::config::asked(config).digest();
    let images = config.architectures.iter().filter_map(|arch| lock.image(&asked, *arch));
    let ids: std::collections::BTreeSet<&String> = images.flat_map(|image| &image.nodes).collect();
    assert_eq!(
        packages.iter().map(|package| package["purl"].as_str().unwrap()).collect::<Vec<_>>(),
        ids.into_iter().collect::<Vec<_>>()
    );
    // Everything in it is there for a reason, and has a place: what the author wrote, or the language it needs.
    for (number, package) in packages.iter().enumerate() {
        let place = facts.places.get(&["packages".to_owned(), number.to_string()][..]);
        let of_bare_base = config.base.language.is_none() || package["source"] == "debian";
        assert!(place.is_some() || of_bare_base, "{package}");
    }
    assert_eq!(
        facts.document["requirements"].as_array().unwrap().len(),
        config.packages.len()
            + config.system_packages.len()
            + config.build_packages.len()
            + config.source.as_ref().map_or(0, |source| source.tools.len())
    );
}

fn show(sources: &Sources, finding: &model::Finding) -> String {
    let place = finding.span.map_or(String::new(), |span| {
        let (line, column) = sources.line_column(span.source, span.start);
        format!(" {line}:{column}")
    });
    let mut text = format!("{}{place} {}\n", finding.code, finding.message);
    finding.causes.iter().for_each(|cause| text.push_str(&format!("  because {cause}\n")));
    finding.help.iter().for_each(|help| text.push_str(&format!("  help: {help}\n")));
    text
}

/// What the indexes answered: of the case itself, else what all cases share.
fn recorded(case: &Path, name: &str) -> Option<Vec<u8>> {
    let own = fs::read(case.join("recorded").join(name));
    own.or_else(|_| fs::read(case.with_file_name("recorded").join(name))).ok()
}

fn supply(case: &Path, need: Need, fetched: &mut Fetched, releases: &mut BTreeMap<String, Release>) {
    match need {
        Need::DebianIndex { suite, arch } => {
            let text = recorded(case, &format!("debian/{suite}.{arch}.Packages")).unwrap_or_default();
            let compact = inspect::debian::compact(&mut text.as_slice()).unwrap();
            let index = Index::open(compact).unwrap();
            fetched.debian.insert((suite.clone(), arch), Arc::new(index));
            let release = releases.entry(suite.clone()).or_insert_with(|| Release {
                label: "Debian".into(),
                codename: suite.clone(),
                date: 1_700_000_000,
                in_release: Digest::of(suite.as_bytes()),
                size: 1,
                signed_by: vec!["0".repeat(40)],
                expired_accepted: false,
                indexes: BTreeMap::new(),
            });
            let kept = Kept { digest: Digest::of(&text), size: text.len() as u64 };
            release.indexes.insert(format!("main/binary-{arch}/Packages.xz"), kept);
        }
        Need::PypiProject { name } => {
            let page = recorded(case, &format!("pypi/{name}.html"));
            let project = page.map_or(Project::Absent, |bytes| Project::Page {
                page: Arc::new(Page::parse(&bytes, "text/html", &name).unwrap()),
                over_tls: true,
            });
            fetched.projects.insert(name, project);
        }
        Need::PypiMetadata { file, sha256, .. } => {
            let bytes = recorded(case, &format!("pypi/{file}.metadata")).unwrap_or_else(|| panic!("{file}"));
            let parsed = Arc::new(CoreMetadata::parse(&bytes).unwrap());
            let build = (!file.ends_with(".whl")).then(|| vec!["kiln-build".to_owned()]);
            fetched.metadata.insert(sha256, Metadata { parsed, digest: Digest::of(&bytes), build });
        }
    }
}
