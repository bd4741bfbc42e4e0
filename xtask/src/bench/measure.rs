use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::shell::shown;

/// One run of a program.
#[derive(Clone, Copy)]
pub(crate) struct Run {
    seconds: f64,
    peak_kib: f64,
}

/// Several runs of the same thing.
#[derive(Default)]
pub(crate) struct Series(Vec<Run>);

impl Series {
    pub(crate) fn push(&mut self, run: Run) {
        self.0.push(run);
    }

    fn sorted(&self) -> Vec<f64> {
        let mut seconds: Vec<f64> = self.0.iter().map(|run| run.seconds).collect();
        seconds.sort_by(f64::total_cmp);
        seconds
    }

    pub(crate) fn min(&self) -> f64 {
        self.sorted().first().copied().unwrap_or(f64::NAN)
    }

    pub(crate) fn median(&self) -> f64 {
        let sorted = self.sorted();
        sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
    }

    pub(crate) fn max(&self) -> f64 {
        self.sorted().last().copied().unwrap_or(f64::NAN)
    }

    pub(crate) fn peak_mib(&self) -> f64 {
        self.0.iter().map(|run| run.peak_kib).fold(0.0, f64::max) / 1024.0
    }
}

/// Runs a command under GNU time, which reports the most memory it held at once.
pub(crate) fn measured(command: &mut Command, scratch: &Path) -> Result<Run, String> {
    let report = scratch.join("time.txt");
    let mut timed = Command::new("/usr/bin/time");
    timed.args(["-f", "%M", "-o"]).arg(&report).arg(command.get_program()).args(command.get_args());
    if let Some(dir) = command.get_current_dir() {
        timed.current_dir(dir);
    }
    // What was copied for the run is on the disk before it begins, not written out meanwhile.
    let _ = Command::new("sync").status();
    let started = Instant::now();
    let output = timed.stdin(Stdio::null()).output().map_err(|e| format!("`time` could not be started: {e}"))?;
    let seconds = started.elapsed().as_secs_f64();
    if !output.status.success() {
        return Err(format!("`{}` failed:\n{}", shown(command), String::from_utf8_lossy(&output.stderr)));
    }
    let peak = std::fs::read_to_string(&report).map_err(|e| format!("{}: {e}", report.display()))?;
    let peak_kib = peak.trim().parse().map_err(|_| format!("`time` reported {peak:?}"))?;
    Ok(Run { seconds, peak_kib })
}
