//! Any bytes as a signed statement, and as what each kind of statement says.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| fuzz::judged::statement(bytes));
