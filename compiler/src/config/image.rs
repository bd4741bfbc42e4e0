//! The top level of an image configuration.

use grammar::yaml::{Kind, Node};
use model::config::{Config, Metadata, Variant};
use model::{Arch, Finding, Span, Spanned, codes};

use super::{base, commands, flags, name, packages, placed, registries, run, system};
use grammar::reader::{Fields, Reader};
use grammar::suggest::{choice, choose, nearest};

/// Every field, whether it is honoured or refused as not supported yet.
pub(super) const FIELDS: &[&str] = &[
    "kind",
    "name",
    "version",
    "description",
    "base",
    "python_version",
    "packages",
    "system_packages",
    "build_packages",
    "build_type",
    "build_flags",
    "source",
    "scripts",
    "files",
    "certificates",
    "run",
    "architectures",
    "variants",
    "registries",
    "policies",
    "metadata",
    "extends",
    "with",
    "matrix",
    "go_version",
    "java_version",
    "node_version",
    "ruby_version",
    "rust_version",
];

/// What a document says besides its image; it is taken out before the image is read.
const OF_DOCUMENTS: &[&str] = &["extends", "with", "matrix"];

/// Fields that mean nothing yet.
pub(super) const LATER: &[&str] = &["go_version", "java_version", "node_version", "ruby_version", "rust_version"];

/// Languages whose images cannot be built yet.
pub(super) const LATER_LANGUAGES: &[&str] = &["go", "java", "node", "ruby", "rust"];

/// The section a field belongs to when it stands in another one, under its own or another common name.
pub(crate) fn home_of(field: &str) -> Option<&'static str> {
    let sections: [(&str, &[&str]); 6] = [
        ("base", base::FIELDS),
        ("run", run::FIELDS),
        ("build_flags", flags::FIELDS),
        ("metadata", METADATA_FIELDS),
        ("source", placed::SOURCE_FIELDS),
        ("scripts", commands::SCRIPTS_FIELDS),
    ];
    sections.into_iter().find(|(_, fields)| fields.contains(&field)).map(|(section, _)| section)
}

pub(super) const METADATA_FIELDS: &[&str] = &["owner", "compliance", "documentation"];

pub(super) fn read(reader: &mut Reader, root: &Node, whole: bool) -> Option<Config> {
    if !is_image(reader, root) {
        return None;
    }
    let mut fields = reader.fields(root, "", FIELDS)?;
    if !whole {
        fields.excuse();
    }
    let of_document: Vec<Span> = OF_DOCUMENTS.iter().filter_map(|name| fields.key(name)).collect();
    for span in of_document {
        fields.excuse(); // what is not here may come from there
        let message = "a template is extended, and a matrix given, by a document and not within an image";
        reader.add(Finding::error(codes::CONFLICTING_FIELDS, message).at(span).help("move it to the top of the file"));
    }
    reader.not_yet(&fields, LATER);
    let name = reader.required(&fields, "name", "give the image a name: `name: my-service`");
    let name = name.and_then(|node| name::image(reader, node));
    let description = fields.get("description").and_then(|node| reader.text(node, "description"));
    let version = fields.get("version").and_then(|node| name::version(reader, node));
    let base = base::read(reader, &fields);
    let packages = packages::read(reader, &fields, "packages");
    // where it says that there is no language
    let no_language = base.as_ref().filter(|base| base.language.is_none()).and(fields.key("base"));
    if !packages.is_empty() && no_language.is_some() {
        packages::refuse_without_language(reader, &fields, "packages", no_language);
    }
    let system_packages = system::read(reader, &fields, "system_packages");
    let build_packages = system::read(reader, &fields, "build_packages");
    let flags = flags::read(reader, &fields, base.as_ref());
    let source = placed::source(reader, &fields, no_language);
    let scripts = commands::scripts(reader, &fields);
    if let Some(source) = source.as_ref().filter(|source| !(source.build.is_empty() && scripts.pre_build.is_empty())) {
        placed::refuse_shared(reader, &source.to);
    }
    if let (Some(key), None) = (fields.key("scripts").filter(|_| !scripts.pre_build.is_empty()), &source)
        && !fields.may_lack("source")
        && fields.get("source").is_none()
    {
        let finding = Finding::error(
            codes::CONFLICTING_FIELDS,
            "`scripts.pre_build` runs where the application is, and there is none",
        );
        reader.add(
            finding.at(key).help("name the application under `source`, or move the commands to `scripts.post_build`"),
        );
    }
    let files = fields.get("files").map(|node| placed::files(reader, node)).unwrap_or_default();
    let policies = fields.get("policies").map(|node| placed::policies(reader, node)).unwrap_or_default();
    let certificates = fields.get("certificates").map(|node| placed::certificates(reader, node)).unwrap_or_default();
    let run = fields.get("run").map(|node| run::read(reader, node)).unwrap_or_default();
    let architectures = architectures(reader, &fields);
    let variant = fields.get("variants").and_then(|node| variants(reader, node)).unwrap_or_default();
    let registries = fields.get("registries").map(|node| registries::read(reader, node)).unwrap_or_default();
    let metadata = fields.get("metadata").map(|node| metadata(reader, node)).unwrap_or_default();
    Some(Config {
        name: name?,
        description,
        base: base?,
        flags,
        packages,
        system_packages,
        build_packages,
        source,
        scripts,
        files,
        certificates,
        policies,
        run,
        architectures,
        variant,
        registries,
        version,
        metadata,
        span: root.span,
    })
}

