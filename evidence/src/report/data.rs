//! What the page is given: JSON, in which things name each other by their place.

use std::collections::{BTreeMap, BTreeSet};

use model::hardening::{CompileFlags, Proof, Provenance as From};
use model::lock::Asker;
use model::plan::ImageConfig;
use model::plan::Op;
use model::{Digest, Kind};
use serde::Serialize;
use serde_json::{Value, json};

use super::Page;
use crate::bill::{self, Bill, Component};
use crate::licences::UNKNOWN;
use crate::{Licence, sbom};

/// Why something is in the image that no package needs, as the page names it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
enum By {
    Package,
    Application,
    Base,
}

/// By their ids, the packages of all images, each with one of the components it is.
struct Packages<'p> {
    places: BTreeMap<&'p str, usize>,
    components: Vec<(&'p Bill<'p>, &'p Component, Vec<usize>)>,
}

impl<'p> Packages<'p> {
    fn of(bills: &'p [Bill<'p>]) -> Self {
        let mut all: BTreeMap<&str, (&Bill, &Component, Vec<usize>)> = BTreeMap::new();
        for (image, bill) in bills.iter().enumerate() {
            for component in &bill.components {
                all.entry(&component.id).or_insert_with(|| (bill, component, Vec::new())).2.push(image);
            }
        }
        let places = all.keys().enumerate().map(|(at, id)| (*id, at)).collect();
        Self { places, components: all.into_values().collect() }
    }

    /// The place of a component of a bill.
    fn place(&self, bill: &Bill<'_>, component: usize) -> Option<usize> {
        self.places.get(bill.components.get(component)?.id.as_str()).copied()
    }
}

/// Everything the page shows.
pub(super) fn of(page: &Page<'_>) -> Value {
    let packages = Packages::of(page.bills);
    let mut needs: BTreeMap<(usize, usize), &[String]> = BTreeMap::new();
    // What the author asked for comes first.
    let mut roots: BTreeSet<(By, usize, &str)> = BTreeSet::new();
    for bill in page.bills {
        for (from, needed) in &bill.needs {
            for (to, words) in needed {
                if let (Some(from), Some(to)) = (packages.place(bill, *from), packages.place(bill, *to)) {
                    needs.insert((from, to), words);
                }
            }
        }
        for (root, asked) in &bill.roots {
            let Some(place) = packages.place(bill, *root) else { continue };
            for (by, words) in asked {
                roots.insert((if *by == Asker::Config { By::Package } else { By::Base }, place, words));
            }
            if asked.is_empty() {
                roots.insert((By::Application, place, ""));
            }
        }
    }
    let needs = needs.into_iter().flat_map(|((from, to), words)| match words {
        [] => vec![json!([from, to, ""])],
        words => words.iter().map(|words| json!([from, to, words])).collect(),
    });
    let image = page.bills.first().map(|bill| &bill.image);
    json!({
        "name": image.map(|image| &image.name),
        "version": image.and_then(|image| image.version.as_ref()),
        "created": image.map(|image| sbom::time(image.created)),
        "builtHere": page.build.is_some(),
        "index": page.build.map(|(build, _)| build.index.digest),
        "runs": runs(page),
        "images": images(page, &packages),
        "packages": packages.components.iter().map(|(bill, component, images)| package(&packages, bill, component, images))
            .collect::<Vec<_>>(),
        "needs": needs.collect::<Vec<_>>(),
        "roots": roots.into_iter().map(|(by, place, words)| json!([place, words, by])).collect::<Vec<_>>(),
        "licences": licences(page, &packages),
        "texts": texts(page),
        "hardening": page.flags.iter().map(|flags| hardening(flags, &packages)).collect::<Vec<_>>(),
        "reproducible": page.repeated.map(|(steps, different)| json!({ "steps": steps, "different": different })),
        "provenance": provenance(page),
        "findings": page.warnings.iter().map(|(code, words)| json!(["warning", code, words])).collect::<Vec<_>>(),
        "documents": page.documents.iter()
            .map(|document| json!([document.name, document.about, document.digest, document.size]))
            .collect::<Vec<_>>(),
    })
}

