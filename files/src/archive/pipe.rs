//! What one thread reads and another uses meanwhile.

use std::io::{self, Read};
use std::mem;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};

/// Bytes of a chunk.
const CHUNK: usize = 64 << 10;
/// Chunks that wait to be used: as much as a member of a layer unpacks to at once, so that its reader has work while the next one is
/// unpacked.
const WAITING: usize = 8;

/// Both ends. Chunks that were used come back to be filled again.
pub(super) fn pipe() -> (Filler, Piped) {
    let (full, filled) = sync_channel(WAITING);
    let (used, empty) = channel();
    (Filler { full, empty }, Piped { filled, used, chunk: Vec::new(), at: 0, is_last: false })
}

/// The end of who reads ahead.
pub(super) struct Filler {
    full: SyncSender<io::Result<Vec<u8>>>,
    empty: Receiver<Vec<u8>>,
}

impl Filler {
    /// Reads all there is, or until nobody wants more. The last chunk is empty; an error is passed on in its place.
    pub(super) fn fill(self, content: io::Result<impl Read>) {
        let filled = content.and_then(|mut content| {
            loop {
                let mut chunk = self.empty.try_recv().unwrap_or_default();
                chunk.clear();
                chunk.reserve_exact(CHUNK);
                let read = content.by_ref().take(CHUNK as u64).read_to_end(&mut chunk);
                // What came before an error counts.
                let is_last = chunk.is_empty();
                if is_last && let Err(error) = read {
                    return Err(error);
                }
                if self.full.send(Ok(chunk)).is_err() || is_last {
                    return Ok(());
                }
                read?;
            }
        });
        if let Err(error) = filled {
            let _ = self.full.send(Err(error));
        }
    }
}

/// The end of who uses what was read.
pub(super) struct Piped {
    filled: Receiver<io::Result<Vec<u8>>>,
    used: Sender<Vec<u8>>,
    chunk: Vec<u8>,
    at: usize,
    is_last: bool,
}

impl Read for Piped {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at >= self.chunk.len() && !self.is_last {
            let next = self.filled.recv().map_err(|_| io::Error::other("who read it stopped halfway"))??;
            self.is_last = next.is_empty();
            self.at = 0;
            let _ = self.used.send(mem::replace(&mut self.chunk, next));
        }
        let read = self.chunk.get(self.at..).unwrap_or_default().read(buffer)?;
        self.at += read;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    #[test]
    fn everything_arrives_in_order_and_so_does_what_went_wrong() {
        let bytes: Vec<u8> = (0..1_000_000_u32).flat_map(u32::to_le_bytes).collect();
        let (filler, mut piped) = pipe();
        let mut found = Vec::new();
        thread::scope(|scope| {
            scope.spawn(|| filler.fill(Ok(bytes.as_slice())));
            piped.read_to_end(&mut found).unwrap();
        });
        assert!(found == bytes);

        let (filler, mut piped) = pipe();
        filler.fill(Err::<&[u8], _>(io::Error::other("broken")));
        assert_eq!(piped.read(&mut [0]).unwrap_err().to_string(), "broken");
        // What came before it is there.
        struct Broken(&'static [u8]);
        impl Read for Broken {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                if self.0.is_empty() { Err(io::Error::other("broken")) } else { self.0.read(buffer) }
            }
        }
        let (filler, mut piped) = pipe();
        filler.fill(Ok(Broken(b"some")));
        let mut some = [0; 4];
        piped.read_exact(&mut some).unwrap();
        assert_eq!((&some, piped.read(&mut [0]).unwrap_err().to_string().as_str()), (b"some", "broken"));
        let (filler, mut piped) = pipe();
        drop(filler);
        assert!(piped.read(&mut [0]).is_err(), "no end was announced");
        let (filler, piped) = pipe();
        drop(piped);
        filler.fill(Ok(io::repeat(0)));
    }
}
