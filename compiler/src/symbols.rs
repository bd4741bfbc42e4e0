//! What a document declares, for an outline of it. A document that is half typed has one, too.

use grammar::yaml::{Kind, Node};
use model::Span;

/// Something with a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Symbol {
    /// What it is called.
    pub name: String,
    /// What it is.
    pub kind: SymbolKind,
    /// Where its name stands.
    pub span: Span,
    /// What it holds.
    pub children: Vec<Symbol>,
}

/// What a [`Symbol`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SymbolKind {
    /// A field of an image or template.
    Field,
    /// A parameter that a template declares.
    Parameter,
    /// A value given to a parameter.
    Argument,
    /// An axis of a matrix.
    Axis,
}

/// The symbols of a document, in the order written.
pub fn symbols(root: &Node) -> Vec<Symbol> {
    of(root, SymbolKind::Field)
}

fn of(node: &Node, kind: SymbolKind) -> Vec<Symbol> {
    let pairs = match &node.kind {
        Kind::Map(pairs) => pairs.as_slice(),
        Kind::List(items) => return items.iter().flat_map(|item| of(item, SymbolKind::Field)).collect(),
        Kind::Scalar { .. } | Kind::Null | Kind::Error => &[],
    };
    let named = pairs.iter().filter(|pair| !pair.key.value.is_empty());
    let symbol = |pair: &grammar::yaml::Pair| {
        let name = pair.key.value.as_str();
        let below = match name {
            "parameters" => SymbolKind::Parameter,
            "with" => SymbolKind::Argument,
            "matrix" => SymbolKind::Axis,
            _ => SymbolKind::Field,
        };
        let kind = if matches!(name, "include" | "exclude") { SymbolKind::Field } else { kind };
        Symbol { name: name.to_owned(), kind, span: pair.key.span, children: of(&pair.value, below) }
    };
    named.map(symbol).collect()
}
