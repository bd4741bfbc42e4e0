//! Writes a document as everybody writes it: two spaces for each level, one space after a colon, no white space at the ends of
//! lines, at most one blank line. Comments stay, and so does the text of every scalar.

mod blocks;
mod gaps;
#[cfg(test)]
mod tests;
mod values;

use model::{Finding, Findings, SourceId, Span, codes};

use super::{Comment, Kind, Node, Parsed, parse};

/// Spaces for each level.
const STEP: usize = 2;
/// White space, once every line ends in a line feed. More would be taken from texts that end in a no-break space.
const BLANK: [char; 3] = [' ', '\t', '\n'];

/// The text in the usual form; a text that is in it stays as it is. Lines end as the first one does; a byte order mark
/// is dropped.
///
/// # Errors
/// What is wrong with the text: only what can be read as a whole is written anew.
pub fn format(source: SourceId, text: &str) -> Result<String, Findings> {
    let before = parse(source, text);
    if before.root.is_none() || !before.findings.is_empty() {
        return Err(before.findings);
    }
    let unmarked = text.strip_prefix('\u{feff}').unwrap_or(text);
    let form = written(source, &unmarked.replace("\r\n", "\n").replace('\r', "\n"));
    let windows = text.find(['\r', '\n']).and_then(|end| text.get(end..)).is_some_and(|end| end.starts_with("\r\n"));
    let out = if windows { form.replace('\n', "\r\n") } else { form.clone() };
    let after = parse(source, &out);
    let changed =
        difference(&before, &after).or_else(|| (written(source, &form) != form).then(|| Span::new(source, 0, 0)));
    match changed {
        None => Ok(out),
        // Better no change than a change of meaning.
        Some(span) => {
            let finding = Finding::error(
                codes::FORMAT_UNSAFE,
                "this cannot be written in the usual form without a change of its meaning",
            );
            Err(finding.at(span).help("write it in quotes, on one line").into())
        }
    }
}

/// The text in the form, unless there is no value in it.
fn written(source: SourceId, text: &str) -> String {
    let parsed = parse(source, text);
    parsed.root.as_ref().map(|root| Formatter::new(text, &parsed).run(root)).unwrap_or_default()
}

/// Where two documents first differ in more than places, in the first one.
fn difference(a: &Parsed, b: &Parsed) -> Option<Span> {
    let (root, other) = (a.root.as_ref()?, b.root.as_ref());
    let text = |comment: &Comment| comment.text.trim_end_matches(BLANK).to_owned();
    let comment = a.comments.iter().enumerate().find(|(n, c)| b.comments.get(*n).map(text) != Some(text(c)));
    let more = (b.comments.len() != a.comments.len()).then_some(root.span);
    other.map_or(Some(root.span), |other| unlike(root, other)).or(comment.map(|(_, comment)| comment.span)).or(more)
}

/// The first value that is another one in the second tree.
fn unlike(a: &Node, b: &Node) -> Option<Span> {
    match (&a.kind, &b.kind) {
        (Kind::List(a), Kind::List(b)) if a.len() == b.len() => a.iter().zip(b).find_map(|(a, b)| unlike(a, b)),
        (Kind::Map(a), Kind::Map(b)) if a.len() == b.len() => a.iter().zip(b).find_map(|(a, b)| {
            let key = (a.key.value != b.key.value).then_some(a.key.span);
            key.or_else(|| unlike(&a.value, &b.value))
        }),
        (one, other) => (one != other).then_some(a.span),
    }
}

struct Formatter<'t> {
    text: &'t str,
    /// The comments that are not written yet.
    comments: std::slice::Iter<'t, Comment>,
    /// How far the source is written.
    at: usize,
    out: String,
}

/// Where an entry stands.
#[derive(Clone, Copy)]
struct Place {
    /// Its column in the form.
    indent: usize,
    /// Its column in the source.
    column: usize,
    /// The column from which on lines belong to it in the source.
    inside: usize,
}

impl<'t> Formatter<'t> {
    fn new(text: &'t str, parsed: &'t Parsed) -> Self {
        Self { text, comments: parsed.comments.iter(), at: 0, out: String::with_capacity(text.len()) }
    }

    fn run(mut self, root: &Node) -> String {
        self.markers();
        if self.is_block(root) {
            self.entries(root, 0, 0, false);
        } else {
            self.value(root, Place { indent: 0, column: 0, inside: 0 });
        }
        self.markers();
        self.out
    }

    /// Directives, the markers `---` and `...`, and the comments among them: each on a line of its own.
    fn markers(&mut self) {
        loop {
            self.own_lines(0, 0);
            let start = self.skip_blank(self.at);
            let rest = self.text.get(start..).unwrap_or_default();
            let end = match rest {
                _ if is_marker(rest) => start + 3,
                _ if rest.starts_with('%') => self.end_of_line(start),
                _ => return,
            };
            if self.column(start) > 0 {
                return;
            }
            self.copy(start, end);
            self.rest_of_line();
        }
    }

    /// Whether a value is a list or map with an entry a line.
    fn is_block(&self, node: &Node) -> bool {
        matches!(node.kind, Kind::List(_) | Kind::Map(_)) && !self.source(node.span).starts_with(['[', '{'])
    }

    fn source(&self, span: Span) -> &'t str {
        self.text.get(span.start as usize..span.end as usize).unwrap_or_default()
    }

    /// Writes a piece of one line.
    fn copy(&mut self, start: usize, end: usize) {
        self.out.push_str(self.text.get(start..end).unwrap_or_default().trim_end_matches(BLANK));
        self.at = end;
    }

    fn spaces(&mut self, count: usize) {
        self.out.extend(std::iter::repeat_n(' ', count));
    }
}

/// Whether a line starts with `---` or `...` alone.
fn is_marker(line: &str) -> bool {
    let rest = line.strip_prefix("---").or_else(|| line.strip_prefix("..."));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(BLANK))
}
