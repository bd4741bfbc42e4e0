//! Schemas of what commands write: locks and plans. `compiler/tests/schema.rs` holds them against the types that read these.

use model::Arch;
use serde_json::{Map, Value, json};

use super::{DRAFT, text};

pub(super) fn lock() -> Value {
    let release = object(
        json!({
            "label": text("`Label` of the release."),
            "codename": text("`Codename` of the release."),
            "date": seconds("`Date` of the release"),
            "in_release": digest("The InRelease file."),
            "size": natural("Size of the InRelease file in bytes."),
            "signed_by": list(text("The fingerprint of a key."), "The keys that signed it and verified."),
            "indexes": map(None, reference("kept"), "The package indexes that were kept, by path below the suite."),
        }),
        json!({ "expired_accepted": { "type": "boolean", "description": "It had expired when it was locked, and the machine accepts that." } }),
    );
    let kept = object(json!({ "digest": digest("What it is."), "size": natural("Its size in bytes.") }), json!({}));
    let node = object(
        json!({
            "origin": reference("origin"),
            "name": text("Name, normalised as its ecosystem does."),
            "version": text("Version, as its ecosystem writes it."),
            "file": text("File name: a path below the root of a Debian archive, or a name."),
            "size": natural("Size in bytes; 0 where the index does not say."),
            "sha256": digest("The file."),
            "proof": reference("proof"),
        }),
        json!({
            "metadata": digest("The metadata that was read, where it was served apart from the file."),
            "build": list(text("A requirement."), "Of a source distribution: what its build asks for."),
            "license": text("Licence, as the package states it."),
            "requires": list(reference("edge"), "What it needs."),
            "omits": list(reference("omission"), "Dependencies left out on purpose."),
        }),
    );
    let proof = tagged(
        "state",
        [
            (
                "verified-by-openpgp",
                json!({ "release": text("The suite."), "index": text("The index that lists the file.") }),
                json!({}),
            ),
            (
                "verified-by-signature",
                json!({ "signature": reference("kept"), "signed_by": text("The fingerprint of the key.") }),
                json!({}),
            ),
            (
                "verified-by-dsc",
                json!({ "package": text("The source package."), "dsc": reference("kept"), "signed_by": text("The fingerprint of the key.") }),
                json!({}),
            ),
            ("index-hash", json!({}), json!({})),
            ("unsigned-upstream", json!({}), json!({})),
        ],
    );
    let edge = object(
        json!({
            "origin": reference("origin"),
            "name": text("The package that answers it."),
            "requirement": text("The requirement as written."),
        }),
        json!({}),
    );
    let omission = object(
        json!({ "requirement": text("The dependency as the package states it."), "reason": text("Why an image does not need it.") }),
        json!({}),
    );
    let answer = object(
        json!({
            "asked": reference("asked"),
            "resolutions": map(Some(reference("arch")), reference("resolution"), "What is in the image, by architecture."),
        }),
        json!({}),
    );
    let asked = object(
        json!({ "architectures": list(reference("arch"), "For which architectures.") }),
        json!({
            "language": text("The language, if any."),
            "version": text("The wanted version of it."),
            "packages": list(text("A requirement."), "The language's packages."),
            "system_packages": list(text("A requirement."), "Debian packages."),
            "variant": text("The variant, unless it is `prod`."),
            "from_source": { "type": "boolean", "description": "The language's runtime is compiled." },
            "no_binary": list(text("A name."), "Packages of the language that are built here in any case."),
            "toolchain": { "type": "boolean", "description": "It is no image, but what things are compiled in." },
        }),
    );
    let resolution = object(
        json!({ "roots": list(reference("root"), "What was asked for."), "nodes": list(text("A node."), "What is in the image.") }),
        json!({ "language_version": text("The version of the language.") }),
    );
    let root = object(
        json!({ "by": { "enum": ["base", "variant", "config"], "description": "Who asks." }, "edge": reference("edge") }),
        json!({}),
    );
    document(
        "lock",
        "What is in every image of a document, and why.",
        json!({
            "format": { "const": model::lock::FORMAT },
            "epoch": seconds("The newest date among the releases"),
            "releases": map(None, reference("release"), "The signed Debian releases, by suite."),
            "nodes": map(None, reference("node"), "Package files, by package URL."),
            "answers": map(Some(reference("digest")), reference("answer"), "What was asked and what answers it, by the digest of what was asked."),
        }),
        json!({
            "release": release, "kept": kept, "node": node, "proof": proof, "edge": edge, "omission": omission,
            "answer": answer, "asked": asked, "resolution": resolution, "root": root,
        }),
    )
}

