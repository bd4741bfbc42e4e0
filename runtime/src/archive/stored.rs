//! A gzip file whose content is stored, not compressed: layers are compressed already.

use std::io::{self, Write};

use libdeflater::Crc;

/// The most bytes a stored block holds (RFC 1951 §3.2.4).
const BLOCK: usize = 65_535;

/// A gzip header with neither name nor time.
pub(crate) const GZIP_START: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];

/// Writes one gzip member (RFC 1952) with neither name nor time.
pub(super) struct Stored<W> {
    inner: W,
    block: Vec<u8>,
    crc: Crc,
    size: u32,
}

impl<W: Write> Stored<W> {
    pub(super) fn new(mut inner: W) -> io::Result<Self> {
        inner.write_all(&GZIP_START)?;
        Ok(Self { inner, block: Vec::with_capacity(BLOCK), crc: Crc::new(), size: 0 })
    }

    fn emit(&mut self, last: bool) -> io::Result<()> {
        let size = u16::try_from(self.block.len()).map_err(io::Error::other)?;
        let [low, high] = size.to_le_bytes();
        self.inner.write_all(&[u8::from(last), low, high, !low, !high])?;
        self.inner.write_all(&self.block)?;
        self.block.clear();
        Ok(())
    }

    pub(super) fn finish(mut self) -> io::Result<W> {
        self.emit(true)?;
        self.inner.write_all(&self.crc.sum().to_le_bytes())?;
        self.inner.write_all(&self.size.to_le_bytes())?;
        Ok(self.inner)
    }
}

impl<W: Write> Write for Stored<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.block.len() == BLOCK {
            self.emit(false)?;
        }
        let taken = bytes.get(..BLOCK - self.block.len()).unwrap_or(bytes);
        self.block.extend_from_slice(taken);
        self.crc.update(taken);
        self.size = self.size.wrapping_add(u32::try_from(taken.len()).map_err(io::Error::other)?);
        Ok(taken.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read as _;

    #[test]
    fn what_was_stored_is_read_back_whatever_its_size() {
        for size in [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK + 7] {
            let bytes: Vec<u8> = (0..size).map(|at| (at % 251) as u8).collect();
            let mut stored = Stored::new(Vec::new()).unwrap();
            stored.write_all(&bytes).unwrap();
            let file = stored.finish().unwrap();
            let mut back = Vec::new();
            inspect::archive::decompress(file.as_slice()).unwrap().read_to_end(&mut back).unwrap();
            assert!(back == bytes, "{size}");
        }
    }
}
