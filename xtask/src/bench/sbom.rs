//! Bills of materials: of the example's image beside syft, and of a root with 2,000 packages.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::Bench;
use super::measure::{Series, measured_closely};
use super::report::{Measure, Report};
use crate::parts;
use crate::shell;

/// Packages of the made-up root, half of Debian and half of npm.
const PACKAGES: usize = 2000;

/// Compares, and adds what was measured.
pub(super) fn run(bench: &Bench, report: &mut Report) -> Result<(), String> {
    let syft = parts::go_install(&parts::SYFT)?;
    shell::run(bench.build("fetched").args(["--offline", "--locked"]))?;
    let mut ours = command(bench, &bench.cli, "generate-sbom plain.tar --output ours.cdx.json");
    let mut theirs =
        command(bench, &syft, "scan --quiet --output cyclonedx-json=theirs.cdx.json docker-archive:plain.tar");
    // Both read the same image; syft takes no compressed archive.
    shell::run(command(bench, Path::new("sh"), "-c").arg("gzip -dc image.tar.gz > plain.tar"))?;
    shell::run(&mut ours)?;
    shell::run(&mut theirs)?;
    let (found, expected) = (components(bench, "ours.cdx.json")?, components(bench, "theirs.cdx.json")?);
    println!("packages in the image: {found} by clnstrt, {expected} by syft");
    let (mut our_times, mut their_times) = (Series::default(), Series::default());
    for _ in 0..bench.runs {
        our_times.push(measured_closely(&mut ours, &bench.dir)?);
        their_times.push(measured_closely(&mut theirs, &bench.dir)?);
    }
    let wanted = [(Measure::Wall, 10.0), (Measure::Memory, 10.0)];
    report.compare("SBOM of the example: syft over clnstrt", their_times, our_times, &wanted);

    root(&bench.dir.join("root")).map_err(|e| format!("the root cannot be written: {e}"))?;
    let mut ours = command(bench, &bench.cli, "generate-sbom root --output root.cdx.json");
    shell::run(&mut ours)?;
    let found = components(bench, "root.cdx.json")?;
    if found != PACKAGES {
        return Err(format!("{found} packages are found instead of {PACKAGES}"));
    }
    let mut times = Series::default();
    for _ in 0..bench.runs {
        times.push(measured_closely(&mut ours, &bench.dir)?);
    }
    report.limit("SBOM of 2,000 packages, ms", times.median() * 1e3, 500.0);
    Ok(())
}

fn command(bench: &Bench, program: &Path, words: &str) -> Command {
    let mut command = Command::new(program);
    command.current_dir(&bench.dir).args(words.split(' '));
    command
}

/// How many components that are packages a document has.
fn components(bench: &Bench, name: &str) -> Result<usize, String> {
    let text = fs::read_to_string(bench.dir.join(name)).map_err(|e| format!("{name}: {e}"))?;
    let document: Value = serde_json::from_str(&text).map_err(|e| format!("{name}: {e}"))?;
    let components = document["components"].as_array().into_iter().flatten();
    Ok(components.filter(|component| component["purl"].is_string()).count())
}

/// A root with packages of ten files each.
fn root(root: &Path) -> std::io::Result<()> {
    let mut status = String::new();
    for number in 0..PACKAGES / 2 {
        let name = format!("package{number}");
        let _ = write!(
            status,
            "Package: {name}\nStatus: install ok installed\nMaintainer: A <a@example.com>\nArchitecture: amd64\nVersion: 1.{number}-1\nDescription: a package\n\n"
        );
        let mut list = String::new();
        for file in 0..10 {
            let path = format!("usr/share/{name}/{file}");
            put(&root.join(&path), format!("{name} {file}\n").repeat(20).as_bytes())?;
            let _ = writeln!(list, "/{path}");
        }
        put(&root.join(format!("var/lib/dpkg/info/{name}.list")), list.as_bytes())?;
        let module = root.join(format!("app/node_modules/module{number}"));
        let manifest =
            format!("{{\"name\": \"module{number}\", \"version\": \"1.{number}.0\", \"license\": \"MIT\"}}\n");
        put(&module.join("package.json"), manifest.as_bytes())?;
        for file in 0..9 {
            put(&module.join(format!("{file}.js")), format!("// {name} {file}\n").repeat(20).as_bytes())?;
        }
    }
    put(&root.join("var/lib/dpkg/status"), status.as_bytes())
}

fn put(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, bytes)
}
