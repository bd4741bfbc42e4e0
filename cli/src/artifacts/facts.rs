//! Facts for policies once an image is built: those of its plan, and what was seen since (`stdlib/policies/facts.schema.json`).

use std::collections::{BTreeMap, BTreeSet};

use ::evidence::{Bill, Build, Licences};
use inspect::elf;
use model::Kind;
use model::hardening::{CompileFlags, Demand, Judged, Proof, Provenance};
use model::inventory::Secret;
use policy::facts::licence_choices;
use serde_json::{Value, json};

/// What was seen of a finished image.
pub(super) struct Seen<'s> {
    pub(super) build: &'s Build<'s>,
    pub(super) bills: &'s [Bill<'s>],
    pub(super) licences: &'s Licences,
    pub(super) flags: &'s [CompileFlags],
    /// Whether everything that was run twice came out the same; `None` where nothing was.
    pub(super) reproducible: Option<bool>,
}

/// The facts of stage `release`, from those of stage `compile`. What was not looked for, as vulnerabilities, is absent.
pub(super) fn at_release(mut facts: Value, seen: &Seen<'_>) -> Value {
    let Seen { build, bills, licences, flags, reproducible } = seen;
    let layers: BTreeMap<_, u64> = build
        .images
        .iter()
        .flat_map(|image| &image.layers)
        .map(|layer| (layer.packed.digest, layer.packed.size))
        .collect();
    let items = bills.iter().flat_map(|bill| &bill.inventory.items);
    let items = items.filter(|item| item.entry.mode & 0o6000 != 0 && item.entry.node != Kind::Dir);
    let setuid: BTreeSet<String> = items.map(|item| format!("/{}", item.path.display())).collect();
    let architectures: Vec<&str> = build.images.iter().map(|image| image.arch.name()).collect();
    let tests = facts.pointer("/build/tests").cloned().unwrap_or_default();
    add(&mut facts, "", "stage", "release".into());
    // Those that were built now: what is said next is about them alone.
    add(&mut facts, "/image", "architectures", json!(architectures));
    add(&mut facts, "/image", "digest", json!(build.index.digest));
    add(&mut facts, "/image", "size", layers.values().sum::<u64>().into());
    add(&mut facts, "/image", "setuid_files", json!(setuid));
    let secrets: BTreeSet<_> = bills.iter().flat_map(|bill| &bill.inventory.secrets).collect();
    add(&mut facts, "/image", "secrets", json!(secrets.into_iter().map(secret).collect::<Vec<_>>()));
    if !build.executor.name.is_empty() {
        add(&mut facts, "/build", "executor", build.executor.name.into());
    }
    if let Some(reproducible) = reproducible {
        add(&mut facts, "/build", "reproducible", (*reproducible).into());
    }
    // A test that fails ends the build.
    add(&mut facts, "", "tests", json!({ "run": tests, "failed": 0 }));
    add(&mut facts, "", "licences", of_licences(licences));
    if !flags.is_empty() {
        let files =
            flags.iter().flat_map(|of| of.files.iter().map(|(path, judged)| of_file(of, &path.display(), judged)));
        add(&mut facts, "", "hardening", json!({ "files": files.collect::<Vec<_>>() }));
    }
    let packages = facts.get_mut("packages").and_then(Value::as_array_mut);
    packages.into_iter().flatten().for_each(|package| of_package(package, bills, licences));
    facts
}

fn secret(secret: &Secret) -> Value {
    json!({ "path": format!("/{}", secret.path.display()), "kind": secret.kind })
}

fn add(facts: &mut Value, at: &str, name: &str, value: Value) {
    if let Some(object) = facts.pointer_mut(at).and_then(Value::as_object_mut) {
        object.insert(name.to_owned(), value);
    }
}

fn of_licences(licences: &Licences) -> Value {
    let all = || licences.packages.iter();
    let expressions: BTreeSet<&str> = all().filter_map(|one| one.expression.as_deref()).collect();
    let unknown = all().filter(|one| one.expression.is_none() && one.words.is_none() && one.id.starts_with("pkg:"));
    // Of several with one URL, all but the first have a number behind it.
    let unknown = unknown.map(|one| one.id.split('#').next().unwrap_or(&one.id)).collect::<BTreeSet<_>>();
    json!({ "expressions": expressions, "unknown": unknown })
}

fn of_file(of: &CompileFlags, path: &str, judged: &Judged) -> Value {
    let (package, built_here) = match &judged.origin {
        Provenance::Compiled { package, .. } => (package, true),
        Provenance::Prebuilt { package } => (package, false),
    };
    // A profile demands only some of what can be seen; whose copy of OpenSSL is the image's own is not seen in a file alone.
    let all = Demand::ALL.into_iter().filter(|demand| *demand != Demand::ImageCryptography);
    let mut verdict = elf::judge(&judged.facts, &all.collect());
    verdict
        .extend(judged.verdict.get(&Demand::ImageCryptography).map(|proof| (Demand::ImageCryptography, proof.clone())));
    let those = |is: fn(&Proof) -> bool| {
        let found = verdict.iter().filter(move |(_, proof)| is(proof));
        found.map(|(demand, _)| demand.name()).collect::<Vec<_>>()
    };
    let mut fact = json!({
        "path": format!("/{path}"),
        "architecture": of.arch.name(),
        "built_here": built_here,
        "has": those(|proof| matches!(proof, Proof::Met(_))),
        "lacks": those(|proof| matches!(proof, Proof::Missing(_))),
        "unknown": those(|proof| matches!(proof, Proof::Unproven(_))),
    });
    // The application and what else is no package of the lock has no URL.
    if package.starts_with("pkg:") {
        add(&mut fact, "", "package", package.as_str().into());
    }
    fact
}

/// How many files it has, of the architectures the most; and its licence, where only its files tell.
fn of_package(package: &mut Value, bills: &[Bill<'_>], licences: &Licences) {
    let Some(purl) = package.get("purl").and_then(Value::as_str).map(str::to_owned) else { return };
    let components = bills.iter().flat_map(|bill| &bill.components).filter(|component| component.id == purl);
    let files = components.map(|component| component.files.len()).max().unwrap_or_default();
    add(package, "", "files", files.into());
    if package.get("licence").is_some() {
        return;
    }
    let licensed = licences.packages.binary_search_by(|one| one.id.as_str().cmp(&purl));
    let licensed = licensed.ok().and_then(|at| licences.packages.get(at));
    let Some(stated) = licensed.and_then(|one| one.expression.as_deref().or(one.words.as_deref())) else { return };
    add(package, "", "licence", stated.into());
    if let Some(choices) = licence_choices(stated) {
        add(package, "", "licence_choices", json!(choices));
    }
}
