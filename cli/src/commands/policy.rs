use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use files::input;
use model::{Finding, Findings, Sources, codes, has_errors};
use policy::testing::Report;
use policy::{Decision, Engine, Facts, Input, Outcome};
use rules::{Loaded, ask_all, now, of_organisation, watched};
use serde_json::json;

use super::lock::locked;
use crate::args::{ConfigArg, Format, PolicyArgs, PolicyCommand};
use crate::policies;
use crate::project::{self, Project};
use crate::report::{self, Failure};

/// How long all tests may take.
const TESTING: Duration = Duration::from_secs(600);
/// Bytes of a document of facts at most.
const MOST_FACTS: u64 = 64 << 20;

/// `policy …`: looking after policies.
pub(super) fn run(command: &PolicyCommand, format: Format) -> Result<(), Failure> {
    match command {
        PolicyCommand::Check { policies } => check(policies, format),
        PolicyCommand::Test { policies, threshold, junit } => test(policies, *threshold, junit.as_deref(), format),
        PolicyCommand::Show { policy, rego } => show(policy, *rego, format),
        PolicyCommand::Eval { facts, policies } => eval(facts, policies, format),
        PolicyCommand::Explain { config, policies, facts } => explain(config, policies, *facts, format),
    }
}

fn load(names: &[String], sources: &mut Sources) -> Result<Loaded, Failure> {
    let loaded = Loaded::read(names, Path::new(""), sources);
    loaded.map_err(|findings| Failure { sources: sources.clone(), findings })
}

fn check(names: &[String], format: Format) -> Result<(), Failure> {
    let mut sources = Sources::default();
    let loaded = load(names, &mut sources)?;
    let engine = loaded.engine().map_err(|findings| Failure { sources, findings })?;
    if format == Format::Json {
        let rules =
            engine.rules().map(|(policy, rule, stage)| json!({ "policy": policy, "rule": rule, "stage": stage }));
        let named = loaded.named.iter().map(|(name, digest)| json!({ "name": name, "digest": digest }));
        let document = json!({ "policies": named.collect::<Vec<_>>(), "rules": rules.collect::<Vec<_>>() });
        return Ok(report::print_json(&document)?);
    }
    for (name, digest) in &loaded.named {
        report::line(format_args!("{digest}  {name}"))?;
    }
    for (policy, rule, stage) in engine.rules() {
        report::line(format_args!("{:<8} {policy}  {rule}", stage.name()))?;
    }
    Ok(())
}

/// The texts of policies, without those of their tests.
fn show(name: &str, rego: bool, format: Format) -> Result<(), Failure> {
    let loaded = load(&[name.to_owned()], &mut Sources::default())?;
    let texts: Vec<(&str, &str)> = if rego {
        loaded.policies.iter().map(|policy| (policy.name.as_str(), policy.text())).collect()
    } else {
        loaded.texts.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect()
    };
    if format == Format::Json {
        let text = |(name, text): &(&str, &str)| json!({ "name": name, "text": text });
        return Ok(report::print_json(&json!({ "texts": texts.iter().map(text).collect::<Vec<_>>() }))?);
    }
    let shown = match texts.as_slice() {
        [(_, only)] => (*only).to_owned(),
        several => several.iter().map(|(name, text)| format!("# {name}\n{text}\n")).collect(),
    };
    Ok(report::data(shown.as_bytes())?)
}

