//! Licences as packages state them, as SPDX expressions where they are ones.

use spdx::{Expression, ParseMode};

/// What a package states of its licence.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Licence {
    /// An SPDX expression (SPDX specification, annex D).
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
    /// What words mean. `and`, `or` and commas of Debian's short names are SPDX's operators; all names have to be known for the whole
    /// to be an expression.
    pub fn of(words: &str) -> Self {
        let is_expression = |text: &str| Expression::parse_mode(text, ParseMode::STRICT).is_ok();
        if is_expression(words) {
            return Licence::Expression(words.to_owned());
        }
        let known = |name: &str| NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, id)| *id);
        let name = |name: &str| known(name).or(Some(name).filter(|name| is_expression(name))).map(str::to_owned);
        let all = |words: &str| -> Option<String> {
            // Of Debian's operators `and` binds less than `or` where a comma stands before it.
            let groups = words.split(", and ").map(|group| {
                let choices = group.split(" or ").map(|choice| {
                    let parts = choice.split(" and ").map(|part| name(part.trim())).collect::<Option<Vec<_>>>()?;
                    Some(parts.join(" AND "))
                });
                let choices = choices.collect::<Option<Vec<_>>>()?;
                Some(if choices.len() > 1 { format!("({})", choices.join(" OR ")) } else { choices.concat() })
            });
            Some(groups.collect::<Option<Vec<_>>>()?.join(" AND "))
        };
        let expression = name(words.trim()).or_else(|| all(words)).filter(|text| is_expression(text));
        expression.map_or_else(|| Licence::Words(words.to_owned()), Licence::Expression)
    }
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
        assert_eq!(shown("GPL-3+, and BSD-3-clause or Expat"), "GPL-3.0-or-later AND (BSD-3-Clause OR MIT)");
        assert_eq!(shown("BSD"), "? BSD");
        assert_eq!(shown("Expat and public-domain"), "? Expat and public-domain");
    }

    #[test]
    fn every_name_stands_for_an_expression() {
        assert!(NAMES.iter().all(|(_, id)| Expression::parse_mode(id, ParseMode::STRICT).is_ok()));
    }
}
