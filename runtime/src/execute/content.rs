//! The contents of trees in the store.
//!
//! A content of at least [`LARGE`] bytes is an object of its own, hashed once. Smaller ones share a *pack*: contents
//! one after another, then a table of digest, offset and size of each, then the number of rows and [`MAGIC`].

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write as _};
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use inspect::archive::ContentSink;
use model::{Digest, Finding, Hasher};

use super::{Context, broken};
use crate::store::BlobWriter;

const LARGE: usize = 64 << 10;
const MAGIC: &[u8; 8] = b"clnpack1";
const ROW: u64 = 48;
const FOOT: u64 = 16;
const CHUNK: usize = 128 << 10;

/// Puts contents into the store.
pub(crate) struct PackWriter<'a> {
    context: &'a Context<'a>,
    pack: Option<BlobWriter>,
    at: u64,
    table: BTreeMap<Digest, (u64, u64)>,
    objects: Vec<Digest>,
    buffer: Vec<u8>,
    failure: Option<Finding>,
}

/// What a [`PackWriter`] made.
pub(crate) struct Packed {
    /// The pack, if anything was small.
    pub(crate) pack: Option<Digest>,
    /// Every object, the pack among them.
    pub(crate) objects: Vec<Digest>,
}

impl<'a> PackWriter<'a> {
    pub(crate) fn new(context: &'a Context<'a>) -> Self {
        Self {
            context,
            pack: None,
            at: 0,
            table: BTreeMap::new(),
            objects: Vec::new(),
            buffer: vec![0; LARGE],
            failure: None,
        }
    }

    /// Keeps bytes that are in memory.
    pub(crate) fn put(&mut self, bytes: &[u8]) -> Result<(Digest, u64), Finding> {
        let stored = self.store(&mut &*bytes);
        match (self.failure.take(), stored) {
            (None, Ok(stored)) => Ok(stored),
            (Some(failure), _) => Err(failure),
            (None, Err(e)) => Err(self.context.store.failed("an object cannot be written", &e)),
        }
    }

    /// Why the store could not take a content, if that is what went wrong.
    pub(crate) fn failure(&mut self) -> Option<Finding> {
        self.failure.take()
    }

    /// Ends the pack.
    pub(crate) fn finish(mut self) -> Result<Packed, Finding> {
        let Some(mut pack) = self.pack.take() else { return Ok(Packed { pack: None, objects: self.objects }) };
        let mut tail = Vec::with_capacity(self.table.len() * 48 + 16);
        for (digest, (offset, size)) in &self.table {
            tail.extend_from_slice(digest.as_bytes());
            tail.extend_from_slice(&offset.to_le_bytes());
            tail.extend_from_slice(&size.to_le_bytes());
        }
        tail.extend_from_slice(&(self.table.len() as u64).to_le_bytes());
        tail.extend_from_slice(MAGIC);
        pack.write_all(&tail).map_err(|e| self.context.store.failed("an object cannot be written", &e))?;
        let digest = pack.commit()?.0;
        self.context.trust(digest);
        self.objects.push(digest);
        Ok(Packed { pack: Some(digest), objects: self.objects })
    }

    fn small(&mut self, size: usize) -> Result<(Digest, u64), Finding> {
        let bytes = self.buffer.get(..size).unwrap_or_default();
        let digest = Digest::of(bytes);
        if self.table.contains_key(&digest) {
            return Ok((digest, size as u64));
        }
        let pack = match &mut self.pack {
            Some(pack) => pack,
            None => self.pack.insert(self.context.store.writer()?),
        };
        pack.write_all(bytes).map_err(|e| self.context.store.failed("an object cannot be written", &e))?;
        self.table.insert(digest, (self.at, size as u64));
        self.at += size as u64;
        Ok((digest, size as u64))
    }

