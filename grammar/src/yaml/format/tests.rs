use super::*;
use proptest::prelude::*;

fn formatted(text: &str) -> String {
    format(SourceId(0), text).unwrap_or_else(|findings| panic!("{findings:?}\n{text}"))
}

#[track_caller]
fn forms(cases: &[(&str, &str)]) {
    for (text, form) in cases {
        assert_eq!(formatted(text), *form, "{text:?}");
        assert_eq!(formatted(form), *form, "{form:?}");
    }
}

#[test]
fn documents_get_the_usual_form_and_keep_it() {
    forms(&[
        ("a:   1\nb :  2", "a: 1\nb: 2\n"),
        ("a:\n- 1\n-   2\n", "a:\n  - 1\n  - 2\n"),
        ("a:\n    b:\n        c: 1\n    d: 2\n", "a:\n  b:\n    c: 1\n  d: 2\n"),
        ("- a: 1\n  b: 2\n-\n  c: 3\n-\n\n  - d\n", "- a: 1\n  b: 2\n- c: 3\n- - d\n"),
        ("-   a: 1\n    b:\n        - x\n", "- a: 1\n  b:\n    - x\n"),
        ("a:\nb: ~\nc: ''\n-x: 1\n", "a:\nb: ~\nc: ''\n-x: 1\n"),
        ("a:\n  1\nb:\n\n  'x'\n", "a: 1\nb: 'x'\n"),
        ("a: 1\n   \n\t\n \nb: 2  \n\n\n", "a: 1\n\nb: 2\n"),
        ("a: x\u{a0}\n", "a: x\u{a0}\n"),
        ("[a, b]", "[a, b]\n"),
        ("text", "text\n"),
    ]);
}

#[test]
fn comments_stay_with_what_they_are_about() {
    forms(&[
        (
            "\n\n# top\n\n\na: 1   # one\n   # two\nb: # three\n     c: 2\n     # four\n# five\n",
            "# top\n\na: 1   # one\n# two\nb: # three\n  c: 2\n  # four\n# five\n",
        ),
        ("a: # why\n    1 # end\nb:\n# own\n  x\n", "a: # why\n  1 # end\nb:\n  # own\n  x\n"),
        ("-   # first\n    a: 1\n-\n  # second\n  b\n", "-   # first\n  a: 1\n-\n  # second\n  b\n"),
        ("a:\n    # - none\nb: 1\n", "a:\n  # - none\nb: 1\n"),
        ("a:\n- 1\n  # in the list\n# about b\nb:\n", "a:\n  - 1\n  # in the list\n# about b\nb:\n"),
        ("- a: 1\n  # in the map\n# about the next\n- b\n", "- a: 1\n  # in the map\n# about the next\n- b\n"),
        ("a:\n- # c\n  [x]\n", "a:\n  - # c\n    [x]\n"),
        (
            "a: [ # one\n    b, # two\n    # three\n\n  ] # four\n",
            "a: [ # one\n    b, # two\n    # three\n\n  ] # four\n",
        ),
        ("a: |  # why\n    x\n  # after\nb:\n", "a: |  # why\n  x\n# after\nb:\n"),
        ("# only\n---\n# a list\n- 1 # c\n", "# only\n---\n# a list\n- 1 # c\n"),
    ]);
}

#[test]
fn texts_over_several_lines_keep_their_text() {
    forms(&[
        ("a: |\n     x\n       y\n\n     z\nb: 1\n", "a: |\n  x\n    y\n\n  z\nb: 1\n"),
        ("a:\n    b: |\n      x\n       y\n    c: >-\n      z\n", "a:\n  b: |\n    x\n     y\n  c: >-\n    z\n"),
        ("a: |+\n  x\n\n\nb: 1\n", "a: |+\n  x\n\n\nb: 1\n"),
        ("a: |\n  x  \n \n    \n  y\t\n\n\nb: 1\n", "a: |\n  x  \n\n    \n  y\t\n\nb: 1\n"),
        ("a:\n    b: |4-\n         x\n        y\n", "a:\n  b: |2-\n     x\n    y\n"),
        ("a:\n  |\n  x\n", "a: |\n  x\n"),
        ("a: |\n\n\nb: >+\n\n\n", "a: |\n\nb: >+\n\n\n"),
        ("a: 'x   \n\n      y'\nb: w\n c\n", "a: 'x\n\n  y'\nb: w\n  c\n"),
        ("a: \"x\\   \n  y\\\n    \\ z\"\n", "a: \"x\\ \n  y\\\n  \\ z\"\n"),
        ("- |1\n  x\n- - |2\n     y\n", "- |2\n   x\n- - |2\n     y\n"),
        ("|\n x\n", "|\n  x\n"),
        ("- |+\n ", "- |+\n\n"),
        ("- |+\n\n ", "- |+\n\n"),
    ]);
}

