//! Whose word counts, as files say it.

use std::path::Path;

use files::input;
use model::{Finding, codes};
use verifier::keyless::{Expected, Identity, TrustedRoot};
use verifier::{PublicKey, Trust};

use crate::args::Demands;

/// Bytes of a key, or of a trusted root.
const LARGEST: u64 = 1 << 20;

/// Reads keys and roots.
pub(crate) fn read(demands: &Demands) -> Result<Trust, Finding> {
    let mut trust = Trust::default();
    for path in &demands.keys {
        let text = String::from_utf8_lossy(&bytes(path)?).into_owned();
        let key = PublicKey::from_pem(&text).map_err(|why| {
            unusable(format!("{} cannot be used: {why}", path.display()))
                .help("name the file that `key generate` and cosign call PREFIX.pub")
        })?;
        trust.keys.push((path.display().to_string(), key));
    }
    if let Some(path) = &demands.trusted_root {
        let root = TrustedRoot::parse(&bytes(path)?)
            .map_err(|why| unusable(format!("{} is no trusted root", path.display())).because(why.to_string()))?;
        trust.root = Some(root);
    }
    let expected = |exact: &Option<String>, regexp: &Option<String>| match (exact, regexp) {
        (Some(exact), _) => Ok(Some(Expected::exact(exact))),
        (None, Some(regexp)) => Expected::regexp(regexp)
            .map(Some)
            .map_err(|why| unusable(format!("`{}` is no regular expression: {why}", regexp.escape_debug()))),
        (None, None) => Ok(None),
    };
    let subject = expected(&demands.certificate_identity, &demands.certificate_identity_regexp)?;
    let issuer = expected(&demands.certificate_oidc_issuer, &demands.certificate_oidc_issuer_regexp)?;
    match (subject, issuer, &trust.root) {
        (None, None, _) => {}
        (Some(subject), Some(issuer), Some(_)) => trust.identities.push(Identity { subject, issuer }),
        (Some(_), Some(_), None) => {
            return Err(Finding::error(codes::USAGE, "nobody vouches for certificates")
                .help("name a root that is trusted: `--trusted-root trusted_root.json`"));
        }
        _ => {
            return Err(Finding::error(codes::USAGE, "an identity is a name and who vouches for it")
                .help("give both `--certificate-identity` and `--certificate-oidc-issuer`"));
        }
    }
    if trust.is_empty() {
        return Err(Finding::error(codes::USAGE, "nobody's word counts: anybody can sign anything")
            .help("say whose does: `--key FILE`, or `--certificate-identity` with its issuer and `--trusted-root`"));
    }
    Ok(trust)
}

fn bytes(path: &Path) -> Result<Vec<u8>, Finding> {
    input::read(path, LARGEST)
        .map_err(|e| Finding::error(codes::INPUT_IO, format!("{} cannot be read: {e}", path.display())))
}

fn unusable(message: String) -> Finding {
    Finding::error(codes::TRUST_UNUSABLE, message)
}