    /// The buffer is full; the rest is still to be read.
    fn large(&mut self, rest: &mut dyn Read) -> Result<io::Result<(Digest, u64)>, Finding> {
        let failed = |e: io::Error| self.context.store.failed("an object cannot be written", &e);
        let mut object = self.context.store.writer()?;
        let mut filled = self.buffer.len();
        while filled > 0 {
            object.write_all(self.buffer.get(..filled).unwrap_or_default()).map_err(failed)?;
            filled = match rest.read(&mut self.buffer) {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                Err(e) => return Ok(Err(e)),
                Ok(read) => read,
            };
        }
        let stored = object.commit()?;
        self.context.trust(stored.0);
        self.objects.push(stored.0);
        Ok(Ok(stored))
    }
}

impl ContentSink for PackWriter<'_> {
    fn store(&mut self, content: &mut dyn Read) -> io::Result<(Digest, u64)> {
        let mut filled = 0;
        while let Some(rest) = self.buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match content.read(rest) {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
                Ok(0) => break,
                Ok(read) => filled += read,
            }
        }
        let stored = if filled < self.buffer.len() { self.small(filled).map(Ok) } else { self.large(content) };
        stored.unwrap_or_else(|finding| {
            self.failure = Some(finding);
            Err(io::Error::other("the store cannot keep it"))
        })
    }
}

/// An open pack.
pub(super) struct Pack {
    digest: Digest,
    file: Arc<File>,
    table: BTreeMap<Digest, (u64, u64)>,
}

impl Pack {
    /// Reads the table. A wrong row leads to a content with another digest, so it need not be verified here.
    pub(super) fn open(context: &Context, digest: &Digest) -> Result<Self, Finding> {
        let file = context.store.open_blob(digest)?;
        let table = table(&file).map_err(|e| match e.kind() {
            io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => context.store.damaged(digest),
            _ => context.store.failed(&format!("{digest} cannot be read"), &e),
        })?;
        Ok(Self { digest: *digest, file: Arc::new(file), table })
    }
}

fn table(file: &File) -> io::Result<BTreeMap<Digest, (u64, u64)>> {
    let bad = || io::Error::from(io::ErrorKind::InvalidData);
    let size = file.metadata()?.len();
    let mut foot = [0; FOOT as usize];
    file.read_exact_at(&mut foot, size.checked_sub(FOOT).ok_or_else(bad)?)?;
    let (rows, magic) = foot.split_at(8);
    if magic != MAGIC {
        return Err(bad());
    }
    let rows = u64::from_le_bytes(rows.try_into().map_err(|_| bad())?);
    let start = rows.checked_mul(ROW).and_then(|rows| (size - FOOT).checked_sub(rows)).ok_or_else(bad)?;
    let mut bytes = vec![0; usize::try_from(rows * ROW).map_err(|_| bad())?];
    file.read_exact_at(&mut bytes, start)?;
    let mut table = BTreeMap::new();
    for row in bytes.chunks_exact(ROW as usize) {
        let (digest, place) = row.split_first_chunk::<32>().ok_or_else(bad)?;
        let (offset, size) = place.split_at(8);
        let number = |bytes: &[u8]| bytes.try_into().map(u64::from_le_bytes).map_err(|_| bad());
        table.insert(Digest::from_bytes(*digest), (number(offset)?, number(size)?));
    }
    Ok(table)
}

/// Reads the contents of a tree.
pub(super) struct Content<'a> {
    context: &'a Context<'a>,
    packs: Vec<Arc<Pack>>,
}

impl<'a> Content<'a> {
    pub(super) fn open(context: &'a Context<'a>, packs: &[Digest]) -> Result<Self, Finding> {
        let packs = packs.iter().map(|pack| context.pack(pack)).collect::<Result<_, _>>()?;
        Ok(Self { context, packs })
    }

