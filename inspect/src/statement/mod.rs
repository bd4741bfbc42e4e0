//! Whether JSON is an in-toto Statement v1, and one about provenance is SLSA provenance v1, by the rules their specifications give
//! for each field. Fields nobody knows are passed over, as both specifications want.

mod resource;
mod slsa;

use model::statement::{PROVENANCE, STATEMENT};
use serde_json::{Map, Value};

/// A rule that a document breaks.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Violation {
    /// Where, as a JSON pointer (RFC 6901).
    pub at: String,
    /// What is wrong there.
    pub message: String,
}

/// Everything that is wrong with a statement, in the order of its places; nothing if it is one.
pub fn check(document: &Value) -> Vec<Violation> {
    let mut rules = Rules::default();
    if let Some(statement) = rules.object(document) {
        rules.text_of(statement, "_type", |rules, text| {
            if text != STATEMENT {
                rules.violated(format!("it is `{}`, not `{STATEMENT}`", text.escape_debug()));
            }
        });
        rules.required(statement, "subject", |rules, subjects| {
            let count = rules.each(subjects, |rules, subject| {
                resource::check(rules, subject);
                // What has none of these is said to be unknowable already.
                let is_known = subject.get("uri").or_else(|| subject.get("content")).is_some();
                if is_known && subject.get("digest").and_then(Value::as_object).is_none_or(Map::is_empty) {
                    rules.violated("a subject is known by its digest, and has none");
                }
            });
            if count == Some(0) {
                rules.violated("a statement is about something, and this list is empty");
            }
        });
        rules.text_of(statement, "predicateType", Rules::uri);
        if statement.get("predicateType").and_then(Value::as_str) == Some(PROVENANCE) {
            rules.required(statement, "predicate", slsa::check);
        } else {
            rules.optional(statement, "predicate", Rules::is_object);
        }
    }
    rules.violations.sort();
    rules.violations
}

/// Rules, and the place they are about.
#[derive(Default)]
struct Rules {
    path: Vec<String>,
    violations: Vec<Violation>,
}

impl Rules {
    fn violated(&mut self, message: impl Into<String>) {
        let at = self.path.iter().map(|name| format!("/{}", name.replace('~', "~0").replace('/', "~1"))).collect();
        self.violations.push(Violation { at, message: message.into() });
    }

    /// What a value has to be.
    fn object<'v>(&mut self, value: &'v Value) -> Option<&'v Map<String, Value>> {
        let object = value.as_object();
        if object.is_none() {
            self.violated(format!("it is {}, not an object", kind(value)));
        }
        object
    }

    fn is_object(&mut self, value: &Value) {
        let _ = self.object(value);
    }

    fn is_text(&mut self, value: &Value) {
        let _ = self.text(value);
    }

    fn text<'v>(&mut self, value: &'v Value) -> Option<&'v str> {
        let text = value.as_str();
        if text.is_none() {
            self.violated(format!("it is {}, not a text", kind(value)));
        }
        text
    }

    /// Applies rules to each value of a list; how many there are, if it is one.
    fn each(&mut self, value: &Value, mut rules: impl FnMut(&mut Self, &Value)) -> Option<usize> {
        let Some(values) = value.as_array() else {
            self.violated(format!("it is {}, not a list", kind(value)));
            return None;
        };
        for (number, value) in values.iter().enumerate() {
            self.below(&number.to_string(), |within| rules(within, value));
        }
        Some(values.len())
    }

    /// Applies rules to a field that has to be there.
    fn required(&mut self, object: &Map<String, Value>, name: &str, rules: impl FnOnce(&mut Self, &Value)) {
        match object.get(name) {
            Some(value) => self.below(name, |within| rules(within, value)),
            None => self.violated(format!("it has no `{name}`")),
        }
    }

    /// Applies rules to a field, if it is there.
    fn optional(&mut self, object: &Map<String, Value>, name: &str, rules: impl FnOnce(&mut Self, &Value)) {
        if let Some(value) = object.get(name) {
            self.below(name, |within| rules(within, value));
        }
    }

    /// Applies rules to a text that has to be there.
    fn text_of(&mut self, object: &Map<String, Value>, name: &str, rules: impl FnOnce(&mut Self, &str)) {
        self.required(object, name, |within, value| {
            if let Some(text) = within.text(value) {
                rules(within, text);
            }
        });
    }

    fn below(&mut self, name: &str, rules: impl FnOnce(&mut Self)) {
        self.path.push(name.to_owned());
        rules(self);
        self.path.pop();
    }

    /// A URI with a scheme (RFC 3986, section 3.1).
    fn uri(&mut self, text: &str) {
        let scheme = text.split_once(':').map_or("", |(scheme, _)| scheme);
        let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b));
        let is_plain = text.bytes().all(|b| b.is_ascii_graphic() && !b"<>\"{}|\\^`".contains(&b));
        if !is_scheme || !is_plain || text.len() == scheme.len() + 1 {
            self.violated(format!("`{}` is no URI", text.escape_debug()));
        }
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "`true` or `false`",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests;