/// Templates and policies have fields of their own; reading them as an image would call each a mistake.
fn is_image(reader: &mut Reader, root: &Node) -> bool {
    let Kind::Map(pairs) = &root.kind else { return true };
    let Some(kind) = pairs.iter().find(|pair| pair.key.value == "kind") else { return true };
    match &kind.value.kind {
        Kind::Scalar { text, .. } if text == "template" => {
            let message = "a template makes no image by itself";
            reader.bad_value(kind.value.span, message, "write an image that names it: `extends: ./this-file.yaml`");
            false
        }
        Kind::Scalar { text, .. } if text == "policy" => {
            let message = "a policy makes no image by itself";
            reader.bad_value(
                kind.value.span,
                message,
                "check it with `clnstrt-cli policy check`, and name it under `policies`",
            );
            false
        }
        _ => {
            reader.one_of(&kind.value, "kind", &["image"], &["template", "policy"]);
            true
        }
    }
}

fn architectures(reader: &mut Reader, fields: &Fields<'_>) -> Vec<Arch> {
    let Some(node) = fields.get("architectures") else { return Arch::ALL.to_vec() };
    let (mut found, mut unknown): (Vec<(Arch, Span)>, Vec<Spanned<String>>) = Default::default();
    let mut items = 0;
    for item in reader.list(node, "architectures") {
        items += 1;
        let Some(text) = reader.text(item, "architectures[]") else { continue };
        match text.value.parse::<Arch>() {
            Ok(arch) => match found.iter().find(|(other, _)| *other == arch) {
                Some((_, first)) => reader.duplicate(&format!("`{arch}`"), text.span, *first),
                None => found.push((arch, text.span)),
            },
            Err(()) => unknown.push(text),
        }
    }
    if items == 0 && matches!(node.kind, Kind::List(_)) && !node.is_broken() {
        reader.bad_value(node.span, "`architectures` names none", "name one, or leave the field out for all");
    }
    found.sort_unstable();
    let found: Vec<Arch> = found.into_iter().map(|(arch, _)| arch).collect();
    let mut listed = found.clone();
    for text in unknown {
        unknown_architecture(reader, &text, &mut listed);
    }
    found
}

/// Says that an architecture is none, and which was meant; `listed` are those that stand in the list, or will.
fn unknown_architecture(reader: &mut Reader, text: &Spanned<String>, listed: &mut Vec<Arch>) {
    let meant = match text.value.to_ascii_lowercase().replace('-', "_").as_str() {
        "x86_64" | "x64" | "x86" | "amd" | "linux/amd64" => Some(Arch::Amd64),
        "aarch64" | "arm" | "armv8" | "arm64/v8" | "arm64v8" | "linux/arm64" => Some(Arch::Arm64),
        other => nearest(other, Arch::ALL.map(Arch::name)).and_then(|name| name.parse().ok()),
    };
    let all = Arch::ALL.map(Arch::name);
    let text_shown = grammar::quote(&text.value);
    let message = format!("{text_shown} is no architecture images are built for: expected {}", choice(&all));
    let finding = Finding::error(codes::BAD_VALUE, message).at(text.span);
    match meant {
        Some(arch) if listed.contains(&arch) => {
            reader.add(finding.help(format!("did you mean `{arch}`? That is listed already: remove this")));
        }
        _ => {
            listed.extend(meant);
            reader.add(choose(finding, meant.map(Arch::name), &all));
        }
    }
}

/// The variant of an image. A document that lists several has been made into an image of each before.
fn variants(reader: &mut Reader, node: &Node) -> Option<Variant> {
    let names = Variant::ALL.map(Variant::name);
    let mut found: Vec<(Variant, Span)> = Vec::new();
    let mut items = 0;
    for item in reader.list(node, "variants") {
        items += 1;
        let Some(variant) = reader.one_of(item, "variants[]", &names, &[]).and_then(Variant::named) else { continue };
        match found.iter().find(|(other, _)| *other == variant) {
            Some((_, first)) => reader.duplicate(&format!("`{}`", variant.name()), item.span, *first),
            None => found.push((variant, item.span)),
        }
    }
    if items == 0 && matches!(node.kind, Kind::List(_)) && !node.is_broken() {
        reader.bad_value(node.span, "`variants` names none", "name one, or leave the field out for `prod`");
    }
    found.first().map(|(variant, _)| *variant)
}

fn metadata(reader: &mut Reader, node: &Node) -> Metadata {
    let Some(fields) = reader.fields(node, "metadata", METADATA_FIELDS) else { return Metadata::default() };
    let owner = fields.get("owner").and_then(|node| reader.line(node, "metadata.owner"));
    let compliance = fields.get("compliance").map(|node| reader.texts(node, "metadata.compliance"));
    let documentation = fields.get("documentation").and_then(|node| reader.line(node, "metadata.documentation"));
    if let Some(address) = &documentation
        && !(address.value.starts_with("https://") || address.value.starts_with("http://"))
    {
        let finding = Finding::error(codes::BAD_VALUE, "`metadata.documentation` must be the address of a page");
        reader.add(finding.at(address.span).help("write it with `https://`"));
    }
    Metadata {
        owner: owner.map(|text| text.value),
        compliance: compliance.unwrap_or_default(),
        documentation: documentation.map(|text| text.value),
    }
}
