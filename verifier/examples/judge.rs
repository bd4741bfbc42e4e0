//! Judges an image in an OCI layout with the library alone. It reads no file and no clock: whoever calls it does, and gives it what it
//! asks for.
//!
//! ```sh
//! cargo run --package clnstrt-verifier --example judge -- LAYOUT sha256:… release.pub
//! ```
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::disallowed_macros,
    reason = "a caller reads files and the clock, and prints"
)]

use std::path::Path;
use std::process::ExitCode;
use std::time::SystemTime;
use std::{env, fs};

use model::Digest;
use serde_json::Value;
use verifier::{Answer, Depth, Evidence, Expectations, Need, PublicKey, Trust, Verdict, verify};

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [layout, image, key] = arguments.as_slice() else {
        eprintln!("usage: judge LAYOUT sha256:… KEY");
        return ExitCode::from(2);
    };
    let text = fs::read_to_string(key).unwrap_or_default();
    let (Ok(image), Ok(public)) = (image.parse(), PublicKey::from_pem(&text)) else {
        eprintln!("{image} is no digest, or {key} no public key");
        return ExitCode::from(2);
    };
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |time| time.as_secs() as i64);
    let trust = Trust { keys: vec![(key.clone(), public)], ..Trust::default() };
    let verdict = judged(Path::new(layout), image, &trust, now);
    for check in &verdict.checks {
        println!("{:?} {}: {}", check.outcome, check.name, check.reason);
    }
    if verdict.accepted { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// An image has to be signed, and to have a bill of materials; all of its bytes are looked at.
fn judged(layout: &Path, image: Digest, trust: &Trust, now: i64) -> Verdict {
    let depth = Depth { layers: true, ..Depth::default() };
    let mut evidence = Evidence::new("an example", image, depth);
    // What is found leads to more, until nothing is needed any more: there is an end, for there are limits to each kind of it.
    loop {
        let needs = evidence.needs();
        if needs.is_empty() {
            break;
        }
        for need in needs {
            evidence.give(need.read(answer(layout, &need), depth));
        }
    }
    let expected = Expectations { signatures: 1, sbom: true, ..Expectations::default() };
    verify(&evidence, trust, &expected, now).verdict
}

/// What lies there. Of a folder that others write to a caller bounds what it reads, as `clnstrt-verify` does.
fn answer(layout: &Path, need: &Need) -> Answer {
    let blob = |digest: &Digest| fs::read(layout.join("blobs/sha256").join(digest.hex()));
    match need {
        Need::Manifest(digest) | Need::Referrer(digest) | Need::Config(digest, _) | Need::Document(digest, _) => {
            blob(digest).map_or(Answer::Missing, Answer::Bytes)
        }
        Need::Layer(digest, _) => match blob(digest) {
            Err(_) => Answer::Missing,
            Ok(bytes) if Digest::of(&bytes) == *digest => Answer::Holds,
            Ok(bytes) => Answer::Wrong(format!("it is {}", Digest::of(&bytes))),
        },
        Need::Referrers(subject) => Answer::Listed(referrers(layout, subject)),
        // Nothing was kept here as cosign did before version 3.
        Need::Beside(..) => Answer::Missing,
    }
}

/// What a layout lists that names an image as its subject: a claim, and only a place to look at.
fn referrers(layout: &Path, subject: &Digest) -> Vec<Digest> {
    let json = |path: &Path| serde_json::from_slice::<Value>(&fs::read(path).ok()?).ok();
    let digest = |value: &Value| value.get("digest")?.as_str()?.parse::<Digest>().ok();
    let listed = json(&layout.join("index.json")).unwrap_or_default();
    let entries = listed.get("manifests").and_then(Value::as_array).into_iter().flatten().filter_map(digest);
    let names_it = |entry: &Digest| {
        let manifest = json(&layout.join("blobs/sha256").join(entry.hex()))?;
        digest(manifest.get("subject")?)
    };
    entries.filter(|entry| names_it(entry).as_ref() == Some(subject)).collect()
}
