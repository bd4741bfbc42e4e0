//! Asking policies. Prints two lines:
//!
//! - `rules`: seconds for ten rules over 2,000 packages, facts taken in and all, the median of many times.
//! - `images`: seconds for the production policy over 19,200 images of 60 packages each, no two with the same facts, in two threads.

#![expect(clippy::unwrap_used, reason = "a benchmark may panic")]
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::disallowed_macros,
    reason = "it measures and prints"
)]
#![expect(clippy::indexing_slicing, reason = "it writes JSON")]

mod facts;

use std::time::Instant;

use facts::{PACKAGES, SAID, facts};
use model::Sources;
use policy::{Budget, Engine, Facts, Outcome, Policy};

const TIMES: usize = 41;
const IMAGES: usize = 19_200;
const EACH: usize = 60;

fn main() {
    let example = stdlib::policy::example("compile");
    let text = include_str!("rules.rego");
    let rules = Policy::rego("bench", Sources::default().add("rules.rego", text), text).unwrap();
    let mut engine = Engine::new(&[rules], Budget::default()).unwrap();
    let document = facts(example, 0, PACKAGES);
    let mut times: Vec<f64> = (0..TIMES)
        .map(|_| {
            let large = Facts { document: document.clone(), ..Facts::default() };
            let started = Instant::now();
            let said = engine.ask(&large);
            let took = started.elapsed().as_secs_f64();
            assert_eq!(said.findings.len(), SAID, "{:?}", said.decisions);
            took
        })
        .collect();
    times.sort_by(f64::total_cmp);
    println!("rules\t{}", times[TIMES / 2]);

    let text = stdlib::policy::text("production").unwrap();
    let root = grammar::yaml::parse(Sources::default().add("production.yaml", text), text).root.unwrap();
    let production = Policy::yaml(&root).unwrap();
    let documents: Vec<Facts> =
        (0..IMAGES).map(|n| Facts { document: facts(example, n, EACH), ..Facts::default() }).collect();
    let started = Instant::now();
    std::thread::scope(|scope| {
        for half in documents.chunks(IMAGES / 2) {
            let production = production.clone();
            scope.spawn(move || {
                let mut engine = Engine::new(&[production], Budget::default()).unwrap();
                let evaluated = |said: &Outcome| said.decisions.iter().any(|one| one.verdict == policy::Verdict::Holds);
                assert!(half.iter().all(|facts| evaluated(&engine.ask(facts))));
            });
        }
    });
    println!("images\t{}", started.elapsed().as_secs_f64());
}
