use std::path::Path;

use model::Finding;

use super::folder::{Folder, broken};
use super::lines::Lines;
use super::{checkpoint, public_key};
use crate::Record;

/// Goes through the records of a log with the numbers of their lines. Only their form is looked at; [`verify`](crate::verify)
/// says whether they are what was written.
///
/// # Errors
/// `AUDIT_UNUSABLE`, `AUDIT_BROKEN`: at once if there is no log, and for each line that cannot be read.
pub fn records(dir: &Path, mut each: impl FnMut(u64, Record) -> Result<(), Finding>) -> Result<(), Finding> {
    let folder = Folder::at(dir);
    let _lock = folder.lock_shared()?;
    let (checkpoint, _) = checkpoint(&folder, &public_key(&folder)?)?;
    // A line that is being written is none yet.
    let mut shown = 0;
    for (line, number) in Lines::of(&folder)?.zip(1..=checkpoint.size) {
        let record = Record::parse(&line?.bytes).map_err(|why| {
            broken(format!("line {number} of the audit trail is not a record")).because(why.to_string())
        })?;
        each(number, record)?;
        shown = number;
    }
    if shown == checkpoint.size {
        return Ok(());
    }
    Err(broken(format!("the audit trail has {shown} lines, and {} were signed", checkpoint.size)))
}