#[test]
fn brackets_stay_and_their_lines_move_with_the_entry() {
    forms(&[
        ("a: {b: [1,\n  2], c:  3}   \nd: 1\n", "a: {b: [1,\n  2], c:  3}\nd: 1\n"),
        ("a:\n    b: [\n      1,\n    ]\n", "a:\n  b: [\n    1,\n  ]\n"),
        ("- [\n  1\n]\n- a: {\n  }\n", "- [\n  1\n]\n- a: {\n  }\n"),
        ("a:\n    [1,\n     2]\nb:\n    [3]\n", "a:\n  [1,\n   2]\nb: [3]\n"),
        ("a:\n      [1,\n 2]\n", "a:\n  [1,\n   2]\n"),
    ]);
}

#[test]
fn directives_and_markers_stay_and_keys_lose_their_question_mark() {
    forms(&[
        ("---\na: 1\n", "---\na: 1\n"),
        (
            "%YAML 1.2   # why\n# c\n---   # d\n\n\na: 1\n...  # e\n# f\n",
            "%YAML 1.2   # why\n# c\n---   # d\n\na: 1\n...  # e\n# f\n",
        ),
        ("--- text\n...\n", "---\ntext\n...\n"),
        ("---?A:\n", "---?A:\n"),
        (" --- a: 1\n ... : 2\n", "? --- a\n: 1\n? ...\n: 2\n"),
        ("? --- # c\n? ...\n", "? --- # c\n? ...\n"),
        ("? a\n: 1\n? b\n? c\n:   - 2\n", "a: 1\nb:\nc:\n  - 2\n"),
        ("? a # why\n: 1\n?  |\n    x\n:  - 2\n", "? a # why\n: 1\n? |\n  x\n:\n  - 2\n"),
    ]);
}

#[test]
fn lines_end_as_the_first_one_does() {
    forms(&[
        ("a: 1\r\nb:\r\n- 2\n", "a: 1\r\nb:\r\n  - 2\r\n"),
        ("a: 1\nb: |\r\n  x\r\n", "a: 1\nb: |\n  x\n"),
        ("# c\rb: 1\r\n", "# c\nb: 1\n"),
        ("\u{feff}\r\na: 1", "a: 1\r\n"),
    ]);
}

#[test]
fn broken_text_is_left_alone() {
    assert!(format(SourceId(0), "a: [1\n").is_err());
    assert!(format(SourceId(0), "").is_err());
}

#[test]
fn what_cannot_be_written_is_left_alone_and_its_line_named() {
    for (text, at) in [("a: 1\nb:\n", None), ("# t\n|\n \n# c\n", Some("|"))] {
        let found = format(SourceId(0), text).err().map(|findings| (findings[0].code, findings[0].span.unwrap()));
        let place = found.map(|(code, span)| (code, &text[span.start as usize..span.end as usize]));
        assert_eq!(place, at.map(|at| (codes::FORMAT_UNSAFE, at)), "{text:?}");
    }
}

#[test]
fn what_would_get_another_meaning_is_noticed() {
    let differ = |a: &str, b: &str| difference(&parse(SourceId(0), a), &parse(SourceId(0), b)).map(|span| span.start);
    let text = "a: 1 # c\nb: [2]\n";
    assert_eq!(differ(text, "a:   1   # c  \n\nb:\n  - 2\n"), None);
    for (other, start) in [
        ("a: '1' # c\nb: [2]\n", 3),
        ("a: 1 # c\nb: [3]\n", 13),
        ("a: 1 # c\nb: [2, 3]\n", 12),
        ("a: 1 # c\nc: [2]\n", 9),
        ("a: 1 # d\nb: [2]\n", 5),
        ("a: 1\nb: [2]\n", 5),
        ("a: 1 # c\nb: [2] # d\n", 0),
        ("", 0),
    ] {
        assert_eq!(differ(text, other), Some(start), "{other:?}");
    }
}

/// Every list or map that can be read has a form, which means the same, has the same comments, and is its own form.
fn check(text: &str) -> Result<(), TestCaseError> {
    let before = parse(SourceId(0), text);
    prop_assume!(
        before.findings.is_empty() && matches!(before.root, Some(Node { kind: Kind::List(_) | Kind::Map(_), .. }))
    );
    let form = format(SourceId(0), text).map_err(|f| TestCaseError::fail(format!("{text:?} {f:?}")))?;
    prop_assert_eq!(difference(&before, &parse(SourceId(0), &form)), None, "{:?} {:?}", text, form);
    prop_assert_eq!(format(SourceId(0), &form), Ok(form));
    Ok(())
}

