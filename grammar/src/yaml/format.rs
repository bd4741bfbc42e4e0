//! Writes a document as everybody writes it: two spaces for each level, one space after a colon, no white space at the ends of
//! lines, at most one blank line. Comments stay, and so does the text of every scalar.

use model::{Finding, Findings, SourceId, Span, codes};

use super::{Comment, Kind, Node, Parsed, parse};

/// The text in the usual form; a text that is in it stays as it is.
///
/// # Errors
/// What is wrong with the text: only what can be read as a whole is written anew.
pub fn format(source: SourceId, text: &str) -> Result<String, Findings> {
    let parsed = parse(source, text);
    let Some(root) = &parsed.root else { return Err(parsed.findings) };
    if !parsed.findings.is_empty() {
        return Err(parsed.findings);
    }
    let out = Formatter::new(text, &parsed).run(root);
    let again = parse(source, &out);
    if let Some(node) = again.root.as_ref().filter(|node| same(root, node))
        && again.comments.len() == parsed.comments.len()
        && Formatter::new(&out, &again).run(node) == out
    {
        return Ok(out);
    }
    // Better no change than a change of meaning.
    let finding = Finding::error(
        codes::FORMAT_UNSAFE,
        "the document cannot be written in the usual form without changing its meaning",
    );
    Err(finding.at(root.span).help("write lists and maps that span lines in the block form, one entry a line").into())
}

/// Whether two trees are the same but for their places.
fn same(a: &Node, b: &Node) -> bool {
    match (&a.kind, &b.kind) {
        (Kind::List(a), Kind::List(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Kind::Map(a), Kind::Map(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.key.value == b.key.value && same(&a.value, &b.value))
        }
        (a, b) => a == b,
    }
}

struct Formatter<'t> {
    text: &'t str,
    comments: std::slice::Iter<'t, Comment>,
    /// How far the source is written.
    at: usize,
    out: String,
}

impl<'t> Formatter<'t> {
    fn new(text: &'t str, parsed: &'t Parsed) -> Self {
        Self { text, comments: parsed.comments.iter(), at: 0, out: String::with_capacity(text.len()) }
    }

