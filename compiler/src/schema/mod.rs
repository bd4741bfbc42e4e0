//! JSON Schemas (draft-07) of documents: of what people write, for editors, and of what commands write. They say what a field
//! is and what it is for; what only the compiler can know, such as whether a package exists, they leave to it.

mod made;

use model::config::Variant;
use serde_json::{Map, Value, json};

use crate::config::OPTIMIZATIONS;

const DRAFT: &str = "http://json-schema.org/draft-07/schema#";

/// Text without expressions, `$${{` among it.
const TEXT: &str = r"([^$]|\$\$\{\{|\$(?!\{\{|\$\{\{))*";
/// An expression: closed, its texts closed as well, and without characters that it never has outside them.
const EXPRESSION: &str = r#"\$\{\{([^'"{}&?|$]|'[^']*'|"([^"\\]|\\[\s\S])*"|\}(?!\}))*\}\}"#;

/// The kinds of documents there are schemas of.
pub const KINDS: &[&str] = &["image", "template", "lock", "plan"];

/// The schema of a kind of document.
pub fn schema(kind: &str) -> Option<Value> {
    match kind {
        "image" => Some(image()),
        "template" => Some(template()),
        "lock" => Some(made::lock()),
        "plan" => Some(made::plan()),
        _ => None,
    }
}

fn image() -> Value {
    let mut properties = fields();
    let extra = [
        ("kind", json!({ "const": "image" })),
        ("extends", text("A template: a file of the project, or `stdlib:NAME`.")),
        ("with", json!({ "type": "object", "description": "Values for the template's parameters." })),
        ("matrix", matrix()),
    ];
    properties.extend(extra.map(|(name, schema)| (name.to_owned(), schema)));
    json!({
        "$schema": DRAFT,
        "title": "image",
        "description": "A container image, or several.",
        "type": "object",
        "additionalProperties": false,
        "properties": properties,
        "anyOf": [{ "required": ["extends"] }, { "required": ["name"] }],
        "dependencies": short_form(),
        "definitions": definitions(),
    })
}

fn template() -> Value {
    let parameter = json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["type"],
        "properties": {
            "type": { "enum": ["string", "int", "bool", "version", "requirement", "enum", "list", "map"] },
            "description": text("What it is for."),
            "default": { "description": "Its value when nobody gives one." },
            "pattern": text("Of a string: a regular expression that all of it must match."),
            "values": list(&scalar("A value."), "Of an enum: what is accepted."),
            "of": { "description": "Of a list or map: the type of its entries.", "type": ["string", "object"] },
            "min": { "type": "integer", "description": "Of an int: the smallest value." },
            "max": { "type": "integer", "description": "Of an int: the largest value." },
        },
    });
    json!({
        "$schema": DRAFT,
        "title": "template",
        "description": "What images have in common.",
        "type": "object",
        "additionalProperties": false,
        "required": ["kind", "image"],
        "properties": {
            "kind": { "const": "template" },
            "description": text("What it is for."),
            "parameters": { "type": "object", "additionalProperties": parameter, "description": "What an image that extends it must or may say." },
            "extends": text("A template this one stands on."),
            "with": { "type": "object", "description": "Values for that template's parameters." },
            "image": {
                "type": "object",
                "additionalProperties": false,
                "properties": fields(),
                "dependencies": short_form(),
                "description": "The image's fields.",
            },
        },
        "definitions": definitions(),
    })
}

/// `python_version` is the short form of `base`: one of them is given.
fn short_form() -> Value {
    json!({ "base": { "properties": { "python_version": false } } })
}

