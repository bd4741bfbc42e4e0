//! What VEX documents say of single packages, and at what time.

use serde_json::{Value, json};

use crate::world::{NOW, World, owner, time};
use crate::{Matrix, Wanted};

const FOO: &str = "pkg:deb/debian/libfoo@1.2";
const BAR: &str = "pkg:deb/debian/libbar@3";
const DAY: i64 = 86_400;
const REFUSED: Wanted = Wanted::Refused("vulnerabilities", &["are critical"]);

/// The image in which scans found one critical vulnerability in a package, and publishers say this of it, one document each.
fn world(package: Value, documents: &[Value]) -> World {
    let mut world = World::bare("good");
    for mut item in world.items() {
        if item.check == "vulnerabilities" {
            let found = json!({ "id": "CVE-2026-0001", "severity": [{ "score": 9.8 }], "annotations": [{ "package": package }] });
            item.statement["predicate"]["scanner"]["result"] = json!([found]);
        }
        if item.check == "vex" {
            for document in documents {
                for field in ["statements", "timestamp"] {
                    item.statement["predicate"][field] = document[field].clone();
                }
                world.attach(&item.at, &owner().bundle(item.statement.to_string().as_bytes()));
            }
            continue;
        }
        world.attach(&item.at, &owner().bundle(item.statement.to_string().as_bytes()));
    }
    world
}

fn document(timestamp: Value, statements: &[Value]) -> Value {
    json!({ "timestamp": timestamp, "statements": statements })
}

/// A statement; the fields of `more` over those it has.
fn says(status: &str, more: &Value) -> Value {
    let mut statement = json!({
        "vulnerability": { "name": "CVE-2026-0001" }, "status": status, "justification": "vulnerable_code_not_present",
    });
    for (name, value) in more.as_object().unwrap() {
        statement[name] = value.clone();
    }
    statement
}

fn within(subcomponents: Value) -> Value {
    json!({ "products": [{ "@id": format!("pkg:oci/app@sha256:{}", World::bare("good").index.hex()), "subcomponents": subcomponents }] })
}

pub(crate) fn add(matrix: &mut Matrix) {
    packages(matrix);
    moments(matrix);
}

fn packages(matrix: &mut Matrix) {
    let now = json!(time(NOW - DAY));
    let one = |id: &str| json!([{ "@id": id }]);
    for (package, subcomponents, is_excused) in [
        (json!(FOO), one(FOO), true),
        (json!(format!("{FOO}?arch=amd64")), one(FOO), true),
        (json!(FOO), one(&format!("{FOO}?arch=amd64#x")), true),
        (json!(FOO), json!([{ "@id": BAR }, { "@id": FOO }]), true),
        (json!(FOO), json!([]), true),
        (json!(BAR), one(FOO), false),
        (json!("pkg:deb/debian/libfoo@1.3"), one(FOO), false),
        (json!(FOO), one("pkg:deb/debian/libfoo"), false),
        (json!("libfoo"), one(FOO), false),
        (json!(""), one(FOO), false),
        (json!(""), one(""), false),
        (Value::Null, one(FOO), false),
        (json!(FOO), json!({ "@id": FOO }), false),
        (json!(FOO), json!(FOO), false),
        (json!(FOO), Value::Null, false),
        (json!(FOO), json!([{}]), false),
        (json!(FOO), json!([{ "@id": 1 }]), false),
    ] {
        let statements = [says("not_affected", &within(subcomponents.clone()))];
        let wanted = if is_excused { None } else { Some(REFUSED) };
        let name = format!("{subcomponents} for {package}");
        matrix.0.extend(judged(name, world(package, &[document(now.clone(), &statements)]), wanted));
    }
    // As version 0.0 has them.
    let beside = says("not_affected", &json!({ "subcomponents": [FOO] }));
    matrix.add("excused by nobody", "beside".into(), world(json!(BAR), &[document(now.clone(), &[beside])]), REFUSED);
    // Another package being affected is no word on this one, unless it may be the same.
    for (package, subcomponents, is_excused) in [
        (json!(BAR), one(FOO), true),
        (json!(FOO), one(FOO), false),
        (json!(FOO), one("pkg:deb/debian/libfoo"), false),
        (json!(FOO), one("https://example.com/libfoo"), false),
        (json!(FOO), json!([{}]), false),
        (json!(FOO), json!(1), false),
        (Value::Null, one(FOO), false),
    ] {
        let statements = [says("not_affected", &json!({})), says("affected", &within(subcomponents.clone()))];
        let wanted = if is_excused { None } else { Some(REFUSED) };
        let name = format!("affected: {subcomponents} for {package}");
        matrix.0.extend(judged(name, world(package, &[document(now.clone(), &statements)]), wanted));
    }
    let other = says("affected", &json!({ "products": 1 }));
    let statements = [says("not_affected", &json!({})), other];
    matrix.add("excused by nobody", "no products".into(), world(json!(FOO), &[document(now, &statements)]), REFUSED);
}

