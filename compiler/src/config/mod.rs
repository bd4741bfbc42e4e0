//! From the tree of a configuration to a checked [`Config`]. All findings are made in one go; what means nothing yet
//! is refused, never passed over.

mod base;
mod flags;
mod image;
mod name;
mod packages;
mod path;
mod placed;
mod run;
mod system;

use crate::reader::Reader;
use grammar::yaml::Node;
use model::config::{Config, SystemPackage};
use model::lock::Asked;
use model::{Findings, Spanned};
use stdlib::language::Line;

pub(crate) use flags::OPTIMIZATIONS;
pub(crate) use image::{home_of, is_field, is_of_health};
pub(crate) use name::is_image_name;

/// The fields that are honoured: of the whole (`None`) and of its parts.
#[cfg(test)]
pub(crate) fn supported() -> Vec<(Option<&'static str>, Vec<&'static str>)> {
    let without = |fields: &[&'static str], later: &[&str]| {
        fields.iter().copied().filter(|field| !later.contains(field)).collect::<Vec<_>>()
    };
    let documents = ["extends", "with", "matrix"];
    vec![
        (None, without(&without(image::FIELDS, image::LATER), &documents)),
        (Some("base"), base::FIELDS.to_vec()),
        (Some("run"), run::FIELDS.to_vec()),
        (Some("build_flags"), flags::FIELDS.to_vec()),
        (Some("source"), without(placed::SOURCE_FIELDS, placed::SOURCE_LATER)),
        (Some("metadata"), image::METADATA_FIELDS.to_vec()),
    ]
}

/// The fields of a part that mean nothing yet.
pub(crate) fn later(path: &str) -> &'static [&'static str] {
    match path {
        "" => image::LATER,
        "source" => placed::SOURCE_LATER,
        _ => &[],
    }
}

/// Reads an image configuration. The configuration is given wherever name and base could be read, so that work can go
/// on beside the findings; only without an error among them does it say what the author meant.
pub fn read(root: &Node) -> (Option<Config>, Findings) {
    let mut reader = Reader::default();
    let config = image::read(&mut reader, root, true);
    (config, reader.into_findings())
}

/// Reads a part of an image configuration: what is not there is not missed.
pub(crate) fn read_part(root: &Node) -> (Option<Config>, Findings) {
    let mut reader = Reader::default();
    let config = image::read(&mut reader, root, false);
    (config, reader.into_findings())
}

/// Everything resolution reads: base, packages, system packages, architectures and variant. The order in which packages are
/// written does not count.
pub fn asked(config: &Config) -> Asked {
    let mut packages: Vec<&str> = config.packages.iter().map(|package| package.value.as_str()).collect();
    packages.sort_unstable();
    let mut system: Vec<String> = config.system_packages.iter().map(system_text).collect();
    system.sort_unstable();
    Asked {
        language: config.base.language.as_ref().map(|language| language.value.name().to_owned()),
        version: config.base.version.as_ref().map(|version| version.value.text().to_owned()),
        packages: packages.into_iter().map(str::to_owned).collect(),
        system_packages: system,
        architectures: config.architectures.clone(),
        variant: config.variant.unless_prod().map(str::to_owned),
        from_source: config.from_source(),
        toolchain: false,
    }
}

/// What is asked for besides where something is compiled: the root file system it is compiled in. It is the same for every
/// image of a line.
pub fn toolchain_asked(config: &Config, line: &Line) -> Asked {
    Asked {
        language: config.base.language.as_ref().map(|language| language.value.name().to_owned()),
        version: Some(line.version.clone()),
        architectures: config.architectures.clone(),
        toolchain: true,
        ..Asked::default()
    }
}

fn system_text(package: &Spanned<SystemPackage>) -> String {
    match &package.value {
        SystemPackage { name, relation: Some((relation, version)) } => {
            format!("{name} ({} {version})", relation.symbol())
        }
        SystemPackage { name, relation: None } => name.clone(),
    }
}
