use model::{Finding, Findings, codes};
use regorus::unstable::{Expr, Rule, RuleHead};

use crate::builtins;
use crate::policy::PACKAGE;
use crate::rego::{Module, Set, text};

/// Rules that have the name of a set and are none, and sets where nobody asks for them.
pub(crate) fn shape(module: &Module) -> Findings {
    let inside = module.package.iter().map(String::as_str).take(PACKAGE.len()).eq(PACKAGE);
    let rules = module.tree.policy.iter().filter_map(|rule| {
        let (span, refr, is_set) = match &**rule {
            Rule::Spec { head: RuleHead::Set { span, refr, .. }, .. } => (span, refr, true),
            Rule::Spec { head: RuleHead::Compr { span, refr, .. } | RuleHead::Func { span, refr, .. }, .. }
            | Rule::Default { span, refr, .. } => (span, refr, false),
        };
        let names = names(refr);
        let finding = |message: String| Finding::error(codes::POLICY_SHAPE, message).at(module.span(span));
        let whole = || module.package.iter().map(String::as_str).chain(names.iter().copied());
        let (Some(name), is_alone) = (names.first(), matches!(**refr, Expr::Var { .. })) else { return None };
        if builtins::arguments(name).is_some() {
            let help = "give it another name: in its place, all rules of the package would use it";
            return Some(finding(format!("`{name}` is a function of the evaluator")).help(help));
        }
        // `policy.deny contains …` in the package `clnstrt`, `deny.more contains …`, `deny[…]`
        let set = Set::ALL.into_iter().map(Set::name).find(|set| {
            *name == *set
                || whole().skip(PACKAGE.len()).any(|name| name == *set) && whole().take(PACKAGE.len()).eq(PACKAGE)
        })?;
        let is_set = is_set && is_alone && *name == set;
        match (is_set, inside) {
            (false, _) => Some(
                finding(format!("`{set}` is the set of what is said, and this is no member of it"))
                    .help(format!("write `{set} contains {{\"code\": \"…\", \"msg\": \"…\"}} if {{ … }}`")),
            ),
            (true, false) => Some(
                finding(format!("nobody asks for `{set}` in the package `{}`", module.package.join(".")))
                    .help("begin the file with `package clnstrt.policy`, or a package below it"),
            ),
            (true, true) => None,
        }
    });
    rules.collect()
}

/// The names of a head, up to the first that is none.
pub(super) fn names(expr: &Expr) -> Vec<&str> {
    match expr {
        Expr::Var { span, .. } => vec![span.text()],
        Expr::RefDot { refr, field, .. } => {
            let mut names = names(refr);
            names.push(field.0.text());
            names
        }
        Expr::RefBrack { refr, index, .. } => {
            let mut names = names(refr);
            names.extend(text(index));
            names
        }
        _ => Vec::new(),
    }
}
