//! Which versions of a language there are, and which packages carry them.

use std::collections::BTreeMap;

use model::Finding;
use model::config::Language;
use model::plan::WheelScheme;
use serde::Deserialize;

use crate::base::Link;

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

    #[test]
    fn the_shipped_catalogue_reads_and_every_line_is_carried() {
        let python = Catalogue::shipped(Language::Python).unwrap();
        assert_eq!(python.name, Language::Python.name());
        for line in &python.lines {
            assert!(line.packages.contains(&line.carrier), "{}", line.version);
        }
    }
}
