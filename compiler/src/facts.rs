//! What is known of an image when its plan is made: the facts for policies (`stdlib/policies/facts.schema.json`), with the place
//! where the author declared each.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use inspect::pypi::Address;
use model::config::{Build, Config, Place, Relation, SystemPackage, VersionWish};
use model::lock::{Asker, Lock, Node, Origin, Proof, Resolution};
use model::{Arch, Finding, Span, Spanned};
use pep440_rs::Operator;
use pep508_rs::{Requirement, VersionOrUrl};
use policy::facts::{Facts, Path, licence_choices};
use serde_json::{Map, Value, json};
use stdlib::base::Base;
use stdlib::hardening::Hardening;
use stdlib::language::Catalogue;

use crate::config;
use crate::lower::{annotations, environment};

/// Debian packages that are shells.
const SHELLS: [&str; 21] = [
    "ash",
    "bash",
    "bash-static",
    "busybox",
    "busybox-static",
    "csh",
    "dash",
    "elvish",
    "fish",
    "klibc-utils",
    "ksh93u+m",
    "mksh",
    "posh",
    "rc",
    "sash",
    "tcsh",
    "toybox",
    "xonsh",
    "yash",
    "zsh",
    "zsh-static",
];

/// The facts of an image at compile time, for the question asked at `now` (RFC 3339).
///
/// # Errors
/// `STDLIB_UNREADABLE`.
pub fn facts(config: &Config, lock: &Lock, now: &str) -> Result<Facts, Finding> {
    let mut places = BTreeMap::new();
    let asked = config::asked(config).digest();
    let images: Vec<(Arch, &Resolution)> =
        config.architectures.iter().filter_map(|arch| Some((*arch, lock.image(&asked, *arch)?))).collect();
    let requirements = requirements(config, &mut places);
    let packages = packages(config, lock, &images, &requirements, &mut places);
    let mut document = json!({
        "version": 1,
        "stage": "compile",
        "now": now,
        "image": image(config, lock, &packages, &mut places)?,
        "base": base(config, &images, &mut places),
        "requirements": requirements.iter().map(|requirement| &requirement.fact).collect::<Vec<_>>(),
        "packages": packages,
        "build": build(config, lock, &images, &mut places)?,
    });
    if let (Some(source), Some(facts)) = (&config.source, document.as_object_mut()) {
        let (fact, span) = match &source.place {
            Place::Folder(path) => (json!({ "kind": "folder" }), path.span),
            Place::Git { url, commit } => {
                (json!({ "kind": "git", "repository": url.value, "commit": commit.value }), url.span)
            }
        };
        facts.insert("source".into(), fact);
        places.insert(path(&["source"]), span);
    }
    Ok(Facts { document, places })
}

fn path(names: &[&str]) -> Path {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// Something the author declared to be in the image.
struct Declared {
    fact: Value,
    name: String,
    origin: Origin,
    pinned: bool,
    span: Span,
}

fn requirements(config: &Config, places: &mut BTreeMap<Path, Span>) -> Vec<Declared> {
    let language = |kind: &'static str, all: &[Spanned<String>]| {
        let declared = |text: &Spanned<String>| {
            let requirement = Requirement::<Address>::from_str(&text.value).ok();
            let name = requirement.as_ref().map_or_else(|| text.value.clone(), |it| it.name.to_string());
            let pinned = requirement.is_some_and(|requirement| names_one(&requirement));
            declared(kind, &text.value, name, Origin::Pypi, pinned, text.span)
        };
        all.iter().map(declared).collect::<Vec<_>>()
    };
    let system = |kind: &'static str, all: &[Spanned<SystemPackage>]| {
        let declared = |package: &Spanned<SystemPackage>| {
            let SystemPackage { name, relation } = &package.value;
            let pinned = relation.as_ref().is_some_and(|(relation, _)| *relation == Relation::Equal);
            let text = match relation {
                Some((relation, version)) => format!("{name} ({} {version})", relation.symbol()),
                None => name.clone(),
            };
            declared(kind, &text, name.clone(), Origin::Debian, pinned, package.span)
        };
        all.iter().map(declared).collect::<Vec<_>>()
    };
    let tools = config.source.as_ref().map_or(&[][..], |source| &source.tools);
    let mut all = language("language", &config.packages);
    all.extend(system("system", &config.system_packages));
    all.extend(system("build", &config.build_packages));
    all.extend(language("tool", tools));
    for (number, declared) in all.iter().enumerate() {
        places.insert(path(&["requirements", &number.to_string()]), declared.span);
    }
    all
}

