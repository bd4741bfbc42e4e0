//! Servers that fail in every way they can.

use std::time::Duration;

use support::{Done, Fault, Mirror, run_within};

use crate::fixture::{Copy, SMALL, node, unlocked};

const FOREVER: usize = usize::MAX;
/// However a server fails, a build with `--timeout 2` is over by then.
const QUICKLY: Duration = Duration::from_secs(60);

/// A locked build from an empty store against a mirror of its own.
fn locked(mirror: &Mirror) -> (Copy, Done) {
    let copy = SMALL.copy();
    let done = run_within(copy.build().args(mirror.source_options()).args(["--locked", "--timeout", "2"]), QUICKLY);
    (copy, done)
}

fn deb() -> String {
    node(&SMALL.lock(), "debian", "libssl3").1["file"].as_str().unwrap().to_owned()
}

fn wheel() -> String {
    node(&SMALL.lock(), "pypi", "markupsafe").1["file"].as_str().unwrap().to_owned()
}

#[track_caller]
fn survives(prepare: impl FnOnce(&Mirror)) {
    let mirror = Mirror::of_this_machine();
    prepare(&mirror);
    let (copy, done) = locked(&mirror);
    done.ok();
    copy.assert_output(&SMALL);
}

#[track_caller]
fn ends(exit: i32, finding: &str, prepare: impl FnOnce(&Mirror)) -> Done {
    let mirror = Mirror::of_this_machine();
    prepare(&mirror);
    let (copy, done) = locked(&mirror);
    let done = done.fails(exit, finding);
    println!("{:?}\n{}", done.took, done.stderr);
    copy.assert_no_output();
    copy.assert_store_is_clean();
    done
}

/// The same without a lock: resolution asks too.
#[track_caller]
fn ends_unlocked(exit: i32, finding: &str, prepare: impl FnOnce(&Mirror)) {
    let mirror = Mirror::of_this_machine();
    prepare(&mirror);
    let copy = unlocked();
    let done =
        run_within(copy.build().args(mirror.source_options()).args(["--timeout", "2"]), QUICKLY).fails(exit, finding);
    println!("{:?}\n{}", done.took, done.stderr);
    copy.assert_no_output();
    assert!(!copy.config().join("image.lock.json").exists(), "a lock was written");
}

#[test]
fn passing_faults_are_survived() {
    survives(|mirror| {
        mirror.fault(&deb(), Fault::Status(500), 2);
        mirror.fault(&wheel(), Fault::Truncated, 1);
        mirror.fault("/pool/main/g/", Fault::Reset, 2);
        mirror.fault("/pool/main/t/tzdata", Fault::Truncated, 1);
        mirror.fault("/pool/main/z/", Fault::Silent, 1);
        mirror.fault("/pool/main/e/", Fault::Slow(Duration::from_millis(20)), 5);
    });
}

#[test]
fn a_truncated_download_is_resumed() {
    let mirror = Mirror::of_this_machine();
    let file = node(&SMALL.lock(), "debian", "libpython3.13-stdlib").1["file"].as_str().unwrap().to_owned();
    mirror.fault(&file, Fault::Truncated, 1);
    let (copy, done) = locked(&mirror);
    done.ok();
    copy.assert_output(&SMALL);
    assert_eq!(mirror.requests().iter().filter(|path| path.ends_with(&file)).count(), 2);
}

#[test]
fn a_package_the_mirror_dropped() {
    let done = ends(3, "CS0603", |mirror| mirror.fault(&deb(), Fault::Status(404), FOREVER));
    assert!(done.stderr.contains("libssl3") && done.stderr.contains("help"), "{}", done.stderr);
}

#[test]
fn another_mirror_has_what_one_dropped() {
    let copy = SMALL.copy();
    let (empty, good) = (Mirror::of_this_machine(), Mirror::of_this_machine());
    empty.fault("/pool/", Fault::Status(404), FOREVER);
    let mut command = copy.build();
    command.args(empty.source_options()).args(good.source_options()).args(["--locked", "--timeout", "2"]);
    run_within(&mut command, QUICKLY).ok();
    copy.assert_output(&SMALL);
    assert!(empty.requests().iter().any(|path| path.contains("/pool/")), "the first mirror was not asked");
}

#[test]
fn an_error_for_ever() {
    ends(3, "CS0602", |mirror| mirror.fault(&deb(), Fault::Status(500), FOREVER));
}

#[test]
fn garbage_instead_of_a_package() {
    ends(1, "CS0604", |mirror| mirror.fault(&deb(), Fault::Body(b"<html>welcome</html>".to_vec()), FOREVER));
}

#[test]
fn garbage_instead_of_a_wheel() {
    ends(1, "CS0604", |mirror| mirror.fault(&wheel(), Fault::Body(vec![0; 5000]), FOREVER));
}

#[test]
fn half_a_package_every_time() {
    ends(3, "CS0602", |mirror| mirror.fault(&deb(), Fault::Truncated, FOREVER));
}

#[test]
fn no_answer_at_all() {
    ends(3, "CS0602", |mirror| mirror.fault(&deb(), Fault::Silent, FOREVER));
}

#[test]
fn nobody_listens() {
    let copy = SMALL.copy();
    let gone = Mirror::of_this_machine().source_options();
    run_within(copy.build().args(gone).args(["--locked", "--timeout", "2"]), QUICKLY).fails(3, "CS0602");
    copy.assert_no_output();
}

#[test]
fn garbage_instead_of_a_release() {
    ends_unlocked(1, "CS07", |mirror| {
        mirror.fault("/InRelease", Fault::Body(b"welcome to the hotel".to_vec()), FOREVER)
    });
}

#[test]
fn garbage_instead_of_a_package_index() {
    ends_unlocked(1, "CS0604", |mirror| mirror.fault("/main/binary-", Fault::Body(vec![7; 1000]), FOREVER));
}

#[test]
fn garbage_instead_of_an_index_page() {
    ends_unlocked(3, "CS0406", |mirror| mirror.fault("/simple/markupsafe", Fault::Body(vec![0xff; 1000]), FOREVER));
}

#[test]
fn a_release_file_that_is_gone() {
    ends_unlocked(3, "CS06", |mirror| mirror.fault("/InRelease", Fault::Status(404), FOREVER));
}

#[test]
fn an_index_page_that_fails() {
    ends_unlocked(3, "CS0602", |mirror| mirror.fault("/simple/markupsafe", Fault::Status(500), FOREVER));
}

#[test]
fn an_index_page_that_never_comes() {
    ends_unlocked(3, "CS0602", |mirror| mirror.fault("/simple/markupsafe", Fault::Silent, FOREVER));
}
