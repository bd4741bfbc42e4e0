//! The contract every executor keeps, and what is particular to each.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests are tests"
)]

mod contract;
mod world;

use runtime::execute::{Executors, Limits, limits};

/// Sandboxes on this machine. Their helper is the command line program, as it is when images are built.
fn local(limits: Limits) -> Executors {
    Executors::local(support::cli_path(), limits)
}

#[test]
fn sandboxes_of_this_machine_keep_the_contract() {
    contract::keep(&local);
}

#[test]
fn a_step_of_another_architecture_is_refused_by_name_before_anything_runs() {
    let mut world = world::World::new();
    let other = if cfg!(target_arch = "aarch64") { model::Arch::Amd64 } else { model::Arch::Arm64 };
    let step = world.run_on(other, &[&["sh", "-c", "echo x"]]);
    let findings = local(limits()).check(&world.plan).unwrap_err();
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].code, model::codes::NO_EXECUTOR);
    assert!(findings[0].message.contains(other.name()), "{}", findings[0].message);
    assert_eq!(world.outcome(step, local(limits())).unwrap_err().code, model::codes::NO_EXECUTOR);
}
