//! Asking policies about facts.

mod budget;
mod input;
mod said;
mod unknown;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::Timestamp;
use model::{Finding, Findings, Severity, Span, codes, has_errors};

use crate::check;
use crate::exception::Exception;
use crate::facts::{Facts, Stage};
use crate::policy::Policy;
use crate::rego::{Analysis, Clause, Module, Read, Reads, clauses, shown};
use crate::{builtins, rego};

use budget::Failure;
pub use budget::{Budget, memory_in_use};
use said::Places;

/// Policies that were checked together, ready to be asked.
#[derive(Clone)]
pub struct Engine {
    evaluator: regorus::Engine,
    rules: Vec<Rule>,
    exceptions: Vec<Exception>,
    budget: Budget,
}

/// A clause with all that is known of it before anything is asked.
#[derive(Clone)]
struct Rule {
    policy: String,
    clause: Clause,
    /// Where a finding points at.
    span: Span,
    reads: Reads,
    /// `data.clnstrt.policy.deny__0`
    query: String,
}

/// What came of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It has nothing to say.
    Holds,
    /// It says so many things, and an exception lets each through.
    Excepted(usize),
    /// It says so many things; those that an exception lets through are not among them.
    Says(usize),
    /// It reads what is not known before this stage.
    Deferred(Stage),
    /// It reads what should be known by now and is not: these facts. It refuses.
    Unknown(Vec<String>),
    /// It could not be evaluated, for this reason. It refuses.
    Failed(String),
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Verdict::Holds => f.write_str("holds"),
            Verdict::Excepted(number) => write!(f, "excepted: {number}"),
            Verdict::Says(number) => write!(f, "says {number}"),
            Verdict::Deferred(stage) => write!(f, "deferred to {stage}"),
            Verdict::Unknown(facts) => write!(f, "unknown: {}", facts.join(", ")),
            Verdict::Failed(why) => write!(f, "failed: {why}"),
        }
    }
}

/// A rule, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The policy it belongs to.
    pub policy: String,
    /// Its name.
    pub rule: String,
    /// Whether what it says refuses, or only warns.
    pub severity: Severity,
    /// Where it is written.
    pub span: Span,
    /// The facts it looks at, as they are written in Rego.
    pub reads: Vec<String>,
    /// What came of it.
    pub verdict: Verdict,
}

/// Something that was let through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excepted {
    /// The rule that says it.
    pub rule: String,
    /// What it says.
    pub message: String,
    /// Why it is let through.
    pub reason: String,
    /// Who decided so.
    pub approved_by: String,
    /// Until when, `2027-01-31`.
    pub until: String,
}

/// What policies say of an image.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// What refuses, and what is to be warned of.
    pub findings: Findings,
    /// Every rule, in the order of policies and lines.
    pub decisions: Vec<Decision>,
    /// What an exception lets through.
    pub excepted: Vec<Excepted>,
}

impl Outcome {
    /// Whether nothing refuses.
    pub fn is_accepted(&self) -> bool {
        !has_errors(&self.findings)
    }

    /// Adds what other policies say.
    pub fn take_in(&mut self, other: Self) {
        self.findings.extend(other.findings);
        self.decisions.extend(other.decisions);
        self.excepted.extend(other.excepted);
    }
}