    fn run(mut self, root: &Node) -> String {
        let start = self.text.get(self.next()..).and_then(|rest| rest.strip_prefix("---"));
        if start.is_some_and(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace)) {
            self.own_lines(0, 0);
            self.out.push_str("---");
            self.at = self.next() + 3;
            self.rest_of_line();
        }
        match self.is_block(root) {
            true => self.entries(root, 0),
            false => {
                self.own_lines(0, 0);
                self.value(root, 0, 0);
                self.rest_of_line();
            }
        }
        self.own_lines(0, 0);
        self.out
    }

    /// Whether a value is a list or map with an entry a line.
    fn is_block(&self, node: &Node) -> bool {
        let starts = self.source(node.span).starts_with(['[', '{']);
        matches!(&node.kind, Kind::List(_) | Kind::Map(_)) && !starts
    }

    fn source(&self, span: Span) -> &'t str {
        self.text.get(span.start as usize..span.end as usize).unwrap_or_default()
    }

    /// Where the next thing that is no comment starts.
    fn next(&self) -> usize {
        let mut at = self.at;
        for comment in self.comments.clone() {
            if !self.is_blank(at, comment.span.start as usize) {
                break;
            }
            at = comment.span.end as usize;
        }
        let rest = self.text.get(at..).unwrap_or_default();
        at + rest.len() - rest.trim_start().len()
    }

    fn is_blank(&self, from: usize, to: usize) -> bool {
        self.text.get(from..to).is_some_and(|between| between.trim().is_empty())
    }

    /// Columns before a place on its line.
    fn column(&self, at: usize) -> usize {
        let before = self.text.get(..at).unwrap_or_default();
        at - before.rfind('\n').map_or(0, |newline| newline + 1)
    }

    /// The entries of a list or map, each from its own line on.
    fn entries(&mut self, node: &Node, indent: usize) {
        let column = self.column(self.next());
        self.first_entries(node, indent, false);
        self.own_lines(indent, column);
    }

    /// The same where the first entry's line is begun already, behind a dash.
    fn first_entries(&mut self, node: &Node, indent: usize, begun: bool) {
        let begin = |this: &mut Self, first: bool| {
            let old = this.column(this.next());
            if !(begun && first) {
                this.own_lines(indent, 0);
                this.spaces(indent);
            }
            old
        };
        match &node.kind {
            Kind::List(items) => {
                for (number, item) in items.iter().enumerate() {
                    let old = begin(self, number == 0);
                    self.at = self.next() + 1;
                    self.out.push('-');
                    self.entry(item, indent, old, true);
                }
            }
            Kind::Map(pairs) => {
                for (number, pair) in pairs.iter().enumerate() {
                    let old = begin(self, number == 0);
                    self.out.push_str(self.source(pair.key.span));
                    let after = pair.key.span.end as usize;
                    let colon = self.text.get(after..).and_then(|rest| rest.find(':')).unwrap_or_default();
                    self.at = after + colon + 1;
                    self.out.push(':');
                    self.entry(&pair.value, indent, old, false);
                }
            }
            Kind::Scalar { .. } | Kind::Null | Kind::Error => {}
        }
    }

    /// What stands behind a key or dash, to the end of its lines.
    fn entry(&mut self, value: &Node, indent: usize, old: usize, dash: bool) {
        if value.span.is_empty() {
            return self.rest_of_line();
        }
        if !self.is_block(value) {
            self.out.push(' ');
            self.value(value, indent, old);
            return self.rest_of_line();
        }
        let together = dash && self.is_blank(self.at, self.next()) && !self.breaks_before(self.next());
        if together {
            self.out.push(' ');
            self.first_entries(value, indent + 2, true);
            return;
        }
        self.rest_of_line();
        self.entries(value, indent + 2);
    }

    fn breaks_before(&self, at: usize) -> bool {
        self.text.get(self.at..at).is_some_and(|between| between.contains('\n'))
    }

    /// A scalar, or a list or map in brackets, on one line or several.
    fn value(&mut self, node: &Node, indent: usize, old: usize) {
        let start = self.next().max(node.span.start as usize);
        let mut end = node.span.end as usize;
        let raw = self.source(node.span);
        let block = raw.starts_with(['|', '>']) && matches!(node.kind, Kind::Scalar { plain: false, .. });
        if block && raw.lines().next().is_some_and(|header| header.split('#').next().unwrap_or_default().contains('+'))
        {
            // Blank lines at the end belong to it.
            let rest = self.text.get(end..).unwrap_or_default();
            let blank = rest.len() - rest.trim_start_matches([' ', '\n', '\r']).len();
            end += rest.get(..blank).and_then(|blank| blank.rfind('\n')).unwrap_or_default();
        }
        let text = self.text.get(start..end).unwrap_or_default();
        for (number, line) in text.split('\n').enumerate() {
            if number > 0 {
                self.out.push('\n');
            }
            let line = line.strip_suffix('\r').unwrap_or(line);
            let bare = line.trim_start_matches(' ');
            match (number, bare.is_empty()) {
                (0, _) => self.out.push_str(line),
                (_, true) => {}
                (..) => {
                    let deep = line.len() - bare.len();
                    self.spaces((deep + indent).saturating_sub(old));
                    self.out.push_str(bare);
                }
            }
        }
        self.at = end;
        while self.comments.as_slice().first().is_some_and(|comment| (comment.span.start as usize) < end) {
            self.comments.next();
        }
    }

    /// Ends a line, after the comment that stands on it.
    fn rest_of_line(&mut self) {
        let comment = self.comments.as_slice().first();
        let here = comment.filter(|comment| {
            let start = comment.span.start as usize;
            self.is_blank(self.at, start) && !self.text.get(self.at..start).is_some_and(|gap| gap.contains('\n'))
        });
        let trimmed = self.out.trim_end_matches([' ', '\t']).len();
        self.out.truncate(trimmed);
        if let Some(comment) = here {
            let gap = comment.span.start as usize - self.at;
            self.spaces(gap.max(1));
            self.out.push_str(self.source(comment.span).trim_end());
            self.at = comment.span.end as usize;
            self.comments.next();
        }
        self.out.push('\n');
    }

    /// The comments on lines of their own that come next and start at a column or behind it, and one of the blank lines
    /// before them and what follows.
    fn own_lines(&mut self, indent: usize, column: usize) {
        while let Some(comment) = self.comments.as_slice().first() {
            let start = comment.span.start as usize;
            if !self.is_blank(self.at, start) || self.column(start) < column {
                break;
            }
            self.blank_line(start);
            self.spaces(indent);
            self.out.push_str(self.source(comment.span).trim_end());
            self.out.push('\n');
            self.at = comment.span.end as usize;
            self.comments.next();
        }
        let next = self.next();
        if column == 0 && next < self.text.len() {
            self.blank_line(next);
        }
    }

    fn blank_line(&mut self, until: usize) {
        let breaks = self.text.get(self.at..until).unwrap_or_default().matches('\n').count();
        // The line that ended before is written with its break, and the source stands before it.
        let first = self.out.is_empty();
        if !first && breaks > 1 && !self.out.ends_with("\n\n") {
            self.out.push('\n');
        }
    }

    fn spaces(&mut self, count: usize) {
        self.out.extend(std::iter::repeat_n(' ', count));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn formatted(text: &str) -> String {
        format(SourceId(0), text).unwrap_or_else(|findings| panic!("{findings:?}\n{text}"))
    }

    #[test]
    fn documents_get_the_usual_form_and_keep_it() {
        for (text, form) in [
            ("a:   1\nb :  2", "a: 1\nb: 2\n"),
            ("a:\n- 1\n-   2\n", "a:\n  - 1\n  - 2\n"),
            ("a:\n    b:\n        c: 1\n    d: 2\n", "a:\n  b:\n    c: 1\n  d: 2\n"),
            ("- a: 1\n  b: 2\n-\n  c: 3\n", "- a: 1\n  b: 2\n-\n  c: 3\n"),
            ("-   a: 1\n    b:\n        - x\n", "- a: 1\n  b:\n    - x\n"),
            (
                "\n\n# top\n\n\na: 1   # one\n   # two\nb: # three\n     c: 2\n     # four\n# five\n",
                "# top\n\na: 1   # one\n# two\nb: # three\n  c: 2\n  # four\n# five\n",
            ),
            ("a: |\n     x\n       y\n\n     z\nb: 1\n", "a: |\n     x\n       y\n\n     z\nb: 1\n"),
            (
                "a:\n    b: |\n      x\n       y\n    c: >-  # why\n      z\n",
                "a:\n  b: |\n    x\n     y\n  c: >-  # why\n    z\n",
            ),
            ("a: {b: [1,\n  2], c: 3}   \nd: 'x\n  y'\n", "a: {b: [1,\n  2], c: 3}\nd: 'x\n  y'\n"),
            ("---\na: 1\n", "---\na: 1\n"),
            ("---?A:\n", "---?A:\n"),
            ("a:\nb: ~\nc: ''\n", "a:\nb: ~\nc: ''\n"),
            ("a: |+\n  x\n\n\nb: 1\n", "a: |+\n  x\n\n\nb: 1\n"),
            ("a: 1\r\nb:\r\n- 2\r\n", "a: 1\nb:\n  - 2\n"),
            ("[a, b]", "[a, b]\n"),
            ("text", "text\n"),
        ] {
            assert_eq!(formatted(text), form, "{text:?}");
            assert_eq!(formatted(form), form, "{form:?}");
        }
    }

    #[test]
    fn broken_text_is_left_alone() {
        assert!(format(SourceId(0), "a: [1\n").is_err());
        assert!(format(SourceId(0), "").is_err());
    }

    /// Documents of nested lists and maps in block form, with comments between.
    fn document() -> impl Strategy<Value = String> {
        let scalar = prop::sample::select(vec!["1", "x", "'it''s'", "\"a\\nb\"", "{k: [v]}", "[]", "3.10", "~"]);
        let leaf = scalar.prop_map(|text| vec![text.to_owned()]);
        let node =
            leaf.prop_recursive(4, 24, 4, |inner| {
                let entry = (inner, 1usize..5, any::<bool>(), any::<bool>());
                (prop::collection::vec(entry, 1..4), any::<bool>()).prop_map(|(entries, list)| {
                    let mut lines = Vec::new();
                    for (number, (value, deep, comment, blank)) in entries.into_iter().enumerate() {
                        if blank {
                            lines.push(String::new());
                        }
                        if comment {
                            lines.push("# c".to_owned());
                        }
                        let start = if list { "-".to_owned() } else { format!("k{number}:") };
                        match value.as_slice() {
                            [one] => lines.push(format!("{start} {one}{}", if comment { "  # d" } else { "" })),
                            many => {
                                lines.push(start);
                                let indent = " ".repeat(deep);
                                lines.extend(many.iter().map(|line| {
                                    if line.is_empty() { String::new() } else { format!("{indent}{line}") }
                                }));
                            }
                        }
                    }
                    lines
                })
            });
        node.prop_map(|lines| lines.join("\n") + "\n")
    }

    proptest! {
        #[test]
        fn the_form_means_the_same_and_is_its_own_form(text in document()) {
            let before = parse(SourceId(0), &text);
            prop_assume!(before.findings.is_empty());
            let form = format(SourceId(0), &text).map_err(|f| TestCaseError::fail(format!("{f:?}")))?;
            let after = parse(SourceId(0), &form);
            prop_assert!(same(&before.root.unwrap(), &after.root.unwrap()));
            prop_assert_eq!(before.comments.len(), after.comments.len());
            prop_assert_eq!(format(SourceId(0), &form), Ok(form));
        }

        #[test]
        fn any_text_keeps_its_meaning_or_is_refused(text in "[a-c:\\-#'\"|>\\[\\]{}, \n]{0,40}") {
            if let Ok(form) = format(SourceId(0), &text) {
                let (before, after) = (parse(SourceId(0), &text), parse(SourceId(0), &form));
                prop_assert!(same(&before.root.unwrap(), &after.root.unwrap()), "{:?} {:?}", text, form);
            }
        }
    }
}
