//! `fuzz`: runs the fuzz targets of `tests/fuzz`, each for a while, beginning with the cases of the tests.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::shell::{self, cargo, root};

/// Seconds each target runs unless told.
const SECONDS: u32 = 30;
/// Seconds each target of the language and of the verifier runs in the full tier.
const LONG_SECONDS: u32 = 600;
/// What people write: the tree of YAML, expressions, versions, templates, and the form of documents.
const LANGUAGE: &[&str] = &["config", "expression", "version", "template", "format", "policy"];
/// Targets of what the runtime reads.
const RUNTIME: &[&str] = &["lock", "release"];

/// Targets of what the verifier reads.
const VERIFIER: &[&str] = &["bundle", "claim", "envelope", "index", "manifest", "statement"];

/// Folders below `tests/` whose files a target begins with.
const SEEDS: &[(&str, &[&str])] = &[
    ("config", &["compile/config/ok", "compile/config/err", "grammar/ok", "grammar/err", "compile/half-typed"]),
    ("expression", &["compile/template/ok", "compile/template/err"]),
    ("format", &["compile/config/ok", "grammar/ok", "grammar/err", "compile/half-typed"]),
    ("policy", &["policy/check", "policy/hostile", "policy/reads"]),
    ("template", &["compile/template/ok", "compile/template/err"]),
    ("debian_control", &["debian"]),
    ("debian_index", &["debian"]),
    ("lock", &["compile/plan/python-two-architectures"]),
    ("pypi", &["compile/plan/recorded/pypi"]),
    ("release", &["openpgp"]),
];

/// `fuzz [--seconds N] [TARGET]`.
pub(crate) fn run(args: &[&str]) -> Result<(), String> {
    let (seconds, target) = match args {
        [] => (SECONDS, None),
        [target] if !target.starts_with('-') => (SECONDS, Some(*target)),
        ["--seconds", seconds, rest @ ..] if rest.len() < 2 => {
            let seconds = seconds.parse().map_err(|_| format!("`{seconds}` is no number of seconds"))?;
            (seconds, rest.first().copied())
        }
        _ => return Err("usage: cargo xtask fuzz [--seconds N] [TARGET]".to_owned()),
    };
    all(target, |_| seconds)
}

/// Every target, those of the language and of the verifier for longer.
pub(crate) fn full() -> Result<(), String> {
    all(None, |target| if [LANGUAGE, VERIFIER].concat().contains(&target) { LONG_SECONDS } else { SECONDS })
}

fn all(only: Option<&str>, seconds: impl Fn(&str) -> u32) -> Result<(), String> {
    let tool = root().join("target/tools/bin/cargo-fuzz");
    if !tool.is_file() {
        shell::run(&mut cargo(&["install", "--quiet", "--locked", "--root", "target/tools", "cargo-fuzz"]))?;
    }
    let mut targets = targets()?;
    targets.retain(|target| only.is_none_or(|only| only == target));
    if targets.is_empty() {
        return Err(format!("no target is named {:?}", only.unwrap_or_default()));
    }
    for target in targets {
        let corpus = root().join("target/fuzz/corpus").join(&target);
        fs::create_dir_all(&corpus).map_err(|e| format!("{}: {e}", corpus.display()))?;
        let mut command = Command::new(&tool);
        command.args(["run", "--fuzz-dir", "tests/fuzz", "--target-dir", "target/fuzz"]);
        for (feature, targets) in [("runtime", RUNTIME), ("verifier", VERIFIER)] {
            command.args(targets.contains(&target.as_str()).then(|| format!("--features={feature}")));
        }
        command.arg(&target).arg(&corpus);
        let kept = root().join("tests/fuzz/corpus").join(&target);
        command.args(kept.is_dir().then_some(kept));
        let seeds = SEEDS.iter().filter(|(name, _)| *name == target).flat_map(|(_, folders)| folders.iter());
        command.args(seeds.map(|folder| root().join("tests").join(folder)));
        command.args(["--", "-timeout=10", "-rss_limit_mb=2048", "-print_final_stats=1"]);
        command.arg(format!("-max_total_time={}", seconds(&target)));
        // The sanitizer's flags are not stable yet; the compiler is.
        shell::run(command.env("RUSTC_BOOTSTRAP", "1").current_dir(root()))?;
    }
    Ok(())
}

fn targets() -> Result<Vec<String>, String> {
    let folder = root().join("tests/fuzz/targets");
    let entries = fs::read_dir(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let stem = |path: PathBuf| path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let mut targets: Vec<String> = entries.flatten().filter_map(|entry| stem(entry.path())).collect();
    targets.sort();
    Ok(targets)
}
