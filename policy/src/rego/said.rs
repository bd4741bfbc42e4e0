//! What the evaluator says of an error: a picture of the line, and after it the message.

use model::{SourceId, Span};

/// Its message, and where that points to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) message: String,
    /// The name of the text, and line and column, from one.
    place: Option<(String, usize, usize)>,
}

impl Said {
    /// Reads `--> FILE:LINE:COLUMN`, the picture, and `error: MESSAGE`. Anything else is a message.
    pub(crate) fn of(text: &str) -> Self {
        let place = text.split_once("--> ").and_then(|(_, rest)| {
            let mut parts = rest.lines().next()?.rsplitn(3, ':');
            let (column, line, name) = (parts.next()?, parts.next()?, parts.next()?);
            Some((name.to_owned(), line.parse().ok()?, column.parse().ok()?))
        });
        let message = match text.split_once("\nerror: ") {
            Some((_, message)) => message,
            None => text,
        };
        let message: Vec<&str> = message.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        Self { message: message.join(" "), place }
    }

    /// The text that it is about, where texts have numbers for names.
    pub(crate) fn text(&self) -> Option<usize> {
        self.place.as_ref()?.0.parse().ok()
    }

    /// The place as one of a text.
    pub(crate) fn span(&self, source: SourceId, text: &str) -> Option<Span> {
        let (_, line, column) = self.place.as_ref()?;
        let start: usize = text.split_inclusive('\n').take(line.checked_sub(1)?).map(str::len).sum();
        let rest = text.get(start..)?;
        let line = rest.lines().next().unwrap_or("");
        let within: usize = line.chars().take(column.saturating_sub(1)).map(char::len_utf8).sum();
        let word = line.get(within..)?.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(line.len() - within);
        Some(Span::new(source, start + within, start + within + word.max(1).min(line.len() - within)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn place_and_message_are_found() {
        let said = Said::of("\n--> a:b.rego:2:3\n  |\n2 | x y\n  |   ^\nerror: expecting `if`");
        assert_eq!(said, Said { message: "expecting `if`".into(), place: Some(("a:b.rego".into(), 2, 3)) });
        assert_eq!(said.span(SourceId(1), "ab\nx yes no"), Some(Span::new(SourceId(1), 5, 8)));
        assert_eq!(said.span(SourceId(1), "ab"), Some(Span::new(SourceId(1), 2, 2)));
        assert_eq!(Said::of("over"), Said { message: "over".into(), place: None });
    }
}
