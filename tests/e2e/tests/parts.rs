//! Parts of an image that are built for it: packages from their source distributions, and the application.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use support::run;

use crate::fixture::{COMPILED, Copy, MIRROR, PARTS, copied, node, scratch};
use crate::image::{bundle, layout};

/// What a build of a copy that has all it needs says when it fails, as findings.
fn refused(copy: &Copy, status: i32) -> Value {
    let done = run(copy.build().args(["--offline", "--format", "json"]));
    assert_eq!(done.status.code(), Some(status), "{done:?}");
    copy.assert_no_output();
    serde_json::from_str::<Value>(&done.stdout).unwrap()["findings"].clone()
}

fn edit(copy: &Copy, from: &str, to: &str) {
    let path = copy.config().join("image.yaml");
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{text}");
    fs::write(path, text.replace(from, to)).unwrap();
}

/// The root file system of an archive's amd64 image.
fn root(archive: &Path, dir: &Path) -> std::path::PathBuf {
    bundle(&layout(archive, dir), "amd64", dir).join("rootfs")
}

#[test]
fn the_lock_says_what_each_is_built_with() {
    let lock = PARTS.lock();
    let (_, docopt) = node(&lock, "pypi", "docopt");
    assert_eq!(docopt["file"], "docopt-0.6.2.tar.gz");
    assert_eq!(docopt["build"], json!(["setuptools>=40.8.0"]));
    let answers = lock["answers"].as_object().unwrap().values();
    let tools: Vec<&Value> = answers.filter(|answer| answer["asked"]["toolchain"] == true).collect();
    let asks = |package: &str| {
        let mut asking = tools.iter().filter(|answer| answer["asked"]["packages"].to_string().contains(package));
        asking.next().unwrap_or_else(|| panic!("nothing asks for {package}: {tools:?}"))["resolutions"]["amd64"]["nodes"].to_string()
    };
    assert!(asks("setuptools").contains("pkg:pypi/setuptools@"));
    // tools are chosen beside what the image has
    assert!(asks("pytest").contains("pkg:pypi/psycopg2@2.9.10"), "{}", asks("pytest"));
    assert!(tools.iter().any(|answer| answer["asked"]["system_packages"].to_string().contains("libpq-dev")));
}

#[test]
fn what_was_built_is_in_the_image_and_what_built_it_is_not() {
    let dir = scratch();
    let root = root(&PARTS.archive(), dir.path());
    let read = |path: &str| fs::read_to_string(root.join(path)).unwrap_or_else(|e| panic!("{path}: {e}"));
    assert_eq!(read("srv/app/made.txt"), "hello 0.6.2 /srv/app\n");
    assert_eq!(read("srv/app/argument.txt"), "a 'b' $HOME;");
    assert_eq!(read("srv/static/count"), "21\n");
    let packages = "usr/local/lib/python3.13/dist-packages";
    assert!(root.join(packages).join("docopt.py").exists());
    assert!(read(&format!("{packages}/docopt-0.6.2.dist-info/RECORD")).contains("docopt.py,sha256="));
    for absent in
        ["srv/app/make.py", "srv/app/left-behind", "usr/bin/gcc", "usr/include/postgresql", "build", "recipe", "out"]
    {
        assert!(!root.join(absent).exists(), "{absent}");
    }
    for tool in ["pytest", "setuptools", "pluggy"] {
        assert!(!root.join(packages).join(tool).exists(), "{tool}");
    }
    // the module was compiled against the image's own library, and works
    let program = "import psycopg2, docopt, sys; sys.path[:0] = [\"/srv/app\"]; import settings, os; \
                   print(psycopg2.__libpq_version__ >= 150000, settings.NAME, os.path.exists(settings.__cached__))";
    let run_python = format!("exec chroot {} /usr/bin/python3 -c '{program}'", root.display());
    assert_eq!(run(Command::new("unshare").args(["-r", "sh", "-c", &run_python])).ok().stdout, "True placed True\n");
    let module = format!("{packages}/psycopg2/_psycopg.cpython-313-x86_64-linux-gnu.so");
    let sections = run(Command::new("readelf").args(["-W", "-S"]).arg(root.join(&module))).ok().stdout;
    assert!(sections.contains(".gnu_debuglink") && !sections.contains(".debug_info"), "{sections}");
}

#[test]
fn the_log_and_the_inspection_name_every_step() {
    let log = fs::read_to_string(PARTS.artifacts().join("build-log.txt")).unwrap();
    for words in
        ["build docopt 0.6.2", "build psycopg2 2.9.10", "test the application", "1 passed", "scripts.post_build"]
    {
        assert!(log.contains(words), "{words}: {log}");
    }
    let flags = crate::image::json(&PARTS.artifacts().join("compile-flags-amd64.json"));
    let origin = |name: &str| {
        let files = flags["files"].as_object().unwrap();
        let (_, file) = files.iter().find(|(path, _)| path.contains(name)).unwrap_or_else(|| panic!("{name}"));
        file["origin"]["package"].as_str().unwrap().to_owned()
    };
    assert!(origin("_psycopg.cpython").starts_with("pkg:pypi/psycopg2@2.9.10"));
    assert_eq!(origin("srv/app/sum"), "application");
}

