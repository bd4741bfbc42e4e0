//! In-toto statements (attestation framework 1.0), read as far as what they speak of: what they say of it may be large.

use std::collections::BTreeSet;
use std::fmt;

use model::statement::Resource;
use model::text::short;
use model::{Digest, json};
use serde::de::{Deserialize, Deserializer, Error as _, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::slice::Slice;

/// Subjects of a statement.
const MOST_SUBJECTS: usize = 100_000;

/// A statement; nobody has said yet whose it is.
#[derive(Clone, Debug)]
pub(crate) struct Statement {
    /// The version of the framework.
    pub(crate) format: String,
    /// What kind of thing is said, a URI.
    pub(crate) kind: String,
    /// What it speaks of: subjects, which only those are asked for whose word counts.
    subject: Slice,
    /// What is said.
    pub(crate) predicate: Slice,
}

#[derive(serde::Deserialize)]
struct Outline<'s> {
    #[serde(rename = "_type")]
    format: String,
    #[serde(borrow)]
    subject: &'s RawValue,
    #[serde(rename = "predicateType")]
    kind: String,
    #[serde(default, borrow)]
    predicate: Option<&'s RawValue>,
}

impl Statement {
    /// Reads a statement.
    ///
    /// # Errors
    /// Why it is none.
    pub(crate) fn parse(bytes: &Slice) -> Result<Self, String> {
        let Outline { format, subject, kind, predicate } = serde_json::from_slice(bytes).map_err(short)?;
        let predicate = predicate.map_or_else(null, |predicate| bytes.within(predicate.get()));
        Ok(Self { format, kind, subject: bytes.within(subject.get()), predicate })
    }

    /// What it speaks of.
    ///
    /// # Errors
    /// Why that cannot be read.
    pub(crate) fn about(&self) -> Result<BTreeSet<Digest>, String> {
        json::check(&self.subject).map_err(short)?;
        let Subjects(digests) = serde_json::from_slice(&self.subject).map_err(short)?;
        Ok(digests)
    }
}

/// The digests of subjects, without what else is said of them.
struct Subjects(BTreeSet<Digest>);

impl<'de> Deserialize<'de> for Subjects {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Self(BTreeSet::new()))
    }
}

impl<'de> Visitor<'de> for Subjects {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("subjects")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<Self, A::Error> {
        let mut left = MOST_SUBJECTS;
        while let Some(subject) = items.next_element::<Resource>()? {
            left = left.checked_sub(1).ok_or_else(|| A::Error::custom(format!("it has more than {MOST_SUBJECTS}")))?;
            let digest = subject.digest.get("sha256").and_then(|hex| Digest::from_hex(hex).ok());
            self.0.extend(digest);
        }
        Ok(self)
    }
}

/// What says nothing.
pub(crate) fn null() -> Slice {
    Slice::from(b"null".to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_are_read_when_they_are_asked_for_and_are_not_many() {
        let statement = |subject: &str| {
            let text = format!(r#"{{"_type":"t","subject":{subject},"predicateType":"k","predicate":{{"a":1}}}}"#);
            Statement::parse(&Slice::from(text.into_bytes())).unwrap()
        };
        let digest = Digest::of(b"");
        let named = format!(r#"{{"digest":{{"sha256":"{}"}}}}"#, digest.hex());
        let good = statement(&format!("[{named},{{}},{named}]"));
        assert_eq!((good.about(), &*good.predicate), (Ok(BTreeSet::from([digest])), b"{\"a\":1}".as_slice()));
        let many = |count: usize| statement(&format!("[{}{{}}]", "{},".repeat(count - 1))).about();
        assert_eq!(many(MOST_SUBJECTS), Ok(BTreeSet::new()));
        assert!(many(MOST_SUBJECTS + 1).unwrap_err().contains("more than 100000"));
        assert!(statement("{}").about().is_err() && statement(r#"[{"digest":1}]"#).about().is_err());
        assert!(statement(r#"[{"name":"a","name":"b"}]"#).about().is_err());
    }
}
