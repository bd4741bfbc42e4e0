use std::path::Path;

use compiler::diff::{Change, locks, plans};
use model::lock::Lock;
use model::plan::Plan;
use model::{Finding, codes};
use runtime::input;

use crate::args::Format;
use crate::project::unreadable;
use crate::report::{self, Failure};

/// `diff`: what differs between two locks or two plans.
pub(super) fn run(before: &Path, after: &Path, format: Format) -> Result<(), Failure> {
    let changes = match (read(before)?, read(after)?) {
        (Document::Lock(before), Document::Lock(after)) => locks(&before, &after),
        (Document::Plan(before), Document::Plan(after)) => plans(&before, &after),
        _ => {
            let message = "a lock and a plan cannot be compared with one another";
            return Err(Finding::error(codes::USAGE, message).help("name two locks or two plans").into());
        }
    };
    if format == Format::Json {
        return Ok(report::print_json(&changes)?);
    }
    changes.iter().try_for_each(report::line)?;
    let count = |kind: fn(&Change) -> bool| changes.iter().filter(|change| kind(change)).count();
    let (added, removed) = (count(|change| change.before.is_none()), count(|change| change.after.is_none()));
    anstream::eprintln!("{} added, {removed} removed, {} changed", added, changes.len() - added - removed);
    Ok(())
}

enum Document {
    Lock(Box<Lock>),
    Plan(Box<Plan>),
}

/// A lock or a plan: told apart by content.
fn read(path: &Path) -> Result<Document, Finding> {
    let text = input::read(path, model::lock::MAX_BYTES).map_err(|e| unreadable(path, &e))?;
    if let Ok(plan) = serde_json::from_slice::<Plan>(&text) {
        let refused = |e: model::plan::PlanError| {
            Finding::error(codes::LOCK_INCONSISTENT, format!("{} is no plan of this version: {e}", path.display()))
                .help("make it again: `clnstrt-cli plan`")
        };
        return plan.check().map(|()| Document::Plan(Box::new(plan))).map_err(refused);
    }
    Lock::from_text(&text).map(|lock| Document::Lock(Box::new(lock))).map_err(|why| {
        let message = format!("{} is neither a plan nor a lock this version can read: {why}", path.display());
        Finding::error(codes::LOCK_UNREADABLE, message).help("name two locks (`image.lock.json`), or two plans")
    })
}
