//! in-toto Statements v1 (in-toto attestation framework, spec/v1), and SLSA provenance v1 as what one may say (SLSA 1.2, build
//! provenance). Times are RFC 3339 in UTC.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::Digest;

/// What `_type` is.
pub const STATEMENT: &str = "https://in-toto.io/Statement/v1";
/// What `predicateType` is of provenance.
pub const PROVENANCE: &str = "https://slsa.dev/provenance/v1";

/// Something said about files, by nobody yet: who signs it says it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement<P> {
    /// [`STATEMENT`].
    #[serde(rename = "_type")]
    pub format: String,
    /// What it is about, by digest.
    pub subject: Vec<Resource>,
    /// What kind of thing is said, a URI.
    #[serde(rename = "predicateType")]
    pub predicate_type: String,
    /// What is said.
    pub predicate: P,
}

impl<P> Statement<P> {
    /// Says something of a kind about subjects.
    pub fn new(subject: Vec<Resource>, predicate_type: &str, predicate: P) -> Self {
        Self { format: STATEMENT.to_owned(), subject, predicate_type: predicate_type.to_owned(), predicate }
    }
}

/// A file or another thing of which the bytes are known (`ResourceDescriptor`, spec/v1).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Resource {
    /// What it is called here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What it is called everywhere: a package URL, an address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    /// Digests in hex, by algorithm: `sha256`, `gitCommit`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub digest: BTreeMap<String, String>,
    /// Media type (RFC 6838).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// What else there is to say.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub annotations: Map<String, Value>,
}

impl Resource {
    /// Bytes with a name.
    pub fn new(name: impl Into<String>, sha256: &Digest) -> Self {
        let digest = BTreeMap::from([("sha256".to_owned(), sha256.hex())]);
        Self { name: Some(name.into()), digest, ..Self::default() }
    }

    /// The same with what it is called everywhere.
    pub fn at(self, uri: impl Into<String>) -> Self {
        Self { uri: Some(uri.into()), ..self }
    }

    /// The same with one thing more to say.
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.annotations.insert(name.to_owned(), value.into());
        self
    }
}

/// How something was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Provenance {
    /// What was to be made, and from what.
    pub build_definition: BuildDefinition,
    /// This one run of it.
    pub run_details: RunDetails,
}

/// What was to be made: everything that decides what comes out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BuildDefinition {
    /// A URI that says what the parameters mean.
    pub build_type: String,
    /// What the one who asked for it chose.
    pub external_parameters: Map<String, Value>,
    /// What the builder chose.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub internal_parameters: Map<String, Value>,
    /// Everything it was made from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resolved_dependencies: Vec<Resource>,
}

/// One run of a build.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunDetails {
    /// Who ran it.
    pub builder: Builder,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<RunTimes>,
    /// What came out besides.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub byproducts: Vec<Resource>,
}

/// Who ran a build. It is worth as much as the key that signs it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Builder {
    /// A URI.
    pub id: String,
    /// Versions of its parts, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub version: BTreeMap<String, String>,
}

/// When a build ran.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunTimes {
    /// When it began.
    pub started_on: String,
    /// When its result was there.
    pub finished_on: String,
}
