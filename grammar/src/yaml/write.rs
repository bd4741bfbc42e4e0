//! Values as a document can hold them.

use std::fmt::Write as _;

/// A text in double quotes, on one line, that is read as the same text.
pub fn quoted(text: &str) -> String {
    let mut out = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            // what a reader refuses, takes for a line's end or for nothing
            _ if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}') => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            _ => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use model::SourceId;
    use proptest::prelude::*;

    use super::super::{Kind, parse};
    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 5_000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_is_quoted_is_read_as_the_same_text(text in prop_oneof![any::<String>(), "[\\x00-\\xa0\u{2028}\u{2029}\u{feff}\u{ffff}\"\\\\$:#{} ]*"]) {
            let parsed = parse(SourceId(0), &quoted(&text));
            prop_assert_eq!(&parsed.findings, &Vec::new());
            let kind = parsed.root.map(|root| root.kind);
            prop_assert_eq!(kind, Some(Kind::Scalar { text: text.into(), plain: false }));
        }
    }
}
