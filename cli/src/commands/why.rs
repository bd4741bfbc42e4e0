use std::collections::{BTreeMap, BTreeSet, VecDeque};

use model::lock::{Asker, Lock, Origin, Resolution};
use model::{Arch, Finding};
use serde::Serialize;

use super::lock::{asked, locked, locked_name};
use crate::args::{ConfigArg, Format};
use crate::project::Project;
use crate::report::{self, Failure};

#[derive(Serialize)]
struct Chain {
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<String>,
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
    let mut found = Vec::new();
    for image in project.images() {
        let asked = asked(image);
        let name = project.is_batch().then(|| image.config.name.value.clone());
        for (_, arch, resolution) in lock.images().filter(|(answered, ..)| *answered == asked) {
            found.extend(chains(&lock, resolution, package).into_iter().map(|(asked_by, links)| Chain {
                image: name.clone(),
                arch,
                asked_by,
                links,
            }));
        }
    }
    Ok(match format {
        Format::Json => report::print_json(&found),
        _ => print(&found),
    }?)
}

/// Who asks, and the links from there to the package: one chain for each root that reaches it, shortest first.
fn chains(lock: &Lock, image: &Resolution, package: &str) -> Vec<(Asker, Vec<Link>)> {
    let nodes: BTreeMap<(Origin, &str), &model::lock::Node> =
        lock.nodes_of(image).map(|(_, node)| ((node.origin, node.name.as_str()), node)).collect();
    let named = |key: (Origin, &str)| nodes.get(&key).map_or(key.1.to_owned(), |n| format!("{} {}", n.name, n.version));
    let mut found = Vec::new();
    for root in &image.roots {
        let start = (root.edge.origin, root.edge.name.as_str());
        let first = Link { requirement: root.edge.requirement.clone(), package: named(start) };
        let mut queue = VecDeque::from([(start, vec![first])]);
        let mut seen = BTreeSet::from([start]);
        while let Some((at, links)) = queue.pop_front() {
            if at.1 == package {
                found.push((root.by, links));
                break;
            }
            for edge in nodes.get(&at).into_iter().flat_map(|node| &node.requires) {
                let next = (edge.origin, edge.name.as_str());
                // Another image of the lock may need more of the same package.
                if nodes.contains_key(&next) && seen.insert(next) {
                    let mut links = links.clone();
                    links.push(Link { requirement: edge.requirement.clone(), package: named(next) });
                    queue.push_back((next, links));
                }
            }
        }
    }
    found.sort_by_key(|(_, links)| links.len());
    found
}

/// Images and architectures whose chains are equal share their lines.
fn print(chains: &[Chain]) -> Result<(), Finding> {
    let mut shown: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut order = Vec::new();
    for chain in chains {
        let mut text = match chain.asked_by {
            Asker::Base => "the base asks for".to_owned(),
            Asker::Variant => "the variant asks for".to_owned(),
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
        let image = chain.image.iter().map(|name| format!("{name} ")).collect::<String>();
        arches.push(format!("{image}{}", chain.arch));
    }
    for text in order {
        let arches = shown.get(&text).into_iter().flatten().cloned().collect::<Vec<_>>().join(", ");
        report::line(format_args!("{text}\n  [{arches}]"))?;
    }
    Ok(())
}
