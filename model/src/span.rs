use std::fmt;

/// Marks the ids of sources that are none.
const EXPANDED: u32 = 1 << 31;

/// Which of the [`Sources`] a [`Span`] points into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(pub u32);

/// A half-open range of byte offsets in one source text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The text the offsets count in.
    pub source: SourceId,
    /// Byte offset of the first byte.
    pub start: u32,
    /// Byte offset after the last byte.
    pub end: u32,
}

impl Span {
    /// A span over `start..end` of `source`.
    pub fn new(source: SourceId, start: usize, end: usize) -> Self {
        let clamp = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Self { source, start: clamp(start), end: clamp(end) }
    }

    /// The place of a value that an expansion put into a document: a number, by which the expansion knows where the
    /// value came from. It points into no text.
    pub fn expanded(number: usize) -> Self {
        let source = u32::try_from(number).unwrap_or(u32::MAX) | EXPANDED;
        Self { source: SourceId(source), start: 0, end: 0 }
    }

    /// The number of a place made by [`Span::expanded`].
    pub fn expansion(self) -> Option<usize> {
        (self.source.0 & EXPANDED != 0).then_some((self.source.0 & !EXPANDED) as usize)
    }

    /// Length in bytes.
    pub fn len(self) -> usize {
        (self.end.saturating_sub(self.start)) as usize
    }

    /// Whether the span covers no byte.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }
}

/// A value together with the place it was written at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Where it was written.
    pub span: Span,
}

impl<T> Spanned<T> {
    /// Pairs a value with its place.
    pub fn new(value: T, span: Span) -> Self {
        Self { value, span }
    }

    /// The same place with another value.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Spanned<U> {
        Spanned { value: f(self.value), span: self.span }
    }
}

/// The texts that spans point into, each with the name shown to people.
#[derive(Clone, Debug, Default)]
pub struct Sources(Vec<Source>);

#[derive(Clone, Debug)]
struct Source {
    name: String,
    text: String,
    /// Where every line but the first starts.
    lines: Vec<usize>,
}

impl Sources {
    /// Adds a text and returns the id its spans carry. Control characters of the name are not shown as they are.
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<String>) -> SourceId {
        let (name, text) = (name.into().replace(char::is_control, "\u{fffd}"), text.into());
        let lines = text.match_indices('\n').map(|(at, _)| at + 1).collect();
        self.0.push(Source { name, text, lines });
        SourceId(u32::try_from(self.0.len() - 1).unwrap_or(u32::MAX))
    }

    /// The name shown to people.
    pub fn name(&self, id: SourceId) -> &str {
        self.0.get(id.0 as usize).map_or("", |source| &source.name)
    }

    /// The text itself.
    pub fn text(&self, id: SourceId) -> &str {
        self.0.get(id.0 as usize).map_or("", |source| &source.text)
    }

    /// One-based line and column (in characters) of a byte offset.
    pub fn line_column(&self, id: SourceId, offset: u32) -> (usize, usize) {
        let text = self.text(id);
        let mut end = (offset as usize).min(text.len());
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let lines = self.0.get(id.0 as usize).map_or(&[][..], |source| &source.lines);
        let line = lines.partition_point(|start| *start <= end);
        let start = line.checked_sub(1).and_then(|before| lines.get(before)).copied().unwrap_or(0);
        (line + 1, text.get(start..end).unwrap_or("").chars().count() + 1)
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}", self.start, self.end)
    }
}