/// The fields an image has by itself.
fn fields() -> Map<String, Value> {
    let words = |what: &str| or_expression(list(&scalar("A word."), what));
    let requirements = |what: &str| {
        json!({
            "description": what,
            "anyOf": [
                { "type": "array", "items": requirement() },
                { "type": "object", "additionalProperties": scalar("A version or range.") },
                expression(),
            ],
        })
    };
    let commands = |what: &str| or_expression(list(&command(), what));
    let base = object(
        "What the image stands on.",
        json!({
            "language": choice(&["python", "none"], "The language."),
            "version": scalar("A version (3.13.5), a line (3.13), a range (>=3.11,<3.14) or latest."),
            "build": choice(&["source", "prebuilt"], "Where the language comes from."),
        }),
        &["language"],
    );
    let health = object(
        "A request that an image in good health answers.",
        json!({ "http": scalar("The path of an HTTP request."), "port": scalar("A TCP port.") }),
        &["http", "port"],
    );
    let run = object(
        "How the image starts.",
        json!({
            "entrypoint": words("The fixed start of the command line."),
            "command": words("The default rest of the command line."),
            "user": scalar("A numeric user; 65532 unless given."),
            "workdir": scalar("The absolute working directory."),
            "env": or_expression(json!({ "type": "object", "additionalProperties": scalar("A value."), "description": "Environment variables." })),
            "ports": or_expression(list(&scalar("A port."), "TCP ports it listens on.")),
            "health": health,
            "read_only_root": boolean("Whether it is to be started with a root file system nobody may write to."),
        }),
        &[],
    );
    let flags = object(
        "How things are built.",
        json!({
            "hardening": choice(&["none", "standard", "maximum"], "Which profile must be met."),
            "fips": boolean("Whether only cryptography of a FIPS provider answers."),
            "strip_binaries": boolean("Whether what is compiled has no symbols; they are kept apart."),
            "optimization": choice(OPTIMIZATIONS, "The compiler's level of optimisation."),
            "no_binary": or_expression(list(&scalar("A package."), "Packages of the language that are built here even where there is a wheel.")),
            "reproducible": boolean("Every build is."),
        }),
        &[],
    );
    let git = object(
        "A commit of a git repository.",
        json!({ "url": scalar("Where it is fetched from."), "commit": scalar("The commit, by all of its digits.") }),
        &["url", "commit"],
    );
    let source = object(
        "The application.",
        json!({
            "path": scalar("A folder beside the configuration."),
            "git": git,
            "to": scalar("A folder in the image."),
            "build": commands("What builds it, started in that folder."),
            "tests": commands("What must succeed before there is an image."),
            "tools": requirements("Packages of the language that these commands use and the image does not have."),
        }),
        &["to"],
    );
    let scripts = object(
        "Commands besides those of the application.",
        json!({
            "pre_build": commands("Run where the application is, before it is built."),
            "post_build": commands("Run over the whole image; what they leave in /out goes into it."),
        }),
        &[],
    );
    let file = object(
        "A file placed into the image.",
        json!({
            "from": scalar("A file beside the configuration."),
            "content": scalar("The text it holds, instead of `from`."),
            "to": scalar("Its absolute path in the image."),
            "mode": scalar("Permission bits, as \"0644\"."),
        }),
        &["to"],
    );
    let metadata = object(
        "Words about the image.",
        json!({
            "owner": scalar("Who answers for it."),
            "compliance": or_expression(list(&scalar("A name."), "Regimes the owner says it is under.")),
            "documentation": scalar("The address of its documentation."),
        }),
        &[],
    );
    let fields = [
        ("name", scalar("The image's name: lower-case letters and digits, with single `.`, `_` or `-` between them.")),
        ("version", scalar("The image's own version, for its tag.")),
        ("description", scalar("One sentence for people.")),
        ("base", base),
        ("python_version", scalar("Short for `base`: a version of Python.")),
        ("packages", requirements("Packages of the language, in its own syntax.")),
        ("system_packages", or_expression(list(&scalar("A package: `libpq5 (>= 15)`."), "Debian packages."))),
        (
            "build_packages",
            or_expression(list(
                &scalar("A package: `libpq-dev`."),
                "Debian packages that are there while something is built.",
            )),
        ),
        ("build_type", choice(&["hermetic"], "The only one there is.")),
        ("build_flags", flags),
        ("source", source),
        ("scripts", scripts),
        (
            "files",
            or_expression(json!({ "type": "array", "items": file, "description": "Files placed into the image." })),
        ),
        (
            "certificates",
            or_expression(list(&scalar("A PEM file."), "Certificates the image trusts besides the public ones.")),
        ),
        (
            "policies",
            or_expression(list(&scalar("A file, a folder, or `stdlib:NAME`."), "Policies that the image has to meet.")),
        ),
        ("run", run),
        (
            "architectures",
            or_expression(list(
                &choice(&["amd64", "arm64"], "An architecture."),
                "For which architectures; all unless given.",
            )),
        ),
        (
            "variants",
            list(&json!({ "enum": Variant::ALL.map(Variant::name) }), "In which variants; `prod` unless given."),
        ),
        (
            "registries",
            or_expression(list(&scalar("`registry.example.com/team`."), "Where `build --push` sends the image.")),
        ),
        ("metadata", metadata),
    ];
    fields.into_iter().map(|(name, schema)| (name.to_owned(), schema)).collect()
}

