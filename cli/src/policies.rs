//! Policies that were named: read, put together, and asked about images.

use std::collections::BTreeSet;
use std::env::VarError;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use compiler::template::Image;
use files::policies::{self as policy_files, Bundle};
use grammar::yaml::{Kind, Node};
use jiff::Timestamp;
use model::lock::Lock;
use model::{Digest, Finding, Findings, Sources, codes, has_errors};
use policy::testing::{Cases, Tests};
use policy::{Budget, Engine, Facts, Input, Outcome, Part, Policy, Verdict};

use crate::project::Project;
use crate::report::{self, Failure};
use crate::watched::{STACK, watched};

/// The organisation's policies, which no configuration can switch off: names as for `--policy`, separated by blanks.
const VARIABLE: &str = "CLNSTRT_POLICY";

/// From so many packages on, rules take longer than threads to start.
const MANY: usize = 500;
/// Parts of the rules for each thread.
const PARTS: usize = 4;

/// How long all policies may take for one image.
const ASKING: Duration = Duration::from_secs(30);

/// Policies that were named together.
#[derive(Default)]
pub(crate) struct Loaded {
    pub(crate) policies: Vec<Policy>,
    pub(crate) tests: Tests,
    /// What was named, and its digest.
    pub(crate) named: Vec<(String, Digest)>,
    /// The texts of policies as they were given, with their names.
    pub(crate) texts: Vec<(String, String)>,
    /// Of all texts, with whether each is a test.
    digests: BTreeSet<(bool, Digest)>,
}

impl Loaded {
    /// Reads policies; everything that is wrong with their texts at once.
    pub(crate) fn read(names: &[String], folder: &Path, sources: &mut Sources) -> Result<Self, Findings> {
        let mut loaded = Self::default();
        let mut findings = Findings::new();
        for name in names {
            match bundle(name, folder) {
                Ok((shown, bundle)) => loaded.add(name, &shown, bundle, sources, &mut findings),
                Err(finding) => findings.push(finding),
            }
        }
        if has_errors(&findings) { Err(findings) } else { Ok(loaded) }
    }

    fn add(&mut self, named: &str, shown: &str, bundle: Bundle, sources: &mut Sources, findings: &mut Findings) {
        self.named.push((named.to_owned(), bundle.digest));
        let files = bundle.files;
        let alone = files.len() == 1;
        for (name, bytes) in files {
            let shown = match shown {
                "stdlib:" => format!("{shown}{name}"),
                _ if alone && shown.ends_with(&name) => shown.to_owned(),
                _ => format!("{}/{name}", shown.trim_end_matches('/')),
            };
            let text = match grammar::decode(&bytes) {
                Ok(text) => text.to_owned(),
                Err(finding) => {
                    findings.push(finding.because(format!("the file is {shown}")));
                    continue;
                }
            };
            // Named twice, it is one.
            if !self.digests.insert((is_test(&shown), Digest::of(text.as_bytes()))) {
                continue;
            }
            let policies = self.policies.len();
            if let Err(found) = self.add_text(&shown, &text, sources) {
                findings.extend(found);
            }
            if self.policies.len() > policies {
                self.texts.push((shown, text));
            }
        }
    }

    fn add_text(&mut self, name: &str, text: &str, sources: &mut Sources) -> Result<(), Findings> {
        let source = sources.add(name, text);
        let stem = Path::new(name).file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if is_test(name) {
            return self.tests.add_rego(source, text);
        }
        if name.ends_with(".rego") {
            self.policies.push(Policy::rego(&stem, source, text)?);
            return Ok(());
        }
        let parsed = grammar::yaml::parse(source, text);
        let root = match parsed.root {
            Some(root) if !has_errors(&parsed.findings) => root,
            _ => return Err(parsed.findings),
        };
        if is_of_kind(&root, "policy-cases") {
            self.tests.add_cases(Cases::read(&root)?);
        } else {
            self.policies.push(Policy::yaml(&root)?);
        }
        Ok(())
    }

    /// Checks them together and makes them ready.
    pub(crate) fn engine(&self) -> Result<Engine, Findings> {
        watched(ASKING, self.policies.clone(), |policies| Engine::new(policies, Budget::default()))?
    }

