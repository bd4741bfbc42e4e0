//! Every list or map that can be read has a usual form, which means the same and is its own usual form.
#![no_main]

use grammar::yaml::{Kind, format, parse};
use libfuzzer_sys::fuzz_target;
use model::SourceId;

fuzz_target!(|text: &str| {
    let parsed = parse(SourceId(0), text);
    match format(SourceId(0), text) {
        // That nothing is lost is checked before it is given.
        Ok(form) => assert_eq!(format(SourceId(0), &form).as_ref(), Ok(&form)),
        Err(findings) if parsed.findings.is_empty() => {
            let block = parsed.root.is_some_and(|root| matches!(root.kind, Kind::List(_) | Kind::Map(_)));
            // A key that would mark a document stands behind a `?`, where none can end in a colon.
            let marker = text.contains("---") || text.contains("...");
            assert!(!block || marker && text.contains("::"), "{findings:?}");
        }
        Err(findings) => assert_eq!(findings, parsed.findings),
    }
});