pub(super) fn plan() -> Value {
    let v = || small("Version of the operation.");
    let epoch = || seconds("Time of what is made");
    let annotations = || map(None, json!({ "type": "string" }), "Annotations.");
    let op = tagged(
        "op",
        [
            (
                "fetch",
                json!({
                    "origin": reference("origin"),
                    "name": text("Project or package."),
                    "file": text("File name as in the lock."),
                    "sha256": digest("The file."),
                    "size": natural("Size in bytes; 0 where the lock does not say."),
                }),
                json!({}),
            ),
            ("local", json!({ "tree": digest("A tree of the author's files.") }), json!({})),
            ("unpack", json!({ "v": v(), "format": reference("format") }), json!({})),
            (
                "compose",
                json!({ "v": v(), "add": list(reference("addition"), "What is put in besides the inputs.") }),
                json!({}),
            ),
            ("pick", json!({ "v": v(), "path": path("The directory that is taken.") }), json!({})),
            (
                "run",
                json!({
                    "v": v(),
                    "arch": reference("arch"),
                    "title": text("What it does."),
                    "commands": list(list(text("An argument."), "A command."), "Commands, run one after another."),
                    "env": map(None, json!({ "type": "string" }), "All of their environment."),
                    "workdir": text("The absolute directory they start in."),
                }),
                json!({}),
            ),
            (
                "inspect",
                json!({
                    "v": v(),
                    "arch": reference("arch"),
                    "profile": text("The hardening profile."),
                    "demands": reference("profile"),
                    "parts": list(reference("part"), "What each input is."),
                }),
                json!({}),
            ),
            (
                "inventory",
                json!({
                    "v": v(),
                    "arch": reference("arch"),
                    "layers": small("How many of the inputs are layers."),
                    "parts": list(reference("brought"), "What the parts are."),
                }),
                json!({}),
            ),
            ("check", json!({ "v": v(), "check": { "enum": ["libraries"] }, "arch": reference("arch") }), json!({})),
            ("layer", json!({ "v": v(), "epoch": epoch(), "title": text("What the layer is.") }), json!({})),
            (
                "image",
                json!({
                    "v": v(),
                    "arch": reference("arch"),
                    "epoch": epoch(),
                    "config": reference("config"),
                    "annotations": annotations(),
                }),
                json!({}),
            ),
            ("index", json!({ "v": v(), "annotations": annotations() }), json!({})),
        ],
    );
    let format = tagged(
        "format",
        [
            (
                "deb",
                json!({
                    "package": text("The package the archive must carry."),
                    "version": text("The version the archive must carry."),
                    "scripts": map(None, list(reference("script"), "Scripts of that name."), "Maintainer scripts whose effect is known."),
                }),
                json!({}),
            ),
            (
                "wheel",
                json!({
                    "scheme": reference("scheme"),
                    "project": text("The project the wheel must carry."),
                    "version": text("The version the wheel must carry."),
                }),
                json!({ "metadata": digest("The METADATA it must have.") }),
            ),
            ("tar", json!({}), json!({})),
            ("release", json!({}), json!({})),
            ("zip", json!({}), json!({})),
        ],
    );
    let demands = |of: &str| list(json!({ "enum": model::hardening::Demand::ALL, "description": "A demand." }), of);
    let profile = object(
        json!({ "compiled": demands("Of what is compiled here."), "prebuilt": demands("Of what comes compiled.") }),
        json!({}),
    );
    let part = tagged(
        "part",
        [
            (
                "compiled",
                json!({ "step": digest("The step that compiled it."), "package": text("What it is.") }),
                json!({}),
            ),
            ("prebuilt", json!({ "package": text("What brought it.") }), json!({})),
            ("source", json!({ "package": text("What was compiled from it.") }), json!({})),
            ("debug", json!({}), json!({})),
        ],
    );
    let promised = object(
        json!({
            "ecosystem": { "enum": model::inventory::Ecosystem::ALL, "description": "Whose record tells of it." },
            "name": text("Its name."),
            "version": text("Its version."),
        }),
        json!({}),
    );
    let brought = object(json!({ "by": text("Who brought it.") }), json!({ "promised": reference("promised") }));
    let script = object(
        json!({ "sha256": digest("The script.") }),
        json!({ "effects": list(reference("addition"), "What an image needs of its effects.") }),
    );
    let scheme = object(
        json!({
            "purelib": path("Pure-Python modules."),
            "platlib": path("Modules with compiled parts."),
            "headers": path("C headers."),
            "scripts": path("Scripts."),
            "data": path("Data files."),
            "interpreter": text("Absolute path of the interpreter scripts start with."),
        }),
        json!({}),
    );
    let addition = tagged(
        "add",
        [
            (
                "dir",
                json!({ "path": path("Where."), "mode": small("Permission bits."), "uid": small("Owner."), "gid": small("Group.") }),
                json!({}),
            ),
            (
                "file",
                json!({ "path": path("Where."), "text": text("Content."), "mode": small("Permission bits.") }),
                json!({}),
            ),
            ("symlink", json!({ "path": path("Where."), "target": text("Target as written.") }), json!({})),
            (
                "concat",
                json!({
                    "path": path("Where."),
                    "from": path("The directory whose files are taken."),
                    "suffix": text("Only files whose name ends so."),
                    "extra": text("Text put behind them."),
                }),
                json!({}),
            ),
            ("move", json!({ "input": small("Which input."), "to": path("Where.") }), json!({})),
        ],
    );
    let words = |what: &str| list(text("A word."), what);
    let config = object(
        json!({
            "user": text("`uid` or `uid:gid`."),
            "env": list(text("`NAME=value`."), "Environment."),
            "workdir": text("Working directory."),
        }),
        json!({
            "entrypoint": words("The fixed start of the command line."),
            "command": words("The default rest of the command line."),
            "ports": list(text("`8000/tcp`."), "Documented ports."),
        }),
    );
    let step = object(
        json!({ "op": reference("op") }),
        json!({ "inputs": list(reference("digest"), "Steps whose outputs it reads, in that order.") }),
    );
    document(
        "plan",
        "The steps that make images, each under the digest of all that can influence it.",
        json!({
            "format": { "const": model::plan::FORMAT },
            "epoch": epoch(),
            "steps": map(Some(reference("digest")), reference("step"), "Steps by their keys."),
            "targets": map(None, reference("digest"), "What to make, by name."),
        }),
        json!({
            "step": step, "op": op, "format": format, "script": script, "scheme": scheme, "addition": addition, "config": config,
            "profile": profile, "part": part, "brought": brought, "promised": promised,
        }),
    )
}

