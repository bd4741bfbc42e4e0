//! Values of parameters and expressions.

use std::cmp::Ordering;
use std::sync::Arc;

use ecow::{EcoString, eco_format};
use grammar::quote;
use indexmap::IndexMap;
use model::Span;

/// A value and the place it was written at.
#[derive(Clone, Debug)]
pub(super) struct Value {
    /// What it is.
    pub(super) data: Data,
    /// Where somebody wrote it: an argument, a default, a literal. What was computed has the place of its expression.
    pub(super) span: Span,
    /// Which axes of the matrix it depends on, a bit each.
    pub(super) axes: u32,
}

/// What a [`Value`] is. Lists and maps are shared: a value is cheap to copy.
#[derive(Clone, Debug)]
pub(super) enum Data {
    /// What a condition without `else` leaves out, and an absent value in YAML.
    Nothing,
    /// A text.
    Text(EcoString),
    /// A version: a text that is compared by its numbers.
    Version(EcoString),
    /// A whole number.
    Number(i64),
    /// `true` or `false`.
    Boolean(bool),
    /// A list.
    List(Arc<Vec<Value>>),
    /// A map, in the order written.
    Map(Arc<Entries>),
}

/// The entries of a map by their names.
pub(super) type Entries = IndexMap<EcoString, Entry>;

/// A value of a map.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// Where its name was written.
    pub(super) span: Span,
    pub(super) value: Value,
}

impl Value {
    /// A value that does not depend on a matrix.
    pub(super) fn new(data: Data, span: Span) -> Self {
        Self { data, span, axes: 0 }
    }

    /// The same for every matrix value it or another depends on.
    pub(super) fn with_axes(mut self, axes: u32) -> Self {
        self.axes |= axes;
        self
    }

    /// The text of a text or version.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.data {
            Data::Text(text) | Data::Version(text) => Some(text),
            _ => None,
        }
    }
}

impl Data {
    pub(super) fn text(text: impl Into<EcoString>) -> Self {
        Data::Text(text.into())
    }

    pub(super) fn list(items: Vec<Value>) -> Self {
        Data::List(Arc::new(items))
    }

    /// What it is, for messages: `a text`.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Data::Nothing => "nothing",
            Data::Text(_) => "a text",
            Data::Version(_) => "a version",
            Data::Number(_) => "a number",
            Data::Boolean(_) => "`true` or `false`",
            Data::List(_) => "a list",
            Data::Map(_) => "a map",
        }
    }

    /// The value as messages show it: `the text `x``.
    pub(super) fn shown(&self) -> String {
        match self {
            Data::Text(text) => format!("the text {}", quote(text)),
            Data::Version(text) => format!("the version {}", quote(text)),
            Data::Number(number) => format!("the number {number}"),
            Data::Boolean(value) => format!("`{value}`"),
            other => other.kind().to_owned(),
        }
    }

    /// The value within a text; lists, maps and nothing have none.
    pub(super) fn in_text(&self) -> Option<EcoString> {
        match self {
            Data::Text(text) | Data::Version(text) => Some(text.clone()),
            Data::Number(number) => Some(eco_format!("{number}")),
            Data::Boolean(value) => Some(eco_format!("{value}")),
            Data::Nothing | Data::List(_) | Data::Map(_) => None,
        }
    }

    /// Whether two values are the same. A text and a version are compared as versions; other kinds that differ are never
    /// the same.
    pub(super) fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Data::Nothing, Data::Nothing) => true,
            (Data::Text(a), Data::Text(b)) => a == b,
            (Data::Text(a) | Data::Version(a), Data::Text(b) | Data::Version(b)) => versions(a, b) == Ordering::Equal,
            (Data::Number(a), Data::Number(b)) => a == b,
            (Data::Boolean(a), Data::Boolean(b)) => a == b,
            (Data::List(a), Data::List(b)) => {
                a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| a.data.same(&b.data))
            }
            (Data::Map(a), Data::Map(b)) => {
                let is_in_both =
                    |(name, a): (&EcoString, &Entry)| b.get(name).is_some_and(|b| a.value.data.same(&b.value.data));
                a.len() == b.len() && a.iter().all(is_in_both)
            }
            _ => false,
        }
    }
}

/// The order of two versions: numbers as numbers, words as words, and a version before what continues it with a number;
/// a word continues it to something earlier (`3.13.0rc1` is before `3.13.0`).
pub(super) fn versions(a: &str, b: &str) -> Ordering {
    let (mut left, mut right) = (parts(a), parts(b));
    loop {
        let order = match (left.next(), right.next()) {
            (None, None) => return Ordering::Equal,
            (Some(part), None) => part.continues(),
            (None, Some(part)) => part.continues().reverse(),
            (Some(left), Some(right)) => left.cmp(&right),
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Part<'a> {
    Word(&'a str),
    /// Digits without leading zeros: the longer number is the larger one.
    Number(usize, &'a str),
}

impl Part<'_> {
    /// How a version that has this part compares with one that ends before it.
    fn continues(&self) -> Ordering {
        match self {
            Part::Word(_) => Ordering::Less,
            Part::Number(0, _) => Ordering::Equal,
            Part::Number(..) => Ordering::Greater,
        }
    }
}

fn parts(version: &str) -> impl Iterator<Item = Part<'_>> {
    let mut rest = version;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches(|c: char| !c.is_ascii_alphanumeric());
        let digits = rest.starts_with(|c: char| c.is_ascii_digit());
        let of_kind = |c: char| if digits { c.is_ascii_digit() } else { c.is_ascii_alphabetic() };
        let (part, after) = rest.split_at(rest.find(|c| !of_kind(c)).unwrap_or(rest.len()));
        rest = after;
        let number = part.trim_start_matches('0');
        match part {
            "" => None,
            _ if digits => Some(Part::Number(number.len(), number)),
            word => Some(Part::Word(word)),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_ordered_by_their_numbers() {
        let sorted = ["3", "3.9", "3.11rc1", "3.11", "3.11.1", "3.13.0a2", "3.13.0", "10.1"];
        for (at, a) in sorted.iter().enumerate() {
            for (other, b) in sorted.iter().enumerate() {
                assert_eq!(versions(a, b), at.cmp(&other), "{a} {b}");
            }
        }
        assert_eq!(versions("3.11", "3.11.0"), Ordering::Equal);
        assert_eq!(versions("v1", "v01"), Ordering::Equal);
    }
}
