//! Bad input gets a clear error, quickly and in bounded memory.

use std::fs;
use std::path::Path;
use std::time::Duration;

use support::{Done, cli_under, run, run_within};

use crate::fixture::{MIRROR, SMALL, scratch};

/// `validate` with an address space of 1 GB and five seconds.
fn validate(path: &Path) -> Done {
    let mut command = cli_under(&["prlimit", "--as=1000000000"]);
    run_within(command.arg("validate").arg(path), Duration::from_secs(5))
}

#[test]
fn hostile_documents() {
    let dir = scratch();
    let bomb: String =
        (0..30).map(|n| format!("a{}: &a{} [{}]\n", n + 1, n + 1, format!("*a{n},").repeat(9))).collect();
    let cases: [(&str, Vec<u8>, &str); 12] = [
        ("unknown field", b"name: x\nbase: {language: python, version: '3.13'}\nflavour: sweet\n".to_vec(), "CS0201"),
        ("misspelt field", b"name: x\nbase: {language: python, version: '3.13'}\npackges: []\n".to_vec(), "packages"),
        ("wrong type", b"name: [x]\n".to_vec(), "CS0202"),
        ("duplicate key", b"name: x\nname: y\n".to_vec(), "CS0103"),
        ("tab", b"name: x\nbase:\n\tlanguage: python\n".to_vec(), "CS0110"),
        ("anchors", b"name: &a x\ndescription: *a\n".to_vec(), "CS0104"),
        ("bomb", format!("a0: &a0 x\n{bomb}").into_bytes(), "CS0104"),
        ("nesting", b"[".repeat(10 << 20), "CS010"),
        ("deep block", (0..3000).map(|n| " ".repeat(n) + "a:\n").collect::<String>().into_bytes(), "CS010"),
        ("not UTF-8", b"name: \xff\xfe\n".to_vec(), "CS0101"),
        ("empty", Vec::new(), "CS0107"),
        ("several", b"name: x\n---\nname: y\n".to_vec(), "CS0108"),
    ];
    for (what, text, finding) in cases {
        let path = dir.path().join("image.yaml");
        fs::write(&path, text).unwrap();
        let done = validate(&path);
        assert!(done.code() == 2 && done.stderr.contains(finding), "{what}: {finding} expected: {done:?}");
        assert!(done.stderr.len() < 100_000, "{what}: {} bytes of words", done.stderr.len());
    }
}

#[test]
fn all_independent_mistakes_at_once() {
    let dir = scratch();
    let path = dir.path().join("image.yaml");
    fs::write(&path, "name: X!\nflavour: sweet\nbase: {language: cobol, version: '1'}\narchitectures: [vax]\n")
        .unwrap();
    let done = validate(&path).fails(2, "CS0201");
    for word in ["name", "flavour", "cobol", "vax"] {
        assert!(done.stderr.contains(word), "{word}: {}", done.stderr);
    }
}

/// Resolves a configuration that cannot be resolved; every one of these words must be in the answer.
#[track_caller]
fn unresolvable(finding: &str, config: &str, words: &[&str]) {
    let dir = scratch();
    let path = dir.path().join("image.yaml");
    fs::write(&path, config).unwrap();
    let mut command = support::cli();
    command.args(["lock", "--config"]).arg(&path).arg("--store").arg(dir.path().join("store"));
    let done = run(command.args(MIRROR.source_options())).fails(2, finding);
    println!("{}", done.stderr);
    for word in words {
        assert!(done.stderr.contains(word), "{word}: {}", done.stderr);
    }
    assert!(!path.with_file_name("image.lock.json").exists(), "a lock was written");
}

#[test]
fn a_language_version_nobody_has_and_which_there_are() {
    unresolvable("CS0303", "name: x\npython_version: 3.12.1\n", &["3.12.1", "3.11.2", "3.13"]);
}

#[test]
fn a_python_version_that_does_not_exist_and_which_do() {
    let config = "name: x\nbase: {language: python, version: '3.13'}\npackages: [idna==0.0.99]\n";
    unresolvable("CS0402", config, &["idna", "0.0.99", "There are 3."]);
}

#[test]
fn a_python_project_that_does_not_exist() {
    let config = "name: x\nbase: {language: python, version: '3.13'}\npackages: [clnstrt-no-such-project]\n";
    unresolvable("CS0401", config, &["clnstrt-no-such-project"]);
}

#[test]
fn a_debian_version_that_does_not_exist() {
    unresolvable(
        "CS0304",
        "name: x\nbase: {language: none}\nsystem_packages: ['libpq5 (>= 99)']\n",
        &["libpq5", "99", "17"],
    );
}

#[test]
fn a_debian_package_that_does_not_exist() {
    unresolvable(
        "CS0301",
        "name: x\nbase: {language: none}\nsystem_packages: [no-such-package]\n",
        &["no-such-package"],
    );
}

#[test]
fn two_requirements_that_exclude_each_other_and_both_chains() {
    let config =
        "name: x\nbase: {language: python, version: '3.13'}\npackages: [fastapi==0.115.12, starlette==0.27.0]\n";
    unresolvable("CS0403", config, &["fastapi 0.115.12 needs starlette", "starlette ==0.27.0"]);
}

#[test]
fn a_package_without_a_wheel_for_one_architecture() {
    let config = "name: x\nbase: {language: python, version: '3.13'}\npackages: [mkl]\n";
    unresolvable("CS0404", config, &["mkl", "arm64"]);
}

/// Runs `build` with a small file system over one folder, and lists that folder afterwards.
fn with_full_disk(folder: &Path, copy: &crate::fixture::Copy) -> (Done, Vec<String>) {
    fs::create_dir_all(folder).unwrap();
    let folder = folder.to_str().unwrap();
    let script =
        format!("mount -t tmpfs -o size=4m full '{folder}' || exit 99; \"$@\"; code=$?; ls -A '{folder}'; exit $code");
    let mut command = copy.build_under(&["unshare", "--mount", "sh", "-c", &script, "sh"]);
    let done = run(command.args(MIRROR.source_options()).arg("--locked"));
    let left = done.stdout.lines().map(str::to_owned).collect();
    (done, left)
}

#[test]
fn a_full_disk_under_the_store() {
    let copy = SMALL.copy();
    let (done, _) = with_full_disk(&copy.store(), &copy);
    done.fails(3, "CS0902");
    copy.assert_no_output();
}

#[test]
fn a_full_disk_under_the_output() {
    let copy = SMALL.warm_copy();
    let (done, left) = with_full_disk(copy.output().parent().unwrap(), &copy);
    done.fails(3, "CS0903");
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn an_output_that_cannot_be_written() {
    let copy = SMALL.warm_copy();
    // A folder stands where the archive should; then the folder it should be in is a file.
    fs::create_dir_all(copy.output()).unwrap();
    run(copy.build().args(["--offline", "--locked"])).fails(3, "CS0903");
    fs::remove_dir_all(copy.output().parent().unwrap()).unwrap();
    let mut command = copy.build();
    fs::remove_dir(copy.output().parent().unwrap()).unwrap();
    fs::write(copy.output().parent().unwrap(), "in the way").unwrap();
    run(command.args(["--offline", "--locked"])).fails(3, "CS0903");
}

#[test]
fn a_file_that_is_not_there() {
    let dir = scratch();
    let done = run(support::cli().arg("validate").arg(dir.path().join("none.yaml")));
    assert!(matches!(done.code(), 2 | 3) && done.stderr.contains("none.yaml"), "{done:?}");
    run(support::cli().arg("biuld")).fails(2, "build");
}