fn matrix() -> Value {
    let values = list(&json!({ "type": ["string", "number", "boolean"] }), "The values of an axis.");
    let rows = json!({ "type": "array", "items": { "type": "object" } });
    json!({
        "description": "Axes: there is an image for each combination of their values.",
        "type": "object",
        "properties": { "include": rows, "exclude": rows },
        "additionalProperties": values,
    })
}

fn definitions() -> Value {
    let expression = format!("^{TEXT}{EXPRESSION}({TEXT}{EXPRESSION})*{TEXT}$");
    json!({
        "expression": {
            "type": "string",
            "pattern": expression,
            "patternErrorMessage": "expected an expression with `and`, `or`, `not`, closed by `}}`",
            "description": "An expression.",
        },
    })
}

fn expression() -> Value {
    json!({ "$ref": "#/definitions/expression" })
}

fn or_expression(schema: Value) -> Value {
    json!({ "anyOf": [schema, expression()] })
}

fn text(description: &str) -> Value {
    json!({ "type": "string", "description": description })
}

/// A text, or what YAML reads as a number: digits count as they are written. Expressions in it are closed.
fn scalar(description: &str) -> Value {
    let pattern = format!("^{TEXT}({EXPRESSION}{TEXT})*$");
    json!({
        "type": ["string", "number"],
        "pattern": pattern,
        "patternErrorMessage": "expected expressions with `and`, `or`, `not`, each closed by `}}`",
        "description": description,
    })
}

/// A package of the language: a name, extras, versions, a marker.
fn requirement() -> Value {
    let name = "[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?";
    let version = r"\s*(===|==|~=|!=|<=|>=|<|>)\s*[A-Za-z0-9.*+!_-]+\s*";
    let versions = format!("{version}(,{version})*,?\\s*");
    let pattern = format!(r"^\s*{name}\s*(\[[^\]]*\])?\s*({versions}|\({versions}\))?\s*(;.*)?$");
    json!({
        "type": "string",
        "description": "A requirement: `fastapi>=0.104`.",
        "if": { "pattern": r"\$\{\{" },
        "then": expression(),
        "else": {
            "pattern": pattern,
            "patternErrorMessage": "expected a package with versions: `uvicorn>=0.24,<0.25`",
        },
    })
}

/// A command: its arguments, or a line for the shell, in which no expression stands.
fn command() -> Value {
    json!({
        "description": "A list of arguments, or a line for the shell.",
        "anyOf": [
            { "type": "array", "items": scalar("An argument."), "minItems": 1 },
            { "type": "string", "minLength": 1, "not": { "pattern": r"(^|[^$])\$\{\{" } },
            expression(),
        ],
    })
}

fn boolean(description: &str) -> Value {
    or_expression(json!({ "type": "boolean", "description": description }))
}

fn choice(values: &[&str], description: &str) -> Value {
    or_expression(json!({ "enum": values, "description": description }))
}

fn list(items: &Value, description: &str) -> Value {
    json!({ "type": "array", "items": items, "description": description })
}

fn object(description: &str, properties: Value, required: &[&str]) -> Value {
    let mut schema = json!({
        "type": "object",
        "additionalProperties": false,
        "properties": properties,
        "description": description,
    });
    if let Some(schema) = schema.as_object_mut().filter(|_| !required.is_empty()) {
        schema.insert("required".into(), json!(required));
    }
    or_expression(schema)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::supported;

    /// Names of the properties at a place of the image's schema.
    fn properties(field: Option<&str>) -> Vec<String> {
        let image = image();
        let place = match field {
            None => &image,
            Some(field) => &image["properties"][field]["anyOf"][0],
        };
        let names = place["properties"].as_object().unwrap().keys().cloned();
        let documents = ["extends", "matrix", "with"];
        let mut names: Vec<String> =
            names.filter(|name| field.is_some() || !documents.contains(&name.as_str())).collect();
        names.sort();
        names
    }

    #[test]
    fn the_schema_has_exactly_the_fields_the_compiler_honours() {
        for (field, honoured) in supported() {
            let mut honoured: Vec<&str> = honoured;
            honoured.sort_unstable();
            assert_eq!(properties(field), honoured, "{field:?}");
        }
    }
}
