//! Any bytes as an envelope (DSSE) beside an image.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| fuzz::judged::envelope(bytes));
