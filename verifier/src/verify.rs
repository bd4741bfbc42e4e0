//! Evidence in, verdict out.

use model::Digest;
use policy::Facts;

use crate::checks::{self, Context};
use crate::evidence::Evidence;
use crate::expectations::Expectations;
use crate::facts;
use crate::said::Statements;
use crate::trust::Trust;
use crate::verdict::{Outcome, PassedOver, Verdict};

/// What came of it, and what policies can be asked about.
#[derive(Clone, Debug)]
pub struct Verified {
    /// What came of the checks.
    pub verdict: Verdict,
    /// The facts of stage `deploy`; `None` of an image that is none, or where they are not wanted.
    pub facts: Option<Facts>,
    /// The plan that the image was made by, as provenance has it that counts.
    pub plan: Option<Digest>,
}

/// Judges an image by what was gathered of it; `now` is in seconds since 1970.
pub fn verify(evidence: &Evidence, trust: &Trust, expected: &Expectations, now: i64) -> Verified {
    let (parts, whole) = checks::whole(evidence);
    let is_whole = whole.outcome == Outcome::Passed;
    let mut verdict = Verdict {
        reference: evidence.reference.clone(),
        digest: evidence.digest,
        accepted: is_whole,
        checks: vec![whole],
        passed_over: Vec::new(),
    };
    if !is_whole {
        return Verified { verdict, facts: None, plan: None };
    }
    let statements = Statements::collect(evidence, &parts, trust, now);
    let context = Context { evidence, parts: &parts, statements: &statements, expected, now };
    verdict.passed_over = statements
        .rejected
        .iter()
        .map(|rejected| PassedOver { place: rejected.place.clone(), reason: rejected.why.to_string() })
        .collect();
    let verdict = verdict.with(checks::all(&context));
    let facts = expected.facts.then(|| Facts { document: facts::document(&context), ..Facts::default() });
    let plan = context.images().next().and_then(|part| checks::origin(&context, part)?.plan);
    Verified { verdict, facts, plan }
}
