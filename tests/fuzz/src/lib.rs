//! What the fuzz targets share.

#[cfg(feature = "verifier")]
pub mod judged;

use std::io::{self, Read};

use inspect::archive::{ContentSink, Limits};
use model::{Digest, Finding, Hasher, Sources};

/// Limits small enough for a bomb to be refused at once.
pub const LIMITS: Limits =
    Limits { entries: 1000, bytes: 4 << 20, ratio: 100, small: 1 << 20, name: 4096, metadata: 1 << 20 };

/// Keeps nothing; counts, so that a limit that does not hold is noticed.
#[derive(Default)]
pub struct Counting {
    bytes: u64,
}

impl ContentSink for Counting {
    fn store(&mut self, content: &mut dyn Read) -> io::Result<(Digest, u64)> {
        let (mut hasher, mut size, mut buffer) = (Hasher::new(), 0, [0; 4096]);
        loop {
            match content.read(&mut buffer)? {
                0 => return Ok((hasher.finish(), size)),
                read => {
                    hasher.update(&buffer[..read]);
                    size += read as u64;
                    self.bytes += read as u64;
                    assert!(self.bytes <= LIMITS.bytes + buffer.len() as u64, "the limit does not hold");
                }
            }
        }
    }
}

/// A finding must be fit to be shown: one line, and its places on characters of the text.
pub fn fit(finding: &Finding, sources: &Sources) {
    assert!(!finding.message.is_empty() && !finding.message.contains('\n'), "{finding:?}");
    for span in finding.span.into_iter().chain(finding.labels.iter().map(|label| label.span)) {
        assert!(sources.text(span.source).get(span.start as usize..span.end as usize).is_some(), "{finding:?}");
    }
}
