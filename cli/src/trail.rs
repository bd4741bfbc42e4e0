//! What commands that build, sign or send leave in the audit trail.

use std::collections::BTreeMap;
use std::env;
use std::path::PathBuf;

use audit::{Action, Log, Record, Subject, Who, Why};
use etcetera::BaseStrategy as _;
use files::input;
use jiff::Timestamp;
use model::{Digest, Finding, codes};
use runtime::local;
use signing::Signer;

use crate::args::Machine;
use crate::session;

/// Bytes of a reason.
const LONGEST_REASON: usize = 4096;
/// Bytes of what a pipeline says of itself.
const LONGEST_RUN: usize = 512;
/// Bytes of the list of this machine's users.
const LARGEST_USERS: u64 = 4 << 20;

/// Where pipelines say which commit they are for, and where their run can be seen.
const PIPELINES: [(&str, &str); 6] = [
    ("GITHUB_SHA", "GITHUB_RUN_ID"),
    ("CI_COMMIT_SHA", "CI_JOB_URL"),
    ("BUILDKITE_COMMIT", "BUILDKITE_BUILD_URL"),
    ("CIRCLE_SHA1", "CIRCLE_BUILD_URL"),
    ("BITBUCKET_COMMIT", "BITBUCKET_BUILD_NUMBER"),
    ("GIT_COMMIT", "BUILD_URL"),
];

/// The trail that a command writes to.
pub(crate) struct Trail {
    log: Log,
    who: Who,
    why: Why,
}

impl Trail {
    /// Opened before anything is done: what cannot be recorded does not happen.
    pub(crate) fn open(machine: &Machine) -> Result<Self, Finding> {
        let reason = machine.reason.clone();
        if reason.as_ref().is_some_and(|reason| reason.len() > LONGEST_REASON) {
            let message = format!("the reason has more than {LONGEST_REASON} bytes");
            return Err(Finding::error(codes::USAGE, message).help("name a ticket where the rest is told"));
        }
        let (commit, run) = pipeline(|name| env::var(name).ok());
        Ok(Self { log: Log::open(&folder(machine)?)?, who: user(), why: Why { reason, commit, run } })
    }

    /// The commit that this is done for.
    pub(crate) fn commit(&self) -> Option<&str> {
        self.why.commit.as_deref()
    }

    /// Adds what was done to one image, and with what.
    pub(crate) fn add(&self, what: Action, name: &str, digest: Digest, how: &[(&str, String)]) -> Result<(), Finding> {
        let when = Timestamp::from_second(session::now()).unwrap_or_default().to_string();
        let mut all = BTreeMap::from([("version".to_owned(), env!("CARGO_PKG_VERSION").to_owned())]);
        all.extend(how.iter().map(|(key, value)| ((*key).to_owned(), value.clone())));
        let of = vec![Subject { name: name.to_owned(), digest }];
        let (who, why) = (self.who.clone(), self.why.clone());
        self.log.append(Record { when, who, what, of, how: all, why, previous: None }).map(drop)
    }
}

/// Which keys signed, as bundles call them.
pub(crate) fn keys(signers: &[Box<dyn Signer>]) -> (&'static str, String) {
    ("keys", signers.iter().map(|signer| signer.public().hint()).collect::<Vec<_>>().join(" "))
}

/// Where the trail is.
pub(crate) fn folder(machine: &Machine) -> Result<PathBuf, Finding> {
    let named = || env::var_os("CLNSTRT_AUDIT").filter(|folder| !folder.is_empty()).map(PathBuf::from);
    if let Some(folder) = machine.audit.clone().or_else(named) {
        return Ok(folder);
    }
    let base = etcetera::choose_base_strategy().map_err(|e| {
        Finding::error(codes::AUDIT_UNUSABLE, "no place for the audit trail is known: the user has no home directory")
            .because(e.to_string())
            .help("name one with `--audit DIR`, or in CLNSTRT_AUDIT")
    })?;
    Ok(base.state_dir().unwrap_or_else(|| base.data_dir()).join("clnstrt").join("audit"))
}

/// The user this program runs as, by the name that the machine has for the number.
fn user() -> Who {
    let uid = rustix::process::getuid().as_raw();
    let users = input::read("/etc/passwd".as_ref(), LARGEST_USERS).unwrap_or_default();
    let name = String::from_utf8_lossy(&users).lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(uid)).then(|| name.to_owned())
    });
    Who { name: name.unwrap_or_else(|| uid.to_string()), uid }
}

/// The commit and the run that the environment tells of.
fn pipeline(variable: impl Fn(&str) -> Option<String>) -> (Option<String>, Option<String>) {
    let said = |name: &str| variable(name).filter(|text| !text.is_empty() && text.len() <= LONGEST_RUN);
    let found = PIPELINES.iter().find_map(|(commit, run)| Some((said(commit)?, said(run))));
    let Some((commit, run)) = found else { return (None, None) };
    let is_commit = commit.len() >= 40 && commit.bytes().all(|b| b.is_ascii_hexdigit());
    let run = run.and_then(|run| match said("GITHUB_SERVER_URL").zip(said("GITHUB_REPOSITORY")) {
        Some((server, repository)) => local::shareable(&format!("{server}/{repository}/actions/runs/{run}")),
        None if run.bytes().all(|b| b.is_ascii_digit()) => Some(run),
        // What stands in an address before `@` is nobody's business, wherever that is.
        None => local::shareable(&run).filter(|run| !run.contains('@')),
    });
    (Some(commit).filter(|_| is_commit), run)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipeline_tells_commit_and_run_and_no_password() {
        let commit = "0123456789abcdef0123456789abcdef01234567";
        let told = |variables: &[(&str, &str)]| {
            pipeline(|name| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
        };
        let some = |run: &str| (Some(commit.to_owned()), Some(run.to_owned()));
        assert_eq!(told(&[]), (None, None));
        let github = [
            ("GITHUB_SHA", commit),
            ("GITHUB_SERVER_URL", "https://forge.example"),
            ("GITHUB_REPOSITORY", "team/app"),
            ("GITHUB_RUN_ID", "42"),
        ];
        assert_eq!(told(&github), some("https://forge.example/team/app/actions/runs/42"));
        let gitlab = [("CI_COMMIT_SHA", commit), ("CI_JOB_URL", "https://user:secret@forge.example/team/app/-/jobs/7")];
        assert_eq!(told(&gitlab), some("https://forge.example/team/app/-/jobs/7"));
        assert_eq!(told(&[("BITBUCKET_COMMIT", commit), ("BITBUCKET_BUILD_NUMBER", "9")]), some("9"));
        let odd = [("GIT_COMMIT", commit), ("BUILD_URL", "https://u:p/q@forge.example/job/1")];
        assert_eq!(told(&odd), (Some(commit.to_owned()), None));
        assert_eq!(told(&[("GIT_COMMIT", "main; rm"), ("BUILD_URL", "x\ny")]), (None, None));
    }
}
