//! Which versions of a language there are, and which packages carry them.

use std::collections::BTreeMap;

use model::Finding;
use model::config::Language;
use model::plan::WheelScheme;
use serde::Deserialize;

use crate::base::Link;
use crate::variant::Variant;

/// The script that writes Python's byte code: run by the interpreter it is for, with the directories of modules as its
/// arguments.
pub const BYTECODE: &str = include_str!("../languages/bytecode.py");

/// The script that builds the wheel of the source distribution it is started in, unpacked to /out/image.
pub const WHEEL: &str = include_str!("../languages/wheel.py");

/// The script that makes a wheel of what the other left in /out/image.
pub const PACK_WHEEL: &str = include_str!("../languages/pack_wheel.py");

/// A language as the standard library knows it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalogue {
    /// As written in a configuration.
    pub name: String,
    /// Its lines, oldest first.
    #[serde(rename = "line")]
    pub lines: Vec<Line>,
    /// Environment of every image of this language.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
}

/// One line of versions (`3.13`).
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// The line.
    pub version: String,
    /// Debian suite that carries it.
    pub suite: String,
    /// Debian package whose upstream version is the language's version.
    pub carrier: String,
    /// Debian packages an image of this line asks for.
    pub packages: Vec<String>,
    /// Links an image of this line has.
    #[serde(default)]
    pub links: Vec<Link>,
    /// Where wheels go.
    pub wheels: WheelScheme,
    /// How a runtime of this line is compiled here, where that is possible.
    #[serde(default)]
    pub source: Option<Source>,
    /// What the language adds to variants, by name.
    #[serde(default, rename = "variant")]
    variants: BTreeMap<String, Variant>,
}

/// A language runtime that is compiled here.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// The project whose releases it is compiled from.
    pub project: String,
    /// Debian packages an image has besides what the project needs.
    pub packages: Vec<String>,
    /// Absolute directory of its standard library.
    pub library: String,
    /// Where wheels go.
    pub wheels: WheelScheme,
}

impl Line {
    /// Debian packages the language adds to a variant; which variants there are, the base knows.
    pub fn variant(&self, name: &str) -> &[String] {
        self.variants.get(name).map_or(&[], |variant| &variant.packages)
    }
}

impl Catalogue {
    /// The catalogue of a language as shipped.
    pub fn shipped(language: Language) -> Result<Self, Finding> {
        match language {
            Language::Python => crate::read("stdlib/languages/python.toml", include_str!("../languages/python.toml")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Base;

    #[test]
    fn the_shipped_catalogue_reads_and_every_line_is_carried() {
        let python = Catalogue::shipped(Language::Python).unwrap();
        assert_eq!(python.name, Language::Python.name());
        for line in &python.lines {
            assert!(line.packages.contains(&line.carrier), "{}", line.version);
        }
    }

    #[test]
    fn a_line_adds_to_variants_there_are_and_brings_the_headers_of_its_own_version() {
        let base = Base::shipped().unwrap();
        for line in &Catalogue::shipped(Language::Python).unwrap().lines {
            assert!(line.variants.keys().all(|name| base.variant(name).is_some()), "{}", line.version);
            assert_eq!(line.variant("builder"), [format!("{}-dev", line.carrier)]);
            assert!(line.variant("prod").is_empty() && line.variant("dev").is_empty());
        }
    }
}
