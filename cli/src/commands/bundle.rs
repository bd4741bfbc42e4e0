use std::collections::BTreeSet;

use model::Digest;
use runtime::bundle;

use super::lock::{locked, questions};
use crate::args::{BundleCommand, Format, Machine};
use crate::project::Project;
use crate::report::{self, Failure};
use crate::session::Session;

/// `bundle export` and `bundle import`.
pub(super) fn run(machine: &Machine, command: &BundleCommand, format: Format) -> Result<(), Failure> {
    let session = Session::open(machine, false)?;
    match command {
        BundleCommand::Export { config, output } => {
            let project = Project::load(&config.config, &config.select)?;
            project.check_output(output)?;
            let lock = locked(&project)?;
            let selected: BTreeSet<Digest> =
                project.images().iter().flat_map(|image| questions(&lock, image)).collect();
            let images = lock.images().map(|(asked, arch, _)| (asked, arch));
            let lock = lock.narrowed(&images.filter(|(asked, _)| selected.contains(asked)).collect());
            session.wait(session.fetcher.files(bundle::files(&lock)))?;
            session.wait(runtime::debian::fetch_proofs(&session.fetcher, &session.store, &lock))?;
            let done = bundle::export(&session.store, &lock, output)?;
            match format {
                Format::Json => report::print_json(&done)?,
                _ => {
                    report::line(format_args!("{}  {} objects, {} bytes", done.sha256, done.objects, done.bytes))?;
                }
            }
        }
        BundleCommand::Import { bundle } => {
            let done = bundle::import(&session.store, bundle)?;
            match format {
                Format::Json => report::print_json(&done)?,
                _ => report::line(format_args!("{} objects, {} bytes", done.objects, done.bytes))?,
            }
        }
    }
    Ok(())
}
