//! Release files: what a suite is, when it was made, and the digests of its indexes.

use std::collections::BTreeMap;

use jiff::fmt::rfc2822;
use model::{Digest, Finding, codes};

use super::Stanza;
use super::checksums::{checksum, start, stays_below};

/// A Release file, or what stands between the signature armour of an InRelease file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    /// `Label`: `Debian`, `Debian-Security`.
    pub label: String,
    /// `Suite`: `stable`.
    pub suite: String,
    /// `Codename`: `trixie`.
    pub codename: String,
    /// `Date`, seconds since 1970.
    pub date: i64,
    /// `Valid-Until`, seconds since 1970.
    pub valid_until: Option<i64>,
    /// Whether indexes can be had by their digest.
    pub acquire_by_hash: bool,
    /// Architectures the suite has.
    pub architectures: Vec<String>,
    /// Components the suite has.
    pub components: Vec<String>,
    /// Digest and size of each index, by path relative to the suite.
    pub sha256: BTreeMap<String, (Digest, u64)>,
}

impl Release {
    /// Reads a Release file.
    pub fn parse(text: &str) -> Result<Self, Finding> {
        let stanza = Stanza::new(text.trim_end()).map_err(|problem| unreadable(problem.to_owned()))?;
        let fields: BTreeMap<String, &str> =
            stanza.fields().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect();
        let optional = |name: &str| fields.get(name).copied().unwrap_or("");
        let required = |name: &str| match optional(name) {
            "" => Err(unreadable(format!("has no field `{name}`"))),
            value => Ok(value),
        };
        let words = |name: &str| optional(name).split_ascii_whitespace().map(str::to_owned).collect();
        let valid_until = Some(optional("valid-until")).filter(|value| !value.is_empty());
        Ok(Self {
            label: required("label")?.to_owned(),
            suite: required("suite")?.to_owned(),
            codename: required("codename")?.to_owned(),
            date: time("date", required("date")?)?,
            valid_until: valid_until.map(|value| time("valid-until", value)).transpose()?,
            acquire_by_hash: optional("acquire-by-hash").eq_ignore_ascii_case("yes"),
            architectures: words("architectures"),
            components: words("components"),
            sha256: required("sha256")?.lines().map(index).collect::<Result<_, _>>()?,
        })
    }
}

fn unreadable(problem: String) -> Finding {
    Finding::error(codes::RELEASE_UNREADABLE, format!("the release file {problem}"))
}

/// A date as in mails, in universal time: Debian Policy §5.6 `Date`, the repository format's `Date`.
fn time(field: &str, value: &str) -> Result<i64, Finding> {
    let zone = ["UTC", "GMT", "+0000", "-0000"].into_iter().find_map(|zone| value.strip_suffix(zone));
    let parsed = zone.and_then(|before| rfc2822::DateTimeParser::new().parse_timestamp(format!("{before}+0000")).ok());
    parsed.map(|time| time.as_second()).ok_or_else(|| {
        let value = start(value);
        unreadable(format!("has `{field}: {value}` (expected a date such as `Sat, 07 Jun 2025 09:00:00 UTC`)"))
    })
}

fn index(line: &str) -> Result<(String, (Digest, u64)), Finding> {
    let (digest, size, path) = checksum(line).ok_or_else(|| {
        let line = start(line);
        unreadable(format!("has the line `{line}` below SHA256 (expected digest, size and path)"))
    })?;
    if !stays_below(path) {
        return Err(unreadable(format!("lists `{}`, which is no path below the suite", start(path))));
    }
    Ok((path.to_owned(), (digest, size)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TEXT: &str = "\
Origin: Lamps
Label: Lamps
Suite: steady
Codename: argand
Date: Sat, 12 Sep 2026 07:55:41 UTC
Valid-Until: Sat, 19 Sep 2026 07:55:41 GMT
Acquire-By-Hash: yes
Architectures: all amd64 arm64
Components: main contrib
Description: lamps
MD5Sum:
 d41d8cd98f00b204e9800998ecf8427e 0 main/binary-amd64/Packages
SHA256:
 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855        0 main/binary-amd64/Packages
 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855       12 main/binary-arm64/Packages.xz
";

    #[test]
    fn a_release_reads() {
        let release = Release::parse(TEXT).unwrap();
        assert_eq!(
            (release.label.as_str(), release.suite.as_str(), release.codename.as_str()),
            ("Lamps", "steady", "argand")
        );
        assert_eq!((release.date, release.valid_until), (1_789_199_741, Some(1_789_199_741 + 7 * 86_400)));
        assert!(release.acquire_by_hash);
        assert_eq!(release.architectures, ["all", "amd64", "arm64"]);
        assert_eq!(release.components, ["main", "contrib"]);
        assert_eq!(release.sha256["main/binary-arm64/Packages.xz"], (Digest::of(b""), 12));
        assert_eq!(release.sha256.len(), 2);
    }

    #[test]
    fn each_missing_or_wrong_part_is_named() {
        let cases = [
            ("Codename: argand\n", "", "has no field `codename`"),
            ("12 Sep 2026", "32 Sep 2026", "has `date: Sat, 32 Sep 2026"),
            ("07:55:41 UTC", "07:55:41 CEST", "expected a date"),
            ("SHA256:", "SHA512:", "has no field `sha256`"),
            ("       12 main", " twelve main", "expected digest, size and path"),
            ("main/binary-arm64/Packages.xz", "../../Packages.xz", "no path below the suite"),
            ("main/binary-arm64/Packages.xz", "/etc/passwd", "no path below the suite"),
            ("Components: main contrib", "Components main", "is no field"),
        ];
        for (from, to, problem) in cases {
            assert!(TEXT.contains(from));
            let finding = Release::parse(&TEXT.replace(from, to)).unwrap_err();
            assert_eq!(finding.code, codes::RELEASE_UNREADABLE);
            assert!(finding.message.contains(problem), "{}", finding.message);
        }
    }

    proptest! {
        #[test]
        fn a_damaged_release_is_read_or_refused(at in 0..TEXT.len(), with in any::<u8>()) {
            let mut bytes = TEXT.as_bytes().to_vec();
            bytes[at] = with;
            if let Ok(text) = String::from_utf8(bytes) {
                let _ = Release::parse(&text);
            }
        }
    }
}
