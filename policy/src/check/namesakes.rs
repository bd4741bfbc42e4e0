use std::collections::BTreeSet;

use model::{Finding, Findings, codes};

use crate::policy::Policy;

/// Policies in YAML that share a package with another policy: what one defines for itself, the other would use.
pub(crate) fn namesakes(policies: &[Policy]) -> Findings {
    let mut taken = BTreeSet::new();
    let finding = |policy: &Policy| {
        let message = format!("there is another policy in the package `{}`", policy.module.package.join("."));
        let span = policy.places.values().min().copied();
        let finding = Finding::error(codes::POLICY_SHAPE, message).help("give one of them another name");
        span.into_iter().fold(finding, Finding::at)
    };
    let (yaml, rego): (Vec<&Policy>, Vec<&Policy>) = policies.iter().partition(|policy| !policy.places.is_empty());
    taken.extend(rego.iter().map(|policy| &policy.module.package));
    yaml.into_iter().filter(|policy| !taken.insert(&policy.module.package)).map(finding).collect()
}
