use std::collections::BTreeSet;
use std::time::Duration;

use model::{Finding, Findings, codes};
use runtime::store::{GcOptions, Store};

use crate::args::{Format, Machine, StoreCommand};
use crate::report::{self, Failure};
use crate::session::store_dir;

/// `store verify` and `store gc`.
pub(super) fn run(machine: &Machine, command: &StoreCommand, format: Format) -> Result<(), Failure> {
    let store = Store::open(&store_dir(machine)?)?;
    match command {
        StoreCommand::Verify => verify(&store, format),
        StoreCommand::Gc { days } => {
            let max_age = Duration::from_secs(days.saturating_mul(24 * 60 * 60));
            let done = store.gc(&GcOptions { max_age, keep: BTreeSet::new() })?;
            match format {
                Format::Json => report::print_json(&done),
                Format::Text => anstream::println!("{} objects removed, {} bytes freed", done.removed, done.bytes),
            }
            Ok(())
        }
    }
}

fn verify(store: &Store, format: Format) -> Result<(), Failure> {
    let found = store.verify()?;
    match format {
        Format::Json => report::print_json(&found),
        Format::Text => {
            anstream::println!("{} objects, {} bytes, {} damaged", found.objects, found.bytes, found.damaged.len())
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
