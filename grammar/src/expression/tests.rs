use model::{SourceId, Span};
use proptest::prelude::*;

use super::*;

fn whole(text: &str) -> Span {
    Span::new(SourceId(0), 0, text.len())
}

fn read(text: &str) -> String {
    let (expression, finding) = parse(text, Place::At(whole(text)));
    match finding {
        None => expression.to_string(),
        Some(finding) => {
            format!("{}: {}", finding.span.map(|span| span.to_string()).unwrap_or_default(), finding.message)
        }
    }
}

#[test]
fn operators_bind_as_their_order_says() {
    for (text, shown) in [
        ("a or b and not c == d", "(a or (b and (not (c == d))))"),
        ("a - b - c * -d % e", "((a - b) - ((c * (-d)) % e))"),
        ("a in b and c not in d", "((a in b) and (c not in d))"),
        ("(a or b) and c", "((a or b) and c)"),
        ("a.b-c[0].d", "a.b-c[0].d"),
        ("not not a", "(not (not a))"),
        ("not not not a", "(not a)"),
        ("- 1", "(-1)"),
        ("[a, 'b',]", "[a, 'b']"),
        ("f()", "f()"),
        ("f(a, g(b))[1]", "f(a, g(b))[1]"),
        ("if a then b else if c then d", "(if a then b else (if c then d))"),
        ("each a", "(each a)"),
        ("each x in a if x > 1 then f(x)", "(each x in a if (x > 1) then f(x))"),
        ("each a if b", "(each a if b)"),
        ("'it''s' == \"a\\\"b\\\\\\n\"", "('it''s' == 'a\"b\\\n')"),
        ("iffy and andy", "(iffy and andy)"),
        (" true ", "true"),
    ] {
        assert_eq!(read(text), shown, "{text}");
    }
}

#[test]
fn what_is_wrong_is_said_at_its_place() {
    for (text, shown) in [
        ("", "0..0: expected a value"),
        ("a b", "2..3: expected the end or an operator, found `b`"),
        ("a && b", "2..4: expected the end or an operator, found `&&`"),
        ("a there", "2..7: expected the end or an operator, found `there`"),
        ("a +", "3..3: expected a value"),
        ("f(a", "3..3: expected `,`, `)` or an operator"),
        ("[a", "2..2: expected `,`, `]` or an operator"),
        ("'a", "0..1: expected a value, found `'`"),
        ("if a", "4..4: expected an operator or `then`"),
        ("a.", "2..2: expected a field's name"),
        ("if", "2..2: expected a value"),
    ] {
        assert_eq!(read(text), shown, "{text}");
    }
}

fn scanned(text: &str, raw: &str) -> Vec<String> {
    let (pieces, findings) = scan(text, whole(raw), raw);
    let found = findings.into_iter().map(|finding| finding.message);
    let pieces = pieces.into_iter().map(|piece| match piece {
        Piece::Text(text) => text,
        Piece::Expression(expression) => format!("{expression}@{}", expression.span),
    });
    pieces.chain(found).collect()
}

#[test]
fn texts_are_taken_apart_and_every_expression_knows_its_place() {
    for (text, pieces) in [
        ("plain", &["plain"][..]),
        ("", &[]),
        ("a-${{ b }}-c", &["a-", "b@6..7", "-c"]),
        ("${{a}}${{ b }}", &["a@3..4", "b@10..11"]),
        ("$${{ a }} ${{ '}}' }}", &["${{ a }} ", "'}}'@14..18"]),
        ("$$${{ a }}", &["$${{ a }}"]),
        ("$${{ a }} ${{ a }}", &["${{ a }} ", "a@14..15"]),
        ("${{ a", &["?@0..5", "this expression is never closed: expected `}}`"]),
    ] {
        assert_eq!(scanned(text, text), pieces, "{text}");
    }
    // Behind an escape, and in a folded text, where what is read is not what is written.
    assert_eq!(scanned("\u{e9}${{ a }}", "\"\\u00e9${{ a }}\""), ["\u{e9}", "a@11..12"]);
    assert_eq!(scanned("${{ a b }}", "\"${{ a\n  b }}\"").len(), 2);
}

#[test]
fn operators_of_other_languages_are_replaced() {
    for (text, help) in [
        ("a && b || c", "write `and`: `a and b or c`"),
        ("a == b && !c", "write `and`: `a == b and not c`"),
        ("if a = 'x' then b", "write `==`: `if a == 'x' then b`"),
        ("!a", "write `not`: `not a`"),
        ("a &&!b", "write `and`: `a and not b`"),
        ("a && && b", "write `and`"),
        ("a | lower", "there are no filters: call a function, `lower(name)`"),
    ] {
        let finding = parse(text, Place::At(whole(text))).1.unwrap();
        assert_eq!(finding.help.as_deref(), Some(help), "{text}");
    }
}

#[test]
fn long_and_deep_expressions_are_refused_before_they_are_read() {
    let megabyte = "a+".repeat(1 << 19);
    for (text, why) in [
        (megabyte.as_str(), "more than 4096 bytes"),
        (&"(".repeat(MAX_BYTES), "nested more than 32 levels"),
        (&"[".repeat(MAX_DEPTH + 1), "nested more than 32 levels"),
        (&"if a then ".repeat(MAX_DEPTH + 1), "nested more than 32 levels"),
        // Brackets in texts close nothing.
        (&format!("{}'{}'+", "(".repeat(29), ")".repeat(29)).repeat(60), "nested more than 32 levels"),
    ] {
        assert!(read(text).contains(why), "{}", read(text));
    }
    assert!(read(&format!("{}a{}", "(".repeat(MAX_DEPTH), ")".repeat(MAX_DEPTH))).ends_with('a'));
    for prefix in ["not ", "-"] {
        let text = format!("{}a", prefix.repeat((MAX_BYTES - 1) / prefix.len()));
        assert!(read(&text).contains('a'), "{prefix}");
    }
}

proptest! {
    #[test]
    fn nothing_panics_and_places_are_in_the_text(text in "[a-f(){}\\[\\]$'\" .,+<>=0-9ifthenelseachorandnot-]{0,80}") {
        let (_, finding) = parse(&text, Place::At(whole(&text)));
        if let Some(span) = finding.and_then(|finding| finding.span) {
            prop_assert!(text.get(span.start as usize..span.end as usize).is_some());
        }
        let _ = scan(&text, whole(&text), &text);
    }

    #[test]
    fn text_without_expressions_is_itself(text in "\\PC{0,40}") {
        prop_assume!(!holds_expression(&text));
        let (pieces, findings) = scan(&text, whole(&text), &text);
        let expected: Vec<Piece> = Some(text).filter(|text| !text.is_empty()).map(Piece::Text).into_iter().collect();
        prop_assert_eq!(pieces, expected);
        prop_assert!(findings.is_empty());
    }
}
