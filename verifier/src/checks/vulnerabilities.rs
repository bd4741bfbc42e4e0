//! Whether known vulnerabilities are few enough, after what VEX says of them: scans in the predicates of in-toto
//! (vulns 0.1, 0.2) and of cosign (vuln v1, with the reports of Trivy and Grype).

mod rating;
mod reports;

use jiff::Timestamp;
use model::codes;

use super::vex::{self, Word};
use super::{Context, passed, skipped, time};
use crate::evidence::Part;
use crate::said::Said;
use crate::verdict::{Check, Outcome};

/// cosign's predicate, and those of in-toto.
const KINDS: [&str; 3] = [
    "https://cosign.sigstore.dev/attestation/vuln/v1",
    "https://in-toto.io/attestation/vulns/v0.1",
    "https://in-toto.io/attestation/vulns/v0.2",
];

/// A known vulnerability of something in the image.
#[derive(Clone, Debug)]
pub(crate) struct Vulnerability {
    pub(crate) id: String,
    /// What has it, as the scanner names it.
    pub(crate) package: String,
    /// `critical`, `high`, `medium`, `low`, `none`, `unknown`
    pub(crate) severity: &'static str,
    pub(crate) score: Option<f64>,
    /// The version that mends it; `unknown` where nobody says whether there is one.
    pub(crate) fixed: Option<String>,
    pub(crate) word: Option<Word>,
}

/// A scan that counts.
#[derive(Clone, Debug)]
pub(crate) struct Scan {
    pub(crate) scanner: String,
    /// The state of what was searched in, as RFC 3339 writes it.
    pub(crate) database: String,
    pub(crate) found: Vec<Vulnerability>,
}

pub(super) fn check(context: &Context<'_>, part: &Part) -> Check {
    let (name, code, limits) = ("vulnerabilities", codes::VULNERABLE, context.expected.vulnerabilities);
    let (said, scan) = match latest(context, part) {
        None if !limits.is_required => return skipped(name, "nobody searched, and nobody asks"),
        None => return context.nothing(name, codes::STATEMENT_MISSING, "scan for vulnerabilities", &KINDS),
        Some((said, Err(why))) => {
            let code = if stale(context, said).is_some() { codes::EVIDENCE_STALE } else { code };
            return Check::new(name, code, Outcome::Failed, why).on([said.place.clone()]);
        }
        Some((said, Ok(scan))) => (said, scan),
    };
    let open: Vec<&Vulnerability> =
        scan.found.iter().filter(|one| !one.word.as_ref().is_some_and(Word::lets_pass)).collect();
    let of = |severity: &str| -> Vec<&str> {
        open.iter().filter(|one| one.severity == severity).map(|one| one.id.as_str()).collect()
    };
    // How bad something is that nobody rated is not known, and that is not nothing.
    let (critical, mut high) = (of("critical"), of("high"));
    high.extend(of("unknown"));
    let ids: Vec<&str> = open.iter().map(|one| one.id.as_str()).collect();
    let total = limits.total.unwrap_or(u64::MAX);
    for (found, most, words) in [
        (&critical, limits.critical, "critical"),
        (&high, limits.high, "high, or of unknown severity"),
        (&ids, total, "in all"),
    ] {
        if found.len() as u64 > most {
            let named = found.iter().take(5).copied().collect::<Vec<_>>().join(", ");
            let reason = format!("{} known vulnerabilities are {words}, and {most} are accepted: {named}", found.len());
            return Check::new(name, code, Outcome::Failed, reason).on([said.place.clone()]);
        }
    }
    let taken = scan.found.len() - open.len();
    let (critical, high) = (critical.len(), high.len());
    passed(
        name,
        said,
        format!("{} known, {critical} critical, {high} high; {taken} more that VEX lets pass", open.len()),
    )
}

/// The latest scan of a part, if it counts.
pub(crate) fn scan(context: &Context<'_>, part: &Part) -> Option<Scan> {
    latest(context, part)?.1.ok()
}

fn latest<'c>(context: &'c Context<'_>, part: &Part) -> Option<(&'c Said, Result<Scan, String>)> {
    let scope = context.scope(part);
    let all =
        context.statements.said.iter().filter(|said| {
            KINDS.contains(&said.kind.as_str()) && scope.iter().any(|digest| said.about.contains(digest))
        });
    let (said, _) = super::latest(all, finished)?;
    if let Some(why) = stale(context, said) {
        return Some((said, Err(why)));
    }
    let scan = reports::read(said.predicate()).map(|mut scan| {
        let words = vex::words(context, part);
        scan.found.iter_mut().for_each(|one| one.word = words.on(&one.id, &one.package).cloned());
        scan
    });
    Some((said, scan))
}

/// Whether a scan is too old, or what it searched in was.
fn stale(context: &Context<'_>, said: &Said) -> Option<String> {
    let database = || time(reports::database(said.predicate()));
    context.stale("scan", finished(said)).or_else(|| {
        // What was found since the database was made is in no scan with it.
        context.expected.max_age.and_then(|_| context.stale("scan's database", database()))
    })
}

fn finished(said: &Said) -> Option<Timestamp> {
    time(said.predicate().pointer("/metadata/scanFinishedOn"))
}
