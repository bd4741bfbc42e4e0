//! Policies: ten rules over an image of 2,000 packages beside the Open Policy Agent and conftest, and the production policy over
//! 19,200 images: `policy/benches/ask`.

#[path = "../../../policy/benches/ask/facts.rs"]
mod facts;

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::Bench;
use super::measure::{Series, measured_closely};
use super::report::{Measure, Report};
use crate::parts;
use crate::shell::{self, cargo, root};

const PACKAGE: &str = "clnstrt.policy.bench";

/// Compares, and adds what was measured.
pub(super) fn run(bench: &Bench, report: &mut Report) -> Result<(), String> {
    let (opa, conftest) = (parts::go_install(&parts::OPA)?, parts::go_install(&parts::CONFTEST)?);
    let folder = bench.dir.join("policy");
    fs::create_dir_all(folder.join("rules")).map_err(|e| format!("{}: {e}", folder.display()))?;
    let write = |name: &str, text: &str| fs::write(folder.join(name), text).map_err(|e| format!("{name}: {e}"));
    let example = root().join("stdlib/policies/example.compile.json");
    let example = fs::read_to_string(&example).map_err(|e| format!("{}: {e}", example.display()))?;
    write("facts.json", &facts::facts(&example, 0, facts::PACKAGES).to_string())?;
    write("rules/rules.rego", include_str!("../../../policy/benches/ask/rules.rego"))?;

    let query = format!("data.{PACKAGE}.deny");
    let mut evals = [
        command(&folder, &bench.cli, "policy eval --format json --policy rules --facts facts.json"),
        command(&folder, &opa, &format!("eval --format json --data rules --input facts.json {query}")),
        command(&folder, &conftest, &format!("test --output json --policy rules --namespace {PACKAGE} facts.json")),
    ];
    let found: [fn(&Value) -> usize; 3] = [
        |ours| ours["findings"].as_array().map_or(0, Vec::len),
        |opa| opa["result"][0]["expressions"][0]["value"].as_array().map_or(0, Vec::len),
        |conftest| conftest[0]["failures"].as_array().map_or(0, Vec::len),
    ];
    for (eval, found) in evals.iter_mut().zip(found) {
        let printed = printed(eval)?;
        let said = serde_json::from_str(&printed).map_or(0, |printed| found(&printed));
        if said != facts::SAID {
            return Err(format!("{said} findings instead of {}: {}", facts::SAID, shell::shown(eval)));
        }
    }
    let mut times = [Series::default(), Series::default(), Series::default()];
    for _ in 0..bench.runs.max(11) {
        for (eval, times) in evals.iter_mut().zip(&mut times) {
            times.push(measured_closely(eval, &bench.dir)?);
        }
    }
    let [ours, of_opa, of_conftest] = times;
    report.compare("ten rules, 2,000 packages: opa eval over clnstrt", of_opa, ours.clone(), &[(Measure::Wall, 3.0)]);
    report.compare("ten rules, 2,000 packages: conftest over clnstrt", of_conftest, ours, &[(Measure::Wall, 3.0)]);

    let (rules, images) = asked()?;
    let theirs = shell::output(&mut command(
        &folder,
        &opa,
        &format!("bench --format json --data rules --input facts.json {query}"),
    ))?;
    let theirs: Value = serde_json::from_str(&theirs).map_err(|e| format!("`opa bench` printed no JSON: {e}"))?;
    let (Some(times), Some(nanoseconds)) = (theirs["N"].as_f64(), theirs["T"].as_f64()) else {
        return Err(format!("`opa bench` says no times: {theirs}"));
    };
    report.limit("the same, evaluation alone over that of `opa bench`", rules / (nanoseconds / times / 1e9), 1.0);
    report.limit("the production policy over 19,200 images, two cores, s", images, 5.0);
    Ok(())
}

/// Seconds for ten rules over 2,000 packages, and for the production policy over all images.
fn asked() -> Result<(f64, f64), String> {
    let output = shell::output(&mut cargo(&["bench", "--quiet", "--package", "clnstrt-policy", "--bench", "ask"]))?;
    let of = |name: &str| {
        let line = output.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('\t')?.parse().ok());
        line.ok_or_else(|| format!("the benchmark says nothing of `{name}`:\n{output}"))
    };
    Ok((of("rules")?, of("images")?))
}

/// What a program prints; it says by its exit code that rules refuse, which is no failure here.
fn printed(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|e| format!("`{}` could not be started: {e}", shell::shown(command)))?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn command(folder: &Path, program: &Path, words: &str) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder).args(words.split(' '));
    command
}
