use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::Instant;

use crate::shell::{self, cargo, root, shown};
use crate::tally::Tally;
use crate::{fuzz, parts};

/// `test [--full] [FILTER]`.
pub(crate) fn run(args: &[&str]) -> Result<(), String> {
    let (options, words): (Vec<&str>, Vec<&str>) = args.iter().copied().partition(|word| word.starts_with("--"));
    match (options.as_slice(), words.as_slice()) {
        ([], []) => tests(false, None),
        ([], [filter]) => tests(false, Some(filter)),
        (["--full"], []) => tests(true, None).and_then(|()| fuzz::full()),
        (["--full"], [filter]) => tests(true, Some(filter)),
        _ => Err("usage: cargo xtask test [--full] [FILTER]".to_owned()),
    }
}

fn tests(full: bool, filter: Option<&str>) -> Result<(), String> {
    let started = Instant::now();
    parts::install(parts::TESTS);
    for part in [parts::OPA, parts::COSIGN, parts::CRANE] {
        if let Err(words) = parts::go_install(&part) {
            println!("not installed: {words}");
        }
    }
    for install in [parts::sbom_validators, parts::cargo_auditable, parts::lister] {
        if let Err(words) = install() {
            println!("not installed: {words}");
        }
    }
    // What the mirror recorded of documents that change (indexes, release files) is fetched once a run.
    let _ = std::fs::remove_dir_all(root().join("target/mirror/run"));
    // The end-to-end tests start the binaries, which `cargo test` alone would not bring up to date.
    shell::run(&mut cargo(&["build", "--workspace", "--bins"]))?;

    let mut command = cargo(&["test", "--workspace", "--no-fail-fast"]);
    command.args(filter).args(["--", "--show-output"]);
    if full {
        command.env("CLNSTRT_FULL", "1");
    }
    println!("$ {}{}", if full { "CLNSTRT_FULL=1 " } else { "" }, shown(&command));
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("cargo could not be started: {error}"))?;
    let mut tally = Tally::default();
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).split(b'\n') {
            let line = line.map_err(|error| format!("cargo's output could not be read: {error}"))?;
            let line = String::from_utf8_lossy(&line);
            println!("{line}");
            tally.line(line.trim_end_matches('\r'));
        }
    }
    let status = child.wait().map_err(|error| format!("cargo did not end: {error}"))?;
    if !status.success() && tally.failed == 0 {
        println!(
            "cargo ended with {status} though no test failed: something did not compile, or a test binary crashed"
        );
        tally.failed = 1;
    }
    let tier = if full { "the full tier" } else { "the standard tier" };
    println!("{tier} took {} s", started.elapsed().as_secs());
    println!("{tally}");
    if tally.failed == 0 { Ok(()) } else { Err("tests failed".to_owned()) }
}
