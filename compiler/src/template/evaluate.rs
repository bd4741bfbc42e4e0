//! Gives expressions their values. Nothing is read but the names in scope; every step and every byte is paid for out of a
//! budget, so that evaluation ends.

use std::cmp::Ordering;
use std::num::{IntErrorKind, ParseIntError};

use ecow::{EcoString, EcoVec};
use grammar::expression::{Each, Expression, ExpressionKind, Operator, Piece};
use grammar::quote;
use model::{Code, Finding, Span, codes};

use super::functions;
use super::names::unknown;
use super::value::{Data, Value, versions};
use grammar::suggest::{nearest, there};

/// What one image may cost: steps, and bytes of text and entries of lists made on the way.
pub(super) const BUDGET: usize = 1_000_000;

/// Which numbers there are.
pub(super) const NUMBERS: &str = "numbers go from -9223372036854775808 to 9223372036854775807";

/// How deep evaluation may go: operators in one another, and defaults that use defaults.
const MAX_DEPTH: usize = 200;

/// The names an expression may use.
pub(super) trait Names {
    /// The value of a name; `None` if there is no such name.
    fn get(&self, name: &str, evaluation: &mut Evaluation) -> Option<Result<Value, Box<Finding>>>;
    /// Every name there is.
    fn known(&self) -> Vec<&str>;
}

/// What evaluation costs, and what it used.
pub(super) struct Evaluation {
    left: usize,
    /// How many expressions are being evaluated, each for the one before.
    depth: usize,
    /// Names whose values went into what is evaluated, and where those were written.
    pub(super) used: EcoVec<(EcoString, Span)>,
}

impl Default for Evaluation {
    fn default() -> Self {
        Self { left: BUDGET, depth: 0, used: EcoVec::new() }
    }
}

/// What a name of `each` adds to the names around it.
struct Local<'a> {
    name: &'a str,
    value: &'a Value,
    outer: &'a dyn Names,
}

impl Names for Local<'_> {
    fn get(&self, name: &str, evaluation: &mut Evaluation) -> Option<Result<Value, Box<Finding>>> {
        if name == self.name { Some(Ok(self.value.clone())) } else { self.outer.get(name, evaluation) }
    }

    fn known(&self) -> Vec<&str> {
        let mut known = self.outer.known();
        known.push(self.name);
        known
    }
}

type Outcome = Result<Value, Box<Finding>>;

pub(super) fn error(code: Code, span: Span, message: impl Into<String>, help: impl Into<String>) -> Box<Finding> {
    Box::new(Finding::error(code, message).at(span).help(help))
}

pub(super) fn wrong_type(span: Span, what: &str, expected: &str, found: &Data) -> Box<Finding> {
    let help = match (expected, found) {
        ("a text", Data::Number(_) | Data::Boolean(_)) => "make a text of it: `text(…)`",
        ("a number", Data::Text(_)) => "make a number of it: `number(…)`",
        _ => "check what the parameter is declared as",
    };
    error(codes::EXPRESSION_TYPE, span, format!("{what} must be {expected}, not {}", found.shown()), help)
}

/// What ends the evaluation of something whose finding was made before there were values; it is not shown.
pub(super) fn found_already() -> Finding {
    Finding::error(codes::EXPRESSION_SYNTAX, "")
}

/// Whether a finding is to be shown.
pub(super) fn is_new(finding: &Finding) -> bool {
    !finding.message.is_empty()
}

impl Evaluation {
    /// What was paid so far.
    pub(super) fn spent(&self) -> usize {
        BUDGET - self.left
    }

