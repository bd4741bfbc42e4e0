use std::convert::Infallible;
use std::fmt;
use std::path::Path;
use std::str::FromStr;

use inspect::pypi::{UnreadableRequirement as Unreadable, normalize, requirement_head};
use pep508_rs::pep440_rs::{Version, VersionSpecifiers};
use pep508_rs::{MarkerEnvironment, MarkerTree, Pep508Url, VersionOrUrl};

use super::universe::contains;

/// The longest requirement that is read, in bytes.
const LONGEST: usize = 4096;
/// The most version clauses.
const CLAUSES: usize = 64;
/// The most words and parentheses that join the parts of a marker.
const JOINTS: usize = 128;
/// The most `and` among as many `or`: markers become decision diagrams, whose size can double with each such pair.
const ALTERNATIONS: usize = 10;

/// A requirement on another project (PEP 508).
#[derive(Clone, Debug)]
pub(crate) struct Requirement {
    /// Normalised name.
    pub(super) project: String,
    /// Normalised extras, as written.
    pub(super) extras: Vec<String>,
    pub(super) specifiers: VersionSpecifiers,
    marker: MarkerTree,
    /// As its author wrote it, in one line.
    pub(crate) text: String,
}

impl Requirement {
    pub(super) fn parse(text: &str) -> Result<Self, Unreadable> {
        let at = |start: usize, len: usize, message: &str| Unreadable { message: message.to_owned(), start, len };
        if text.len() > LONGEST {
            return Err(at(0, 0, "it is longer than any requirement needs to be"));
        }
        let odd = |c: char| !c.is_ascii() || c.is_ascii_control() && !matches!(c, '\n' | '\t');
        if let Some((start, c)) = text.char_indices().find(|(_, c)| odd(*c)) {
            let message = format!("expected only printable ASCII characters, found {c:?}");
            return Err(at(start, c.len_utf8(), &message));
        }
        let text = text.replace(['\n', '\t'], " ");
        let head = requirement_head(&text)?;
        let rest = text.get(head..).unwrap_or_default();
        if rest.starts_with('@') {
            return Err(at(head, rest.len(), "a URL is not accepted: files come from the configured index, by digest"));
        }
        let (limits, marker) = rest.split_once(';').unwrap_or((rest, ""));
        let words = || marker.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let count = |joint: &str| words().filter(|word| *word == joint).count();
        let (ands, ors, opened) = (count("and"), count("or"), marker.matches('(').count());
        if limits.matches(',').count() >= CLAUSES || ands + ors + opened > JOINTS || ands.min(ors) > ALTERNATIONS {
            return Err(at(head, rest.len(), "it has more clauses than any requirement needs"));
        }
        let parsed = pep508_rs::Requirement::<NoUrl>::from_str(&text).map_err(|error| Unreadable {
            message: error.message.to_string(),
            start: error.start,
            len: error.len,
        })?;
        Ok(Self {
            project: normalize(parsed.name.as_ref()),
            extras: parsed.extras.iter().map(ToString::to_string).collect(),
            specifiers: match parsed.version_or_url {
                Some(VersionOrUrl::VersionSpecifier(specifiers)) => specifiers,
                Some(VersionOrUrl::Url(NoUrl)) | None => VersionSpecifiers::empty(),
            },
            marker: parsed.marker,
            text: text.split_ascii_whitespace().collect::<Vec<_>>().join(" "),
        })
    }

    /// Whether a version of a project is one that it asks for.
    pub(crate) fn accepts(&self, project: &str, version: &str) -> bool {
        project == self.project && Version::from_str(version).is_ok_and(|version| contains(&self.specifiers, &version))
    }

    /// Whether it holds in an environment, without any extra.
    pub(super) fn applies(&self, environment: &MarkerEnvironment) -> bool {
        self.marker.evaluate(environment, &[])
    }

    /// Whether it holds in an environment because of an extra.
    pub(super) fn applies_for(&self, environment: &MarkerEnvironment, extra: &str) -> bool {
        let extra = pep508_rs::ExtraName::from_str(extra);
        extra.is_ok_and(|extra| self.marker.evaluate(environment, &[extra])) && !self.applies(environment)
    }
}

/// The requirement that an unreadable one was probably meant to be: operators as other tools write them (`=`, `=>`), or
/// what stands there for `==` (`fastapi 0.115`, `fastapi@0.115`, `fastapi:0.115`).
pub(crate) fn mended(text: &str) -> Option<String> {
    const OPERATORS: [&str; 8] = ["===", "==", "~=", "!=", "<=", ">=", "<", ">"];
    const MEANT: [(&str, &str); 6] = [("=>", ">="), ("=<", "<="), ("=", "=="), ("@", "=="), (":", "=="), ("", "==")];
    if Requirement::parse(text).is_ok() {
        return None;
    }
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c)))?;
    let (name, rest) = text.split_at_checked(end)?;
    let (extras, rest) = match rest.find(']').filter(|_| rest.starts_with('[')) {
        Some(end) => rest.split_at_checked(end + 1)?,
        None => ("", rest),
    };
    let (limits, marker) = rest.split_at_checked(rest.find(';').unwrap_or(rest.len()))?;
    let clause = |clause: &str| {
        let clause = clause.trim();
        let right = OPERATORS.into_iter().map(|operator| (operator, operator)).filter(|_| !clause.starts_with("=>"));
        let (operator, version) =
            right.chain(MEANT).find_map(|(written, meant)| Some((meant, clause.strip_prefix(written)?)))?;
        let version = version.trim();
        version.starts_with(|c: char| c.is_ascii_digit()).then(|| format!("{operator}{version}"))
    };
    let limits: Option<Vec<String>> = limits.split(',').map(clause).collect();
    let near = format!("{name}{extras}{}{marker}", limits?.join(","));
    Requirement::parse(&near).is_ok().then_some(near)
}