fn moments(matrix: &mut Matrix) {
    let at = |days: i64| json!(time(NOW - days * DAY));
    let excuse = |more: Value| says("not_affected", &more);
    let worse = |more: Value| says("affected", &more);
    let asked = says("under_investigation", &json!({}));
    let own = |days: i64| json!({ "timestamp": at(days) });
    for (name, documents, is_excused) in [
        ("statement of 40 days", vec![document(at(1), &[excuse(own(40))])], false),
        ("statement of 2 days", vec![document(at(1), &[excuse(own(2))])], true),
        (
            "updated 2 days ago",
            vec![document(at(1), &[excuse(json!({ "timestamp": at(40), "last_updated": at(2) }))])],
            true,
        ),
        (
            "updated 40 days ago",
            vec![document(at(1), &[excuse(json!({ "timestamp": at(2), "last_updated": at(40) }))])],
            false,
        ),
        ("at no time", vec![document(at(1), &[excuse(json!({ "timestamp": "soon" }))])], false),
        ("ahead", vec![document(at(1), &[excuse(own(-2))])], false),
        ("worse since", vec![document(at(1), &[worse(own(2)), excuse(own(3))])], false),
        ("better since", vec![document(at(1), &[excuse(own(2)), worse(own(3))])], true),
        (
            "worse since, in an older one",
            vec![document(at(1), &[excuse(own(5))]), document(at(9), &[worse(own(4))])],
            false,
        ),
        (
            "better since, in an older one",
            vec![document(at(1), &[worse(own(5))]), document(at(9), &[excuse(own(4))])],
            true,
        ),
        (
            "worse at no time",
            vec![document(at(1), &[excuse(json!({}))]), document(json!("soon"), &[worse(json!({}))])],
            false,
        ),
        (
            "worse without a time",
            vec![document(at(1), &[excuse(json!({}))]), document(Value::Null, &[worse(json!({}))])],
            false,
        ),
        ("asked without a time", vec![document(at(1), &[excuse(json!({}))]), document(Value::Null, &[asked])], false),
        ("worse at once", vec![document(at(1), &[excuse(json!({}))]), document(at(1), &[worse(json!({}))])], false),
        ("better at once", vec![document(at(1), &[worse(json!({}))]), document(at(1), &[excuse(json!({}))])], false),
        ("better in the same", vec![document(at(1), &[worse(json!({})), excuse(json!({}))])], true),
        (
            "no word that is known",
            vec![document(at(2), &[excuse(json!({}))]), document(at(1), &[says("fine", &json!({}))])],
            false,
        ),
        (
            "no text",
            vec![document(at(2), &[excuse(json!({}))]), document(at(1), &[worse(json!({ "status": 1 }))])],
            false,
        ),
    ] {
        let wanted = if is_excused { None } else { Some(REFUSED) };
        matrix.0.extend(judged(name.to_owned(), world(json!(FOO), &documents), wanted));
    }
}

/// A case of what is refused; what is not is judged at once, for its reasons are others.
fn judged(name: String, world: World, wanted: Option<Wanted>) -> Option<crate::Mutation> {
    let Some(wanted) = wanted else {
        let verdict = world.judged();
        assert!(verdict.accepted, "{name}: {:#?}", verdict.checks);
        return None;
    };
    Some(crate::Mutation { class: "excused by nobody", name, world, now: NOW, wanted })
}
