use std::collections::{BTreeMap, BTreeSet};

use model::digest_of;
use model::plan::{Addition, ArchiveFormat, ImageConfig, Op, Plan, PlanKey, Step};
use serde_json::{Value, json};

use super::facts::{Fact, Facts, shown};
use super::locks::date;
use super::{Affected, Change, Changes, Difference, Place, Plans};

/// What differs between the plans of two batches, image by image: which input changed what.
pub fn plans(before: &Plans, after: &Plans) -> Difference {
    let mut difference = Differing::default();
    if let (false, false, Some(old), Some(new)) =
        (before.several, after.several, before.images.values().next(), after.images.values().next())
    {
        // a name that was changed is a change of the one image
        difference.image(None, old, new);
    } else {
        let names: BTreeSet<&String> = before.images.keys().chain(after.images.keys()).collect();
        for name in names {
            match (before.images.get(name), after.images.get(name)) {
                (Some(old), Some(new)) => difference.image(Some(name), old, new),
                (old, _) => {
                    let place = Place { image: Some(name.clone()), target: None };
                    difference.changes.add_one_sided(&place, "", "image", old.is_some());
                }
            }
        }
    }
    Difference { changes: difference.changes.list, affected: difference.affected }
}

/// Whether a target is the inventory that an image is made with. What differs in it is said of the image.
fn is_of_image(plan: &Plan, target: &str) -> bool {
    let image = target.strip_prefix("inventory/").and_then(|arch| plan.targets.get(arch));
    let own = plan
        .targets
        .get(target)
        .filter(|own| plan.steps.get(own).is_some_and(|step| matches!(step.op, Op::Inventory { .. })));
    image.zip(own).is_some_and(|(image, own)| plan.steps.get(image).is_some_and(|image| image.inputs.contains(own)))
}

#[derive(Default)]
struct Differing {
    changes: Changes,
    affected: Vec<Affected>,
}

impl Differing {
    fn image(&mut self, name: Option<&String>, before: &Plan, after: &Plan) {
        let place = |target: Option<&String>| Place { image: name.cloned(), target: target.cloned() };
        head(before).compare(&head(after), &place(None), "", &mut self.changes);
        let targets: BTreeSet<&String> = before.targets.keys().chain(after.targets.keys()).collect();
        for target in targets.into_iter().filter(|target| !(is_of_image(before, target) && is_of_image(after, target)))
        {
            match (before.targets.get(target), after.targets.get(target)) {
                (Some(old), Some(new)) if old != new => {
                    self.target(place(Some(target)), (before, old), (after, new));
                }
                (Some(_), Some(_)) => {}
                (old, _) => self.changes.add_one_sided(&place(Some(target)), "", "target", old.is_some()),
            }
        }
    }

    fn target(&mut self, place: Place, (before, old): (&Plan, &PlanKey), (after, new): (&Plan, &PlanKey)) {
        let (was, is) = (Target::of(before, old), Target::of(after, new));
        let changes = &mut self.changes;
        let named = was.facts.compare(&is.facts, &place, "configuration", changes);
        let mut any_named = was.parts.compare(&is.parts, &place, "", changes) || named;
        for title in &is.order {
            // a layer that came or went is among the parts
            if let (Some(was), Some(is)) = (was.layers.get(title), is.layers.get(title)) {
                let part = format!("layer {title}");
                let named = was.leaves.compare(&is.leaves, &place, &part, changes);
                any_named |= named;
                if was.tree != is.tree && !named {
                    rearranged(&was.tree, &is.tree, &place, &part, changes);
                }
            }
        }
        if was.itself != is.itself && !any_named {
            rearranged(&was.itself, &is.itself, &place, "configuration", changes);
        }
        let steps = below(after, new);
        let others = steps.iter().filter(|(key, _)| !before.steps.contains_key(key)).count();
        let differs = |title: &&String| {
            was.layers.get(*title).map(|layer| layer.key) != is.layers.get(*title).map(|layer| layer.key)
        };
        let layers = is.order.iter().filter(differs).cloned().collect();
        self.affected.push(Affected { place, layers, steps: others, of: steps.len() });
    }
}

/// The same things, put together in another way.
fn rearranged(before: &str, after: &str, place: &Place, part: &str, changes: &mut Changes) {
    let (before, after) = (Some(before.to_owned()), Some(after.to_owned()));
    changes.add(place, Change { part: part.into(), what: "arrangement".into(), before, after, ..Change::default() });
}

/// What concerns a plan as a whole.
fn head(plan: &Plan) -> Facts {
    let mut facts = Facts::default();
    facts.put("time of all files", date(plan.epoch));
    let used: BTreeSet<PlanKey> = plan.targets.values().flat_map(|key| below(plan, key)).map(|(key, _)| key).collect();
    for (key, _) in plan.steps.iter().filter(|(key, _)| !used.contains(key)) {
        facts.put("step that no image needs", key.to_string());
    }
    facts
}