impl Engine {
    /// Checks policies, and makes them ready.
    ///
    /// # Errors
    /// Everything that is wrong with them.
    pub fn new(policies: &[Policy], budget: Budget) -> Result<Self, Findings> {
        let modules: Vec<Module> = policies.iter().map(|policy| policy.module.clone()).collect();
        let mut findings: Findings = modules.iter().flat_map(check::shape).collect();
        findings.extend(check::namesakes(policies));
        let mut analysis = Analysis::new(&modules);
        let mut evaluator = regorus::Engine::new();
        evaluator.set_strict_builtin_errors(true);
        let failed = |why: &str| {
            let said = rego::Said::of(why);
            let finding = Finding::error(codes::POLICY_SYNTAX, format!("the policies are refused: {}", said.message));
            // What a policy in YAML was lowered to has no places in it.
            let policy = said.text().and_then(|number| policies.get(number)).filter(|one| one.places.is_empty());
            let span = policy.and_then(|policy| said.span(policy.module.source, &policy.module.text));
            span.into_iter().fold(finding, Finding::at)
        };
        builtins::add_to(&mut evaluator).map_err(|why| failed(&why))?;
        let mut rules = Vec::new();
        for (number, policy) in policies.iter().enumerate() {
            let (clauses, text) = clauses(number, &policy.module);
            // The number says which of the policies an error is about.
            if let Err(error) = evaluator.add_policy(number.to_string(), text.to_string()) {
                findings.push(failed(&error.to_string()));
                continue;
            }
            for clause in clauses {
                let reads = analysis.reads(number, &clause);
                // A rule that comes with another one is where that is.
                let section = clause.name.split('.').next().unwrap_or_default();
                let place = policy.places.get(&clause.name).or_else(|| policy.places.get(section));
                let span = place.copied().unwrap_or(clause.span);
                let query = format!("data.{}.{}", policy.module.package.join("."), clause.own());
                rules.push(Rule { policy: policy.name.clone(), clause, span, reads, query });
            }
        }
        analysis.rest();
        findings.extend(analysis.into_findings());
        let exceptions: Vec<Exception> = policies.iter().flat_map(|policy| policy.exceptions.clone()).collect();
        let names: Vec<&str> = rules.iter().map(|rule| rule.clause.name.as_str()).collect();
        let lost = exceptions.iter().filter(|one| !names.iter().any(|name| one.is_of(name)));
        findings.extend(lost.map(|one| one.lost(&names)));
        if !has_errors(&findings) {
            budget.give(&mut evaluator);
            // What is wrong with all of them together is found before anything is asked: a variable that nothing binds.
            if let Err(error) = evaluator.eval_query("true".into(), false) {
                findings.push(failed(&error.to_string()));
            }
        }
        if has_errors(&findings) {
            return Err(findings);
        }
        Ok(Self { evaluator, rules, exceptions, budget })
    }

    /// Asks every rule. Facts that are none of a stage, or have no time, refuse.
    pub fn ask(&mut self, facts: &Facts) -> Outcome {
        self.ask_in_parts(facts, &Input::of(facts), 1, |parts| parts.into_iter().map(Part::answers).collect())
    }

