//! Whom upstreams are believed by: certificates, and what each may vouch for.
//!
//! The data lies in `trust/debian.toml` and `trust/upstream.toml`, with the certificates beside them, and is part of the
//! program: reviewed like code, never fetched on use. This crate reads it; the cryptography is `runtime`'s.
//!
//! What a key may vouch for is a list of *scopes*, each a project and a line of it: `debian trixie` is the release file of
//! that suite, `cpython 3.13` the releases of that line, `debian-source zlib` the description of that source package.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use include_dir::{Dir, include_dir};
pub use jiff::Timestamp;
use model::{Digest, Finding, Hasher, codes, digest_of};
use serde::{Deserialize, Serialize};

static DEBIAN: Dir = include_dir!("$CARGO_MANIFEST_DIR/debian");
const DEBIAN_TOML: &str = include_str!("../debian.toml");
static UPSTREAM: Dir = include_dir!("$CARGO_MANIFEST_DIR/upstream");
const UPSTREAM_TOML: &str = include_str!("../upstream.toml");

/// Everything upstreams are believed by.
#[derive(Clone, Debug)]
pub struct Trust {
    /// What a suite's release must call itself, by the suite's name.
    pub suites: BTreeMap<String, Suite>,
    /// The keys, in the order of the data.
    pub keys: Vec<Key>,
    digest: Digest,
}

/// What the signed release file of a Debian suite must say it is.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Suite {
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
    /// When it expires; `None` where it does not.
    #[serde(serialize_with = "text_if_any", skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<Timestamp>,
    /// Until when that is believed which it signed while it was valid; `None`: as long as it is valid.
    #[serde(serialize_with = "text_if_any", skip_serializing_if = "Option::is_none")]
    pub believed_until: Option<Timestamp>,
    /// Why and since when it is not believed any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoked: Option<Revoked>,
    /// The scopes it may sign.
    pub signs: BTreeSet<String>,
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
    #[serde(default)]
    suites: BTreeMap<String, Suite>,
    keys: Vec<KeyEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyEntry {
    name: String,
    fingerprint: String,
    file: String,
    valid_from: String,
    valid_until: Option<String>,
    believed_until: Option<String>,
    revoked: Option<RevokedEntry>,
    signs: BTreeSet<String>,
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
        let debian = Self::read(DEBIAN_TOML, |file| DEBIAN.get_file(file)?.contents_utf8())?;
        let upstream = Self::read(UPSTREAM_TOML, |file| UPSTREAM.get_file(file)?.contents_utf8())?;
        let digest = digest_of(&(debian.digest, upstream.digest));
        Ok(Self { suites: debian.suites, keys: [debian.keys, upstream.keys].concat(), digest })
    }

    /// Reads trust data: the TOML document, and a certificate's text by its file name.
    ///
    /// # Errors
    /// `TRUST_UNREADABLE`.
    pub fn read<'a>(document: &str, certificate: impl Fn(&str) -> Option<&'a str>) -> Result<Self, Finding> {
        let parsed: Document =
            toml::from_str(document).map_err(|e| unreadable("its document").because(e.to_string()))?;
        let mut hasher = Hasher::new();
        hasher.update(document.as_bytes());
        let mut keys = Vec::new();
        for entry in parsed.keys {
            if let Some(unknown) = entry.signs.iter().find(|scope| !is_scope(scope, &parsed.suites)) {
                return Err(unreadable(&entry.file).because(format!(
                    "it may sign `{unknown}`, which is neither `debian` and a suite here nor a project and its line"
                )));
            }
            let text =
                certificate(&entry.file).ok_or_else(|| unreadable(&entry.file).because("there is no such file"))?;
            hasher.update(text.as_bytes());
            keys.push(entry.key(text)?);
        }
        Ok(Self { suites: parsed.suites, keys, digest: hasher.finish() })
    }

    /// A digest over all of it: what was proved under other trust data is proved again.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// What a suite's release must say it is; `None` where nobody is trusted to sign the suite.
    pub fn suite(&self, name: &str) -> Option<&Suite> {
        self.suites.get(name)
    }
}

/// The scope of a Debian suite's release file.
pub fn suite_scope(suite: &str) -> String {
    format!("{DEBIAN_PROJECT} {suite}")
}

const DEBIAN_PROJECT: &str = "debian";

/// Whether a text is a project and a line of it; of Debian, the lines are the suites.
fn is_scope(text: &str, suites: &BTreeMap<String, Suite>) -> bool {
    let word = |word: &str| !word.is_empty() && !word.contains(char::is_whitespace);
    text.split_once(' ').is_some_and(|(project, line)| {
        word(project) && word(line) && (project != DEBIAN_PROJECT || suites.contains_key(line))
    })
}

