use model::{Finding, Findings, codes};
use regorus::unstable::{Expr, Rule, RuleHead};

use crate::policy::PACKAGE;
use crate::rego::{Module, Set};

/// Rules that have the name of a set and are none, and sets where nobody asks for them.
pub(crate) fn shape(module: &Module) -> Findings {
    let inside = module.package.iter().map(String::as_str).take(PACKAGE.len()).eq(PACKAGE);
    let rules = module.tree.policy.iter().filter_map(|rule| {
        let (span, refr, is_set) = match &**rule {
            Rule::Spec { head: RuleHead::Set { span, refr, .. }, .. } => (span, refr, true),
            Rule::Spec { head: RuleHead::Compr { span, refr, .. } | RuleHead::Func { span, refr, .. }, .. }
            | Rule::Default { span, refr, .. } => (span, refr, false),
        };
        let Expr::Var { span: name, .. } = &**refr else { return None };
        let set = Set::ALL.into_iter().find(|set| set.name() == name.text())?.name();
        let finding = |message: String| Finding::error(codes::POLICY_SHAPE, message).at(module.span(span));
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