#[test]
fn nothing_runs_again_when_nothing_changed_and_all_of_it_makes_the_same_again() {
    let copy = PARTS.warm_copy();
    let quick = run(copy.build().arg("--offline").args(["--artifacts"]).arg(copy.path().join("artifacts"))).ok();
    copy.assert_output(&PARTS);
    assert!(!quick.stderr.contains("build docopt"), "{}", quick.stderr);
    let log = |dir: &Path| fs::read_to_string(dir.join("build-log.txt")).unwrap();
    assert_eq!(
        log(&copy.path().join("artifacts")),
        log(&PARTS.artifacts()),
        "a step that is remembered brings its log"
    );
    fs::remove_file(copy.output()).unwrap();
    // captured files are remembered as a step is, and captured again
    copy.forget_actions();
    let again = run(copy.build().arg("--offline")).ok();
    assert!(again.stderr.contains("build docopt"), "{}", again.stderr);
    copy.assert_output(&PARTS);
}

#[test]
fn a_test_that_fails_stops_the_build_and_its_words_are_shown() {
    let copy = PARTS.copy_over_store();
    edit(&copy, "touch left-behind", "{ echo not good enough; exit 3; }");
    let findings = refused(&copy, 1);
    let artifacts = copy.path().join("artifacts");
    run(copy.build().arg("--offline").arg("--artifacts").arg(&artifacts));
    let log = fs::read_to_string(artifacts.join("build-log.txt")).unwrap();
    assert!(log.contains("not good enough\n[exit code 3]\n"), "{log}");
    assert_eq!(findings[0]["code"], "CS1101");
    let said = findings.to_string();
    assert!(
        said.contains("test the application for amd64")
            && said.contains("not good enough")
            && said.contains("exit code 3"),
        "{said}"
    );
}

#[test]
fn what_a_build_leaves_and_an_image_cannot_have_is_named() {
    for (command, named) in [
        ("chmod 4755 sum", "/out/srv/app/sum"),
        ("for i in $(seq 300); do mkdir d; cd d; done", "more than 256 directories"),
    ] {
        let copy = PARTS.copy_over_store();
        edit(&copy, "rm make.py", command);
        let findings = refused(&copy, 1);
        assert_eq!(findings[0]["code"], "CS1106", "{findings}");
        assert!(findings.to_string().contains(named), "{findings}");
    }
    let copy = PARTS.copy_over_store();
    edit(&copy, "architectures:", "build_flags: {no_binary: [dockopt]}\narchitectures:");
    let done = run(copy.build().args(MIRROR.source_options()).args(["--format", "json"]));
    assert_eq!(done.status.code(), Some(2), "{done:?}");
    assert!(done.stdout.contains("CS0205") && done.stdout.contains("dockopt"), "{}", done.stdout);
}

#[test]
fn a_build_that_needs_the_network_has_none() {
    let copy = PARTS.copy_over_store();
    let program = "import socket; socket.create_connection(('127.0.0.1', 1), 5)";
    edit(&copy, "    - rm make.py", &format!("    - [python3, -c, \"{program}\"]"));
    let said = refused(&copy, 1).to_string();
    assert!(said.contains("build the application for amd64") && said.contains("unreachable"), "{said}");
}

