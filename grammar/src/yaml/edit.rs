//! Changes of a text, and the way back from places in what they make.

use ecow::EcoVec;
use model::{Finding, Fix, Label, SourceId, Span};

use super::{Kind, Node, Pair, Parsed};

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Edit {
    /// Where, in the text that is changed.
    pub(super) at: usize,
    /// How many bytes are taken out.
    pub(super) remove: usize,
    /// What is put there.
    pub(super) insert: String,
}

impl Edit {
    pub(super) fn insert(at: usize, text: impl Into<String>) -> Self {
        Self { at, remove: 0, insert: text.into() }
    }

    /// Takes something out and leaves as many blanks.
    pub(super) fn blank(start: usize, end: usize) -> Self {
        Self { at: start, remove: end - start, insert: " ".repeat(end - start) }
    }

    /// The same over several lines, which stay.
    pub(super) fn blank_lines(text: &str, start: usize, end: usize) -> Self {
        let lines = text.get(start..end).unwrap_or_default().bytes();
        let insert = lines.map(|byte| if byte == b'\n' { '\n' } else { ' ' }).collect();
        Self { at: start, remove: end - start, insert }
    }
}

/// A text with changes made that follow one another.
pub(super) fn apply(text: &str, edits: &[Edit]) -> String {
    let (mut out, mut at) = (String::with_capacity(text.len() + 16), 0);
    for edit in edits {
        out.push_str(text.get(at..edit.at).unwrap_or_default());
        out.push_str(&edit.insert);
        at = edit.at + edit.remove;
    }
    out.push_str(text.get(at..).unwrap_or_default());
    out
}

/// Changes that were made in one go.
pub(super) struct Round {
    edits: Vec<Edit>,
    /// Where each starts in the changed text.
    starts: Vec<usize>,
}

impl Round {
    pub(super) fn new(edits: Vec<Edit>) -> Self {
        let (mut before, mut now) = (0usize, 0usize); // where the text after the last change starts
        let mut starts = Vec::with_capacity(edits.len());
        for edit in &edits {
            let start = now + edit.at.saturating_sub(before);
            starts.push(start);
            (before, now) = (edit.at + edit.remove, start + edit.insert.len());
        }
        Self { edits, starts }
    }

    /// Where a place in the changed text was before.
    pub(super) fn back(&self, offset: usize) -> usize {
        let last = self.starts.partition_point(|start| *start <= offset).checked_sub(1);
        let Some((edit, start)) = last.and_then(|last| self.edits.get(last).zip(self.starts.get(last))) else {
            return offset;
        };
        let inside = offset - start;
        match inside.checked_sub(edit.insert.len()) {
            Some(behind) => edit.at + edit.remove + behind,
            None => edit.at + inside.min(edit.remove),
        }
    }
}

/// Moves every place of a document back through changes, the last made first.
pub(super) struct Back<'e> {
    pub(super) source: SourceId,
    /// The text as it was before all of them.
    pub(super) text: &'e str,
    pub(super) rounds: &'e [Round],
}

impl Back<'_> {
    pub(super) fn offset(&self, offset: usize) -> usize {
        let offset = self.rounds.iter().rev().fold(offset, |offset, round| round.back(offset));
        self.text.floor_char_boundary(offset)
    }

    pub(super) fn span(&self, span: Span) -> Span {
        Span::new(self.source, self.offset(span.start as usize), self.offset(span.end as usize))
    }

    pub(super) fn parsed(&self, parsed: Parsed) -> Parsed {
        if self.rounds.is_empty() {
            return parsed;
        }
        let comments =
            parsed.comments.into_iter().map(|comment| super::Comment { span: self.span(comment.span), ..comment });
        Parsed {
            root: parsed.root.map(|root| self.node(root)),
            comments: comments.collect(),
            findings: parsed.findings.into_iter().map(|finding| self.finding(finding)).collect(),
            mended: parsed.mended,
        }
    }

    pub(super) fn finding(&self, finding: Finding) -> Finding {
        Finding {
            span: finding.span.map(|span| self.span(span)),
            labels: finding.labels.into_iter().map(|label| Label { span: self.span(label.span), ..label }).collect(),
            fix: finding.fix.map(|fix| Fix { span: self.span(fix.span), ..fix }),
            ..finding
        }
    }

    fn node(&self, node: Node) -> Node {
        let kind = match node.kind {
            Kind::List(items) => Kind::List(items.into_iter().map(|item| self.node(item)).collect()),
            Kind::Map(pairs) => {
                let pairs: EcoVec<Pair> = pairs
                    .into_iter()
                    .map(|pair| {
                        let mut key = pair.key;
                        key.span = self.span(key.span);
                        Pair { key, value: self.node(pair.value) }
                    })
                    .collect();
                Kind::Map(pairs)
            }
            kind => kind,
        };
        Node { span: self.span(node.span), kind }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_lead_back_to_where_they_were() {
        let text = "ab\ncd ef\n";
        let edits = [
            Edit::insert(2, ": "),
            Edit::blank(3, 5),
            Edit { at: 5, remove: 1, insert: String::new() },
            Edit::insert(9, "]"),
        ];
        let changed = apply(text, &edits);
        assert_eq!(changed, "ab: \n  ef\n]");
        let round = Round::new(edits.to_vec());
        let places: Vec<usize> = (0..=changed.len()).map(|offset| round.back(offset)).collect();
        assert_eq!(places, [0, 1, 2, 2, 2, 3, 4, 6, 7, 8, 9, 9]);
    }
}
