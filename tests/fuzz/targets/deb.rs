//! Debian packages.
#![no_main]

use inspect::archive::deb;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = deb::unpack(bytes, &fuzz::LIMITS, &mut fuzz::Counting::default());
});
