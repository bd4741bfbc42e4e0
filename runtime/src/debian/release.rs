//! Whether a signed release is the one of its suite.

use inspect::debian::Release;
use jiff::Timestamp;
use model::{Finding, codes};
use trust::{Suite, Trust, suite_scope};

use crate::openpgp;

/// A release that is signed, and of the suite it was asked for.
pub(crate) struct Checked {
    /// What it says.
    pub(crate) release: Release,
    /// Fingerprints of the certificates that signed it, sorted.
    pub(crate) signed_by: Vec<String>,
    /// Its `Valid-Until` has passed.
    pub(crate) expired: bool,
}

/// Checks signature, label and codename of an InRelease file; `at` is the time it is judged by, seconds since 1970.
/// Whether an expired one will do, the caller decides.
pub(crate) fn check(bytes: &[u8], trust: &Trust, suite: &str, at: i64) -> Result<Checked, Finding> {
    let known = known(trust, suite)?;
    let verified = openpgp::verify_cleartext(bytes, trust, &suite_scope(suite), at)?;
    let release = Release::parse(&verified.text)?;
    for (field, expected, found) in
        [("Label", &known.label, &release.label), ("Codename", &known.codename, &release.codename)]
    {
        if expected != found {
            let message = format!(
                "the release offered as `{suite}` is signed, but as another: its {field} is `{}`, expected `{expected}`",
                found.escape_debug()
            );
            return Err(Finding::error(codes::WRONG_RELEASE, message)
                .help("a server offers one suite under another's name; use another source"));
        }
    }
    let expired = release.valid_until.is_some_and(|until| until < at);
    Ok(Checked { release, signed_by: verified.signed.signers, expired })
}

/// What the suite's release must say it is.
pub(super) fn known<'a>(trust: &'a Trust, suite: &str) -> Result<&'a Suite, Finding> {
    trust.suite(suite).ok_or_else(|| {
        Finding::error(codes::WRONG_SIGNER, format!("nobody is trusted to sign the Debian suite `{suite}`"))
            .help("`clnstrt-cli trust` lists the keys and the suites each may sign")
    })
}

impl Checked {
    /// The finding where an expired release will not do.
    pub(crate) fn expiry(&self, suite: &str) -> Finding {
        let until = self.release.valid_until.map_or_else(String::new, when);
        Finding::error(codes::RELEASE_EXPIRED, format!("the release of `{suite}` was valid until {until} only"))
            .because("a server that holds it back keeps security updates from you")
            .help("use a source that is up to date; apt's Check-Valid-Until \"false\" on this machine would be honoured and recorded")
    }
}

/// A time for people.
pub(super) fn when(seconds: i64) -> String {
    Timestamp::from_second(seconds).map_or_else(|_| seconds.to_string(), |time| time.to_string())
}