fn test(names: &[String], threshold: u8, junit: Option<&Path>, format: Format) -> Result<(), Failure> {
    let mut sources = Sources::default();
    let loaded = load(names, &mut sources)?;
    if loaded.tests.is_empty() {
        let finding = Finding::error(codes::POLICY_IO, "there is no test beside these policies");
        return Err(finding
            .help("tests are in files that end in _test.rego, cases in YAML with `kind: policy-cases`")
            .into());
    }
    let tested = watched(TESTING, loaded, |loaded| loaded.tests.run(&loaded.policies))?;
    let report = tested.map_err(|findings| Failure { sources: sources.clone(), findings })?;
    if let Some(path) = junit {
        project::write_whole(path, as_junit(&report).as_bytes())?;
    }
    let mut findings: Findings = report.tests.iter().filter_map(|test| test.failure.clone()).collect();
    for coverage in &report.coverage {
        if coverage.percent() < f64::from(threshold) {
            let lines: Vec<String> = coverage.missed.iter().map(ToString::to_string).collect();
            let message = format!(
                "tests evaluate {:.1} % of the lines of {}, and {threshold} are demanded",
                coverage.percent(),
                coverage.policy
            );
            let finding = Finding::error(codes::POLICY_COVERAGE, message);
            findings.push(finding.help(format!("nothing evaluates these lines of its Rego: {}", lines.join(", "))));
        }
    }
    if format == Format::Json {
        let tests = report
            .tests
            .iter()
            .map(|test| json!({ "name": test.name, "failure": test.failure.as_ref().map(|finding| &finding.message) }));
        let coverage = report.coverage.iter().map(
            |of| json!({ "policy": of.policy, "percent": of.percent(), "covered": of.covered, "missed": of.missed }),
        );
        let (tests, coverage): (Vec<_>, Vec<_>) = (tests.collect(), coverage.collect());
        if findings.is_empty() {
            return Ok(report::print_json(&json!({ "tests": tests, "coverage": coverage }))?);
        }
    }
    if has_errors(&findings) {
        return Err(Failure { sources, findings });
    }
    report::line(format_args!("{} tests passed", report.tests.len()))?;
    for coverage in &report.coverage {
        report::line(format_args!("{:5.1} % of the lines of {}", coverage.percent(), coverage.policy))?;
    }
    Ok(())
}

/// The results as JUnit's XML, which CI systems read.
fn as_junit(report: &Report) -> String {
    let failures = report.tests.iter().filter(|test| test.failure.is_some()).count();
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let _ = writeln!(text, "<testsuite name=\"policies\" tests=\"{}\" failures=\"{failures}\">", report.tests.len());
    for test in &report.tests {
        let name = escaped(&test.name);
        let _ = match &test.failure {
            None => writeln!(text, "  <testcase name=\"{name}\"/>"),
            Some(finding) => writeln!(
                text,
                "  <testcase name=\"{name}\"><failure message=\"{}\"/></testcase>",
                escaped(&finding.message)
            ),
        };
    }
    text.push_str("</testsuite>\n");
    text
}

/// A text as an attribute of XML; control characters, which XML has not, are left out.
fn escaped(text: &str) -> String {
    let escape = |c: char| match c {
        '&' => "&amp;".to_owned(),
        '<' => "&lt;".to_owned(),
        '>' => "&gt;".to_owned(),
        '"' => "&quot;".to_owned(),
        c if c.is_control() => String::new(),
        c => c.to_string(),
    };
    text.chars().map(escape).collect()
}

fn eval(path: &Path, args: &PolicyArgs, format: Format) -> Result<(), Failure> {
    let mut sources = Sources::default();
    // The facts are read while the policies are made ready.
    let (engines, facts) = std::thread::scope(|scope| {
        let facts = scope.spawn(|| read_facts(path));
        let engines = engines(args, &mut sources);
        (engines, facts.join())
    });
    let engines = engines?;
    let unreadable = || Finding::error(codes::FACTS_UNREADABLE, "the facts cannot be read");
    let facts = facts.unwrap_or_else(|_| Err(unreadable()))?;
    let (input, misfits) = std::thread::scope(|scope| {
        let input = scope.spawn(|| Input::of(&facts));
        let misfits = facts.misfits();
        (input.join(), misfits)
    });
    if !misfits.is_empty() {
        let in_file = |finding: Finding| finding.because(format!("the document is {}", path.display()));
        return Err(misfits.into_iter().map(in_file).collect::<Findings>().into());
    }
    let outcome = ask_all(engines, facts, input.map_err(|_| unreadable())?)?;
    if format != Format::Json {
        tell(&outcome)?;
    } else if outcome.is_accepted() {
        report::print_json(&as_json(&outcome))?;
    }
    finish(outcome.findings, sources)
}

