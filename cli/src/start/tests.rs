//! Every file of `tests/init` is a case: files, of which the first is read, and as its last part the configuration and the
//! notes that come out, or why it is refused. With `UPDATE=1` in the environment the last part is written.

use std::fs;

use proptest::prelude::*;

use super::*;

/// What is written over some files, the first of which is named; with what is said.
fn outcome(files: &[(String, String)]) -> String {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        // the ends of lines and the byte order mark that an editor would hide
        let text = text.replace("<BOM>", "\u{feff}").replace("<CR>\n", "\r\n");
        fs::write(dir.path().join(name), text).unwrap();
    }
    let said = |text: &str| text.replace(&format!("{}/", dir.path().display()), "");
    let refused = |findings: &[Finding]| {
        let lines = findings.iter().flat_map(|finding| {
            [&finding.message]
                .into_iter()
                .chain(&finding.causes)
                .chain(&finding.help)
                .map(|line| format!("! {}\n", said(line)))
        });
        lines.collect()
    };
    let mut start = match Start::read(&dir.path().join(&files[0].0)) {
        Ok(start) => start,
        Err(finding) => return refused(&[finding]),
    };
    let name = start.proposed_name(Some("folder"));
    let python = start.proposed_python();
    match start.write(&name, &python, false) {
        Ok(text) => {
            assert_valid(&text);
            start.notes.iter().map(|note| format!("# {}\n", said(note))).collect::<String>() + &text
        }
        Err(findings) => refused(&findings),
    }
}

#[track_caller]
fn assert_valid(text: &str) {
    assert_eq!(check(text).1, Vec::new(), "{text}");
    assert_eq!(grammar::yaml::format(model::SourceId(0), text).unwrap(), text);
}

#[test]
fn what_others_wrote_becomes_a_configuration() {
    cases::compare(cases::files("init", "txt").iter().map(|case| {
        let text = fs::read_to_string(case).unwrap();
        let mut files = cases::parts(&text);
        files.retain(|(name, _)| name != "found");
        (case.clone(), cases::with_found(&text, &outcome(&files)))
    }));
}

#[test]
fn a_name_is_taken_or_refused_with_one_that_can_be() {
    for name in ["null", "true", "yes", "123", "1.0", "a", "a-b_c.d", "no", "0x10", "1e3"] {
        assert!(refused_name(name).is_none(), "{name}");
        assert_valid(&Start::default().write(name, PYTHON, true).unwrap());
    }
    for (name, help) in
        [("Foo Bar", "for example `foo-bar`"), ("", "for example `my-service`"), ("a--b", "for example `a-b`")]
    {
        let finding = refused_name(name).unwrap();
        assert_eq!((finding.code, finding.help.as_deref(), finding.span), (codes::USAGE, Some(help), None), "{name}");
    }
    assert_eq!(Start::default().proposed_name(Some("My Folder (2)")), "my-folder-2");
    assert_eq!(Start::default().proposed_name(Some("Ünï")), "n");
    assert_eq!(Start::default().proposed_name(Some("???")), "my-service");
    for python in ["3.13", "latest", ">=3.11,<3.14", "3.13.5"] {
        assert!(refused_python(python).is_none(), "{python}");
    }
    for python in ["", "null", "three", "${{ x }}", "3.13\n"] {
        assert_eq!(refused_python(python).is_none(), python.trim() == "3.13", "{python:?}");
    }
}

/// Lines as they may stand in a file of requirements, and any other text.
fn requirement() -> impl Strategy<Value = String> {
    let pieces = [
        "idna",
        "Typing_Extensions",
        "uvicorn[standard]",
        "[",
        "==1.0",
        ">=2,<3",
        "~=1.4",
        " ",
        "; python_version < '3.12'",
        " \\\n  --hash=sha256:00",
        "-r other.txt",
        "-e .",
        "--index-url http://x/",
        "# c",
        "@ http://u:p@x/y.whl",
        "null",
        "\u{7f}",
        "${{ x }}",
        "\"",
        "'",
        ": ",
        "- ",
        "\t",
        "é",
        "./x",
        "\\",
        "\r",
        "1.0",
        "yes",
    ];
    let line = prop::collection::vec(prop::sample::select(pieces.to_vec()), 0..5).prop_map(|pieces| pieces.concat());
    prop_oneof![8 => line, 1 => any::<String>()]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_valid(lines in prop::collection::vec(requirement(), 0..8), name in any::<String>(), about in any::<String>(), python in "[0-9.<>=, a-z]{0,8}") {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("requirements.txt");
        fs::write(&file, lines.join("\n")).unwrap();
        fs::write(dir.path().join("other.txt"), "six\n").unwrap();
        let found = |text: &str| Some(Found { place: "here".into(), text: text.to_owned() });
        if let Ok(mut start) = Start::read(&file) {
            (start.name, start.version, start.description) = (Some(name.clone()), found(&name), found(&about));
            start.python = found(&python);
            let (name, python) = (start.proposed_name(None), start.proposed_python());
            if let Ok(text) = start.write(&name, &python, about.is_empty()) {
                assert_valid(&text);
            } else {
                prop_assert!(start.packages.is_empty() && !start.notes.is_empty());
            }
        }
        if refused_name(&name).is_none() {
            assert_valid(&Start::default().write(&name, PYTHON, false).unwrap());
        }
    }
}