/// What may stand between values: ends of lines, of which some bear comments or hold nothing.
fn gap() -> impl Strategy<Value = &'static str> {
    let common = ["", "", "", "", " ", "  # d", " \t"];
    let lines = ["\n", "\n\n", "\n  \n", "\n# c", "\n   # c", "\n # c\n\n      # e "];
    prop_oneof![4 => prop::sample::select(common.to_vec()), 1 => prop::sample::select(lines.to_vec())]
}

/// The lines of a scalar or of something in brackets; those after the first are deeper than what they belong to.
fn leaf() -> impl Strategy<Value = Vec<String>> {
    let text = prop::sample::select(vec![
        "1",
        "x y",
        "'it''s'",
        "\"a\\nb\"",
        "{k: [v]}",
        "[]",
        "3.10",
        "~",
        "",
        "w\n v",
        "'a \n\n  b '",
        "\"a\\ \n b\\\n c\"",
        "[a,\n b]",
        "[\n a, # c\n # d\n\n b:  1\n]",
        "{\n  a: 'x\n y'\n\n}",
        "[[\n a\n],[\n]]",
    ]);
    let content =
        prop::collection::vec(prop::sample::select(vec!["x", " x", "x  ", "", "", "  ", "\tx", "# x", "- x"]), 0..5);
    let digit = prop::option::of(1usize..4);
    let header = (prop::sample::select(vec!["|", ">"]), prop::sample::select(vec!["", "+", "-"]), digit, 1usize..4);
    let block = (header, content, gap()).prop_map(|((sign, chomp, digit, deep), content, gap)| {
        let first =
            format!("{sign}{chomp}{}{}", digit.map_or(String::new(), |d| d.to_string()), gap.trim_start_matches('\n'));
        let first = first.split('\n').next().unwrap().to_owned();
        let indent = " ".repeat(digit.unwrap_or(deep));
        std::iter::once(first).chain(content.iter().map(|line| format!("{indent}{line}"))).collect()
    });
    prop_oneof![3 => text.prop_map(|text| text.split('\n').map(str::to_owned).collect()), 1 => block]
}

/// Documents of nested lists and maps in block form, with white space and comments wherever they may stand.
fn document() -> impl Strategy<Value = String> {
    let node = leaf().prop_map(|lines| (false, lines)).prop_recursive(4, 24, 4, |inner| {
        let entry = (inner, 0usize..5, any::<bool>(), gap(), gap(), gap());
        let entries = prop::collection::vec(entry, 1..4);
        (entries, prop::sample::select(vec!["-", "k", "?"])).prop_map(|(entries, kind)| {
            let mut lines: Vec<String> = Vec::new();
            for (number, ((block, value), deep, same_line, before, behind, after)) in entries.into_iter().enumerate() {
                let gap = |lines: &mut Vec<String>, gap: &str| {
                    let mut parts = gap.split('\n');
                    let first = parts.next().unwrap();
                    if let Some(line) = lines.last_mut() {
                        line.push_str(first);
                    }
                    lines.extend(parts.map(str::to_owned));
                };
                gap(&mut lines, before);
                let start = match kind {
                    "-" => "-".to_owned(),
                    "k" => format!("k{number}:"),
                    _ => {
                        lines.push(format!("? k{number}"));
                        gap(&mut lines, behind);
                        ":".to_owned()
                    }
                };
                let column = start.len() + 1;
                lines.push(start);
                let indent = |line: &str, deep: usize| {
                    if line.is_empty() { String::new() } else { format!("{}{line}", " ".repeat(deep)) }
                };
                let mut value = value.iter();
                if same_line && (kind != "k" || !block) {
                    // Behind the sign; a block's further lines start where its first one does.
                    let first = value.next().map_or("", String::as_str);
                    lines.last_mut().unwrap().push_str(&format!(" {first}"));
                    lines.extend(value.map(|line| indent(line, if block { column } else { deep })));
                } else {
                    gap(&mut lines, behind);
                    lines.extend(value.map(|line| indent(line, deep)));
                }
                gap(&mut lines, after);
            }
            (true, lines)
        })
    });
    let marks =
        prop::sample::select(vec![("", ""), ("---\n", ""), ("%YAML 1.2 # c\n--- # d\n", "...\n"), ("\n# t\n", "# e")]);
    (node, marks, any::<bool>()).prop_map(|((_, lines), (head, foot), windows)| {
        let text = format!("{head}{}\n{foot}", lines.join("\n"));
        if windows { text.replace('\n', "\r\n") } else { text }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, max_global_rejects: 100_000_000, ..ProptestConfig::default() })]

    #[test]
    fn documents_have_a_form_that_means_the_same(text in document()) {
        check(&text)?;
    }

    #[test]
    fn whatever_can_be_read_has_a_form_that_means_the_same(text in "[a-c:\\-#'\"|>\\[\\]{}, \\\\?+2\n]{0,40}") {
        check(&text)?;
    }
}
