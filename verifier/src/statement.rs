//! In-toto statements (attestation framework 1.0), read as far as what they speak of: what they say of it may be large.

use std::collections::BTreeSet;

use model::statement::Resource;
use model::text::short;
use model::{Digest, json};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::slice::Slice;

/// A statement; nobody has said yet whose it is.
#[derive(Clone, Debug)]
pub(crate) struct Statement {
    /// The version of the framework.
    pub(crate) format: String,
    /// What kind of thing is said, a URI.
    pub(crate) kind: String,
    /// What it speaks of; why that cannot be read.
    pub(crate) about: Result<BTreeSet<Digest>, String>,
    /// What is said.
    pub(crate) predicate: Slice,
}

#[derive(Deserialize)]
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
        Ok(Self { format, kind, about: about(subject), predicate })
    }
}

/// What says nothing.
pub(crate) fn null() -> Slice {
    Slice::from(b"null".to_vec())
}

fn about(subject: &RawValue) -> Result<BTreeSet<Digest>, String> {
    json::check(subject.get().as_bytes()).map_err(short)?;
    let subject: Vec<Resource> = serde_json::from_str(subject.get()).map_err(short)?;
    let digests = subject.iter().filter_map(|subject| subject.digest.get("sha256"));
    Ok(digests.filter_map(|hex| Digest::from_hex(hex).ok()).collect())
}