fn declared(kind: &str, text: &str, name: String, origin: Origin, pinned: bool, span: Span) -> Declared {
    Declared { fact: json!({ "kind": kind, "text": text, "name": name, "pinned": pinned }), name, origin, pinned, span }
}

/// Whether a requirement admits one version only (PEP 440: `==1.2` but not `==1.*`, `===`), or one file.
fn names_one(requirement: &Requirement<Address>) -> bool {
    match &requirement.version_or_url {
        Some(VersionOrUrl::Url(_)) => true,
        Some(VersionOrUrl::VersionSpecifier(all)) => {
            all.iter().any(|one| matches!(one.operator(), Operator::Equal | Operator::ExactEqual))
        }
        None => false,
    }
}

/// Every package of the images, in the order of their ids.
fn packages(
    config: &Config,
    lock: &Lock,
    images: &[(Arch, &Resolution)],
    requirements: &[Declared],
    places: &mut BTreeMap<Path, Span>,
) -> Vec<Value> {
    let mut all: BTreeMap<&str, (&Node, BTreeSet<Arch>)> = BTreeMap::new();
    for (arch, image) in images {
        for (id, node) in lock.nodes_of(image) {
            all.entry(id).or_insert_with(|| (node, BTreeSet::new())).1.insert(*arch);
        }
    }
    let causes = causes(config, images, requirements, &all);
    let facts = all.iter().enumerate().map(|(number, (id, (node, arches)))| {
        let own: Vec<&Declared> = requirements.iter().filter(|one| answers(node, one, images)).collect();
        if let Some(span) = causes.get(&(node.origin, node.name.as_str())) {
            places.insert(path(&["packages", &number.to_string()]), *span);
        }
        let mut fact = json!({
            "purl": id,
            "type": kind(node.origin),
            "name": node.name,
            "version": node.version,
            "architectures": arches.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "direct": !own.is_empty(),
            "pinned": own.iter().all(|one| one.pinned),
            "source": node.origin.name(),
            "verified": verified(&node.proof),
            "signed_by": signed_by(&node.proof, lock),
            "expired_accepted": is_expired(&node.proof, lock),
            "sha256": node.sha256.hex(),
            "built_here": node.build.is_some() || node.origin == Origin::Upstream,
        });
        if let (Some(licence), Some(fact)) = (&node.license, fact.as_object_mut()) {
            fact.insert("licence".into(), licence.as_str().into());
            if let Some(choices) = licence_choices(licence) {
                fact.insert("licence_choices".into(), json!(choices));
            }
        }
        fact
    });
    facts.collect()
}

/// Whether a package answers a requirement of the author's, by its own name or one that it provides.
fn answers(node: &Node, declared: &Declared, images: &[(Arch, &Resolution)]) -> bool {
    let roots = images.iter().flat_map(|(_, image)| &image.roots);
    let named = |requirement: &str| {
        requirement.split([' ', '(', '[', '=', '<', '>', '!', '~', ';', '@']).next().map(str::to_owned)
    };
    (node.origin == declared.origin && node.name == declared.name)
        || roots.filter(|root| root.by == Asker::Config).any(|root| {
            root.edge.origin == node.origin
                && root.edge.name == node.name
                && node.origin == declared.origin
                && named(&root.edge.requirement).is_some_and(|name| name == declared.name)
        })
}

