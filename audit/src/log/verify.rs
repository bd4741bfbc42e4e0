//! Whether a log is what its checkpoint signs: every line is read again, one at a time.

use std::path::Path;

use model::{Digest, Finding, Findings};

use super::folder::{Folder, broken};
use super::lines::{Line, Lines};
use super::pending::{PENDING, Pending};
use super::{checkpoint, diagnose, public_key, tiles};
use crate::note::VerifierKey;
use crate::tile::{self, Growing, LARGEST_TILE, Tile, WIDTH};
use crate::tree::{self, Edge};
use crate::{Checkpoint, Record};

/// A log that is what its checkpoint signs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The key the log is signed with. Unless the caller named it, nobody has said whose it is.
    pub key: VerifierKey,
    /// What is signed.
    pub checkpoint: Checkpoint,
    /// The note that it is in. Whoever keeps it elsewhere knows later if the log was rewritten.
    pub note: String,
    /// Whether a writer was killed: the next one completes the line it promised.
    pub is_unfinished: bool,
}

/// Reads a log and holds every line, tile and bundle against its checkpoint: one of the `trusted` key, or else of the key
/// beside the log. `older` is the note of a checkpoint that was kept elsewhere; the log has to begin with what it signs.
///
/// # Errors
/// `AUDIT_BROKEN`, naming the first line that is wrong; `AUDIT_UNUSABLE`.
pub fn verify(dir: &Path, trusted: Option<&VerifierKey>, older: Option<&str>) -> Result<Verified, Findings> {
    let folder = Folder::at(dir);
    let _lock = folder.lock_shared()?;
    check(&folder, trusted, older)
}

pub(super) fn check(folder: &Folder, trusted: Option<&VerifierKey>, older: Option<&str>) -> Result<Verified, Findings> {
    let key = trusted.map_or_else(|| public_key(folder), |key| Ok(key.clone()))?;
    let (checkpoint, note) = checkpoint(folder, &key)?;
    let older = older
        .map(|note| Checkpoint::open(note, &key))
        .transpose()
        .map_err(|why| broken(format!("the older checkpoint is not one of {}", key.name())).because(why.to_string()))?;
    let mut read = Reading::default();
    for (line, number) in Lines::of(folder)?.zip(1..=checkpoint.size) {
        read.line(folder, number, &line?, older.as_ref())?;
    }
    read.finish(folder)?;
    let shortened = older.as_ref().filter(|older| older.size > checkpoint.size).map(|older| {
        broken(format!(
            "the audit trail was shortened: it has {} lines, and an older checkpoint has {}",
            checkpoint.size, older.size
        ))
    });
    let mut findings: Findings = shortened.into_iter().collect();
    let is_whole = read.edge.size() == checkpoint.size && read.edge.root() == checkpoint.root;
    let mut is_unfinished = false;
    if is_whole {
        findings.extend(read.wrong.take());
        findings.extend(read.altered.take());
        findings.extend(older.filter(|older| !read.begins_with(older) && older.size <= checkpoint.size).map(|older| {
            broken(format!(
                "the audit trail was rewritten: its first {} lines are not those of an older checkpoint",
                older.size
            ))
        }));
        match unfinished(folder, &key, checkpoint.size, read.bytes) {
            Ok(found) => is_unfinished = found,
            Err(finding) => findings.push(finding),
        }
    } else {
        let known = older.filter(|older| read.begins_with(older)).map_or(0, |older| older.size);
        findings.push(diagnose::first_wrong(folder, &checkpoint, known, read.wrong)?);
    }
    if findings.is_empty() { Ok(Verified { key, checkpoint, note, is_unfinished }) } else { Err(findings) }
}

