//! What others signed, or was signed for something else.

use model::Digest;
use serde_json::{Value, json};

use crate::world::{Key, World, owner};
use crate::{Matrix, NOT_SIGNED, Wanted, items, label, replaced, signed};

pub(crate) fn add(matrix: &mut Matrix) {
    let another = World::bare("another");
    for (number, item) in items().iter().enumerate() {
        let name = label(item, number);
        let statement = item.statement.to_string();
        let not_signed = Wanted::Refused(item.check, NOT_SIGNED);
        for seed in [9, 11, 13] {
            let world = replaced(number, &Key::new(seed).bundle(statement.as_bytes()));
            matrix.add("another signer", format!("{name} by {seed}"), world, not_signed.clone());
            // Who says that it is the owner's key.
            let mut bundle: Value = serde_json::from_slice(&Key::new(seed).bundle(statement.as_bytes())).unwrap();
            bundle["verificationMaterial"]["publicKey"]["hint"] = json!(owner().public.hint());
            let world = replaced(number, bundle.to_string().as_bytes());
            matrix.add("another signer", format!("{name} by {seed}, who lies"), world, not_signed.clone());
        }
        let theirs = &another.items()[number].statement;
        // As it is: for the other image.
        let elsewhere = Wanted::Refused(item.check, &["of another image"]);
        matrix.add(
            "moved from another image",
            format!("{name} whole"),
            replaced(number, &signed(theirs)),
            elsewhere.clone(),
        );
        // Only the signature: below what is said of this one.
        let mut bundle: Value = serde_json::from_slice(&signed(&item.statement)).unwrap();
        let other: Value = serde_json::from_slice(&signed(theirs)).unwrap();
        bundle["dsseEnvelope"]["signatures"] = other["dsseEnvelope"]["signatures"].clone();
        let world = replaced(number, bundle.to_string().as_bytes());
        matrix.add("moved from another image", format!("{name}: the signature"), world, not_signed.clone());
        // Of another kind of statement about the same image.
        let next = &items()[(number + 1) % items().len()].statement;
        let other: Value = serde_json::from_slice(&signed(next)).unwrap();
        bundle["dsseEnvelope"]["signatures"] = other["dsseEnvelope"]["signatures"].clone();
        let world = replaced(number, bundle.to_string().as_bytes());
        matrix.add("moved from another image", format!("{name}: that of the next"), world, not_signed.clone());
        // Of a part that is no image, by whoever may sign.
        for (count, other) in [another.images[0], another.configs[0], Digest::of(b"")].iter().enumerate() {
            let mut statement = item.statement.clone();
            statement["subject"] = json!([{ "digest": { "sha256": other.hex() } }]);
            let world = replaced(number, &signed(&statement));
            matrix.add("signed for something else", format!("{name} for {count}"), world, elsewhere.clone());
        }
        // Left out.
        let mut world = World::bare("good");
        for (other, item) in world.items().into_iter().enumerate().filter(|(other, _)| *other != number) {
            let _ = other;
            world.attach(&item.at, &signed(&item.statement));
        }
        matrix.add("left out", name.clone(), world.clone(), Wanted::Refused(item.check, &["there is no "]));
        world.referrers.entry(item.at).or_default().push(Digest::of(b"nowhere"));
        matrix.add("left out", format!("{name}, and listed"), world, Wanted::Refused(item.check, &["is not there"]));
        let missing = Wanted::Refused(item.check, &["there is no ", "is not there"]);
        for only in ["said", "listed"] {
            let mut world = replaced(number, &signed(&item.statement));
            let manifest = *world.referrers[&item.at]
                .iter()
                .find(|one| world.json(one)["layers"][0]["digest"] == json!(Digest::of(&signed(&item.statement))))
                .unwrap();
            match only {
                "said" => world.referrers.get_mut(&item.at).unwrap().retain(|one| *one != manifest),
                _ => drop(world.blobs.remove(&manifest)),
            }
            matrix.add("left out", format!("{name}, not {only}"), world, missing.clone());
        }
    }
}