    /// Pays for some work.
    pub(super) fn spend(&mut self, cost: usize, span: Span) -> Result<(), Box<Finding>> {
        match self.left.checked_sub(cost.max(1)) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => {
                self.left = 0;
                let message = format!("this image needs more than {BUDGET} steps to be put together");
                Err(error(codes::EXPRESSION_BUDGET, span, message, "make lists and texts shorter"))
            }
        }
    }

    /// Pays for looking at all of a value. Its parts may be shared, so its size is no measure of what was spent to make it.
    pub(super) fn look_at(&mut self, data: &Data, span: Span) -> Result<(), Box<Finding>> {
        match data {
            Data::Text(text) | Data::Version(text) => self.spend(text.len(), span),
            Data::Nothing | Data::Number(_) | Data::Boolean(_) => self.spend(1, span),
            Data::List(items) => {
                self.spend(items.len(), span)?;
                items.iter().try_for_each(|item| self.look_at(&item.data, span))
            }
            Data::Map(entries) => entries.iter().try_for_each(|(name, entry)| {
                self.spend(name.len(), span)?;
                self.look_at(&entry.value.data, span)
            }),
        }
    }

    pub(super) fn value(&mut self, expression: &Expression, names: &dyn Names) -> Outcome {
        if self.depth >= MAX_DEPTH {
            let message = format!("expressions and defaults depend on one another over more than {MAX_DEPTH} levels");
            return Err(error(
                codes::EXPRESSION_BUDGET,
                expression.span,
                message,
                "make the chain of defaults or operators shorter",
            ));
        }
        self.depth += 1;
        let value = self.evaluated(expression, names);
        self.depth -= 1;
        value
    }

    /// A text with values put into it, and the axes it depends on.
    pub(super) fn text(&mut self, pieces: &[Piece], names: &dyn Names) -> Result<(EcoString, u32), Box<Finding>> {
        let (mut text, mut axes) = (EcoString::new(), 0);
        for piece in pieces {
            match piece {
                Piece::Text(literal) => text.push_str(literal),
                Piece::Expression(expression) => {
                    let value = self.value(expression, names)?;
                    axes |= value.axes;
                    match (value.data.in_text(), &value.data) {
                        (Some(part), _) => {
                            self.spend(part.len(), expression.span)?;
                            text.push_str(&part);
                        }
                        (None, Data::Nothing) => {}
                        (None, data) => {
                            return Err(wrong_type(expression.span, "what is put into a text", "a text", data));
                        }
                    }
                }
            }
        }
        Ok((text, axes))
    }

    fn evaluated(&mut self, expression: &Expression, names: &dyn Names) -> Outcome {
        let span = expression.span;
        self.spend(1, span)?;
        let data = match &expression.kind {
            ExpressionKind::Text(text) => {
                self.spend(text.len(), span)?;
                Data::text(text.as_str())
            }
            ExpressionKind::Number(number) => Data::Number(*number),
            ExpressionKind::Boolean(value) => Data::Boolean(*value),
            ExpressionKind::List(items) => return self.list(items, span, names),
            ExpressionKind::Name(name) => return self.name(name, span, names),
            ExpressionKind::Field(of, field) => {
                let of = self.value(of, names)?;
                return member(&of, &field.value, field.span).map(|value| value.with_axes(of.axes));
            }
            ExpressionKind::Index(of, index) => {
                let (of, index) = (self.value(of, names)?, self.value(index, names)?);
                return at(&of, &index, span).map(|value| value.with_axes(of.axes | index.axes));
            }
            ExpressionKind::Call(name, arguments) => {
                let arguments: Vec<Value> =
                    arguments.iter().map(|argument| self.value(argument, names)).collect::<Result<_, _>>()?;
                let axes = arguments.iter().fold(0, |axes, argument| axes | argument.axes);
                return functions::call(name, &arguments, span, self).map(|data| Value { data, span, axes });
            }
            ExpressionKind::Not(of) => {
                let (value, axes) = self.truth(of, names)?;
                return Ok(Value { data: Data::Boolean(!value), span, axes });
            }
            ExpressionKind::Minus(of) => {
                let of = self.value(of, names)?;
                let Data::Number(number) = of.data else {
                    return Err(wrong_type(span, "what is negated", "a number", &of.data));
                };
                let data =
                    number.checked_neg().map(Data::Number).ok_or_else(|| too_large(span, &format!("-({number})")))?;
                return Ok(Value { data, span, axes: of.axes });
            }
            ExpressionKind::Binary(left, operator, right) => return self.binary(left, *operator, right, span, names),
            ExpressionKind::If(condition, then, otherwise) => {
                let (chosen, axes) = self.truth(condition, names)?;
                let branch = if chosen { Some(then) } else { otherwise.as_ref() };
                return match branch {
                    Some(branch) => self.value(branch, names).map(|value| value.with_axes(axes)),
                    None => Ok(Value { data: Data::Nothing, span, axes }),
                };
            }
            ExpressionKind::Each(each) => return self.each(each, span, names),
            ExpressionKind::Error => return Err(Box::new(found_already())),
        };
        Ok(Value::new(data, span))
    }

    fn name(&mut self, name: &str, span: Span, names: &dyn Names) -> Outcome {
        match names.get(name, self) {
            Some(Ok(value)) => {
                if !self.used.iter().any(|(used, _)| used == name) {
                    self.used.push((name.into(), value.span));
                }
                Ok(value)
            }
            Some(Err(finding)) => Err(finding),
            // What no image has was found before there were values.
            None if names.known().contains(&name) => Err(Box::new(unknown(name, span, &names.known()))),
            None => Err(Box::new(found_already())),
        }
    }

    fn list(&mut self, items: &[Expression], span: Span, names: &dyn Names) -> Outcome {
        let (mut list, mut axes) = (Vec::new(), 0);
        for item in items {
            let value = self.value(item, names)?;
            axes |= value.axes;
            match (&item.kind, value.data) {
                (ExpressionKind::Each(_), Data::List(entries)) => list.extend(entries.iter().cloned()),
                (_, Data::Nothing) => {}
                (_, data) => list.push(Value { data, ..value }),
            }
        }
        self.spend(list.len(), span)?;
        Ok(Value { data: Data::list(list), span, axes })
    }

    fn each(&mut self, each: &Each, span: Span, names: &dyn Names) -> Outcome {
        let list = self.value(&each.list, names)?;
        let Data::List(items) = &list.data else {
            return Err(wrong_type(each.list.span, "what `each` goes through", "a list", &list.data));
        };
        let (mut results, mut axes) = (Vec::new(), list.axes);
        for item in items.iter() {
            self.spend(1, span)?;
            let local = each.name.as_ref().map(|name| Local { name: &name.value, value: item, outer: names });
            let names = local.as_ref().map_or(names, |local| local as &dyn Names);
            if let Some(condition) = &each.condition {
                let (wanted, of) = self.truth(condition, names)?;
                axes |= of;
                if !wanted {
                    continue;
                }
            }
            let result = match &each.result {
                Some(result) => self.value(result, names)?,
                None => item.clone(),
            };
            axes |= result.axes;
            if !matches!(result.data, Data::Nothing) {
                results.push(result);
            }
        }
        Ok(Value { data: Data::list(results), span, axes })
    }

    fn truth(&mut self, expression: &Expression, names: &dyn Names) -> Result<(bool, u32), Box<Finding>> {
        let value = self.value(expression, names)?;
        match value.data {
            Data::Boolean(truth) => Ok((truth, value.axes)),
            data => Err(wrong_type(expression.span, "a condition", "`true` or `false`", &data)),
        }
    }

    fn binary(
        &mut self,
        left: &Expression,
        operator: Operator,
        right: &Expression,
        span: Span,
        names: &dyn Names,
    ) -> Outcome {
        if matches!(operator, Operator::And | Operator::Or) {
            let (first, axes) = self.truth(left, names)?;
            if first == (operator == Operator::Or) {
                return Ok(Value { data: Data::Boolean(first), span, axes });
            }
            let (second, more) = self.truth(right, names)?;
            return Ok(Value { data: Data::Boolean(second), span, axes: axes | more });
        }
        let (a, b) = (self.value(left, names)?, self.value(right, names)?);
        let axes = a.axes | b.axes;
        self.look_at(&a.data, span)?;
        self.look_at(&b.data, span)?;
        let ordered =
            |accept: fn(Ordering) -> bool| order(&a, &b, operator, span).map(|order| Data::Boolean(accept(order)));
        let data = match operator {
            Operator::Equal => Data::Boolean(equal(&a, &b, span)?),
            Operator::NotEqual => Data::Boolean(!equal(&a, &b, span)?),
            Operator::Less => ordered(Ordering::is_lt)?,
            Operator::LessOrEqual => ordered(Ordering::is_le)?,
            Operator::Greater => ordered(Ordering::is_gt)?,
            Operator::GreaterOrEqual => ordered(Ordering::is_ge)?,
            Operator::In => Data::Boolean(self.holds(&b, &a, right.span)?),
            Operator::NotIn => Data::Boolean(!self.holds(&b, &a, right.span)?),
            Operator::Add => match (&a.data, &b.data) {
                (Data::List(first), Data::List(second)) => {
                    self.spend(first.len() + second.len(), span)?;
                    Data::list(first.iter().chain(second.iter()).cloned().collect())
                }
                _ => arithmetic(&a, &b, operator, span)
                    .map_err(|finding| put_together(*finding, left, right, [&a, &b]))?,
            },
            _ => arithmetic(&a, &b, operator, span)?,
        };
        Ok(Value { data, span, axes })
    }

    /// Whether a list, the names of a map, or a text holds something.
    pub(super) fn holds(&mut self, whole: &Value, part: &Value, span: Span) -> Result<bool, Box<Finding>> {
        self.look_at(&whole.data, span)?;
        match (&whole.data, part.text()) {
            (Data::List(items), _) => Ok(items.iter().any(|item| item.data.same(&part.data))),
            (Data::Map(entries), Some(name)) => Ok(entries.contains_key(name)),
            (Data::Text(text), Some(part)) => Ok(text.contains(part)),
            (Data::Map(_) | Data::Text(_), None) => {
                Err(wrong_type(span, "what is looked for in it", "a text", &part.data))
            }
            (other, _) => Err(wrong_type(span, "what is looked through", "a list, a map or a text", other)),
        }
    }
}

