use std::collections::{BTreeMap, BTreeSet};

use model::plan::{Addition, ImageConfig, Op, Plan, PlanKey};

use super::{Change, compare};

/// What differs between two plans, image by image: which input changed what.
pub fn plans(before: &Plan, after: &Plan) -> Vec<Change> {
    let mut changes = Vec::new();
    if before.epoch != after.epoch {
        changes.push(Change {
            place: "every image".into(),
            what: "time of all files".into(),
            before: Some(before.epoch.to_string()),
            after: Some(after.epoch.to_string()),
        });
    }
    let targets: BTreeSet<&String> = before.targets.keys().chain(after.targets.keys()).collect();
    for target in targets {
        match (before.targets.get(target), after.targets.get(target)) {
            (Some(old), Some(new)) if old != new => changes.extend(image(target, (before, old), (after, new))),
            (Some(_), None) => changes.push(Change {
                place: target.clone(),
                what: "image".into(),
                before: Some(String::new()),
                after: None,
            }),
            (None, Some(_)) => changes.push(Change {
                place: target.clone(),
                what: "image".into(),
                before: None,
                after: Some(String::new()),
            }),
            _ => {}
        }
    }
    changes
}

fn image(target: &str, (before, old): (&Plan, &PlanKey), (after, new): (&Plan, &PlanKey)) -> Vec<Change> {
    let (old, new) = (Parts::of(before, old), Parts::of(after, new));
    let mut changes = compare(&format!("{target} configuration"), &old.configuration, &new.configuration);
    let titles: BTreeSet<&String> = old.layers.keys().chain(new.layers.keys()).collect();
    let empty = BTreeMap::new();
    for title in titles {
        let (old, new) = (old.layers.get(title).unwrap_or(&empty), new.layers.get(title).unwrap_or(&empty));
        changes.extend(compare(&format!("{target} layer {title}"), old, new));
    }
    changes
}

/// What an image is made of.
#[derive(Default)]
struct Parts {
    configuration: BTreeMap<String, String>,
    /// By title, the inputs of each layer.
    layers: BTreeMap<String, BTreeMap<String, String>>,
}

impl Parts {
    fn of(plan: &Plan, key: &PlanKey) -> Self {
        let mut parts = Parts::default();
        let Some(step) = plan.steps.get(key) else { return parts };
        let annotations = match &step.op {
            Op::Image { config, annotations, .. } => {
                parts.configuration = configuration(config);
                annotations
            }
            Op::Index { annotations, .. } => annotations,
            _ => return parts,
        };
        parts
            .configuration
            .extend(annotations.iter().map(|(name, value)| (format!("annotation {name}"), value.clone())));
        for layer in step.inputs.iter().filter_map(|input| plan.steps.get(input)) {
            if let Op::Layer { title, .. } = &layer.op {
                let mut inputs = BTreeMap::new();
                // The first input is the layer's own tree, the others are the layers below.
                layer.inputs.iter().take(1).for_each(|tree| leaves(plan, tree, &mut inputs));
                parts.layers.insert(title.clone(), inputs);
            }
        }
        parts
    }
}

fn configuration(config: &ImageConfig) -> BTreeMap<String, String> {
    let mut facts = BTreeMap::from([
        ("user".to_owned(), config.user.clone()),
        ("workdir".to_owned(), config.workdir.clone()),
        ("entrypoint".to_owned(), config.entrypoint.join(" ")),
        ("command".to_owned(), config.command.join(" ")),
    ]);
    facts.extend(config.env.iter().map(|entry| {
        let (name, value) = entry.split_once('=').unwrap_or((entry, ""));
        (format!("env {name}"), value.to_owned())
    }));
    facts.extend(config.ports.iter().map(|port| (format!("port {port}"), String::new())));
    facts
}

/// Everything a step rests on that comes from outside, by name.
fn leaves(plan: &Plan, key: &PlanKey, found: &mut BTreeMap<String, String>) {
    let mut open = vec![*key];
    let mut seen = BTreeSet::new();
    while let Some(key) = open.pop() {
        let Some(step) = plan.steps.get(&key).filter(|_| seen.insert(key)) else { continue };
        match &step.op {
            Op::Fetch { name, file, sha256, .. } => {
                let file = file.rsplit('/').next().unwrap_or(file);
                found.insert(name.clone(), format!("{file} ({})", short(&sha256.to_string())));
            }
            Op::Local { tree } => drop(found.insert("the author's files".into(), short(&tree.to_string()))),
            Op::Compose { add, .. } => {
                for addition in add {
                    let (path, what) = addition_of(addition);
                    found.insert(path, what);
                }
            }
            _ => {}
        }
        open.extend(&step.inputs);
    }
}

fn short(digest: &str) -> String {
    format!("{}…", digest.chars().take(19).collect::<String>())
}

fn addition_of(addition: &Addition) -> (String, String) {
    let of = |path: &model::TreePath, what: String| (format!("/{}", path.display()), what);
    match addition {
        Addition::Dir { path, mode, uid, gid } => of(path, format!("folder {mode:o} {uid}:{gid}")),
        Addition::File { path, text, mode } => {
            of(path, format!("file {mode:o} {}", short(&model::Digest::of(text.as_bytes()).to_string())))
        }
        Addition::Symlink { path, target } => of(path, format!("link to {target}")),
        Addition::Concat { path, from, extra, .. } => {
            of(path, format!("all of /{} and {} bytes", from.display(), extra.len()))
        }
        Addition::Move { to, .. } => of(to, "moved here".into()),
    }
}
