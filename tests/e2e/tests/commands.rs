//! What commands say and refuse, apart from building.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use support::{Done, cli, cli_under, flip_byte, run, run_within};

use crate::fixture::{SMALL, build, node, scratch};

fn inspect(archive: &Path) -> Done {
    run(cli().arg("inspect").arg(archive))
}

/// Standard output, which must be one JSON document and nothing else.
#[track_caller]
fn document(done: &Done) -> Value {
    serde_json::from_str(&done.stdout).unwrap_or_else(|e| panic!("{e}: {done:?}"))
}

#[test]
fn inspect_notices_a_changed_layer() {
    let dir = scratch();
    let tar = dir.path().join("image.tar");
    let unpack = ["-c", "gzip -dc \"$0\" >\"$1\""];
    run(Command::new("sh").args(unpack).arg(SMALL.archive()).arg(&tar)).ok();
    assert_eq!(inspect(&tar).ok().stdout, inspect(&SMALL.archive()).ok().stdout);
    // The middle of an archive is the middle of its largest blob, a layer.
    flip_byte(&tar);
    inspect(&tar).fails(1, "CS0906");
}

#[test]
fn a_damaged_store_is_one_json_document() {
    let copy = SMALL.warm_copy();
    let deb = node(&copy.lock(), "debian", "libc6").1["sha256"].as_str().unwrap().to_owned();
    let object = copy.object(&deb);
    let verify = || run(cli().args(["store", "verify", "--format", "json", "--store"]).arg(copy.store()));
    document(&verify().ok());
    flip_byte(&object);
    let done = verify();
    assert_eq!((done.code(), document(&done)["findings"][0]["code"].as_str()), (1, Some("CS0901")), "{done:?}");
}

#[test]
fn an_output_nobody_can_read_is_an_error() {
    let copy = SMALL.copy();
    let mut command = cli_under(&["sh", "-c", "exec \"$@\" >/dev/full", "sh"]);
    run(command.args(["why", "libc6", "--config"]).arg(copy.config().join("image.yaml"))).fails(3, "CS0903");
}

#[test]
fn a_python_project_is_known_by_each_of_its_spellings() {
    let copy = SMALL.copy();
    let why = |name: &str| run(cli().args(["why", name, "--config"]).arg(copy.config().join("image.yaml")));
    assert_eq!(why("MarkupSafe").ok().stdout, why("markupsafe").ok().stdout);
    assert!(why("marcupsafe").fails(2, "CS0504").stderr.contains("`markupsafe`"));
    // Debian's names have one spelling.
    why("LIBC6").fails(2, "CS0504");
}

#[test]
fn an_empty_variable_names_no_store() {
    let home = scratch();
    let mut command = cli();
    command.args(["store", "verify"]).env("CLNSTRT_STORE", "").env("HOME", home.path()).env_remove("XDG_CACHE_HOME");
    // There is none at its usual place either: that place is named.
    let done = run(&mut command);
    assert!(done.code() != 0 && done.stderr.contains(".cache"), "{done:?}");
}

#[test]
fn what_is_missing_offline_is_said_once() {
    let copy = SMALL.copy();
    let done = run(copy.build().args(["--offline", "--locked"])).fails(3, "CS0605");
    assert_eq!(done.stderr.matches("CS0605").count(), 1, "{done:?}");
}

#[test]
fn a_bundle_of_an_outdated_lock_is_refused() {
    let copy = SMALL.warm_copy();
    let path = copy.config().join("image.yaml");
    let text = fs::read_to_string(&path).unwrap() + "\nsystem_packages: [zlib1g]\n";
    assert_eq!(text.matches("system_packages").count(), 1, "the small configuration asks for system packages");
    fs::write(&path, text).unwrap();
    let bundle = copy.path().join("inputs.bundle");
    let mut export = cli();
    export.args(["bundle", "export", "--offline", "--store"]).arg(copy.store()).arg("--output").arg(&bundle);
    run(export.arg("--config").arg(&path)).fails(2, "CS0503");
    assert!(!bundle.exists());
}

#[test]
fn an_output_must_be_named_as_what_it_is_and_replace_nothing_of_ours() {
    let copy = SMALL.warm_copy();
    let outcome = |output: &Path| {
        let mut command = build(&copy.config(), &copy.store(), output);
        run(command.args(["--offline", "--locked"]))
    };
    outcome(&copy.path().join("image.zip")).fails(2, "CS0907");
    let lock = copy.config().join("image.lock.json");
    let before = fs::read(&lock).unwrap();
    std::os::unix::fs::symlink(&lock, copy.path().join("link.tar")).unwrap();
    outcome(&copy.path().join("link.tar")).fails(2, "CS0907");
    assert_eq!(fs::read(&lock).unwrap(), before);
}

/// Runs a command with a pipe nobody writes to in place of a file it reads.
#[track_caller]
fn refuses_a_pipe(path: &Path, command: &mut Command) {
    let _ = fs::remove_file(path);
    run(Command::new("mkfifo").arg(path)).ok();
    let done = run_within(command, Duration::from_secs(20)).fails(2, "CS0904");
    assert!(done.stderr.contains("it is no"), "{done:?}");
}

#[test]
fn a_pipe_is_not_waited_for() {
    let copy = SMALL.copy();
    let config = copy.config().join("image.yaml");
    refuses_a_pipe(&copy.config().join("image.lock.json"), cli().args(["why", "libc6", "--config"]).arg(&config));
    refuses_a_pipe(&config, cli().arg("validate").arg(&config));
    let archive = copy.path().join("image.tar");
    refuses_a_pipe(&archive, cli().arg("inspect").arg(&archive));
    let import = ["bundle", "import", "--store"];
    refuses_a_pipe(&archive, cli().args(import).arg(copy.store()).arg(&archive));
}
