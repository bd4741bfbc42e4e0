use std::io::{self, BufReader, Read};

use bzip2::bufread::MultiBzDecoder;
use liblzma::bufread::XzDecoder;
use liblzma::stream::{CONCATENATED, Stream};
use zstd::stream::read::Decoder;

use super::gzip::Gzip;

/// Memory an xz stream may ask for: its strongest preset takes 65 MiB.
const XZ_MEMORY: u64 = 80 << 20;
/// Memory a zstd stream may ask for, as a power of two: what its own program takes unless told otherwise.
const ZSTD_WINDOW: u32 = 27;

const GZIP: &[u8] = &[0x1f, 0x8b];
const BZIP2: &[u8] = b"BZh";
const XZ: &[u8] = &[0xfd, b'7', b'z', b'X', b'Z', 0];
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];

/// Whether [`decompress`] would find a compression behind these first bytes; six are enough.
pub fn is_compressed(start: &[u8]) -> bool {
    [GZIP, BZIP2, XZ, ZSTD].iter().any(|magic| start.starts_with(magic))
}

/// Reads what is behind a compression, told by its first bytes; what is not known to be compressed is read as it is.
///
/// # Errors
/// What reading the first bytes failed with; a stream that asks for more memory than it may.
pub fn decompress<'a>(mut input: impl Read + 'a) -> io::Result<Box<dyn Read + 'a>> {
    let mut magic = [0; 6];
    let mut filled = 0;
    while let Some(rest) = magic.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match input.read(rest)? {
            0 => break,
            read => filled += read,
        }
    }
    let start = magic.get(..filled).unwrap_or_default().to_vec();
    let begins = |magic: &[u8]| start.starts_with(magic);
    let input = BufReader::with_capacity(1 << 16, io::Cursor::new(start.clone()).chain(input));
    Ok(if begins(XZ) {
        let stream = Stream::new_stream_decoder(XZ_MEMORY, CONCATENATED).map_err(io::Error::from)?;
        Box::new(XzDecoder::new_stream(input, stream))
    } else if begins(BZIP2) {
        Box::new(MultiBzDecoder::new(input))
    } else if begins(GZIP) {
        Box::new(Gzip::new(input)?)
    } else if begins(ZSTD) {
        let mut decoder = Decoder::with_buffer(input)?;
        decoder.window_log_max(ZSTD_WINDOW)?;
        Box::new(decoder)
    } else {
        Box::new(input)
    })
}
