//! SIGKILL at moments spread over every phase of a cold build.

use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, Instant};

use support::{Running, run, start};

use crate::fixture::{Copy, MIRROR, SMALL, unlocked};

const PHASES: [&str; 5] = ["resolve", "prove", "fetch", "execute", "release"];

/// The phases a build has announced so far, in order.
fn announced(running: &Running) -> Vec<String> {
    let stderr = running.stderr();
    stderr.lines().filter_map(|line| line.strip_prefix("phase: ")).map(|name| name.trim().to_owned()).collect()
}

fn cold_build(copy: &Copy) -> Running {
    start(copy.build().args(MIRROR.source_options()).env("CLNSTRT_TRACE_PHASES", "1"))
}

/// How long each phase takes when nobody kills it.
fn durations() -> BTreeMap<&'static str, Duration> {
    let copy = unlocked();
    let mut running = cold_build(&copy);
    let mut starts: Vec<Instant> = Vec::new();
    while !running.is_over() {
        let seen = announced(&running).len();
        starts.resize_with(seen.max(starts.len()), Instant::now);
        std::thread::sleep(Duration::from_micros(500));
    }
    let names = announced(&running);
    starts.resize_with(names.len() + 1, Instant::now);
    running.finish(Duration::from_secs(60)).ok();
    copy.assert_output(&SMALL);
    let mut total = BTreeMap::from(PHASES.map(|phase| (phase, Duration::ZERO)));
    for (name, pair) in names.iter().zip(starts.windows(2)) {
        *total.get_mut(name.as_str()).unwrap_or_else(|| panic!("unknown phase {name}")) += pair[1] - pair[0];
    }
    total
}

#[test]
fn a_killed_build_leaves_a_store_the_next_build_finishes_from() {
    let durations = durations();
    println!("phases: {durations:?}");
    let per_phase = if support::full() { 20 } else { 2 };
    let mut kills = BTreeMap::from(PHASES.map(|phase| (phase, 0)));
    for phase in PHASES {
        for moment in 0..per_phase {
            // Short phases may be over before the signal arrives: then the next attempt comes earlier.
            let mut delay = durations[phase] * (2 * moment + 1) / (2 * per_phase);
            for _ in 0..16 {
                let copy = unlocked();
                if kill_in(&copy, phase, delay) {
                    *kills.get_mut(phase).unwrap() += 1;
                    check_recovery(&copy, phase, delay);
                    break;
                }
                delay /= 2;
            }
        }
    }
    println!("kills per phase: {kills:?}");
    assert!(kills.values().all(|count| *count == per_phase), "a phase had too few kills: {kills:?}");
}

/// Kills a cold build `delay` after a phase began; whether it was still in that phase.
fn kill_in(copy: &Copy, phase: &str, delay: Duration) -> bool {
    let mut running = cold_build(copy);
    while !announced(&running).iter().any(|name| name == phase) {
        assert!(!running.is_over(), "the build never was in the phase {phase}");
        std::thread::sleep(Duration::from_micros(200));
    }
    std::thread::sleep(delay);
    running.kill();
    let done = running.finish(Duration::from_secs(60));
    let last = done.stderr.lines().filter_map(|line| line.strip_prefix("phase: ")).next_back().map(str::trim);
    done.code() == -1 && last == Some(phase)
}

#[track_caller]
fn check_recovery(copy: &Copy, phase: &str, delay: Duration) {
    let when = format!("killed {delay:?} into {phase}");
    let verified = run(support::cli().args(["store", "verify", "--store"]).arg(copy.store()));
    assert!(verified.status.success(), "{when}: {verified:?}");
    let done = run(copy.build().args(MIRROR.source_options()));
    assert!(done.status.success(), "{when}: {done:?}");
    copy.assert_output(&SMALL);
    copy.assert_store_is_clean();
    let staged = |name: &str| name.starts_with(".clnstrt-");
    let beside = fs::read_dir(copy.output().parent().unwrap()).unwrap().flatten().map(|e| e.file_name().into_string());
    let left: Vec<_> = beside.map(Result::unwrap).filter(|name| staged(name)).collect();
    assert!(left.is_empty(), "{when}: left beside the output: {left:?}");
    println!("{when}: finished in {:?}", done.took);
}
