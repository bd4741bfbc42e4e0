//! The image of which everything is compiled that can be.

use std::path::PathBuf;
use std::process::Command;

use crate::bench::measure::{Series, measured};
use crate::bench::{Bench, copy};
use crate::shell::{self, root};

/// Its configuration with a lock, a plan, and a store of what that names.
pub(super) struct Image {
    /// Where all of it is.
    pub(super) dir: PathBuf,
    cli: PathBuf,
    runs: usize,
}

impl Image {
    /// Locks it and fetches all it needs, and builds nothing: a bundle holds fetched files only.
    pub(super) fn prepare(bench: &Bench) -> Result<Self, String> {
        let dir = bench.dir.join("sealed");
        std::fs::create_dir_all(&dir).map_err(|e| format!("{}: {e}", dir.display()))?;
        copy(&root().join("tests/e2e/configs/compiled"), &dir.join("config"))?;
        let image = Self { dir, cli: bench.cli.clone(), runs: bench.runs };
        let config = ["--config", "config/image.yaml", "--store", "first"];
        let steps: [&[&str]; 4] = [
            &[&["lock"], &config[..]].concat(),
            &[&["plan", "--output", "plan.json"], &config[..]].concat(),
            &[&["bundle", "export", "--output", "inputs.bundle"], &config[..]].concat(),
            &["bundle", "import", "--store", "fetched", "inputs.bundle"],
        ];
        for step in steps {
            shell::run(Command::new(&image.cli).args(step).current_dir(&image.dir))?;
        }
        Ok(image)
    }

    /// Builds it, and then again and again.
    pub(super) fn unchanged(&self) -> Result<Series, String> {
        copy(&self.dir.join("fetched"), &self.dir.join("built"))?;
        shell::run(&mut self.build())?;
        let mut series = Series::default();
        for _ in 0..self.runs {
            series.push(measured(&mut self.build(), &self.dir)?);
        }
        Ok(series)
    }

    fn build(&self) -> Command {
        let mut command = Command::new(&self.cli);
        command.args([
            "build",
            "--config",
            "config/image.yaml",
            "--store",
            "built",
            "--audit",
            "audit",
            "--offline",
            "--locked",
        ]);
        command.args(["--output", "image.tar.gz"]).current_dir(&self.dir);
        command
    }
}
