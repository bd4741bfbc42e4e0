//! What only adds something.

use model::Digest;
use serde_json::json;

use crate::world::{World, stranger};
use crate::{Matrix, Wanted, items, label, signed};

pub(crate) fn add(matrix: &mut Matrix) {
    for (number, item) in items().iter().enumerate() {
        let name = label(item, number);
        let own = signed(&item.statement);
        let mut world = World::good();
        let listed = world.referrers[&item.at].clone();
        world.referrers.get_mut(&item.at).unwrap().extend(listed);
        matrix.add("duplicated", format!("{name}: the list"), world, Wanted::Unchanged);
        let mut world = World::good();
        let twin = world.referrer(&Digest::of(b"elsewhere"), &own);
        world.referrers.get_mut(&item.at).unwrap().insert(0, twin);
        matrix.add("duplicated", format!("{name}: under another manifest"), world, Wanted::Unchanged);
        let mut world = World::good();
        let spaced = [b" ".as_slice(), &own].concat();
        world.attach(&item.at, &spaced);
        matrix.add("duplicated", format!("{name}: written otherwise"), world, Wanted::Unchanged);

        let statement = item.statement.to_string();
        let twice = own.strip_suffix(b"}").unwrap();
        let hostile: Vec<(&str, Vec<u8>)> = vec![
            ("a stranger's", stranger().bundle(statement.as_bytes())),
            (
                "a stranger's with bad news",
                stranger().bundle(statement.replace("PASSED", "FAILED").replace("not_affected", "affected").as_bytes()),
            ),
            ("nothing", Vec::new()),
            ("no JSON", b"{".to_vec()),
            ("a deep one", "[".repeat(100_000).into_bytes()),
            ("a name twice", [twice, br#","mediaType":"x"}"#].concat()),
            ("another version", String::from_utf8(own.clone()).unwrap().replace("v0.3", "v9.9").into_bytes()),
            ("a damaged one", own[..own.len() - 9].to_vec()),
        ];
        for (what, bundle) in hostile {
            let mut world = World::good();
            let planted = world.referrer(&item.at, &bundle);
            world.referrers.get_mut(&item.at).unwrap().insert(0, planted);
            matrix.add("a hostile one first", format!("{name}: {what}"), world, Wanted::Unchanged);
        }
        for (what, manifest) in [
            ("no manifest", json!(7)),
            ("without layers", json!({ "config": { "digest": Digest::of(b"{}"), "size": 2 } })),
            (
                "huge",
                json!({ "config": { "digest": Digest::of(b"{}"), "size": 2 }, "layers": [{ "mediaType": verifier::BUNDLE, "digest": Digest::of(b"huge"), "size": 900_000_000_000u64 }] }),
            ),
            (
                "negative",
                json!({ "config": { "digest": Digest::of(b"{}"), "size": 2 }, "layers": [{ "mediaType": verifier::BUNDLE, "digest": Digest::of(b"x"), "size": -1 }] }),
            ),
        ] {
            let mut world = World::good();
            let planted = world.put_json(&manifest);
            world.referrers.get_mut(&item.at).unwrap().insert(0, planted);
            matrix.add("a hostile one first", format!("{name}: {what}"), world, Wanted::Unchanged);
        }
    }
}
