//! What is done to the image itself.

use model::Digest;
use serde_json::{Value, json};

use crate::world::World;
use crate::{Matrix, Wanted, leaves};

pub(crate) fn add(matrix: &mut Matrix) {
    let good = World::good();
    let image = |words: &'static [&'static str]| Wanted::Refused("image", words);
    for (number, layer) in good.layers.iter().enumerate() {
        let other = good.layers[(number + 1) % good.layers.len()];
        let bytes = &good.blobs[layer];
        let forms: [(&str, Vec<u8>); 6] = [
            ("another layer", good.blobs[&other].clone()),
            ("nothing", Vec::new()),
            ("a byte more", [bytes.as_slice(), b"x"].concat()),
            ("a byte less", bytes[1..].to_vec()),
            ("other bytes", vec![b'x'; bytes.len()]),
            ("a manifest", good.blobs[&good.images[0]].clone()),
        ];
        for (name, bytes) in forms {
            let mut world = good.clone();
            world.blobs.insert(*layer, bytes);
            matrix.add("a layer is swapped", format!("{number}: {name}"), world, image(&["the layer"]));
        }
        let mut world = good.clone();
        world.blobs.remove(layer);
        matrix.add("a layer is swapped", format!("{number}: gone"), world, image(&["is not there"]));
    }
    for (number, config) in good.configs.iter().enumerate() {
        let mut places = Vec::new();
        leaves(&good.json(config), "", &mut places);
        for place in places {
            let mut changed = good.json(config);
            *changed.pointer_mut(&place).unwrap() = json!("root");
            let mut world = good.clone();
            world.blobs.insert(*config, changed.to_string().into_bytes());
            matrix.add("the configuration is changed", format!("{number}{place}"), world, image(&["what is called"]));
        }
        for (field, value) in [("Volumes", json!({ "/": {} })), ("Cmd", json!(["sh"])), ("StopSignal", json!("KILL"))] {
            let mut changed = good.json(config);
            changed["config"][field] = value;
            let mut world = good.clone();
            world.blobs.insert(*config, changed.to_string().into_bytes());
            matrix.add(
                "the configuration is changed",
                format!("{number} + {field}"),
                world,
                image(&["what is called"]),
            );
        }
    }
    for (number, manifest) in [good.images.clone(), vec![good.index]].concat().iter().enumerate() {
        let mut places = Vec::new();
        leaves(&good.json(manifest), "", &mut places);
        for place in places {
            let mut changed = good.json(manifest);
            let leaf = changed.pointer_mut(&place).unwrap();
            *leaf = if leaf.is_number() { json!(7) } else { json!(Digest::of(b"another")) };
            let mut world = good.clone();
            world.blobs.insert(*manifest, changed.to_string().into_bytes());
            matrix.add("an entry is changed", format!("{number}{place}"), world, image(&["what is called"]));
        }
    }
    // An index of which every digest is right, and nobody signed it.
    let another = World::good();
    let entries = |edit: &dyn Fn(&mut Vec<Value>)| {
        let mut world = another.clone();
        let mut index = world.json(&world.index);
        edit(index["manifests"].as_array_mut().unwrap());
        let old = world.index;
        world.index = world.put_json(&index);
        let listed = world.referrers[&old].clone();
        world.referrers.insert(world.index, listed);
        world
    };
    let bare = World::bare("another");
    let theirs = |number: usize| bare.json(&bare.index)["manifests"][number].clone();
    let with_theirs = |number: usize, of: usize| {
        let (bare, theirs) = (bare.clone(), theirs(of));
        let mut world = entries(&|list: &mut Vec<Value>| list[number] = theirs.clone());
        world.blobs.extend(bare.blobs);
        world
    };
    for (name, world, wanted) in [
        ("the first is another's", with_theirs(0, 0), Wanted::Refused("signature", &["and not of this"])),
        ("the second is another's", with_theirs(1, 1), Wanted::Refused("signature", &["and not of this"])),
        ("one is left out", entries(&|list| drop(list.remove(0))), Wanted::Refused("signature", &["and not of this"])),
        (
            "the other is left out",
            entries(&|list| drop(list.remove(1))),
            Wanted::Refused("signature", &["and not of this"]),
        ),
        ("turned around", entries(&|list| list.reverse()), Wanted::Refused("signature", &["and not of this"])),
        (
            "one is there twice",
            entries(&|list| list.push(list[0].clone())),
            Wanted::Refused("signature", &["and not of this"]),
        ),
        (
            "platforms are swapped",
            entries(&|list| {
                let first = list[0]["platform"].clone();
                list[0]["platform"] = list[1]["platform"].clone();
                list[1]["platform"] = first;
            }),
            image(&["and it is for"]),
        ),
        ("another size", entries(&|list| list[0]["size"] = json!(1)), image(&["not as many as is said"])),
        (
            "an image that is none",
            entries(&|list| list[0]["digest"] = json!(Digest::of(b"nowhere"))),
            image(&["is not there"]),
        ),
        ("a layer as an image", entries(&|list| list[0]["digest"] = json!(bare.layers[0])), image(&["is not there"])),
        (
            "another operating system",
            entries(&|list| list[0]["platform"]["os"] = json!("windows")),
            image(&["and it is for"]),
        ),
        (
            "nobody's machine",
            entries(&|list| {
                for one in list {
                    one["platform"] = json!({ "os": "unknown", "architecture": "unknown" });
                }
            }),
            image(&["has no image in it"]),
        ),
        ("an empty list", entries(&|list| list.clear()), image(&["it has to name images"])),
        ("itself", entries(&|list| list[0] = json!({ "digest": Digest::of(b"x"), "size": -1 })), image(&["is none"])),
        ("no digest", entries(&|list| list[0]["digest"] = json!("sha256:00")), image(&["is none"])),
        (
            "sha512",
            entries(&|list| list[0]["digest"] = json!(format!("sha512:{}", "0".repeat(128)))),
            image(&["is none"]),
        ),
        (
            "one more",
            entries(&|list| list.push(json!({ "digest": Digest::of(b"y"), "size": 1 }))),
            image(&["is not there"]),
        ),
        ("a text", entries(&|list| list[0] = json!("x")), image(&["is none"])),
        (
            "an annotation",
            entries(&|list| list[0]["annotations"] = json!({ "a": "b" })),
            Wanted::Refused("signature", &["and not of this"]),
        ),
        (
            "another type",
            entries(&|list| list[0]["mediaType"] = json!("x/y")),
            Wanted::Refused("signature", &["and not of this"]),
        ),
        (
            "a URL",
            entries(&|list| list[0]["urls"] = json!(["https://evil.example"])),
            Wanted::Refused("signature", &["and not of this"]),
        ),
    ] {
        matrix.add("the index is another", name.to_owned(), world, wanted);
    }
    // Fields that Go's programs read, and others do not see: what is run would not be what is judged.
    let image =
        |world: World| (world, Wanted::Refused("image", &["in different ways", "and not both", "it says that it is"]));
    let renamed = |edit: &dyn Fn(&mut Value)| {
        let mut world = World::good();
        let mut index = world.json(&world.index);
        edit(&mut index);
        world.index = world.put_json(&index);
        world
    };
    let evil = Digest::of(b"evil");
    let mut cases: Vec<(String, World)> = Vec::new();
    for name in ["Digest", "DIGEST", "dIgest", "Size", "Platform", "MediaType", "mediatype", "Urls", "Data"] {
        cases.push((name.to_owned(), renamed(&|index| index["manifests"][0][name] = json!(evil))));
    }
    for name in ["OS", "Os", "Architecture", "ARCHITECTURE", "Variant", "o\u{17f}"] {
        cases.push((
            format!("platform.{name}"),
            renamed(&|index| index["manifests"][0]["platform"][name] = json!("linux")),
        ));
    }
    for name in ["Manifests", "MANIFESTS", "manife\u{17f}ts", "Config", "Layers", "SchemaVersion"] {
        cases.push((
            format!("the index's {name}"),
            renamed(&|index| index[name] = json!([{ "digest": evil, "size": 1 }])),
        ));
    }
    for name in ["layers", "config"] {
        cases.push((
            format!("an index with {name}"),
            renamed(&|index| {
                index[name] = if name == "layers" {
                    json!([{ "digest": evil, "size": 1 }])
                } else {
                    json!({ "digest": evil, "size": 1 })
                };
            }),
        ));
    }
    for kind in
        ["application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v1+prettyjws", "x"]
    {
        cases.push((format!("an index that says {kind}"), renamed(&|index| index["mediaType"] = json!(kind))));
    }
    for (name, world) in cases {
        let (world, wanted) = image(world);
        matrix.add("read in different ways", name, world, wanted);
    }
}
