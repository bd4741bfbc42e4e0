//! Licences as packages state them, as SPDX expressions where they are ones.

use spdx::{Expression, ParseMode};

/// What a package states of its licence.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Licence {
    /// An SPDX expression (SPDX specification, annex D). What SPDX's list has no name for is a `LicenseRef-` in it.
    Expression(String),
    /// Words that are none.
    Words(String),
}

/// Names that Debian's copyright files, Python's classifiers and old metadata use, and the SPDX identifiers of the same licences. Only
/// names that mean one licence are here.
const NAMES: [(&str, &str); 46] = [
    ("AGPL-3", "AGPL-3.0-only"),
    ("AGPL-3+", "AGPL-3.0-or-later"),
    ("Apache 2.0", "Apache-2.0"),
    ("Apache License 2.0", "Apache-2.0"),
    ("Apache License, Version 2.0", "Apache-2.0"),
    ("Apache-2", "Apache-2.0"),
    ("Artistic", "Artistic-1.0-Perl"),
    ("Artistic-2", "Artistic-2.0"),
    ("Boost-1.0", "BSL-1.0"),
    ("BSD-2-clause", "BSD-2-Clause"),
    ("BSD-3-clause", "BSD-3-Clause"),
    ("BSD-4-clause", "BSD-4-Clause"),
    ("CC0", "CC0-1.0"),
    ("curl", "curl"),
    ("Expat", "MIT"),
    ("FTL", "FTL"),
    ("GFDL-1.3", "GFDL-1.3-only"),
    ("GFDL-1.3+", "GFDL-1.3-or-later"),
    ("GPL-1", "GPL-1.0-only"),
    ("GPL-1+", "GPL-1.0-or-later"),
    ("GPL-2", "GPL-2.0-only"),
    ("GPL-2+", "GPL-2.0-or-later"),
    ("GPL-2.0", "GPL-2.0-only"),
    ("GPL-2.0+", "GPL-2.0-or-later"),
    ("GPL-3", "GPL-3.0-only"),
    ("GPL-3+", "GPL-3.0-or-later"),
    ("GPL-3.0", "GPL-3.0-only"),
    ("GPL-3.0+", "GPL-3.0-or-later"),
    ("LGPL-2", "LGPL-2.0-only"),
    ("LGPL-2+", "LGPL-2.0-or-later"),
    ("LGPL-2.0", "LGPL-2.0-only"),
    ("LGPL-2.0+", "LGPL-2.0-or-later"),
    ("LGPL-2.1", "LGPL-2.1-only"),
    ("LGPL-2.1+", "LGPL-2.1-or-later"),
    ("LGPL-3", "LGPL-3.0-only"),
    ("LGPL-3+", "LGPL-3.0-or-later"),
    ("LGPL-3.0", "LGPL-3.0-only"),
    ("LGPL-3.0+", "LGPL-3.0-or-later"),
    ("MIT License", "MIT"),
    ("Mozilla Public License 2.0 (MPL 2.0)", "MPL-2.0"),
    ("MPL 2.0", "MPL-2.0"),
    ("MPL-2", "MPL-2.0"),
    ("PSF", "PSF-2.0"),
    ("Python-2", "Python-2.0"),
    ("The MIT License", "MIT"),
    ("Zlib", "Zlib"),
];

impl Licence {
    /// What words mean.
    pub fn of(words: &str) -> Self {
        let expression = named(words.trim()).or_else(|| joined(words, named));
        expression.map_or_else(|| Licence::Words(words.to_owned()), Licence::Expression)
    }

    /// What the short names of a Debian copyright file mean, put together with `, and`, `or` and `and`. A name nobody else knows
    /// stands for a text in that file.
    pub fn of_debian(words: &str) -> Self {
        let own = |name: &str| (!name.is_empty()).then(|| format!("{REFERENCE}{}", safe(name)));
        let expression = joined(words, |name| named(name).or_else(|| own(name)));
        expression.map_or_else(|| Licence::Words(words.to_owned()), Licence::Expression)
    }

    /// The names in it that SPDX's list has not: `LicenseRef-public-domain`.
    pub(crate) fn references(&self) -> impl Iterator<Item = &str> {
        let text = match self {
            Licence::Expression(expression) => expression.as_str(),
            Licence::Words(_) => "",
        };
        text.split(|c: char| c.is_whitespace() || matches!(c, '(' | ')')).filter(|word| word.starts_with(REFERENCE))
    }
}

/// How names begin that only one document knows.
const REFERENCE: &str = "LicenseRef-";

/// A name as SPDX has it.
fn named(name: &str) -> Option<String> {
    let known = NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, id)| *id);
    known.or(Some(name).filter(|name| is_expression(name))).map(str::to_owned)
}

fn is_expression(text: &str) -> bool {
    // A text of another document is none that can be found here.
    !text.contains("DocumentRef-") && Expression::parse_mode(text, ParseMode::STRICT).is_ok()
}

/// Names put together as Debian does (copyright-format 1.0, section 7.2), as an expression; nothing where one is unknown.
fn joined(words: &str, name: impl Fn(&str) -> Option<String>) -> Option<String> {
    let groups = words.split(", and ").map(|group| {
        let choices = group.split(" or ").map(|choice| {
            let parts = choice.split(" and ").map(|part| name(part.trim())).collect::<Option<Vec<_>>>()?;
            Some(parts.join(" AND "))
        });
        let choices = choices.collect::<Option<Vec<_>>>()?;
        Some(if choices.len() > 1 { format!("({})", choices.join(" OR ")) } else { choices.concat() })
    });
    let mut groups = groups.collect::<Option<Vec<_>>>()?;
    groups.sort();
    groups.dedup();
    Some(groups.join(" AND ")).filter(|text| is_expression(text))
}

/// A name with only the characters that names in expressions have.
fn safe(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-') { c } else { '-' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_expressions_where_all_of_them_are_known() {
        let shown = |words: &str| match Licence::of(words) {
            Licence::Expression(expression) => expression,
            Licence::Words(words) => format!("? {words}"),
        };
        assert_eq!(shown("MIT OR Apache-2.0"), "MIT OR Apache-2.0");
        assert_eq!(shown("MIT License"), "MIT");
        assert_eq!(shown("Expat and GPL-2+"), "MIT AND GPL-2.0-or-later");
        assert_eq!(shown("GPL-2+ or Artistic and Expat"), "(GPL-2.0-or-later OR Artistic-1.0-Perl AND MIT)");
        assert_eq!(shown("GPL-3+, and BSD-3-clause or Expat"), "(BSD-3-Clause OR MIT) AND GPL-3.0-or-later");
        assert_eq!(shown("BSD"), "? BSD");
        assert_eq!(shown("Expat and public-domain"), "? Expat and public-domain");
    }

    #[test]
    fn what_only_a_copyright_file_knows_is_named_by_it() {
        let licence = Licence::of_debian("Apache-2.0, and Artistic or GPL-1+, and public domain/x");
        let expected = "(Artistic-1.0-Perl OR GPL-1.0-or-later) AND Apache-2.0 AND LicenseRef-public-domain-x";
        assert_eq!(licence, Licence::Expression(expected.into()));
        assert_eq!(licence.references().collect::<Vec<_>>(), ["LicenseRef-public-domain-x"]);
        assert_eq!(Licence::of_debian(""), Licence::Words(String::new()));
    }

    #[test]
    fn every_name_stands_for_an_expression() {
        assert!(NAMES.iter().all(|(_, id)| Expression::parse_mode(id, ParseMode::STRICT).is_ok()));
    }
}
