//! Whether known vulnerabilities are few enough, after what VEX says of them: scans in the predicates of in-toto
//! (vulns 0.1, 0.2) and of cosign (vuln v1, with the reports of Trivy and Grype).

use std::collections::BTreeMap;

use jiff::Timestamp;
use model::codes;
use serde_json::Value;

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
/// Vulnerabilities of a report.
const MOST: usize = 100_000;

/// A known vulnerability of something in the image.
#[derive(Clone, Debug)]
pub(crate) struct Vulnerability {
    pub(crate) id: String,
    /// What has it, as the scanner names it.
    pub(crate) package: String,
    /// `critical`, `high`, `medium`, `low`, `none`, `unknown`
    pub(crate) severity: &'static str,
    pub(crate) score: Option<f64>,
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
            let code = if context.stale("scan", finished(said)).is_some() { codes::EVIDENCE_STALE } else { code };
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
    let (said, time) = super::latest(all, finished)?;
    if let Some(why) = context.stale("scan", time) {
        return Some((said, Err(why)));
    }
    let scan = read(said.predicate()).map(|mut scan| {
        let words = vex::words(context, part);
        scan.found.iter_mut().for_each(|one| one.word = words.get(&one.id).cloned());
        scan
    });
    Some((said, scan))
}

fn finished(said: &Said) -> Option<Timestamp> {
    time(said.predicate().pointer("/metadata/scanFinishedOn"))
}

fn read(predicate: &Value) -> Result<Scan, String> {
    let scanner = predicate.get("scanner").ok_or("the scan does not say what searched")?;
    let text = |path: &str| scanner.pointer(path).and_then(Value::as_str);
    let database = text("/db/lastUpdate").or(text("/db/last_update")).unwrap_or_default().to_owned();
    let result = scanner.get("result").ok_or("the scan has no result")?;
    let found = if let Some(list) = result.as_array() {
        list.iter().map(of_in_toto).collect()
    } else if result.get("SchemaVersion").is_some() {
        let results = result.get("Results").and_then(Value::as_array).into_iter().flatten();
        let each = results.flat_map(|one| one.get("Vulnerabilities").and_then(Value::as_array).into_iter().flatten());
        each.map(of_trivy).collect()
    } else if let Some(matches) = result.get("matches").and_then(Value::as_array) {
        matches.iter().map(of_grype).collect()
    } else {
        None
    };
    let mut found: Vec<Vulnerability> = found.ok_or("the result of the scan is of a form that is not known here")?;
    if found.len() > MOST {
        return Err(format!("the scan found more than {MOST} vulnerabilities"));
    }
    // The same in the same package is one, however often it was matched; the worst word on it counts.
    let mut worst: BTreeMap<(String, String), Vulnerability> = BTreeMap::new();
    for one in found.drain(..) {
        let key = (one.id.clone(), one.package.clone());
        match worst.get(&key) {
            Some(other) if rank(other.severity) >= rank(one.severity) => {}
            _ => drop(worst.insert(key, one)),
        }
    }
    let scanner = text("/uri").unwrap_or_default().to_owned();
    Ok(Scan { scanner, database, found: worst.into_values().collect() })
}

fn of_in_toto(one: &Value) -> Option<Vulnerability> {
    let id = one.get("id")?.as_str()?.to_owned();
    let rated = one.get("severity").and_then(Value::as_array).into_iter().flatten();
    let mut worst = ("unknown", None);
    for rating in rated {
        let score = rating.get("score");
        let number = score.and_then(|score| score.as_f64().or_else(|| score.as_str()?.parse().ok()));
        let word = match number {
            Some(number) => of_score(number),
            None => score.and_then(Value::as_str).map_or("unknown", of_word),
        };
        if rank(word) > rank(worst.0) || worst.0 == "unknown" {
            worst = (word, number);
        }
    }
    let component = one.get("annotations").and_then(Value::as_array).into_iter().flatten();
    let package = component.filter_map(|note| note.get("package")?.as_str()).next().unwrap_or_default().to_owned();
    Some(Vulnerability { id, package, severity: worst.0, score: worst.1, fixed: None, word: None })
}

fn of_trivy(one: &Value) -> Option<Vulnerability> {
    let text = |name: &str| one.get(name).and_then(Value::as_str);
    let package = one.pointer("/PkgIdentifier/PURL").and_then(Value::as_str).or(text("PkgName")).unwrap_or_default();
    Some(Vulnerability {
        id: text("VulnerabilityID")?.to_owned(),
        package: package.to_owned(),
        severity: text("Severity").map_or("unknown", of_word),
        score: None,
        fixed: text("FixedVersion").filter(|version| !version.is_empty()).map(str::to_owned),
        word: None,
    })
}

fn of_grype(one: &Value) -> Option<Vulnerability> {
    let text = |path: &str| one.pointer(path).and_then(Value::as_str);
    Some(Vulnerability {
        id: text("/vulnerability/id")?.to_owned(),
        package: text("/artifact/purl").or(text("/artifact/name")).unwrap_or_default().to_owned(),
        severity: text("/vulnerability/severity").map_or("unknown", of_word),
        score: None,
        fixed: text("/vulnerability/fix/versions/0").map(str::to_owned),
        word: None,
    })
}

/// The word for a CVSS score (CVSS 3.1, "Qualitative Severity Rating Scale").
fn of_score(score: f64) -> &'static str {
    match score {
        score if score >= 9.0 => "critical",
        score if score >= 7.0 => "high",
        score if score >= 4.0 => "medium",
        score if score > 0.0 => "low",
        0.0 => "none",
        _ => "unknown",
    }
}

fn of_word(word: &str) -> &'static str {
    match word.to_ascii_lowercase().as_str() {
        "critical" => "critical",
        "high" | "important" => "high",
        "medium" | "moderate" => "medium",
        "low" => "low",
        "none" | "negligible" | "info" => "none",
        _ => "unknown",
    }
}

/// The worse, the more. What nobody rated may be anything.
fn rank(severity: &str) -> usize {
    ["none", "low", "medium", "unknown", "high", "critical"].iter().position(|word| *word == severity).unwrap_or(3)
}
