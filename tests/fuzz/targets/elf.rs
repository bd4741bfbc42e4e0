//! ELF files.
#![no_main]

use std::io::Cursor;

use inspect::elf;
use libfuzzer_sys::fuzz_target;
use model::hardening::{Demand, Hardening};

fuzz_target!(|bytes: &[u8]| {
    let _ = elf::read(Cursor::new(bytes));
    if let Ok(facts) = elf::hardening(Cursor::new(bytes)) {
        let demands = Demand::ALL.into();
        assert!(elf::judge(&facts, &demands).keys().eq(&demands), "every demand has an answer");
        let text = model::canonical_json(&facts);
        assert_eq!(serde_json::from_slice::<Hardening>(&text).expect("facts read back"), facts);
    }
});
