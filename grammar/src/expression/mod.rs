//! Expressions: what stands between `${{` and `}}` in the scalars of a template, and the text around it.
//!
//! ```text
//! svc-${{ service }}                      a text with a value put into it
//! ${{ python }}                           the value itself, whatever its type
//! ${{ if debug then 'dev' else 'prod' }}  a choice
//! ${{ each extras }}                      in a list: each of its entries
//! $${{ not this }}                        a dollar sign before means the text itself
//! ```

mod read;
mod scan;
#[cfg(test)]
mod tests;

use std::fmt;

use model::{Finding, Span, Spanned};

pub use scan::{CLOSE, OPEN, Place, holds_expression, scan};

/// Bytes of one expression; the longest useful one has a few hundred.
pub const MAX_BYTES: usize = 4096;
/// How deep brackets, conditions and repetitions may be nested in one another.
pub const MAX_DEPTH: usize = 32;

/// One piece of a scalar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Text that stands for itself.
    Text(String),
    /// A value to be put there.
    Expression(Expression),
}

/// An expression with the place it was written at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expression {
    /// Where.
    pub span: Span,
    /// What.
    pub kind: ExpressionKind,
}

/// What an [`Expression`] is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExpressionKind {
    /// A text in quotes.
    Text(String),
    /// A whole number.
    Number(i64),
    /// `true` or `false`.
    Boolean(bool),
    /// `[a, b]`
    List(Vec<Expression>),
    /// `service`
    Name(String),
    /// `options.debug`
    Field(Box<Expression>, Spanned<String>),
    /// `lines[0]`, `ports['http']`
    Index(Box<Expression>, Box<Expression>),
    /// `join(extras, ', ')`
    Call(Spanned<String>, Vec<Expression>),
    /// `not a`
    Not(Box<Expression>),
    /// `-a`
    Minus(Box<Expression>),
    /// `a == b`
    Binary(Box<Expression>, Operator, Box<Expression>),
    /// `if a then b else c`; without `else`, what is not chosen is left out.
    If(Box<Expression>, Box<Expression>, Option<Box<Expression>>),
    /// `each a in b if c then d`
    Each(Box<Each>),
    /// Something that could not be read; a finding says why.
    Error,
}

/// `each NAME in LIST if CONDITION then RESULT`: entries for the list the expression stands in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Each {
    /// What each entry is called in condition and result.
    pub name: Option<Spanned<String>>,
    /// The list.
    pub list: Expression,
    /// Which entries count.
    pub condition: Option<Expression>,
    /// What becomes of an entry; itself, if nothing is said.
    pub result: Option<Expression>,
}

/// An operator between two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is called what it is")]
pub enum Operator {
    Or,
    And,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
    NotIn,
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

impl Operator {
    /// As written.
    pub fn symbol(self) -> &'static str {
        match self {
            Operator::Or => "or",
            Operator::And => "and",
            Operator::Equal => "==",
            Operator::NotEqual => "!=",
            Operator::Less => "<",
            Operator::LessOrEqual => "<=",
            Operator::Greater => ">",
            Operator::GreaterOrEqual => ">=",
            Operator::In => "in",
            Operator::NotIn => "not in",
            Operator::Add => "+",
            Operator::Subtract => "-",
            Operator::Multiply => "*",
            Operator::Divide => "/",
            Operator::Remainder => "%",
        }
    }
}

/// Reads one expression; `start` is where its first byte is in the source, or the place of all of it.
///
/// What cannot be read gives [`ExpressionKind::Error`] and a finding. Time is bounded by [`MAX_BYTES`] and [`MAX_DEPTH`].
pub fn parse(text: &str, place: Place) -> (Expression, Option<Finding>) {
    read::parse(text, place)
}

impl fmt::Display for Expression {
    /// As it could be written, with brackets around everything that has parts.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            ExpressionKind::Text(text) => write!(f, "'{}'", text.replace('\'', "''")),
            ExpressionKind::Number(number) => write!(f, "{number}"),
            ExpressionKind::Boolean(value) => write!(f, "{value}"),
            ExpressionKind::List(items) => write!(f, "[{}]", listed(items)),
            ExpressionKind::Name(name) => f.write_str(name),
            ExpressionKind::Field(of, name) => write!(f, "{of}.{}", name.value),
            ExpressionKind::Index(of, at) => write!(f, "{of}[{at}]"),
            ExpressionKind::Call(name, arguments) => write!(f, "{}({})", name.value, listed(arguments)),
            ExpressionKind::Not(of) => write!(f, "(not {of})"),
            ExpressionKind::Minus(of) => write!(f, "(-{of})"),
            ExpressionKind::Binary(a, operator, b) => write!(f, "({a} {} {b})", operator.symbol()),
            ExpressionKind::If(condition, then, None) => write!(f, "(if {condition} then {then})"),
            ExpressionKind::If(condition, then, Some(otherwise)) => {
                write!(f, "(if {condition} then {then} else {otherwise})")
            }
            ExpressionKind::Each(each) => {
                f.write_str("(each ")?;
                each.name.iter().try_for_each(|name| write!(f, "{} in ", name.value))?;
                write!(f, "{}", each.list)?;
                each.condition.iter().try_for_each(|condition| write!(f, " if {condition}"))?;
                each.result.iter().try_for_each(|result| write!(f, " then {result}"))?;
                f.write_str(")")
            }
            ExpressionKind::Error => f.write_str("?"),
        }
    }
}

fn listed(items: &[Expression]) -> String {
    items.iter().map(Expression::to_string).collect::<Vec<_>>().join(", ")
}