/// What a plan makes: of an image, its configuration and its layers.
#[derive(Default)]
struct Target {
    facts: Facts,
    /// What it is put together from, in words.
    parts: Facts,
    /// Digest of its operation and parts, layers by their titles.
    itself: String,
    layers: BTreeMap<String, Layer>,
    /// The titles of the layers, bottom first.
    order: Vec<String>,
}

struct Layer {
    key: PlanKey,
    /// Of the layer's own tree.
    tree: String,
    leaves: Facts,
}

impl Target {
    fn of(plan: &Plan, key: &PlanKey) -> Self {
        let mut target = Target::default();
        let Some(step) = plan.steps.get(key) else { return target };
        match &step.op {
            Op::Image { v, arch, epoch, config, annotations } => {
                configuration(config, &mut target.facts);
                target.facts.put("architecture", arch.to_string());
                target.facts.put("version of the step", v.to_string());
                target.facts.put("time", time(*epoch, plan));
                labels(annotations, &mut target.facts);
            }
            Op::Index { v, annotations } => {
                target.facts.put("version of the step", v.to_string());
                labels(annotations, &mut target.facts);
            }
            _ => leaves(plan, key, &mut target.facts),
        }
        target.take_parts(plan, step);
        target
    }

    fn take_parts(&mut self, plan: &Plan, step: &Step) {
        // trees by the titles of the layers made from them, images by the targets they are
        let mut called: BTreeMap<PlanKey, String> =
            plan.targets.iter().map(|(name, key)| (*key, name.clone())).collect();
        let (mut parts, mut arranged) = (Vec::new(), Vec::new());
        for (input, step) in step.inputs.iter().filter_map(|key| Some((key, plan.steps.get(key)?))) {
            let name = |key: &PlanKey| called.get(key).cloned().unwrap_or_else(|| key.to_string());
            let names = |keys: &[PlanKey]| keys.iter().map(name).collect::<Vec<_>>().join(", ");
            match (&step.op, step.inputs.split_first()) {
                (Op::Layer { v, epoch, title }, Some((tree, under))) => {
                    let mut title = title.clone();
                    while self.layers.contains_key(&title) {
                        title.push_str(" again");
                    }
                    let over = if under.is_empty() { String::new() } else { format!(" over {}", names(under)) };
                    parts.push(format!("layer {title}{over}"));
                    called.insert(*tree, title.clone());
                    let mut facts = Facts::default();
                    facts.put("version of the step", v.to_string());
                    facts.put("time", time(*epoch, plan));
                    leaves(plan, tree, &mut facts);
                    self.order.push(title.clone());
                    self.layers.insert(title, Layer { key: *input, tree: tree.to_string(), leaves: facts });
                }
                (Op::Inventory { v, arch, layers, parts: brought }, _) => {
                    parts.push(format!("inventory (version {v}) of {layers} layers for {arch}"));
                    // What the parts are is said of the layers they are in.
                    arranged.push((digest_of(brought), names(&step.inputs)));
                }
                (Op::Check { v, check, arch }, _) => {
                    let check = shown(&json!(check));
                    parts.push(format!("check of {check} (version {v}) for {arch} in {}", names(&step.inputs)));
                }
                _ => parts.push(name(input)),
            }
        }
        self.itself = digest_of(&(&step.op, &parts, &arranged)).to_string();
        self.parts.put_all(parts);
    }
}

fn labels(annotations: &BTreeMap<String, String>, facts: &mut Facts) {
    annotations.iter().for_each(|(name, value)| facts.put(&format!("label {name}"), value.clone()));
}

/// The plan's own time needs no word: that it changed is said once.
fn time(epoch: i64, plan: &Plan) -> String {
    if epoch == plan.epoch { "of the plan".to_owned() } else { date(epoch) }
}

fn configuration(config: &ImageConfig, facts: &mut Facts) {
    let ImageConfig { user, env, entrypoint, command, workdir, ports } = config;
    facts.put("user", user.clone());
    facts.put("workdir", workdir.clone());
    facts.put("entrypoint", json!(entrypoint).to_string());
    facts.put("command", json!(command).to_string());
    for entry in env {
        let (name, value) = entry.split_once('=').unwrap_or((entry, ""));
        facts.put(&format!("env {name}"), value.to_owned());
    }
    facts.put_all(ports.iter().map(|port| format!("port {port}")));
}

