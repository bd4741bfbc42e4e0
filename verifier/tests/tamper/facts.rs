//! What policies are told: nothing that is not known of every platform.

use model::Digest;
use model::inventory::SecretKind;
use serde_json::{Value, json};
use verifier::{Contents, Depth, FACTS};

use crate::world::{Item, NOW, World, expectations, owner, statement, time, trust};

/// What is known of the image after something was done to what is said of it.
fn facts(edit: impl Fn(&World, &mut Vec<Item>)) -> Value {
    let mut world = World::bare("good");
    let mut items = world.items();
    edit(&world, &mut items);
    for item in items {
        world.attach(&item.at, &owner().bundle(item.statement.to_string().as_bytes()));
    }
    let evidence = world.gather(Depth { layers: true, ..Depth::default() });
    verifier::verify(&evidence, &trust(), &expectations(), NOW).facts.unwrap().document
}

fn find<'i>(items: &'i mut [Item], check: &str) -> &'i mut Item {
    items.iter_mut().find(|item| item.check == check).unwrap()
}

/// Says something apart of each platform.
fn apart(world: &World, items: &mut Vec<Item>, check: &str, edit: impl Fn(usize, &mut Value)) {
    let whole = find(items, check).statement.clone();
    items.retain(|item| item.check != check);
    for (number, image) in world.images.iter().enumerate() {
        let mut predicate = whole["predicate"].clone();
        edit(number, &mut predicate);
        let said = statement(&[*image], whole["predicateType"].as_str().unwrap(), predicate);
        items.push(Item { check: "apart", at: *image, statement: said });
    }
}

fn types(facts: &Value) -> Vec<&str> {
    facts["attestations"].as_array().unwrap().iter().map(|one| one["type"].as_str().unwrap()).collect()
}

#[test]
fn what_is_seen_is_said_whatever_was_signed() {
    for image in [json!("app"), json!([]), Value::Null, json!(7), json!({ "user": 0, "ports": [22], "digest": "x" })] {
        let facts = facts(|_, items| find(items, "fips").statement["predicate"]["image"] = image.clone());
        assert_eq!(facts["image"]["user"], 65532, "{image}");
        assert_eq!(facts["image"]["ports"], json!([8000]), "{image}");
        assert_eq!(facts["image"]["digest"], json!(World::bare("good").index), "{image}");
    }
}

#[test]
fn what_lies_in_layers_is_said_of_all_platforms_or_not_at_all() {
    let world = World::good();
    let said = |looked_at: &[Digest]| {
        let mut evidence = world.gather(Depth { layers: true, contents: true, ..Depth::default() });
        for image in looked_at {
            let secrets =
                [(format!("/{}", image.hex()), SecretKind::PrivateKey), ("/k".into(), SecretKind::Credentials)];
            let contents = Contents { secrets: secrets.into(), ..Contents::default() };
            evidence.contents.insert(*image, contents);
        }
        verifier::verify(&evidence, &trust(), &expectations(), NOW).facts.unwrap().document["image"]["secrets"].clone()
    };
    assert_eq!(said(&[]), Value::Null);
    assert_eq!(said(&world.images[..1]), Value::Null);
    let both = said(&world.images);
    assert_eq!(both.as_array().unwrap().len(), 3, "{both}");
    assert!(both.as_array().unwrap().contains(&json!({ "path": "/k", "kind": "credentials" })), "{both}");
}

#[test]
fn a_statement_is_one_if_it_is_one_of_every_platform() {
    let all = ["sbom", "sbom", "slsa-provenance", "test-report", "vex", "vulnerabilities"];
    let sorted = |facts: &Value| {
        let mut types: Vec<String> =
            types(facts).into_iter().filter(|kind| *kind != "custom").map(str::to_owned).collect();
        types.sort();
        types
    };
    assert_eq!(sorted(&facts(|_, _| {})), all);
    for (check, kind) in [("sbom", "sbom"), ("vulnerabilities", "vulnerabilities")] {
        let facts = facts(|_, items| {
            let first = items.iter().position(|item| item.check == check).unwrap();
            items.remove(first);
        });
        assert!(!types(&facts).contains(&kind), "{kind}");
    }
    for (check, kind) in [("provenance", "slsa-provenance"), ("vex", "vex"), ("tests", "test-report")] {
        let parts = facts(|world, items| apart(world, items, check, |_, _| {}));
        assert!(types(&parts).contains(&kind), "{kind}");
        let one = facts(|world, items| {
            apart(world, items, check, |_, _| {});
            items.pop();
        });
        // What is left is of the first platform alone.
        assert!(!types(&one).contains(&kind), "{kind}");
    }
    let nothing = [
        ("provenance", json!({}), "slsa-provenance"),
        ("sbom", json!({}), "sbom"),
        ("sbom", json!({ "bomFormat": "CycloneDX", "components": [] }), "sbom"),
    ];
    for (check, predicate, kind) in nothing {
        let facts = facts(|_, items| find(items, check).statement["predicate"] = predicate.clone());
        assert!(!types(&facts).contains(&kind), "{kind}: {predicate}");
    }
    let other = facts(|world, items| {
        let said = statement(&[world.images[0]], "https://example.com/audit", json!({}));
        items.push(Item { check: "other", at: world.images[0], statement: said });
    });
    assert!(!other["attestations"].to_string().contains("example.com/audit"));
}

