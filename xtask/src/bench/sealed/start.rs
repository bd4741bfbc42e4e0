//! From the start of a room to the end of `/bin/true` in it: `sandbox/benches/start.rs`.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::bench::report::Report;
use crate::shell::{self, cargo};

const RUNS: &str = "100";
/// Layers of the room's root directory.
const LAYERS: &str = "50";

/// What was compiled just before removed many files, and for a while after that ext4 makes directories slowly.
const SETTLING: Duration = Duration::from_secs(60);

/// Runs the benchmark and adds what it says.
pub(super) fn run(report: &mut Report) -> Result<(), String> {
    shell::run(&mut cargo(&["bench", "--quiet", "--package", "clnstrt-sandbox", "--bench", "start", "--no-run"]))?;
    std::thread::sleep(SETTLING);
    let words = ["bench", "--quiet", "--package", "clnstrt-sandbox", "--bench", "start", "--", RUNS, LAYERS];
    let output = shell::output(&mut cargo(&words))?;
    let medians: BTreeMap<&str, f64> = output.lines().filter_map(line).collect();
    let of = |name: &str| {
        medians.get(name).copied().ok_or_else(|| format!("the benchmark says nothing of `{name}`:\n{output}"))
    };
    let (room, bwrap, runc) = (of("room")?, of("bwrap")?, of("runc")?);
    report.limit("/bin/true in a room of 50 layers, p50 ms", room, 5.0);
    report.limit("the same over bwrap's time, one layer read-only", room / bwrap, 1.0);
    report.limit("the same over runc's time, one layer read-only", room / runc, 1.0);
    report.limit("/bin/true in no room, p50 ms", of("alone")?, f64::INFINITY);
    Ok(())
}

/// `name TAB layers TAB median TAB percentile`.
fn line(line: &str) -> Option<(&str, f64)> {
    let fields: Vec<&str> = line.split('\t').collect();
    match fields.as_slice() {
        [name, LAYERS, median, _] => Some((name, median.parse().ok()?)),
        _ => None,
    }
}
