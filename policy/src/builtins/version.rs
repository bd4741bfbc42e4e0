use std::cmp::Ordering;
use std::str::FromStr;

use pep440_rs::Version;
use regorus::Value;

use super::{Answer, text};

/// `clnstrt.version.compare("deb", "1.2~rc1-1", "1.2-1")`: -1, 0 or 1, in the order of an ecosystem, named as in a package URL. It
/// knows `deb`, `pypi`, and `cargo`, `golang`, `npm` and `semver`, whose versions are semantic ones.
pub(super) fn compare(arguments: &[Value]) -> Answer {
    let (kind, left, right) = (text(arguments, 0)?, text(arguments, 1)?, text(arguments, 2)?);
    let order = match kind {
        "deb" => ordered(
            left,
            right,
            |text| inspect::debian::version::is_valid(text).then_some(text),
            |left, right| inspect::debian::version::compare(left, right),
        )?,
        "pypi" => ordered(left, right, |text| Version::from_str(text).ok(), Version::cmp)?,
        "cargo" | "golang" | "npm" | "semver" => {
            // A Go version begins with a `v`, and build metadata says nothing of the order.
            let read = |text: &str| semver::Version::parse(text.strip_prefix('v').unwrap_or(text)).ok();
            ordered(left, right, read, semver::Version::cmp_precedence)?
        }
        _ => return Err(format!("the order of versions of `{kind}` is not known")),
    };
    Ok(Value::from(match order {
        Ordering::Less => -1_i64,
        Ordering::Equal => 0,
        Ordering::Greater => 1,
    }))
}

fn ordered<'t, V>(
    left: &'t str,
    right: &'t str,
    read: impl Fn(&'t str) -> Option<V>,
    compare: impl Fn(&V, &V) -> Ordering,
) -> Result<Ordering, String> {
    let version = |text| read(text).ok_or_else(|| format!("`{text}` is no version"));
    Ok(compare(&version(left)?, &version(right)?))
}
