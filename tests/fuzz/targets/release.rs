//! Signed releases: without a key of the trust data no text is believed.
#![no_main]

use libfuzzer_sys::fuzz_target;
use runtime::openpgp::verify_cleartext;
use trust::{Scope, Trust};

fuzz_target!(|bytes: &[u8]| {
    let trust = Trust::builtin().expect("it is built in");
    let scope = Scope { suite: "lamp".into(), label: "Lamp".into(), codename: "lamp".into() };
    assert!(verify_cleartext(bytes, &trust, &scope, 1_700_000_000).is_err());
});
