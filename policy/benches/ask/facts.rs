//! Facts of images that do not exist.

use serde_json::{Value, json};

/// Packages of the large image, and what the ten rules say of them.
pub(crate) const PACKAGES: usize = 2000;
pub(crate) const SAID: usize = 48;

/// Facts of the compile stage of an image with so many packages; no two numbers give the same.
pub(crate) fn facts(example: &str, number: usize, packages: usize) -> Value {
    let mut facts: Value = serde_json::from_str(example).unwrap();
    facts["image"]["name"] = json!(format!("image-{number}"));
    facts["image"]["labels"] = json!({ "number": number.to_string() });
    facts["packages"] = (0..packages).map(|package| one(number, package)).collect();
    facts
}

fn one(image: usize, number: usize) -> Value {
    let kind = if number.is_multiple_of(3) { "deb" } else { "pypi" };
    let name = format!("library-{number}");
    let version = format!("{}.{}.{}", number % 5, (image + number) % 17, image % 11);
    let place = if kind == "deb" { "debian/" } else { "" };
    let (source, verified) = if kind == "deb" { ("debian", "openpgp") } else { ("pypi", "index-hash") };
    // One in a hundred is as it should not be.
    let licence = if number % 100 == 7 { "GPL-3.0-only" } else { "MIT" };
    let key = if number % 300 == 6 { "1" } else { "0" };
    json!({
        "purl": format!("pkg:{kind}/{place}{name}@{version}"),
        "type": kind,
        "name": name,
        "version": version,
        "architectures": ["amd64", "arm64"],
        "direct": number % 10 == 1,
        "pinned": number % 100 != 31,
        "source": source,
        "verified": verified,
        "signed_by": if kind == "deb" { vec![key.repeat(40)] } else { Vec::new() },
        "expired_accepted": false,
        "licence": licence,
        "licence_choices": [[licence]],
        "sha256": "0".repeat(64),
        "built_here": false,
    })
}