fn document(title: &str, description: &str, properties: Value, mut definitions: Value) -> Value {
    let digest = json!({ "type": "string", "pattern": "^sha256:[0-9a-f]{64}$", "description": "A SHA-256 digest." });
    let common = [
        ("digest", digest),
        ("arch", json!({ "enum": Arch::ALL, "description": "An architecture." })),
        (
            "origin",
            json!({ "enum": ["debian", "pypi", "upstream"], "description": "Which ecosystem's servers have it." }),
        ),
    ];
    let mut schema = object(properties, json!({}));
    if let (Value::Object(schema), Value::Object(definitions)) = (&mut schema, &mut definitions) {
        definitions.extend(common.map(|(name, schema)| (name.to_owned(), schema)));
        let head = [("$schema", json!(DRAFT)), ("title", json!(title)), ("description", json!(description))];
        schema.extend(head.map(|(name, value)| (name.to_owned(), value)));
        schema.insert("definitions".into(), json!(definitions));
    }
    schema
}

/// A map with these fields and, where one likes, those.
fn object(required: Value, optional: Value) -> Value {
    let (Value::Object(mut properties), Value::Object(optional)) = (required, optional) else { return Value::Null };
    let required: Vec<String> = properties.keys().cloned().collect();
    properties.extend(optional);
    json!({ "type": "object", "additionalProperties": false, "required": required, "properties": properties })
}

/// Maps told apart by the value of one field; each with its required and optional fields.
fn tagged<const N: usize>(tag: &str, kinds: [(&str, Value, Value); N]) -> Value {
    let kinds = kinds.map(|(kind, required, optional)| {
        let mut fields = Map::from_iter([(tag.to_owned(), json!({ "const": kind }))]);
        if let Value::Object(required) = required {
            fields.extend(required);
        }
        object(Value::Object(fields), optional)
    });
    json!({ "oneOf": kinds.as_slice() })
}

/// A map whose names are anything, or `names`.
fn map(names: Option<Value>, values: Value, description: &str) -> Value {
    let mut schema = json!({ "type": "object", "additionalProperties": values, "description": description });
    if let (Some(names), Value::Object(schema)) = (names, &mut schema) {
        schema.insert("propertyNames".into(), names);
    }
    schema
}

fn list(items: Value, description: &str) -> Value {
    super::list(&items, description)
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/definitions/{name}") })
}

fn digest(description: &str) -> Value {
    json!({ "allOf": [reference("digest")], "description": description })
}

/// A path below the root, none of whose parts is empty, `.` or `..`.
fn path(description: &str) -> Value {
    let part = r"([^/.][^/]*|\.[^/.][^/]*|\.\.[^/]+)";
    json!({ "type": "string", "pattern": format!("^{part}(/{part})*$"), "description": description })
}

fn natural(description: &str) -> Value {
    json!({ "type": "integer", "minimum": 0, "description": description })
}

/// A number of 32 bits.
fn small(description: &str) -> Value {
    json!({ "type": "integer", "minimum": 0, "maximum": u32::MAX, "description": description })
}

fn seconds(what: &str) -> Value {
    json!({ "type": "integer", "description": format!("{what}, seconds since 1970.") })
}
