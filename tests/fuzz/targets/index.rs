//! Any bytes as an index, and as a configuration.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| fuzz::judged::index(bytes));