/// Values of different kinds are never equal: to compare them is a mistake.
fn equal(a: &Value, b: &Value, span: Span) -> Result<bool, Box<Finding>> {
    let comparable = std::mem::discriminant(&a.data) == std::mem::discriminant(&b.data)
        || (a.text().is_some() && b.text().is_some())
        || matches!((&a.data, &b.data), (Data::Nothing, _) | (_, Data::Nothing));
    if comparable {
        return Ok(a.data.same(&b.data));
    }
    let message = format!("{} is never equal to {}", b.data.shown(), a.data.kind());
    Err(error(codes::EXPRESSION_TYPE, span, message, "compare values of one kind; `text(…)` and `number(…)` convert"))
}

fn order(a: &Value, b: &Value, operator: Operator, span: Span) -> Result<Ordering, Box<Finding>> {
    match (&a.data, &b.data) {
        (Data::Number(a), Data::Number(b)) => Ok(a.cmp(b)),
        (Data::Version(a), Data::Version(b) | Data::Text(b)) | (Data::Text(a), Data::Version(b)) => Ok(versions(a, b)),
        (a, b) => {
            let message =
                format!("`{}` compares numbers or versions, not {} with {}", operator.symbol(), a.shown(), b.shown());
            let help = "texts have no order; of texts that are versions say `version(…)`";
            Err(error(codes::EXPRESSION_TYPE, span, message, help))
        }
    }
}

