use std::io::{self, BufReader, Read};

use bzip2::bufread::MultiBzDecoder;
use flate2::bufread::MultiGzDecoder;
use liblzma::bufread::XzDecoder;
use liblzma::stream::{CONCATENATED, Stream};
use zstd::stream::read::Decoder;

/// Memory an xz stream may ask for: its strongest preset takes 65 MiB.
const XZ_MEMORY: u64 = 80 << 20;
/// Memory a zstd stream may ask for, as a power of two: what its own program takes unless told otherwise.
const ZSTD_WINDOW: u32 = 27;

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
    let input = io::Cursor::new(start.clone()).chain(input);
    Ok(match start.as_slice() {
        [0xfd, b'7', b'z', b'X', b'Z', 0] => {
            let stream = Stream::new_stream_decoder(XZ_MEMORY, CONCATENATED).map_err(io::Error::from)?;
            Box::new(XzDecoder::new_stream(BufReader::with_capacity(1 << 16, input), stream))
        }
        [b'B', b'Z', b'h', ..] => Box::new(MultiBzDecoder::new(BufReader::with_capacity(1 << 16, input))),
        [0x1f, 0x8b, ..] => Box::new(MultiGzDecoder::new(BufReader::with_capacity(1 << 16, input))),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => {
            let mut decoder = Decoder::with_buffer(BufReader::with_capacity(1 << 16, input))?;
            decoder.window_log_max(ZSTD_WINDOW)?;
            Box::new(decoder)
        }
        _ => Box::new(input),
    })
}
