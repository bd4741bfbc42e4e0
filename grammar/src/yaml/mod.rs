//! YAML 1.2 as configurations use it: maps, lists and scalars, comments kept, every piece with its span. Text and spans
//! together lose nothing. Anchors, aliases, tags and several documents in one file are refused: none of them is needed
//! to declare something, and each makes a text mean something else than it seems to. The bracket that closes a list or map
//! may stand in the column of its key, which YAML does not allow.

mod brackets;
mod build;
mod edit;
mod format;
mod lines;
mod mend;
mod opened;
mod repair;
mod syntax;
mod write;

use ecow::{EcoString, EcoVec};
use model::{Finding, Findings, SourceId, Span, Spanned};

pub use format::format;
pub use write::quoted;

/// How deep lists and maps may be nested. A policy, the deepest of the documents, needs six levels.
pub const MAX_DEPTH: usize = 64;

/// A value of a document. Copies share their texts, lists and maps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// From the first to the last byte that is the value's own. A block scalar starts with its `|` or `>`; an absent
    /// value has an empty span where it would stand.
    pub span: Span,
    /// What it is.
    pub kind: Kind,
}

/// What a [`Node`] is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A text, number or truth value; which of them is for the reader to say.
    Scalar {
        /// The value as YAML defines it, digits and all: `3.10` stays `3.10`.
        text: EcoString,
        /// Written without quotes and not as a block, so that `true` and `8000` are more than words.
        plain: bool,
    },
    /// A list.
    List(EcoVec<Node>),
    /// A map, in the order written. A key given twice is there twice (and is a finding).
    Map(EcoVec<Pair>),
    /// No value, or a plain `null` or `~`.
    Null,
    /// Something that could not be read, or is refused; a finding says why.
    Error,
}

/// One entry of a map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// The key; empty where the text broke off before one.
    pub key: Spanned<EcoString>,
    /// Its value.
    pub value: Node,
}

impl Pair {
    /// From key to end of value.
    pub fn span(&self) -> Span {
        Span { end: self.value.span.end.max(self.key.span.end), ..self.key.span }
    }
}

/// A comment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comment {
    /// What follows the `#`.
    pub text: String,
    /// From the `#` to the end of the line.
    pub span: Span,
}

/// A document as far as it could be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parsed {
    /// The value; `None` when there is none.
    pub root: Option<Node>,
    /// Every comment, in the order written.
    pub comments: Vec<Comment>,
    /// What is wrong with the text.
    pub findings: Findings,
    /// The lines that are no YAML, each read as what was probably meant. What is found there besides is not worth saying.
    pub mended: Vec<Span>,
}

/// Whether a finding is about a line that was read as what was probably meant.
pub fn is_mended(mended: &[Span], finding: &Finding) -> bool {
    let is_in = |span: Span| {
        move |line: &Span| {
            !line.is_empty() && line.source == span.source && (line.start..=line.end).contains(&span.start)
        }
    };
    finding.span.is_some_and(|span| mended.iter().any(is_in(span)))
}

impl Node {
    /// Whether two trees are the same but for their places.
    pub fn is_like(&self, other: &Node) -> bool {
        match (&self.kind, &other.kind) {
            (Kind::List(a), Kind::List(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.is_like(b)),
            (Kind::Map(a), Kind::Map(b)) => {
                let is_like = |(a, b): (&Pair, &Pair)| a.key.value == b.key.value && a.value.is_like(&b.value);
                a.len() == b.len() && a.iter().zip(b).all(is_like)
            }
            (a, b) => a == b,
        }
    }

    /// Whether something in this node could not be read, or the text broke off in it, so that something may be missing.
    pub fn is_broken(&self) -> bool {
        match &self.kind {
            Kind::Error => true,
            Kind::List(items) => {
                items.iter().any(|item| item.kind == Kind::Error) || items.last().is_some_and(Node::is_broken)
            }
            Kind::Map(pairs) => {
                pairs.iter().any(|pair| pair.value.kind == Kind::Error)
                    || pairs.last().is_some_and(|pair| pair.value.is_broken())
            }
            Kind::Scalar { .. } | Kind::Null => false,
        }
    }
}

/// Reads a document. Time and memory grow with the length of the text alone; nesting is bounded by [`MAX_DEPTH`].
/// Where the text is no YAML, the smallest change is made that lets it be read further: an error node stands for what was
/// lost, and every break has a finding.
pub fn parse(source: SourceId, text: &str) -> Parsed {
    mend::parse(source, text)
}

#[cfg(test)]
mod tests;
