//! Whether known vulnerabilities are few enough, after what VEX says of them: scans in the predicates of in-toto
//! (vulns 0.1, 0.2) and of cosign (vuln v1, with the reports of Trivy and Grype).

mod rating;
mod reports;

use jiff::Timestamp;
use model::codes;

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
        // Of each the worse comes first, and the others are dropped.
        self.found.extend(other.found);
        self.found.sort_by(|a, b| (&a.id, &a.package, b.badness()).cmp(&(&b.id, &b.package, a.badness())));
        self.found.dedup_by(|next, first| {
            let is_same = next.id == first.id && next.package == first.package;
            // A version that mends it is one, whoever knows it.
            if is_same && first.fixed.as_deref().is_none_or(|fixed| fixed == "unknown") && next.fixed.is_some() {
                first.fixed = next.fixed.take();
            }
            is_same
        });
    }
}

impl Vulnerability {
    fn badness(&self) -> usize {
        let order = ["none", "low", "medium", "unknown", "high", "critical"];
        order.iter().position(|severity| *severity == self.severity).unwrap_or(order.len())
    }
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
