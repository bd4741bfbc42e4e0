use std::path::Path;

use model::dependencies::{Dependencies, Unsettled};
use model::text::printable;
use model::{Finding, Findings, Sources, codes};
use runtime::local;

use crate::args::Format;
use crate::report::{self, Failure};

/// `analyze-dependencies`: what a source tree asks for, and what of it is not settled.
pub(super) fn run(folder: &Path, format: Format) -> Result<(), Failure> {
    let found = inspect::dependencies::analyse(&local::manifests(folder)?);
    if found.manifests.is_empty() {
        let message = format!("{} has no manifest and no lock file that is known here", folder.display());
        return Err(Finding::error(codes::INPUT_IO, message).help("name the folder of a source tree").into());
    }
    report::print_warnings(&Sources::default(), &unread(&found));
    if format == Format::Json {
        return Ok(report::print_json(&found)?);
    }
    for manifest in &found.manifests {
        let direct = match manifest.packages.iter().filter(|package| package.direct).count() {
            _ if manifest.direct_unknown => String::new(),
            direct => format!(", {direct} of them asked for here"),
        };
        let kind = if manifest.is_lock { "lock" } else { "asks" };
        let count = manifest.packages.len();
        let line = format!("{kind:<10} {}  {count} packages{direct}", manifest.path);
        report::line(printable(&line))?;
    }
    for (word, list) in [("unpinned", &found.unpinned), ("unverified", &found.unverified)] {
        for Unsettled { path, ecosystem, name, wanted } in list {
            let line = format!("{word:<10} {} {name} {wanted}  in {path}", ecosystem.name());
            report::line(printable(&line))?;
        }
    }
    for (licence, count) in &found.licences {
        report::line(format_args!("licence    {}  {count} packages", licence.escape_debug()))?;
    }
    Ok(())
}

fn unread(found: &Dependencies) -> Findings {
    let unread = found.manifests.iter().filter_map(|manifest| {
        let read = if manifest.packages.is_empty() { "passed over" } else { "read in part" };
        let message = printable(&format!("{} is {read}: {}", manifest.path, manifest.unread.as_ref()?));
        Some(Finding::warning(codes::RECORD_UNREAD, message).help("what it names is not in the result"))
    });
    unread.collect()
}