fn arithmetic(a: &Value, b: &Value, operator: Operator, span: Span) -> Result<Data, Box<Finding>> {
    let (Data::Number(x), Data::Number(y)) = (&a.data, &b.data) else {
        let what = if operator == Operator::Add { "two numbers or two lists" } else { "two numbers" };
        let message = format!("`{}` takes {what}, not {} and {}", operator.symbol(), a.data.shown(), b.data.shown());
        return Err(error(codes::EXPRESSION_TYPE, span, message, "check what the parameters are declared as"));
    };
    let result = match operator {
        Operator::Add => x.checked_add(*y),
        Operator::Subtract => x.checked_sub(*y),
        Operator::Multiply => x.checked_mul(*y),
        Operator::Divide | Operator::Remainder if *y == 0 => {
            return Err(error(
                codes::EXPRESSION_TYPE,
                span,
                "a number cannot be divided by 0",
                "check the divisor first: `if n != 0 then …`",
            ));
        }
        Operator::Divide => x.checked_div_euclid(*y),
        _ => x.checked_rem_euclid(*y),
    };
    result.map(Data::Number).ok_or_else(|| too_large(span, &format!("{x} {} {y}", operator.symbol())))
}

/// What helps who adds texts: how they are put together.
fn put_together(finding: Finding, left: &Expression, right: &Expression, values: [&Value; 2]) -> Box<Finding> {
    let texts = values.iter().any(|value| value.text().is_some());
    if !texts || values.iter().any(|value| value.data.in_text().is_none()) {
        return Box::new(finding);
    }
    let piece = |part: &Expression| match &part.kind {
        ExpressionKind::Text(text) => text.clone(),
        _ => format!("${{{{ {part} }}}}"),
    };
    let help =
        format!("write `{}{}`; within a longer expression `join([{left}, {right}], '')`", piece(left), piece(right));
    Box::new(finding.help(help))
}

fn too_large(span: Span, what: &str) -> Box<Finding> {
    error(codes::EXPRESSION_TYPE, span, format!("{} is beyond the numbers there are", quote(what)), NUMBERS)
}

/// Whether digits are no number because there are too many of them.
pub(super) fn is_too_large(e: &ParseIntError) -> bool {
    matches!(e.kind(), IntErrorKind::PosOverflow | IntErrorKind::NegOverflow)
}

fn member(of: &Value, name: &str, span: Span) -> Outcome {
    let Data::Map(entries) = &of.data else {
        return Err(wrong_type(span, &format!("what has a field `{name}`"), "a map", &of.data));
    };
    match entries.get(name) {
        Some(entry) => Ok(entry.value.clone()),
        None => {
            let known = || entries.keys().map(EcoString::as_str);
            let finding = Finding::error(codes::NAME_UNKNOWN, format!("the map has no entry {}", quote(name))).at(span);
            Err(Box::new(finding.suggest(nearest(name, known()), &there(known()))))
        }
    }
}

fn at(of: &Value, index: &Value, span: Span) -> Outcome {
    match (&of.data, &index.data) {
        (Data::List(items), Data::Number(at)) => {
            let found = usize::try_from(*at).ok().and_then(|at| items.get(at));
            found.cloned().ok_or_else(|| {
                let message = format!("the list has {} entries and none at {at}", items.len());
                error(codes::NAME_UNKNOWN, span, message, "the first entry is at 0")
            })
        }
        (Data::List(_), other) => Err(wrong_type(span, "a place in a list", "a number", other)),
        (Data::Map(_), _) => match index.text() {
            Some(name) => member(of, name, span),
            None => Err(wrong_type(span, "a name in a map", "a text", &index.data)),
        },
        (other, _) => Err(wrong_type(span, "what has entries", "a list or a map", other)),
    }
}
