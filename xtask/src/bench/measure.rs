use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::shell::shown;

/// One run of a program.
#[derive(Clone, Copy)]
pub(crate) struct Run {
    seconds: f64,
    /// Seconds of all processors together, for the program and the system on its behalf.
    cpu: f64,
    peak_kib: f64,
}

/// Several runs of the same thing.
#[derive(Clone, Default)]
pub(crate) struct Series(Vec<Run>);

impl Series {
    pub(crate) fn push(&mut self, run: Run) {
        self.0.push(run);
    }

    fn sorted(&self, of: fn(&Run) -> f64) -> Vec<f64> {
        let mut values: Vec<f64> = self.0.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        values
    }

    pub(crate) fn min(&self) -> f64 {
        self.sorted(|run| run.seconds).first().copied().unwrap_or(f64::NAN)
    }

    pub(crate) fn median(&self) -> f64 {
        middle(&self.sorted(|run| run.seconds))
    }

    pub(crate) fn median_cpu(&self) -> f64 {
        middle(&self.sorted(|run| run.cpu))
    }

    pub(crate) fn max(&self) -> f64 {
        self.sorted(|run| run.seconds).last().copied().unwrap_or(f64::NAN)
    }

    pub(crate) fn peak_mib(&self) -> f64 {
        self.0.iter().map(|run| run.peak_kib).fold(0.0, f64::max) / 1024.0
    }
}

fn middle(sorted: &[f64]) -> f64 {
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

/// GNU time reports the most memory a program held at once, and bash its times, to the millisecond. What the program itself
/// prints is not wanted.
const TIMED: &str = r#"
TIMEFORMAT='%R %U %S'
{ time /usr/bin/time --quiet -f %M -o "$1" "${@:2}" 2>&3 >/dev/null; } 3>&2 2>"$0"
"#;

/// The same, with the time that passes taken of a run by itself: for what is done in less time than starting a shell takes. A
/// program may end with any code.
pub(crate) fn measured_closely(command: &mut Command, scratch: &Path) -> Result<Run, String> {
    let mut tolerant = Command::new("sh");
    tolerant.args(["-c", r#""$0" "$@" || true"#]).arg(command.get_program()).args(command.get_args());
    tolerant.current_dir(command.get_current_dir().unwrap_or(Path::new(".")));
    let run = measured(&mut tolerant, scratch)?;
    let started = Instant::now();
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.map_err(|e| format!("`{}` could not be started: {e}", shown(command)))?;
    Ok(Run { seconds: started.elapsed().as_secs_f64(), ..run })
}

/// Runs a command and measures it.
pub(crate) fn measured(command: &mut Command, scratch: &Path) -> Result<Run, String> {
    let (times, peak) = (scratch.join("times.txt"), scratch.join("peak.txt"));
    let mut timed = Command::new("bash");
    timed.args(["-c", TIMED]).args([&times, &peak]).arg(command.get_program()).args(command.get_args());
    if let Some(dir) = command.get_current_dir() {
        timed.current_dir(dir);
    }
    // What was copied for the run is on the disk before it begins, not written out meanwhile.
    let _ = Command::new("sync").status();
    // Bash writes numbers as the locale does.
    let output = timed.env("LC_ALL", "C").stdin(Stdio::null()).output();
    let output = output.map_err(|e| format!("`bash` could not be started: {e}"))?;
    if !output.status.success() {
        return Err(format!("`{}` failed:\n{}", shown(command), String::from_utf8_lossy(&output.stderr)));
    }
    match (numbers(&times)?.as_slice(), numbers(&peak)?.as_slice()) {
        (&[seconds, user, system], &[peak_kib]) => Ok(Run { seconds, cpu: user + system, peak_kib }),
        _ => Err(format!("nothing was measured of `{}`", shown(command))),
    }
}

/// The numbers in a file, which stand between spaces.
fn numbers(path: &Path) -> Result<Vec<f64>, String> {
    let text = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
    let number = |word: &str| word.parse::<f64>().map_err(|_| format!("{} says {text:?}", path.display()));
    text.split_whitespace().map(number).collect()
}
