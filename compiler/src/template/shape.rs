//! A part of a document whose scalars may hold expressions, taken apart once and given values many times.

use std::sync::OnceLock;

use ecow::EcoString;
use grammar::expression::{self, CLOSE, Expression, ExpressionKind, OPEN, Piece};
use grammar::yaml::{Kind, Node, Pair};
use grammar::{Report, quote};
use model::{Finding, Fix, Sources, Span, Spanned, codes};

use super::value::Value;

/// A value that may depend on names. What depends on none is one piece, so that images share it.
#[derive(Clone, Debug)]
pub(super) enum Shape {
    /// Nothing in it depends on anything. With its [`weight`].
    Fixed(Node, usize),
    /// One expression and nothing beside it: its value keeps its type.
    Value(Expression, Span),
    /// A text with values put into it.
    Text(Vec<Piece>, Span),
    /// A list.
    List(Vec<Shape>, Span),
    /// A map.
    Map(Vec<(Spanned<EcoString>, Shape)>, Span),
}

impl Shape {
    /// Takes a part of a document apart; what is wrong with its expressions is added to `report`.
    pub(super) fn of(node: &Node, sources: &Sources, report: &mut Report) -> Self {
        match &node.kind {
            Kind::Scalar { text, .. } if expression::holds_expression(text) => {
                Self::scalar(text, node.span, sources, report)
            }
            Kind::List(items) => {
                let items: Vec<Shape> = items.iter().map(|item| Self::of(item, sources, report)).collect();
                match items.iter().map(Shape::as_fixed).collect() {
                    Some(items) => Self::fixed(Node { span: node.span, kind: Kind::List(items) }),
                    None => Shape::List(items, node.span),
                }
            }
            Kind::Map(pairs) => {
                let mut entries = Vec::with_capacity(pairs.len());
                for pair in pairs {
                    let value = Self::of(&pair.value, sources, report);
                    if expression::holds_expression(&pair.key.value) {
                        report.add(in_key(pair.key.span));
                    } else {
                        entries.push((pair.key.clone(), value));
                    }
                }
                let fixed =
                    entries.iter().map(|(key, value)| Some(Pair { key: key.clone(), value: value.as_fixed()? }));
                match fixed.collect() {
                    Some(pairs) => Self::fixed(Node { span: node.span, kind: Kind::Map(pairs) }),
                    None => Shape::Map(entries, node.span),
                }
            }
            Kind::Scalar { .. } | Kind::Null | Kind::Error => Self::fixed(node.clone()),
        }
    }

    fn fixed(node: Node) -> Self {
        let weight = weight(&node);
        Shape::Fixed(node, weight)
    }

    fn scalar(text: &str, span: Span, sources: &Sources, report: &mut Report) -> Self {
        let source = sources.text(span.source);
        let raw = source.get(span.start as usize..span.end as usize).unwrap_or_default();
        let (mut pieces, mut found) = expression::scan(text, span, raw);
        // What is no longer shown is not worth a look at the whole line.
        let last = found.last_mut().filter(|_| !report.is_full());
        if let Some(last) = last
            && let Some(fix) = unquoted(source, span)
        {
            last.help = Some(format!("without quotes the text ends here: write {}", quote(&fix.text)));
            last.fix = Some(fix);
        }
        found.into_iter().for_each(|finding| report.add(finding));
        if pieces.iter().all(|piece| matches!(piece, Piece::Text(_))) {
            let text = match pieces.pop() {
                Some(Piece::Text(text)) => text,
                _ => String::new(),
            };
            return Self::fixed(Node { span, kind: Kind::Scalar { text: text.into(), plain: false } });
        }
        match pieces.as_slice() {
            [Piece::Expression(_)] => match pieces.pop() {
                Some(Piece::Expression(expression)) => Shape::Value(expression, span),
                _ => Shape::Text(pieces, span),
            },
            _ => Shape::Text(pieces, span),
        }
    }

    fn as_fixed(&self) -> Option<Node> {
        match self {
            Shape::Fixed(node, _) => Some(node.clone()),
            _ => None,
        }
    }

