//! Every statement about an image, one on a line (JSON lines). Nobody has signed them.

use model::statement::{Resource, Statement};
use serde::Serialize;
use serde_json::Value;

/// What kind of document a statement carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Predicate {
    /// A bill of materials in CycloneDX's JSON.
    CycloneDx,
    /// A bill of materials in SPDX's JSON.
    Spdx,
    /// The licence report.
    Licences,
    /// The source manifest.
    Sources,
    /// How everything was compiled.
    CompileFlags,
    /// The software hashes.
    Hashes,
    /// The test report.
    Tests,
    /// What policies of stage `release` are asked about.
    Facts,
}

impl Predicate {
    /// As `predicateType` has it.
    pub fn uri(self) -> &'static str {
        match self {
            Predicate::CycloneDx => "https://cyclonedx.org/bom",
            Predicate::Spdx => "https://spdx.dev/Document",
            Predicate::Licences => "urn:clnstrt:licences:v1",
            Predicate::Sources => "urn:clnstrt:sources:v1",
            Predicate::CompileFlags => "urn:clnstrt:compile-flags:v1",
            Predicate::Hashes => "urn:clnstrt:software-hash:v1",
            Predicate::Facts => "urn:clnstrt:facts:v1",
            Predicate::Tests => "https://in-toto.io/attestation/test-result/v0.1",
        }
    }
}

/// Statements, one on a line.
#[derive(Clone, Debug, Default)]
pub struct Bundle {
    lines: Vec<u8>,
}

impl Bundle {
    /// Adds a statement.
    pub fn add<P: Serialize>(&mut self, statement: &Statement<P>) {
        if let Ok(line) = serde_json::to_vec(statement) {
            self.lines.extend(line);
            self.lines.push(b'\n');
        }
    }

    /// Adds what a document says about subjects.
    ///
    /// # Errors
    /// Why it is no JSON.
    pub fn document(&mut self, kind: Predicate, subject: Vec<Resource>, json: &[u8]) -> serde_json::Result<()> {
        let predicate: Value = serde_json::from_slice(json)?;
        self.add(&Statement::new(subject, kind.uri(), predicate));
        Ok(())
    }

    /// As it is written.
    pub fn bytes(&self) -> &[u8] {
        &self.lines
    }

    /// Each statement as it is written.
    pub fn statements(&self) -> impl Iterator<Item = &[u8]> {
        self.lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty())
    }
}
