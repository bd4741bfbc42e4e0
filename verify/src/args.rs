//! What people ask for.

use std::path::PathBuf;

use clap::{Args, ValueEnum, value_parser};
use verifier::{Expectations, Limits, Made};

/// How the verdict is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs: one document.
    Json,
    /// As SARIF 2.1.0, for code scanning.
    Sarif,
    /// What speaks against it, as workflow commands.
    Github,
    /// As JUnit reports tests, for CI.
    Junit,
}

/// What belongs to the machine, not to the image.
#[derive(Args, Clone, Debug)]
pub struct Machine {
    /// Open no connection.
    #[arg(long)]
    pub offline: bool,
    /// Seconds without a byte after which a server is given up.
    #[arg(long, value_name = "SECONDS", default_value_t = 20, value_parser = value_parser!(u64).range(1..))]
    pub timeout: u64,
    /// Ask registries without TLS; those of this machine always are.
    #[arg(long)]
    pub plain_http: bool,
}

/// What is demanded of an image.
#[derive(Args, Clone, Debug)]
pub struct Demands {
    /// Somebody whose word counts has to have signed it. Demanded anyway where nothing else is.
    #[arg(long)]
    pub require_signature: bool,
    /// A public key whose owner's word counts: a file in PEM; may be repeated.
    #[arg(long = "key", value_name = "FILE")]
    pub keys: Vec<PathBuf>,
    /// Whom a certificate has to name.
    #[arg(long, value_name = "NAME")]
    pub certificate_identity: Option<String>,
    /// The same as a regular expression for the whole name.
    #[arg(long, value_name = "REGEXP", conflicts_with = "certificate_identity")]
    pub certificate_identity_regexp: Option<String>,
    /// Who has to have said so.
    #[arg(long, value_name = "URL")]
    pub certificate_oidc_issuer: Option<String>,
    /// The same as a regular expression for the whole address.
    #[arg(long, value_name = "REGEXP", conflicts_with = "certificate_oidc_issuer")]
    pub certificate_oidc_issuer_regexp: Option<String>,
    /// Who vouches for certificates and logs: `trusted_root.json` of sigstore.
    #[arg(long, value_name = "FILE")]
    pub trusted_root: Option<PathBuf>,
    /// So many of them have to have signed it.
    #[arg(long, value_name = "M", value_parser = value_parser!(u16).range(1..=100))]
    pub signatures: Option<u16>,
    /// A policy, in YAML or Rego: a file, a folder, an archive, or `stdlib:NAME`; may be repeated.
    #[arg(long, value_name = "FILE")]
    pub policy_file: Vec<String>,
    /// Known vulnerabilities that are accepted; a scan has to be there.
    #[arg(long, value_name = "N")]
    pub max_vulnerabilities: Option<u64>,
    /// Critical ones; a scan has to be there. 0 unless told.
    #[arg(long, value_name = "N")]
    pub max_critical: Option<u64>,
    /// High ones, and those that nobody rated; a scan has to be there. 4 unless told.
    #[arg(long, value_name = "N")]
    pub max_high: Option<u64>,
    /// Days after which scans, test reports and VEX documents say nothing any more.
    #[arg(long, value_name = "DAYS", value_parser = value_parser!(u32).range(1..=36_500))]
    pub max_age: Option<u32>,
    /// A bill of materials for each platform.
    #[arg(long)]
    pub require_sbom: bool,
    /// How it was made.
    #[arg(long)]
    pub require_provenance: bool,
    /// What its publisher says of vulnerabilities.
    #[arg(long)]
    pub require_vex: bool,
    /// Tests that were run and passed.
    #[arg(long)]
    pub require_tests: bool,
    /// Nothing speaks against FIPS 140.
    #[arg(long)]
    pub fail_on_fips_issues: bool,
    /// Made from this repository.
    #[arg(long, value_name = "URL")]
    pub source_uri: Option<String>,
    /// Made by this builder; may be repeated.
    #[arg(long, value_name = "URI")]
    pub builder_id: Vec<String>,
    /// Made in this way; may be repeated. Unless told, in that of clnstrt.
    #[arg(long, value_name = "URI")]
    pub build_type: Vec<String>,
    /// Made with this external parameter; may be repeated. In a way that is not that of clnstrt each has to be named.
    #[arg(long = "parameter", value_name = "NAME=VALUE")]
    pub parameters: Vec<String>,
    /// Made without a network.
    #[arg(long)]
    pub require_hermetic: bool,
    /// Made on an emulated processor is good enough.
    #[arg(long)]
    pub allow_emulated: bool,
    /// Read the layers, and hold the bill of materials against what is in them.
    #[arg(long)]
    pub deep: bool,
    /// Of a layout or an archive, hash manifests and configurations alone: no layers, and of what is signed what its signature is over.
    /// The verdict says so.
    #[arg(long, conflicts_with = "deep")]
    pub manifests_only: bool,
    /// A signature or attestation that lies in a file, besides those of the image; may be repeated.
    #[arg(long = "bundle", value_name = "FILE")]
    pub bundles: Vec<PathBuf>,
    /// Images that need no check: on each line a digest, a repository, or what begins a name, with `/*` behind it.
    #[arg(long, value_name = "FILE")]
    pub allow_list: Option<PathBuf>,
    /// The time that is judged at, `2027-01-31T00:00:00Z`.
    #[arg(long, value_name = "TIME")]
    pub now: Option<jiff::Timestamp>,
    /// Write the verdict as a verification summary (SLSA VSA) as well.
    #[arg(long, value_name = "FILE")]
    pub output_vsa: Option<PathBuf>,
    /// Say of everything that was looked at what came of it.
    #[arg(long)]
    pub explain: bool,
}

impl Demands {
    /// What an image has to have; the text that is wrong.
    pub(crate) fn expectations(&self) -> Result<Expectations, String> {
        let limits = [self.max_vulnerabilities, self.max_critical, self.max_high];
        let unless_told = Limits::default();
        let mut parameters = std::collections::BTreeMap::new();
        for parameter in &self.parameters {
            let (name, value) = parameter.split_once('=').ok_or_else(|| parameter.clone())?;
            parameters.insert(name.to_owned(), value.to_owned());
        }
        let made = Made {
            source: self.source_uri.clone(),
            builders: self.builder_id.clone(),
            build_types: self.build_type.clone(),
            parameters,
            hermetic: self.require_hermetic,
            emulated: self.allow_emulated,
        };
        let unnamed = Made { emulated: self.allow_emulated, ..Made::default() };
        let mut expected = Expectations {
            signatures: self.signatures.map_or(usize::from(self.require_signature), usize::from),
            sbom: self.require_sbom || self.deep,
            provenance: self.require_provenance || made != unnamed,
            vex: self.require_vex,
            tests: self.require_tests,
            fips: self.fail_on_fips_issues,
            vulnerabilities: Limits {
                is_required: limits.iter().any(Option::is_some),
                total: self.max_vulnerabilities,
                critical: self.max_critical.unwrap_or(unless_told.critical),
                high: self.max_high.unwrap_or(unless_told.high),
            },
            max_age: self.max_age.map(|days| i64::from(days) * 86_400),
            made,
            facts: false,
        };
        let asks = [expected.sbom, expected.provenance, expected.vex, expected.tests, expected.fips];
        // A policy may be content with what the image says of itself, which binds nobody.
        if !asks.contains(&true) && !expected.vulnerabilities.is_required {
            expected.signatures = expected.signatures.max(1);
        }
        Ok(expected)
    }
}
