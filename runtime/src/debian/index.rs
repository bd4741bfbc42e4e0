//! Package indexes in the store, and the compact form made of each.

use std::io::{BufReader, Read};

use inspect::debian::{INDEX_VERSION, Index, compact};
use liblzma::bufread::XzDecoder;
use liblzma::stream::Stream;
use model::{Digest, Finding, codes, digest_of};

use crate::store::Store;

/// An index has at most so many bytes packed; the largest so far has 10 MB.
pub(crate) const MAX_PACKED: u64 = 128 << 20;
/// And so many unpacked; the largest so far has 57 MB.
const MAX_UNPACKED: u64 = 1 << 30;
/// The decoder may use so much memory; `xz -9` needs 65 MiB.
const MAX_DECODER: u64 = 128 << 20;

/// The packages of an index that is in the store.
///
/// The compact form is kept, by the digest of what it was made from and the version of its maker; where it is absent or
/// damaged it is made again.
pub(crate) fn load(store: &Store, packages: &Digest) -> Result<Index, Finding> {
    let key = digest_of(&("debian package index", INDEX_VERSION, packages));
    let made = store.action(&key).and_then(|record| String::from_utf8(record).ok()?.parse::<Digest>().ok());
    if let Some(digest) = made.filter(|digest| store.has(digest)) {
        match store.read(&digest, MAX_UNPACKED).and_then(Index::open) {
            Ok(index) => return Ok(index),
            Err(_) => store.discard(&digest)?,
        }
    }
    let packed = store.read(packages, MAX_PACKED)?;
    let bytes = unpacked(&packed, MAX_UNPACKED)?;
    let digest = store.put(&bytes)?;
    store.record(&key, digest.to_string().as_bytes())?;
    Index::open(bytes)
}

/// The compact form of an index of at most `limit` unpacked bytes.
fn unpacked(packed: &[u8], limit: u64) -> Result<Vec<u8>, Finding> {
    let unreadable = |why: String| {
        Finding::error(codes::RELEASE_UNREADABLE, format!("a package index cannot be unpacked: {why}"))
            .help("another source may have a good copy")
    };
    let stream = Stream::new_stream_decoder(MAX_DECODER, 0).map_err(|e| unreadable(e.to_string()))?;
    // One byte more than allowed, so that a longer one is not taken for one that ends there.
    let mut text = BufReader::with_capacity(1 << 16, XzDecoder::new_stream(packed, stream).take(limit + 1));
    let bytes = compact(&mut text);
    if text.get_ref().limit() == 0 {
        return Err(unreadable(format!("it has more than {limit} bytes")));
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::debian::testing::TestArchive;

    #[test]
    fn an_index_that_unpacks_to_too_much_is_refused() {
        let packed = TestArchive::default().packages_xz();
        assert!(unpacked(&packed, 1 << 20).is_ok());
        assert!(unpacked(&packed, 100).unwrap_err().message.contains("more than 100 bytes"));
    }
}
