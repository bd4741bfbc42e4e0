//! What sealed execution costs: starting a room, compiling in one, a whole sealed build, and the compiled image built again.

mod compiled;
mod overhead;
mod start;

use super::Bench;
use super::report::Report;

/// Measures all of it and adds it to the report.
pub(super) fn run(bench: &Bench, report: &mut Report) -> Result<(), String> {
    start::run(report)?;
    let image = compiled::Image::prepare(bench)?;
    report.limit("the compiled image, nothing changed, ms", image.unchanged()?.median() * 1e3, 150.0);
    overhead::run(&image, report)
}