/// A step and all it rests on, each once, in the order they are read.
fn below<'p>(plan: &'p Plan, key: &PlanKey) -> Vec<(PlanKey, &'p Step)> {
    let mut open = vec![*key];
    let (mut seen, mut found) = (BTreeSet::new(), Vec::new());
    while let Some(key) = open.pop() {
        let Some(step) = plan.steps.get(&key).filter(|_| seen.insert(key)) else { continue };
        found.push((key, step.as_ref()));
        open.extend(step.inputs.iter().rev());
    }
    found
}

/// What a tree is made of: packages, the author's files, what is put in besides.
fn leaves(plan: &Plan, key: &PlanKey, facts: &mut Facts) {
    let steps = below(plan, key);
    let mut unpacked: BTreeMap<PlanKey, &Op> = BTreeMap::new();
    let mut moved: BTreeMap<PlanKey, String> = BTreeMap::new();
    for (_, step) in &steps {
        match &step.op {
            op @ Op::Unpack { .. } => unpacked.extend(step.inputs.iter().map(|input| (*input, op))),
            Op::Compose { add, .. } => moved.extend(add.iter().filter_map(|addition| match addition {
                Addition::Move { input, to } => {
                    let input = step.inputs.get(usize::try_from(*input).ok()?)?;
                    Some((*input, format!(" in /{}", to.display())))
                }
                _ => None,
            })),
            _ => {}
        }
    }
    let (mut composed, mut picked) = (BTreeSet::new(), Vec::new());
    for (key, step) in &steps {
        match &step.op {
            Op::Fetch { origin, name, .. } => {
                facts.put(&format!("{} {name}", origin.name()), package(&step.op, unpacked.get(key).copied()));
            }
            Op::Local { tree } => {
                let place = moved.get(key).map_or("", String::as_str);
                facts.put(&format!("the author's files{place}"), tree.to_string());
            }
            Op::Compose { v, add } => {
                composed.insert(v);
                add.iter().for_each(|addition| {
                    let (path, what) = put_in(addition);
                    facts.put(&path, what);
                });
            }
            Op::Run { v, arch, title, commands, env, workdir } => {
                facts.put(title, format!("version {v}, for {arch}, in {workdir}"));
                facts.put(&format!("{title}: commands"), shown(&json!(commands)));
                env.iter().for_each(|(name, value)| facts.put(&format!("{title}: env {name}"), value.clone()));
            }
            Op::Pick { v, path } => picked.push(format!("/{} of what was made, version {v}", path.display())),
            Op::Inspect { v, arch, profile, demands, parts } => {
                facts.put("inspection", format!("version {v}, profile {profile} for {arch}"));
                facts.put("inspection: demands", shown(&json!(demands)));
                facts.put("inspection: parts", digest_of(parts).to_string());
            }
            Op::Inventory { v, arch, layers, parts } => {
                facts.put("inventory", format!("version {v}, of {layers} layers for {arch}"));
                facts.put("inventory: parts", digest_of(parts).to_string());
            }
            _ => {}
        }
    }
    facts.put_all(picked);
    facts.put_all(composed.into_iter().map(|v| format!("union, version {v}")));
}

/// A package file, by the version that is unpacked from it where there is one.
fn package(fetch: &Op, unpack: Option<&Op>) -> Fact {
    let mut fact = Fact::default();
    if let Op::Fetch { file, sha256, size, .. } = fetch {
        fact.value.clone_from(file);
        fact.following =
            BTreeMap::from([("file", file.clone()), ("sha256", sha256.to_string()), ("size", size.to_string())]);
    }
    let Some(Op::Unpack { v, format }) = unpack else { return fact };
    if let ArchiveFormat::Deb { version, .. } | ArchiveFormat::Wheel { version, .. } = format {
        fact.value.clone_from(version);
    }
    fact.own.insert("version of unpacking".into(), v.to_string());
    if let Value::Object(fields) = json!(format) {
        for (name, value) in fields {
            match name.as_str() {
                "version" => {}
                "metadata" => drop(fact.following.insert("metadata", shown(&value))),
                _ => drop(fact.own.insert(name, shown(&value))),
            }
        }
    }
    fact
}

/// What is put into a tree besides its inputs: path, and what it gets there.
fn put_in(addition: &Addition) -> (String, String) {
    let of = |path: &model::TreePath, what: String| (format!("/{}", path.display()), what);
    match addition {
        Addition::Dir { path, mode, uid, gid } => of(path, format!("folder {mode:o} {uid}:{gid}")),
        Addition::File { path, text, mode } => of(path, format!("file {mode:o} {}", shown(&json!(text)))),
        Addition::Symlink { path, target } => of(path, format!("link to {target}")),
        Addition::Concat { path, from, suffix, extra } => {
            let from = from.display();
            of(path, format!("all of /{from} ending in `{suffix}`, and {}", shown(&json!(extra))))
        }
        Addition::Move { input, to } => of(to, format!("input {input}")),
    }
}
