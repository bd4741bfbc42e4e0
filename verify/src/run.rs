//! One image: found, gathered, judged and told of.

use std::io::Write as _;
use std::path::Path;

use files::{Output, input};
use jiff::Timestamp;
use model::{Finding, Findings, Sources, codes};
use policy::{Engine, Input};
use rules::{Loaded, ask_all, of_organisation};
use verifier::{Check, Evidence, Expectations, Trust, Verified, judged, verify};

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
}

impl From<Finding> for Failed {
    fn from(finding: Finding) -> Self {
        Self { sources: Sources::default(), findings: finding.into() }
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
    if let Some(list) = &demands.allow_list
        && let Some(line) = allowed::line(list, name)?
    {
        print::allowed(name, list, line, format)?;
        return Ok(true);
    }
    let expected = demands.expectations().map_err(|wrong| {
        Finding::error(codes::USAGE, format!("`{}` is no parameter", wrong.escape_debug())).help("write NAME=VALUE")
    })?;
    let trust = trusted::read(demands)?;
    let engines = policies(demands)?;
    let place = Place::of(machine, name)?;
    let judging = Judging { demands, expected, trust, now: demands.now.unwrap_or_else(Timestamp::now).as_second() };
    let (verified, failed) = judging.judge(&place, name)?;
    let more = further(&verified)?;
    let Verified { verdict, facts, .. } = verified;
    let mut verdict = verdict.with(more);
    let mut decisions = Vec::new();
    if let (false, Some(facts)) = (engines.is_empty(), facts) {
        let asked = Input::of(&facts);
        let outcome = ask_all(engines, facts, asked)?;
        verdict = verdict.with(judged(&outcome));
        decisions = outcome.decisions;
    }
    // Whether an image would be accepted if a registry did not fail is not known.
    if !verdict.accepted && !failed.is_empty() {
        return Err(Failed { sources: Sources::default(), findings: failed });
    }
    if let Some(path) = &demands.output_vsa {
        write(path, &vsa::summary(&verdict, &demands.policy_file, judging.now))?;
    }
    print::verdict(&verdict, &decisions, demands.explain, format)?;
    Ok(verdict.accepted)
}

/// The organisation's policies and those that are named, apart from each other.
fn policies(demands: &Demands) -> Result<Vec<Engine>, Failed> {
    let mut sources = Sources::default();
    let mut engines = Vec::new();
    for names in [of_organisation()?, demands.policy_file.clone()] {
        let loaded = Loaded::read(&names, Path::new(""), &mut sources).and_then(|loaded| loaded.demands());
        match loaded {
            Ok(engine) => engines.extend(engine),
            Err(findings) => return Err(Failed { sources, findings }),
        }
    }
    Ok(engines)
}

/// Everything that does not change while evidence is found.
struct Judging<'j> {
    demands: &'j Demands,
    expected: Expectations,
    trust: Trust,
    /// Seconds since 1970.
    now: i64,
}

impl Judging<'_> {
    fn judge(&self, place: &Place, name: &str) -> Result<(Verified, Findings), Failed> {
        let mut evidence = Evidence::new(name, place.digest(), place.depth(self.demands.manifests_only));
        for path in &self.demands.bundles {
            let bytes = input::read(path, LARGEST_BUNDLE)
                .map_err(|e| Finding::error(codes::INPUT_IO, format!("{} cannot be read: {e}", path.display())))?;
            evidence.bundles.push((path.display().to_string(), bytes));
        }
        let deep = match self.demands.deep {
            true => Some(place.downloaded()?),
            false => None,
        };
        if let Some(deep) = &deep {
            evidence.contents = contents::read(deep.path())?;
            evidence.depth.layers = true;
        }
        let mut failed = place.gather(&mut evidence);
        let mut verified = verify(&evidence, &self.trust, &self.expected, self.now);
        // Few keep anything there any more, and asking costs two requests for each platform.
        if !verified.verdict.accepted && verified.facts.is_some() {
            evidence.depth.legacy = true;
            failed.extend(place.gather(&mut evidence));
            verified = verify(&evidence, &self.trust, &self.expected, self.now);
        }
        Ok((verified, failed))
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
