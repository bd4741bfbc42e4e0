//! Hostile texts are refused quickly, with a finding, and without using the stack.

#![expect(clippy::disallowed_types, clippy::disallowed_methods, reason = "the time taken is what is tested")]

use std::time::{Duration, Instant};

use grammar::yaml::{Kind, MAX_DEPTH, format, parse};
use model::{Code, SourceId, codes};

/// Generous for a busy machine; what is refused takes microseconds, and one megabyte of text well below a second.
const LIMIT: Duration = Duration::from_secs(10);

fn first(text: &str) -> Option<Code> {
    let start = Instant::now();
    let findings = parse(SourceId(0), text).findings;
    assert!(findings.len() <= grammar::MAX_FINDINGS + 1);
    assert!(start.elapsed() < LIMIT, "{:?} for {:?}", start.elapsed(), &text[..20]);
    findings.first().map(|f| f.code)
}

fn refused(text: &str, code: Code) {
    assert_eq!(first(text), Some(code), "{:?}", &text[..20]);
}

#[test]
fn ten_megabytes_of_nesting_are_refused() {
    let nesting = || {
        for piece in ["[", "{", "- ", "{a: ", "[{a: ", "? ", "[? {a: "] {
            refused(&piece.repeat(10_000_000 / piece.len()), codes::TOO_DEEP);
        }
        let indented: String = (0..4_000).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
        refused(&indented, codes::TOO_DEEP);
    };
    // a stack too small for anything that recurses with the text
    let thread = std::thread::Builder::new().stack_size(128 << 10).spawn(nesting);
    assert!(thread.is_ok_and(|thread| thread.join().is_ok()));
}

#[test]
fn the_deepest_text_accepted_is_as_deep_as_the_limit_says() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(parse(SourceId(0), &nested(MAX_DEPTH)).findings.is_empty());
    refused(&nested(MAX_DEPTH + 1), codes::TOO_DEEP);
    refused(&format!("a: {}", nested(MAX_DEPTH)), codes::TOO_DEEP);
}

#[test]
fn a_megabyte_of_mistakes_gives_a_hundred_findings() {
    for piece in ["a: 1\n", "- *a\n", "- !a &b c\n", "? [a]\n"] {
        let findings = parse(SourceId(0), &piece.repeat(grammar::MAX_BYTES / piece.len())).findings;
        assert_eq!(findings.len(), grammar::MAX_FINDINGS + 1, "{piece:?}");
        assert_eq!(findings.last().map(|f| f.code), Some(codes::MORE_FINDINGS), "{piece:?}");
    }
}

#[test]
fn a_megabyte_of_one_thing_takes_no_longer_than_its_length_asks() {
    for (piece, code) in [
        ("\"", Some(codes::YAML_SYNTAX)),
        ("'", None),
        ("a ", None),
        ("\t", Some(codes::EMPTY_DOCUMENT)),
        ("\u{1}", Some(codes::CONTROL_CHARACTER)),
        ("---\n", Some(codes::SEVERAL_DOCUMENTS)),
        ("# c\n", Some(codes::EMPTY_DOCUMENT)),
        ("|\n", None),
        ("%X\n", Some(codes::YAML_SYNTAX)),
        ("a: |\n ", None),
        ("[],", Some(codes::YAML_SYNTAX)),
        ("&a ", Some(codes::YAML_ANCHOR)),
    ] {
        assert_eq!(first(&piece.repeat(grammar::MAX_BYTES / piece.len())), code, "{piece:?}");
    }
    let keys: String = (0..grammar::MAX_BYTES / 10).map(|n| format!("k{n}: \n")).collect();
    assert_eq!(first(&keys), None);
}

#[test]
fn brackets_in_the_column_of_their_key_are_found_in_one_go() {
    let brackets = "[],".repeat(grammar::MAX_BYTES / 3);
    assert_eq!(first(&format!("- [{brackets}\n]\n")), None);
    refused(&format!("- [\n{brackets}\n]\n"), codes::YAML_SYNTAX);
    assert_eq!(first(&"- [\n]\n".repeat(grammar::MAX_BYTES / 6)), None);
}

#[test]
fn a_megabyte_is_formatted_as_quickly() {
    for piece in ["- |+\n    x\n\n", "-   [\n# c\n]\n", "-\n - - - # c\n"] {
        let (start, text) = (Instant::now(), piece.repeat(grammar::MAX_BYTES / piece.len()));
        assert!(format(SourceId(0), &text).is_ok(), "{piece:?}");
        assert!(start.elapsed() < LIMIT, "{:?} for {piece:?}", start.elapsed());
    }
    let (start, text) = (Instant::now(), format!("{}- 1\n", "# c\n".repeat(grammar::MAX_BYTES / 4)));
    assert_eq!(format(SourceId(0), &text).as_ref(), Ok(&text));
    assert!(start.elapsed() < LIMIT, "{:?}", start.elapsed());
}

#[test]
fn an_alias_bomb_is_refused_and_never_expanded() {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for level in 1..40 {
        let before = level - 1;
        text.push_str(&format!("a{level}: &a{level} [{}]\n", vec![format!("*a{before}"); 9].join(", ")));
    }
    refused(&text, codes::YAML_ANCHOR);
    let parsed = parse(SourceId(0), &text);
    let Some(Kind::Map(pairs)) = parsed.root.map(|root| root.kind) else { panic!() };
    assert_eq!(pairs.len(), 40);
}
