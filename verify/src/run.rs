//! One image: found, gathered, judged and told of.

use std::io::Write as _;
use std::path::Path;

use files::{Output, input};
use jiff::Timestamp;
use model::{Finding, Findings, Sources, codes};
use policy::{Decision, Engine, Input};
use rules::{Loaded, ask_all, of_organisation};
use verifier::{Check, Evidence, Expectations, Trust, Verdict, Verified, judged, verify};

use crate::args::{Demands, Format, Machine};
use crate::gather::Place;
use crate::{allowed, contents, print, trusted, vsa};

/// Bytes of a bundle in a file.
const LARGEST_BUNDLE: u64 = 64 << 20;

/// Why there is no verdict.
#[derive(Debug)]
pub struct Failed {
    /// The texts that findings point into.
    pub sources: Sources,
    /// What is wrong.
    pub findings: Findings,
    /// Of several images another one was refused, and no second try will change that.
    pub refused: bool,
}

impl From<Finding> for Failed {
    fn from(finding: Finding) -> Self {
        Self { sources: Sources::default(), findings: finding.into(), refused: false }
    }
}

/// What came of an image.
pub(crate) enum Told {
    /// It needs no check, by this line of a list.
    Allowed { name: String, by: String },
    /// It was judged; policies decided so.
    Judged(Box<Verdict>, Vec<Decision>),
    /// It could not be had; why.
    Unknown { name: String, findings: Findings },
}

impl Told {
    pub(crate) fn is_accepted(&self) -> bool {
        match self {
            Told::Allowed { .. } => true,
            Told::Judged(verdict, _) => verdict.accepted,
            Told::Unknown { .. } => false,
        }
    }
}

/// Judges an image, and tells what came of it; answers whether it is accepted. What somebody else found out of it, such as that
/// it is what its source makes, is judged with it.
///
/// # Errors
/// Why there is no verdict: a name, a key or a policy that is wrong, a registry that fails.
pub fn run(
    machine: &Machine,
    name: &str,
    demands: &Demands,
    format: Format,
    further: impl FnOnce(&Verified) -> Result<Vec<Check>, Failed>,
) -> Result<bool, Failed> {
    forget(demands)?;
    let standard = Standard::of(demands)?;
    let told = standard.judge(machine, name, further)?;
    print::one(&told, demands.explain, format)?;
    standard.summarize(&told)?;
    Ok(told.is_accepted())
}

/// What images are held against.
pub(crate) struct Standard<'d> {
    demands: &'d Demands,
    expected: Expectations,
    trust: Trust,
    engines: Vec<Engine>,
    /// Seconds since 1970.
    now: i64,
}

impl<'d> Standard<'d> {
    /// Reads what demands name: keys, roots and policies.
    pub(crate) fn of(demands: &'d Demands) -> Result<Self, Failed> {
        let mut expected = demands.expectations().map_err(|wrong| {
            Finding::error(codes::USAGE, format!("`{}` is no parameter", wrong.escape_debug())).help("write NAME=VALUE")
        })?;
        let trust = trusted::read(demands)?;
        let engines = policies(demands)?;
        expected.facts = !engines.is_empty();
        let now = demands.now.unwrap_or_else(Timestamp::now).as_second();
        Ok(Self { demands, expected, trust, engines, now })
    }

    /// Judges an image.
    pub(crate) fn judge(
        &self,
        machine: &Machine,
        name: &str,
        further: impl FnOnce(&Verified) -> Result<Vec<Check>, Failed>,
    ) -> Result<Told, Failed> {
        let demands = self.demands;
        if let Some(list) = &demands.allow_list
            && let Some(line) = allowed::line(list, name)?
        {
            return Ok(Told::Allowed { name: name.to_owned(), by: format!("line {line} of {}", list.display()) });
        }
        let place = Place::of(machine, name)?;
        let mut judging = Judging { place: &place, standard: self, failed: Findings::new() };
        let mut evidence = found(&place, name, demands)?;
        let mut verified = judging.judge(&mut evidence);
        // Few keep anything there any more, and asking costs two requests for each platform.
        if !verified.verdict.accepted {
            evidence.depth.legacy = true;
            verified = judging.judge(&mut evidence);
        }
        // What is refused as it is, is not worth taking.
        if demands.deep && verified.verdict.accepted && judging.failed.is_empty() {
            let deep = place.downloaded()?;
            evidence.contents = contents::read(deep.path(), &evidence.images())?;
            (evidence.depth.layers, evidence.depth.contents) = (true, true);
            verified = judging.judge(&mut evidence);
        }
        let mut decisions = judging.ask(&mut verified)?;
        if !verified.verdict.accepted && !evidence.depth.legacy {
            evidence.depth.legacy = true;
            verified = judging.judge(&mut evidence);
            decisions = judging.ask(&mut verified)?;
        }
        let more = further(&verified)?;
        let verdict = verified.verdict.with(more);
        // What could not be had may speak against an image.
        if !judging.failed.is_empty() {
            return Err(Failed { sources: Sources::default(), findings: judging.failed, refused: false });
        }
        Ok(Told::Judged(Box::new(verdict), decisions))
    }

