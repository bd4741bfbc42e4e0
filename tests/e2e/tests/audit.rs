//! The trail that commands leave, and whoever tampers with it.

use std::fs;
use std::path::Path;

use serde_json::Value;
use support::{Done, cli, copy_tree, run};

use crate::fixture::{SMALL, scratch};
use crate::registries::registry;

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

fn clnstrt(trail: &Path, args: &[&str]) -> Done {
    let mut command = cli();
    command.args(args).env("CLNSTRT_AUDIT", trail).env("CLNSTRT_PASSWORD", "");
    run(command.env("CI_COMMIT_SHA", COMMIT).env("CI_JOB_URL", "https://user:hunter2@forge.example/jobs/7"))
}

/// Every line of a trail as JSON.
fn records(trail: &Path) -> Vec<Value> {
    let shown = clnstrt(trail, &["audit", "show", "--format", "json"]).ok();
    let shown: Value = serde_json::from_str(&shown.stdout).unwrap();
    shown.as_array().unwrap().iter().map(|entry| entry["record"].clone()).collect()
}

#[test]
fn what_is_done_is_written_down_and_nobody_changes_it_unseen() {
    let dir = scratch();
    let (_registry, port) = registry(dir.path());
    let trail = dir.path().join("trail");
    let clnstrt = |args: &[&str]| clnstrt(&trail, args);
    let key = dir.path().join("key");
    let key = key.to_str().unwrap();
    clnstrt(&["key", "generate", "--output", key]).ok();
    let key = format!("{key}.key");
    let image = format!("127.0.0.1:{port}/team/small:1.0");
    let archive = SMALL.archive();
    clnstrt(&["push", archive.to_str().unwrap(), &image, "--reason", "the first release"]).ok();
    clnstrt(&["sign", "--image", &image, "--key", &key]).ok();
    let licences = SMALL.artifacts().join("licence-report.json");
    let licences = licences.to_str().unwrap();
    let since = dir.path().join("since");
    fs::copy(trail.join("checkpoint"), &since).unwrap();
    clnstrt(&["attest", "--image", &image, "--key", &key, "--type", "licence", "--predicate", licences]).ok();
    let copied = clnstrt(&["copy", &image, &format!("127.0.0.1:{port}/other/small:1.0"), "--commit-tag"]).ok();
    assert!(copied.stdout.contains(&format!("1.0, {COMMIT}")), "{}", copied.stdout);
    // What failed is not there.
    clnstrt(&["sign", "--image", &format!("127.0.0.1:{port}/no/such:1"), "--key", &key]).fails(1, "CS1404");

    let found = records(&trail);
    let what: Vec<&str> = found.iter().map(|record| record["what"].as_str().unwrap()).collect();
    assert_eq!(what, ["push", "sign", "attest", "copy"]);
    assert_eq!(found[0]["why"]["reason"], "the first release");
    assert_eq!(found[0]["of"][0]["name"], format!("127.0.0.1:{port}/team/small"));
    assert_eq!(found[0]["of"][0]["digest"], found[3]["of"][0]["digest"]);
    assert_eq!(found[0]["how"]["tags"], "1.0");
    assert_eq!(found[1]["how"]["keys"], found[2]["how"]["keys"]);
    assert_eq!(found[2]["how"]["predicate"], "urn:clnstrt:licences:v1");
    for record in &found {
        assert_eq!(record["why"]["commit"], COMMIT);
        assert_eq!(record["why"]["run"], "https://forge.example/jobs/7");
        assert!(!record.to_string().contains("hunter2"));
    }

    clnstrt(&["audit", "verify"]).ok();
    let public = trail.join("key.pub");
    let exported = dir.path().join("exported");
    clnstrt(&["audit", "export", exported.to_str().unwrap()]).ok();
    assert!(!exported.join("key").exists());
    let verify = ["audit", "verify", "--key", public.to_str().unwrap()];
    clnstrt(&[verify.as_slice(), &["--audit", exported.to_str().unwrap()]].concat()).ok();
    let proof = dir.path().join("proof");
    fs::write(&proof, clnstrt(&["audit", "prove", "2"]).ok().stdout).unwrap();
    let check = [verify.as_slice(), &["--proof", proof.to_str().unwrap()]].concat();
    assert!(clnstrt(&check).ok().stdout.contains("line     2 of 4"));
    // An older checkpoint is enough to see that nothing before it was changed.
    let grown = dir.path().join("grown");
    fs::write(&grown, clnstrt(&["audit", "prove", "--since", since.to_str().unwrap()]).ok().stdout).unwrap();
    let check_grown =
        [verify.as_slice(), &["--proof", grown.to_str().unwrap(), "--checkpoint", since.to_str().unwrap()]].concat();
    assert!(clnstrt(&check_grown).ok().stdout.contains("lines    4, of which the first 2 are as they were"));
    fs::write(&grown, fs::read_to_string(&grown).unwrap().replacen("old 2", "old 3", 1)).unwrap();
    clnstrt(&check_grown).fails(1, "CS1601");
    fs::write(
        &proof,
        fs::read_to_string(&proof).unwrap().replacen("\n2\n", "\n3\n", 1).replacen("index 1", "index 2", 1),
    )
    .unwrap();
    clnstrt(&check).fails(1, "CS1601");

    let kept = dir.path().join("kept");
    fs::copy(trail.join("checkpoint"), &kept).unwrap();
    let text = fs::read_to_string(trail.join("log.jsonl")).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let join = |lines: &[&str]| lines.iter().map(|line| format!("{line}\n")).collect::<String>();
    let forged = lines[1].replace("small", "smart");
    for (name, changed, line) in [
        ("cut", text[..text.len() - 20].to_owned(), 4),
        ("lost", join(&[lines[0], lines[2], lines[3]]), 2),
        ("edited", join(&[lines[0], &forged, lines[2], lines[3]]), 2),
        ("swapped", join(&[lines[0], lines[2], lines[1], lines[3]]), 2),
        ("appended", join(&[lines[0], lines[1], lines[2], lines[3], lines[3]]), 5),
    ] {
        let copy = dir.path().join(name);
        copy_tree(&trail, &copy);
        fs::write(copy.join("log.jsonl"), changed).unwrap();
        let refused = clnstrt(&["audit", "verify", "--audit", copy.to_str().unwrap()]).fails(1, "CS1601");
        assert!(refused.stderr.contains(&format!("line {line}")), "{name}: {}", refused.stderr);
        // What was altered at its end, in the last bundle of lines, is seen before anything is done.
        let digest = format!("sha256:{}", "0".repeat(64));
        let bundle = dir.path().join(format!("{name}.json"));
        let sign = ["sign", "--image", &digest, "--key", &key, "--output-bundle", bundle.to_str().unwrap()];
        let again = clnstrt(&[sign.as_slice(), &["--audit", copy.to_str().unwrap()]].concat());
        again.fails(1, "CS1601");
        assert!(!bundle.exists(), "{name}: it was signed all the same");
    }
    // A trail that was put back to what it was does not lead to what was kept since.
    let older = dir.path().join("older");
    copy_tree(&trail, &older);
    let bundle = dir.path().join("later.json");
    let digest = format!("sha256:{}", "1".repeat(64));
    clnstrt(&["sign", "--image", &digest, "--key", &key, "--output-bundle", bundle.to_str().unwrap()]).ok();
    fs::copy(trail.join("checkpoint"), &kept).unwrap();
    clnstrt(&["audit", "verify", "--audit", older.to_str().unwrap()]).ok();
    let at = ["--audit", older.to_str().unwrap(), "--checkpoint", kept.to_str().unwrap()];
    clnstrt(&[["audit", "verify"].as_slice(), &at].concat()).fails(1, "CS1601");
    clnstrt(&["audit", "verify", "--checkpoint", kept.to_str().unwrap()]).ok();
}

/// What cannot be written down is not done.
#[test]
fn without_a_trail_nothing_is_sent() {
    let dir = scratch();
    let (_registry, port) = registry(dir.path());
    let trail = dir.path().join("trail");
    fs::write(&trail, "a file").unwrap();
    let image = format!("127.0.0.1:{port}/team/small:1.0");
    let push = ["push", SMALL.archive().to_str().unwrap(), &image].map(str::to_owned);
    let push: Vec<&str> = push.iter().map(String::as_str).collect();
    clnstrt(&trail, &push).fails(3, "CS1602");
    clnstrt(&dir.path().join("other"), &["copy", &image, &format!("127.0.0.1:{port}/x:1")]).fails(1, "CS1404");
    let long = "x".repeat(5000);
    clnstrt(&dir.path().join("other"), &[push.as_slice(), &["--reason", &long]].concat()).fails(2, "CS0907");
}
