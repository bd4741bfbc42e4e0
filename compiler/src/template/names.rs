//! Checks the names in expressions before anything has a value, in branches that may never be taken as well.

use grammar::expression::{Expression, ExpressionKind, Piece};
use grammar::quote;
use model::{Finding, Findings, Span, codes};

use super::document::{Extended, Layer};
use super::functions;
use super::shape::Shape;
use crate::suggest::nearest;

/// Checks what a layer says itself and what it gives to the template below.
pub(super) fn check(layer: &Layer, known: &[&str], findings: &mut Findings) {
    if let Extended::Template(extends) = &layer.extends {
        extends.with.iter().for_each(|(_, given)| check_shape(&given.shape, known, findings));
    }
    check_shape(&layer.own, known, findings);
}

/// Finds every name that is none of those in scope, and every function there is not.
pub(super) fn check_shape(shape: &Shape, known: &[&str], findings: &mut Findings) {
    let mut names = Names { known: known.to_vec(), findings };
    names.shape(shape);
}

/// A finding for a name nothing has.
pub(super) fn unknown(name: &str, span: Span, known: &[&str]) -> Finding {
    let finding = Finding::error(codes::NAME_UNKNOWN, format!("nothing is called {}", quote(name))).at(span);
    finding.suggest(nearest(name, known.iter().copied()), || match known {
        [] => "there are no names here: declare `parameters` or a `matrix`".to_owned(),
        known => format!("there are {}", known.iter().copied().take(30).collect::<Vec<_>>().join(", ")),
    })
}

struct Names<'a> {
    known: Vec<&'a str>,
    findings: &'a mut Findings,
}

impl<'a> Names<'a> {
    fn shape(&mut self, shape: &'a Shape) {
        match shape {
            Shape::Fixed(_) => {}
            Shape::Value(expression, _) => self.expression(expression),
            Shape::Text(pieces, _) => pieces.iter().for_each(|piece| match piece {
                Piece::Text(_) => {}
                Piece::Expression(expression) => self.expression(expression),
            }),
            Shape::List(items, _) => items.iter().for_each(|item| self.shape(item)),
            Shape::Map(entries, _) => entries.iter().for_each(|(_, value)| self.shape(value)),
        }
    }

    fn expression(&mut self, expression: &'a Expression) {
        match &expression.kind {
            ExpressionKind::Name(name) if !self.known.contains(&name.as_str()) => {
                self.findings.push(unknown(name, expression.span, &self.known));
            }
            ExpressionKind::Name(_)
            | ExpressionKind::Text(_)
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
                if let Err(finding) = functions::find(name, arguments.len(), expression.span) {
                    self.findings.push(*finding);
                }
                arguments.iter().for_each(|argument| self.expression(argument));
            }
            ExpressionKind::If(condition, then, otherwise) => {
                self.expression(condition);
                self.expression(then);
                otherwise.iter().for_each(|otherwise| self.expression(otherwise));
            }
            ExpressionKind::Each(each) => {
                self.expression(&each.list);
                self.known.extend(each.name.as_ref().map(|name| name.value.as_str()));
                each.condition.iter().chain(&each.result).for_each(|part| self.expression(part));
                if each.name.is_some() {
                    self.known.pop();
                }
            }
        }
    }
}
