//! Compiling in a room and outside of it, and a whole sealed build beside one by hand: `runtime/benches/sealed`.

use super::compiled::Image;
use crate::bench::report::Report;
use crate::shell::{self, cargo};

/// Pairs of compiles of zlib, each some seven seconds: a single pair says little.
const ROOMS: &str = "36";
/// Pairs of builds of OpenSSL, each some minutes.
const BUILDS: &str = "2";

/// Runs the benchmark and adds what it says.
pub(super) fn run(image: &Image, report: &mut Report) -> Result<(), String> {
    let mut command = cargo(&["bench", "--quiet", "--package", "clnstrt-runtime", "--bench", "sealed", "--"]);
    command.args(["fetched", "plan.json", "config/image.lock.json", ""].map(|name| image.dir.join(name)));
    let output = shell::output(command.args([ROOMS, BUILDS]))?;
    print!("{output}");
    for (name, what, limit) in [
        ("room", "zlib compiled in a room: more CPU time, %", 3.0),
        ("build", "OpenSSL, the sealed build: more time, %", 10.0),
    ] {
        let mut ratios: Vec<f64> = output.lines().filter_map(|line| ratio(line, name)).collect();
        if ratios.is_empty() {
            return Err(format!("the benchmark says nothing of `{name}`:\n{output}"));
        }
        report.limit(what, (median(&mut ratios) - 1.0) * 100.0, limit);
    }
    Ok(())
}

/// The sealed side over the plain one, of `name TAB plain seconds TAB sealed seconds`.
fn ratio(line: &str, name: &str) -> Option<f64> {
    let mut fields = line.split('\t');
    (fields.next()? == name).then_some(())?;
    let (plain, sealed): (f64, f64) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    Some(sealed / plain)
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = |at: usize| values.get(at).copied().unwrap_or(f64::NAN);
    (middle((values.len().saturating_sub(1)) / 2) + middle(values.len() / 2)) / 2.0
}
