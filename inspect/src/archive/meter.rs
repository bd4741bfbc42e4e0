use std::cell::Cell;
use std::io::{self, Read};

use model::Finding;

use super::{too_large, unreadable};

/// How many bytes may still be unpacked, shared by the readers of one archive.
pub(super) struct Budget {
    total: u64,
    left: Cell<u64>,
    exceeded: Cell<bool>,
}

impl Budget {
    pub(super) fn new(total: u64) -> Self {
        Self { total, left: Cell::new(total), exceeded: Cell::new(false) }
    }

    /// A reader whose bytes are counted; it fails once there are too many.
    pub(super) fn meter<R: Read>(&self, inner: R) -> Meter<'_, R> {
        Meter { inner, budget: self }
    }

    /// What a read of `what` that failed means.
    pub(super) fn failed(&self, what: &str, error: &io::Error) -> Finding {
        if self.exceeded.get() {
            too_large(format!("{what} unpacks to more than {} bytes", self.total))
        } else {
            unreadable(what, error)
        }
    }
}

pub(super) struct Meter<'a, R> {
    inner: R,
    budget: &'a Budget,
}

impl<R: Read> Read for Meter<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        match self.budget.left.get().checked_sub(read as u64) {
            Some(left) => self.budget.left.set(left),
            None => {
                self.budget.exceeded.set(true);
                return Err(io::Error::other("it unpacks to more than allowed"));
            }
        }
        Ok(read)
    }
}