#[test]
fn gates_are_those_of_all_platforms() {
    let of = |edit: &dyn Fn(usize, &mut Value)| {
        let facts = facts(|world, items| apart(world, items, "tests", edit));
        facts.get("gates").cloned()
    };
    assert_eq!(of(&|_, _| {}), Some(json!({ "total": 2, "run": 2, "passed": ["archive", "sbom"], "failed": [] })));
    let differ = of(&|number, one| {
        if number == 1 {
            one["passedTests"] = json!(["archive"]);
            one["failedTests"] = json!(["starts"]);
            one["result"] = json!("FAILED");
            one["gatesTotal"] = json!(5);
        }
    });
    assert_eq!(differ, Some(json!({ "total": 5, "run": 2, "passed": ["archive"], "failed": ["starts"] })));
    let unknown: [(&str, Value); 6] = [
        ("result", json!("FAILED")),
        ("result", Value::Null),
        ("gatesTotal", json!("2")),
        ("finishedOn", json!("soon")),
        ("finishedOn", json!(time(NOW - 40 * 86_400))),
        ("finishedOn", json!(time(NOW + 86_400))),
    ];
    for (field, value) in unknown {
        for number in 0..2 {
            let gates = of(&|other, one| {
                if other == number {
                    one[field] = value.clone();
                }
            });
            assert_eq!(gates, None, "{field} = {value}");
        }
    }
    let one = facts(|world, items| {
        apart(world, items, "tests", |_, _| {});
        items.pop();
    });
    assert_eq!(one.get("gates"), None);
}

#[test]
fn how_it_was_made_is_known_where_it_is_the_same() {
    let of = |place: &str, value: Value| {
        let place = place.to_owned();
        facts(move |world, items| {
            apart(world, items, "provenance", |number, one| {
                if number == 1 {
                    *one.pointer_mut(&place).unwrap() = value.clone();
                }
            });
        })["provenance"]
            .clone()
    };
    let commit = of("/buildDefinition/externalParameters/config/commit", json!("4".repeat(40)));
    assert_eq!((commit.get("commit"), &commit["hermetic"]), (None, &json!(true)));
    let path = of("/buildDefinition/externalParameters/config/path", json!("other.yaml"));
    assert_eq!(path["commit"], "3".repeat(40));
    let builder = of("/runDetails/builder/id", json!("urn:clnstrt:builder:remote"));
    assert_eq!(builder, Value::Null);
}

#[test]
fn facts_that_contradict_each_other_are_none() {
    let twice = |build: Value| {
        facts(move |world, items| {
            let mut other = find(items, "fips").statement.clone();
            other["predicate"]["build"] = build.clone();
            items.push(Item {
                check: "other",
                at: world.index,
                statement: statement(&[world.index], FACTS, other["predicate"].take()),
            });
        })
    };
    assert_eq!(twice(json!({ "fips": false })).get("build"), None);
    let same = World::bare("good").items().into_iter().find(|item| item.check == "fips").unwrap();
    assert!(twice(same.statement["predicate"]["build"].clone()).get("build").is_some());
}

#[test]
fn what_nobody_says_of_fixes_and_reasons_is_not_made_up() {
    let found = facts(|_, _| {});
    assert!(found["vulnerabilities"].as_array().unwrap().iter().all(|one| one["fixed"] == "unknown"));
    let status = |facts: &Value| facts["vulnerabilities"][0]["status"].clone();
    assert_eq!(status(&found), "not-affected");
    let unjustified = facts(|_, items| {
        find(items, "vex").statement["predicate"]["statements"][0]["justification"] = json!("we looked");
    });
    assert_eq!(status(&unjustified), "unstated");
    assert_eq!(unjustified["vulnerabilities"][0].get("justification"), None);
    let database = facts(|_, items| {
        let older = json!(time(NOW - 5 * 86_400));
        find(items, "vulnerabilities").statement["predicate"]["scanner"]["db"]["lastUpdate"] = older;
    });
    assert_eq!(database["scan"]["database"], time(NOW - 5 * 86_400));
}
