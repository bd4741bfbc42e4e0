//! What is done to the tags of cosign 2.

use model::Digest;
use serde_json::{Value, json};
use verifier::Beside;

use crate::world::{CLAIM, Key, World, claim, owner, stranger};
use crate::{Matrix, Wanted};

pub(crate) fn add(matrix: &mut Matrix) {
    let good = World::legacy();
    let (signatures, attestations) = ((good.index, Beside::Signatures), (good.index, Beside::Attestations));
    let edit = |key: (Digest, Beside), edit: &dyn Fn(&mut Value)| {
        let mut world = good.clone();
        let mut manifest: Value = serde_json::from_slice(&world.beside[&key]).unwrap();
        edit(&mut manifest);
        world.beside.insert(key, manifest.to_string().into_bytes());
        world
    };
    let none: &[&str] = &["none of those who are allowed"];
    let class = "of the older form";
    let mut signature = |name: &str, claim: &[u8], signature: &[u8], words: &'static [&'static str]| {
        let mut world = good.clone();
        world.beside.remove(&signatures);
        world.beside(&good.index, Beside::Signatures, claim, signature);
        matrix.add(class, format!("signature: {name}"), world, Wanted::Refused("signature", words));
    };
    let own = claim(&good.index);
    let another = claim(&World::bare("another").index);
    signature("of another image", &another, &owner().sign(&another), &["of another image"]);
    signature("moved from another image", &own, &owner().sign(&another), none);
    signature("a stranger's", &own, &stranger().sign(&own), none);
    signature("none", &own, b"", none);
    signature("cut", &own, &owner().sign(&own)[..20], none);
    let text = String::from_utf8(own.clone()).unwrap();
    for (name, from, to) in [
        ("another type", "cosign container image signature", "atomic container signature"),
        ("no type", "\"type\":\"cosign container image signature\"", "\"kind\":\"x\""),
        ("no digest", "docker-manifest-digest", "docker-manifest"),
        ("twice", "\"optional\":null", "\"critical\":null"),
        ("no claim", "critical", "uncritical"),
    ] {
        let changed = text.replace(from, to).into_bytes();
        assert_ne!(changed, own);
        signature(name, &changed, &owner().sign(&changed), &["what was signed is"]);
        signature(&format!("{name}, after it was signed"), &changed, &owner().sign(&own), none);
    }
    let words: &'static [&'static str] = &["it has no signature"];
    for value in [Value::Null, json!("%"), json!("a"), json!("====")] {
        let world = edit(signatures, &|manifest| {
            manifest["layers"][0]["annotations"]["dev.cosignproject.cosign/signature"] = value.clone()
        });
        matrix.add(class, format!("signature: {value}"), world, Wanted::Refused("signature", words));
    }
    for layer in 0..3 {
        for (name, value) in [("digest", json!(Digest::of(b"gone"))), ("mediaType", json!(CLAIM)), ("size", json!(1))] {
            let world = edit(attestations, &|manifest| manifest["layers"][layer][name] = value.clone());
            let check = ["provenance", "vex", "tests"][layer];
            if name != "size" {
                matrix.add(class, format!("{check}: {name}"), world, Wanted::Refused(check, &["there is no "]));
            }
        }
        let check = ["provenance", "vex", "tests"][layer];
        let world = edit(attestations, &|manifest| drop(manifest["layers"].as_array_mut().unwrap().remove(layer)));
        matrix.add(class, format!("{check}: left out"), world, Wanted::Refused(check, &["there is no "]));
    }
    let mut world = good.clone();
    world.beside.insert(signatures, b"no manifest".to_vec());
    matrix.add(
        class,
        "signature: no manifest".into(),
        world,
        Wanted::Refused("signature", &["there is no signature that counts"]),
    );
    for planted in 0..5 {
        let mut world = good.clone();
        world.beside(&good.index, Beside::Signatures, &own, &Key::new(20 + planted).sign(&own));
        world.attest_beside(&good.index, b"{}", &Key::new(20 + planted));
        matrix.add(class, format!("a stranger's beside it {planted}"), world, Wanted::Unchanged);
    }
}
