//! What is demanded of an image.

use std::collections::BTreeMap;

/// What an image has to have to be accepted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expectations {
    /// How many of those who are allowed to have to have signed the image.
    pub signatures: usize,
    /// A bill of materials for each platform.
    pub sbom: bool,
    /// How it was made.
    pub provenance: bool,
    /// What its publisher says of vulnerabilities (OpenVEX).
    pub vex: bool,
    /// Tests that were run and passed.
    pub tests: bool,
    /// Nothing against FIPS 140 was found in it.
    pub fips: bool,
    /// How many known vulnerabilities it may have.
    pub vulnerabilities: Limits,
    /// Seconds since scans, tests and VEX documents; older ones say nothing.
    pub max_age: Option<i64>,
    /// How it has to be made.
    pub made: Made,
    /// Policies are asked as well: their facts are wanted.
    pub facts: bool,
}

/// How many vulnerabilities are too many, after what VEX says of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// There has to be a scan.
    pub is_required: bool,
    /// Of every severity together.
    pub total: Option<u64>,
    /// Critical ones.
    pub critical: u64,
    /// High ones.
    pub high: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { is_required: false, total: None, critical: 0, high: 4 }
    }
}

/// How an image has to be made (SLSA 1.2, "Verifying artifacts").
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Made {
    /// From this repository.
    pub source: Option<String>,
    /// By one of these; by anybody whose word counts, if there are none.
    pub builders: Vec<String>,
    /// In one of these ways; in one whose parameters are known here, if there are none.
    pub build_types: Vec<String>,
    /// With these external parameters, by name, as JSON or plain text.
    pub parameters: BTreeMap<String, String>,
    /// Without a network.
    pub hermetic: bool,
    /// Emulated processors are good enough.
    pub emulated: bool,
}
