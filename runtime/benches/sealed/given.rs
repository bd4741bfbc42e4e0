//! What is compiled: a plan and its lock, and the steps of one project in it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use model::lock::Lock;
use model::plan::{Op, Plan, PlanKey, Step};

pub(crate) struct Given {
    /// A store with all that the plan's leaves name, and nothing that was made of it.
    pub(crate) store: PathBuf,
    pub(crate) plan: Plan,
    pub(crate) lock: Lock,
}

impl Given {
    pub(crate) fn read(store: &Path, plan: &Path, lock: &Path) -> Self {
        Self {
            store: store.to_owned(),
            plan: serde_json::from_slice(&std::fs::read(plan).unwrap()).unwrap(),
            lock: Lock::from_text(&std::fs::read(lock).unwrap()).unwrap(),
        }
    }

    /// The step that compiles a project, and its environment.
    pub(crate) fn step(&self, project: &str) -> (PlanKey, BTreeMap<String, String>) {
        let title = format!("compile {project} ");
        let found = self.plan.steps.iter().find_map(|(key, step)| match &step.op {
            Op::Run { title: own, env, .. } if own.starts_with(&title) => Some((*key, env.clone())),
            _ => None,
        });
        found.unwrap_or_else(|| panic!("the plan compiles no {project}"))
    }

    /// The plan that makes one step.
    pub(crate) fn up_to(&self, step: PlanKey) -> Plan {
        let mut plan = Plan::new(self.plan.epoch);
        self.take_in(&mut plan, step);
        plan
    }

    /// The plan that makes of a project what a build of an image makes of it: trees, layer, debugging information, verdict.
    pub(crate) fn whole(&self, project: &str) -> Plan {
        let (run, _) = self.step(project);
        let mut plan = self.up_to(run);
        let picked = |step: &Step| matches!(step.op, Op::Pick { .. }) && step.inputs == [run];
        let picked: BTreeSet<PlanKey> =
            self.plan.steps.iter().filter(|(_, step)| picked(step)).map(|(key, _)| *key).collect();
        picked.iter().for_each(|step| self.take_in(&mut plan, *step));
        for step in self.plan.steps.values() {
            if let Op::Inspect { v, arch, profile, demands, parts } = &step.op {
                let own = parts.iter().zip(&step.inputs).filter(|(_, input)| picked.contains(*input));
                let (parts, inputs): (_, Vec<PlanKey>) = own.map(|(part, input)| (part.clone(), *input)).unzip();
                for input in &inputs {
                    let title = "the result".to_owned();
                    plan.add(Op::Layer { v: 1, epoch: self.plan.epoch, title }, vec![*input]);
                }
                let (profile, demands) = (profile.clone(), demands.clone());
                plan.add(Op::Inspect { v: *v, arch: *arch, profile, demands, parts }, inputs);
            }
        }
        plan
    }

    fn take_in(&self, plan: &mut Plan, step: PlanKey) {
        if plan.steps.insert(step, self.plan.steps[&step].clone()).is_none() {
            self.plan.steps[&step].inputs.iter().for_each(|input| self.take_in(plan, *input));
        }
    }
}
