//! The repository as it is, and for each check something on which it fails.

use std::collections::BTreeSet;

use tidy::{File, codes, imports, names, repository_files, root, shape};

const PURE: &[&str] =
    &["report", "compiler", "evidence", "grammar", "inspect", "model", "policy", "stdlib", "trust", "verifier"];

#[track_caller]
fn none(problems: Vec<String>) {
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n"));
}

fn file(path: &str, text: &str) -> File {
    (path.to_owned(), text.as_bytes().to_vec())
}

#[test]
fn imports_follow_the_table() {
    let table = imports::table(&std::fs::read_to_string(root().join("docs/src/architecture.md")).unwrap());
    let metadata = cargo_metadata::MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .no_deps()
        .other_options(["--offline".to_owned()])
        .exec()
        .unwrap();
    let actual = imports::actual(&metadata);
    assert!(actual["cli"].contains("runtime") && actual["model"].is_empty(), "{actual:?}");
    none(imports::problems(&table, &actual));
    assert!(!table["runtime"].contains("compiler"), "the runtime learns of the compiler through plans alone");
    let reached = imports::reach(&actual, "rules");
    assert!(reached.contains("policy") && reached.contains("files"), "{reached:?}");
    for other in ["compiler", "runtime", "sandbox", "cli"] {
        assert!(!reached.contains(other), "policies are asked where there is no {other}");
        assert!(imports::reach(&actual, "cli").contains(other) || other == "cli");
    }
    // Whoever trusts the verifier trusts no more than this.
    let reached = imports::reach(&actual, "verify");
    assert!(reached.contains("verifier") && reached.contains("registry"), "{reached:?}");
    for other in ["compiler", "runtime", "sandbox", "signing", "cli"] {
        assert!(!reached.contains(other), "the verifier needs no {other}");
    }
}

#[test]
fn an_import_the_table_does_not_allow_is_found() {
    let table = imports::table("| `a/` | first | `b` |\n| b/ | second | – |\n| t/ | tests | all |\n");
    let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
    let ok = [("a", &["b"][..]), ("b", &[]), ("t/x", &["a", "b"])].map(|(name, to)| (name.to_owned(), set(to)));
    none(imports::problems(&table, &ok.into()));
    let bad = [("a", &["b"][..]), ("b", &["a"]), ("c", &[])].map(|(name, to)| (name.to_owned(), set(to)));
    let problems = imports::problems(&table, &bad.into());
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert!(problems[0].starts_with("b imports a") && problems[1].starts_with("c: "), "{problems:?}");
}

#[test]
fn pure_crates_are_under_the_lints_that_keep_them_pure() {
    none(shape::impure_crates(&root(), PURE));
    assert_eq!(shape::impure_crates(&root(), &["runtime", "nowhere"]).len(), 2);
}

#[test]
fn every_code_has_a_page_is_listed_and_used() {
    let files = repository_files();
    let codes: Vec<(&str, &str)> = model::codes::ALL.iter().map(|code| (code.id, code.title)).collect();
    none(codes::page_problems(&codes, &files));
    none(codes::use_problems(&files));
}

#[test]
fn a_missing_a_misnamed_a_stray_and_an_unlisted_page_are_found() {
    let files = [
        file("docs/src/codes/CS0001.md", "# CS0001: one\n"),
        file("docs/src/codes/CS0002.md", "# CS0002: another title\n"),
        file("docs/src/codes/CS0009.md", "# CS0009: gone\n"),
        file("docs/src/SUMMARY.md", "[a](codes/CS0001.md) [b](codes/CS0002.md)"),
    ];
    let problems = codes::page_problems(&[("CS0001", "one"), ("CS0002", "two"), ("CS0003", "three")], &files);
    let starts = [
        "docs/src/codes/CS0002.md does",
        "CS0003 (three) has no page",
        "docs/src/SUMMARY.md",
        "docs/src/codes/CS0009.md",
    ];
    assert_eq!(problems.len(), starts.len(), "{problems:?}");
    assert!(problems.iter().zip(starts).all(|(problem, start)| problem.starts_with(start)), "{problems:?}");
}

#[test]
fn an_unused_code_is_found() {
    let code = file("model/src/code.rs", "    USED = \"CS0001\" Input \"x\";\n    SPARE = \"CS0002\" Input \"y\";\n");
    let user = file("a/src/lib.rs", "Finding::error(codes::USED, \"not SPARED\")");
    assert_eq!(codes::use_problems(&[code, user]), ["the finding code SPARE is used nowhere"]);
}

#[test]
fn no_source_file_is_too_long() {
    let files = repository_files();
    for long in shape::long_files(&files, shape::LONG) {
        println!("{long}");
    }
    none(shape::long_files(&files, shape::TOO_LONG));
    let long = file("a.rs", &"\n".repeat(shape::TOO_LONG + 1));
    assert_eq!(shape::long_files(&[long], shape::TOO_LONG).len(), 1);
}

#[test]
fn every_dependency_has_its_reason() {
    let read = |file: &str| std::fs::read_to_string(root().join(file)).unwrap();
    let manifests = ["Cargo.toml", "tests/fuzz/Cargo.toml"].map(read);
    none(shape::unexplained_dependencies(&manifests, &read("docs/src/dependencies.md")));
    let workspace =
        "\n[workspace.dependencies]\n# own\nx = { path = \"x\" }\na = \"1\"\nb = \"2\"\n\n[workspace.lints]\nc = 1\n";
    let other = "[package]\nname = \"e\"\n\n[dependencies]\nf = \"1\"\n";
    let page = "| `a` | does | why |\n| `b-c` | |\n## left out\n| `d` |";
    let problems = shape::unexplained_dependencies(&[workspace, other].map(str::to_owned), page);
    assert_eq!(problems.len(), 3, "{problems:?}");
    assert!(problems[0].ends_with("why b is there") && problems[1].ends_with("why f is there"), "{problems:?}");
    assert!(problems[2].contains("explains b-c"), "{problems:?}");
}

#[test]
fn no_host_of_a_package_source_and_no_path_of_this_machine_is_named() {
    let mut words: Vec<String> = support::sources().iter().filter_map(|(_, url)| names::host(url)).collect();
    // A loopback mirror is nobody's registry, and `/src` would be half of every path.
    words.retain(|host| host.contains('.') && !host.starts_with("127."));
    words.extend(root().to_str().filter(|path| path.matches('/').count() > 1).map(str::to_owned));
    assert!(!words.is_empty(), "this machine has no package source and no path to look for");
    none(names::problems(&repository_files(), &words));
}

#[test]
fn a_named_host_and_a_path_are_found() {
    let words =
        vec![names::host("https://user:secret@packages.example:8080/simple/").unwrap(), "/home/me/x".to_owned()];
    assert_eq!(words[0], "packages.example");
    let files = [file("a.md", "one\nsee Packages.Example\n"), file("b.rs", "/home/me/x/y"), file("c", "nothing")];
    let problems = names::problems(&files, &words);
    assert_eq!(problems, ["a.md:2 names `packages.example`", "b.rs:1 names `/home/me/x`"]);
}
