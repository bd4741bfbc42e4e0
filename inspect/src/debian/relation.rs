//! Relations between packages (Debian Policy §7.1): `a (>= 1), b | c:any [amd64 !i386]`.

use std::fmt;

use model::config::Relation;

use super::version;

/// The most relations read from one field; the longest of Debian's archives has 4,000.
const MAX_RELATIONS: usize = 50_000;

/// One package a relation names, with what limits it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dependency {
    /// Package name, possibly virtual.
    pub name: String,
    /// What stands behind the name's colon: `any`, `native` or an architecture.
    pub arch_qualifier: Option<String>,
    /// Relation and version, if limited.
    pub relation: Option<(Relation, String)>,
    /// Architectures it holds for, or with `!` does not; empty means every one.
    pub architectures: Vec<String>,
}

/// Reads a relation field: all entries must hold, of each any alternative, the first preferred. The error is a
/// sentence about what is wrong.
pub fn parse(text: &str) -> Result<Vec<Vec<Dependency>>, String> {
    let mut count = 0;
    let entries = text.split(',').map(str::trim).filter(|entry| !entry.is_empty());
    entries
        .map(|entry| {
            entry
                .split('|')
                .map(|alternative| {
                    count += 1;
                    match count {
                        ..=MAX_RELATIONS => dependency(alternative.trim()),
                        _ => Err(format!("more than {MAX_RELATIONS} relations in one field")),
                    }
                })
                .collect()
        })
        .collect()
}

/// Whether a text is a package name: lower-case letters, digits, `+`, `-` and `.`, not starting with a sign.
pub fn is_name(text: &str) -> bool {
    let letter = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    text.bytes().next().is_some_and(letter) && text.bytes().all(|b| letter(b) || b"+-.".contains(&b))
}

impl Dependency {
    /// Whether the entry is meant for an architecture, by its list and by a qualifier that names one.
    pub fn applies_to(&self, arch: &str) -> bool {
        let qualified = self.arch_qualifier.as_deref().is_none_or(|q| q == "any" || q == "native" || q == arch);
        let excluded = self.architectures.iter().any(|a| a.strip_prefix('!') == Some(arch));
        let positive = self.architectures.iter().any(|a| !a.starts_with('!'));
        qualified && !excluded && (!positive || self.architectures.iter().any(|a| a == arch))
    }
}

fn dependency(text: &str) -> Result<Dependency, String> {
    let wrong = |expected: &str| format!("`{}`: expected {expected}", short(text));
    let end = text.find(|c: char| c.is_ascii_whitespace() || "([<".contains(c)).unwrap_or(text.len());
    let (name, rest) = text.split_at_checked(end).unwrap_or((text, ""));
    let (name, qualifier) = name.split_once(':').map_or((name, None), |(name, q)| (name, Some(q)));
    if !is_name(name) || qualifier.is_some_and(|q| !is_name(q)) {
        return Err(wrong("a package name"));
    }
    let mut rest = rest.trim_start();
    let mut relation = None;
    if let Some(inside) = rest.strip_prefix('(') {
        let (inside, after) = inside.split_once(')').ok_or_else(|| wrong("a closing `)`"))?;
        relation = Some(limit(inside.trim()).ok_or_else(|| wrong("one of << <= = >= >> and a version in `( )`"))?);
        rest = after.trim_start();
    }
    let mut architectures = Vec::new();
    if let Some(inside) = rest.strip_prefix('[') {
        let (inside, after) = inside.split_once(']').ok_or_else(|| wrong("a closing `]`"))?;
        architectures = inside.split_ascii_whitespace().map(str::to_owned).collect();
        if architectures.is_empty() || !architectures.iter().all(|a| is_name(a.strip_prefix('!').unwrap_or(a))) {
            return Err(wrong("architectures in `[ ]`"));
        }
        rest = after.trim_start();
    }
    if !rest.is_empty() {
        return Err(wrong("nothing more"));
    }
    Ok(Dependency { name: name.to_owned(), arch_qualifier: qualifier.map(str::to_owned), relation, architectures })
}

fn limit(text: &str) -> Option<(Relation, String)> {
    use Relation::{Earlier, EarlierOrEqual, Equal, Later, LaterOrEqual};
    let all = [Earlier, EarlierOrEqual, LaterOrEqual, Later, Equal];
    let relation = all.into_iter().find(|relation| text.starts_with(relation.symbol()))?;
    let bound = text.strip_prefix(relation.symbol())?.trim_start();
    version::is_valid(bound).then(|| (relation, bound.to_owned()))
}

fn short(text: &str) -> String {
    text.chars().take(80).collect()
}

impl fmt::Display for Dependency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if let Some(qualifier) = &self.arch_qualifier {
            write!(f, ":{qualifier}")?;
        }
        if let Some((relation, version)) = &self.relation {
            write!(f, " ({} {version})", relation.symbol())?;
        }
        if !self.architectures.is_empty() {
            write!(f, " [{}]", self.architectures.join(" "))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(text: &str) -> Result<String, String> {
        let entries = parse(text)?;
        let entry = |entry: &Vec<Dependency>| entry.iter().map(ToString::to_string).collect::<Vec<_>>().join(" | ");
        Ok(entries.iter().map(entry).collect::<Vec<_>>().join(", "))
    }

    /// Each case: a field, and below it how it reads or, after `!`, why it does not.
    #[test]
    fn relations_read_as_the_cases_say() {
        let cases = include_str!("../../../tests/debian/relations.txt");
        let lines: Vec<&str> = cases.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
        assert!(lines.len() >= 20 && lines.len().is_multiple_of(2));
        for case in lines.chunks(2) {
            match case[1].strip_prefix("! ") {
                Some(problem) => assert_eq!(shown(case[0]), Err(problem.to_owned())),
                None => assert_eq!(shown(case[0]).as_deref(), Ok(case[1])),
            }
        }
    }

    #[test]
    fn lists_and_qualifiers_say_for_which_architecture_an_entry_is_meant() {
        let for_arm64 = |text: &str| parse(text).unwrap()[0][0].applies_to("arm64");
        for yes in ["a", "a:any", "a:native", "a:arm64", "a [arm64]", "a [!amd64]", "a [amd64 arm64]"] {
            assert!(for_arm64(yes), "{yes}");
        }
        for no in ["a:amd64", "a [amd64]", "a [!arm64]", "a:any [amd64]"] {
            assert!(!for_arm64(no), "{no}");
        }
    }

    #[test]
    fn a_field_without_end_is_refused() {
        assert!(parse(&"a,".repeat(50_000)).is_ok());
        assert!(parse(&"a,".repeat(50_001)).is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in ".{0,60}", odd in "[a-c (),|<>=:\\[\\]!0-9.]{0,60}") {
            let _ = (parse(&text), parse(&odd));
        }

        #[test]
        fn what_is_shown_reads_as_the_same(
            entries in proptest::collection::vec(
                ("[a-z0-9][a-z0-9+.-]{0,6}", 0usize..6, "[0-9][0-9a-z.+~]{0,4}", any::<bool>()), 1..6),
        ) {
            let signs = ["<<", "<=", "=", ">=", ">>"];
            let one = |(name, sign, version, any): &(String, usize, String, bool)| {
                let qualifier = if *any { ":any" } else { "" };
                let limit = signs.get(*sign).map_or(String::new(), |sign| format!(" ({sign} {version})"));
                format!("{name}{qualifier}{limit}")
            };
            let text = entries.iter().map(one).collect::<Vec<_>>().join(" | ");
            prop_assert_eq!(shown(&text), Ok(text));
        }
    }
}
