//! Relations, versions, release files and source packages of Debian archives.
#![no_main]

use inspect::debian::{Dsc, Release, relation, version};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let _ = Release::parse(text);
    let _ = relation::parse(text);
    let _ = Dsc::parse(text);
    if let Some((a, b)) = text.split_once('\n')
        && version::is_valid(a)
        && version::is_valid(b)
    {
        assert_eq!(version::compare(a, b), version::compare(b, a).reverse(), "{a:?} {b:?}");
    }
});
