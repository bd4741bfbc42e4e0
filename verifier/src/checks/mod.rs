//! What is asked of an image: one file for each question.

mod fips;
mod image;
mod provenance;
mod sbom;
mod signature;
mod tests;
mod vex;
mod vulnerabilities;

use jiff::Timestamp;
use model::statement::PROVENANCE;
use model::{Code, Digest, codes};
use serde_json::Value;

use crate::evidence::{Evidence, Part};
use crate::expectations::Expectations;
use crate::said::{Said, Statements};
use crate::verdict::{Check, Ground, Outcome};

pub(crate) use image::whole;
pub(crate) use provenance::origin;
pub(crate) use tests::{gates, report};
pub(crate) use vulnerabilities::scan;

/// Clocks differ: what is so many seconds ahead is not from the future yet.
const SKEW: i64 = 300;

/// All that checks look at.
pub(crate) struct Context<'c> {
    pub(crate) evidence: &'c Evidence,
    /// The index, and the images in it.
    pub(crate) parts: &'c [Part],
    pub(crate) statements: &'c Statements,
    pub(crate) expected: &'c Expectations,
    /// Seconds since 1970.
    pub(crate) now: i64,
}

/// What predicates are called that checks read, and licence reports, by what policies call them.
pub(crate) const KINDS: [(&str, &[&str]); 6] = [
    ("slsa-provenance", &[PROVENANCE]),
    ("sbom", &sbom::KINDS),
    ("vex", &vex::KINDS),
    ("vulnerabilities", &vulnerabilities::KINDS),
    ("test-report", &[tests::RESULT]),
    ("licences", &["urn:clnstrt:licences:v1"]),
];

/// Asks everything.
pub(crate) fn all(context: &Context<'_>) -> Vec<Check> {
    let mut checks = vec![signature::check(context)];
    for part in context.images() {
        let of_part = [
            provenance::check(context, part),
            sbom::check(context, part),
            vulnerabilities::check(context, part),
            vex::check(context, part),
            tests::check(context, part),
            fips::check(context, part),
        ];
        checks.extend(of_part.into_iter().map(|check| check.of(&part.platform)));
    }
    checks
}

impl Context<'_> {
    /// The images, without the indexes they are in.
    pub(crate) fn images(&self) -> impl Iterator<Item = &Part> {
        self.parts.iter().filter(|part| part.manifest.config.is_some())
    }

    /// What counts for a part: what is said of it, and of the image it is in.
    pub(crate) fn scope(&self, part: &Part) -> [Digest; 2] {
        [part.digest, self.evidence.digest]
    }

    /// That nothing of some kinds is said of a part by anybody whose word counts.
    pub(crate) fn nothing(&self, name: &'static str, code: Code, what: &str, kinds: &[&str]) -> Check {
        let failed = |reason: String| Check::new(name, code, Outcome::Failed, reason);
        // What is said of a part of the image alone, or of the index of which this is one.
        let apart = self.statements.said.iter().find(|said| kinds.contains(&said.kind.as_str()));
        match (self.statements.why_not(kinds), apart) {
            (Some(rejected), _) => failed(format!("there is no {what} that counts: {}", rejected.why))
                .on([rejected.place.clone()])
                .for_want_of(Ground::PassedOver(rejected.why.distance())),
            (None, Some(said)) => {
                let about: Vec<String> = said.about.iter().map(Digest::to_string).collect();
                let reason = format!(
                    "there is no {what} that counts: {} says it of {}, and not of this",
                    said.by,
                    about.join(", ")
                );
                failed(reason).on([said.place.clone()])
            }
            (None, None) => {
                failed(format!("there is no {what}")).help("attach one, or demand less").for_want_of(Ground::Nothing)
            }
        }
    }

    /// Whether something said at some time is too old, or from the future; `None` where it is neither.
    pub(crate) fn stale(&self, what: &str, time: Option<Timestamp>) -> Option<String> {
        let Some(time) = time else {
            return self.expected.max_age.map(|_| format!("the {what} does not say of when it is"));
        };
        let age = self.now - time.as_second();
        if age < -SKEW {
            return Some(format!("the {what} is from the future: {time}"));
        }
        let most = self.expected.max_age?;
        (age > most).then(|| format!("the {what} of {time} is older than {} days", most / 86_400))
    }
}

/// The latest of what is said, by the time it says; what says none comes first.
pub(crate) fn latest<'s>(
    said: impl Iterator<Item = &'s Said>,
    time: impl Fn(&Said) -> Option<Timestamp>,
) -> Option<(&'s Said, Option<Timestamp>)> {
    said.map(|said| (said, time(said))).max_by_key(|(_, time)| *time)
}

/// When something was finished. Some formats have no time of their own; where one is written, it counts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Finished {
    Unsaid,
    Unreadable,
    At(Timestamp),
}

impl Finished {
    fn of(written: Option<&Value>) -> Self {
        match written {
            None => Finished::Unsaid,
            written => time(written).map_or(Finished::Unreadable, Finished::At),
        }
    }

    fn time(self) -> Option<Timestamp> {
        match self {
            Finished::At(time) => Some(time),
            Finished::Unsaid | Finished::Unreadable => None,
        }
    }
}

/// A text as a time.
pub(crate) fn time(value: Option<&Value>) -> Option<Timestamp> {
    value?.as_str()?.parse().ok()
}

/// That something holds.
fn passed(name: &'static str, said: &Said, reason: String) -> Check {
    Check::new(name, codes::STATEMENT_MISSING, Outcome::Passed, reason).on([said.place.clone()])
}

/// That nobody asked.
fn skipped(name: &'static str, reason: &str) -> Check {
    Check::new(name, codes::STATEMENT_MISSING, Outcome::Skipped, reason)
}
