//! Which facts a clause reads, itself and through the rules and functions it uses, and what is wrong with how it does. This
//! follows values from where they are bound to where they are used, as far as that can be seen without evaluating.
//!
//! **Invariant:** a clause reads no fact that is not among its reads. Where a value is no longer followed, because a function
//! of the evaluator or a comparison takes it whole, all that is in it counts as read. What is too much to look through is
//! refused.

mod call;
mod look;
mod reference;
mod value;

use std::collections::{BTreeMap, BTreeSet};

use model::Finding;
use regorus::unstable::{Expr, Ref, Rule, RuleHead};

use self::look::Look;
use super::{Clause, Module};
use crate::facts::Stage;

/// Expressions looked at for all policies together, those of a function once for each kind of arguments.
const MOST_EXPRESSIONS: usize = 1_000_000;
/// Expressions in expressions are not looked into deeper.
const MOST_DEPTH: usize = 200;
/// After so many findings nothing more is looked at.
const MOST_FINDINGS: usize = 500;
/// Lists in lists are not made deeper.
const DEEPEST: usize = 64;

/// One step to a fact.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    /// The fact of a name.
    Name(String),
    /// Whatever is in a list or map.
    Any,
}

/// A fact that is read.
pub(crate) type Read = Vec<Step>;

/// What a clause reads.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reads {
    pub(crate) facts: BTreeSet<Read>,
    /// The first stage at which all of it can be known.
    pub(crate) stage: Stage,
}

/// The rules of one name in a package.
type Named = (Vec<String>, String);

/// All modules together.
pub(crate) struct Analysis<'m> {
    modules: &'m [Module],
    /// Rules by package and name, with the module each is in.
    rules: BTreeMap<Named, Vec<(usize, Ref<Rule>)>>,
    found: Vec<Finding>,
    /// Expressions that were looked at.
    expressions: usize,
    /// What was too much to be looked at.
    too_much: Option<Finding>,
}

impl<'m> Analysis<'m> {
    pub(crate) fn new(modules: &'m [Module]) -> Self {
        let mut rules: BTreeMap<Named, Vec<(usize, Ref<Rule>)>> = BTreeMap::new();
        for (number, module) in modules.iter().enumerate() {
            for rule in &module.tree.policy {
                if let Some(name) = name_of(rule) {
                    rules.entry((module.package.clone(), name)).or_default().push((number, rule.clone()));
                }
            }
        }
        Self { modules, rules, found: Vec::new(), expressions: 0, too_much: None }
    }

    /// What a clause of a module reads.
    pub(crate) fn reads(&mut self, module: usize, clause: &Clause) -> Reads {
        Look::new(self, module).whole(&clause.rule)
    }

    /// Looks at the rules that no clause uses too, for what is wrong with them.
    pub(crate) fn rest(&mut self) {
        let all: Vec<_> = self.rules.values().flatten().cloned().collect();
        for (module, rule) in all {
            let is_function = matches!(&*rule, Rule::Spec { head: RuleHead::Func { .. }, .. });
            if !is_function {
                Look::new(self, module).whole(&rule);
            }
        }
    }

    /// What is wrong, each once.
    pub(crate) fn into_findings(self) -> Vec<Finding> {
        let mut found: Vec<Finding> = Vec::new();
        for finding in self.found.into_iter().chain(self.too_much) {
            if !found.contains(&finding) {
                found.push(finding);
            }
        }
        found
    }
}

/// What a rule defines in its package: the first name of its head.
fn name_of(rule: &Rule) -> Option<String> {
    let refr = match rule {
        Rule::Spec {
            head: RuleHead::Set { refr, .. } | RuleHead::Compr { refr, .. } | RuleHead::Func { refr, .. },
            ..
        }
        | Rule::Default { refr, .. } => refr,
    };
    first(refr).map(str::to_owned)
}

fn first(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Var { span, .. } => Some(span.text()),
        Expr::RefDot { refr, .. } | Expr::RefBrack { refr, .. } => first(refr),
        _ => None,
    }
}

/// A fact as it is written: `input.packages[_].purl`.
pub(crate) fn shown(read: &[Step]) -> String {
    let mut text = "input".to_owned();
    for step in read {
        match step {
            Step::Name(name) => {
                text.push('.');
                text.push_str(name);
            }
            Step::Any => text.push_str("[_]"),
        }
    }
    text
}