fn package(packages: &Packages<'_>, bill: &Bill<'_>, component: &Component, images: &[usize]) -> Value {
    let kind = match (component.kind, component.purl.as_deref()) {
        (bill::Kind::Application, _) => "application",
        (_, Some(purl)) => match purl.trim_start_matches("pkg:").split('/').next() {
            Some("generic") | None => "source",
            Some(kind) => kind,
        },
        _ => "source",
    };
    json!({
        "id": component.id,
        "name": match &component.namespace {
            Some(namespace) => format!("{namespace}/{}", component.name),
            None => component.name.clone(),
        },
        "version": component.version,
        "kind": kind,
        "purl": component.purl,
        "licence": component.licence.as_ref().map(|licence| match licence {
            Licence::Expression(text) | Licence::Words(text) => text,
        }),
        "supplier": component.supplier,
        "homepage": component.homepage,
        "description": component.description,
        "sha256": component.sha256.map(|digest| digest.hex()),
        "verification": component.verification,
        "compiledHere": component.built_here,
        "source": component.source.as_ref().map(|(name, version)| format!("{name} {version}")),
        "holder": component.holder.and_then(|holder| packages.place(bill, holder)).map_or(-1, number),
        "images": images,
    })
}

fn images(page: &Page<'_>, packages: &Packages<'_>) -> Vec<Value> {
    let each = page.bills.iter().enumerate().map(|(at, bill)| {
        let layers = page.layers.get(at).map_or(&[][..], Vec::as_slice).iter();
        json!({
            "architecture": bill.image.architecture,
            "manifest": bill.image.manifest,
            "layers": layers.map(|layer| json!({ "digest": layer.digest, "size": layer.size, "title": layer.title }))
                .collect::<Vec<_>>(),
            "files": files(bill, packages),
        })
    });
    each.collect()
}

/// How images are started, those that are so in the same way together.
fn runs(page: &Page<'_>) -> Vec<Value> {
    let mut groups: Vec<(&ImageConfig, Vec<&str>)> = Vec::new();
    for (bill, run) in page.bills.iter().zip(page.runs) {
        let architecture = bill.image.architecture.as_str();
        match groups.iter_mut().find(|(known, _)| *known == run) {
            Some((_, architectures)) => architectures.push(architecture),
            None => groups.push((run, vec![architecture])),
        }
    }
    groups.into_iter().map(|(run, architectures)| json!({ "architectures": architectures, "run": run })).collect()
}

/// Every entry but directories: path, size, layer, package, digest, and where a link leads.
fn files(bill: &Bill<'_>, packages: &Packages<'_>) -> Vec<Value> {
    let items = &bill.inventory.items;
    // What is within a package that another brought along is the inner one's: it has fewer files.
    let mut order: Vec<usize> = (0..bill.components.len()).collect();
    order.sort_by_key(|at| std::cmp::Reverse(bill.components.get(*at).map_or(0, |component| component.files.len())));
    let mut owners: BTreeMap<usize, usize> = BTreeMap::new();
    for at in order {
        let files = bill.components.get(at).map_or(&[][..], |component| component.files.as_slice());
        if let Some(place) = packages.place(bill, at) {
            owners.extend(files.iter().map(|file| (*file, place)));
        }
    }
    let entries = items.iter().enumerate().filter_map(|(at, item)| {
        let (content, link) = match &item.entry.node {
            Kind::Dir => return None,
            Kind::File { digest, size } => (Some((*digest, *size)), None),
            Kind::Symlink { target } => (None, Some(target.clone())),
            Kind::Hardlink { to } => (None, Some(sbom::absolute(to))),
        };
        let (digest, size) = content.map_or((String::new(), 0), |(digest, size): (Digest, u64)| (digest.hex(), size));
        let owner = owners.get(&at).copied().map_or(-1, number);
        let path = sbom::absolute(&item.path);
        Some(match link {
            Some(link) => json!([path, size, item.layer, owner, digest, link]),
            None => json!([path, size, item.layer, owner, digest]),
        })
    });
    entries.collect()
}

