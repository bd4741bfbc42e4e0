use std::collections::{BTreeMap, BTreeSet, VecDeque};

use model::lock::{Asker, Lock, Origin};
use model::{Arch, Finding};
use serde::Serialize;

use super::lock::{locked, locked_name};
use crate::args::{ConfigArg, Format};
use crate::project::Project;
use crate::report::{self, Failure};

#[derive(Serialize)]
struct Chain {
    arch: Arch,
    asked_by: Asker,
    links: Vec<Link>,
}

#[derive(Clone, Serialize)]
struct Link {
    requirement: String,
    package: String,
}

/// `why`: the shortest chain of requirements from each root that leads to a package.
pub(super) fn run(config: &ConfigArg, package: &str, format: Format) -> Result<(), Failure> {
    let project = Project::load(&config.config, &config.select)?;
    let lock = locked(&project)?;
    let package = locked_name(&project, &lock, package)?;
    let chains: Vec<Chain> = lock.resolutions.keys().flat_map(|arch| chains(&lock, *arch, package)).collect();
    Ok(match format {
        Format::Json => report::print_json(&chains),
        _ => print(&chains),
    }?)
}

/// One chain for each root that reaches the package, shortest first.
fn chains(lock: &Lock, arch: Arch, package: &str) -> Vec<Chain> {
    let nodes: BTreeMap<(Origin, &str), &model::lock::Node> =
        lock.nodes_of(arch).map(|(_, node)| ((node.origin, node.name.as_str()), node)).collect();
    let named = |key: (Origin, &str)| nodes.get(&key).map_or(key.1.to_owned(), |n| format!("{} {}", n.name, n.version));
    let Some(resolution) = lock.resolutions.get(&arch) else { return Vec::new() };
    let mut found = Vec::new();
    for root in &resolution.roots {
        let start = (root.edge.origin, root.edge.name.as_str());
        let first = Link { requirement: root.edge.requirement.clone(), package: named(start) };
        let mut queue = VecDeque::from([(start, vec![first])]);
        let mut seen = BTreeSet::from([start]);
        while let Some((at, links)) = queue.pop_front() {
            if at.1 == package {
                found.push(Chain { arch, asked_by: root.by, links });
                break;
            }
            for edge in nodes.get(&at).into_iter().flat_map(|node| &node.requires) {
                let next = (edge.origin, edge.name.as_str());
                if seen.insert(next) {
                    let mut links = links.clone();
                    links.push(Link { requirement: edge.requirement.clone(), package: named(next) });
                    queue.push_back((next, links));
                }
            }
        }
    }
    found.sort_by_key(|chain| chain.links.len());
    found
}

/// Architectures whose chains are equal share their lines.
fn print(chains: &[Chain]) -> Result<(), Finding> {
    let mut shown: BTreeMap<String, Vec<Arch>> = BTreeMap::new();
    let mut order = Vec::new();
    for chain in chains {
        let mut text = match chain.asked_by {
            Asker::Base => "the base asks for".to_owned(),
            Asker::Config => "the configuration asks for".to_owned(),
        };
        for (depth, link) in chain.links.iter().enumerate() {
            let indent = "  ".repeat(depth + 1);
            text.push_str(&format!("\n{indent}{}  ->  {}", link.requirement, link.package));
        }
        let arches = shown.entry(text.clone()).or_default();
        if arches.is_empty() {
            order.push(text);
        }
        arches.push(chain.arch);
    }
    for text in order {
        let arches = shown.get(&text).into_iter().flatten().map(|arch| arch.name()).collect::<Vec<_>>().join(", ");
        report::line(format_args!("{text}\n  [{arches}]"))?;
    }
    Ok(())
}
