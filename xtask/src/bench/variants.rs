//! 19,200 images of one template, compiled in one process: `compiler/benches/variants.rs`.

use std::collections::BTreeMap;

use super::report::Report;
use crate::shell::{self, cargo};

/// Runs the benchmark and adds what it says.
pub(super) fn run(report: &mut Report) -> Result<(), String> {
    let output =
        shell::output(&mut cargo(&["bench", "--quiet", "--package", "clnstrt-compiler", "--bench", "variants"]))?;
    let phases: BTreeMap<&str, (f64, f64)> = output.lines().filter_map(phase).collect();
    let of = |name: &str| {
        phases.get(name).copied().ok_or_else(|| format!("the benchmark says nothing of `{name}`:\n{output}"))
    };
    let (lock, load, expand, plans) = (of("lock")?, of("load")?, of("expand")?, of("plans")?);
    let edit = of("edit")?;
    report.limit("19,200 images: reading their lock, s", lock.0, f64::INFINITY);
    report.limit("19,200 images: expansion to JSON, s", expand.0, f64::INFINITY);
    report.limit("19,200 images: template to plans, s", load.0 + plans.0, 2.0);
    report.limit("19,200 images: compiled again after an edit, ms", edit.0 * 1000.0, 100.0);
    report.limit("19,200 images: peak memory, MiB", edit.1, 500.0);
    Ok(())
}

/// `name TAB seconds TAB MiB`.
fn phase(line: &str) -> Option<(&str, (f64, f64))> {
    let mut fields = line.split('\t');
    Some((fields.next()?, (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?)))
}
