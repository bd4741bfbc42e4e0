use std::collections::BTreeSet;

use model::{Finding, Findings, codes};
use regorus::unstable::{Rule, RuleHead};

use super::shape::names;
use crate::policy::Policy;

/// Policies in YAML into whose package another policy reaches: what one defines for itself, the other would use.
pub(crate) fn namesakes(policies: &[Policy]) -> Findings {
    let mut taken = BTreeSet::new();
    let finding = |policy: &Policy| {
        let message = format!("another policy defines something in the package `{}`", policy.module.package.join("."));
        let span = policy.places.values().min().copied();
        let finding = Finding::error(codes::POLICY_SHAPE, message).help("give one of them another name");
        span.into_iter().fold(finding, Finding::at)
    };
    let (yaml, rego): (Vec<&Policy>, Vec<&Policy>) = policies.iter().partition(|policy| !policy.places.is_empty());
    let paths: Vec<Vec<&str>> = rego.iter().flat_map(|policy| paths(policy)).collect();
    let is_reached = |policy: &Policy| {
        let own: Vec<&str> = policy.module.package.iter().map(String::as_str).collect();
        paths.iter().any(|path| path.len() > own.len() && path.starts_with(&own))
    };
    yaml.into_iter().filter(|policy| !taken.insert(&policy.module.package) || is_reached(policy)).map(finding).collect()
}

/// The whole name of each rule.
fn paths(policy: &Policy) -> Vec<Vec<&str>> {
    let heads = policy.module.tree.policy.iter().map(|rule| match &**rule {
        Rule::Spec {
            head: RuleHead::Set { refr, .. } | RuleHead::Compr { refr, .. } | RuleHead::Func { refr, .. },
            ..
        }
        | Rule::Default { refr, .. } => names(refr),
    });
    heads.map(|names| policy.module.package.iter().map(String::as_str).chain(names).collect()).collect()
}
