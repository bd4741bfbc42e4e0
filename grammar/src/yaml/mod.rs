//! YAML 1.2 as configurations use it: maps, lists and scalars, comments kept, every piece with its span. Text and spans
//! together lose nothing. Anchors, aliases, tags and several documents in one file are refused: none of them is needed
//! to declare something, and each makes a text mean something else than it seems to.

mod build;
mod format;
mod syntax;

use ecow::{EcoString, EcoVec};
use model::{Findings, SourceId, Span, Spanned};

pub use format::format;

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
}

impl Node {
    /// Whether the text broke off inside this node, so that something may be missing from it.
    pub fn is_broken(&self) -> bool {
        match &self.kind {
            Kind::Error => true,
            Kind::List(items) => items.last().is_some_and(Node::is_broken),
            Kind::Map(pairs) => pairs.last().is_some_and(|pair| pair.value.is_broken()),
            Kind::Scalar { .. } | Kind::Null => false,
        }
    }
}

/// Reads a document. Time and memory grow with the length of the text alone; nesting is bounded by [`MAX_DEPTH`].
/// Text that is no YAML gives an error node and everything that came before it.
pub fn parse(source: SourceId, text: &str) -> Parsed {
    build::Builder::new(source, text).run()
}

#[cfg(test)]
mod tests;