    /// A reader of one content, which it verifies unless this process wrote it itself.
    pub(super) fn read(&self, digest: &Digest, size: u64) -> Result<Reader<'a>, Finding> {
        let (object, file, start) = if size >= LARGE as u64 {
            (*digest, Arc::new(self.context.store.open_blob(digest)?), 0)
        } else {
            let found = self.packs.iter().find_map(|pack| Some((pack, pack.table.get(digest)?.0)));
            let (pack, start) = found.ok_or_else(|| self.lost(digest))?;
            (pack.digest, pack.file.clone(), start)
        };
        let hasher = (!self.context.trusts(&object)).then(Hasher::new);
        Ok(Reader { context: self.context, digest: *digest, object, file, start, size, at: 0, hasher })
    }

    /// A whole content in memory.
    pub(super) fn bytes(&self, digest: &Digest, size: u64) -> Result<Vec<u8>, Finding> {
        let mut reader = self.read(digest, size)?;
        let mut bytes = Vec::new();
        while reader.append(&mut bytes, CHUNK)? {}
        Ok(bytes)
    }

    /// No pack has the content: one of them is damaged, or the plan's trees do not belong together.
    fn lost(&self, digest: &Digest) -> Finding {
        for pack in &self.packs {
            if let Err(finding) = self.context.verify(&pack.digest) {
                return finding;
            }
        }
        broken(format!("no input has the content {digest}"))
    }
}

/// Reads one content.
pub(super) struct Reader<'a> {
    context: &'a Context<'a>,
    digest: Digest,
    object: Digest,
    file: Arc<File>,
    start: u64,
    size: u64,
    at: u64,
    hasher: Option<Hasher>,
}

impl Reader<'_> {
    /// Adds up to `limit` bytes to `buffer`; answers whether there are more.
    pub(super) fn append(&mut self, buffer: &mut Vec<u8>, limit: usize) -> Result<bool, Finding> {
        let wanted = usize::try_from(self.size - self.at).unwrap_or(usize::MAX).min(limit);
        let before = buffer.len();
        buffer.resize(before + wanted, 0);
        let piece = buffer.get_mut(before..).unwrap_or_default();
        self.file.read_exact_at(piece, self.start + self.at).map_err(|e| match e.kind() {
            io::ErrorKind::UnexpectedEof => self.context.store.damaged(&self.object),
            _ => self.context.store.failed(&format!("{} cannot be read", self.object), &e),
        })?;
        self.at += wanted as u64;
        if let Some(hasher) = &mut self.hasher {
            hasher.update(piece);
        }
        if self.at < self.size {
            return Ok(true);
        }
        let whole = self.hasher.take().is_none_or(|hasher| hasher.finish() == self.digest);
        if whole { Ok(false) } else { Err(self.context.store.damaged(&self.object)) }
    }

    /// The content as a file one can seek in, verified beforehand.
    pub(super) fn seekable(mut self) -> Result<Section, Finding> {
        if self.hasher.is_some() {
            let mut buffer = Vec::with_capacity(CHUNK);
            while self.append(&mut buffer, CHUNK)? {
                buffer.clear();
            }
            if self.object == self.digest {
                self.context.trust(self.object);
            }
        }
        Ok(Section { file: self.file, start: self.start, size: self.size, at: 0 })
    }

    /// The first bytes, not verified: only good for deciding whether to look closer.
    pub(super) fn peek<const N: usize>(&self) -> Option<[u8; N]> {
        let mut bytes = [0; N];
        if self.size < N as u64 {
            return None;
        }
        self.file.read_exact_at(&mut bytes, self.start).ok().map(|()| bytes)
    }
}

/// Part of a file, as a file.
pub(super) struct Section {
    file: Arc<File>,
    start: u64,
    size: u64,
    at: u64,
}

impl Read for Section {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.size.saturating_sub(self.at)).unwrap_or(usize::MAX);
        let wanted = left.min(buffer.len());
        let read = self.file.read_at(buffer.get_mut(..wanted).unwrap_or_default(), self.start + self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

impl Seek for Section {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let to = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.size.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = to.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        Ok(self.at)
    }
}
