//! Clauses: the rules of a module that say something.

use std::sync::Arc;

use model::{Severity, Span};
use regorus::unstable::{AssignOp, Expr, Literal, Ref, Rule, RuleBody, RuleHead};

use super::{Module, path, text};
use crate::builtins;

/// The two sets that are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Set {
    /// What refuses.
    Deny,
    /// What is said and refuses nothing.
    Warn,
}

impl Set {
    pub(crate) const ALL: [Set; 2] = [Set::Deny, Set::Warn];

    /// As written in Rego.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Set::Deny => "deny",
            Set::Warn => "warn",
        }
    }

    pub(crate) fn severity(self) -> Severity {
        match self {
            Set::Deny => Severity::Error,
            Set::Warn => Severity::Warning,
        }
    }
}

/// A rule `deny contains …` or `warn contains …`.
#[derive(Clone)]
pub(crate) struct Clause {
    pub(crate) set: Set,
    /// The number of its policy among those asked together, for several may share a package.
    policy: usize,
    /// Its number among those of its policy.
    number: usize,
    /// What it calls itself: the `rule` or `code` of what it says, or else its package and line.
    pub(crate) name: String,
    /// Its head.
    pub(crate) span: Span,
    pub(crate) rule: Ref<Rule>,
}

impl Clause {
    /// The name under which it is evaluated alone.
    pub(crate) fn own(&self) -> String {
        format!("{}__{}_{}", self.set.name(), self.policy, self.number)
    }
}

/// The clauses of a module, in the order written, and the text in which each has a name of its own and the sets are what
/// they were: lines stay what they are, and more come after them.
pub(crate) fn clauses(policy: usize, module: &Module) -> (Vec<Clause>, Arc<str>) {
    let mut clauses = Vec::new();
    let (mut text, mut at) = (String::with_capacity(module.text.len()), 0);
    for rule in &module.tree.policy {
        let Rule::Spec { head: RuleHead::Set { span, refr, key: Some(key) }, bodies, .. } = &**rule else { continue };
        let Expr::Var { span: name, .. } = &**refr else { continue };
        let Some(set) = Set::ALL.into_iter().find(|set| set.name() == name.text()) else { continue };
        let line = || format!("{}:{}", module.package.join("."), span.line);
        let clause = Clause {
            set,
            policy,
            number: clauses.len(),
            name: called(key, bodies).unwrap_or_else(line),
            span: module.span(span),
            rule: rule.clone(),
        };
        text.push_str(module.text.get(at..name.start as usize).unwrap_or_default());
        text.push_str(&clause.own());
        at = name.end as usize;
        clauses.push(clause);
    }
    text.push_str(module.text.get(at..).unwrap_or_default());
    for clause in &clauses {
        text.push_str(&format!(
            "\n{} contains clnstrt__said if some clnstrt__said in {}",
            clause.set.name(),
            clause.own()
        ));
    }
    (clauses, text.into())
}

/// What a clause calls what it says: in the object itself, in the one a variable stands for, or as the first text that a
/// function is given.
fn called(key: &Expr, bodies: &[RuleBody]) -> Option<String> {
    match key {
        Expr::Object { fields, .. } => ["rule", "code"].into_iter().find_map(|wanted| {
            let field = fields.iter().find(|(_, name, _)| text(name) == Some(wanted))?;
            text(&field.2).map(str::to_owned)
        }),
        Expr::Call { fcn, params, .. }
            if path(fcn).is_none_or(|name| builtins::arguments(&name.join(".")).is_none()) =>
        {
            params.iter().find_map(|param| text(param)).map(str::to_owned)
        }
        Expr::Var { span, .. } => bodies.iter().flat_map(|body| &body.query.stmts).find_map(|stmt| {
            let Literal::Expr { expr, .. } = &stmt.literal else { return None };
            let Expr::AssignExpr { op: AssignOp::ColEq, lhs, rhs, .. } = &**expr else { return None };
            (path(lhs)? == [span.text()]).then(|| called(rhs, &[]))?
        }),
        _ => None,
    }
}
