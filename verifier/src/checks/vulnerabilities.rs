//! Whether known vulnerabilities are few enough, after what VEX says of them: scans in the predicates of in-toto
//! (vulns 0.1, 0.2) and of cosign (vuln v1, with the reports of Trivy and Grype).

mod rating;
mod reports;

use std::mem;

use jiff::Timestamp;
use model::codes;
use rating::rank;

use super::vex::{self, Word};
use super::{Context, Finished, passed, skipped, time};
use crate::evidence::Part;
use crate::said::Said;
use crate::verdict::{Check, Outcome};

/// cosign's predicate, and those of in-toto.
pub(super) const KINDS: [&str; 3] = [
    "https://cosign.sigstore.dev/attestation/vuln/v1",
    "https://in-toto.io/attestation/vulns/v0.1",
    "https://in-toto.io/attestation/vulns/v0.2",
];

/// What is said of a fix where nothing is known of one. It is no absence, which would say that nobody has mended it.
const UNKNOWN: &str = "unknown";

/// A known vulnerability of something in the image.
#[derive(Clone, Debug)]
pub(crate) struct Vulnerability {
    pub(crate) id: String,
    /// What has it, as the scanner names it.
    pub(crate) package: String,
    /// `critical`, `high`, `medium`, `low`, `none`, `unknown`
    pub(crate) severity: &'static str,
    pub(crate) score: Option<f64>,
    /// The version that mends it; [`UNKNOWN`] where nobody says whether there is one.
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

/// What was found by the latest scan, by those of the same time, and by those that do not say when.
fn latest<'c>(context: &'c Context<'_>, part: &Part) -> Option<(&'c Said, Result<Scan, String>)> {
    let scope = context.scope(part);
    let is_ours =
        |said: &&Said| KINDS.contains(&said.kind.as_str()) && scope.iter().any(|digest| said.about.contains(digest));
    let all: Vec<(&Said, Finished)> =
        context.statements.said.iter().filter(is_ours).map(|said| (said, finished(said))).collect();
    // Which of them is the latest nobody knows then.
    if let Some((said, _)) = all.iter().find(|(_, time)| *time == Finished::Unreadable) {
        return Some((said, Err("when a scan finished cannot be read".to_owned())));
    }
    let last = all.iter().map(|(_, time)| *time).max()?;
    let mut together: Option<(&Said, Scan)> = None;
    for (said, _) in all.iter().filter(|(_, time)| *time == last || *time == Finished::Unsaid) {
        if let Some(why) = stale(context, said) {
            return Some((said, Err(why)));
        }
        let scan = match reports::read(said.predicate()) {
            Ok(scan) => scan,
            Err(why) => return Some((said, Err(why))),
        };
        match &mut together {
            None => together = Some((said, scan)),
            Some((_, whole)) => whole.take_in(scan),
        }
    }
    let (said, mut scan) = together?;
    let words = vex::words(context, part);
    scan.found.iter_mut().for_each(|one| one.word = words.on(&one.id, &one.package).cloned());
    Some((said, Ok(scan)))
}

impl Scan {
    /// Takes in what another one found; of what both found that counts which is worse, and of what they searched in the older.
    fn take_in(&mut self, other: Scan) {
        let time = |text: &String| text.parse::<Timestamp>().ok();
        if time(&other.database) < time(&self.database) {
            self.database = other.database;
        }
        self.found = worst([mem::take(&mut self.found), other.found].concat());
    }
}

/// Of what was found more than once that counts which is worst; what mends it may be known to whoever found it.
fn worst(mut found: Vec<Vulnerability>) -> Vec<Vulnerability> {
    found.sort_by(|a, b| {
        (&a.id, &a.package, rank(b.severity), &a.fixed).cmp(&(&b.id, &b.package, rank(a.severity), &b.fixed))
    });
    found.dedup_by(|next, first| {
        let is_same = next.id == first.id && next.package == first.package;
        if is_same && first.fixed.as_deref().is_none_or(|fixed| fixed == UNKNOWN) {
            first.fixed = next.fixed.take().or(first.fixed.take());
        }
        if is_same {
            first.score = first.score.into_iter().chain(next.score).reduce(f64::max);
        }
        is_same
    });
    found
}

/// Whether a scan is too old, or what it searched in was.
fn stale(context: &Context<'_>, said: &Said) -> Option<String> {
    let database = time(reports::database(said.predicate()));
    context.stale("scan", finished(said).time()).or_else(|| {
        // What was found since the database was made is in no scan with it.
        let is_asked = context.expected.max_age.is_some() || database.is_some();
        is_asked.then(|| context.stale("scan's database", database)).flatten()
    })
}

fn finished(said: &Said) -> Finished {
    Finished::of(said.predicate().pointer("/metadata/scanFinishedOn"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_what_several_scans_found_the_worst_counts_and_what_mends_it() {
        let scan = |database: &str, severity: &'static str, score: Option<f64>, fixed: Option<&str>| Scan {
            scanner: String::new(),
            database: database.to_owned(),
            found: vec![Vulnerability {
                id: "CVE-1".to_owned(),
                package: "a".to_owned(),
                severity,
                score,
                fixed: fixed.map(str::to_owned),
                word: None,
            }],
        };
        let (old, new) = ("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z");
        for (fixes, wanted) in [
            ([None, None], None),
            ([None, Some(UNKNOWN)], Some(UNKNOWN)),
            ([None, Some("1.2")], Some("1.2")),
            ([Some(UNKNOWN), Some("1.2")], Some("1.2")),
            ([Some("1.1"), Some("1.2")], Some("1.1")),
        ] {
            let one = scan(old, "high", Some(7.5), fixes[0]);
            let other = scan(new, "high", Some(9.0), fixes[1]);
            for (mut whole, further) in [(one.clone(), other.clone()), (other, one)] {
                whole.take_in(further);
                let [found] = whole.found.as_slice() else { panic!("{:?}", whole.found) };
                assert_eq!((found.fixed.as_deref(), found.score), (wanted, Some(9.0)));
                assert_eq!(whole.database, old);
            }
        }
        let (mut whole, further) = (scan(old, "low", None, Some("1.2")), scan(old, "critical", None, None));
        whole.take_in(further);
        assert_eq!((whole.found[0].severity, whole.found[0].fixed.as_deref()), ("critical", Some("1.2")));
    }
}
