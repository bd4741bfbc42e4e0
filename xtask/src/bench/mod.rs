//! `bench`: builds of the example beside other projects' tools doing the nearest thing, in one run; and what being sealed
//! costs.

mod expansion;
mod measure;
mod peers;
mod policy;
mod push;
mod report;
mod sbom;
mod sealed;
mod variants;
mod verify;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use measure::{Series, measured};
use report::Report;

use crate::parts;
use crate::shell::{self, cargo, root};

/// `bench [--runs N] [sealed|policy|sbom|push|verify]`.
pub(crate) fn run(args: &[&str]) -> Result<(), String> {
    let (runs, rest) = match args {
        ["--runs", number, rest @ ..] => {
            (number.parse().map_err(|_| format!("`{number}` is no number of runs"))?, rest)
        }
        rest => (5, rest),
    };
    let all = rest.is_empty();
    let wants = |name: &str| all || rest == [name];
    if !all && !["sealed", "policy", "sbom", "push", "verify"].iter().any(|name| wants(name)) {
        return Err("usage: cargo xtask bench [--runs N] [sealed|policy|sbom|push|verify]".to_owned());
    }
    parts::install(parts::BENCH);
    shell::run(&mut cargo(&["build", "--release", "--package", "clnstrt-cli", "--package", "clnstrt-verify"]))?;
    let bench = Bench::empty(runs)?;
    let mut report = Report::default();
    if wants("sbom") || wants("push") || wants("verify") {
        bench.lock_example()?;
    }
    if all {
        compare(&bench, &mut report)?;
    }
    if wants("sbom") {
        sbom::run(&bench, &mut report)?;
    }
    if wants("push") {
        push::run(&bench, &mut report)?;
    }
    if wants("verify") {
        verify::run(&bench, &mut report)?;
    }
    if wants("sealed") {
        sealed::run(&bench, &mut report)?;
    }
    if wants("policy") {
        policy::run(&bench, &mut report)?;
    }
    print!("{report}");
    Ok(())
}

/// Builds, and what is compiled into plans, beside other tools.
fn compare(bench: &Bench, report: &mut Report) -> Result<(), String> {
    let imported = bench.cold("imported")?;
    let cold = bench.cold("fetched")?;
    report.limit("peak memory, MiB", cold.peak_mib(), 300.0);
    let unchanged = bench.unchanged()?;
    let lock = bench.lock()?;
    report.limit("a build with nothing changed, ms", unchanged.median() * 1e3, 100.0);
    report.limit("a lock on warm metadata, ms", lock.median() * 1e3, 300.0);
    report.limit("the release binary, MB", size(&bench.cli)? / 1e6, 40.0);

    let tree = peers::unpacked(bench)?;
    let (umoci, umoci_size) = peers::umoci(bench, &tree)?;
    let (buildah, buildah_size) = peers::buildah(bench, &tree)?;
    let mmdebstrap = peers::mmdebstrap(bench)?;
    let ours = peers::layer_bytes(&bench.layout())?;
    report.rows.extend([
        ("clnstrt: build, cold action cache", cold),
        ("clnstrt: build from an imported bundle", imported),
        ("clnstrt: build, nothing changed", unchanged),
        ("clnstrt: lock, warm metadata", lock),
        ("umoci: repack of the same tree", umoci),
        ("buildah: add and commit of the same tree", buildah),
        ("mmdebstrap: extract of the base, downloads included", mmdebstrap),
    ]);
    variants::run(report)?;
    expansion::run(bench, report)?;
    report.size("umoci", umoci_size / ours);
    report.size("buildah", buildah_size / ours);
    Ok(())
}

/// Everything the measurements start from, below `target/bench`.
pub(crate) struct Bench {
    pub(crate) dir: PathBuf,
    pub(crate) cli: PathBuf,
    pub(crate) runs: usize,
}

impl Bench {
    fn empty(runs: usize) -> Result<Self, String> {
        let dir = root().join("target/bench");
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(&dir).map_err(|e| format!("{}: {e}", dir.display()))?;
        Ok(Self { dir, cli: root().join("target/release/clnstrt-cli"), runs })
    }

    /// Locks the example and fetches all it needs, and builds nothing. The same once more by way of a bundle, which holds
    /// the fetched files and nothing that was made of them.
    fn lock_example(&self) -> Result<(), String> {
        copy(&root().join("docs/examples/python-fastapi"), &self.dir.join("config"))?;
        let _ = fs::remove_file(self.dir.join("config/image.lock.json"));
        let config = ["--config", "config/image.yaml", "--store", "fetched"];
        let steps: [&[&str]; 3] = [
            &[&["lock"], &config[..]].concat(),
            &[&["bundle", "export", "--output", "inputs.bundle"], &config[..]].concat(),
            &["bundle", "import", "--store", "imported", "inputs.bundle"],
        ];
        for step in steps {
            shell::run(Command::new(&self.cli).args(step).current_dir(&self.dir))?;
        }
        Ok(())
    }

    /// A build of one architecture with a store below the folder of the benchmark.
    fn build(&self, store: &str) -> Command {
        let mut command = Command::new(&self.cli);
        command.args(["build", "--config", "config/image.yaml", "--arch", "amd64", "--output", "image.tar.gz"]);
        command.args(["--store", store, "--audit", "audit"]).current_dir(&self.dir);
        command
    }

    /// From configuration to archive, beginning with a copy of a store.
    fn cold(&self, from: &str) -> Result<Series, String> {
        let mut series = Series::default();
        for run in 0..self.runs {
            // A new name each time, and none removed before the last: file systems put off reusing what was just freed.
            let store = format!("{from}-{run}");
            copy(&self.dir.join(from), &self.dir.join(&store))?;
            series.push(measured(self.build(&store).args(["--offline", "--locked"]), &self.dir)?);
        }
        Ok(series)
    }

    /// The first of those builds again.
    fn unchanged(&self) -> Result<Series, String> {
        let mut series = Series::default();
        for _ in 0..self.runs {
            series.push(measured(self.build("fetched-0").args(["--offline", "--locked"]), &self.dir)?);
        }
        Ok(series)
    }

    /// The example's lock made anew from metadata at hand.
    fn lock(&self) -> Result<Series, String> {
        let mut series = Series::default();
        let file = self.dir.join("config/image.lock.json");
        for _ in 0..self.runs {
            fs::remove_file(&file).map_err(|e| format!("{}: {e}", file.display()))?;
            let mut command = Command::new(&self.cli);
            command
                .args(["lock", "--config", "config/image.yaml", "--store", "fetched", "--offline"])
                .current_dir(&self.dir);
            series.push(measured(&mut command, &self.dir)?);
        }
        Ok(series)
    }

    /// The built archive, unpacked.
    pub(crate) fn layout(&self) -> PathBuf {
        self.dir.join("layout")
    }
}

/// Copies a directory.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<(), String> {
    let status = Command::new("cp").args(["-a", "--"]).arg(from).arg(to).status();
    if status.is_ok_and(|status| status.success()) {
        Ok(())
    } else {
        Err(format!("{} could not be copied", from.display()))
    }
}

fn size(path: &Path) -> Result<f64, String> {
    fs::metadata(path).map(|metadata| metadata.len() as f64).map_err(|e| format!("{}: {e}", path.display()))
}
