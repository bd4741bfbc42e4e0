//! Any bytes as a signed claim (simple signing) beside an image.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| fuzz::judged::claim_of(bytes));
