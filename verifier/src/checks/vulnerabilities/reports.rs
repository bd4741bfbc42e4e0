//! The forms that scans have.

use serde_json::Value;

use super::rating::{self, of_word};
use super::{Scan, UNKNOWN, Vulnerability, worst};

/// Vulnerabilities of a report.
const MOST: usize = 100_000;

/// When what was searched in was made.
pub(super) fn database(predicate: &Value) -> Option<&Value> {
    let database = predicate.pointer("/scanner/db")?;
    database.get("lastUpdate").or_else(|| database.get("last_update"))
}

pub(super) fn read(predicate: &Value) -> Result<Scan, String> {
    let scanner = predicate.get("scanner").ok_or("the scan does not say what searched")?;
    let result = scanner.get("result").ok_or("the scan has no result")?;
    let found = if let Some(list) = result.as_array() {
        list.iter().map(of_in_toto).collect()
    } else if result.get("SchemaVersion").is_some() {
        all_of_trivy(result)
    } else {
        all_of_grype(result)
    };
    let found: Vec<Vulnerability> = found.ok_or("the result of the scan is of a form that is not known here")?;
    if found.len() > MOST {
        return Err(format!("the scan found more than {MOST} vulnerabilities"));
    }
    let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
    let (scanner, database) = (text(scanner.get("uri")), text(database(predicate)));
    Ok(Scan { scanner, database, found: worst(found) })
}

/// A list that may be left out. What is there and no list is of a form that is not known.
fn list<'v>(of: &'v Value, name: &str) -> Option<&'v [Value]> {
    match of.get(name) {
        None => of.is_object().then_some(&[]),
        Some(list) => list.as_array().map(Vec::as_slice),
    }
}

fn of_in_toto(one: &Value) -> Option<Vulnerability> {
    let id = one.get("id")?.as_str()?.to_owned();
    let ratings = one.get("severity").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let (severity, score) = rating::worst(ratings);
    let component = one.get("annotations").and_then(Value::as_array).into_iter().flatten();
    let package = component.filter_map(|note| note.get("package")?.as_str()).next().unwrap_or_default().to_owned();
    // The format has no place for a fix: a policy that leaves out what nobody has mended must not leave these out.
    Some(Vulnerability { id, package, severity, score, fixed: Some(UNKNOWN.to_owned()), word: None })
}

fn all_of_trivy(result: &Value) -> Option<Vec<Vulnerability>> {
    let mut found = Vec::new();
    for one in list(result, "Results")? {
        found.extend(list(one, "Vulnerabilities")?.iter().map(of_trivy).collect::<Option<Vec<_>>>()?);
        // What whoever searched chose to leave out is found too. What is left out here, signed documents say.
        for changed in list(one, "ExperimentalModifiedFindings")? {
            if changed.get("Type").and_then(Value::as_str).is_none_or(|kind| kind == "vulnerability") {
                found.push(of_trivy(changed.get("Finding")?)?);
            }
        }
    }
    Some(found)
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

fn all_of_grype(result: &Value) -> Option<Vec<Vulnerability>> {
    let matches = result.get("matches")?.as_array()?;
    // Which were ignored, whoever searched chose; signed documents say it here.
    matches.iter().chain(list(result, "ignoredMatches")?).map(of_grype).collect()
}

fn of_grype(one: &Value) -> Option<Vulnerability> {
    let text = |path: &str| one.pointer(path).and_then(Value::as_str);
    // Only these two words say that there is none.
    let has_none = matches!(text("/vulnerability/fix/state"), Some("not-fixed" | "wont-fix"));
    let version = text("/vulnerability/fix/versions/0").map(str::to_owned);
    Some(Vulnerability {
        id: text("/vulnerability/id")?.to_owned(),
        package: text("/artifact/purl").or(text("/artifact/name")).unwrap_or_default().to_owned(),
        severity: text("/vulnerability/severity").map_or("unknown", of_word),
        score: None,
        fixed: version.or_else(|| (!has_none).then(|| UNKNOWN.to_owned())),
        word: None,
    })
}
