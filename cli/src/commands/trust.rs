use ::trust::Trust;

use crate::args::Format;
use crate::report::{self, Failure};

/// `trust`: the keys upstreams are believed by, with scope, validity and reason.
pub(super) fn run(format: Format) -> Result<(), Failure> {
    let trust = Trust::builtin()?;
    match format {
        Format::Json => report::print_json(&trust.keys)?,
        _ => trust.keys.iter().try_for_each(report::line)?,
    }
    Ok(())
}