/// For every package, the place of what the author wrote that brings it.
fn causes<'l>(
    config: &Config,
    images: &[(Arch, &'l Resolution)],
    requirements: &[Declared],
    all: &BTreeMap<&str, (&'l Node, BTreeSet<Arch>)>,
) -> BTreeMap<(Origin, &'l str), Span> {
    let nodes: BTreeMap<(Origin, &str), &'l Node> =
        all.values().map(|(node, _)| ((node.origin, node.name.as_str()), *node)).collect();
    let mut causes: BTreeMap<(Origin, &'l str), Span> = BTreeMap::new();
    let mut open: Vec<(&'l Node, Span)> = Vec::new();
    for node in nodes.values() {
        let own = requirements.iter().find(|declared| answers(node, declared, images));
        open.extend(own.map(|declared| (*node, declared.span)));
    }
    // What the base brings is there because of the language, unless the author asked for it besides.
    let base = config.base.language.as_ref().map(|language| language.span);
    let roots = images.iter().flat_map(|(_, image)| &image.roots).filter(|root| root.by == Asker::Base);
    let of_base = roots.filter_map(|root| Some((*nodes.get(&(root.edge.origin, root.edge.name.as_str()))?, base?)));
    for start in [std::mem::take(&mut open), of_base.collect()] {
        let mut open = start;
        while let Some((node, span)) = open.pop() {
            if causes.contains_key(&(node.origin, node.name.as_str())) {
                continue;
            }
            causes.insert((node.origin, node.name.as_str()), span);
            let next = node.requires.iter().filter_map(|edge| nodes.get(&(edge.origin, edge.name.as_str())));
            open.extend(next.map(|node| (*node, span)));
        }
    }
    causes
}

fn kind(origin: Origin) -> &'static str {
    match origin {
        Origin::Debian => "deb",
        Origin::Pypi => "pypi",
        Origin::Upstream => "generic",
    }
}

fn verified(proof: &Proof) -> &'static str {
    match proof {
        Proof::VerifiedByOpenpgp { .. } => "openpgp",
        Proof::VerifiedBySignature { .. } => "signature",
        Proof::VerifiedByDsc { .. } => "dsc",
        Proof::IndexHash => "index-hash",
        Proof::UnsignedUpstream => "unsigned-upstream",
    }
}

fn signed_by(proof: &Proof, lock: &Lock) -> Vec<String> {
    match proof {
        Proof::VerifiedByOpenpgp { release, .. } => {
            lock.releases.get(release).map(|release| release.signed_by.clone()).unwrap_or_default()
        }
        Proof::VerifiedBySignature { signed_by, .. } | Proof::VerifiedByDsc { signed_by, .. } => {
            vec![signed_by.clone()]
        }
        Proof::IndexHash | Proof::UnsignedUpstream => Vec::new(),
    }
}

fn is_expired(proof: &Proof, lock: &Lock) -> bool {
    match proof {
        Proof::VerifiedByOpenpgp { release, .. } => {
            lock.releases.get(release).is_some_and(|release| release.expired_accepted)
        }
        _ => false,
    }
}

fn image(
    config: &Config,
    lock: &Lock,
    packages: &[Value],
    places: &mut BTreeMap<Path, Span>,
) -> Result<Value, Finding> {
    let (run, base) = (&config.run, Base::shipped()?);
    let language = config.base.language.as_ref().map(|language| Catalogue::shipped(language.value)).transpose()?;
    let is_shell = |package: &Value| {
        package.get("type").is_some_and(|kind| kind == "deb")
            && SHELLS.iter().any(|shell| package.get("name").is_some_and(|name| name == shell))
    };
    let spans = [
        ("name", Some(config.name.span)),
        ("version", config.version.as_ref().map(|version| version.span)),
        ("user", run.user.as_ref().map(|user| user.span)),
        ("workdir", run.workdir.as_ref().map(|workdir| workdir.span)),
    ];
    places.extend(spans.into_iter().filter_map(|(name, span)| Some((path(&["image", name]), span?))));
    places.insert(path(&["image"]), config.name.span);
    let fact = json!({
        "name": config.name.value,
        "variant": config.variant.name(),
        "architectures": config.architectures.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "user": run.user.as_ref().map_or(base.user, |user| user.value),
        "entrypoint": run.entrypoint,
        "command": run.command,
        "ports": run.ports,
        "env": environment(&base, language.as_ref(), &run.env),
        "labels": annotations(config, lock.epoch),
        "read_only_root": run.read_only_root,
        "health_check": run.health.is_some(),
        "shell": packages.iter().any(is_shell),
    });
    Ok(with(
        fact,
        [
            ("version", config.version.as_ref().map(|version| version.value.clone())),
            ("workdir", run.workdir.as_ref().map(|workdir| workdir.value.clone())),
            ("owner", config.metadata.owner.clone()),
        ],
    ))
}

fn base(config: &Config, images: &[(Arch, &Resolution)], places: &mut BTreeMap<Path, Span>) -> Value {
    let base = &config.base;
    let spans = [
        ("language", base.language.as_ref().map(|language| language.span)),
        ("declared", base.version.as_ref().map(|version| version.span)),
        ("build", base.build.as_ref().map(|build| build.span)),
    ];
    places.extend(spans.into_iter().filter_map(|(name, span)| Some((path(&["base", name]), span?))));
    let build = if config.from_source() { Build::Source } else { Build::Prebuilt };
    let fact = json!({
        "pinned": base.version.as_ref().is_none_or(|version| matches!(version.value, VersionWish::Exact(_))),
        "build": match build { Build::Source => "source", Build::Prebuilt => "prebuilt" },
    });
    with(
        fact,
        [
            ("language", base.language.as_ref().map(|language| language.value.name().to_owned())),
            ("declared", base.version.as_ref().map(|version| version.value.text().to_owned())),
            ("version", images.iter().find_map(|(_, image)| image.language_version.clone())),
        ],
    )
}

fn build(
    config: &Config,
    lock: &Lock,
    images: &[(Arch, &Resolution)],
    places: &mut BTreeMap<Path, Span>,
) -> Result<Value, Finding> {
    let flags = &config.flags;
    if let Some(fips) = &flags.fips {
        places.insert(path(&["build", "fips"]), fips.span);
    }
    places.insert(path(&["build"]), config.name.span);
    let has_built = images.iter().flat_map(|(_, image)| lock.nodes_of(image)).any(|(_, node)| node.build.is_some());
    let compiles = config.from_source() || has_built || config.has_commands();
    let mut given = BTreeSet::new();
    if compiles {
        let hardening = Hardening::shipped()?;
        let level = hardening.optimization(flags.optimization.as_deref().unwrap_or("O2"));
        if let Some((profile, level)) = hardening.profile(flags.hardening.name()).zip(level) {
            for arch in &config.architectures {
                let flags = profile.flags(*arch, level);
                given.extend([flags.cflags, flags.cxxflags, flags.cppflags, flags.ldflags].concat());
            }
        }
    }
    let tests = config.source.as_ref().map_or(0, |source| source.tests.len());
    let builds = config.source.as_ref().map_or(0, |source| source.build.len());
    let fact = json!({
        "hardening": flags.hardening.name(),
        "fips": config.fips(),
        "strip": flags.strip,
        "compiles": compiles,
        "flags": given,
        "commands": builds + tests + config.scripts.pre_build.len() + config.scripts.post_build.len(),
        "tests": tests,
    });
    Ok(with(fact, [("optimization", flags.optimization.clone())]))
}

/// Adds what there is.
fn with<const N: usize>(fact: Value, fields: [(&str, Option<String>); N]) -> Value {
    let mut map = match fact {
        Value::Object(map) => map,
        _ => Map::new(),
    };
    map.extend(fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.into()))));
    map.into()
}
