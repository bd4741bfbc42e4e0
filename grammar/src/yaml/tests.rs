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

#[test]
fn a_list_starts_at_its_first_dash_whatever_follows_it() {
    for list in ["- a", "-", "- # c\n  [x]", "-\n# c\n\n  # d\n  x\n- b", "- - a"] {
        for end in ["\n", "\r\n"] {
            let text = format!("k:\n{list}\nl: 1\n").replace('\n', end);
            let span = pairs(&text)[0].value.span;
            assert_eq!(slice(&text, span).trim_end(), list.replace('\n', end), "{text:?}");
        }
    }
}

#[test]
fn a_closing_bracket_may_stand_in_the_column_of_its_key() {
    for text in [
        "a: [\n  b, # c\n]\nd: 1\n",
        "a: {\r\n  b: [\r\n    c\r\n  ],\r\n}\r\n",
        "- [\n  b\n]\n-   - c: [\n      ]\n",
        "k:\n- [\n]\n- - a: {\n    }\n",
    ] {
        let parsed = read(text);
        assert_eq!(parsed.findings, [], "{text:?}");
        assert!(parsed.comments.iter().all(|comment| slice(text, comment.span) == "# c"), "{text:?}");
    }
    let text = "é: [\n]\nd: {\n} # e\nf: [\n]\n";
    let spans: Vec<_> = pairs(text).iter().map(|pair| slice(text, pair.span())).collect();
    assert_eq!(spans, ["é: [\n]", "d: {\n}", "f: [\n]"]);
    assert_eq!(slice(text, read(text).comments[0].span), "# e");
}

#[test]
fn a_closing_bracket_before_that_column_can_be_indented() {
    for (text, fixed) in
        [("a:\n  b: [\n    c\n]\n", "a:\n  b: [\n    c\n  ]\n"), ("- a: {\n    b: 1\n}\n", "- a: {\n    b: 1\n  }\n")]
    {
        let findings = read(text).findings;
        assert_eq!(findings.len(), 1, "{text:?}");
        assert_eq!(findings[0].span.map(|span| slice(text, span).len()), Some(1), "{text:?}");
        let fix = findings[0].fix.as_ref().unwrap();
        let mut corrected = text.to_owned();
        corrected.replace_range(fix.span.start as usize..fix.span.end as usize, &fix.text);
        assert_eq!(corrected, fixed);
        assert_eq!(codes_of(fixed), []);
    }
    for text in ["a:\n    [\n      b\n]\n", "a: [\n  b\n}\n", "a: [\nb]\n", "a: [\n  b\n, c]\n", "a: [\n  'b\n']\n"] {
        assert_eq!(codes_of(text), [codes::YAML_SYNTAX], "{text:?}");
    }
}

#[test]
fn a_comment_within_a_text_without_quotes_is_an_error() {
    for text in ["k: a\n\t# c\n  b\n", "? a\r\t# c\r b\r"] {
        let findings = read(text).findings;
        assert_eq!(findings.iter().map(|f| f.code).collect::<Vec<_>>(), [codes::YAML_SYNTAX], "{text:?}");
        assert_eq!(findings[0].span.map(|span| slice(text, span)), Some("#"), "{text:?}");
    }
    assert_eq!(codes_of("k: a\n  b#c\n\t# d\n"), []);
}
