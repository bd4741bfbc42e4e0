//! A log in a folder.
//!
//! ```text
//! log.jsonl            a record a line
//! checkpoint           how many lines there are and the root of the tree over them, signed
//! tile/<L>/<N>[.p/<W>] the tree
//! tile/entries/<N>…    the lines again, in bundles
//! key, key.pub         what signs, and what signatures are held against
//! pending              while a line is added: that line, signed
//! lock                 the kernel's, of whoever writes
//! ```
//!
//! A line is added in this order, and each step is on the disk before the next: `pending`, the line, the tiles, the
//! checkpoint; then what is not needed any more is removed. Whoever comes after a kill does the rest of what `pending`
//! says. Nothing that the checkpoint is about is ever changed.

mod diagnose;
mod export;
mod folder;
mod key;
mod lines;
mod pending;
mod prove;
mod show;
mod tiles;
mod verify;

use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;

use model::{Digest, Finding, codes};

use crate::note::{self, Signer, VerifierKey};
use crate::tree::{self, Edge};
use crate::{Checkpoint, Record, tile};
use folder::{Folder, broken, unusable};
use lines::Lines;
use pending::{PENDING, Pending};

pub use export::export;
pub use prove::{prove, prove_growth};
pub use show::records;
pub use verify::{Verified, verify};

const LINES: &str = "log.jsonl";
const CHECKPOINT: &str = "checkpoint";
const PUBLIC: &str = "key.pub";

/// A log that records are added to.
pub struct Log {
    folder: Folder,
    key: Signer,
}

/// A log's tree as its checkpoint has it.
struct State {
    edge: Edge,
    /// The hash of the last line.
    last: Option<Digest>,
    /// Its last lines: those of the last bundle, with their line breaks.
    tail: Vec<u8>,
}

impl Log {
    /// Opens the log in a folder, which a line can be added to. If there is none, it is begun: with a key of its own, for the user
    /// alone. What a killed writer began is completed.
    ///
    /// # Errors
    /// `AUDIT_UNUSABLE`, `AUDIT_BROKEN`.
    pub fn open(dir: &Path) -> Result<Self, Finding> {
        Self::open_in(Folder::make(dir)?)
    }

    fn open_in(folder: Folder) -> Result<Self, Finding> {
        let _lock = folder.lock_alone()?;
        let is_begun = [CHECKPOINT, LINES, PUBLIC].iter().any(|name| folder.path(name).exists());
        let key = match key::read(&folder)? {
            Some(key) => key,
            None if is_begun => {
                let help = "Put the key back, or begin a new log in another folder.";
                let finding = Finding::error(codes::AUDIT_UNUSABLE, "the audit trail has no key any more");
                return Err(finding.help(help));
            }
            None => key::make(&folder)?,
        };
        let public = format!("{}\n", key.public());
        match signed(&folder, PUBLIC)? {
            None => folder.write(PUBLIC, public.as_bytes())?,
            Some(text) if text == public => {}
            Some(_) => return Err(broken("key.pub of the audit trail is not that of its key")),
        }
        if signed(&folder, CHECKPOINT)?.is_none() {
            if folder.path(LINES).exists() || folder.path("tile").exists() {
                return Err(broken("the audit trail has lines and no checkpoint"));
            }
            write_checkpoint(&folder, &key, &Edge::default())?;
        }
        let log = Self { folder, key };
        log.explained(log.ready())?;
        log.folder.is_writable(LINES)?;
        Ok(log)
    }

    /// What signatures of the log are held against.
    pub fn key(&self) -> &VerifierKey {
        self.key.public()
    }

    /// Adds a record, and answers the number of its line, from one. What a killed writer began is completed first.
    ///
    /// # Errors
    /// `AUDIT_UNUSABLE`, also for a record that is too long; `AUDIT_BROKEN` if what the line would follow was altered.
    pub fn append(&self, record: Record) -> Result<u64, Finding> {
        let _lock = self.folder.lock_alone()?;
        self.explained(self.add(record))
    }

    fn explained<T>(&self, result: Result<T, Finding>) -> Result<T, Finding> {
        result.map_err(|finding| {
            // Reading everything takes long, and says which line it is.
            let is_broken = finding.code == codes::AUDIT_BROKEN;
            let all = is_broken.then(|| verify::check(&self.folder, Some(self.key()), None).err()).flatten();
            all.and_then(|findings| findings.into_iter().next()).unwrap_or(finding)
        })
    }

    /// What the next line follows, and how many bytes stand before it.
    fn ready(&self) -> Result<(State, u64), Finding> {
        let mut state = self.state()?;
        if let Some(pending) = Pending::read(&self.folder, self.key())? {
            self.complete(state, &pending)?;
            state = self.state()?;
        }
        let offset = self.length(&state)?;
        Ok((state, offset))
    }

    fn add(&self, mut record: Record) -> Result<u64, Finding> {
        let (state, offset) = self.ready()?;
        record.previous = state.last;
        let line = record.line().map_err(|why| why.to_string());
        let line = line.and_then(|line| String::from_utf8(line).map_err(|e| e.to_string())).map_err(|why| {
            Finding::error(codes::AUDIT_UNUSABLE, "the audit trail takes no such record").because(why)
        })?;
        let size = state.edge.size() + 1;
        let pending = Pending { size, offset, line };
        pending.write(&self.folder, &self.key)?;
        self.finish(state, &pending, format!("{}\n", pending.line).as_bytes())?;
        Ok(size)
    }

