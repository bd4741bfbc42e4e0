//! From the tree of a configuration to a checked [`Config`]. All findings are made in one go; what means nothing yet
//! is refused, never passed over.

mod base;
mod commands;
mod flags;
mod image;
mod name;
mod packages;
mod path;
mod placed;
mod registries;
mod run;
mod system;

use grammar::reader::{Fieldbook, Reader, TEMPLATE};
use grammar::yaml::Node;
use model::config::{Config, SystemPackage};
use model::lock::Asked;
use model::{Findings, Spanned};
use stdlib::language::Line;

pub(crate) use flags::OPTIMIZATIONS;
pub(crate) use name::is_image_name;
pub(crate) use packages::package_name;

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
        (Some("source"), placed::SOURCE_FIELDS.to_vec()),
        (Some("scripts"), commands::SCRIPTS_FIELDS.to_vec()),
        (Some("metadata"), image::METADATA_FIELDS.to_vec()),
    ]
}

/// The fields of image configurations and templates.
struct ConfigFields;

impl Fieldbook for ConfigFields {
    fn home(&self, path: &str, field: &str) -> Option<&'static str> {
        match path {
            "run" if run::HEALTH_FIELDS.contains(&field) => Some("run.health"),
            TEMPLATE if image::FIELDS.contains(&field) => Some("image"),
            _ => image::home_of(field).filter(|home| *home != path),
        }
    }

    fn later(&self, path: &str) -> &'static [&'static str] {
        match path {
            "" => image::LATER,
            _ => &[],
        }
    }
}

/// A reader of image configurations and templates.
pub(crate) fn reader() -> Reader {
    Reader::new(&ConfigFields)
}

/// Reads an image configuration. The configuration is given wherever name and base could be read, so that work can go
/// on beside the findings; only without an error among them does it say what the author meant.
pub fn read(root: &Node) -> (Option<Config>, Findings) {
    let mut reader = reader();
    let config = image::read(&mut reader, root, true);
    (config, reader.into_findings())
}

/// Reads a part of an image configuration: what is not there is not missed.
pub(crate) fn read_part(root: &Node) -> (Option<Config>, Findings) {
    let mut reader = reader();
    let config = image::read(&mut reader, root, false);
    (config, reader.into_findings())
}

/// Everything resolution reads: base, packages, system packages, architectures and variant. The order in which packages are
/// written does not count.
pub fn asked(config: &Config) -> Asked {
    Asked {
        version: config.base.version.as_ref().map(|version| version.value.text().to_owned()),
        packages: sorted(config.packages.iter().map(|package| package.value.clone())),
        system_packages: sorted(config.system_packages.iter().map(system_text)),
        variant: config.variant.unless_prod().map(str::to_owned),
        from_source: config.from_source(),
        no_binary: sorted(config.flags.no_binary.iter().map(|name| name.value.clone())),
        ..of_language(config)
    }
}

/// What is asked for besides where a runtime is compiled: the root file system it is compiled in. It is the same for every
/// image of a line.
pub fn toolchain_asked(config: &Config, line: &Line) -> Asked {
    Asked { version: Some(line.version.clone()), from_source: true, toolchain: true, ..of_language(config) }
}

/// What is asked for where packages and the application are built: the same, with what the author adds to it.
pub(crate) fn parts_asked(config: &Config, line: Option<&Line>) -> Asked {
    Asked {
        version: line.map(|line| line.version.clone()),
        system_packages: sorted(config.build_packages.iter().map(system_text)),
        from_source: config.from_source(),
        toolchain: true,
        ..of_language(config)
    }
}

/// What is asked for where something is built with packages of the language.
pub(crate) fn tools_asked(config: &Config, line: &Line, packages: Vec<String>) -> Asked {
    Asked {
        version: Some(line.version.clone()),
        packages,
        no_binary: sorted(config.flags.no_binary.iter().map(|name| name.value.clone())),
        toolchain: true,
        ..of_language(config)
    }
}

fn of_language(config: &Config) -> Asked {
    Asked {
        language: config.base.language.as_ref().map(|language| language.value.name().to_owned()),
        architectures: config.architectures.clone(),
        ..Asked::default()
    }
}

fn sorted(texts: impl Iterator<Item = String>) -> Vec<String> {
    let mut texts: Vec<String> = texts.collect();
    texts.sort_unstable();
    texts
}

fn system_text(package: &Spanned<SystemPackage>) -> String {
    match &package.value {
        SystemPackage { name, relation: Some((relation, version)) } => {
            format!("{name} ({} {version})", relation.symbol())
        }
        SystemPackage { name, relation: None } => name.clone(),
    }
}