#[test]
fn nothing_is_left_of_a_build_that_is_killed() {
    let copy = PARTS.copy_over_store();
    let seconds = format!("6{}", std::process::id());
    edit(&copy, "rm make.py", &format!("sleep {seconds} & sleep {seconds}"));
    let mut build = copy.build();
    build.arg("--offline").stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    let mut build = build.spawn().unwrap();
    let asleep = || run(Command::new("pgrep").args(["-f", &format!("^sleep {seconds}")])).stdout.lines().count();
    let waited = |until: &dyn Fn() -> bool| {
        for _ in 0..1200 {
            if until() {
                return true;
            }
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        false
    };
    assert!(waited(&|| asleep() == 2), "the command was not started");
    build.kill().unwrap();
    build.wait().unwrap();
    assert!(waited(&|| asleep() == 0), "the command outlives the builder");
    copy.assert_no_output();
    edit(&copy, &format!("sleep {seconds} & sleep {seconds}"), "rm make.py");
    run(copy.build().arg("--offline")).ok();
    copy.assert_output(&PARTS);
}

#[test]
fn a_lock_that_builds_with_other_tools_is_refused() {
    let copy = PARTS.copy_over_store();
    let mut lock = copy.lock();
    let id = node(&lock, "pypi", "docopt").0.to_owned();
    lock["nodes"][&id]["build"] = json!(["wheel"]);
    copy.write_lock(&lock);
    let done = run(copy.build().args(["--offline", "--locked"]));
    assert!(!done.status.success() && done.stderr.contains("CS0503"), "{done:?}");
    // and one that takes it for no source distribution
    lock["nodes"][&id].as_object_mut().unwrap().remove("build");
    copy.write_lock(&lock);
    let said = refused(&copy, 1);
    assert_eq!(said[0]["code"], "CS0505", "{said}");
}

#[test]
fn an_application_comes_from_a_commit_with_the_settings_of_the_machines_git() {
    let copy = copied("git");
    let repository = copy.path().join("repository");
    let git = |arguments: &[&str]| {
        let mut git = Command::new("git");
        git.arg("-C").arg(&repository).args(["-c", "user.name=a", "-c", "user.email=a@example.com"]);
        run(git.args(arguments)).ok().stdout
    };
    fs::create_dir_all(repository.join("bin")).unwrap();
    git(&["init", "--quiet"]);
    fs::write(repository.join("bin/run"), "#!/bin/sh\n").unwrap();
    fs::write(repository.join(".gitattributes"), "secret.txt export-ignore\n*.txt export-subst\n").unwrap();
    fs::write(repository.join("secret.txt"), "$Format:%H$\n").unwrap();
    std::os::unix::fs::symlink("bin/run", repository.join("link")).unwrap();
    git(&["add", "."]);
    git(&["update-index", "--chmod=+x", "bin/run"]);
    git(&["commit", "--quiet", "-m", "one"]);
    let commit = git(&["rev-parse", "HEAD"]).trim().to_owned();
    fs::write(repository.join("bin/run"), "changed\n").unwrap();
    git(&["commit", "--quiet", "-a", "-m", "two"]);
    edit(&copy, "COMMIT", &commit);
    let settings = copy.path().join("gitconfig");
    fs::write(
        &settings,
        format!("[url \"file://{}\"]\n\tinsteadOf = https://git.example.com/app\n", repository.display()),
    )
    .unwrap();
    let build = |copy: &Copy| {
        let mut build = copy.build();
        build.env("GIT_CONFIG_GLOBAL", &settings).args(MIRROR.source_options());
        build
    };
    run(&mut build(&copy)).ok();
    let dir = scratch();
    let app = root(&copy.output(), dir.path()).join("app");
    assert_eq!(fs::read_to_string(app.join("bin/run")).unwrap(), "#!/bin/sh\n");
    assert_eq!(fs::read_to_string(app.join("secret.txt")).unwrap(), "$Format:%H$\n");
    assert_eq!(fs::read_link(app.join("link")).unwrap(), Path::new("bin/run"));
    let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(app.join("bin/run")).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o755);
    assert!(!app.join(".git").exists());
    // it is in the store now, and nothing is asked any more
    fs::remove_dir_all(&repository).unwrap();
    run(build(&copy).arg("--offline")).ok();
    // but another commit is not
    edit(&copy, &commit, "0123456789abcdef0123456789abcdef01234567");
    fs::remove_file(copy.output()).unwrap();
    let offline = run(build(&copy).arg("--offline"));
    assert_eq!(offline.status.code(), Some(3), "{offline:?}");
    assert!(offline.stderr.contains("CS0605"), "{}", offline.stderr);
    let absent = run(&mut build(&copy));
    assert_eq!(absent.status.code(), Some(3), "{absent:?}");
    assert!(absent.stderr.contains("CS0608"), "{}", absent.stderr);
}

#[test]
fn in_fips_mode_a_wheel_with_an_openssl_of_its_own_is_refused_and_built_from_source_it_is_not() {
    let copy = COMPILED.copy_over_store();
    let config = copy.config().join("image.yaml");
    let text = fs::read_to_string(&config).unwrap();
    let with = |package: &str, more: &str| {
        fs::write(&config, text.replace("packages:\n", &format!("packages:\n  - {package}\n")) + more).unwrap();
    };
    with("psycopg2-binary==2.9.10", "");
    let refused = run(copy.build().args(MIRROR.source_options()).args(["--format", "json"]));
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    let finding = serde_json::from_str::<Value>(&refused.stdout).unwrap()["findings"][0].clone();
    assert_eq!(finding["code"], "CS1109", "{finding}");
    assert!(finding["causes"].to_string().contains("psycopg2_binary.libs/libcrypto"), "{finding}");
    assert!(finding["help"].as_str().unwrap().contains("no_binary: [psycopg2-binary]"), "{finding}");
    with("psycopg2-binary==2.9.10", "system_packages: [libpq5]\nbuild_packages: [libpq-dev, perl-base]\n");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, text.replace("fips: true", "fips: true, no_binary: [psycopg2-binary]")).unwrap();
    run(copy.build().args(MIRROR.source_options())).ok();
}