/// Whether a writer was killed. What stands behind the last line has to be what it promised to write.
fn unfinished(folder: &Folder, key: &VerifierKey, size: u64, bytes: u64) -> Result<bool, Finding> {
    let rest = Lines::of(folder)?.rest(bytes)?;
    match Pending::read(folder, key)? {
        Some(pending) if pending.size == size + 1 && pending.missing(bytes, &rest).is_some() => Ok(true),
        Some(pending) if pending.size == size && rest.is_empty() => Ok(true),
        None if rest.is_empty() => Ok(false),
        Some(_) if rest.is_empty() => Err(broken("the pending line of the audit trail is not its next line")),
        _ => {
            let why = format!("the checkpoint has {size} lines, and {PENDING} does not promise this one");
            Err(broken(format!("line {} of the audit trail was added by hand", size + 1)).because(why))
        }
    }
}

/// What was read so far.
#[derive(Default)]
struct Reading {
    edge: Edge,
    growing: Growing,
    last: Option<Digest>,
    bytes: u64,
    /// The first line that is no record, or does not follow the one before.
    wrong: Option<Finding>,
    /// The first tile or bundle that is not what the lines give.
    altered: Option<Finding>,
    /// The root when there were as many lines as the older checkpoint has.
    at_older: Option<Digest>,
}

impl Reading {
    fn line(&mut self, folder: &Folder, number: u64, line: &Line, older: Option<&Checkpoint>) -> Result<(), Finding> {
        if self.wrong.is_none() {
            self.wrong = self.problem(number, line);
        }
        let leaf = line.leaf();
        self.last = Some(leaf);
        self.bytes += line.bytes.len() as u64 + u64::from(line.is_ended);
        self.edge.push(leaf);
        if older.is_some_and(|older| older.size == number) {
            self.at_older = Some(self.edge.root());
        }
        self.growing.push(leaf).iter().try_for_each(|(tile, hashes)| self.tile(folder, tile, hashes))
    }

    fn problem(&self, number: u64, line: &Line) -> Option<Finding> {
        let of = format!("line {number} of the audit trail");
        if !line.is_ended {
            return Some(broken(format!("{of} is cut off or too long")));
        }
        match Record::parse(&line.bytes) {
            Err(why) => Some(broken(format!("{of} is not a record")).because(why.to_string())),
            Ok(record) if record.previous != self.last => {
                Some(broken(format!("{of} does not follow the line before it")).because(format!(
                    "it names {} as the hash of that line, which is {}",
                    shown(record.previous),
                    shown(self.last)
                )))
            }
            Ok(_) => None,
        }
    }

    fn finish(&mut self, folder: &Folder) -> Result<(), Finding> {
        let partial = std::mem::take(&mut self.growing).finish();
        partial.iter().try_for_each(|(tile, hashes)| self.tile(folder, tile, hashes))
    }

    /// Holds a tile against what the lines give, and of the lowest ones also the entries.
    fn tile(&mut self, folder: &Folder, tile: &Tile, hashes: &[Digest]) -> Result<(), Finding> {
        if self.altered.is_some() {
            return Ok(());
        }
        if folder.read(&tile.path(), LARGEST_TILE)?.is_none_or(|bytes| bytes != tile::encode(hashes)) {
            self.altered =
                Some(broken(format!("{} of the audit trail was altered, and the lines were not", tile.path())));
        } else if tile.level == 0 {
            self.altered = bundle_problem(folder, tile, hashes);
        }
        Ok(())
    }

    fn begins_with(&self, older: &Checkpoint) -> bool {
        match older.size {
            0 => older.root == Edge::default().root(),
            _ => self.at_older == Some(older.root),
        }
    }
}

fn bundle_problem(folder: &Folder, tile: &Tile, hashes: &[Digest]) -> Option<Finding> {
    let entries = match tiles::entries(folder, tile) {
        Ok(entries) => entries,
        Err(finding) => return Some(finding),
    };
    let wrong = entries.iter().zip(hashes).position(|(entry, hash)| tree::leaf(entry) != *hash)?;
    let line = tile.index * WIDTH + wrong as u64 + 1;
    Some(broken(format!("{} of the audit trail was altered: it has another line {line}", tile.bundle_path())))
}

fn shown(hash: Option<Digest>) -> String {
    hash.map_or_else(|| "nothing".to_owned(), |hash| hash.to_string())
}
