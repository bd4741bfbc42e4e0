//! An image with everything attached, with one document of it replaced by any bytes. What cannot be signed stays unsigned; what can,
//! is: so bytes get behind the signature, where a careless or hostile signer could put them.

#[path = "../../../verifier/tests/tamper/world.rs"]
mod world;

use verifier::Beside;
use world::{World, owner, trust};

/// Bytes as a bundle beside an image.
pub fn bundle(bytes: &[u8]) {
    let mut world = World::good();
    let index = world.index;
    world.attach(&index, bytes);
    accepted(&world);
}

/// Bytes as an envelope as cosign kept it before version 3.
pub fn envelope(bytes: &[u8]) {
    let mut world = World::legacy();
    let index = world.index;
    world.beside(&index, Beside::Attestations, bytes, b"");
    accepted(&world);
}

/// Bytes as a claim that the owner of the key signed.
pub fn claim(bytes: &[u8]) {
    let mut world = World::legacy();
    let index = world.index;
    world.beside(&index, Beside::Signatures, bytes, &owner().sign(bytes));
    accepted(&world);
}

/// Bytes as a statement that the owner of the key signed, in place of each kind that there is.
pub fn statement(bytes: &[u8]) {
    let mut world = World::good();
    let index = world.index;
    world.attach(&index, &owner().bundle(bytes));
    // What the owner says more may count: whatever it is, there is a verdict.
    let _ = world.judged();
    let Ok(predicate) = serde_json::from_slice::<serde_json::Value>(bytes) else { return };
    for item in world.items() {
        let mut statement = item.statement;
        statement["predicate"] = predicate.clone();
        world.attach(&item.at, &owner().bundle(statement.to_string().as_bytes()));
    }
    let _ = world.judged();
}

/// Bytes as the manifest of what refers to an image, and as one in its index.
pub fn manifest(bytes: &[u8]) {
    let mut world = World::good();
    let (index, manifest) = (world.index, world.put(bytes.to_vec()));
    world.referrers.entry(index).or_default().insert(0, manifest);
    accepted(&world);
    let image = world.images[0];
    world.blobs.insert(image, bytes.to_vec());
    assert!(!world.judged().accepted || world.blobs[&image] == World::good().blobs[&image]);
}

/// Bytes as the index itself, and as a configuration.
pub fn index(bytes: &[u8]) {
    let mut world = World::good();
    world.index = world.put(bytes.to_vec());
    assert!(!world.judged().accepted || world.index == World::good().index);
    let mut world = World::good();
    let config = world.configs[0];
    world.blobs.insert(config, bytes.to_vec());
    assert!(!world.judged().accepted || world.blobs[&config] == World::good().blobs[&config]);
}

/// What only adds something changes nothing, whatever it is.
fn accepted(world: &World) {
    assert!(!trust().is_empty());
    assert!(world.judged().accepted);
}
