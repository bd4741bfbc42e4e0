//! Whom upstreams are believed by: certificates, and what each may vouch for.
//!
//! The data lies in `trust/debian/` and is part of the program: reviewed like code, never fetched on use. This crate
//! reads it; the cryptography is `runtime`'s.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use include_dir::{Dir, include_dir};
pub use jiff::Timestamp;
use model::{Digest, Finding, Hasher, codes};
use serde::{Deserialize, Serialize};

static DEBIAN: Dir = include_dir!("$CARGO_MANIFEST_DIR/debian");
const DEBIAN_TOML: &str = include_str!("../debian.toml");

/// Everything upstreams are believed by.
#[derive(Clone, Debug)]
pub struct Trust {
    /// What a suite's release must call itself, by the suite's name.
    pub suites: BTreeMap<String, Scope>,
    /// The keys, in the order of the data.
    pub keys: Vec<Key>,
    digest: Digest,
}

/// A Debian suite, and what its signed release file must say it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// The directory below `dists/`.
    pub suite: String,
    /// Its `Label`.
    pub label: String,
    /// Its `Codename`.
    pub codename: String,
}

/// A certificate and what it may vouch for.
#[derive(Clone, Debug, Serialize)]
pub struct Key {
    /// The user id without its address.
    pub name: String,
    /// Fingerprint of the primary key, lower-case hex.
    pub fingerprint: String,
    /// When it was made.
    #[serde(serialize_with = "text")]
    pub valid_from: Timestamp,
    /// When it expires.
    #[serde(serialize_with = "text")]
    pub valid_until: Timestamp,
    /// Why and since when it is not believed any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoked: Option<Revoked>,
    /// The suites it may sign.
    pub suites: BTreeSet<String>,
    /// Why it is believed.
    pub why: String,
    /// The certificate, ASCII-armoured.
    #[serde(skip)]
    pub certificate: String,
}

/// A key that is believed no more, whatever it signed and whenever.
#[derive(Clone, Debug, Serialize)]
pub struct Revoked {
    /// Since when that is known.
    #[serde(serialize_with = "text")]
    pub on: Timestamp,
    /// Why.
    pub reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    suites: BTreeMap<String, SuiteEntry>,
    keys: Vec<KeyEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SuiteEntry {
    label: String,
    codename: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyEntry {
    name: String,
    fingerprint: String,
    file: String,
    valid_from: String,
    valid_until: String,
    revoked: Option<RevokedEntry>,
    suites: BTreeSet<String>,
    why: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RevokedEntry {
    on: String,
    reason: String,
}

impl Trust {
    /// The trust data this program was built with.
    ///
    /// # Errors
    /// `TRUST_UNREADABLE`: the program was built wrongly.
    pub fn builtin() -> Result<Self, Finding> {
        Self::read(DEBIAN_TOML, |file| DEBIAN.get_file(file)?.contents_utf8())
    }

    /// Reads trust data: the TOML document, and a certificate's text by its file name.
    ///
    /// # Errors
    /// `TRUST_UNREADABLE`.
    pub fn read<'a>(document: &str, certificate: impl Fn(&str) -> Option<&'a str>) -> Result<Self, Finding> {
        let parsed: Document =
            toml::from_str(document).map_err(|e| unreadable("its document").because(e.to_string()))?;
        let suites = parsed
            .suites
            .into_iter()
            .map(|(suite, entry)| (suite.clone(), Scope { suite, label: entry.label, codename: entry.codename }));
        let suites: BTreeMap<_, _> = suites.collect();
        let mut hasher = Hasher::new();
        hasher.update(document.as_bytes());
        let mut keys = Vec::new();
        for entry in parsed.keys {
            if let Some(unknown) = entry.suites.iter().find(|suite| !suites.contains_key(*suite)) {
                return Err(unreadable(&entry.file).because(format!("it may sign `{unknown}`, which is no suite here")));
            }
            let text =
                certificate(&entry.file).ok_or_else(|| unreadable(&entry.file).because("there is no such file"))?;
            hasher.update(text.as_bytes());
            keys.push(entry.key(text)?);
        }
        Ok(Self { suites, keys, digest: hasher.finish() })
    }

    /// A digest over all of it: what was proved under other trust data is proved again.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// What a suite's release must say it is; `None` where nobody is trusted to sign the suite.
    pub fn scope(&self, suite: &str) -> Option<&Scope> {
        self.suites.get(suite)
    }
}

impl KeyEntry {
    fn key(self, certificate: &str) -> Result<Key, Finding> {
        let time =
            |text: &str| text.parse::<Timestamp>().map_err(|e| unreadable(&self.file).because(format!("{text}: {e}")));
        let (valid_from, valid_until) = (time(&self.valid_from)?, time(&self.valid_until)?);
        let revoked = match &self.revoked {
            Some(revoked) => Some(Revoked { on: time(&revoked.on)?, reason: revoked.reason.clone() }),
            None => None,
        };
        Ok(Key {
            name: self.name,
            fingerprint: self.fingerprint,
            valid_from,
            valid_until,
            revoked,
            suites: self.suites,
            why: self.why,
            certificate: certificate.to_owned(),
        })
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}  {}", self.fingerprint, self.name)?;
        let suites: Vec<&str> = self.suites.iter().map(String::as_str).collect();
        writeln!(f, "  signs    {}", suites.join(", "))?;
        writeln!(f, "  valid    {} to {}", self.valid_from, self.valid_until)?;
        if let Some(revoked) = &self.revoked {
            writeln!(f, "  revoked  {}: {}", revoked.on, revoked.reason)?;
        }
        writeln!(f, "  because  {}", self.why)
    }
}

fn text<S: serde::Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(time)
}

fn unreadable(what: &str) -> Finding {
    Finding::error(codes::TRUST_UNREADABLE, format!("the trust data in this program cannot be read: {what}"))
        .help("build the program again from unchanged sources")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_suite_has_keys_and_every_file_is_used() {
        let trust = Trust::builtin().unwrap();
        for suite in trust.suites.keys() {
            assert!(trust.keys.iter().any(|key| key.suites.contains(suite)), "{suite}");
        }
        assert_eq!(DEBIAN.files().count(), trust.keys.len());
    }

    #[test]
    fn a_key_for_an_unknown_suite_a_missing_file_and_an_unknown_field_are_refused() {
        let key = |suites: &str, more: &str| {
            let document = format!(
                "[suites.a]\nlabel = \"A\"\ncodename = \"a\"\n[[keys]]\nname = \"n\"\nfingerprint = \"00\"\nfile = \"k\"\n\
                 valid_from = \"2023-01-01T00:00:00Z\"\nvalid_until = \"2024-01-01T00:00:00Z\"\nsuites = [{suites}]\n\
                 why = \"w\"\n{more}"
            );
            Trust::read(&document, |file| (file == "k").then_some("text"))
        };
        assert_eq!(key("\"a\"", "").unwrap().keys.len(), 1);
        for (suites, more) in
            [("\"b\"", ""), ("\"a\"", "scope = 1"), ("\"a\"", "revoked = { on = \"soon\", reason = \"r\" }")]
        {
            assert_eq!(key(suites, more).unwrap_err().code, codes::TRUST_UNREADABLE, "{suites} {more}");
        }
        assert!(Trust::read(DEBIAN_TOML, |_| None).is_err());
    }

    #[test]
    fn the_digest_covers_document_and_certificates() {
        let builtin = Trust::builtin().unwrap().digest();
        let other = Trust::read(DEBIAN_TOML, |_| Some("other")).unwrap().digest();
        assert_ne!(builtin, other);
    }
}