    /// The tree of the checkpoint, from the right edge of its tiles and the last bundle, which are held against it.
    fn state(&self) -> Result<State, Finding> {
        let (checkpoint, _) = checkpoint(&self.folder, self.key())?;
        let size = checkpoint.size;
        let last = tiles::last(size, 0);
        let before = size - last.map_or(0, |tile| tile.width);
        let mut edge = Edge::of(before, &mut |level, index| tiles::node(&self.folder, size, level, index))?;
        let (mut leaves, mut tail) = (Vec::new(), Vec::new());
        for mut entry in last.map_or(Ok(Vec::new()), |tile| tiles::entries(&self.folder, &tile))? {
            leaves.push(tree::leaf(&entry));
            entry.push(b'\n');
            tail.append(&mut entry);
        }
        leaves.iter().for_each(|leaf| edge.push(*leaf));
        let held = last.map_or(Ok(Vec::new()), |tile| tiles::hashes(&self.folder, &tile))?;
        if edge.root() != checkpoint.root || held != leaves {
            return Err(broken("the tiles of the audit trail are not those of its checkpoint"));
        }
        Ok(State { edge, last: leaves.last().copied(), tail })
    }

    /// How many bytes the lines have, if the last of them are those of the checkpoint.
    fn length(&self, state: &State) -> Result<u64, Finding> {
        let file = self.folder.open(LINES)?;
        let length = file.map_or(Ok(0), |file| file.metadata().map(|it| it.len()));
        let length = length.map_err(|e| unusable(&self.folder.path(LINES), "cannot be read", &e))?;
        if self.ends_at(state, length)? {
            Ok(length)
        } else {
            Err(broken("the audit trail has other lines at its end"))
        }
    }

    /// Whether the last lines of the checkpoint end at a place of the file.
    fn ends_at(&self, state: &State, end: u64) -> Result<bool, Finding> {
        let Some(mut file) = self.folder.open(LINES)? else { return Ok(end == 0 && state.tail.is_empty()) };
        let Some(start) = end.checked_sub(state.tail.len() as u64) else { return Ok(false) };
        let mut found = Vec::new();
        let read = file.seek(SeekFrom::Start(start)).and_then(|_| file.take(end - start).read_to_end(&mut found));
        read.map_err(|e| unusable(&self.folder.path(LINES), "cannot be read", &e))?;
        let is_first = state.edge.size() <= tile::WIDTH;
        Ok(found == state.tail && is_first == (start == 0))
    }

    /// Does what a killed writer left to do.
    fn complete(&self, state: State, pending: &Pending) -> Result<(), Finding> {
        let size = state.edge.size();
        if pending.size == size {
            return self.clean(size);
        }
        let refused = || broken("the pending line of the audit trail is not its next line");
        let follows = Record::parse(pending.line.as_bytes()).is_ok_and(|record| record.previous == state.last);
        if pending.size != size + 1 || !follows || !self.ends_at(&state, pending.offset)? {
            return Err(refused());
        }
        let rest = Lines::of(&self.folder)?.rest(pending.offset)?;
        let missing = pending.missing(pending.offset, &rest).ok_or_else(refused)?;
        self.finish(state, pending, &missing)
    }

    /// Writes what is missing of a line that is pending, and all that follows from it.
    fn finish(&self, mut state: State, pending: &Pending, missing: &[u8]) -> Result<(), Finding> {
        let line = pending.line.as_bytes();
        self.folder.append(LINES, missing)?;
        tiles::add(&self.folder, state.edge.size(), line)?;
        state.edge.push(tree::leaf(line));
        write_checkpoint(&self.folder, &self.key, &state.edge)?;
        self.clean(pending.size)
    }

    fn clean(&self, size: u64) -> Result<(), Finding> {
        tiles::sweep(&self.folder, size)?;
        self.folder.remove(PENDING)
    }
}

fn write_checkpoint(folder: &Folder, key: &Signer, edge: &Edge) -> Result<(), Finding> {
    let checkpoint = Checkpoint { origin: key.public().name().to_owned(), size: edge.size(), root: edge.root() };
    folder.write(CHECKPOINT, key.sign(&checkpoint.to_string()).as_bytes())
}

/// The checkpoint of a log with this key, and its note.
fn checkpoint(folder: &Folder, key: &VerifierKey) -> Result<(Checkpoint, String), Finding> {
    let Some(note) = signed(folder, CHECKPOINT)? else {
        let is_cut = folder.path(LINES).exists();
        return Err(if is_cut { broken("the audit trail has no checkpoint any more") } else { absent(folder) });
    };
    let checkpoint = Checkpoint::open(&note, key).map_err(|why| {
        broken(format!("the checkpoint of the audit trail is not one of {}", key.name())).because(why.to_string())
    })?;
    Ok((checkpoint, note))
}

/// The key that a log says is its own.
fn public_key(folder: &Folder) -> Result<VerifierKey, Finding> {
    let text = signed(folder, PUBLIC)?.ok_or_else(|| absent(folder))?;
    VerifierKey::parse(text.trim_end())
        .map_err(|why| broken("key.pub of the audit trail cannot be read").because(why.to_string()))
}

fn absent(folder: &Folder) -> Finding {
    Finding::error(codes::AUDIT_UNUSABLE, format!("there is no audit trail in {}", folder.path("").display()))
        .help("Name the folder that a log was begun in, or a copy of it.")
}

/// A small text of a log. Nobody has said yet that it is signed.
fn signed(folder: &Folder, name: &str) -> Result<Option<String>, Finding> {
    let Some(bytes) = folder.read(name, note::LARGEST as u64)? else { return Ok(None) };
    let text = String::from_utf8(bytes).map_err(|_| broken(format!("{name} of the audit trail was altered")))?;
    Ok(Some(text))
}

#[cfg(test)]
mod tests;