impl KeyEntry {
    fn key(self, certificate: &str) -> Result<Key, Finding> {
        let time =
            |text: &str| text.parse::<Timestamp>().map_err(|e| unreadable(&self.file).because(format!("{text}: {e}")));
        let time_if_any = |text: &Option<String>| text.as_deref().map(time).transpose();
        let (valid_from, valid_until) = (time(&self.valid_from)?, time_if_any(&self.valid_until)?);
        let believed_until = time_if_any(&self.believed_until)?;
        let revoked = match &self.revoked {
            Some(revoked) => Some(Revoked { on: time(&revoked.on)?, reason: revoked.reason.clone() }),
            None => None,
        };
        Ok(Key {
            name: self.name,
            fingerprint: self.fingerprint,
            valid_from,
            valid_until,
            believed_until,
            revoked,
            signs: self.signs,
            why: self.why,
            certificate: certificate.to_owned(),
        })
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}  {}", self.fingerprint, self.name)?;
        let signs: Vec<&str> = self.signs.iter().map(String::as_str).collect();
        writeln!(f, "  signs    {}", signs.join(", "))?;
        match self.valid_until {
            Some(until) => writeln!(f, "  valid    {} to {until}", self.valid_from)?,
            None => writeln!(f, "  valid    from {} on", self.valid_from)?,
        }
        if let Some(until) = self.believed_until {
            writeln!(f, "  believed until {until} for what it signed while it was valid")?;
        }
        if let Some(revoked) = &self.revoked {
            writeln!(f, "  revoked  {}: {}", revoked.on, revoked.reason)?;
        }
        writeln!(f, "  because  {}", self.why)
    }
}

fn text<S: serde::Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(time)
}

fn text_if_any<S: serde::Serializer>(time: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => text(time, serializer),
        None => serializer.serialize_none(),
    }
}

fn unreadable(what: &str) -> Finding {
    Finding::error(codes::TRUST_UNREADABLE, format!("the trust data in this program cannot be read: {what}"))
        .help("build the program again from unchanged sources")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_suite_has_keys_every_key_is_there_once_and_every_file_is_used() {
        let trust = Trust::builtin().unwrap();
        for suite in trust.suites.keys() {
            assert!(trust.keys.iter().any(|key| key.signs.contains(&suite_scope(suite))), "{suite}");
        }
        let fingerprints: BTreeSet<&str> = trust.keys.iter().map(|key| key.fingerprint.as_str()).collect();
        assert_eq!(fingerprints.len(), trust.keys.len());
        assert_eq!(DEBIAN.files().count() + UPSTREAM.files().count(), trust.keys.len());
    }

    fn read(signs: &str, more: &str) -> Result<Trust, Finding> {
        let document = format!(
            "[suites.a]\nlabel = \"A\"\ncodename = \"a\"\n[[keys]]\nname = \"n\"\nfingerprint = \"00\"\nfile = \"k\"\n\
             valid_from = \"2023-01-01T00:00:00Z\"\nsigns = [{signs}]\nwhy = \"w\"\n{more}"
        );
        Trust::read(&document, |file| (file == "k").then_some("text"))
    }

    #[test]
    fn a_key_for_an_unknown_suite_a_missing_file_and_an_unknown_field_are_refused() {
        for signs in ["\"debian a\"", "\"lamp 1.2\", \"debian-source lamp\""] {
            assert_eq!(read(signs, "").unwrap().keys.len(), 1);
        }
        for (signs, more) in [
            ("\"debian b\"", ""),
            ("\"lamp\"", ""),
            ("\"lamp \"", ""),
            ("\"lamp 1 2\"", ""),
            ("\"debian a\"", "scope = 1"),
            ("\"debian a\"", "valid_until = \"soon\""),
            ("\"debian a\"", "believed_until = \"soon\""),
            ("\"debian a\"", "revoked = { on = \"soon\", reason = \"r\" }"),
        ] {
            assert_eq!(read(signs, more).unwrap_err().code, codes::TRUST_UNREADABLE, "{signs} {more}");
        }
        assert!(Trust::read(DEBIAN_TOML, |_| None).is_err());
    }

    #[test]
    fn a_key_is_printed_with_what_it_signs_and_until_when() {
        let more = "valid_until = \"2024-01-01T00:00:00Z\"\nbelieved_until = \"2026-01-01T00:00:00Z\"\n\
                    revoked = { on = \"2025-01-01T00:00:00Z\", reason = \"lost\" }";
        let forever = read("\"debian a\", \"lamp 1.2\"", "").unwrap();
        let expired = read("\"lamp 1.2\"", more).unwrap();
        assert_eq!(
            forever.keys[0].to_string(),
            "00  n\n  signs    debian a, lamp 1.2\n  valid    from 2023-01-01T00:00:00Z on\n  because  w\n"
        );
        assert_eq!(
            expired.keys[0].to_string(),
            "00  n\n  signs    lamp 1.2\n  valid    2023-01-01T00:00:00Z to 2024-01-01T00:00:00Z\n  \
             believed until 2026-01-01T00:00:00Z for what it signed while it was valid\n  \
             revoked  2025-01-01T00:00:00Z: lost\n  because  w\n"
        );
    }

    #[test]
    fn the_digest_covers_documents_and_certificates() {
        let debian = Trust::read(DEBIAN_TOML, |file| DEBIAN.get_file(file)?.contents_utf8()).unwrap();
        let other = Trust::read(DEBIAN_TOML, |_| Some("other")).unwrap();
        assert_ne!(debian.digest(), other.digest());
        assert_ne!(read("\"lamp 1.2\"", "").unwrap().digest(), read("\"lamp 1.3\"", "").unwrap().digest());
        assert_ne!(Trust::builtin().unwrap().digest(), debian.digest());
    }
}
