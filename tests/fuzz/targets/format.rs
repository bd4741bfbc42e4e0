//! The usual form of a document means the same and is its own usual form.
#![no_main]

use libfuzzer_sys::fuzz_target;
use model::SourceId;

fuzz_target!(|text: &str| {
    if let Ok(form) = grammar::yaml::format(SourceId(0), text) {
        assert_eq!(grammar::yaml::format(SourceId(0), &form).as_ref(), Ok(&form));
    }
});
