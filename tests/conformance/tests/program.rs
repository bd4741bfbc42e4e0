//! The program over the cases of `tests/keyless`, as the conformance suite calls it.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// What the program says of a case, called with what the case says and these words more.
fn asked(folder: &Path, more: &[&str]) -> Output {
    let case: toml::Table = toml::from_str(&fs::read_to_string(folder.join("case.toml")).unwrap()).unwrap();
    let text = |name: &str| case.get(name).and_then(|value| value.as_str()).unwrap_or_default();
    let mut command = Command::new(env!("CARGO_BIN_EXE_clnstrt-conformance"));
    command.current_dir(folder).args(["verify-bundle", "--bundle", "bundle.json"]).args(more);
    if !more.contains(&"--staging") && !more.contains(&"--trusted-root") {
        command.arg("--trusted-root").arg(cases::place("keyless/roots").join(text("root")).with_extension("json"));
    }
    match folder.join("key.pub").exists() {
        true => command.args(["--key", "key.pub"]),
        false => command
            .args(["--certificate-identity", text("subject")])
            .args(["--certificate-oidc-issuer", text("issuer")]),
    };
    command.arg(text("artifact")).output().unwrap()
}

#[test]
fn it_ends_with_0_for_what_is_signed_and_with_1_and_a_reason_for_what_is_not() {
    for folder in cases::folders("keyless/accepted") {
        let output = asked(&folder, &[]);
        assert!(output.status.success() && output.stderr.is_empty(), "{}: {output:?}", folder.display());
    }
    for folder in cases::folders("keyless/refused") {
        let output = asked(&folder, &[]);
        let recorded = fs::read_to_string(folder.join("refused.txt")).unwrap();
        let (_, reason) = recorded.split_once(": ").unwrap();
        assert_eq!(output.status.code(), Some(1), "{}", folder.display());
        assert_eq!(String::from_utf8(output.stderr).unwrap(), reason, "{}", folder.display());
    }
}

#[test]
fn an_instance_is_believed_that_is_named_and_no_other() {
    let folder = cases::place("keyless/accepted/several-intermediates");
    assert!(asked(&folder, &["--staging"]).status.success());
    let production = cases::place("keyless/roots/public-good.json");
    assert_eq!(asked(&folder, &["--trusted-root", production.to_str().unwrap()]).status.code(), Some(1));
}

#[test]
fn what_cannot_be_read_is_not_verified() {
    let folder = cases::place("keyless/accepted/statement");
    let empty = tempfile::NamedTempFile::new().unwrap();
    for root in [empty.path().to_str().unwrap(), "there-is-none.json"] {
        let output = asked(&folder, &["--trusted-root", root]);
        assert!(output.status.code() == Some(1) && !output.stderr.is_empty(), "{output:?}");
    }
}