/// The policies of the organisation and of the command line, each ready to be asked.
fn engines(args: &PolicyArgs, sources: &mut Sources) -> Result<Vec<Engine>, Failure> {
    let mut engines = Vec::new();
    for names in [&of_organisation()?, &args.policies] {
        let loaded = load(names, sources)?;
        engines.extend(loaded.demands().map_err(|findings| Failure { sources: sources.clone(), findings })?);
    }
    if engines.is_empty() {
        let finding = Finding::error(codes::USAGE, "no policy is named");
        return Err(finding.help("name one: `--policy stdlib:production`").into());
    }
    Ok(engines)
}

/// A document of facts, whatever is in it.
fn read_facts(path: &Path) -> Result<Facts, Finding> {
    let name = path.display();
    let unreadable = |message: String| {
        let help = "`policy explain --facts` prints the facts of an image, one document for each";
        Finding::error(codes::FACTS_UNREADABLE, message).help(help)
    };
    let bytes = input::read(path, MOST_FACTS).map_err(|e| unreadable(format!("{name} cannot be read: {e}")))?;
    let document = serde_json::from_slice(&bytes).map_err(|e| unreadable(format!("{name} is no JSON: {e}")))?;
    Ok(Facts { document, ..Facts::default() })
}

fn finish(findings: Findings, sources: Sources) -> Result<(), Failure> {
    if has_errors(&findings) {
        return Err(Failure { sources, findings });
    }
    report::print_warnings(&sources, &findings);
    Ok(())
}

/// What came of every rule.
fn tell(outcome: &Outcome) -> Result<(), Finding> {
    for decision in &outcome.decisions {
        report::line(format_args!("{} {}: {}", decision.policy, decision.rule, decision.verdict))?;
        report::line(format_args!("    looks at {}", decision.reads.join(", ")))?;
    }
    for excepted in &outcome.excepted {
        report::line(format_args!(
            "excepted until {}: {}: {}\n    {}, approved by {}",
            excepted.until, excepted.rule, excepted.message, excepted.reason, excepted.approved_by
        ))?;
    }
    Ok(())
}

fn as_json(outcome: &Outcome) -> serde_json::Value {
    let decision = |decision: &Decision| {
        json!({
            "policy": decision.policy,
            "rule": decision.rule,
            "verdict": decision.verdict.to_string(),
            "reads": decision.reads,
        })
    };
    let excepted = outcome.excepted.iter().map(|one| {
        json!({
            "rule": one.rule,
            "message": one.message,
            "reason": one.reason,
            "approved_by": one.approved_by,
            "until": one.until,
        })
    });
    json!({
        "decisions": outcome.decisions.iter().map(decision).collect::<Vec<_>>(),
        "excepted": excepted.collect::<Vec<_>>(),
    })
}

/// What came of every rule for each image, or its facts. In JSON that is one document; a list where there are several images.
fn explain(config: &ConfigArg, args: &PolicyArgs, only_facts: bool, format: Format) -> Result<(), Failure> {
    let project = Project::load(&config.config, &config.select)?;
    let lock = locked(&project)?;
    let mut sources = project.sources.clone();
    let (mut documents, mut findings) = (Vec::new(), Findings::new());
    for image in project.images() {
        if only_facts {
            documents.push(compiler::facts(&image.config, &lock, &now())?.document);
            continue;
        }
        let name = &image.config.name.value;
        match policies::of_image(&project, image, &args.policies, &mut sources) {
            Ok(engines) => {
                let has_policies = !engines.is_empty();
                let outcome = policies::ask(engines, image, &lock)?;
                if format == Format::Json {
                    documents.push(as_json(&outcome));
                } else if has_policies {
                    if project.is_batch() {
                        report::line(format_args!("{name}:"))?;
                    }
                    tell(&outcome)?;
                } else {
                    report::line(format_args!("{name} has no policy to meet"))?;
                }
                findings.extend(project.of_image(image, outcome.findings));
            }
            Err(found) => findings.extend(project.of_image(image, found)),
        }
    }
    // The findings are the document where something is refused.
    if only_facts || format == Format::Json && !has_errors(&findings) {
        match documents.as_slice() {
            [only] if !project.is_batch() => report::print_json(only)?,
            all => report::print_json(&json!(all))?,
        }
    }
    // What is there for each architecture is said of each.
    findings.dedup();
    finish(findings, sources)
}
