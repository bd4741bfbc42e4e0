//! Any bytes as a source distribution.

#![no_main]

use inspect::archive::Limits;
use inspect::pypi::Sdist;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits { entries: 100, bytes: 1 << 20, small: 1 << 20, ..Limits::default() };
    let _ = Sdist::read(bytes, bytes.len() as u64, &limits);
});