fn licences(page: &Page<'_>, packages: &Packages<'_>) -> Vec<Value> {
    let places: BTreeMap<&Digest, usize> =
        page.licences.texts.keys().enumerate().map(|(at, digest)| (digest, at)).collect();
    let mut named: BTreeMap<&str, (Vec<usize>, Vec<usize>)> = BTreeMap::new();
    for package in &page.licences.packages {
        let Some(place) = packages.places.get(package.id.as_str()) else { continue };
        let name = package.expression.as_deref().or(package.words.as_deref()).unwrap_or(UNKNOWN);
        let (of, texts) = named.entry(name).or_default();
        of.push(*place);
        texts.extend(package.texts.iter().filter_map(|digest| places.get(digest)));
    }
    let each = named.into_iter().map(|(name, (of, mut texts))| {
        texts.sort_unstable();
        texts.dedup();
        json!({ "name": name, "packages": of, "texts": texts })
    });
    each.collect()
}

fn texts(page: &Page<'_>) -> Vec<Value> {
    let mut places: BTreeMap<&Digest, Vec<(usize, usize)>> = BTreeMap::new();
    for (image, bill) in page.bills.iter().enumerate() {
        let items = bill.inventory.items.iter().filter(|item| item.entry.node != Kind::Dir);
        for (at, item) in items.enumerate() {
            if let Kind::File { digest, .. } = &item.entry.node
                && page.licences.texts.contains_key(digest)
            {
                places.entry(digest).or_default().push((image, at));
            }
        }
    }
    let each = page.licences.texts.iter().map(|(digest, text)| {
        let names: Vec<&str> = text.licences.iter().map(String::as_str).collect();
        let id = (!names.is_empty()).then(|| names.join(", "));
        json!({ "id": id, "text": text.text, "files": places.get(digest) })
    });
    each.collect()
}

fn hardening(flags: &CompileFlags, packages: &Packages<'_>) -> Value {
    let each = flags.files.iter().map(|(path, judged)| {
        let (origin, package) = match &judged.origin {
            From::Compiled { package, .. } => ("compiled", package),
            From::Prebuilt { package } => ("prebuilt", package),
        };
        let place = packages.places.get(package.as_str()).copied().map_or(-1, number);
        let verdict: BTreeMap<&str, Option<bool>> = judged
            .verdict
            .iter()
            .map(|(demand, proof)| {
                let met = match proof {
                    Proof::Met(_) => Some(true),
                    Proof::Missing(_) => Some(false),
                    Proof::Unproven(_) => None,
                };
                (demand.name(), met)
            })
            .collect();
        json!([sbom::absolute(path), place, origin, verdict])
    });
    json!({ "architecture": flags.arch.name(), "profile": flags.profile, "files": each.collect::<Vec<_>>() })
}

fn provenance(page: &Page<'_>) -> Value {
    let Some((build, statement)) = page.build else { return Value::Null };
    let definition = &statement.predicate.build_definition;
    let (path, digest) =
        build.declared.documents.first().map_or((None, None), |(path, digest)| (Some(path), Some(digest)));
    json!({
        "builder": statement.predicate.run_details.builder.id,
        "buildType": definition.build_type,
        "config": {
            "path": path,
            "digest": digest,
            "repository": build.declared.repository.as_ref().and_then(|commit| commit.repository.as_ref()),
            "commit": build.declared.repository.as_ref().map(|commit| &commit.commit),
        },
        "parameters": build.declared.parameters,
        "plan": build.plan.digest(),
        "lock": build.lock_file,
        "materials": definition.resolved_dependencies.len(),
        "commands": build.plan.steps.values().filter(|step| matches!(step.op, Op::Run { .. })).count(),
        "sandbox": definition.internal_parameters.get("sandbox"),
    })
}

fn number(place: usize) -> i64 {
    i64::try_from(place).unwrap_or(-1)
}
