//! Gzip files of one or many members (RFC 1952 §2.2). A small member is unpacked as a whole, in half of the time that a stream takes:
//! layers that were compressed in blocks have nothing else.

use std::io::{self, BufRead, Cursor, Read};
use std::mem;
use std::ptr::NonNull;

use flate2::bufread::MultiGzDecoder;
use libdeflate_sys as sys;

/// Bytes that a small member unpacks to at most, has itself, and mostly has: no more are read before they are needed.
const PLAIN: usize = 512 << 10;
const PACKED: usize = PLAIN + (64 << 10);
const MOSTLY: usize = 256 << 10;

/// What gzip files hold.
pub(super) enum Gzip<R: BufRead> {
    Members(Members<R>),
    /// From a member that is not small, or not whole, on.
    Stream(Box<MultiGzDecoder<io::Chain<Cursor<Vec<u8>>, R>>>),
    /// Between the two.
    Nothing,
}

pub(super) struct Members<R> {
    input: R,
    packed: Vec<u8>,
    /// How much of it was unpacked.
    taken: usize,
    plain: Vec<u8>,
    /// Which part of it was not read yet.
    left: std::ops::Range<usize>,
    unpacker: Unpacker,
}

impl<R: BufRead> Gzip<R> {
    pub(super) fn new(input: R) -> io::Result<Self> {
        let unpacker = Unpacker::new().ok_or(io::ErrorKind::OutOfMemory)?;
        let plain = vec![0; PLAIN];
        Ok(Gzip::Members(Members { input, packed: Vec::with_capacity(MOSTLY), taken: 0, plain, left: 0..0, unpacker }))
    }
}

impl<R: BufRead> Read for Gzip<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self {
                Gzip::Members(members) => {
                    if members.left.is_empty() && !members.next()? {
                        let Gzip::Members(members) = mem::replace(self, Gzip::Nothing) else { continue };
                        *self = members.into_stream();
                        continue;
                    }
                    let read = members.plain.get(members.left.clone()).unwrap_or_default().read(buffer)?;
                    members.left.start += read;
                    return Ok(read);
                }
                Gzip::Stream(stream) => return stream.read(buffer),
                Gzip::Nothing => return Ok(0),
            }
        }
    }
}

impl<R: BufRead> Members<R> {
    /// Unpacks the next member that holds something; `false` if that is not a small one, or there is none.
    fn next(&mut self) -> io::Result<bool> {
        loop {
            // Not after every member: what follows small ones would be moved as often as there are any.
            if self.taken >= MOSTLY / 2 {
                self.packed.drain(..mem::take(&mut self.taken));
            }
            let mut member = None;
            for (is_moved, most) in [(false, MOSTLY), (true, MOSTLY), (true, PACKED)] {
                if is_moved && most == MOSTLY && self.taken == 0 {
                    continue;
                }
                if is_moved {
                    self.packed.drain(..mem::take(&mut self.taken));
                }
                let wanted = most.saturating_sub(self.packed.len());
                let read = self.input.by_ref().take(wanted as u64).read_to_end(&mut self.packed)?;
                if read == 0 && most == PACKED {
                    break;
                }
                let packed = self.packed.get(self.taken..).unwrap_or_default();
                member = self.unpacker.member(packed, &mut self.plain);
                if member.is_some() {
                    break;
                }
            }
            let Some((taken, given)) = member else { return Ok(false) };
            self.taken += taken;
            self.left = 0..given;
            if given > 0 {
                return Ok(true);
            }
        }
    }

    /// What was not unpacked goes to the reader of streams, who also says what is wrong with it; the end of all is no error.
    fn into_stream(mut self) -> Gzip<R> {
        self.packed.drain(..self.taken);
        if self.packed.is_empty() {
            return Gzip::Nothing;
        }
        Gzip::Stream(Box::new(MultiGzDecoder::new(Cursor::new(self.packed).chain(self.input))))
    }
}

/// libdeflate, which unpacks what is in memory. Its safe wrapper (`libdeflater`) does not say where a member ends.
struct Unpacker(NonNull<sys::libdeflate_decompressor>);

#[expect(unsafe_code, reason = "one thread uses it at a time, and it remembers nothing of the thread (libdeflate.h)")]
unsafe impl Send for Unpacker {}

impl Unpacker {
    fn new() -> Option<Self> {
        #[expect(unsafe_code, reason = "it has no conditions, and null is no memory")]
        NonNull::new(unsafe { sys::libdeflate_alloc_decompressor() }).map(Self)
    }

    /// Unpacks the member that bytes begin with: how many it has, and how many it unpacks to. `None` if it is not whole, is damaged,
    /// or unpacks to more than there is room for.
    fn member(&mut self, packed: &[u8], plain: &mut [u8]) -> Option<(usize, usize)> {
        let (mut taken, mut given) = (0, 0);
        #[expect(unsafe_code, reason = "the slices live through the call, and their lengths are those it is told")]
        let result = unsafe {
            sys::libdeflate_gzip_decompress_ex(
                self.0.as_ptr(),
                packed.as_ptr().cast(),
                packed.len(),
                plain.as_mut_ptr().cast(),
                plain.len(),
                &raw mut taken,
                &raw mut given,
            )
        };
        (result == sys::libdeflate_result_LIBDEFLATE_SUCCESS).then_some((taken, given))
    }
}

impl Drop for Unpacker {
    fn drop(&mut self) {
        #[expect(unsafe_code, reason = "it was made by this library, and nobody else has it")]
        unsafe {
            sys::libdeflate_free_decompressor(self.0.as_ptr());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use proptest::prelude::*;

    use super::*;

    fn member(plain: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    }

    fn unpacked(packed: &[u8]) -> io::Result<Vec<u8>> {
        let mut plain = Vec::new();
        Gzip::new(packed)?.read_to_end(&mut plain).map(|_| plain)
    }

    fn noise(size: usize) -> Vec<u8> {
        let mut state = 1_u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state.to_be_bytes()[0]
        };
        (0..size).map(|_| next()).collect()
    }

    #[test]
    fn members_of_every_size_follow_one_another() {
        let sizes = [0, 1, 70_000, PLAIN, PLAIN + 1, 3 * PLAIN, 5, 0, PLAIN];
        let plain: Vec<Vec<u8>> = sizes.iter().map(|size| noise(*size)).collect();
        let packed: Vec<u8> = plain.iter().flat_map(|plain| member(plain)).collect();
        assert!(unpacked(&packed).unwrap() == plain.concat());
        assert!(unpacked(&packed[..packed.len() - 3]).is_err());
        assert!(unpacked(&[packed.as_slice(), b"garbage"].concat()).is_err());
    }

    proptest! {
        /// Whatever the bytes are: what the reader of streams makes of them.
        #[test]
        fn damaged_bytes_give_what_the_reader_of_streams_gives(at in 0_usize..5000, flip in 1_u8.., cut in 0_usize..5000) {
            let mut packed = [member(&noise(2000)), member(&[7; 90_000]), member(&noise(1000))].concat();
            let end = packed.len();
            packed[at % end] ^= flip;
            packed.truncate(end - cut % 40);
            let mut plain = Vec::new();
            let expected = MultiGzDecoder::new(packed.as_slice()).read_to_end(&mut plain).map(|_| plain).ok();
            prop_assert_eq!(unpacked(&packed).ok(), expected);
        }
    }
}
