//! Expressions in scalars: whatever the text is, places lie in it and its pieces are all of it.
#![no_main]

use grammar::expression::{Piece, scan};
use libfuzzer_sys::fuzz_target;
use model::{Sources, Span};

fuzz_target!(|text: &str| {
    let mut sources = Sources::default();
    let source = sources.add("t.yaml", text);
    let (pieces, findings) = scan(text, Span::new(source, 0, text.len()), text);
    findings.iter().for_each(|finding| fuzz::fit(finding, &sources));
    if !grammar::expression::holds_expression(text) && !text.is_empty() {
        assert_eq!(pieces, [Piece::Text(text.to_owned())]);
    }
});
