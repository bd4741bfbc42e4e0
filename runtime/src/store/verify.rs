//! Checks every object and record.

use std::io;
use std::path::Path;

use files::input;
use model::{Digest, Finding};
use rayon::prelude::*;

use super::{Store, named, objects, record};

/// What a check of the whole store found.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Report {
    /// Objects and records read.
    pub objects: u64,
    /// Their size in bytes.
    pub bytes: u64,
    /// Objects (by digest) and records (by key) that are not what they should be, sorted.
    pub damaged: Vec<Digest>,
    /// Unfinished work of killed processes that opening the store removed, and files that do not belong there.
    pub leftovers: usize,
}

enum Checked {
    Whole(u64),
    Damaged(Digest),
    Foreign,
    Gone,
}

impl Store {
    /// Reads and checks every object and record, on all processors.
    ///
    /// # Errors
    /// `STORE_IO` where the store cannot be listed; what cannot be read is damaged.
    pub fn verify(&self) -> Result<Report, Finding> {
        let list = |part: &str| {
            objects(&self.root.join(part)).map_err(|e| self.failed(&format!("{part} cannot be listed"), &e))
        };
        let blobs = list("blobs/sha256")?;
        let mut records = list("actions")?;
        records.extend(list("metadata")?);
        let mut checked: Vec<Checked> = blobs.par_iter().map(|path| check_blob(path)).collect();
        checked.par_extend(records.par_iter().map(|path| check_record(path)));
        let mut report = Report { leftovers: self.staging.leftovers, ..Report::default() };
        for result in checked {
            match result {
                Checked::Whole(size) => (report.objects, report.bytes) = (report.objects + 1, report.bytes + size),
                Checked::Damaged(digest) => report.damaged.push(digest),
                Checked::Foreign => report.leftovers += 1,
                Checked::Gone => {}
            }
        }
        report.damaged.sort();
        Ok(report)
    }
}

fn check_blob(path: &Path) -> Checked {
    let Some(digest) = named(path) else {
        return Checked::Foreign;
    };
    match input::hash(path) {
        Ok((found, size)) if found == digest => Checked::Whole(size),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Checked::Gone,
        _ => Checked::Damaged(digest),
    }
}

fn check_record(path: &Path) -> Checked {
    let Some(key) = named(path) else {
        return Checked::Foreign;
    };
    match record::check(path, &key) {
        Some(content) => Checked::Whole(content.len() as u64),
        None if path.exists() => Checked::Damaged(key),
        None => Checked::Gone,
    }
}
