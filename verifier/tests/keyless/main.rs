//! Bundles that others signed and logged: each case is a folder of `tests/keyless`. What is done to those that are
//! accepted, so that they must be refused, stands in `tests/keyless/damage.toml`.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "helpers of tests are tests")]
#![expect(clippy::disallowed_methods, clippy::disallowed_macros, reason = "it reads cases, and counts them")]

mod asked;
mod damage;

use std::fs;
use std::path::Path;

use damage::{Damage, Damages};
use serde::Deserialize;
use serde_json::Value;
use verifier::PublicKey;
use verifier::keyless::{Artifact, Expected, Identity, Reason, Signed, TrustedRoot, verify, verify_key};

/// Later than all of these bundles: 2026-08-01.
const NOW: i64 = 1_785_542_400;
/// Damaged siblings that every case has at least.
const FEWEST: usize = 10;

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    /// A file of `tests/keyless/roots`.
    root: String,
    /// A digest, or a file of the case.
    artifact: String,
    /// Who signed it, unless that is the key of the case.
    #[serde(default)]
    subject: String,
    #[serde(default)]
    issuer: String,
    /// Damages that leave enough of it.
    #[serde(default)]
    stands: Vec<String>,
}

impl Case {
    fn read(folder: &Path) -> Self {
        toml::from_str(&fs::read_to_string(folder.join("case.toml")).unwrap()).unwrap()
    }

    fn judge(&self, folder: &Path, bundle: &[u8], root: &[u8], now: i64) -> Result<Signed, Reason> {
        let bytes;
        let artifact = match self.artifact.parse() {
            Ok(digest) => Artifact::Digest(digest),
            Err(_) => {
                bytes = fs::read(folder.join(&self.artifact)).unwrap();
                Artifact::Bytes(&bytes)
            }
        };
        let root = TrustedRoot::parse(root)?;
        if let Ok(key) = fs::read_to_string(folder.join("key.pub")) {
            let statement = verify_key(bundle, artifact, &root, &PublicKey::from_pem(&key).unwrap(), now)?;
            return Ok(Signed { statement, subject: String::new(), issuer: String::new(), signed_at: 0 });
        }
        let [subject, issuer] = [&self.subject, &self.issuer].map(|text| Expected::exact(text));
        verify(bundle, artifact, &root, &[Identity { subject, issuer }], now)
    }
}

fn root(name: &str) -> Vec<u8> {
    fs::read(cases::place("keyless/roots").join(name).with_extension("json")).unwrap()
}

fn bundle(folder: &Path) -> Vec<u8> {
    fs::read(folder.join("bundle.json")).unwrap()
}

/// What a reason is called.
fn name(reason: &Reason) -> String {
    format!("{reason:?}").split(|c: char| !c.is_alphanumeric()).next().unwrap().to_owned()
}

#[test]
fn what_others_signed_and_logged_is_accepted() {
    let found = cases::folders("keyless/accepted").into_iter().map(|folder| {
        let case = Case::read(&folder);
        let signed = case.judge(&folder, &bundle(&folder), &root(&case.root), NOW);
        let text = match signed {
            Ok(Signed { statement, subject, issuer, signed_at }) => {
                assert_eq!((&subject, &issuer), (&case.subject, &case.issuer));
                let what =
                    statement.map_or("the artifact".into(), |bytes| format!("a statement of {} bytes", bytes.len()));
                format!("signed: {what}\nsubject: {subject}\nissuer: {issuer}\nat: {signed_at}\n")
            }
            Err(reason) => format!("refused: {reason}\n"),
        };
        (folder.join("accepted.txt"), text)
    });
    cases::compare(found);
}

#[test]
fn what_is_wrong_in_itself_is_refused() {
    let found = cases::folders("keyless/refused").into_iter().map(|folder| {
        let case = Case::read(&folder);
        let reason = case.judge(&folder, &bundle(&folder), &root(&case.root), NOW).unwrap_err();
        (folder.join("refused.txt"), format!("{}: {reason}\n", name(&reason)))
    });
    cases::compare(found);
}

#[test]
fn what_was_damaged_is_refused_for_that() {
    let Damages { damage: damages } =
        toml::from_str(&fs::read_to_string(cases::place("keyless/damage.toml")).unwrap()).unwrap();
    let mut wrong = Vec::new();
    let mut used = vec![0; damages.len()];
    let found: Vec<_> = cases::folders("keyless/accepted")
        .into_iter()
        .map(|folder| {
            let lines: Vec<String> = damages
                .iter()
                .zip(&mut used)
                .filter_map(|(damage, used)| {
                    let line = sibling(&folder, damage, &mut wrong)?;
                    *used += 1;
                    Some(line)
                })
                .collect();
            assert!(lines.len() >= FEWEST, "{} has {} damaged siblings", folder.display(), lines.len());
            (folder.join("refused.txt"), lines.concat())
        })
        .collect();
    let unused = damages.iter().zip(&used).filter(|(_, used)| **used == 0).map(|(damage, _)| damage.name.as_str());
    assert_eq!(unused.collect::<Vec<_>>(), [""; 0], "these damages damage no case");
    println!("{} damaged siblings", used.iter().sum::<usize>());
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    cases::compare(found);
}

/// What is said of a damaged sibling of a case; none where the case has nothing to damage.
fn sibling(folder: &Path, damage: &Damage, wrong: &mut Vec<String>) -> Option<String> {
    let mut case = Case::read(folder);
    let is_of_key = case.subject.is_empty();
    let whole: Value = serde_json::from_slice(&bundle(folder)).unwrap();
    let is_one = damage.needs.is_empty() || damage.needs.iter().any(|place| whole.pointer(place).is_some());
    if !is_one || is_of_key && (damage.subject.is_some() || damage.issuer.is_some()) {
        return None;
    }
    for (here, other) in [
        (&mut case.root, &damage.root),
        (&mut case.artifact, &damage.artifact),
        (&mut case.subject, &damage.subject),
        (&mut case.issuer, &damage.issuer),
    ] {
        here.clone_from(other.as_ref().unwrap_or(&here.clone()));
    }
    let (mut bundle_, mut root_) = (bundle(folder), root(&case.root));
    let damaged = if damage.in_root { &mut root_ } else { &mut bundle_ };
    let accepted = cases::place("keyless/accepted");
    *damaged = damage.apply(damaged, |case| serde_json::from_slice(&bundle(&accepted.join(case))).unwrap())?;
    let answer = case.judge(folder, &bundle_, &root_, damage.now.unwrap_or(NOW));
    let (stands, place) = (case.stands.contains(&damage.name), folder.file_name().unwrap().display().to_string());
    match &answer {
        Ok(_) if stands => return None,
        Err(reason) if !stands && damage.reasons.contains(&name(reason)) => {}
        Ok(_) => wrong.push(format!("{place}: {}: accepted", damage.name)),
        Err(reason) => wrong.push(format!("{place}: {}: {reason:?}", damage.name)),
    }
    let reason = answer.err()?;
    Some(format!("{}: {}: {reason}\n", damage.name, name(&reason)))
}
