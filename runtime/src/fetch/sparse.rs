//! A file on a server, read where a reader needs it.

use std::io::{self, Read, Seek, SeekFrom};

/// The parts of a file that were fetched, as a reader that says which part it lacks.
pub(super) struct Sparse {
    size: u64,
    position: u64,
    /// Start and bytes.
    parts: Vec<(u64, Vec<u8>)>,
    /// The first byte that was wanted and is not there.
    pub(super) lacks: Option<u64>,
}

impl Sparse {
    pub(super) fn new(size: u64) -> Self {
        Self { size, position: 0, parts: Vec::new(), lacks: None }
    }

    /// Adds bytes and forgets what was lacking.
    pub(super) fn add(&mut self, start: u64, bytes: Vec<u8>) {
        self.parts.push((start, bytes));
        (self.position, self.lacks) = (0, None);
    }
}

impl Read for Sparse {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.position >= self.size || buffer.is_empty() {
            return Ok(0);
        }
        let there = self.parts.iter().find_map(|(start, bytes)| {
            let offset = usize::try_from(self.position.checked_sub(*start)?).ok()?;
            bytes.get(offset..).filter(|rest| !rest.is_empty())
        });
        let Some(mut there) = there else {
            self.lacks = Some(self.position);
            return Err(io::Error::other("not fetched yet"));
        };
        let read = there.read(buffer)?;
        self.position += read as u64;
        Ok(read)
    }
}

impl Seek for Sparse {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let target = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::Current(by) => self.position.checked_add_signed(by),
            SeekFrom::End(by) => self.size.checked_add_signed(by),
        };
        self.position = target.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        Ok(self.position)
    }
}
