//! Bytes that are sent.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures::stream;
use model::{Digest, Finding, Hasher};
use reqwest::Body;
use rustix::buffer::spare_capacity;
use tokio::task::spawn_blocking;

use crate::pull::LARGEST;
use crate::push::broken;

const CHUNK: u64 = 128 << 10;

/// Bytes that can be sent more than once.
#[derive(Clone, Debug)]
pub enum Content {
    /// A document.
    Bytes(Arc<[u8]>),
    /// A part of a file, which nobody changes meanwhile.
    File(Arc<File>, Range<u64>),
}

/// How many bytes of a request's body the connection has taken.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sent(Arc<AtomicU64>);

impl Sent {
    pub(crate) fn bytes(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Content {
    /// How many there are.
    pub fn size(&self) -> u64 {
        match self {
            Content::Bytes(bytes) => bytes.len() as u64,
            Content::File(_, range) => range.end.saturating_sub(range.start),
        }
    }

    /// A part of them as the body of a request.
    pub(crate) fn body(&self, part: Range<u64>, sent: &Sent) -> Body {
        let (content, sent) = (self.clone(), sent.clone());
        let starts = (part.start..part.end).step_by(CHUNK as usize);
        Body::wrap_stream(stream::iter(starts.map(move |at| {
            let chunk = content.read(at..part.end.min(at + CHUNK))?;
            sent.0.fetch_add(chunk.len() as u64, Ordering::Relaxed);
            io::Result::Ok(chunk)
        })))
    }

    /// They, piece by piece.
    pub fn pieces(&self) -> impl Iterator<Item = io::Result<Vec<u8>>> {
        let starts = (0..self.size()).step_by(CHUNK as usize);
        starts.map(|at| self.read(at..self.size().min(at + CHUNK)))
    }

    /// Compares them with their digest, beside what else is awaited.
    ///
    /// # Errors
    /// `ARCHIVE_UNKNOWN`: they are others, or cannot be read.
    pub(crate) async fn check(&self, digest: &Digest) -> Result<(), Finding> {
        let found = match self.size() <= CHUNK {
            true => self.hash(),
            false => {
                let content = self.clone();
                spawn_blocking(move || content.hash()).await.unwrap_or_else(|e| Err(io::Error::other(e)))
            }
        };
        match found {
            Ok(found) if found == *digest => Ok(()),
            Ok(found) => Err(broken(format!("what is called {digest} is {found}"))),
            Err(e) => Err(broken(format!("{digest} cannot be read: {e}"))),
        }
    }

    /// Their digest.
    ///
    /// # Errors
    /// Why they cannot be read.
    pub fn hash(&self) -> io::Result<Digest> {
        let mut hasher = Hasher::new();
        for piece in self.pieces() {
            hasher.update(&piece?);
        }
        Ok(hasher.finish())
    }

    /// All of a document: of a file at most 4 MiB.
    ///
    /// # Errors
    /// Why they cannot be read.
    pub fn whole(&self) -> io::Result<Vec<u8>> {
        if matches!(self, Content::File(..)) && self.size() > LARGEST {
            return Err(io::Error::other(format!("it has more than {LARGEST} bytes")));
        }
        self.bytes()
    }

    /// All of them: whoever asks has looked how many there are.
    ///
    /// # Errors
    /// Why they cannot be read.
    pub fn bytes(&self) -> io::Result<Vec<u8>> {
        self.read(0..self.size())
    }

    fn read(&self, part: Range<u64>) -> io::Result<Vec<u8>> {
        let short = || io::Error::from(io::ErrorKind::UnexpectedEof);
        match self {
            Content::Bytes(bytes) => {
                let at = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
                bytes.get(at(part.start)..at(part.end)).map(<[u8]>::to_vec).ok_or_else(short)
            }
            Content::File(file, range) => {
                let length = usize::try_from(part.end - part.start).map_err(|_| short())?;
                let mut bytes = Vec::with_capacity(length);
                // Not filled with zeros first, which would be written over at once.
                while bytes.len() < length {
                    let at = range.start + part.start + bytes.len() as u64;
                    if rustix::io::pread(file, spare_capacity(&mut bytes), at)? == 0 {
                        return Err(short());
                    }
                }
                bytes.truncate(length);
                Ok(bytes)
            }
        }
    }
}

impl From<Vec<u8>> for Content {
    fn from(bytes: Vec<u8>) -> Self {
        Content::Bytes(bytes.into())
    }
}
