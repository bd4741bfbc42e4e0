use std::path::Path;

use compiler::diff::{Change, Document, locks, plans};
use model::{Finding, codes};
use runtime::input;

use crate::args::Format;
use crate::project::unreadable;
use crate::report::{self, Failure};

/// Plans of many images lie in one file.
const MAX_BYTES: u64 = 512 << 20;

/// `diff`: what differs between two locks or the plans of two batches.
pub(super) fn run(before: &Path, after: &Path, format: Format) -> Result<(), Failure> {
    let difference = match (read(before)?, read(after)?) {
        (Document::Lock(before), Document::Lock(after)) => locks(&before, &after),
        (Document::Plans(before), Document::Plans(after)) => plans(&before, &after),
        (Document::Lock(_), Document::Plans(_)) => return Err(of_two_kinds(before, after).into()),
        (Document::Plans(_), Document::Lock(_)) => return Err(of_two_kinds(after, before).into()),
    };
    if format == Format::Json {
        return Ok(report::print_json(&difference)?);
    }
    let changes = &difference.changes;
    changes.iter().try_for_each(report::line)?;
    difference.affected.iter().try_for_each(report::line)?;
    if changes.is_empty() {
        anstream::eprintln!("no difference");
        return Ok(());
    }
    let count = |kind: fn(&Change) -> bool| changes.iter().filter(|change| kind(change)).count();
    let (added, removed) = (count(|change| change.before.is_none()), count(|change| change.after.is_none()));
    anstream::eprintln!("{added} added, {removed} removed, {} changed", changes.len() - added - removed);
    Ok(())
}

fn of_two_kinds(lock: &Path, plan: &Path) -> Finding {
    let message = format!("{} is a lock and {} a plan: they cannot be compared", lock.display(), plan.display());
    Finding::error(codes::USAGE, message).help("name two locks or two plans")
}

fn read(path: &Path) -> Result<Document, Finding> {
    let text = input::read(path, MAX_BYTES).map_err(|e| unreadable(path, &e))?;
    compiler::diff::read(&path.display().to_string(), &text)
}
