//! Package indexes: what the compact form was made of is found in it again.
#![no_main]

use inspect::debian::{Index, Stanzas, compact};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    // As compact forms they are only searched; nobody promises what comes out.
    if let Ok(index) = Index::open(bytes.to_vec()) {
        for name in index.names().take(10).map(str::to_owned).collect::<Vec<_>>() {
            let _ = (index.packages(&name), index.providers(&name));
        }
    }
    let Ok(made) = compact(&mut &*bytes) else { return };
    let index = Index::open(made).expect("what was just made can be opened");
    let mut text = bytes;
    let mut stanzas = Stanzas::new(&mut text);
    while let Some(stanza) = stanzas.read().expect("it was read before") {
        let (name, version) = (stanza.get("Package").unwrap_or_default(), stanza.get("Version").unwrap_or_default());
        assert!(index.find(name, version).is_some(), "{name} {version}");
    }
});
