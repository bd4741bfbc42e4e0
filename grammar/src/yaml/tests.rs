use model::{Code, SourceId, codes};

use super::*;

fn read(text: &str) -> Parsed {
    parse(SourceId(0), text)
}

fn codes_of(text: &str) -> Vec<Code> {
    read(text).findings.iter().map(|f| f.code).collect()
}

fn slice(text: &str, span: Span) -> &str {
    &text[span.start as usize..span.end as usize]
}

fn pairs(text: &str) -> Vec<Pair> {
    match read(text).root.map(|root| root.kind) {
        Some(Kind::Map(pairs)) => pairs.to_vec(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn scalars_keep_the_text_they_were_written_as() {
    let pairs = pairs("a: 3.10\nb: \"3.10\"\nc: 0x1F\nd: yes\ne: 1e3\n");
    let texts: Vec<_> = pairs.iter().map(|pair| pair.value.kind.clone()).collect();
    let scalar = |text: &str, plain| Kind::Scalar { text: text.into(), plain };
    assert_eq!(
        texts,
        [scalar("3.10", true), scalar("3.10", false), scalar("0x1F", true), scalar("yes", true), scalar("1e3", true)]
    );
}

#[test]
fn every_kind_of_value_has_its_own_span() {
    let text = "plain: é x\nquoted: 'it''s'\nblock: |  # why\n  one\n\n  two\n\nlist:\n- a\n- [b]\nflow: {k: [1, 2]} # end\nnone:\n";
    let spans: Vec<_> = pairs(text).iter().map(|pair| slice(text, pair.value.span).to_owned()).collect();
    assert_eq!(spans, ["é x", "'it''s'", "|  # why\n  one\n\n  two", "- a\n- [b]", "{k: [1, 2]}", ""]);
    let comments: Vec<_> = read(text).comments.iter().map(|c| slice(text, c.span).to_owned()).collect();
    assert_eq!(comments, ["# why", "# end"]);
}

#[test]
fn an_absent_value_and_null_are_no_value() {
    let kinds: Vec<_> = pairs("a:\nb: ~\nc: null\nd: 'null'\n").into_iter().map(|pair| pair.value.kind).collect();
    assert_eq!(kinds[..3], [Kind::Null, Kind::Null, Kind::Null]);
    assert_eq!(kinds[3], Kind::Scalar { text: "null".into(), plain: false });
}

#[test]
fn broken_text_gives_what_stands_around_the_break() {
    let text = "name: x\npackages:\n  - a\n  - b\nrun: {user: 1\nfiles: []\n";
    let parsed = read(text);
    assert_eq!(parsed.findings.iter().map(|f| f.code).collect::<Vec<_>>(), [codes::YAML_SYNTAX]);
    assert_eq!(slice(text, parsed.findings[0].span.unwrap()), "{");
    let root = parsed.root.unwrap();
    assert!(!root.is_broken());
    let Kind::Map(pairs) = root.kind else { panic!() };
    assert_eq!(
        pairs.iter().map(|pair| pair.key.value.as_str()).collect::<Vec<_>>(),
        ["name", "packages", "run", "files"]
    );
    assert!(!pairs[1].value.is_broken());
    assert!(pairs[2].value.is_broken());
}

#[test]
fn an_error_between_entries_is_an_entry_of_its_own() {
    let root = read("x: 1\n%% what\nz: 2\n").root.unwrap();
    let Kind::Map(pairs) = root.kind else { panic!() };
    assert_eq!(pairs.len(), 3);
    assert_eq!((pairs[1].key.value.as_str(), &pairs[1].value.kind), ("", &Kind::Error));
}

#[test]
fn the_second_of_two_equal_keys_points_at_the_first() {
    let text = "a: 1\nb: {c: 1, 'c': 2}\na: 3\n";
    let findings = read(text).findings;
    assert_eq!(findings.iter().map(|f| f.code).collect::<Vec<_>>(), [codes::DUPLICATE_KEY; 2]);
    assert_eq!(findings[0].span.map(|s| slice(text, s)), Some("'c'"));
    assert_eq!(findings[1].labels[0].span.start, 0);
    assert_eq!(pairs(text).len(), 3, "nothing written is lost");
}

#[test]
fn independent_findings_are_made_in_one_go() {
    let text = "a: &x 1\nb: *x\nc: !t v\n? [1]\n: 2\nc: 3\nd: {e: *y}\n";
    let expected = [
        codes::YAML_ANCHOR,
        codes::YAML_ANCHOR,
        codes::YAML_TAG,
        codes::YAML_KEY,
        codes::DUPLICATE_KEY,
        codes::YAML_ANCHOR,
    ];
    assert_eq!(codes_of(text), expected);
}

#[test]
fn a_document_of_nothing_is_a_finding_of_its_own() {
    for text in ["", "\n", "# only a comment\n", "---\n", "---\n# c\n...\n"] {
        assert_eq!(codes_of(text), [codes::EMPTY_DOCUMENT], "{text:?}");
    }
    assert_eq!(codes_of("{}"), []);
}

#[test]
fn more_than_a_hundred_comments_in_a_row_are_fine() {
    let text = format!("{}a: 1\n", "# words\n".repeat(5_000));
    let parsed = read(&text);
    assert_eq!((parsed.findings.len(), parsed.comments.len()), (0, 5_000));
}

#[test]
fn a_tab_is_pointed_at_wherever_it_indents() {
    for text in ["a:\n\tb: 1\n", "a:\n  b: 1\n\tc: 2\n", "a: [1,\n\t2]\n", "a: |\n\tx\n", "a:\n  \tb: 1\n"] {
        let findings = read(text).findings;
        assert_eq!(findings.len(), 1, "{text:?}");
        assert_eq!(findings[0].code, codes::YAML_TAB, "{text:?}");
        assert_eq!(findings[0].span.map(|s| slice(text, s)), Some("\t"), "{text:?}");
    }
}
