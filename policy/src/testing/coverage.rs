//! Which lines of policies tests evaluate.

use std::collections::BTreeSet;

use crate::policy::Policy;

/// The lines of one policy, as it is in Rego.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coverage {
    /// The policy.
    pub policy: String,
    /// Lines that were evaluated.
    pub covered: BTreeSet<u32>,
    /// Lines that could be evaluated and were not.
    pub missed: BTreeSet<u32>,
}

impl Coverage {
    /// Hundredths of the lines that were evaluated.
    pub fn percent(&self) -> f64 {
        let all = self.covered.len() + self.missed.len();
        if all == 0 { 100.0 } else { 100.0 * self.covered.len() as f64 / all as f64 }
    }
}

/// What an evaluator noted, without the lines that were put after the texts.
pub(super) fn of(evaluator: &regorus::Engine, policies: &[Policy]) -> Vec<Coverage> {
    let Ok(report) = evaluator.get_coverage_report() else { return Vec::new() };
    let of_policy = |(number, policy): (usize, &Policy)| {
        let last = u32::try_from(policy.text().lines().count()).unwrap_or(u32::MAX);
        let lines = |lines: &BTreeSet<u32>| lines.iter().copied().filter(|line| *line <= last).collect();
        let (covered, missed) = match report.files.iter().find(|file| file.path == number.to_string()) {
            Some(file) => (lines(&file.covered), lines(&file.not_covered)),
            // Nothing of it was evaluated.
            None => (BTreeSet::new(), policy.module.tree.policy.iter().map(|rule| rule.span().line).collect()),
        };
        Coverage { policy: policy.name.clone(), covered, missed }
    };
    policies.iter().enumerate().map(of_policy).collect()
}
