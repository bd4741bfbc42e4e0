//! Testing policies: rules named `test_…` in Rego, and cases that say which rules must speak of which facts.

mod cases;
mod coverage;

use model::{Finding, Findings, SourceId, Span, codes, has_errors};
use regorus::unstable::{Expr, Rule, RuleHead};

use crate::builtins;
use crate::engine::{Budget, Engine};
use crate::policy::Policy;
use crate::rego::{Analysis, Module, Said, clauses};

pub use cases::{Case, Cases};
pub use coverage::Coverage;

/// What came of one test.
#[derive(Clone, Debug)]
pub struct Tested {
    /// `test_name`, or what the case is called.
    pub name: String,
    /// What is wrong, if anything.
    pub failure: Option<Finding>,
}

/// What came of all tests.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Every test, in the order written.
    pub tests: Vec<Tested>,
    /// Which lines were evaluated, by policy.
    pub coverage: Vec<Coverage>,
}

/// Texts that test policies.
#[derive(Clone, Default)]
pub struct Tests {
    modules: Vec<Module>,
    cases: Vec<Cases>,
}

impl Tests {
    /// Adds a text in Rego with rules named `test_…`.
    ///
    /// # Errors
    /// What is wrong with its syntax.
    pub fn add_rego(&mut self, source: SourceId, text: &str) -> Result<(), Findings> {
        self.modules.push(Module::read(source, text)?);
        Ok(())
    }

    /// Adds cases.
    pub fn add_cases(&mut self, cases: Cases) {
        self.cases.push(cases);
    }

    /// Whether there is nothing to test with.
    pub fn is_empty(&self) -> bool {
        self.modules.is_empty() && self.cases.is_empty()
    }

    /// Tests policies.
    ///
    /// # Errors
    /// What is wrong with the policies, or with the tests themselves.
    pub fn run(&self, policies: &[Policy]) -> Result<Report, Findings> {
        let engine = Engine::new(policies, Budget::default())?;
        let mut report = Report::default();
        let mut evaluator = self.evaluator(policies)?;
        for module in &self.modules {
            for (name, span) in tests_of(module) {
                let query = format!("data.{}.{name}", module.package.join("."));
                let failure = match evaluator.eval_rule(query) {
                    Ok(regorus::Value::Bool(true)) => None,
                    Ok(_) => Some("it is not true".to_owned()),
                    Err(error) => Some(Said::of(&error.to_string()).message),
                };
                let failure = failure
                    .map(|why| Finding::error(codes::POLICY_TEST_FAILED, format!("{name} failed: {why}")).at(span));
                report.tests.push(Tested { name, failure });
            }
        }
        for cases in &self.cases {
            for case in &cases.all {
                let failure = case.run(&engine);
                report.tests.push(Tested { name: case.name.clone(), failure });
                // The same again for what is evaluated: the engine has no coverage of its own.
                evaluator.set_input(regorus::Value::from(case.facts.clone()));
                for (number, policy) in policies.iter().enumerate() {
                    for clause in clauses(number, &policy.module).0 {
                        let query = format!("data.{}.{}", policy.module.package.join("."), clause.own());
                        let _ = evaluator.eval_rule(query);
                    }
                }
            }
        }
        report.coverage = coverage::of(&evaluator, policies);
        Ok(report)
    }

    /// An evaluator of policies and tests that notes which lines it evaluates.
    fn evaluator(&self, policies: &[Policy]) -> Result<regorus::Engine, Findings> {
        let all: Vec<Module> =
            policies.iter().map(|policy| policy.module.clone()).chain(self.modules.iter().cloned()).collect();
        let mut analysis = Analysis::new(&all);
        analysis.rest();
        let findings = analysis.into_findings();
        // What a test gives as `input` need not be whole facts, so only functions matter here.
        let findings: Findings =
            findings.into_iter().filter(|finding| finding.code == codes::UNKNOWN_FUNCTION).collect();
        if has_errors(&findings) {
            return Err(findings);
        }
        let mut evaluator = regorus::Engine::new();
        evaluator.set_strict_builtin_errors(true);
        evaluator.set_enable_coverage(true);
        Budget::default().give(&mut evaluator);
        let failed =
            |why: &str, span: Span| Finding::error(codes::POLICY_SYNTAX, format!("a test is refused: {why}")).at(span);
        let nowhere = Span::new(SourceId(0), 0, 0);
        builtins::add_to(&mut evaluator).map_err(|why| failed(&why, nowhere))?;
        for (number, module) in all.iter().enumerate() {
            let text = if number < policies.len() { clauses(number, module).1 } else { module.text.clone() };
            let added = evaluator.add_policy(number.to_string(), text.to_string());
            added.map_err(|error| failed(&Said::of(&error.to_string()).message, Span::new(module.source, 0, 0)))?;
        }
        Ok(evaluator)
    }
}

/// The tests of a module, with the place of each.
fn tests_of(module: &Module) -> Vec<(String, Span)> {
    let named = |rule: &Rule| {
        let Rule::Spec { head: RuleHead::Compr { refr, span, .. }, .. } = rule else { return None };
        let Expr::Var { span: name, .. } = &**refr else { return None };
        name.text().starts_with("test_").then(|| (name.text().to_owned(), module.span(span)))
    };
    let mut tests: Vec<(String, Span)> = module.tree.policy.iter().filter_map(|rule| named(rule)).collect();
    tests.dedup_by(|a, b| a.0 == b.0);
    tests
}
