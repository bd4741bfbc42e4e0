//! Archives, read as trees of entries: Debian packages, wheels, tar and zip archives.
//!
//! Nothing is written here. Contents are handed to a [`ContentSink`] while they stream by, so memory stays bounded
//! however much an archive unpacks to, and every archive is held to the same [`Limits`] and the same rules for names.

pub(crate) mod ar;
mod compression;
pub mod deb;
mod gzip;
pub mod layer;
mod link;
mod members;
mod meter;
pub mod tar;
pub mod wheel;
pub mod zip;

use std::io::{self, Read};

use model::{Digest, Finding, codes};

pub use compression::{decompress, is_compressed};
pub use link::{target_bytes, target_text};

/// What an archive may be at most.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Members.
    pub entries: usize,
    /// Bytes all members together unpack to.
    pub bytes: u64,
    /// How many times the size of the archive it may unpack to, once that is over [`Limits::small`].
    pub ratio: u64,
    /// Bytes an archive may unpack to whatever its own size is.
    pub small: u64,
    /// Bytes of a member's name or link target.
    pub name: usize,
    /// Bytes of what is read into memory: a control archive, a `RECORD`.
    pub metadata: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { entries: 1_000_000, bytes: 8 << 30, ratio: 1000, small: 64 << 20, name: 4096, metadata: 16 << 20 }
    }
}

impl Limits {
    /// Bytes an archive of `size` bytes may unpack to.
    pub fn unpacked(&self, size: u64) -> u64 {
        self.bytes.min(self.small.max(size.saturating_mul(self.ratio)))
    }
}

/// Takes the contents of an archive's members.
pub trait ContentSink {
    /// Reads a content to its end and keeps it; answers its digest and size. A failure to keep it is an error, too:
    /// the sink remembers the reason, for its owner to report instead of what the archive's reader makes of it.
    ///
    /// # Errors
    /// Whatever reading or keeping it failed with.
    fn store(&mut self, content: &mut dyn Read) -> io::Result<(Digest, u64)>;
}

fn invalid(message: impl Into<String>) -> Finding {
    Finding::error(codes::ARCHIVE_INVALID, message)
        .help("The file has the digest the lock names, so it was published like this. Choose another version.")
}

fn unreadable(what: &str, error: &io::Error) -> Finding {
    invalid(format!("{what} cannot be read")).because(error.to_string())
}

fn too_large(message: impl Into<String>) -> Finding {
    Finding::error(codes::ARCHIVE_TOO_LARGE, message).help(
        "Such an archive is refused before it fills the disk. Choose another version, or report it to its authors.",
    )
}

fn forbidden(name: &str, what: &str) -> Finding {
    Finding::error(codes::ARCHIVE_FORBIDDEN_MEMBER, format!("the member {name:?} is {what}"))
        .help("Images take files, directories, symbolic and hard links from archives; nothing else.")
}

fn escapes(message: impl Into<String>) -> Finding {
    Finding::error(codes::ARCHIVE_ESCAPES, message)
        .help("An archive whose members climb out of their root is an attack or broken. Report it to its authors.")
}

#[cfg(test)]
pub(crate) mod testing {
    use super::*;
    use std::collections::BTreeMap;

    /// Keeps contents in memory.
    #[derive(Default)]
    pub(crate) struct Memory(pub(crate) BTreeMap<Digest, Vec<u8>>);

    impl ContentSink for Memory {
        fn store(&mut self, content: &mut dyn Read) -> io::Result<(Digest, u64)> {
            let mut bytes = Vec::new();
            content.read_to_end(&mut bytes)?;
            let (digest, size) = (Digest::of(&bytes), bytes.len() as u64);
            self.0.insert(digest, bytes);
            Ok((digest, size))
        }
    }

    /// Keeps nothing, so that a test can stream a bomb.
    pub(crate) struct Discard;

    impl ContentSink for Discard {
        fn store(&mut self, content: &mut dyn Read) -> io::Result<(Digest, u64)> {
            Ok((Digest::of(b""), io::copy(content, &mut io::sink())?))
        }
    }
}
