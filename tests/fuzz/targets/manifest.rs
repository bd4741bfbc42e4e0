//! Any bytes as a manifest: of what refers to an image, and of an image.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| fuzz::judged::manifest(bytes));
