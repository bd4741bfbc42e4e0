//! Signatures: without a private key to the trust data no text and no file is believed.
#![no_main]

use libfuzzer_sys::fuzz_target;
use runtime::openpgp::{verify_cleartext, verify_detached};
use trust::Trust;

fuzz_target!(|bytes: &[u8]| {
    let trust = Trust::builtin().expect("it is built in");
    assert!(verify_cleartext(bytes, &trust, "debian lamp", 1_780_000_000).is_err());
    assert!(verify_detached(&mut std::io::empty(), bytes, &trust, "openssl 3.5", 1_780_000_000).is_err());
});
