//! Several test reports, databases of scanners, and who makes images.

use serde_json::{Value, json};

use crate::world::{NOW, World, expectations, time, trust};
use crate::{Matrix, Wanted, items, replaced, signed};

const DAY: i64 = 86_400;

fn without(mut statement: Value, field: &str) -> Value {
    statement["predicate"].as_object_mut().unwrap().remove(field);
    statement
}

pub(crate) fn add(matrix: &mut Matrix) {
    let all = items();
    let of = |check: &str| all.iter().position(|item| item.check == check).unwrap();
    let number = of("tests");
    let good = &all[number].statement;
    let stale = Wanted::Refused("tests", &["does not say of when it is"]);
    let untimed = without(good.clone(), "finishedOn");
    matrix.add("not tested", "at no time".into(), replaced(number, &signed(&untimed)), stale);
    let failed = |field: &str, value: Value| {
        let mut statement = untimed.clone();
        statement["predicate"][field] = value;
        statement
    };
    let mut unreadable = good.clone();
    unreadable["predicate"]["finishedOn"] = json!("2026-13-01");
    let mut at_once = good.clone();
    at_once["predicate"]["failedTests"] = json!(["archive"]);
    let mut later = at_once.clone();
    later["predicate"]["finishedOn"] = json!(time(NOW - DAY + 1));
    for (name, other, words) in [
        ("failed, at no time", failed("failedTests", json!(["archive"])), &["test(s) failed"] as &[&str]),
        ("a number failed, at no time", failed("failedTests", json!([1])), &["test(s) failed"]),
        ("WARNED, at no time", failed("result", json!("WARNED")), &["result of its tests"]),
        ("nothing ran, at no time", failed("passedTests", json!([])), &["no test was run"]),
        ("passed, at a time that cannot be read", unreadable, &["cannot be read"]),
        ("failed, at the same time", at_once, &["test(s) failed"]),
        ("failed, later", later, &["test(s) failed"]),
    ] {
        for is_first in [false, true] {
            let mut world = World::good();
            let manifest = world.referrer(&all[number].at, &signed(&other));
            let listed = world.referrers.get_mut(&all[number].at).unwrap();
            listed.insert(if is_first { 0 } else { listed.len() }, manifest);
            matrix.add("not tested", format!("beside it: {name}"), world, Wanted::Refused("tests", words));
        }
    }
    let mut world = World::good();
    world.attach(&all[number].at, &signed(&untimed));
    matrix.add("duplicated", "a report without a time".into(), world, Wanted::Unchanged);

    let number = of("vulnerabilities");
    for days in [31, 32, 90, 365, 3650] {
        let mut statement = all[number].statement.clone();
        statement["predicate"]["scanner"]["db"]["lastUpdate"] = json!(time(NOW - days * DAY));
        let wanted = Wanted::Refused("vulnerabilities", &["database", "is older than"]);
        let world = replaced(number, &signed(&statement));
        matrix.add("an older one is replayed", format!("a database of {days} days ago"), world, wanted);
    }
    for database in [json!({}), json!({ "lastUpdate": "soon" }), json!({ "lastUpdate": null }), json!(1)] {
        let mut statement = all[number].statement.clone();
        statement["predicate"]["scanner"]["db"] = database.clone();
        let wanted = Wanted::Refused("vulnerabilities", &["database does not say of when it is"]);
        let world = replaced(number, &signed(&statement));
        matrix.add("an older one is replayed", format!("a database: {database}"), world, wanted);
    }
}

fn made_by(builder: &str) -> World {
    let all = items();
    let number = all.iter().position(|item| item.check == "provenance").unwrap();
    let mut statement = all[number].statement.clone();
    statement["predicate"]["runDetails"]["builder"]["id"] = json!(builder);
    replaced(number, &signed(&statement))
}

#[test]
fn own_builders_are_those_there_are() {
    let judged = |builder: &str, builders: &[&str], hermetic: bool| {
        let mut expected = expectations();
        expected.made.builders = builders.iter().map(|&name| name.to_owned()).collect();
        (expected.made.hermetic, expected.made.emulated) = (hermetic, true);
        let evidence =
            made_by(builder).gather(verifier::Depth { layers: true, legacy: true, ..verifier::Depth::default() });
        verifier::verify(&evidence, &trust(), &expected, NOW)
    };
    for name in ["local", "remote", "emulated"] {
        let verified = judged(&format!("urn:clnstrt:builder:{name}"), &[], true);
        assert!(verified.verdict.accepted, "{:#?}", verified.verdict.findings());
    }
    for name in ["", "Local", "local:x", "mine", "locals"] {
        let builder = format!("urn:clnstrt:builder:{name}");
        for hermetic in [false, true] {
            let verdict = judged(&builder, &[], hermetic).verdict;
            assert!(verdict.checks.iter().any(|check| check.reason.contains("builder that is known")), "{builder}");
            assert!(!verdict.accepted);
        }
        let named = judged(&builder, &[&builder], false);
        assert!(named.verdict.accepted, "{:#?}", named.verdict.findings());
        let facts = named.facts.unwrap().document;
        assert_eq!(facts["provenance"].get("hermetic"), None);
        assert_eq!(facts["provenance"].get("emulated"), None);
        assert!(!judged(&builder, &[&builder], true).verdict.accepted, "{builder}");
    }
}
