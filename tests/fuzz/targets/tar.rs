//! Tar archives: no entry lies outside the root, for its path says so by its type; links are checked as well.
#![no_main]

use inspect::archive::tar::{Options, unpack};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let options = Options { owners: bytes.len().is_multiple_of(2), merge_usr: bytes.len().is_multiple_of(3) };
    if let Ok(tree) = unpack(bytes, bytes.len() as u64, options, &fuzz::LIMITS, &mut fuzz::Counting::default()) {
        let text = model::canonical_json(&tree);
        let back: model::Tree = serde_json::from_slice(&text).expect("a tree that was made is a tree");
        assert_eq!(back, tree);
    }
});
