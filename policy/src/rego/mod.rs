//! Texts in Rego: their syntax trees, the clauses in them, and what those read.

mod clause;
mod nesting;
mod reads;
mod said;

use std::sync::Arc;

use model::{Finding, SourceId, Span, codes};
use regorus::unstable::{self as ast, Expr};

pub(crate) use clause::{Clause, Set, clauses};
pub(crate) use reads::{Analysis, Read, Reads, Step, shown};
pub(crate) use said::Said;

/// Bytes of a text at most.
const MAX_BYTES: usize = 1 << 20;

/// A text in Rego that could be read.
#[derive(Clone)]
pub(crate) struct Module {
    pub(crate) source: SourceId,
    pub(crate) text: Arc<str>,
    /// The names of its package, without `data`.
    pub(crate) package: Vec<String>,
    pub(crate) tree: Arc<ast::Module>,
}

impl Module {
    /// Reads a text.
    pub(crate) fn read(source: SourceId, text: &str) -> Result<Self, Finding> {
        if text.len() > MAX_BYTES {
            let message = format!("a policy is at most {MAX_BYTES} bytes long, and this one is {}", text.len());
            return Err(Finding::error(codes::POLICY_SYNTAX, message).at(Span::new(source, 0, 0)));
        }
        if let Some(at) = nesting::too_deep(text) {
            let finding = Finding::error(
                codes::POLICY_SYNTAX,
                "brackets lie too deep in one another, or the expression is too long",
            );
            let place = Span::new(source, at, at.saturating_add(1));
            return Err(finding.at(place).help("give a part of it a name: `part := …`"));
        }
        let parse = || {
            let code = ast::Source::from_contents(String::new(), text.to_owned())?;
            let mut parser = ast::Parser::new(&code)?;
            parser.enable_rego_v1()?;
            parser.parse()
        };
        let tree = parse().map_err(|error| {
            let said = Said::of(&error.to_string());
            let span = said.span(source, text).unwrap_or_else(|| Span::new(source, 0, 0));
            Finding::error(codes::POLICY_SYNTAX, format!("this is no Rego that can be read: {}", said.message))
                .at(span)
                .help(
                    "this is read as Rego 1.0: `if` stands before a body, and `contains` before what is added to a set",
                )
        })?;
        let package = path(&tree.package.refr).unwrap_or_default();
        Ok(Self { source, text: text.into(), package, tree: Arc::new(tree) })
    }

    /// A place of the syntax tree.
    pub(crate) fn span(&self, span: &ast::Span) -> Span {
        Span::new(self.source, span.start as usize, span.end as usize)
    }
}

/// The names of a reference that is nothing but names: `input.image.name`.
pub(crate) fn path(expr: &Expr) -> Option<Vec<String>> {
    match expr {
        Expr::Var { span, .. } => Some(vec![span.text().to_owned()]),
        Expr::RefDot { refr, field, .. } => {
            let mut names = path(refr)?;
            names.push(field.0.text().to_owned());
            Some(names)
        }
        Expr::RefBrack { refr, index, .. } => {
            let mut names = path(refr)?;
            names.push(text(index)?.to_owned());
            Some(names)
        }
        _ => None,
    }
}

/// The text that is written out.
pub(crate) fn text(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::String { value, .. } | Expr::RawString { value, .. } => value.as_string().ok().map(|text| &**text),
        _ => None,
    }
}
