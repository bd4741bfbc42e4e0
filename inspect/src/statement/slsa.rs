//! SLSA provenance v1 (SLSA 1.2, build provenance).

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::{Rules, resource};

pub(super) fn check(rules: &mut Rules, value: &Value) {
    let Some(predicate) = rules.object(value) else { return };
    rules.required(predicate, "buildDefinition", definition);
    rules.required(predicate, "runDetails", run);
}

fn definition(rules: &mut Rules, value: &Value) {
    let Some(definition) = rules.object(value) else { return };
    rules.text_of(definition, "buildType", Rules::uri);
    rules.required(definition, "externalParameters", Rules::is_object);
    rules.optional(definition, "internalParameters", Rules::is_object);
    resources(rules, definition, "resolvedDependencies");
}

fn run(rules: &mut Rules, value: &Value) {
    let Some(run) = rules.object(value) else { return };
    rules.required(run, "builder", |rules, value| {
        let Some(builder) = rules.object(value) else { return };
        rules.text_of(builder, "id", Rules::uri);
        resources(rules, builder, "builderDependencies");
        rules.optional(builder, "version", |rules, value| {
            for (part, version) in rules.object(value).into_iter().flatten() {
                rules.below(part, |rules| rules.is_text(version));
            }
        });
    });
    rules.optional(run, "metadata", |rules, value| {
        let Some(metadata) = rules.object(value) else { return };
        rules.optional(metadata, "invocationId", Rules::is_text);
        for name in ["startedOn", "finishedOn"] {
            rules.optional(metadata, name, time);
        }
    });
    resources(rules, run, "byproducts");
}

fn resources(rules: &mut Rules, object: &Map<String, Value>, name: &str) {
    rules.optional(object, name, |rules, value| {
        rules.each(value, resource::check);
    });
}

/// A time in UTC (RFC 3339), as in-toto wants them: with `Z`.
fn time(rules: &mut Rules, value: &Value) {
    let Some(text) = rules.text(value) else { return };
    // RFC 3339 leaves no choice in how it is written, other than in the fraction of a second.
    let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    let rest = shape.strip_prefix("0000-00-00T00:00:00").and_then(|rest| rest.strip_suffix('Z'));
    let is_shaped = rest.is_some_and(|rest| rest.is_empty() || rest.len() > 1 && rest.trim_end_matches('0') == ".");
    if !is_shaped || text.parse::<Timestamp>().is_err() {
        rules.violated(format!("`{}` is no time such as 2026-01-31T12:00:00Z", text.escape_debug()));
    }
}
