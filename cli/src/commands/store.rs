use std::collections::BTreeSet;
use std::time::Duration;

use model::{Finding, Findings, codes};
use runtime::store::{GcOptions, Store};

use crate::args::{Format, Machine, StoreCommand};
use crate::report::{self, Failure};
use crate::session::store_dir;

/// `store verify` and `store gc`.
pub(super) fn run(machine: &Machine, command: &StoreCommand, format: Format) -> Result<(), Failure> {
    let dir = store_dir(machine)?;
    if !dir.is_dir() {
        let finding = Finding::error(codes::INPUT_IO, format!("there is no store at {}", dir.display()));
        return Err(finding.help("a build makes one; `--store DIR` or CLNSTRT_STORE names another").into());
    }
    let store = Store::open(&dir)?;
    match command {
        StoreCommand::Verify => verify(&store, format),
        StoreCommand::Gc { days } => {
            let max_age = Duration::from_secs(days.saturating_mul(24 * 60 * 60));
            let done = store.gc(&GcOptions { max_age, keep: BTreeSet::new() })?;
            Ok(match format {
                Format::Json => report::print_json(&done),
                _ => report::line(format_args!("{} objects removed, {} bytes freed", done.removed, done.bytes)),
            }?)
        }
    }
}

fn verify(store: &Store, format: Format) -> Result<(), Failure> {
    let found = store.verify()?;
    match format {
        // One document: where something is damaged, it is the findings.
        Format::Json if found.damaged.is_empty() => report::print_json(&found)?,
        Format::Json => {}
        _ => {
            let damaged = found.damaged.len();
            report::line(format_args!("{} objects, {} bytes, {damaged} damaged", found.objects, found.bytes))?;
        }
    }
    let findings: Findings = found
        .damaged
        .iter()
        .map(|digest| {
            Finding::error(codes::STORE_DAMAGED, format!("the stored object {digest} is damaged"))
                .help("the next build that needs it fetches or makes it again")
        })
        .collect();
    if findings.is_empty() { Ok(()) } else { Err(findings.into()) }
}
