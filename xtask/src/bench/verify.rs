//! The example's image with its signature and five attestations: judged in a registry on this machine beside cosign, and in a
//! layout beside what only hashes its blobs.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use super::Bench;
use super::measure::{Series, measured, measured_closely};
use super::push::{EVIDENCE, Registry, shell_of, signed};
use super::report::{Measure, Report};
use crate::parts;
use crate::shell;

/// Compares, and adds what was measured.
pub(super) fn run(bench: &Bench, report: &mut Report) -> Result<(), String> {
    parts::install(&[parts::DOCKER_REGISTRY]);
    let cosign = parts::go_install(&parts::COSIGN)?;
    let crane = parts::go_install(&parts::CRANE)?;
    signed(bench, &cosign, &crane)?;
    let sh = |script: &str| shell_of(bench, &cosign, &crane, script);
    shell::run(&mut sh("openssl pkey -in plain.key -pubout -out plain.pub"))?;
    let registry = Registry::start(&bench.dir)?;
    let image = format!("{}/app:1", registry.address);
    shell::run(&mut sh(&format!("\"$CLNSTRT\" push oci:signed {image}")))?;
    let verifier = bench.cli.with_file_name("clnstrt-verify");
    let demands = ["--key", "plain.pub", "--require-signature", "--require-sbom", "--require-provenance"];
    let ours = |image: &str, more: &[&str]| {
        let mut command = Command::new(&verifier);
        command.arg(image).args(demands).args(more).current_dir(&bench.dir);
        command
    };
    let options = "--key plain.pub --insecure-ignore-tlog --allow-http-registry";
    let attestations = EVIDENCE
        .iter()
        .take(4)
        .map(|(_, kind, _)| format!("\"$COSIGN\" verify-attestation {options} --type {kind} {image} > attested\n"));
    let theirs = format!("\"$COSIGN\" verify {options} {image} > verified\n") + &attestations.collect::<String>();
    let (mut by_us, mut by_cosign, mut asked) = (Series::default(), Series::default(), Vec::new());
    for _ in 0..bench.runs {
        let before = registry.asked()?.len();
        by_us.push(measured(&mut ours(&image, &[]), &bench.dir)?);
        asked = registry.asked()?.split_off(before);
        by_cosign.push(measured(&mut sh(&theirs), &bench.dir)?);
    }
    let wanted = [(Measure::Wall, 20.0), (Measure::Memory, 5.0)];
    report.compare("cosign: verify and 4 verify-attestation, over clnstrt-verify", by_cosign, by_us, &wanted);
    let mut times: BTreeMap<&String, usize> = BTreeMap::new();
    asked.iter().for_each(|request| *times.entry(request).or_default() += 1);
    println!("requests: {}", asked.len());
    report.limit("what was asked for more than once", times.values().filter(|times| **times > 1).count() as f64, 0.0);

    let mut manifests = Series::default();
    for _ in 0..bench.runs.max(11) {
        let mut command = ours("oci:signed", &["--offline", "--manifests-only"]);
        manifests.push(measured_closely(&mut command, &bench.dir)?);
    }
    report.limit("offline from a layout, manifests alone, ms", manifests.median() * 1e3, 10.0);
    let (mut hashed, mut summed) = (Series::default(), Series::default());
    for _ in 0..bench.runs.max(11) {
        hashed.push(measured_closely(&mut ours("oci:signed", &["--offline"]), &bench.dir)?);
        let mut sha256sum = Command::new("sh");
        sha256sum.args(["-c", "exec sha256sum signed/blobs/sha256/* > sums"]).current_dir(&bench.dir);
        summed.push(measured_closely(&mut sha256sum, &bench.dir)?);
    }
    report.limit("offline with every blob hashed, over sha256sum", hashed.median() / summed.median(), 1.2);
    let size = fs::metadata(&verifier).map_err(|e| format!("{}: {e}", verifier.display()))?.len();
    report.limit("the release binary of clnstrt-verify, MB", size as f64 / 1e6, 15.0);
    Ok(())
}
