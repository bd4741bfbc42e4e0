use files::archive::inspect_archive;

use crate::args::{Format, Machine};
use crate::located::located;
use crate::report::{self, Failure};

/// `inspect`: what an OCI layout, an image archive, or a name in a registry holds.
pub(super) fn run(machine: &Machine, reference: &str, format: Format) -> Result<(), Failure> {
    let found = inspect_archive(located(machine, reference, None)?.path())?;
    Ok(match format {
        Format::Json => report::print_json(&found),
        _ => report::data(found.to_string().as_bytes()),
    }?)
}
