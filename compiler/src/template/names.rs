//! Checks the names in expressions before anything has a value, in branches that may never be taken as well.

use std::collections::BTreeSet;

use grammar::expression::{Expression, ExpressionKind, Piece};
use grammar::yaml::{Kind, Node};
use grammar::{Report, quote};
use model::{Finding, Span, Spanned, codes};

use super::document::{Extended, Layer};
use super::functions;
use super::shape::Shape;
use grammar::suggest::{nearest, there};

/// The names in scope.
pub(super) struct Known<'a> {
    names: BTreeSet<&'a str>,
    /// Those that are being written: a name that starts like one may be it.
    half: Vec<&'a str>,
}

impl<'a> Known<'a> {
    /// These, and those of a map that have no value yet.
    pub(super) fn new(names: impl Iterator<Item = &'a str>, map: Option<&'a Node>) -> Self {
        let pairs = match map.map(|node| &node.kind) {
            Some(Kind::Map(pairs)) => pairs.as_slice(),
            _ => &[],
        };
        let half = pairs.iter().filter(|pair| pair.value.kind == Kind::Error);
        Self { names: names.collect(), half: half.map(|pair| pair.key.value.as_str()).collect() }
    }

    fn may_have(&self, name: &str) -> bool {
        self.names.contains(name) || self.half.iter().any(|half| name.starts_with(half))
    }
}

/// Checks what a layer says itself and what it gives to the template below.
pub(super) fn check(layer: &Layer, known: &Known<'_>, report: &mut Report) {
    if let Extended::Template(extends) = &layer.extends {
        extends.with.values().for_each(|argument| check_shape(&argument.given.shape, known, report));
    }
    check_shape(&layer.own, known, report);
}

/// Finds every name that is none of those in scope, and every function there is not.
pub(super) fn check_shape(shape: &Shape, known: &Known<'_>, report: &mut Report) {
    walk(shape, |used| match used {
        Use::Name(name, span) if !known.may_have(name) && !report.is_full() => {
            report.add(unknown(name, span, &known.names.iter().copied().collect::<Vec<_>>()));
        }
        Use::Name(..) => {}
        Use::Call(name, arguments, span) => {
            if let Err(finding) = functions::find(name, arguments, span) {
                report.add(*finding);
            }
        }
    });
}

/// Whether an expression of a shape uses a name.
pub(super) fn uses(shape: &Shape, name: &str) -> bool {
    let mut found = false;
    walk(shape, |used| found |= matches!(used, Use::Name(other, _) if other == name));
    found
}

/// A finding for a name that has no value.
pub(super) fn unknown(name: &str, span: Span, known: &[&str]) -> Finding {
    if known.contains(&name) {
        let finding = Finding::error(codes::NAME_UNKNOWN, format!("{} has no value in every image", quote(name)));
        return finding
            .at(span)
            .help("only some rows of `include` give it one: give it one in every row, or make it an axis");
    }
    let finding = Finding::error(codes::NAME_UNKNOWN, format!("nothing is called {}", quote(name))).at(span);
    match known {
        [] => finding.help("there are no names here: declare `parameters` or a `matrix`"),
        known => finding.suggest(nearest(name, known.iter().copied()), &there(known.iter().copied())),
    }
}

/// Something an expression uses.
enum Use<'e> {
    /// A name that the expression itself does not bind.
    Name(&'e str, Span),
    /// A function with so many arguments.
    Call(&'e Spanned<String>, usize, Span),
}

/// Shows `found` everything the expressions of a shape use.
fn walk<'e>(shape: &'e Shape, found: impl FnMut(Use<'e>)) {
    Walk { local: Vec::new(), found }.shape(shape);
}

struct Walk<'e, F> {
    /// Names bound by `each`, innermost last.
    local: Vec<&'e str>,
    found: F,
}

impl<'e, F: FnMut(Use<'e>)> Walk<'e, F> {
    fn shape(&mut self, shape: &'e Shape) {
        match shape {
            Shape::Fixed(..) => {}
            Shape::Value(expression, _) => self.expression(expression),
            Shape::Text(pieces, _) => pieces.iter().for_each(|piece| match piece {
                Piece::Text(_) => {}
                Piece::Expression(expression) => self.expression(expression),
            }),
            Shape::List(items, _) => items.iter().for_each(|item| self.shape(item)),
            Shape::Map(entries, _) => entries.iter().for_each(|(_, value)| self.shape(value)),
        }
    }

    fn expression(&mut self, expression: &'e Expression) {
        match &expression.kind {
            ExpressionKind::Name(name) if self.local.contains(&name.as_str()) => {}
            ExpressionKind::Name(name) => (self.found)(Use::Name(name, expression.span)),
            ExpressionKind::Text(_)
            | ExpressionKind::Number(_)
            | ExpressionKind::Boolean(_)
            | ExpressionKind::Error => {}
            ExpressionKind::List(items) => items.iter().for_each(|item| self.expression(item)),
            ExpressionKind::Field(of, _) | ExpressionKind::Not(of) | ExpressionKind::Minus(of) => self.expression(of),
            ExpressionKind::Index(a, b) | ExpressionKind::Binary(a, _, b) => {
                self.expression(a);
                self.expression(b);
            }
            ExpressionKind::Call(name, arguments) => {
                (self.found)(Use::Call(name, arguments.len(), expression.span));
                arguments.iter().for_each(|argument| self.expression(argument));
            }
            ExpressionKind::If(condition, then, otherwise) => {
                self.expression(condition);
                self.expression(then);
                otherwise.iter().for_each(|otherwise| self.expression(otherwise));
            }
            ExpressionKind::Each(each) => {
                self.expression(&each.list);
                self.local.extend(each.name.as_ref().map(|name| name.value.as_str()));
                each.condition.iter().chain(&each.result).for_each(|part| self.expression(part));
                if each.name.is_some() {
                    self.local.pop();
                }
            }
        }
    }
}
