//! Lines of a text that is no YAML, as far as they can be told from their characters.

/// A line of the text that is not blank.
#[derive(Clone, Copy)]
pub(super) struct Line<'t> {
    pub(super) start: usize,
    /// Column of the first character that is no blank.
    pub(super) indent: usize,
    /// From there to the last one that is none and belongs to no comment.
    pub(super) content: &'t str,
}

impl Line<'_> {
    pub(super) fn content_start(&self) -> usize {
        self.start + self.indent
    }

    pub(super) fn content_end(&self) -> usize {
        self.content_start() + self.content.len()
    }
}

/// The line an offset is in, unless it is blank.
pub(super) fn line_at(text: &str, offset: usize) -> Option<Line<'_>> {
    let start = text.get(..offset)?.rfind('\n').map_or(0, |at| at + 1);
    let whole = text.get(start..)?.lines().next()?;
    let content = whole.trim_start_matches([' ', '\t']);
    let indent = whole.len() - content.len();
    let content = content.get(..comment(content)).unwrap_or_default().trim_end();
    (!content.is_empty()).then_some(Line { start, indent, content })
}

/// Where the comment of a line starts, or its end.
fn comment(content: &str) -> usize {
    let mut quote = None;
    let mut blank = true;
    for (at, c) in content.char_indices() {
        match (quote, c) {
            (None, '#') if blank => return at,
            (None, '"' | '\'') if blank => quote = Some(c),
            (Some(open), c) if c == open => quote = None,
            _ => {}
        }
        blank = c.is_whitespace() || (quote.is_none() && matches!(c, ',' | '[' | '{'));
    }
    content.len()
}

/// The nearest line before the one that starts here that is not blank and no comment.
pub(super) fn before(text: &str, start: usize) -> Option<Line<'_>> {
    let mut start = text.get(..start)?.rfind('\n').map_or(0, |at| at + 1);
    while start > 0 {
        let line = line_at(text, start - 1);
        if line.is_some() {
            return line;
        }
        start = text.get(..start - 1)?.rfind('\n').map_or(0, |at| at + 1);
    }
    None
}

/// The nearest line after the one that starts here that is not blank and no comment.
pub(super) fn after(text: &str, start: usize) -> Option<Line<'_>> {
    let mut start = start;
    loop {
        start += text.get(start..)?.find('\n')? + 1;
        let line = line_at(text, start);
        if line.is_some() {
            return line;
        }
    }
}

/// The first quote behind a place that opens a text and is not closed on its line.
pub(super) fn open_quote(text: &str, from: usize) -> Option<usize> {
    let line = text.get(from..)?.split_inclusive('\n').scan(from, |at, line| {
        let start = *at;
        *at += line.len();
        Some((start, line))
    });
    // A token starts on the line where the last one ended, or on the next.
    for (start, line) in line.take(3) {
        let mut quote: Option<(usize, char)> = None;
        let (mut fresh, mut escaped) = (true, false);
        for (at, c) in line.char_indices() {
            match (quote, c) {
                (None, '#') if fresh => break,
                (None, '"' | '\'') if fresh => quote = Some((at, c)),
                (Some((_, '"')), '\\') => {
                    escaped = !escaped;
                    continue;
                }
                (Some((_, open)), c) if c == open && !escaped => quote = None,
                _ => {}
            }
            escaped = false;
            fresh = c.is_whitespace() || matches!(c, ',' | '[' | '{' | ':');
        }
        if let Some((at, _)) = quote {
            return Some(start + at);
        }
    }
    None
}
