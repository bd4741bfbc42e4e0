//! What came of looking at an image.

use model::{Code, Digest, Finding, Findings};
use serde::Serialize;

/// What came of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It holds.
    Passed,
    /// It does not.
    Failed,
    /// Nobody asked for it.
    Skipped,
}

/// One question, and its answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What was asked: `signature`, `provenance`.
    pub name: &'static str,
    /// Of which platform; absent where it is about the image as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
    /// What came of it.
    pub outcome: Outcome,
    /// Why.
    pub reason: String,
    /// What it stands on: digests of documents, names of files and policies.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<String>,
    /// What it is called where it fails.
    #[serde(skip)]
    pub code: Code,
    /// What to do about it.
    #[serde(skip)]
    pub help: Option<String>,
    #[serde(skip)]
    ground: Ground,
}

/// What a check rests on that fails; the first of these are the most to the point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Ground {
    /// What was looked at.
    Seen,
    /// A document that was passed over, for a reason so far from the point.
    PassedOver(u8),
    /// Nothing was found.
    Nothing,
}

/// What came of all of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// The image, as it was named.
    pub reference: String,
    /// Its digest: this is what was judged.
    pub digest: Digest,
    /// Whether nothing speaks against it.
    pub accepted: bool,
    /// Every check: first those that fail, the most specific one first, and then the others, in the order they were made. The
    /// reason of one that fails is the one that is most to the point, too.
    pub checks: Vec<Check>,
    /// What was found and says nothing here, with the reason: strangers' documents, damaged ones.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub passed_over: Vec<PassedOver>,
}

/// A document that says nothing here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PassedOver {
    /// Where it was found.
    pub place: String,
    /// Why it says nothing.
    pub reason: String,
}

impl Check {
    /// A check that somebody made.
    pub fn new(name: &'static str, code: Code, outcome: Outcome, reason: impl Into<String>) -> Self {
        let reason = reason.into();
        Self { name, platform: None, outcome, reason, evidence: Vec::new(), code, help: None, ground: Ground::Seen }
    }

    pub(crate) fn of(self, platform: &str) -> Self {
        Self { platform: Some(platform.to_owned()).filter(|platform| !platform.is_empty()), ..self }
    }

    /// The same, with what it stands on.
    #[must_use]
    pub fn on(mut self, evidence: impl IntoIterator<Item = String>) -> Self {
        self.evidence.extend(evidence);
        self
    }

    pub(crate) fn for_want_of(self, ground: Ground) -> Self {
        Self { ground, ..self }
    }

    pub(crate) fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }
}

impl Verdict {
    /// Everything that speaks against the image.
    pub fn findings(&self) -> Findings {
        let failed = self.checks.iter().filter(|check| check.outcome == Outcome::Failed);
        let finding = |check: &Check| {
            let platform = check.platform.as_ref().map(|platform| format!(" ({platform})")).unwrap_or_default();
            let mut finding = Finding::error(check.code, format!("{}{platform}: {}", check.name, check.reason))
                .because(format!("the image is {}, {}", self.reference, self.digest));
            finding.help.clone_from(&check.help);
            check.evidence.iter().take(5).fold(finding, |finding, on| finding.because(format!("it stands on {on}")))
        };
        failed.map(finding).collect()
    }

    /// The same with what policies say.
    #[must_use]
    pub fn with(mut self, checks: Vec<Check>) -> Self {
        self.accepted &= checks.iter().all(|check| check.outcome != Outcome::Failed);
        self.checks.extend(checks);
        self.checks.sort_by_key(|check| match check.outcome {
            Outcome::Failed => (0, check.ground),
            Outcome::Passed | Outcome::Skipped => (1, Ground::Seen),
        });
        self
    }
}
