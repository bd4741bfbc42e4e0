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

const MISTAKES: &str =
    "name:   My App # kept\npakages:\n- idna\nbase: {language: pyton, version: '3.13'}\narchitectures: [x86_64]\n";

#[test]
fn corrections_are_made_and_the_form_is_the_usual_one() {
    let dir = scratch();
    let file = dir.path().join("image.yaml");
    fs::write(&file, MISTAKES).unwrap();
    let mut validate = cli();
    run(validate.arg("validate").arg(&file)).fails(2, "CS0201");
    assert_eq!(fs::read_to_string(&file).unwrap(), MISTAKES, "without --fix nothing is written");
    let done = run(cli().args(["validate", "--fix"]).arg(&file)).ok();
    assert!(done.stderr.contains("4 correction(s) made"), "{done:?}");
    run(cli().args(["fmt", "--check"]).arg(&file)).fails(1, "CS0116");
    run(cli().arg("fmt").arg(&file)).ok();
    run(cli().args(["fmt", "--check"]).arg(&file)).ok();
    let expected =
        "name: my-app # kept\npackages:\n  - idna\nbase: {language: python, version: '3.13'}\narchitectures: [amd64]\n";
    assert_eq!(fs::read_to_string(&file).unwrap(), expected);
}

#[test]
fn a_corrected_file_keeps_its_mode_and_links_stay_links() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let dir = scratch();
    let (file, link) = (dir.path().join("image.yaml"), dir.path().join("link.yaml"));
    fs::write(&file, MISTAKES).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    symlink("image.yaml", &link).unwrap();
    run(cli().args(["validate", "--fix"]).arg(&link)).ok();
    let done = run(cli().args(["fmt", "--format", "json"]).arg(&link)).ok();
    assert_eq!(document(&done).as_array().map(Vec::len), Some(1), "{done:?}");
    assert!(link.is_symlink());
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
    assert!(fs::read_to_string(&file).unwrap().starts_with("name: my-app # kept\npackages:\n"));
    // Each file that is not in the form is found by itself, in one document.
    fs::write(&file, MISTAKES).unwrap();
    let done = run(cli().args(["fmt", "--check", "--format", "json"]).arg(&file).arg(&link)).fails(1, "");
    assert_eq!(document(&done)["findings"].as_array().map(Vec::len), Some(2), "{done:?}");
}

#[test]
fn findings_are_written_for_programs() {
    let dir = scratch();
    let file = dir.path().join("image.yaml");
    fs::write(&file, MISTAKES).unwrap();
    let of = |format: &str| run(cli().args(["validate", "--format", format]).arg(&file)).fails(2, "");
    let sarif = document(&of("sarif"));
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    let field = results.iter().find(|result| result["ruleId"] == "CS0201").unwrap();
    assert_eq!(field["locations"][0]["physicalLocation"]["region"]["startLine"], 2);
    assert_eq!(field["fixes"][0]["artifactChanges"][0]["replacements"][0]["insertedContent"]["text"], "packages");
    let github = of("github");
    let lines: Vec<&str> = github.stdout.lines().collect();
    assert_eq!(lines.len(), 4, "{github:?}");
    assert!(lines.iter().all(|line| line.starts_with("::error file=")), "{github:?}");
    assert!(document(&of("json"))["findings"][0]["fix"]["text"].is_string());
}

#[test]
fn a_configuration_is_made_of_what_others_wrote() {
    let dir = scratch();
    let (file, requirements) = (dir.path().join("image.yaml"), dir.path().join("requirements.txt"));
    fs::write(&requirements, "# tools\nidna==3.10 \\\n  --hash=sha256:00\n-e .\nmarkupsafe>=2 # web\n").unwrap();
    let init = |name: &str| {
        let mut command = cli();
        command.args(["init", "--name", name, "--from"]).arg(&requirements).arg("--output").arg(&file);
        run(&mut command)
    };
    assert!(init("Foo Bar").fails(2, "CS0907").stderr.contains("`foo-bar`"));
    assert!(!file.exists());
    let done = init("null").ok();
    assert!(done.stderr.contains("requirements.txt:4: left out: `-e`"), "{done:?}");
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains("  - \"idna==3.10\"\n  - \"markupsafe>=2\"\n"), "{text}");
    assert!(text.starts_with("name: \"null\"\n"), "{text}");
    run(cli().arg("validate").arg(&file)).ok();
    run(cli().args(["fmt", "--check"]).arg(&file)).ok();
    init("web").fails(2, "CS0907");
    let project = dir.path().join("pyproject.toml");
    fs::write(&project, "[project]\nname = 'My_Service'\nrequires-python = '>=3.11'\ndependencies = ['idna']\n")
        .unwrap();
    let other = dir.path().join("other.yaml");
    run(cli().args(["init", "--from"]).arg(&project).arg("--output").arg(&other)).ok();
    assert!(
        fs::read_to_string(&other)
            .unwrap()
            .starts_with("name: my-service\nbase: {language: python, version: \">=3.11\"}\n")
    );
}

