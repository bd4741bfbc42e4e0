//! The verifier behind the command line that the conformance suite of sigstore calls (`sigstore/sigstore-conformance`,
//! docs/cli_protocol.md). What it verifies it says nothing of and ends with 0; why it does not, it says on stderr.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::{ArgGroup, Args, Parser};
use sigstore_verify::trust_root::{SIGSTORE_PRODUCTION_TRUSTED_ROOT, SIGSTORE_STAGING_TRUSTED_ROOT};
use verifier::PublicKey;
use verifier::keyless::{Artifact, Expected, Identity, TrustedRoot, verify, verify_key};

#[derive(Parser)]
#[command(name = "clnstrt-conformance")]
enum Command {
    /// Checks who signed an artifact.
    VerifyBundle(Question),
}

#[derive(Args)]
#[command(group = ArgGroup::new("signer").required(true).args(["certificate_identity", "key"]))]
struct Question {
    /// Believe the staging instance, and not the production instance, as it was when the library was published.
    #[arg(long)]
    staging: bool,
    #[arg(long, value_name = "FILE")]
    bundle: PathBuf,
    #[arg(long, value_name = "IDENTITY", requires = "certificate_oidc_issuer")]
    certificate_identity: Option<String>,
    #[arg(long, value_name = "URL", requires = "certificate_identity")]
    certificate_oidc_issuer: Option<String>,
    /// A public key in PEM.
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Whom to believe, and not an instance.
    #[arg(long, value_name = "FILE")]
    trusted_root: Option<PathBuf>,
    /// What was signed, or its digest.
    #[arg(value_name = "FILE|sha256:HEX")]
    artifact: String,
}

fn main() -> ExitCode {
    let Command::VerifyBundle(question) = Command::parse();
    match answer(&question) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

fn answer(question: &Question) -> Result<(), String> {
    let root = match &question.trusted_root {
        Some(path) => read(path)?,
        None if question.staging => SIGSTORE_STAGING_TRUSTED_ROOT.into(),
        None => SIGSTORE_PRODUCTION_TRUSTED_ROOT.into(),
    };
    let root = TrustedRoot::parse(&root).map_err(|reason| reason.to_string())?;
    let bundle = read(&question.bundle)?;
    let bytes;
    let artifact = match question.artifact.parse() {
        Ok(digest) => Artifact::Digest(digest),
        Err(_) => {
            bytes = read(Path::new(&question.artifact))?;
            Artifact::Bytes(&bytes)
        }
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_err(|e| e.to_string())?;
    let now = i64::try_from(now.as_secs()).map_err(|e| e.to_string())?;
    let reason = match (&question.certificate_identity, &question.certificate_oidc_issuer, &question.key) {
        (Some(subject), Some(issuer), None) => {
            let identity = Identity { subject: Expected::exact(subject), issuer: Expected::exact(issuer) };
            verify(&bundle, artifact, &root, &[identity], now).map(drop)
        }
        (None, None, Some(path)) => {
            let text = String::from_utf8(read(path)?).map_err(|e| e.to_string())?;
            let key = PublicKey::from_pem(&text).map_err(|e| format!("{}: {e}", path.display()))?;
            verify_key(&bundle, artifact, &root, &key, now).map(drop)
        }
        _ => return Err("name an identity and its issuer, or a key".to_owned()),
    };
    reason.map_err(|reason| reason.to_string())
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|e| format!("{}: {e}", path.display()))
}
