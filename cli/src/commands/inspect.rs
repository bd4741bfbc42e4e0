use std::path::Path;

use runtime::archive::inspect_archive;

use crate::args::Format;
use crate::report::{self, Failure};

/// `inspect`: what an OCI layout or image archive holds.
pub(super) fn run(reference: &str, format: Format) -> Result<(), Failure> {
    let path = reference.strip_prefix("oci:").unwrap_or(reference);
    let found = inspect_archive(Path::new(path))?;
    Ok(match format {
        Format::Json => report::print_json(&found),
        _ => report::data(found.to_string().as_bytes()),
    }?)
}