#[test]
fn two_plans_and_two_locks_differ_by_what_was_changed() {
    let copy = SMALL.warm_copy();
    let config = copy.config().join("image.yaml");
    let plan = |name: &str| {
        let file = copy.path().join(name);
        let mut command = cli();
        command.args(["plan", "--offline", "--locked", "--config"]).arg(&config).arg("--store").arg(copy.store());
        run(command.arg("--output").arg(&file)).ok();
        file
    };
    let before = plan("before.json");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, text + "run: {env: {COLOUR: red}}\n").unwrap();
    let after = plan("after.json");
    let diff = |a: &Path, b: &Path| run(cli().arg("diff").arg(a).arg(b));
    let done = diff(&before, &after).ok();
    let mut lines = done.stdout.lines();
    assert_eq!(lines.next(), Some("amd64, arm64 configuration: env COLOUR red added"), "{done:?}");
    assert!(lines.next().is_some_and(|line| line.starts_with("amd64: 1 of ")), "{done:?}");
    let equal = diff(&before, &before).ok();
    assert_eq!((equal.stdout.as_str(), equal.stderr.trim()), ("", "no difference"));
    let data = document(&run(cli().args(["diff", "--format", "json"]).arg(&before).arg(&after)).ok());
    assert_eq!(data["changes"][0]["places"][1]["target"], "arm64", "{data}");
    let lock = copy.config().join("image.lock.json");
    let mut other = copy.lock();
    let (id, wheel) = node(&other, "pypi", "idna");
    let (id, version) = (id.to_owned(), wheel["version"].as_str().unwrap().to_owned());
    other["nodes"][&id]["version"] = "0.1".into();
    let changed = copy.path().join("other.lock.json");
    fs::write(&changed, other.to_string()).unwrap();
    let done = diff(&lock, &changed).ok();
    assert!(done.stdout.starts_with(&format!("amd64, arm64: pypi idna {version} -> 0.1, for `idna")), "{done:?}");
    let said = diff(&before, &lock).fails(2, "CS0907").stderr;
    let said: Vec<&str> = said.split_whitespace().filter(|word| *word != "│").collect();
    assert!(said.join(" ").contains("image.lock.json a lock: they cannot be compared"), "{said:?}");
    diff(&config, &lock).fails(2, "CS0502");
}

#[test]
fn a_correction_that_corrects_nothing_is_taken_back() {
    let dir = scratch();
    let file = dir.path().join("image.yaml");
    let text = "name: web\npackages: [a, -\nb]\nbase: {language: none}\n";
    fs::write(&file, text).unwrap();
    run(cli().args(["validate", "--fix"]).arg(&file)).fails(2, "CS0102");
    assert_eq!(fs::read_to_string(&file).unwrap(), text);
}

#[test]
fn a_template_by_itself_is_checked_as_far_as_it_is_written_out() {
    let dir = scratch();
    let file = dir.path().join("t.yaml");
    let text = "kind: template\nparameters:\n  s: {type: string}\nimage: {naem: web, run: {user: \"${{ s }}\"}}\n";
    fs::write(&file, text).unwrap();
    let done = run(cli().arg("validate").arg(&file)).fails(2, "CS0201");
    assert!(done.stderr.contains("did you mean `name`?") && !done.stderr.contains("missing"), "{done:?}");
}

#[test]
fn a_correction_left_out_does_not_take_back_the_others() {
    let dir = scratch();
    let file = dir.path().join("image.yaml");
    let text =
        "name: web\ndescripton: x\nbase: {language: none}\nfiles:\n- {conten: a, to: /a}\n- {conten: b, to: /b}\n";
    fs::write(&file, text).unwrap();
    run(cli().args(["validate", "--fix"]).arg(&file).arg(&file)).ok();
    let corrected = text.replace("descripton", "description").replace("conten:", "content:");
    assert_eq!(fs::read_to_string(&file).unwrap(), corrected);
}
