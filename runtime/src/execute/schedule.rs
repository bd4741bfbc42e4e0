//! Which step runs when.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use model::plan::{Op, Plan, PlanKey, Step};
use model::{Class, Finding, codes};
use rayon::{Scope, ThreadPoolBuilder};

use super::run::Job;
use super::{Context, Executed, Object, Options, Repeated, Value, action, broken, reproduce};
use crate::Task;

/// A plan on its way: what each step made, and who waits for whom.
pub(super) struct Graph<'a> {
    plan: &'a Plan,
    context: &'a Context<'a>,
    users: BTreeMap<PlanKey, Vec<PlanKey>>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    values: BTreeMap<PlanKey, Value>,
    logs: BTreeMap<PlanKey, Object>,
    /// Steps whose inputs are there, heaviest first.
    ready: BinaryHeap<(u64, Reverse<PlanKey>)>,
    /// How many inputs a step still waits for.
    waiting: BTreeMap<PlanKey, usize>,
    repeated: BTreeMap<PlanKey, Repeated>,
    failed: Vec<(PlanKey, Finding)>,
    /// The machine failed: nothing more is started.
    stopped: bool,
}

impl<'a> Graph<'a> {
    pub(super) fn new(plan: &'a Plan, context: &'a Context<'a>) -> Self {
        let mut users: BTreeMap<PlanKey, Vec<PlanKey>> = BTreeMap::new();
        let mut state = State::default();
        for (key, step) in &plan.steps {
            for input in &step.inputs {
                users.entry(*input).or_default().push(*key);
            }
            state.waiting.insert(*key, step.inputs.len());
        }
        Self { plan, context, users, state: Mutex::new(state) }
    }

    /// Runs every step. What the store remembers is taken from it here, without starting a thread.
    pub(super) fn run(self, options: &Options) -> Result<Executed, Finding> {
        let mut open: Vec<PlanKey> = self.waiting_for(0);
        while let Some(key) = open.pop() {
            match self.recall(&key) {
                Ok(Some(value)) if !self.runs_twice(&key, options) => open.extend(self.done(key, value)),
                Ok(_) => self.ready(key),
                Err(finding) => self.failed(key, finding),
            }
        }
        let ready = self.lock().ready.len();
        if ready > 0 && !self.lock().stopped {
            let total = self
                .plan
                .steps
                .keys()
                .filter(|key| !self.lock().values.contains_key(key))
                .map(|key| self.size(key))
                .sum();
            let task = options.progress.task("building", total);
            let pool = ThreadPoolBuilder::new().num_threads(options.jobs).build();
            let pool = pool.map_err(|e| Finding::error(codes::STORE_IO, format!("no thread can be started: {e}")))?;
            pool.scope(|scope| (0..ready).for_each(|_| self.spawn(scope, &*task, options)));
            task.finish();
        }
        let state = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        let State { values, logs, repeated, mut failed, .. } = state;
        failed.extend(repeated.iter().filter_map(|(key, repeated)| Some((*key, repeated.finding()?))));
        Ok(Executed { values, logs, repeated, failed })
    }

