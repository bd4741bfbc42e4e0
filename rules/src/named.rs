//! What names of policies lead to.

use std::env::VarError;
use std::path::Path;

use files::input;
use files::policies::{self, Bundle};
use model::{Digest, Finding, codes};

/// The organisation's policies.
const VARIABLE: &str = "CLNSTRT_POLICY";

/// What is shown of a policy's name, and its files. After `@`, the digest it has to have.
pub(crate) fn bundle(name: &str, folder: &Path) -> Result<(String, Bundle), Finding> {
    let (place, pinned) = match name.rsplit_once("@sha256:") {
        Some((place, hex)) => {
            let digest = Digest::from_hex(hex).map_err(|_| {
                Finding::error(codes::USAGE, format!("`{name}` ends in no digest"))
                    .help("write `@sha256:` and 64 hexadecimal digits, as `policy check` prints them")
            })?;
            (place, Some(digest))
        }
        None => (name, None),
    };
    let (shown, bundle) = match place.strip_prefix("stdlib:") {
        Some(shipped) => {
            let text = stdlib::policy::text(shipped).zip(stdlib::policy::cases(shipped)).ok_or_else(|| {
                let finding =
                    Finding::error(codes::POLICY_IO, format!("no policy `{shipped}` comes with this program"));
                let near = grammar::suggest::nearest(shipped, stdlib::policy::names());
                finding.suggest(near, &grammar::suggest::there(stdlib::policy::names()))
            })?;
            let names = [(format!("{shipped}.yaml"), text.0), (format!("{shipped}.cases.yaml"), text.1)];
            let files = names.into_iter().map(|(name, text)| (name, text.into())).collect();
            ("stdlib:".to_owned(), Bundle { digest: policies::digest(&files), files })
        }
        None => {
            let path = folder.join(place);
            (input::shown(&path), policies::read(&path, pinned)?)
        }
    };
    match pinned {
        Some(pinned) if pinned != bundle.digest => {
            let found = bundle.digest;
            let message = format!("the policy {place} is not the one that was pinned: its digest is {found}");
            Err(Finding::error(codes::POLICY_CHANGED, message).help("look at what changed in it, and then pin it anew"))
        }
        _ => Ok((shown, bundle)),
    }
}

/// The policies of the organisation, which no configuration can switch off: names separated by blanks, in `CLNSTRT_POLICY`.
///
/// # Errors
/// `POLICY_IO` where that is no text.
pub fn of_organisation() -> Result<Vec<String>, Finding> {
    match std::env::var(VARIABLE) {
        Ok(own) => Ok(own.split_whitespace().map(str::to_owned).collect()),
        Err(VarError::NotPresent) => Ok(Vec::new()),
        Err(VarError::NotUnicode(_)) => {
            Err(Finding::error(codes::POLICY_IO, format!("{VARIABLE} is no text")).help("name policies in UTF-8"))
        }
    }
}
