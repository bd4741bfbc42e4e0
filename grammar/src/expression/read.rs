//! From the text of an expression to its tree.

use std::num::NonZeroUsize;
use std::sync::Once;

use model::{Finding, Spanned, codes};
use pest::Parser;
use pest::error::{Error, ErrorVariant, InputLocation};
use pest::iterators::Pair;

use super::{Each, Expression, ExpressionKind, MAX_BYTES, MAX_DEPTH, Operator, Place};
use crate::quote;

#[derive(pest_derive::Parser)]
#[grammar = "expression/expression.pest"]
struct Grammar;

/// Rules tried for one expression; one of [`MAX_BYTES`] needs a tenth of that.
const MAX_CALLS: NonZeroUsize = NonZeroUsize::new(1_000_000).unwrap();

pub(super) fn parse(text: &str, place: Place) -> (Expression, Option<Finding>) {
    static LIMIT: Once = Once::new();
    LIMIT.call_once(|| pest::set_call_limit(Some(MAX_CALLS)));
    let span = place.part(0, text.len());
    let error = |finding| (Expression { span, kind: ExpressionKind::Error }, Some(finding));
    if let Some(finding) = too_large(text) {
        return error(finding.at(span));
    }
    let parsed = Grammar::parse(Rule::whole, text).map(|mut pairs| pairs.next().and_then(first));
    match parsed {
        Ok(Some(pair)) => {
            let mut reader = Reader { place, finding: None };
            (reader.expression(pair), reader.finding)
        }
        Ok(None) => error(syntax(place, text, 0, "expected a value")),
        Err(e) => error(describe(text, place, &e)),
    }
}

/// Recursion follows nesting, so nesting is bounded before anything recurses.
fn too_large(text: &str) -> Option<Finding> {
    if text.len() > MAX_BYTES {
        let message = format!("the expression has more than {MAX_BYTES} bytes");
        let help = "an expression chooses and puts together values; write the values themselves elsewhere";
        return Some(Finding::error(codes::EXPRESSION_SYNTAX, message).help(help));
    }
    let opening = |c: char| matches!(c, '(' | '[');
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let nested = words.filter(|word| matches!(*word, "if" | "each")).count();
    if text.chars().filter(|c| opening(*c)).count() + nested <= MAX_DEPTH || depth(text) + nested <= MAX_DEPTH {
        return None;
    }
    let message = format!("the expression is nested more than {MAX_DEPTH} levels deep");
    Some(
        Finding::error(codes::EXPRESSION_SYNTAX, message)
            .help("give a part of it a name: a parameter's default may be an expression"),
    )
}

/// How deep brackets are nested, those in texts not counted.
fn depth(text: &str) -> usize {
    let (mut depth, mut deepest, mut quote) = (0usize, 0, None);
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some('"'), '\\') => drop(chars.next()),
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, '(' | '[') => depth += 1,
            (None, ')' | ']') => depth = depth.saturating_sub(1),
            (None, _) => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