    /// The same for being asked: `None` where nothing was named, and a finding where what was named demands nothing.
    pub(crate) fn demands(&self) -> Result<Option<Engine>, Findings> {
        if self.named.is_empty() {
            return Ok(None);
        }
        let engine = self.engine()?;
        if engine.rules().next().is_some() {
            return Ok(Some(engine));
        }
        let names: Vec<&str> = self.named.iter().map(|(name, _)| name.as_str()).collect();
        let message = format!("no policy demands anything: {}", names.join(", "));
        Err(Finding::error(codes::POLICY_IO, message).help("add a rule, or do not name it").into())
    }
}

fn is_test(name: &str) -> bool {
    name.ends_with("_test.rego")
}

fn is_of_kind(root: &Node, kind: &str) -> bool {
    let Kind::Map(pairs) = &root.kind else { return false };
    let is_kind = |node: &Node| matches!(&node.kind, Kind::Scalar { text, .. } if text == kind);
    pairs.iter().any(|pair| pair.key.value == "kind" && is_kind(&pair.value))
}

/// What is shown of a policy's name, and its files. After `@`, the digest it has to have.
fn bundle(name: &str, folder: &Path) -> Result<(String, Bundle), Finding> {
    let (place, pinned) = match name.rsplit_once("@sha256:") {
        Some((place, hex)) => {
            let digest = Digest::from_hex(hex).map_err(|_| {
                Finding::error(codes::USAGE, format!("`{name}` ends in no digest"))
                    .help("write `@sha256:` and 64 hexadecimal digits, as `policy check` prints them")
            })?;
            (place, Some(digest))
        }
        None => (name, None),
    };
    let (shown, bundle) = match place.strip_prefix("stdlib:") {
        Some(shipped) => {
            let text = stdlib::policy::text(shipped).zip(stdlib::policy::cases(shipped)).ok_or_else(|| {
                let finding =
                    Finding::error(codes::POLICY_IO, format!("no policy `{shipped}` comes with this program"));
                let near = grammar::suggest::nearest(shipped, stdlib::policy::names());
                finding.suggest(near, &grammar::suggest::there(stdlib::policy::names()))
            })?;
            let names = [(format!("{shipped}.yaml"), text.0), (format!("{shipped}.cases.yaml"), text.1)];
            let files = names.into_iter().map(|(name, text)| (name, text.into())).collect();
            ("stdlib:".to_owned(), Bundle { digest: policy_files::digest(&files), files })
        }
        None => {
            let path = folder.join(place);
            (crate::project::shown(&path), policy_files::read(&path, pinned)?)
        }
    };
    match pinned {
        Some(pinned) if pinned != bundle.digest => {
            let found = bundle.digest;
            let message = format!("the policy {place} is not the one that was pinned: its digest is {found}");
            Err(Finding::error(codes::POLICY_CHANGED, message).help("look at what changed in it, and then pin it anew"))
        }
        _ => Ok((shown, bundle)),
    }
}

/// The policies of the organisation.
pub(crate) fn of_organisation() -> Result<Vec<String>, Finding> {
    match std::env::var(VARIABLE) {
        Ok(own) => Ok(own.split_whitespace().map(str::to_owned).collect()),
        Err(VarError::NotPresent) => Ok(Vec::new()),
        Err(VarError::NotUnicode(_)) => {
            Err(Finding::error(codes::POLICY_IO, format!("{VARIABLE} is no text")).help("name policies in UTF-8"))
        }
    }
}

/// Those who demand something of an image, each with its policies ready: the organisation, the command line, the configuration.
/// They are asked apart, so that nobody's rules, names and exceptions reach into another's.
pub(crate) fn of_image(
    project: &Project,
    image: &Image,
    named: &[String],
    sources: &mut Sources,
) -> Result<Vec<Engine>, Findings> {
    let mut engines = Vec::new();
    engines.extend(Loaded::read(&of_organisation()?, Path::new(""), sources)?.demands()?);
    engines.extend(Loaded::read(named, Path::new(""), sources)?.demands()?);
    let declared: Vec<String> = image.config.policies.iter().map(|declared| declared.value.clone()).collect();
    let span = image.config.policies.first().map(|declared| declared.span);
    let placed = |found: Findings| -> Findings {
        found.into_iter().map(|finding| span.into_iter().fold(finding, Finding::or_at)).collect()
    };
    engines.extend(Loaded::read(&declared, project.directory(), sources).map_err(placed)?.demands()?);
    Ok(engines)
}

