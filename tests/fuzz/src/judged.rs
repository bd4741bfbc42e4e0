//! A signed image with one document of it replaced by any bytes. What cannot be signed stays unsigned; what can, is: so bytes get
//! behind the signature, where a careless or hostile signer could put them. A signature alone is demanded, so that many are tried.

#[path = "../../../verifier/tests/tamper/world.rs"]
#[expect(dead_code, reason = "the matrix uses more of it")]
mod world;

use std::sync::OnceLock;

use verifier::{Beside, Depth, Expectations, Verdict};
use world::{NOW, World, claim, owner, trust};

/// Bytes as a bundle beside an image.
pub fn bundle(bytes: &[u8]) {
    let mut world = signed();
    let index = world.index;
    world.attach(&index, bytes);
    assert!(judged(&world).accepted);
}

/// Bytes as an envelope as cosign kept it before version 3.
pub fn envelope(bytes: &[u8]) {
    let mut world = signed();
    let index = world.index;
    world.beside(&index, Beside::Attestations, bytes, b"");
    assert!(judged(&world).accepted);
}

/// Bytes as a claim that the owner of the key signed, beside one, and alone.
pub fn claim_of(bytes: &[u8]) {
    let mut world = signed();
    let index = world.index;
    world.beside(&index, Beside::Signatures, bytes, &owner().sign(bytes));
    assert!(judged(&world).accepted);
    let mut world = bare();
    world.beside(&index, Beside::Signatures, bytes, &owner().sign(bytes));
    let names_it = || String::from_utf8_lossy(bytes).contains(&index.hex());
    assert!(!judged(&world).accepted || names_it());
}

/// Bytes as a statement that the owner of the key signed, and in place of what one of each kind says.
pub fn statement(bytes: &[u8]) {
    let mut world = bare();
    let index = world.index;
    world.attach(&index, &owner().bundle(bytes));
    // What the owner says may count: whatever it is, there is a verdict.
    let _ = world.judged();
    let Ok(predicate) = serde_json::from_slice::<serde_json::Value>(bytes) else { return };
    let items = world.items();
    let mut world = bare();
    // Another one each time, and the same for the same bytes.
    let item = &items[bytes.iter().fold(0, |sum: usize, byte| sum + usize::from(*byte)) % items.len()];
    let mut statement = item.statement.clone();
    statement["predicate"] = predicate;
    world.attach(&item.at, &owner().bundle(statement.to_string().as_bytes()));
    let _ = world.judged();
}

/// Bytes as the manifest of what refers to an image, and as one in its index.
pub fn manifest(bytes: &[u8]) {
    let mut world = signed();
    let (index, manifest) = (world.index, world.put(bytes.to_vec()));
    world.referrers.entry(index).or_default().insert(0, manifest);
    assert!(judged(&world).accepted);
    let mut world = signed();
    let image = world.images[0];
    world.blobs.insert(image, bytes.to_vec());
    assert!(!judged(&world).accepted || world.blobs[&image] == signed().blobs[&image]);
}

/// Bytes as the index itself, and as a configuration.
pub fn index(bytes: &[u8]) {
    let mut world = signed();
    world.index = world.put(bytes.to_vec());
    assert!(!judged(&world).accepted || world.index == signed().index);
    let mut world = signed();
    let config = world.configs[0];
    world.blobs.insert(config, bytes.to_vec());
    assert!(!judged(&world).accepted || world.blobs[&config] == signed().blobs[&config]);
}

/// The image, of which nothing is said.
fn bare() -> World {
    static BARE: OnceLock<World> = OnceLock::new();
    BARE.get_or_init(|| World::bare("good")).clone()
}

/// The image with a signature.
fn signed() -> World {
    static SIGNED: OnceLock<World> = OnceLock::new();
    let make = || {
        let mut world = bare();
        let (index, claim) = (world.index, claim(&world.index));
        world.beside(&index, Beside::Signatures, &claim, &owner().sign(&claim));
        assert!(judged(&world).accepted);
        world
    };
    SIGNED.get_or_init(make).clone()
}

/// What the verifier says of it.
fn judged(world: &World) -> Verdict {
    let evidence = world.gather(Depth { layers: true, legacy: true, ..Depth::default() });
    let expected = Expectations { signatures: 1, ..Expectations::default() };
    verifier::verify(&evidence, &trust(), &expected, NOW).verdict
}
