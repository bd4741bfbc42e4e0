use super::*;

/// What a function answers to texts, as JSON.
fn answer(name: &str, arguments: &[&str]) -> Result<String, String> {
    let own = OWN.iter().find(|own| own.name == name).unwrap();
    assert_eq!(arguments.len(), usize::from(own.takes));
    // What looks like a list is one.
    let value =
        |text: &str| if text.starts_with('[') { Value::from_json_str(text).unwrap() } else { Value::from(text) };
    let arguments: Vec<Value> = arguments.iter().map(|text| value(text)).collect();
    (own.answer)(&arguments).map(|value| serde_json::to_string(&value).unwrap())
}

#[test]
fn digests() {
    let hex = "a".repeat(64);
    assert_eq!(
        answer("clnstrt.digest.parse", &[&format!("sha256:{hex}")]).unwrap(),
        format!(r#"{{"algorithm":"sha256","hex":"{hex}"}}"#)
    );
    for wrong in ["", "sha256", "sha256:ab", "md5:aa", &format!("sha256:{}", "A".repeat(64))] {
        assert!(answer("clnstrt.digest.parse", &[wrong]).is_err(), "{wrong}");
    }
}

#[test]
fn package_urls() {
    let parse = |purl: &str| answer("clnstrt.purl.parse", &[purl]);
    assert_eq!(
        parse("pkg:deb/debian/libstdc%2B%2B6@14.2.0-19?arch=amd64&distro=trixie#a/b").unwrap(),
        r#"{"name":"libstdc++6","namespace":"debian","qualifiers":{"arch":"amd64","distro":"trixie"},"subpath":"a/b","type":"deb","version":"14.2.0-19"}"#
    );
    assert_eq!(
        parse("pkg:npm/%40angular/core@1.0.0").unwrap(),
        r#"{"name":"core","namespace":"@angular","qualifiers":{},"type":"npm","version":"1.0.0"}"#
    );
    assert_eq!(parse("pkg:PyPI/x").unwrap(), r#"{"name":"x","qualifiers":{},"type":"pypi"}"#);
    for wrong in [
        "",
        "pkg:",
        "pkg:deb",
        "pkg:deb/",
        "deb/x",
        "pkg:1a/x",
        "pkg:a/%zz",
        "pkg:a/%f",
        "pkg:a/b?x",
        "pkg:a/b?x=1&X=2",
    ] {
        assert!(parse(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn references() {
    let parse = |reference: &str| answer("clnstrt.reference.parse", &[reference]);
    let digest = format!("sha256:{}", "0".repeat(64));
    assert_eq!(
        parse(&format!("localhost:5000/team/app:1.2@{digest}")).unwrap(),
        format!(r#"{{"digest":"{digest}","registry":"localhost:5000","repository":"team/app","tag":"1.2"}}"#)
    );
    assert_eq!(parse("debian:latest").unwrap(), r#"{"repository":"debian","tag":"latest"}"#);
    assert_eq!(parse("library/debian").unwrap(), r#"{"repository":"library/debian"}"#);
    for wrong in ["", "App", "a//b", "a:", "a:b:c/d:", "a@sha256:1", "-a", "a/-"] {
        assert!(parse(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn licences() {
    let satisfies = |expression: &str, accepted: &str| answer("clnstrt.spdx.satisfies", &[expression, accepted]);
    for (expression, accepted, expected) in [
        ("MIT", r#"["MIT"]"#, "true"),
        ("MIT AND Apache-2.0", r#"["MIT"]"#, "false"),
        ("MIT OR GPL-3.0-only", r#"["MIT"]"#, "true"),
        ("(MIT OR Zlib) AND BSD-3-Clause", r#"["Zlib", "BSD-3-Clause"]"#, "true"),
        ("GPL-2.0-only WITH Classpath-exception-2.0", r#"["GPL-2.0-only"]"#, "false"),
        ("Apache-2.0 WITH LLVM-exception", r#"["Apache-2.0 WITH LLVM-exception"]"#, "true"),
    ] {
        assert_eq!(satisfies(expression, accepted).unwrap(), expected, "{expression}");
    }
    for wrong in ["", "MIT OR", "my licence", "MIT/Apache-2.0"] {
        assert!(satisfies(wrong, r#"["MIT"]"#).is_err(), "{wrong}");
    }
    assert!(satisfies("MIT", "MIT").is_err());
    assert!(satisfies("MIT", "[1]").is_err());
}

#[test]
fn times() {
    let parse = |time: &str| answer("time.parse_rfc3339_ns", &[time]);
    assert_eq!(parse("1970-01-01T00:00:01Z").unwrap(), "1000000000");
    assert_eq!(parse("1970-01-01T01:00:00+01:00").unwrap(), "0");
    for wrong in ["", "yesterday", "1970-01-01", "9999-01-01T00:00:00Z"] {
        assert!(parse(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn versions() {
    let compare = |kind: &str, left: &str, right: &str| answer("clnstrt.version.compare", &[kind, left, right]);
    for (kind, left, right, expected) in [
        ("deb", "1.2~rc1-1", "1.2-1", "-1"),
        ("deb", "1:1", "2", "1"),
        ("pypi", "1.0", "1.0.0", "0"),
        ("pypi", "1.0rc1", "1.0", "-1"),
        ("npm", "1.10.0", "1.9.0", "1"),
        ("golang", "v1.2.3", "v1.2.3+build", "0"),
    ] {
        assert_eq!(compare(kind, left, right).unwrap(), expected, "{kind} {left} {right}");
    }
    for (kind, left, right) in [("deb", "x", "1"), ("pypi", "1", "one"), ("npm", "1.0", "1.0.0"), ("cobol", "1", "2")] {
        assert!(compare(kind, left, right).is_err(), "{kind} {left} {right}");
    }
}

#[test]
fn no_function_is_there_twice() {
    let mut names: Vec<&str> = names().collect();
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all);
}