    /// Each ready step is one task, and each task takes the heaviest step there is by then.
    fn spawn<'s>(&'s self, scope: &Scope<'s>, task: &'s dyn Task, options: &'s Options) {
        scope.spawn(move |scope| {
            let next = {
                let mut state = self.lock();
                if state.stopped { None } else { state.ready.pop() }
            };
            let Some((_, Reverse(key))) = next else { return };
            if self.gives_up(&key, options) {
                return;
            }
            match self.execute(&key, options) {
                Err(finding) => self.failed(key, finding),
                Ok(value) => {
                    task.advance(self.size(&key));
                    for key in self.done(key, value) {
                        self.ready(key);
                        self.spawn(scope, task, options);
                    }
                }
            }
        });
    }

    /// Whether a step is not worth its time any more: it compiles something, and another step has failed.
    fn gives_up(&self, key: &PlanKey, options: &Options) -> bool {
        self.compiles(key) && !options.keep_going && !self.lock().failed.is_empty()
    }

    fn runs_twice(&self, key: &PlanKey, options: &Options) -> bool {
        options.check_reproducible && self.compiles(key)
    }

    fn compiles(&self, key: &PlanKey) -> bool {
        self.plan.steps.get(key).is_some_and(|step| matches!(step.op, Op::Run { .. }))
    }

    fn execute(&self, key: &PlanKey, options: &Options) -> Result<Value, Finding> {
        let recalled = self.recall(key)?;
        let twice = self.runs_twice(key, options);
        if let Some(value) = recalled.clone().filter(|_| !twice) {
            return Ok(value);
        }
        let step = self.step(key)?;
        let inputs = self.inputs(step);
        let action = action::digest(&step.op, &inputs);
        let names = step.inputs.iter().map(|input| self.name(input)).collect();
        let mut job = Job { op: &step.op, inputs, names, again: false };
        let start = Instant::now();
        let value = match recalled {
            Some(value) => value,
            None => {
                let ran = self.context.run(&job, options);
                self.logged(key, ran.log);
                let record = ran.made?;
                action::keep(self.context.store, &action, &record)?;
                record.value
            }
        };
        if twice {
            std::thread::sleep(reproduce::APART.saturating_sub(start.elapsed()));
            job.again = true;
            let ran = self.context.run(&job, options);
            let again = ran.made.map_err(|finding| {
                self.logged(key, ran.log);
                finding.because("the first time it succeeded; this was its second run, to compare what it makes")
            })?;
            let repeated = reproduce::compare(self.context, self.name(key), &value, &again.value)?;
            self.lock().repeated.insert(*key, repeated);
        }
        Ok(value)
    }

    /// What a step made before; leaves are made before the plan is executed.
    fn recall(&self, key: &PlanKey) -> Result<Option<Value>, Finding> {
        let step = self.step(key)?;
        let store = self.context.store;
        match &step.op {
            Op::Fetch { file, sha256, size, .. } => {
                let found = std::fs::metadata(store.path(sha256)).ok().filter(|_| store.has(sha256)).map(|m| m.len());
                match found {
                    Some(found) if *size == 0 || found == *size => {
                        Ok(Some(Value::Blob(Object { digest: *sha256, size: found })))
                    }
                    Some(found) => {
                        // Damage first: a truncated object has another size as well.
                        self.context.verify(sha256).map_err(|finding| finding.because(format!("it is {file}")))?;
                        let message = format!("the lock gives {file} {size} bytes; the file of its digest has {found}");
                        Err(Finding::error(codes::LOCK_INCONSISTENT, message)
                            .help("make the lock again: `clnstrt-cli lock --update`"))
                    }
                    None => Err(Finding::error(codes::STORE_IO, format!("the store does not have {file} ({sha256})"))
                        .help("It may have been removed while the build ran. Start the build again.")),
                }
            }
            Op::Local { .. } => match action::recall(store, &action::digest(&step.op, &[])) {
                Some(record) => Ok(Some(record.value)),
                None => Err(Finding::error(codes::STORE_IO, "the store does not have the captured files any more")
                    .help("They are captured anew when the build is started again.")),
            },
            op => Ok(action::recall(store, &action::digest(op, &self.inputs(step))).map(|record| {
                self.logged(key, record.log);
                record.value
            })),
        }
    }

    fn logged(&self, key: &PlanKey, log: Option<Object>) {
        if let Some(log) = log {
            self.lock().logs.insert(*key, log);
        }
    }

    fn inputs(&self, step: &Step) -> Vec<Value> {
        let state = self.lock();
        step.inputs.iter().filter_map(|input| state.values.get(input).cloned()).collect()
    }

    fn done(&self, key: PlanKey, value: Value) -> Vec<PlanKey> {
        let mut state = self.lock();
        state.values.insert(key, value);
        let mut ready = Vec::new();
        for user in self.users.get(&key).into_iter().flatten() {
            if let Some(waiting) = state.waiting.get_mut(user) {
                *waiting -= 1;
                if *waiting == 0 {
                    ready.push(*user);
                }
            }
        }
        ready
    }

    fn ready(&self, key: PlanKey) {
        let weight = self.weight(&key);
        self.lock().ready.push((weight, Reverse(key)));
    }

    fn failed(&self, key: PlanKey, finding: Finding) {
        let mut state = self.lock();
        state.stopped |= finding.code.class == Class::Environment;
        state.failed.push((key, finding));
    }

    fn waiting_for(&self, inputs: usize) -> Vec<PlanKey> {
        self.lock().waiting.iter().filter(|(_, waiting)| **waiting == inputs).map(|(key, _)| *key).collect()
    }

    fn step(&self, key: &PlanKey) -> Result<&'a Step, Finding> {
        self.plan.steps.get(key).map(AsRef::as_ref).ok_or_else(|| broken(format!("no step has the key {key}")))
    }

    /// What a step's output is to people.
    fn name(&self, key: &PlanKey) -> &'a str {
        let Some(step) = self.plan.steps.get(key) else { return "" };
        match &step.op {
            Op::Fetch { file, .. } => file.rsplit('/').next().unwrap_or(file),
            Op::Local { .. } => "the author's files",
            Op::Unpack { .. } => step.inputs.first().map_or("", |input| self.name(input)),
            Op::Layer { title, .. } | Op::Run { title, .. } => title,
            Op::Pick { .. } => step.inputs.first().map_or("", |input| self.name(input)),
            _ => "a tree of the plan",
        }
    }

    /// Bytes a step reads from an archive.
    fn size(&self, key: &PlanKey) -> u64 {
        let input = self
            .plan
            .steps
            .get(key)
            .filter(|step| matches!(step.op, Op::Unpack { .. }))
            .and_then(|step| step.inputs.first());
        match input.and_then(|input| self.lock().values.get(input).cloned()) {
            Some(Value::Blob(blob)) => blob.size,
            _ => 0,
        }
    }

    /// Long unpacking starts first, so that it does not end last; whatever else is ready, others wait for.
    fn weight(&self, key: &PlanKey) -> u64 {
        match self.plan.steps.get(key).map(|step| &step.op) {
            Some(Op::Unpack { .. }) => self.size(key),
            _ => u64::MAX,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
