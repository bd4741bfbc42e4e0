//! Versions and their constraints: the order is one, and nothing panics.
#![no_main]

use inspect::debian::version::{compare, is_valid, satisfies};
use libfuzzer_sys::fuzz_target;
use model::config::Relation;

fuzz_target!(|text: &str| {
    let mut parts = text.splitn(3, '\n');
    let (a, b, c) = (parts.next().unwrap_or(""), parts.next().unwrap_or(""), parts.next().unwrap_or(""));
    if [a, b, c].into_iter().all(is_valid) {
        assert_eq!(compare(a, b), compare(b, a).reverse());
        if compare(a, b).is_le() && compare(b, c).is_le() {
            assert!(compare(a, c).is_le(), "{a:?} {b:?} {c:?}");
        }
        assert_eq!(satisfies(a, Relation::LaterOrEqual, b), compare(a, b).is_ge());
    }
    // The same texts as versions of an image's language and as requirements.
    let quoted = |text: &str| format!("\"{}\"", text.escape_default());
    let image = format!(
        "name: x\nbase: {{language: python, version: {}}}\npackages: [{}, {}]\n",
        quoted(a),
        quoted(b),
        quoted(c)
    );
    let parsed = grammar::yaml::parse(model::SourceId(0), &image);
    if let Some(root) = parsed.root {
        let _ = compiler::config::read(&root);
    }
});
