//! Scalars, and lists and maps in brackets.

use super::{BLANK, Formatter, Place, STEP, is_marker};
use crate::yaml::{Kind, Node};

impl Formatter<'_> {
    /// A value that is no block of entries, on one line or several, to the end of its last one.
    pub(super) fn value(&mut self, node: &Node, place: Place) {
        let raw = self.source(node.span);
        self.at = node.span.start as usize;
        let scalar = matches!(node.kind, Kind::Scalar { .. } | Kind::Null);
        match scalar {
            true if raw.starts_with(['|', '>']) => return self.block_scalar(raw, place),
            true => self.text(raw, place),
            false => self.brackets(raw, place),
        }
        self.at = node.span.end as usize;
        while self.comments.as_slice().first().is_some_and(|comment| (comment.span.start as usize) < self.at) {
            self.comments.next();
        }
        self.rest_of_line();
    }

    /// A text, plain or in quotes. White space around its line breaks means nothing.
    fn text(&mut self, raw: &str, place: Place) {
        self.lines(raw, |_, bare| if bare.is_empty() { 0 } else { place.indent + STEP });
    }

    /// A list or map in brackets. Its lines move with the entry it belongs to.
    fn brackets(&mut self, raw: &str, place: Place) {
        self.lines(raw, |deep, bare| {
            let least = place.indent + usize::from(!bare.starts_with([']', '}']));
            if bare.is_empty() { 0 } else { (deep + place.indent).saturating_sub(place.column).max(least) }
        });
    }

    /// Lines with the indentation that is given for what each had and what it holds.
    fn lines(&mut self, raw: &str, indent: impl Fn(usize, &str) -> usize) {
        for (number, line) in raw.split('\n').enumerate() {
            let line = trimmed(line);
            if number == 0 {
                self.out.push_str(line);
                continue;
            }
            let bare = line.trim_start_matches(BLANK);
            self.out.push('\n');
            self.spaces(indent(line.len() - bare.len(), bare));
            self.out.push_str(bare);
        }
    }

    /// A text after `|` or `>`: its lines are all that follow and are as deep as the first.
    fn block_scalar(&mut self, raw: &str, place: Place) {
        let header = raw.split(BLANK).next().unwrap_or_default();
        let digit = header.chars().find_map(|c| c.to_digit(10));
        let deeper = place.indent + STEP;
        match digit {
            Some(digit) => self.out.push_str(&header.replace(char::from_digit(digit, 10).unwrap_or_default(), "2")),
            None => self.out.push_str(header),
        }
        self.at += header.len();
        let body =
            self.text.get(self.at..).and_then(|rest| rest.find('\n')).map_or(self.text.len(), |end| self.at + end + 1);
        self.rest_of_line();

        let rest = self.text.get(body..).unwrap_or_default();
        let first = rest.split('\n').find(|line| depth(line) < line.len());
        let first = first.filter(|line| depth(line) >= place.inside && !is_marker(line)).map_or(usize::MAX, depth);
        let base = digit.map_or(first, |digit| place.column + digit as usize);
        let keep = header.contains('+');
        let (mut written, mut end, mut at) = (self.out.len(), self.at, body);
        for line in rest.split_inclusive('\n') {
            let (line, ended) = line.strip_suffix('\n').map_or((line, false), |line| (line, true));
            let blank = line.len() == depth(line);
            let content = line.get(base..).unwrap_or_default();
            if !blank && (depth(line) < base || is_marker(line)) || content.is_empty() && !ended && at > body {
                break;
            }
            self.spaces(if content.is_empty() { 0 } else { deeper });
            self.out.push_str(content);
            self.out.push('\n');
            // Blank lines at the end belong to it where it keeps them.
            if keep || !content.is_empty() {
                (written, end) = (self.out.len(), at + line.len());
            }
            at += line.len() + 1;
        }
        self.out.truncate(written);
        self.at = end;
        if keep {
            // A blank line more would be its own; lines that hold a tab are not.
            let gap = self.text.get(end..self.skip_blank(end)).unwrap_or_default();
            self.at += gap.rfind('\n').unwrap_or_default();
        }
    }
}

/// Spaces that a line starts with.
fn depth(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

/// A line without the white space at its end, save one character behind a backslash, which may be an escape.
fn trimmed(line: &str) -> &str {
    let bare = line.trim_end_matches(BLANK);
    let escaped = (bare.len() - bare.trim_end_matches('\\').len()) % 2 == 1;
    line.get(..bare.len() + usize::from(escaped)).unwrap_or(bare)
}
