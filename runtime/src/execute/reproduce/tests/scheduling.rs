//! Which steps are run twice, and what becomes of them.

use std::sync::{Arc, Mutex};

use model::plan::{Op, Plan, PlanKey};
use model::{Arch, Code, codes};

use super::*;
use crate::Quiet;
use crate::execute::executor::{Commands, Executor, Ran};
use crate::execute::{Executed, Executors, Options, Record, execute};

/// Makes one file: what its answer is to the title of the step and to whether it is run again.
struct Fake {
    answer: fn(&str, bool) -> Result<&'static str, Code>,
    runs: Arc<Mutex<Vec<String>>>,
}

impl Executor for Fake {
    fn name(&self) -> &'static str {
        "fake"
    }

    fn rooms(&self) -> &'static [(&'static str, &'static str)] {
        &[]
    }

    fn runs(&self, _: Arch) -> bool {
        true
    }

    fn run(&self, context: &Context, commands: &Commands) -> Result<Ran, Finding> {
        let Commands { title, again, root, .. } = commands;
        let seen: Vec<String> = root.iter().map(|input| input.digest.hex()[..8].to_owned()).collect();
        self.runs.lock().unwrap().push(format!("{title} {again} {}", seen.join(" ")).trim_end().to_owned());
        let made = (self.answer)(title, *again).map_err(|code| Finding::error(code, format!("{title} failed")));
        let kept = made.map(|content| match made_of(context, content) {
            Value::Tree { tree, packs } => {
                let objects = packs.iter().copied().chain([tree]).collect();
                Record::new(Value::Tree { tree, packs }, objects)
            }
            other => panic!("{other:?}"),
        });
        let log = context.keep_document(again.to_string().as_bytes())?;
        Ok(Ran { made: kept.map(|record| record.with_log(log)), log: Some(log) })
    }
}

fn made_of(context: &Context, content: &str) -> Value {
    made(context, &[("x", content.as_bytes(), 0o644)])
}

/// A plan of steps, each of which reads what the one before made.
struct World {
    _dir: tempfile::TempDir,
    store: Store,
    plan: Plan,
    steps: Vec<PlanKey>,
    runs: Arc<Mutex<Vec<String>>>,
}

impl World {
    fn new(titles: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let (mut plan, mut steps) = (Plan::new(0), Vec::new());
        for title in titles {
            let op = Op::Run {
                v: 1,
                arch: Arch::Amd64,
                title: (*title).to_owned(),
                commands: vec![],
                env: BTreeMap::new(),
                workdir: "/".into(),
            };
            steps.push(plan.add(op, steps.last().copied().into_iter().collect()));
        }
        Self { _dir: dir, store, plan, steps, runs: Arc::default() }
    }

    fn execute(&self, check_reproducible: bool, answer: fn(&str, bool) -> Result<&'static str, Code>) -> Executed {
        let executors = Executors::just(Fake { answer, runs: self.runs.clone() });
        let options = Options { jobs: 2, executors, keep_going: false, check_reproducible, progress: Arc::new(Quiet) };
        execute(&self.plan, &self.store, &options).unwrap()
    }

    /// What was run since the last call: title, whether again, and the inputs' first digits.
    fn ran(&self) -> Vec<String> {
        std::mem::take(&mut self.runs.lock().unwrap())
    }
}

#[test]
fn every_run_step_is_run_twice_and_nothing_differs() {
    let world = World::new(&["one"]);
    let done = world.execute(true, |_, _| Ok("same"));
    assert_eq!(world.ran(), ["one false", "one true"]);
    assert!(done.failed.is_empty() && done.repeated[&world.steps[0]].is_equal(), "{done:?}");
    // what is remembered is the first run
    world.execute(true, |_, _| Ok("same"));
    assert_eq!(world.ran(), ["one true"]);
    let plain = world.execute(false, |_, _| Ok("same"));
    assert!(world.ran().is_empty() && plain.repeated.is_empty());
}

#[test]
fn a_difference_is_a_finding_and_others_go_on_with_what_the_first_run_made() {
    let world = World::new(&["one", "two"]);
    let done = world.execute(true, |title, again| Ok(if title == "one" && again { "other" } else { "same" }));
    let Value::Tree { tree, .. } = done.values[&world.steps[0]] else { panic!() };
    let input = &tree.hex()[..8];
    let expected = ["one false", "one true", &format!("two false {input}"), &format!("two true {input}")];
    assert_eq!(world.ran(), expected);
    assert_eq!(done.repeated.values().filter(|repeated| repeated.is_equal()).count(), 1);
    let [(key, finding)] = done.failed.as_slice() else { panic!("{done:?}") };
    assert_eq!((*key, finding.code), (world.steps[0], codes::NOT_REPRODUCIBLE));
    assert_eq!(done.findings_of(&world.plan), std::slice::from_ref(finding));
}

#[test]
fn a_second_run_that_fails_says_that_it_was_the_second_and_brings_its_log() {
    let world = World::new(&["one"]);
    let done = world.execute(true, |_, again| if again { Err(codes::COMMAND_FAILED) } else { Ok("x") });
    let [(_, finding)] = done.failed.as_slice() else { panic!("{done:?}") };
    assert_eq!(finding.code, codes::COMMAND_FAILED);
    assert!(finding.causes.iter().any(|cause| cause.contains("second run")), "{finding:?}");
    assert!(done.repeated.is_empty() && done.values.is_empty());
    assert_eq!(world.store.read(&done.logs[&world.steps[0]].digest, 100).unwrap(), b"true");
}

#[test]
fn a_first_run_that_fails_has_no_second() {
    let world = World::new(&["one"]);
    let done = world.execute(true, |_, _| Err(codes::COMMAND_FAILED));
    assert_eq!(world.ran(), ["one false"]);
    assert!(!done.failed[0].1.causes.iter().any(|cause| cause.contains("second run")));
}