    /// Where a field of a map is named, and what it is if that depends on nothing.
    pub(super) fn field(&self, name: &str) -> Option<(Span, Option<&Node>)> {
        match self {
            Shape::Fixed(Node { kind: Kind::Map(pairs), .. }, _) => {
                let pair = pairs.iter().find(|pair| pair.key.value == name)?;
                Some((pair.key.span, Some(&pair.value)))
            }
            Shape::Map(entries, _) => {
                let (key, shape) = entries.iter().find(|(key, _)| key.value == name)?;
                let fixed = if let Shape::Fixed(node, _) = shape { Some(node) } else { None };
                Some((key.span, fixed))
            }
            _ => None,
        }
    }

    /// What of it depends on nothing; an error node stands for the rest.
    pub(super) fn skeleton(&self) -> Node {
        let kind = match self {
            Shape::Fixed(node, _) => return node.clone(),
            Shape::Value(..) | Shape::Text(..) => Kind::Error,
            Shape::List(items, _) => Kind::List(items.iter().map(Shape::skeleton).collect()),
            Shape::Map(entries, _) => {
                let pairs = entries.iter().map(|(key, shape)| Pair { key: key.clone(), value: shape.skeleton() });
                Kind::Map(pairs.collect())
            }
        };
        Node { span: self.span(), kind }
    }

    /// Whether it stands in a list for several entries.
    pub(super) fn is_each(&self) -> bool {
        matches!(self, Shape::Value(Expression { kind: ExpressionKind::Each(_), .. }, _))
    }

    pub(super) fn span(&self) -> Span {
        match self {
            Shape::Fixed(node, _) => node.span,
            Shape::Value(_, span) | Shape::Text(_, span) | Shape::List(_, span) | Shape::Map(_, span) => *span,
        }
    }
}

/// A shape that becomes the value of a parameter. Where it depends on nothing, it is read once for all images.
#[derive(Clone, Debug)]
pub(super) struct Given {
    pub(super) shape: Shape,
    constant: OnceLock<Result<Value, Box<Finding>>>,
}

impl Given {
    pub(super) fn new(shape: Shape) -> Self {
        Self { shape, constant: OnceLock::new() }
    }

    /// What it is if it depends on nothing.
    pub(super) fn constant(
        &self,
        read: impl FnOnce(&Node) -> Result<Value, Box<Finding>>,
    ) -> Option<&Result<Value, Box<Finding>>> {
        match &self.shape {
            Shape::Fixed(node, _) => Some(self.constant.get_or_init(|| read(node))),
            _ => None,
        }
    }
}

/// How much a part of an image holds, in bytes of memory or so: what is small by itself is large in a hundred thousand
/// images.
pub(super) fn weight(node: &Node) -> usize {
    let below = match &node.kind {
        Kind::List(items) => items.iter().map(weight).sum(),
        Kind::Map(pairs) => pairs.iter().map(|pair| pair.key.value.len() + weight(&pair.value)).sum(),
        Kind::Scalar { .. } | Kind::Null | Kind::Error => 0,
    };
    below + own_weight(&node.kind)
}

/// The weight of a value without what it holds.
pub(super) fn own_weight(kind: &Kind) -> usize {
    size_of::<Node>() + if let Kind::Scalar { text, .. } = kind { text.len() } else { 0 }
}

/// A text without quotes that ends within an expression (`: `, ` #` and, between brackets, `,` end one), in quotes.
fn unquoted(source: &str, span: Span) -> Option<Fix> {
    let (start, end) = (span.start as usize, span.end as usize);
    let line = source.get(start..)?.lines().next()?;
    let raw = source.get(start..end)?;
    let rest = line.strip_prefix(raw)?;
    let open = raw.rfind(OPEN).is_some_and(|at| !raw.get(at..).is_some_and(|raw| raw.contains(CLOSE)));
    let close = rest.find(CLOSE)? + CLOSE.len();
    let ends = rest.get(close..)?.trim_start().chars().next().is_none_or(|c| matches!(c, ',' | ']' | '}'));
    if !open || !ends || raw.starts_with(['"', '\'']) {
        return None;
    }
    let whole = line.get(..raw.len() + close)?;
    let text =
        if whole.contains(['"', '\\']) { format!("'{}'", whole.replace('\'', "''")) } else { format!("\"{whole}\"") };
    Some(Fix { span: Span::new(span.source, start, start + whole.len()), text })
}

fn in_key(span: Span) -> Finding {
    Finding::error(codes::EXPRESSION_SYNTAX, "a name cannot be made by an expression")
        .at(span)
        .help("write the name itself; a whole map can be a parameter: `env: ${{ env }}`")
}