/// Asks the policies of images about them.
///
/// # Errors
/// What they refuse, and what is wrong with them.
pub(crate) fn judge<'i>(
    project: &Project,
    lock: &Lock,
    named: &[String],
    images: impl Iterator<Item = &'i Image>,
) -> Result<(), Failure> {
    let mut sources = project.sources.clone();
    let mut findings = Findings::new();
    let mut rules = [0_usize; 3];
    for image in images {
        let outcome = match of_image(project, image, named, &mut sources) {
            Ok(engines) => ask(engines, image, lock)?,
            Err(found) => {
                findings.extend(project.of_image(image, found));
                continue;
            }
        };
        for decision in &outcome.decisions {
            let place = match decision.verdict {
                Verdict::Holds => 0,
                Verdict::Excepted(_) => 1,
                Verdict::Deferred(_) => 2,
                _ => continue,
            };
            if let Some(count) = rules.get_mut(place) {
                *count += 1;
            }
        }
        for excepted in &outcome.excepted {
            anstream::eprintln!(
                "excepted until {} ({}, approved by {}): {}: {}",
                excepted.until,
                excepted.reason,
                excepted.approved_by,
                excepted.rule,
                excepted.message
            );
        }
        findings.extend(project.of_image(image, outcome.findings));
    }
    findings.dedup();
    if has_errors(&findings) {
        return Err(Failure { sources, findings });
    }
    report::print_warnings(&sources, &findings);
    if rules != [0; 3] {
        let [hold, excepted, deferred] = rules;
        let excepted = if excepted > 0 { format!(", {excepted} with exceptions") } else { String::new() };
        anstream::eprintln!("policies: {hold} rules hold{excepted}, {deferred} wait for a later stage");
    }
    Ok(())
}

/// Asks everybody's policies about one image, for now.
pub(crate) fn ask(engines: Vec<Engine>, image: &Image, lock: &Lock) -> Result<Outcome, Finding> {
    if engines.is_empty() {
        return Ok(Outcome::default());
    }
    let facts = compiler::facts(&image.config, lock, &now())?;
    let input = Input::of(&facts);
    ask_all(engines, facts, input)
}

/// Asks everybody's policies about facts.
pub(crate) fn ask_all(engines: Vec<Engine>, facts: Facts, input: Input) -> Result<Outcome, Finding> {
    watched(ASKING, (engines, facts, input), |(engines, facts, input)| {
        let mut all = Outcome::default();
        engines.iter_mut().for_each(|engine| all.take_in(ask_together(engine, facts, input)));
        all
    })
}

/// Asks the rules on all processors where that is worth starting threads. One rule may take longer than all others, so there are more
/// parts than threads, and who is done with one takes the next.
fn ask_together(engine: &mut Engine, facts: &Facts, input: &Input) -> Outcome {
    let packages = facts.document.get("packages").and_then(|packages| packages.as_array()).map_or(0, Vec::len);
    let threads = if packages < MANY { 1 } else { std::thread::available_parallelism().map_or(1, usize::from) };
    let parts = if threads == 1 { 1 } else { threads * PARTS };
    engine.ask_in_parts(facts, input, parts, |parts| {
        let left = Mutex::new(parts);
        let next = || left.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let work = || std::iter::from_fn(|| next().map(Part::answers)).collect::<Vec<_>>();
        std::thread::scope(|scope| {
            // One that cannot be started, or dies, gives no answers, and that refuses.
            let mut started = Vec::new();
            for _ in 0..threads {
                started.extend(std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work));
            }
            started.into_iter().filter_map(|thread| thread.join().ok()).flatten().collect()
        })
    })
}

/// The time at which questions are asked.
pub(crate) fn now() -> String {
    Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