    /// The same in so many parts, each with some of the rules. `all` answers every part, in any order; on which threads is its
    /// business. What comes out does not depend on how many there are, but that rules asked at once may use each other's memory.
    pub fn ask_in_parts(
        &mut self,
        facts: &Facts,
        input: &Input,
        parts: usize,
        all: impl FnOnce(Vec<Part<'_>>) -> Vec<Answers>,
    ) -> Outcome {
        let mut outcome = Outcome::default();
        let now = facts.document.get("now").and_then(|now| now.as_str()?.parse::<Timestamp>().ok());
        let (Some(stage), Some(now)) = (facts.stage(), now) else {
            let finding =
                Finding::error(codes::FACTS_UNREADABLE, "the facts do not say of which stage and time they are");
            outcome.findings.push(finding.help("give `stage` and `now`, as the schema of facts describes them"));
            return outcome;
        };
        let today = now.to_zoned(jiff::tz::TimeZone::UTC).date();
        self.evaluator.set_input(input.value.clone());
        let each = self.rules.len().div_ceil(parts.max(1)).max(1);
        let mut pieces: Vec<Part<'_>> = Vec::new();
        for (number, rules) in self.rules.chunks(each).enumerate() {
            let (evaluator, budget) = (self.evaluator.clone(), self.budget);
            pieces.push(Part { evaluator, budget, first: number * each, rules, stage, missing: &input.missing });
        }
        let several = pieces.len() > 1;
        let placed = |part: Answers| (part.first..).zip(part.list);
        let mut answers: BTreeMap<usize, Answer> = all(pieces).into_iter().flat_map(placed).collect();
        // Memory is one for all that are asked at once, so who spends it is asked by itself.
        if several && answers.values().any(|answer| matches!(answer, Answer::Failed(failure) if failure.is_spent)) {
            let (evaluator, budget) = (self.evaluator.clone(), self.budget);
            let whole = Part { evaluator, budget, first: 0, rules: &self.rules, stage, missing: &input.missing };
            answers = placed(whole.answers()).collect();
        }
        let places = Places::of(facts);
        let mut used = vec![false; self.exceptions.len()];
        let mut spent = false;
        for (number, rule) in self.rules.iter().enumerate() {
            // A part that was lost refuses.
            let lost = || Answer::Failed(Failure { why: "it was not answered".into(), is_spent: false });
            let verdict = match answers.remove(&number).unwrap_or_else(lost) {
                Answer::Deferred => Verdict::Deferred(rule.reads.stage),
                Answer::Unknown(unknown) => {
                    outcome.findings.push(rule.unknown(&unknown, facts));
                    Verdict::Unknown(unknown)
                }
                // Whether a part came to it or not.
                Answer::Said(_) | Answer::Failed(_) if spent => {
                    Verdict::Failed("the budget was spent by a rule before".into())
                }
                Answer::Said(said) => {
                    let (mut refused, mut excepted) = (Vec::new(), 0);
                    for said in &said {
                        let exception = self.exceptions.iter().zip(&mut used).find(|(exception, _)| {
                            !exception.has_expired(today) && exception.is_about(&rule.clause.name, said)
                        });
                        if let Some((exception, used)) = exception {
                            *used = true;
                            excepted += 1;
                            outcome.excepted.push(rule.excepted(exception, said));
                        } else {
                            refused.push(said);
                        }
                    }
                    // What an exception lets through does not count either.
                    let at_most = said.iter().map(said::at_most).min().unwrap_or(0);
                    if refused.len() <= at_most {
                        refused.clear();
                    }
                    outcome.findings.extend(refused.iter().map(|said| rule.finding(said, &places, facts)));
                    match (refused.len(), excepted) {
                        (0, 0) => Verdict::Holds,
                        (0, excepted) => Verdict::Excepted(excepted),
                        (number, _) => Verdict::Says(number),
                    }
                }
                Answer::Failed(failure) => {
                    spent |= failure.is_spent;
                    outcome.findings.push(rule.failed(&failure, facts));
                    Verdict::Failed(failure.why)
                }
            };
            outcome.decisions.push(rule.decision(verdict));
        }
        for (exception, used) in self.exceptions.iter().zip(used) {
            let of_a_rule_that_waits = || {
                let waiting = |decision: &Decision| matches!(decision.verdict, Verdict::Deferred(_));
                outcome.decisions.iter().any(|decision| waiting(decision) && exception.is_of(&decision.rule))
            };
            if exception.has_expired(today) {
                outcome.findings.push(exception.expired());
            } else if !used && !of_a_rule_that_waits() {
                outcome.findings.push(exception.unused());
            }
        }
        outcome
    }

    /// The names of all rules, with the policy of each and the stage from which it decides.
    pub fn rules(&self) -> impl Iterator<Item = (&str, &str, Stage)> {
        self.rules.iter().map(|rule| (rule.policy.as_str(), rule.clause.name.as_str(), rule.reads.stage))
    }
}

/// Facts as rules look at them. Any number of engines can be asked about them.
pub struct Input {
    value: regorus::Value,
    missing: BTreeSet<Read>,
}

impl Input {
    /// Of facts that are about to be asked about.
    pub fn of(facts: &Facts) -> Self {
        Self { value: input::input(&facts.document), missing: unknown::missing(&facts.document) }
    }
}

/// Some of the rules, with all that answering them takes.
pub struct Part<'e> {
    evaluator: regorus::Engine,
    budget: Budget,
    /// The place of its first rule among all.
    first: usize,
    rules: &'e [Rule],
    stage: Stage,
    missing: &'e BTreeSet<Read>,
}

/// What the rules of a part answer.
pub struct Answers {
    /// The place of the first of them among all rules.
    first: usize,
    list: Vec<Answer>,
}

enum Answer {
    Deferred,
    Unknown(Vec<String>),
    Said(Vec<serde_json::Value>),
    Failed(Failure),
}

impl Part<'_> {
    /// What each of its rules answers. After one that spent the budget no other is asked.
    pub fn answers(mut self) -> Answers {
        let mut spent = false;
        let answers = self.rules.iter().map(|rule| {
            if rule.reads.stage > self.stage {
                return Answer::Deferred;
            }
            let unknown = unknown::facts(&rule.reads, self.missing);
            if !unknown.is_empty() {
                return Answer::Unknown(unknown);
            }
            if spent {
                return Answer::Said(Vec::new());
            }
            match self.budget.evaluate(&mut self.evaluator, &rule.query) {
                Ok(said) => Answer::Said(said::all(&said)),
                Err(failure) => {
                    spent |= failure.is_spent;
                    Answer::Failed(failure)
                }
            }
        });
        Answers { first: self.first, list: answers.collect() }
    }
}

impl Rule {
    fn decision(&self, verdict: Verdict) -> Decision {
        Decision {
            policy: self.policy.clone(),
            rule: self.clause.name.clone(),
            severity: self.clause.set.severity(),
            span: self.span,
            reads: self.reads.facts.iter().map(|read| shown(read)).collect(),
            verdict,
        }
    }

