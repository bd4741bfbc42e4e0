//! What stands between values: blank lines and comments.

use super::{BLANK, Formatter};

impl Formatter<'_> {
    /// Where the next thing that is no comment starts.
    pub(super) fn next(&self) -> usize {
        self.next_from(self.at)
    }

    /// The same behind a place that lies further on.
    pub(super) fn next_from(&self, from: usize) -> usize {
        let mut at = from;
        for comment in self.comments.clone().skip_while(|comment| (comment.span.start as usize) < from) {
            if !self.is_blank(at, comment.span.start as usize) {
                break;
            }
            at = comment.span.end as usize;
        }
        self.skip_blank(at)
    }

    pub(super) fn skip_blank(&self, from: usize) -> usize {
        let rest = self.text.get(from..).unwrap_or_default();
        from + rest.len() - rest.trim_start_matches(BLANK).len()
    }

    pub(super) fn is_blank(&self, from: usize, to: usize) -> bool {
        self.text.get(from..to).is_some_and(|between| between.trim_matches(BLANK).is_empty())
    }

    /// Columns before a place on its line.
    pub(super) fn column(&self, at: usize) -> usize {
        let before = self.text.get(..at).unwrap_or_default();
        at - before.rfind('\n').map_or(0, |newline| newline + 1)
    }

    /// Where a line ends, or the comment on it starts.
    pub(super) fn end_of_line(&self, from: usize) -> usize {
        let rest = self.text.get(from..).unwrap_or_default();
        let line = rest.find('\n').map_or(self.text.len(), |length| from + length);
        let comment = self.comments.as_slice().first().map_or(line, |comment| comment.span.start as usize);
        self.text.get(from..line.min(comment)).map_or(line, |text| from + text.trim_end_matches(BLANK).len())
    }

    /// Ends a line, after the comment that stands on it.
    pub(super) fn rest_of_line(&mut self) {
        let comment = self.comments.as_slice().first();
        let here = comment.filter(|comment| {
            let gap = self.text.get(self.at..comment.span.start as usize);
            gap.is_some_and(|gap| gap.trim_matches([' ', '\t']).is_empty())
        });
        if let Some(comment) = here {
            let gap = comment.span.start as usize - self.at;
            self.spaces(gap.max(1));
            self.copy(comment.span.start as usize, comment.span.end as usize);
            self.comments.next();
        }
        self.out.push('\n');
    }

    /// The comments on lines of their own that come next and start at a column or behind it, and one of the blank lines
    /// before them and what follows.
    pub(super) fn own_lines(&mut self, indent: usize, column: usize) {
        while let Some(comment) = self.comments.as_slice().first() {
            let start = comment.span.start as usize;
            if !self.is_blank(self.at, start) || self.column(start) < column {
                break;
            }
            self.blank_line(start);
            self.spaces(indent);
            self.copy(start, comment.span.end as usize);
            self.out.push('\n');
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
        if !self.out.is_empty() && breaks > 1 && !self.out.ends_with("\n\n") {
            self.out.push('\n');
        }
    }
}
