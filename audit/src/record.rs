//! Records: one line of JSON for each thing that was done.

use std::collections::BTreeMap;
use std::fmt;

use model::{Digest, canonical_json};
use serde::{Deserialize, Serialize};

/// Bytes of a line: bundles of entries say their length in 16 bits.
pub const LONGEST: usize = 60 << 10;

/// What was done. There is no place for a secret in it: no password, token, or content of a variable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// When, in UTC with seconds (RFC 3339): `2026-01-31T23:59:59Z`.
    pub when: String,
    /// Who.
    pub who: Who,
    /// What.
    pub what: Action,
    /// To what.
    pub of: Vec<Subject>,
    /// How: the version of the program, digests of the public keys that signed, the executor.
    pub how: BTreeMap<String, String>,
    /// Why.
    #[serde(default, skip_serializing_if = "Why::is_empty")]
    pub why: Why,
    /// The hash of the line before; the first line has none. The log sets it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<Digest>,
}

/// A user of the machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Who {
    /// The user's name.
    pub name: String,
    /// The user's number.
    pub uid: u32,
}

/// What a command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// An image was built.
    Build,
    /// An image was signed.
    Sign,
    /// A statement about an image was signed.
    Attest,
    /// Signatures were put beside an image.
    Attach,
    /// An image was sent to a registry.
    Push,
    /// An image was copied from one place to another.
    Copy,
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Action::Build => "build",
            Action::Sign => "sign",
            Action::Attest => "attest",
            Action::Attach => "attach",
            Action::Push => "push",
            Action::Copy => "copy",
        })
    }
}

/// What something was done to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    /// What it was called.
    pub name: String,
    /// What it was.
    pub digest: Digest,
}

/// Why something was done, as far as anybody said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Why {
    /// In words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The commit it was done for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The run of a pipeline that did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
}

impl Why {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Why there is no such record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordError {
    /// Its line has this many bytes.
    TooLong(usize),
    /// It is no JSON, or not of this form.
    Form(String),
    /// It is not in the canonical form (RFC 8785).
    NotCanonical,
    /// Its time is none.
    Time(String),
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RecordError::TooLong(bytes) => write!(f, "it has {bytes} bytes, more than {LONGEST}"),
            RecordError::Form(why) => write!(f, "it is no record: {why}"),
            RecordError::NotCanonical => f.write_str("it is not in the canonical form of JSON"),
            RecordError::Time(when) => write!(f, "{when:?} is no time in UTC with seconds, as 2026-01-31T23:59:59Z is"),
        }
    }
}

impl std::error::Error for RecordError {}

impl Record {
    /// Reads a line, without its line break.
    ///
    /// # Errors
    /// Why it is none.
    pub fn parse(line: &[u8]) -> Result<Self, RecordError> {
        if line.len() > LONGEST {
            return Err(RecordError::TooLong(line.len()));
        }
        let record: Self = serde_json::from_slice(line).map_err(|e| RecordError::Form(e.to_string()))?;
        // One record has one line, so that nothing can be hidden in how it is written.
        if record.line()? == line { Ok(record) } else { Err(RecordError::NotCanonical) }
    }

    /// The line, without its line break.
    ///
    /// # Errors
    /// That no log has such a record.
    pub fn line(&self) -> Result<Vec<u8>, RecordError> {
        if !is_time(&self.when) {
            return Err(RecordError::Time(self.when.clone()));
        }
        let line = canonical_json(self);
        if line.len() > LONGEST { Err(RecordError::TooLong(line.len())) } else { Ok(line) }
    }
}

/// Whether a text is a time of RFC 3339 in UTC, with seconds and nothing smaller.
fn is_time(text: &str) -> bool {
    const FORM: &[u8] = b"0000-00-00T00:00:00Z";
    let fits = |(found, wanted): (&u8, &u8)| if *wanted == b'0' { found.is_ascii_digit() } else { found == wanted };
    if text.len() != FORM.len() || !text.as_bytes().iter().zip(FORM).all(fits) {
        return false;
    }
    let number = |at: std::ops::Range<usize>| text.get(at).and_then(|digits| digits.parse::<u32>().ok()).unwrap_or(0);
    let (year, month, day) = (number(0..4), number(5..7), number(8..10));
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    // A leap second is the 61st.
    (1..=days).contains(&day) && number(11..13) < 24 && number(14..16) < 60 && number(17..19) <= 60
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Record {
        Record {
            when: "2026-01-31T23:59:59Z".to_owned(),
            who: Who { name: "müller".to_owned(), uid: 1000 },
            what: Action::Push,
            of: vec![Subject { name: "registry.example/app:1".to_owned(), digest: Digest::of(b"") }],
            how: [("version", "1.2")].map(|(key, value)| (key.to_owned(), value.to_owned())).into(),
            why: Why { reason: Some("two\nlines".to_owned()), ..Why::default() },
            previous: Some(Digest::of(b"")),
        }
    }

    #[test]
    fn a_record_is_one_canonical_line() {
        let digest = Digest::of(b"");
        let line = format!(
            r#"{{"how":{{"version":"1.2"}},"of":[{{"digest":"{digest}","name":"registry.example/app:1"}}],"previous":"{digest}","what":"push","when":"2026-01-31T23:59:59Z","who":{{"name":"müller","uid":1000}},"why":{{"reason":"two\nlines"}}}}"#
        );
        assert_eq!(String::from_utf8(record().line().unwrap()).unwrap(), line);
        assert_eq!(Record::parse(line.as_bytes()), Ok(record()));
        let with = |from: &str, to: &str| Record::parse(line.replace(from, to).as_bytes());
        assert_eq!(with(",\"of\"", ", \"of\""), Err(RecordError::NotCanonical));
        assert_eq!(with("sha256:e3", "sha256:E3"), Err(RecordError::NotCanonical));
        assert!(matches!(with("\"why\":{", "\"why\":{\"x\":1,"), Err(RecordError::Form(_))));
        assert!(matches!(with("\"how\":", "\"x\":1,\"how\":"), Err(RecordError::Form(_))));
        assert!(matches!(with("push", "pull"), Err(RecordError::Form(_))));
        assert!(matches!(with("23:59:59Z", "23:59:59"), Err(RecordError::Time(_))));
    }

    #[test]
    fn a_record_that_is_too_long_is_refused() {
        let long = Record { why: Why { reason: Some("x".repeat(LONGEST)), ..Why::default() }, ..record() };
        assert!(matches!(long.line(), Err(RecordError::TooLong(_))));
        assert!(matches!(Record::parse(&[b' '; LONGEST + 1]), Err(RecordError::TooLong(_))));
    }

    #[test]
    fn times_are_those_of_the_calendar() {
        for time in ["2024-02-29T00:00:00Z", "2000-02-29T00:00:00Z", "2016-12-31T23:59:60Z", "0001-01-01T00:00:00Z"] {
            assert!(is_time(time), "{time}");
        }
        for time in [
            "",
            "2023-02-29T00:00:00Z",
            "1900-02-29T00:00:00Z",
            "2024-13-01T00:00:00Z",
            "2024-00-01T00:00:00Z",
            "2024-01-00T00:00:00Z",
            "2024-04-31T00:00:00Z",
            "2024-01-01T24:00:00Z",
            "2024-01-01T00:60:00Z",
            "2024-01-01T00:00:61Z",
            "2024-01-01 00:00:00Z",
            "2024-01-01T00:00:00+00:00",
            "2024-01-01T00:00:0\u{661}",
        ] {
            assert!(!is_time(time), "{time}");
        }
    }
}