fn first(pair: Pair<'_, Rule>) -> Option<Pair<'_, Rule>> {
    pair.into_inner().next()
}

struct Reader {
    place: Place,
    finding: Option<Finding>,
}

impl Reader {
    fn expression(&mut self, pair: Pair<Rule>) -> Expression {
        let span = self.span(&pair);
        let kind = match pair.as_rule() {
            Rule::expression | Rule::group => return first(pair).map_or_else(|| unread(span), |p| self.expression(p)),
            Rule::either | Rule::both | Rule::comparison | Rule::sum | Rule::product => return self.operators(pair),
            Rule::negated => return self.prefixes(pair, Rule::not_, ExpressionKind::Not),
            Rule::signed => return self.prefixes(pair, Rule::minus, ExpressionKind::Minus),
            Rule::access => return self.access(pair),
            Rule::conditional => {
                let mut parts: Vec<Expression> = self.expressions(pair);
                let otherwise = (parts.len() > 2).then(|| parts.pop()).flatten().map(Box::new);
                match (parts.pop(), parts.pop()) {
                    (Some(then), Some(condition)) => ExpressionKind::If(Box::new(condition), Box::new(then), otherwise),
                    _ => ExpressionKind::Error,
                }
            }
            Rule::repetition => self.each(pair),
            Rule::number => self.number(&pair),
            Rule::boolean => ExpressionKind::Boolean(pair.as_str() == "true"),
            Rule::single => ExpressionKind::Text(inner_text(pair).replace("''", "'")),
            Rule::double => self.escaped(pair),
            Rule::list => ExpressionKind::List(self.expressions(pair)),
            Rule::name => ExpressionKind::Name(pair.as_str().to_owned()),
            Rule::call => {
                let name = pair.clone().into_inner().find(|inner| inner.as_rule() == Rule::name);
                match name.map(|name| Spanned::new(name.as_str().to_owned(), self.span(&name))) {
                    Some(name) => ExpressionKind::Call(name, self.expressions(pair)),
                    None => ExpressionKind::Error,
                }
            }
            _ => ExpressionKind::Error,
        };
        Expression { span, kind }
    }

    /// The expressions below a pair, in order.
    fn expressions(&mut self, pair: Pair<Rule>) -> Vec<Expression> {
        let inner = pair.into_inner().filter(|inner| inner.as_rule() == Rule::expression);
        inner.map(|inner| self.expression(inner)).collect()
    }

    /// Operands with operators between them, those to the left first.
    fn operators(&mut self, pair: Pair<Rule>) -> Expression {
        let whole = self.span(&pair);
        let mut inner = pair.into_inner();
        let mut left = inner.next().map_or_else(|| unread(whole), |first| self.expression(first));
        while let (Some(operator), Some(right)) = (inner.next(), inner.next()) {
            let right = self.expression(right);
            let span = model::Span { end: right.span.end, ..left.span };
            let kind = match operator_of(&operator) {
                Some(operator) => ExpressionKind::Binary(Box::new(left), operator, Box::new(right)),
                None => ExpressionKind::Error,
            };
            left = Expression { span, kind };
        }
        left
    }

    fn prefixes(&mut self, pair: Pair<Rule>, prefix: Rule, wrap: fn(Box<Expression>) -> ExpressionKind) -> Expression {
        let span = self.span(&pair);
        let (mut count, mut operand) = (0usize, unread(span));
        for inner in pair.into_inner() {
            if inner.as_rule() == prefix {
                count += 1;
            } else {
                operand = self.expression(inner);
            }
        }
        // An even number of them is none, except that the operand must be of the right type.
        let count = if count > 2 { 2 - count % 2 } else { count };
        (0..count).fold(operand, |operand, _| Expression { span, kind: wrap(Box::new(operand)) })
    }

    fn access(&mut self, pair: Pair<Rule>) -> Expression {
        let whole = self.span(&pair);
        let mut inner = pair.into_inner();
        let mut value = inner.next().map_or_else(|| unread(whole), |primary| self.expression(primary));
        for step in inner {
            let span = model::Span { end: self.span(&step).end, ..value.span };
            let is_field = step.as_rule() == Rule::field;
            let kind = match first(step) {
                Some(name) if is_field => {
                    let name = Spanned::new(name.as_str().to_owned(), self.span(&name));
                    ExpressionKind::Field(Box::new(value), name)
                }
                Some(index) => ExpressionKind::Index(Box::new(value), Box::new(self.expression(index))),
                None => ExpressionKind::Error,
            };
            value = Expression { span, kind };
        }
        value
    }

    fn each(&mut self, pair: Pair<Rule>) -> ExpressionKind {
        let (mut name, mut list, mut condition, mut result) = (None, None, None, None);
        for inner in pair.into_inner() {
            match inner.as_rule() {
                Rule::name => name = Some(Spanned::new(inner.as_str().to_owned(), self.span(&inner))),
                Rule::either => list = Some(self.operators(inner)),
                Rule::filter => condition = inner.into_inner().last().map(|inner| self.expression(inner)),
                Rule::result => result = inner.into_inner().last().map(|inner| self.expression(inner)),
                _ => {}
            }
        }
        match list {
            Some(list) => ExpressionKind::Each(Box::new(Each { name, list, condition, result })),
            None => ExpressionKind::Error,
        }
    }

    fn number(&mut self, pair: &Pair<Rule>) -> ExpressionKind {
        match pair.as_str().parse() {
            Ok(number) => ExpressionKind::Number(number),
            Err(_) => {
                let message = format!("the number {} is too large", quote(pair.as_str()));
                let finding = Finding::error(codes::EXPRESSION_SYNTAX, message).at(self.span(pair));
                self.finding.get_or_insert(finding.help(format!("the largest is {}", i64::MAX)));
                ExpressionKind::Error
            }
        }
    }

    fn escaped(&mut self, pair: Pair<Rule>) -> ExpressionKind {
        let span = self.span(&pair);
        let mut text = String::new();
        let mut chars = inner_text(pair).chars();
        while let Some(c) = chars.next() {
            match c {
                '\\' => match chars.next() {
                    Some('n') => text.push('\n'),
                    Some('t') => text.push('\t'),
                    Some(c @ ('"' | '\\')) => text.push(c),
                    other => {
                        let message = format!("there is no escape `\\{}`", other.unwrap_or_default());
                        let help = "write `\\\\` for a backslash; there are `\\\"`, `\\n` and `\\t` as well";
                        let finding = Finding::error(codes::EXPRESSION_SYNTAX, message).at(span).help(help);
                        self.finding.get_or_insert(finding);
                        return ExpressionKind::Error;
                    }
                },
                c => text.push(c),
            }
        }
        ExpressionKind::Text(text)
    }

    fn span(&self, pair: &Pair<Rule>) -> model::Span {
        let span = pair.as_span();
        // A rule may take the blanks behind it; its value does not.
        let text = span.as_str().trim_end();
        self.place.part(span.start(), span.start() + text.len())
    }
}

fn unread(span: model::Span) -> Expression {
    Expression { span, kind: ExpressionKind::Error }
}

fn inner_text(pair: Pair<'_, Rule>) -> &str {
    first(pair).map_or("", |text| text.as_str())
}

fn operator_of(pair: &Pair<Rule>) -> Option<Operator> {
    let inner = pair.clone().into_inner().next().map(|inner| inner.as_rule());
    Some(match (pair.as_rule(), inner) {
        (Rule::or_, _) => Operator::Or,
        (Rule::and_, _) => Operator::And,
        (_, Some(Rule::in_)) => Operator::In,
        (_, Some(Rule::not_in)) => Operator::NotIn,
        _ => match pair.as_str() {
            "==" => Operator::Equal,
            "!=" => Operator::NotEqual,
            "<" => Operator::Less,
            "<=" => Operator::LessOrEqual,
            ">" => Operator::Greater,
            ">=" => Operator::GreaterOrEqual,
            "+" => Operator::Add,
            "-" => Operator::Subtract,
            "*" => Operator::Multiply,
            "/" => Operator::Divide,
            "%" => Operator::Remainder,
            _ => return None,
        },
    })
}

fn describe(text: &str, place: Place, error: &Error<Rule>) -> Finding {
    let message = match &error.variant {
        ErrorVariant::ParsingError { positives, .. } => expected(positives),
        ErrorVariant::CustomError { .. } => "the expression is too complicated".to_owned(),
    };
    syntax(place, text, place_of(error), &message)
}

fn place_of(error: &Error<Rule>) -> usize {
    match error.location {
        InputLocation::Pos(at) | InputLocation::Span((at, _)) => at,
    }
}

/// What could stand there, in the words of whoever writes it.
fn expected(rules: &[Rule]) -> String {
    let mut words: Vec<&str> = Vec::new();
    for rule in rules {
        let word = match rule {
            Rule::then_ => "`then`",
            Rule::else_ => "`else`",
            Rule::in_ => "`in`",
            Rule::EOI => "the end",
            Rule::comma => "`,`",
            Rule::closing => "`)`",
            Rule::bracket => "`]`",
            Rule::or_ | Rule::and_ | Rule::relation | Rule::additive | Rule::multiplicative => "an operator",
            Rule::field_name => "a field's name",
            Rule::field | Rule::index | Rule::filter | Rule::result | Rule::not_ | Rule::minus => continue,
            _ => "a value",
        };
        if !words.contains(&word) {
            words.push(word);
        }
    }
    match words.split_last() {
        None => "this is not expected here".to_owned(),
        Some((last, [])) => format!("expected {last}"),
        Some((last, others)) => format!("expected {} or {last}", others.join(", ")),
    }
}

fn syntax(place: Place, text: &str, at: usize, message: &str) -> Finding {
    let rest = text.get(at..).unwrap_or_default();
    let found = token(rest.trim_start());
    if found.is_empty() {
        let finding = Finding::error(codes::EXPRESSION_SYNTAX, message).at(place.part(at, at));
        return finding.help("the expression ends too early");
    }
    let at = at + rest.len() - rest.trim_start().len();
    let message = format!("{message}, found {}", quote(found));
    let finding = Finding::error(codes::EXPRESSION_SYNTAX, message).at(place.part(at, at + found.len()));
    if let Some(words) = in_words(text, at) {
        let finding = finding.at(place.part(at, at + words.foreign.len()));
        let finding = finding.help(format!("write `{}`: {}", words.first.trim(), quote(words.text.trim())));
        return if matches!(place, Place::At(_)) { finding.replace_by(words.first) } else { finding };
    }
    let rest = text.get(at..).unwrap_or_default();
    let hints = [
        ("&&", "write `and`"),
        ("||", "write `or`"),
        ("!", "write `not`, or `!=`"),
        ("=", "two values are compared with `==`"),
        ("?", "write `if condition then this else that`"),
        ("{", "an expression has no maps: write the map in YAML"),
        ("'", "this quote is never closed; a quote within the text is written twice"),
        ("\"", "this quote is never closed; a quote within the text is written `\\\"`"),
        ("|", "there are no filters: call a function, `lower(name)`"),
    ];
    let applies = |start: &str| match start {
        "'" | "\"" => rest.starts_with(start) && rest.matches(start).count() == 1,
        _ => rest.starts_with(start),
    };
    if has_point(found) {
        return finding.help(format!("quote a number with a point: `'{found}'`"));
    }
    match hints.iter().find(|(start, _)| applies(start)) {
        Some((_, help)) => finding.help(*help),
        None => finding.help("there are `name`, `'text'`, `a == b`, `f(a)`, `if a then b else c` and `each x in list`"),
    }
}

/// What a text starts with, as people see it: a word or number, an operator, or a character.
fn token(text: &str) -> &str {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    let number = |c: char| c.is_ascii_alphanumeric() || c == '.';
    let operator = |c: char| "&|=<>!".contains(c);
    let longest = |of: &dyn Fn(char) -> bool| text.find(|c| !of(c)).unwrap_or(text.len());
    let end = match text.chars().next() {
        None => 0,
        Some(c) if c.is_ascii_digit() => longest(&number),
        Some(c) if word(c) => longest(&word),
        Some(c) if operator(c) => longest(&operator),
        Some(c @ ('\'' | '"')) => text.get(1..).and_then(|rest| rest.find(c)).map_or(1, |end| end + 2),
        Some(c) => c.len_utf8(),
    };
    text.get(..end).unwrap_or_default()
}

/// An expression whose operators were those of another language.
struct InWords {
    /// The first of them.
    foreign: &'static str,
    /// What stands for it.
    first: String,
    text: String,
}

/// An expression with our words for operators of other languages from a place on, if that makes it one.
fn in_words(text: &str, mut at: usize) -> Option<InWords> {
    const OPERATORS: [(&str, &str); 4] = [("&&", "and"), ("||", "or"), ("!", "not"), ("=", "==")];
    const MAX_REPLACED: usize = 4;
    /// Longer ones do not fit into a line of help.
    const LONGEST: usize = 60;
    if text.len() > LONGEST {
        return None;
    }
    let (mut text, mut first) = (text.to_owned(), None);
    for _ in 0..MAX_REPLACED {
        let (before, rest) = text.split_at_checked(at)?;
        let (before, rest) = (format!("{before}{}", blanks(rest)), rest.trim_start());
        let (operator, word) = OPERATORS.into_iter().find(|(operator, _)| rest.starts_with(operator))?;
        let rest = rest.get(operator.len()..)?;
        let gap = |is_there: bool| if is_there { "" } else { " " };
        let start = gap(before.is_empty() || before.ends_with(char::is_whitespace));
        let word = format!("{start}{word}{}", gap(rest.starts_with(char::is_whitespace)));
        text = format!("{before}{word}{rest}");
        let (foreign, first) = first.get_or_insert((operator, word));
        match Grammar::parse(Rule::whole, &text) {
            Ok(_) => return Some(InWords { foreign, first: first.clone(), text }),
            Err(e) => at = place_of(&e),
        }
    }
    None
}

fn blanks(text: &str) -> &str {
    text.get(..text.len() - text.trim_start().len()).unwrap_or_default()
}

/// Whether this is a number with a point, which no rule takes.
fn has_point(number: &str) -> bool {
    let mut parts = number.split('.');
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    number.contains('.') && parts.all(digits)
}
