//! Whatever the input: no panic, and every span lies in the text, on character boundaries, inside its parent's.

use grammar::yaml::{Kind, Node, Parsed, parse};
use model::{SourceId, Span};
use proptest::prelude::*;

fn check(text: &str, parsed: &Parsed) {
    let inside = |span: Span| {
        let range = span.start as usize..span.end as usize;
        assert!(text.get(range).is_some(), "{span} in {text:?}");
    };
    parsed.comments.iter().for_each(|comment| {
        inside(comment.span);
        assert_eq!(
            text[comment.span.start as usize..comment.span.end as usize].strip_prefix('#'),
            Some(&*comment.text)
        );
    });
    parsed.findings.iter().for_each(|finding| {
        finding.span.into_iter().chain(finding.labels.iter().map(|label| label.span)).for_each(inside);
    });
    parsed.root.iter().for_each(|root| nested(root, &inside));
    let missing = parsed.root.as_ref().is_none_or(Node::is_broken);
    assert!(!missing || !parsed.findings.is_empty(), "{text:?}");
}

fn nested(node: &Node, inside: &impl Fn(Span)) {
    inside(node.span);
    let within = |span: Span| assert!(node.span.start <= span.start && span.end <= node.span.end, "{node:#?}");
    match &node.kind {
        Kind::List(items) => items.iter().for_each(|item| {
            within(item.span);
            nested(item, inside);
        }),
        Kind::Map(pairs) => pairs.iter().for_each(|pair| {
            within(pair.key.span);
            within(pair.value.span);
            inside(pair.span());
            nested(&pair.value, inside);
        }),
        Kind::Scalar { .. } | Kind::Null | Kind::Error => {}
    }
}

/// Texts made of what YAML gives a meaning to, so that random ones reach deep.
fn yaml_like() -> impl Strategy<Value = String> {
    let pieces = [
        "a",
        "é",
        "b: ",
        ": ",
        "- ",
        "? ",
        "\n",
        "\n  ",
        "\n    ",
        "\n- ",
        "[",
        "]",
        "{",
        "}",
        ", ",
        "\"",
        "'",
        "|",
        ">",
        "|-\n",
        ">+2\n",
        "#",
        " # c\n",
        "&x ",
        "*x",
        "!t ",
        "!!str ",
        "---\n",
        "...\n",
        "%YAML 1.2\n",
        "\t",
        "\r\n",
        "\r",
        "~",
        "null",
        "\\u0041",
        "\\",
        "\u{feff}",
        "\u{0}",
        "\u{85}",
        "\u{2028}",
        "${{ x }}",
        "1.10",
        "<<: ",
    ];
    prop::collection::vec(prop::sample::select(pieces.to_vec()).prop_map(str::to_owned), 0..40)
        .prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read_as_far_as_it_goes(text in yaml_like()) {
        check(&text, &parse(SourceId(7), &text));
    }

    #[test]
    fn any_characters_are_read_as_far_as_they_go(text in any::<String>()) {
        check(&text, &parse(SourceId(7), &text));
    }

    #[test]
    fn any_bytes_are_read_as_far_as_they_go(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(text) = grammar::decode(&bytes) {
            check(text, &parse(SourceId(7), text));
        }
    }

    #[test]
    fn a_scalar_in_quotes_comes_back_as_it_was(value in "[^\\x00-\\x1f\\x7f-\\x9f'\u{feff}\u{fffe}\u{ffff}\u{2028}\u{2029}]{1,30}") {
        let text = format!("key: '{value}'\n");
        let parsed = parse(SourceId(0), &text);
        prop_assert_eq!(&parsed.findings, &Vec::new());
        let Some(Kind::Map(pairs)) = parsed.root.map(|root| root.kind) else { panic!("{text:?}") };
        prop_assert_eq!(&pairs[0].value.kind, &Kind::Scalar { text: value.into(), plain: false });
    }
}
