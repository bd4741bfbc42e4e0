//! What whoever may sign says, and is wrong in itself.

use serde_json::{Value, json};

use crate::world::{NOW, World, time};
use crate::{Matrix, Wanted, items, replaced, signed};

pub(crate) fn add(matrix: &mut Matrix) {
    let all = items();
    let of = |check: &str| all.iter().position(|item| item.check == check).unwrap();
    let set = |matrix: &mut Matrix,
               class: &'static str,
               check: &'static str,
               place: &str,
               value: Value,
               words: &'static [&'static str]| {
        let number = of(check);
        let mut statement = all[number].statement.clone();
        let (parent, field) = place.rsplit_once('/').unwrap();
        let parent = statement["predicate"].pointer_mut(parent).unwrap();
        match parent {
            Value::Array(list) => list[field.parse::<usize>().unwrap()] = value.clone(),
            parent => parent[field] = value.clone(),
        }
        let name = format!("{check}{place} = {value}");
        matrix.add(class, name, replaced(number, &signed(&statement)), Wanted::Refused(check, words));
    };
    let made = "not made as expected";
    let parameters = "/buildDefinition/externalParameters";
    for (name, value) in [
        ("debug", json!(true)),
        ("script", json!("curl")),
        ("Config", json!({})),
        ("config ", json!({})),
        ("args", json!([])),
        ("network", json!("on")),
        ("source", json!("x")),
        ("workflow", json!({})),
        ("vars", json!({})),
        ("inputs", json!({})),
        ("config/ref", json!("main")),
        ("config/branch", json!("x")),
        ("config/entryPoint", json!("x")),
        ("config/Path", json!("x")),
    ] {
        set(matrix, made, "provenance", &format!("{parameters}/{name}"), value, &["nobody expects its parameter"]);
    }
    for (place, value, word) in [
        ("/buildDefinition/buildType", json!("urn:clnstrt:build:v2"), "in the way"),
        ("/buildDefinition/buildType", json!("https://example.com/build"), "in the way"),
        ("/runDetails/builder/id", json!("urn:clnstrt:builder:emulated"), "it was made by"),
        ("/runDetails/builder/id", json!("https://evil.example"), "it was made by"),
        (
            "/buildDefinition/externalParameters/config/repository",
            json!("https://git.example.com/fork"),
            "and not from",
        ),
        (
            "/buildDefinition/externalParameters/config/repository",
            json!("https://git.example.com/app.git.evil"),
            "and not from",
        ),
        ("/buildDefinition/externalParameters/config/repository", json!(7), "is no text"),
        ("/buildDefinition/externalParameters/config/repository", Value::Null, "is no text"),
        ("/buildDefinition/externalParameters/config/commit", json!(["x"]), "is no text"),
        ("/buildDefinition/externalParameters/config", json!("image.yaml"), "config is no object"),
        ("/buildDefinition/externalParameters/config", json!([]), "config is no object"),
        ("/buildDefinition/externalParameters/config", Value::Null, "config is no object"),
        ("/runDetails/builder", json!({}), "no provenance"),
        ("/runDetails/builder", json!("x"), "no provenance"),
        ("/buildDefinition/externalParameters", json!([]), "no provenance"),
        ("/buildDefinition/resolvedDependencies", json!([{}]), "no provenance"),
        ("/buildDefinition", json!({}), "no provenance"),
        ("/runDetails/metadata/finishedOn", json!("yesterday"), "no provenance"),
    ] {
        let words: &'static [&'static str] = Box::leak(Box::new([word]));
        set(matrix, made, "provenance", place, value, words);
    }
    for other in ["0".repeat(64), "f".repeat(64), World::bare("good").index.hex().replace('a', "b")] {
        let value = json!([{ "alg": "SHA-256", "content": other }]);
        set(matrix, "of another image within", "sbom", "/metadata/component/hashes", value, &["of another image"]);
    }
    for (place, value) in [
        ("/components", json!([])),
        ("/components", json!({})),
        ("/components", json!([{ "name": "x" }])),
        ("/components", Value::Null),
        ("/components/0/purl", Value::Null),
        ("/components/0/purl", json!(1)),
    ] {
        set(matrix, "of another image within", "sbom", place, value, &["lists no package", "no bill of materials"]);
    }
    for number in 0..10 {
        let other = World::bare(&format!("another {number}")).images[0].hex();
        let value = json!([{ "alg": "SHA-1", "content": "" }, { "alg": "SHA-256", "content": other }]);
        set(matrix, "of another image within", "sbom", "/metadata/component/hashes", value, &["of another image"]);
    }
    for (place, value) in [("/bomFormat", json!("Other")), ("/bomFormat", json!(1)), ("/bomFormat", Value::Null)] {
        set(
            matrix,
            "of another image within",
            "sbom",
            place,
            value,
            &["neither CycloneDX nor SPDX", "no bill of materials"],
        );
    }
    for score in ["9.0", "9.8", "10.0", "10", "9.1"] {
        let found = json!([{ "id": "CVE-2026-0009", "severity": [{ "method": "CVSS_V3", "score": score }] }]);
        set(matrix, "too vulnerable", "vulnerabilities", "/scanner/result", found, &["are critical"]);
    }
    for ratings in [
        json!([]),
        json!([{ "score": "x" }]),
        json!([{ "score": "7.0" }]),
        json!([{ "score": 8.9 }]),
        json!([{ "score": "HIGH" }]),
        json!("none"),
        Value::Null,
        json!([{ "score": "2.0" }, { "score": "7.5" }]),
        json!([{ "score": -1 }]),
    ] {
        let one = |id: &str| json!({ "id": id, "severity": ratings });
        let found = json!([one("CVE-2026-0010"), one("CVE-2026-0011")]);
        set(
            matrix,
            "too vulnerable",
            "vulnerabilities",
            "/scanner/result",
            found,
            &["are high, or of unknown severity"],
        );
    }
    let computed = [
        "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
        "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N",
        "AV:N/AC:L/Au:N/C:C/I:C/A:C",
        "CVSS:3.1/AV:N",
        "CVSS:7.0/AV:N/AC:L",
    ];
    for vector in computed {
        for ratings in [json!([vector, "1.0"]), json!(["1.0", vector]), json!([vector])] {
            let ratings: Vec<Value> =
                ratings.as_array().unwrap().iter().map(|score| json!({ "score": score })).collect();
            let found = json!([{ "id": "CVE-2026-0009", "severity": ratings }]);
            set(matrix, "too vulnerable", "vulnerabilities", "/scanner/result", found, &["are critical"]);
        }
    }
    for other in [json!("x"), json!({}), json!("NaN")] {
        let one = |id: &str| json!({ "id": id, "severity": [{ "score": other }, { "score": "2.0" }] });
        let found = json!([one("CVE-2026-0010"), one("CVE-2026-0011")]);
        set(
            matrix,
            "too vulnerable",
            "vulnerabilities",
            "/scanner/result",
            found,
            &["are high, or of unknown severity"],
        );
    }
    // What whoever searched chose to leave out.
    let trivy = json!({ "VulnerabilityID": "CVE-2026-0009", "PkgName": "x", "Severity": "CRITICAL" });
    let grype =
        json!({ "vulnerability": { "id": "CVE-2026-0009", "severity": "Critical" }, "artifact": { "name": "x" } });
    for result in [
        json!({ "SchemaVersion": 2, "Results": [{ "Vulnerabilities": [trivy] }] }),
        json!({ "SchemaVersion": 2, "Results": [{ "ExperimentalModifiedFindings": [{ "Type": "vulnerability", "Status": "ignored", "Finding": trivy }] }] }),
        json!({ "SchemaVersion": 2, "Results": [{ "ExperimentalModifiedFindings": [{ "Finding": trivy }] }] }),
        json!({ "matches": [grype] }),
        json!({ "matches": [], "ignoredMatches": [grype] }),
    ] {
        set(matrix, "too vulnerable", "vulnerabilities", "/scanner/result", result, &["are critical"]);
    }
    for count in 2..8 {
        let found: Vec<Value> =
            (0..count).map(|number| json!({ "id": format!("X-{number}"), "severity": [{ "score": "5.0" }] })).collect();
        set(matrix, "too vulnerable", "vulnerabilities", "/scanner/result", json!(found), &["are in all"]);
    }
    for value in [
        json!({}),
        json!("none"),
        json!([{}]),
        json!([{ "id": 7 }]),
        Value::Null,
        json!({ "matches": {} }),
        json!({ "Results": [] }),
        json!({ "SchemaVersion": 2, "Results": {} }),
        json!({ "SchemaVersion": 2, "Results": "none" }),
        json!({ "SchemaVersion": 2, "Results": null }),
        json!({ "SchemaVersion": 2, "Results": ["x"] }),
        json!({ "SchemaVersion": 2, "Results": [{ "Vulnerabilities": {} }] }),
        json!({ "SchemaVersion": 2, "Results": [{ "ExperimentalModifiedFindings": {} }] }),
        json!({ "SchemaVersion": 2, "Results": [{ "ExperimentalModifiedFindings": [{}] }] }),
        json!({ "matches": [], "ignoredMatches": {} }),
        json!({ "matches": [], "ignoredMatches": [{}] }),
    ] {
        set(matrix, "too vulnerable", "vulnerabilities", "/scanner/result", value, &["not known here"]);
    }
    for (place, value) in [
        ("/statements/0/status", json!("affected")),
        ("/statements/0/status", json!("under_investigation")),
        ("/statements/0/status", json!("NOT_AFFECTED")),
        ("/statements/0/status", json!(1)),
        ("/statements/0/status", json!([])),
        ("/statements/0/justification", Value::Null),
        ("/statements/0/justification", json!("")),
        ("/statements/0/justification", json!("we looked")),
        ("/statements/0/justification", json!("Component_Not_Present")),
        ("/statements/0/justification", json!(["component_not_present"])),
        ("/statements/0/products", json!({ "@id": World::bare("good").index.hex() })),
        ("/statements/0/products", json!(World::bare("good").index.hex())),
        ("/statements/0/products", json!(1)),
        ("/statements/0/products", Value::Null),
        ("/statements/0/vulnerability/name", json!("CVE-2026-9999")),
        ("/statements/0/vulnerability", json!({})),
        ("/statements/0/vulnerability", json!("CVE-2026-00010")),
        ("/statements/0/products/0", json!({ "@id": "pkg:oci/other@sha256:00" })),
        ("/statements/0/products/0/@id", json!("")),
        ("/statements/0/products/0/@id", json!(World::bare("another").index.hex())),
        ("/statements", json!([])),
    ] {
        let number = of("vex");
        let mut statement = all[number].statement.clone();
        *statement["predicate"].pointer_mut(place).unwrap() = value.clone();
        let world = replaced(number, &signed(&statement));
        let wanted = Wanted::Refused("vulnerabilities", &["are critical"]);
        matrix.add("excused by nobody", format!("vex{place} = {value}"), world, wanted);
    }
    for (first, second) in [("affected", "not_affected"), ("not_affected", "affected")] {
        for later in [1, 60, 3600, 86_000] {
            let number = of("vex");
            let mut older = all[number].statement.clone();
            older["predicate"]["statements"][0]["status"] = json!(first);
            older["predicate"]["timestamp"] = json!(time(NOW - 86_400 - later));
            let mut newer = all[number].statement.clone();
            newer["predicate"]["statements"][0]["status"] = json!(second);
            let mut world = replaced(number, &signed(&newer));
            world.attach(&all[number].at, &signed(&older));
            let wanted = match second {
                "affected" => Wanted::Refused("vulnerabilities", &["are critical"]),
                _ => Wanted::Unchanged,
            };
            matrix.add("excused by nobody", format!("the last word is {second}, {later} s later"), world, wanted);
        }
    }
    for (place, value, words) in [
        ("/result", json!("FAILED"), &["result of its tests"] as &[&str]),
        ("/result", json!("WARNED"), &["result of its tests"]),
        ("/result", json!("passed"), &["result of its tests"]),
        ("/result", Value::Null, &["result of its tests"]),
        ("/passedTests", json!([]), &["no test was run"]),
        ("/passedTests", json!({}), &["no test was run"]),
        ("/passedTests", json!([1]), &["no test was run"]),
        ("/passedTests", json!([1, null, ["a"], { "name": "a" }]), &["no test was run"]),
        ("/failedTests", json!([1]), &["test(s) failed"]),
        ("/failedTests", json!([null]), &["test(s) failed"]),
        ("/failedTests", json!([{ "name": "archive" }]), &["test(s) failed"]),
        ("/failedTests", json!({ "name": "archive" }), &["test(s) failed"]),
        ("/failedTests", json!("archive"), &["test(s) failed"]),
        ("/finishedOn", json!("yesterday"), &["cannot be read"]),
        ("/finishedOn", json!(1_798_675_200), &["cannot be read"]),
        ("/finishedOn", Value::Null, &["cannot be read"]),
        ("/passedTests", Value::Null, &["no test was run"]),
        ("/failedTests", json!(["archive"]), &["test(s) failed"]),
        ("/failedTests", json!(["a", "b"]), &["test(s) failed"]),
    ] {
        set(matrix, "not tested", "tests", place, value, words);
    }
    for name in ["archive", "sbom", "x", "y", "z", "starts", "scan", "secrets", "licences", "signature"] {
        set(matrix, "not tested", "tests", "/failedTests", json!([name]), &["test(s) failed"]);
    }
    for value in [json!(false), json!("true"), json!(1), Value::Null, json!({}), json!([]), json!("")] {
        set(matrix, "not FIPS", "fips", "/build/fips", value, &["was not built to use"]);
    }
    let file = |arch: Value| json!([{ "path": "/app", "architecture": arch, "has": [], "lacks": [], "unknown": [] }]);
    let looked =
        [json!([]), json!([{}]), json!(["x"]), file(json!("amd64")), file(json!("arm64")), file(json!(["arm64"]))];
    for value in [json!({}), Value::Null, json!(1), json!("none"), json!(true)].into_iter().chain(looked) {
        set(matrix, "not FIPS", "fips", "/hardening/files", value, &["nobody looked"]);
    }
    let nameless = json!({ "architecture": "arm64", "lacks": ["image-cryptography"] });
    set(matrix, "not FIPS", "fips", "/hardening/files/0", nameless, &["cryptography of their own"]);
    for path in ["/app", "/usr/lib/x.so", "/a", "/b", "/c", "/usr/bin/python3", "/opt/app", "/lib/y.so"] {
        let file =
            json!({ "path": path, "architecture": "arm64", "lacks": ["image-cryptography"], "has": [], "unknown": [] });
        set(matrix, "not FIPS", "fips", "/hardening/files/0", file, &["cryptography of their own"]);
    }
    // What is signed as one kind of thing, and is another.
    for (number, item) in all.iter().enumerate().filter(|(_, item)| !matches!(item.check, "signature" | "vex")) {
        for other in all.iter().filter(|other| other.check != item.check) {
            let mut statement = item.statement.clone();
            statement["predicate"] = other.statement["predicate"].clone();
            let words: &'static [&'static str] = &[
                "no provenance",
                "neither CycloneDX",
                "lists no package",
                "does not say",
                "no test was run",
                "was not built",
                "nobody looked",
                "not known here",
                "has no result",
                "is required",
                "what searched",
            ];
            let name = format!("{} of {}", item.check, other.check);
            matrix.add(
                "the content is another's",
                name,
                replaced(number, &signed(&statement)),
                Wanted::Refused(item.check, words),
            );
        }
    }
}
