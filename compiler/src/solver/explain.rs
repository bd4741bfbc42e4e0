//! A contradiction as lines for people: from the image down each chain, one requirement a line.

use std::collections::{BTreeMap, BTreeSet};

use resolvo::conflict::{ConflictCause, ConflictEdge, ConflictGraph, ConflictNode};
use resolvo::{Interner, Requirement, SolvableId};

use super::Universe;
use super::provider::Provider;

/// How many lines are shown; a contradiction that takes more is cut.
const LINES: usize = 40;
/// How many versions of a name one line spells out.
const VERSIONS: usize = 4;

/// Why one solvable cannot be there: what it needs, what it cannot stand, why it is excluded.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Reasons {
    /// Text of a requirement, and whether nothing answers it.
    needs: BTreeMap<String, bool>,
    excludes: BTreeSet<String>,
    excluded: BTreeSet<String>,
}

/// Everything the conflict says, by readable keys: the order of resolvo's graph is not ours to rely on.
struct Story<'g, 'u, U: Universe> {
    provider: &'g Provider<'u, U>,
    /// Reasons of each solvable; the image itself is `None`.
    reasons: BTreeMap<Option<(U::Name, U::Version)>, Reasons>,
    /// What may answer a requirement, by its text.
    answers: BTreeMap<String, BTreeSet<(U::Name, U::Version)>>,
    /// Names of which two versions are asked for.
    twice: BTreeSet<U::Name>,
}

/// The lines for a conflict.
pub(super) fn lines<U: Universe>(graph: &ConflictGraph<SolvableId>, provider: &Provider<'_, U>) -> Vec<String> {
    let mut story = Story { provider, reasons: BTreeMap::new(), answers: BTreeMap::new(), twice: BTreeSet::new() };
    let edges = graph.graph.edge_indices().filter_map(|edge| {
        let (from, to) = graph.graph.edge_endpoints(edge)?;
        Some((graph.graph.node_weight(from)?, graph.graph.edge_weight(edge)?, graph.graph.node_weight(to)?))
    });
    for (from, edge, to) in edges {
        story.add(from, edge, to);
    }
    story.tell()
}

impl<U: Universe> Story<'_, '_, U> {
    fn add(&mut self, from: &ConflictNode, edge: &ConflictEdge, to: &ConflictNode) {
        let key = |node: &ConflictNode| match node {
            ConflictNode::Solvable(id) => self.provider.chosen(*id),
            _ => None,
        };
        let (from, target) = (key(from), key(to));
        let reasons = self.reasons.entry(from.clone()).or_default();
        match edge {
            ConflictEdge::Requires(requirement) => {
                let text = text(self.provider, *requirement);
                reasons.needs.insert(text.clone(), target.is_none());
                self.answers.entry(text).or_default().extend(target);
            }
            ConflictEdge::Conflict(ConflictCause::Constrains(set)) => {
                let (name, set) = self.provider.limit_of(*set);
                let text = format!("{name} {set}").trim_end().to_owned();
                // What the image needs also rules out the other versions.
                match from {
                    None => drop(reasons.needs.entry(text).or_default()),
                    Some(_) => drop(reasons.excludes.insert(text)),
                }
            }
            ConflictEdge::Conflict(ConflictCause::Excluded) => {
                if let ConflictNode::Excluded(reason) = to {
                    reasons.excluded.insert(self.provider.display_string(*reason).to_string());
                }
            }
            ConflictEdge::Conflict(ConflictCause::ForbidMultipleInstances | ConflictCause::Locked(_)) => {
                self.twice.extend(target.map(|(name, _)| name));
            }
        }
    }

    /// Depth first from the image, so that each chain reads from its start to where it breaks.
    fn tell(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let mut told = BTreeSet::new();
        let mut open = Vec::new();
        self.tell_one("the image", self.reasons.get(&None), &mut lines, &mut open);
        while let Some((line, requirement)) = open.pop() {
            if !told.insert(line.clone()) {
                continue;
            }
            lines.push(line);
            let mut groups: BTreeMap<(&U::Name, &Reasons), Vec<&U::Version>> = BTreeMap::new();
            for answer in self.answers.get(requirement).into_iter().flatten().rev() {
                if let Some(reasons) = self.reasons.get(&Some(answer.clone())) {
                    groups.entry((&answer.0, reasons)).or_default().push(&answer.1);
                }
            }
            let mut groups: Vec<_> = groups.into_iter().collect();
            groups.sort_by(|((a, _), newest), ((b, _), other)| a.cmp(b).then(other.cmp(newest)));
            for ((name, reasons), versions) in groups.iter().rev() {
                self.tell_one(&label::<U>(name, versions), Some(reasons), &mut lines, &mut open);
            }
        }
        lines.extend(self.twice.iter().map(|name| format!("only one version of {name} can be installed")));
        let mut seen = BTreeSet::new();
        lines.retain(|line| seen.insert(line.clone()));
        if lines.len() > LINES {
            let more = lines.len() - LINES;
            lines.truncate(LINES);
            lines.push(format!("… and {more} more such lines"));
        }
        lines
    }

    fn tell_one<'s>(
        &'s self,
        who: &str,
        reasons: Option<&'s Reasons>,
        lines: &mut Vec<String>,
        open: &mut Vec<(String, &'s str)>,
    ) {
        let Some(reasons) = reasons else { return };
        lines.extend(reasons.excluded.iter().map(|reason| format!("{who}: {reason}")));
        lines.extend(reasons.excludes.iter().map(|what| format!("{who} excludes {what}")));
        open.extend(reasons.needs.iter().rev().map(|(text, unanswered)| {
            let end = if *unanswered { ", and there is none" } else { "" };
            (format!("{who} needs {text}{end}"), text.as_str())
        }));
    }
}

fn label<U: Universe>(name: &U::Name, versions: &[&U::Version]) -> String {
    let shown: Vec<String> = versions.iter().take(VERSIONS).map(ToString::to_string).collect();
    let more = versions.len().saturating_sub(VERSIONS);
    let end = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{name} {}{end}", shown.join(", "))
}

fn text<U: Universe>(provider: &Provider<'_, U>, requirement: Requirement) -> String {
    let limits: Vec<_> = match requirement {
        Requirement::Single(limit) => vec![limit],
        Requirement::Union(union) => provider.version_sets_in_union(union).collect(),
    };
    let limits = limits.into_iter().map(|limit| {
        let (name, set) = provider.limit_of(limit);
        format!("{name} {set}").trim_end().to_owned()
    });
    limits.collect::<Vec<_>>().join(" or ")
}