/// URLs are refused before pep508_rs would read one.
#[derive(Clone, Debug)]
struct NoUrl;

impl fmt::Display for NoUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(a URL)")
    }
}

impl Pep508Url for NoUrl {
    type Err = Infallible;

    fn parse_url(_: &str, _: Option<&Path>) -> Result<Self, Infallible> {
        Ok(NoUrl)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn refused(text: &str) -> (usize, String) {
        let error = Requirement::parse(text).unwrap_err();
        (error.start, error.message)
    }

    #[test]
    fn every_part_is_read() {
        let requirement = Requirement::parse("My_Pkg\t[A_b, c] (>=1.0,\n <2) ; os_name == 'posix'").unwrap();
        assert_eq!(requirement.project, "my-pkg");
        assert_eq!(requirement.extras, ["a-b", "c"]);
        assert_eq!(requirement.specifiers.to_string(), ">=1.0, <2");
        assert_eq!(requirement.text, "My_Pkg [A_b, c] (>=1.0, <2) ; os_name == 'posix'");
    }

    #[test]
    fn errors_say_where() {
        assert_eq!(refused("").0, 0);
        assert_eq!(
            refused("a- >=1"),
            (0, "expected the name of a project: letters and digits, with `-`, `_` or `.` only between them".into())
        );
        assert_eq!(refused("a[x-]").0, 2);
        assert_eq!(refused("a[x y]").0, 4);
        assert_eq!(refused("a b").0, 2);
        assert_eq!(refused("a>=1.0.x").0, 1);
        assert_eq!(refused("a @ file:///etc/passwd").0, 2);
        assert!(refused("a @ https://example.com/a.whl").1.contains("URL"));
        assert_eq!(refused("a ==\u{e9}").0, 4);
        assert_eq!(refused("a; nonsense == '1'").0, 3);
        assert!(refused("/etc/passwd").1.starts_with("expected the name"));
    }

    #[test]
    fn what_other_tools_write_is_mended() {
        for (text, near) in [
            ("fastapi=0.115.12", "fastapi==0.115.12"),
            ("fastapi 0.115", "fastapi==0.115"),
            ("fastapi@0.115", "fastapi==0.115"),
            ("fastapi:0.115", "fastapi==0.115"),
            ("fastapi=>1", "fastapi>=1"),
            (
                "uvicorn[standard] => 0.24, =<0.25; python_version > '3'",
                "uvicorn[standard]>=0.24,<=0.25; python_version > '3'",
            ),
        ] {
            assert!(Requirement::parse(text).is_err(), "{text}");
            assert_eq!(mended(text).as_deref(), Some(near));
        }
        for text in
            ["", "fastapi", "fastapi latest", "fastapi@https://example.com/1.whl", "a b", "-a=1", "a=", "a=1.x.y"]
        {
            assert_eq!(mended(text), None, "{text}");
        }
    }

    #[test]
    fn the_markers_packages_have_are_accepted() {
        let machines: Vec<String> = (0..60).map(|n| format!("platform_machine == \"m{n}\"")).collect();
        let nested = machines.join(" or (") + &")".repeat(machines.len() - 1);
        assert!(Requirement::parse(&format!("a>=1; python_version < \"3.14\" and ({nested})")).is_ok());
    }

    #[test]
    fn hostile_markers_are_refused() {
        let deep = format!("a; {}os_name == 'x'{}", "(".repeat(1000), ")".repeat(1000));
        assert!(refused(&deep).1.contains("clauses"));
        let wide = vec!["os_name == 'x'"; 200].join(" or ");
        assert!(refused(&format!("a; {wide}")).1.contains("clauses"));
        let pairs: Vec<String> = (0..24).map(|n| format!("extra == 'a{n}'and(extra == 'b{n}')")).collect();
        assert!(refused(&format!("a; {}", pairs.join(" or "))).1.contains("clauses"));
        assert!(refused(&format!("a {}", vec!["!=1"; 100].join(","))).1.contains("clauses"));
        assert!(refused(&format!("a{}", " ".repeat(5000))).1.contains("longer"));
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(
            text in "(a|A1|[-_.\\[\\],;()<>=!~@'\" ]|1\\.0|\\*|\\$\\{HOME\\}|/|and|or|not|in|extra|os_name|python_version|python_full_version|platform_release|\\PC){0,24}",
            marker in "(extra|os_name|python_version|platform_release|implementation_version) ?(==|!=|<|>|~=|===| in | not in |) ?['\"]([0-9.*]{0,6}|[a-z ]{0,6}|\\PC{0,4})['\"]",
        ) {
            let environment = crate::pypi::platform::tests::environment();
            let _ = mended(&text);
            for text in [text, format!("a; {marker}"), format!("a; {marker} or not {marker}")] {
                if let Ok(requirement) = Requirement::parse(&text) {
                    let _ = (requirement.applies(&environment), requirement.applies_for(&environment, "x"));
                }
            }
        }
    }
}
