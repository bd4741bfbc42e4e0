//! One lock, one archive: whoever builds, wherever, whenever.

use std::process::Command;

use support::{cli_path, copy_tree, run, sha256_of};

use crate::fixture::{EXAMPLE, EXTRAS, Fixture, MIRROR, NUMPY};

/// Builds from an empty store, under `wrapper`, and compares.
#[track_caller]
fn cold(fixture: &Fixture, what: &str, wrapper: &[&str], prepare: impl FnOnce(&mut Command)) {
    let copy = fixture.copy();
    let mut command = copy.build_under(wrapper);
    prepare(command.args(MIRROR.source_options()).arg("--locked"));
    let done = run(&mut command).ok();
    println!("{what}: {:?}", done.took);
    assert_eq!(sha256_of(&copy.output()), fixture.sha256, "{what}: the archive differs");
}

const ANOTHER_HOST: &[&str] =
    &["unshare", "--uts", "sh", "-c", "hostname elsewhere && umask 0077 && exec \"$@\"", "sh"];

#[test]
fn an_empty_store_in_another_directory() {
    cold(&EXAMPLE, "another directory", &[], |command| {
        command.current_dir("/");
    });
}

#[test]
fn another_host_name_umask_time_zone_and_locale() {
    cold(&EXAMPLE, "another host", ANOTHER_HOST, |command| {
        command.env("TZ", "Asia/Kathmandu").env("LC_ALL", "tr_TR.UTF-8").env("LANG", "tr_TR.UTF-8");
    });
}

#[test]
fn one_processor() {
    cold(&EXAMPLE, "one processor", &["taskset", "--cpu-list", "0"], |_| {});
}

#[test]
fn another_user() {
    // A user without a home, in a folder of its own, with the program where it can read it.
    let dir = tempfile::tempdir().unwrap();
    let copy = EXAMPLE.copy();
    copy_tree(&copy.config(), &dir.path().join("config"));
    std::fs::copy(cli_path(), dir.path().join("cli")).unwrap();
    run(Command::new("chown").args(["-R", "65534:65534"]).arg(dir.path())).ok();
    let user = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--no-new-privs"];
    let mut command = Command::new(user[0]);
    command.args(&user[1..]).arg(dir.path().join("cli")).current_dir(dir.path()).env_clear();
    command.args(["build", "--locked", "--config", "config/image.yaml", "--store", "store", "--output", "out.tar.gz"]);
    command.args(["--audit", "audit"]);
    run(command.args(MIRROR.source_options())).ok();
    assert_eq!(sha256_of(&dir.path().join("out.tar.gz")), EXAMPLE.sha256);
}

/// The clock is two years on, and every step runs again.
#[track_caller]
fn another_clock(fixture: &Fixture) {
    let copy = fixture.warm_copy();
    copy.forget_actions();
    let mut command = copy.build_under(&["faketime", "-f", "+730d"]);
    run(command.args(["--offline", "--locked"])).ok();
    copy.assert_output(fixture);
}

#[test]
fn another_clock_on_a_warm_store() {
    another_clock(&EXAMPLE);
}

/// All of it at once for the other configurations; the single differences are told apart above.
#[track_caller]
fn all_at_once(fixture: &Fixture) {
    let wrapper: Vec<&str> = ANOTHER_HOST.iter().copied().chain(["taskset", "--cpu-list", "0"]).collect();
    cold(fixture, "all at once", &wrapper, |command| {
        command.current_dir("/").env("TZ", "Pacific/Apia").env("LC_ALL", "de_DE.UTF-8");
    });
    another_clock(fixture);
}

#[test]
fn extras_and_markers() {
    all_at_once(&EXTRAS);
}

#[test]
fn large_binary_wheels() {
    all_at_once(&NUMPY);
}

#[test]
fn sealed_off_from_every_network() {
    let copy = EXAMPLE.warm_copy();
    copy.forget_actions();
    run(copy.build_under(&["unshare", "--net"]).args(["--offline", "--locked"])).ok();
    copy.assert_output(&EXAMPLE);
}

#[test]
fn nothing_is_asked_when_nothing_changed() {
    let copy = EXAMPLE.warm_copy();
    run(copy.build_under(&["unshare", "--net"]).args(MIRROR.source_options())).ok();
    copy.assert_output(&EXAMPLE);
}