    /// Writes the summary that is asked for. Nobody judged what needs no check.
    pub(crate) fn summarize(&self, told: &Told) -> Result<(), Finding> {
        match (told, &self.demands.output_vsa) {
            (Told::Judged(verdict, _), Some(path)) => {
                write(path, &vsa::summary(verdict, &self.demands.policy_file, self.now))
            }
            _ => Ok(()),
        }
    }
}

/// The organisation's policies and those that are named, apart from each other.
fn policies(demands: &Demands) -> Result<Vec<Engine>, Failed> {
    let mut sources = Sources::default();
    let mut engines = Vec::new();
    for names in [of_organisation()?, demands.policy_file.clone()] {
        let loaded = Loaded::read(&names, Path::new(""), &mut sources).and_then(|loaded| loaded.demands());
        match loaded {
            Ok(engine) => engines.extend(engine),
            Err(findings) => return Err(Failed { sources, findings, refused: false }),
        }
    }
    Ok(engines)
}

/// What is known before anything is asked for: bundles in files.
fn found(place: &Place, name: &str, demands: &Demands) -> Result<Evidence, Failed> {
    let mut evidence = Evidence::new(name, place.digest(), place.depth(demands.manifests_only));
    evidence.loadable = place.loadable().map(<[u8]>::to_vec);
    evidence.listing = place.listing().map(<[u8]>::to_vec);
    for path in &demands.bundles {
        let bytes = input::read(path, LARGEST_BUNDLE)
            .map_err(|e| Finding::error(codes::INPUT_IO, format!("{} cannot be read: {e}", path.display())))?;
        // `build --sign --artifacts` writes many, each on a line.
        if path.extension().is_some_and(|ending| ending == "jsonl") {
            let lines = bytes.split(|byte| *byte == b'\n').enumerate().filter(|(_, line)| !line.is_empty());
            evidence.bundles.extend(
                lines.map(|(number, line)| (format!("line {} of {}", number + 1, path.display()), line.to_vec())),
            );
        } else {
            evidence.bundles.push((path.display().to_string(), bytes));
        }
    }
    Ok(evidence)
}

/// How evidence is found and judged.
struct Judging<'j> {
    place: &'j Place,
    standard: &'j Standard<'j>,
    /// What failed, and is no fault of the image.
    failed: Findings,
}

impl Judging<'_> {
    /// Finds what is not known yet, and judges by all of it.
    fn judge(&mut self, evidence: &mut Evidence) -> Verified {
        self.failed.extend(self.place.gather(evidence));
        let Standard { trust, expected, now, .. } = self.standard;
        verify(evidence, trust, expected, *now)
    }

    /// Asks policies, if there are any.
    fn ask(&self, verified: &mut Verified) -> Result<Vec<Decision>, Finding> {
        let engines = &self.standard.engines;
        let Some(facts) = verified.facts.take().filter(|_| !engines.is_empty()) else { return Ok(Vec::new()) };
        let asked = Input::of(&facts);
        let outcome = ask_all(engines.clone(), facts, asked)?;
        verified.verdict = verified.verdict.clone().with(judged(&outcome));
        Ok(outcome.decisions)
    }
}

/// Empties the summary of another image, or of another time: it must not be taken for what is said now.
pub(crate) fn forget(demands: &Demands) -> Result<(), Finding> {
    match demands.output_vsa.as_ref().filter(|path| path.is_file()) {
        Some(path) => write(path, b""),
        None => Ok(()),
    }
}

/// Writes a file, whole or not at all.
fn write(path: &Path, bytes: &[u8]) -> Result<(), Finding> {
    let written = Output::create(path).and_then(|mut output| {
        output.write_all(bytes)?;
        output.commit()
    });
    written.map_err(|e| Finding::error(codes::OUTPUT_IO, format!("{} cannot be written: {e}", path.display())))
}