    fn excepted(&self, exception: &Exception, said: &serde_json::Value) -> Excepted {
        Excepted {
            rule: self.clause.name.clone(),
            message: said::message(said),
            reason: exception.reason.clone(),
            approved_by: exception.approved_by.clone(),
            until: exception.until.to_string(),
        }
    }

    fn finding(&self, said: &serde_json::Value, places: &Places<'_>, facts: &Facts) -> Finding {
        let message = format!("{} ({}): {}", self.clause.name, self.policy, said::message(said));
        let finding = match self.clause.set.severity() {
            Severity::Error => Finding::error(codes::POLICY_REFUSES, message),
            Severity::Warning => Finding::warning(codes::POLICY_WARNS, message),
        };
        let finding = self.placed(finding, places.find(said), facts);
        match said::remedy(said) {
            Some(remedy) => finding.help(remedy),
            None => finding,
        }
    }

    fn failed(&self, failure: &Failure, facts: &Facts) -> Finding {
        let (code, help) = if failure.is_spent {
            (codes::POLICY_BUDGET, "let the rule look at less: what takes too long or too much memory refuses")
        } else {
            (codes::POLICY_FAILED, "mend the rule: what cannot be evaluated refuses")
        };
        let message = format!("{} ({}) could not be evaluated: {}", self.clause.name, self.policy, failure.why);
        self.placed(Finding::error(code, message).help(help), None, facts)
    }

    fn unknown(&self, unknown: &[String], facts: &Facts) -> Finding {
        let message =
            format!("{} ({}) cannot be decided: {} is not known", self.clause.name, self.policy, unknown.join(", "));
        let finding = Finding::error(codes::FACT_UNKNOWN, message);
        self.placed(finding.help("what should be known by now and is not, refuses"), None, facts)
    }

    /// Points at what the finding is about, and at the rule.
    fn placed(&self, finding: Finding, place: Option<Span>, facts: &Facts) -> Finding {
        let read = || {
            self.reads.facts.iter().find_map(|read| {
                let names = read.iter().map_while(|step| match step {
                    rego::Step::Name(name) => Some(name.clone()),
                    rego::Step::Any => None,
                });
                facts.place(&names.collect::<Vec<_>>())
            })
        };
        match place.or_else(read) {
            Some(place) => finding.at(place).label(self.span, "the rule is here"),
            None => finding.at(self.span),
        }
    }
}

#[cfg(test)]
mod tests {
    use model::Sources;
    use serde_json::json;

    use super::*;

    const RULES: &str = "package clnstrt.policy.t\n\
        deny contains {\"code\": \"A\", \"msg\": \"a\"} if input.image.name == \"a\"\n\
        deny contains {\"code\": \"B\", \"msg\": \"b\"} if input.image.name == \"b\"\n\
        deny contains {\"code\": \"C\", \"msg\": \"c\"} if input.image.name == \"c\"\n";

    fn verdicts(parts: usize, lost: Option<usize>) -> Vec<Verdict> {
        let policy = Policy::rego("t", Sources::default().add("t.rego", RULES), RULES).unwrap();
        let mut engine = Engine::new(&[policy], Budget::default()).unwrap();
        let mut document: serde_json::Value =
            serde_json::from_str(include_str!("../../../stdlib/policies/example.compile.json")).unwrap();
        document["image"]["name"] = json!("c");
        let facts = Facts { document, ..Facts::default() };
        let outcome = engine.ask_in_parts(&facts, &Input::of(&facts), parts, |parts| {
            let kept = parts.into_iter().enumerate().filter(|(number, _)| Some(*number) != lost);
            kept.map(|(_, part)| part.answers()).collect()
        });
        outcome.decisions.into_iter().map(|decision| decision.verdict).collect()
    }

    #[test]
    fn however_many_parts_there_are_the_answers_are_the_same_and_a_lost_one_refuses() {
        use Verdict::{Failed, Holds, Says};
        for parts in [0, 1, 2, 3, 100] {
            assert_eq!(verdicts(parts, None), [Holds, Holds, Says(1)], "{parts}");
        }
        let failed = || Failed("it was not answered".into());
        assert_eq!(verdicts(2, Some(0)), [failed(), failed(), Says(1)]);
        assert_eq!(verdicts(3, Some(2)), [Holds, Holds, failed()]);
    }
}
