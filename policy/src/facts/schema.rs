//! The schema of facts: `stdlib/policies/facts.schema.json`, a JSON Schema in which `x-stage` says from when on a fact is known.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use serde::Deserialize;
use serde_json::Value;

use super::{Path, Stage};

/// One fact, and those in it.
#[derive(Debug, Deserialize)]
pub struct Schema {
    #[serde(rename = "type")]
    form: Form,
    #[serde(default)]
    description: String,
    #[serde(default)]
    properties: BTreeMap<String, Schema>,
    #[serde(default)]
    required: BTreeSet<String>,
    #[serde(default, rename = "additionalProperties")]
    rest: Rest,
    items: Option<Box<Schema>>,
    #[serde(default, rename = "enum")]
    accepted: Vec<Value>,
    #[serde(rename = "x-stage")]
    stage: Option<Stage>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Form {
    String,
    Boolean,
    Integer,
    Number,
    Array,
    Object,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Rest {
    Allowed(#[expect(dead_code, reason = "false: nothing besides the properties")] bool),
    Of(Box<Schema>),
}

impl Default for Rest {
    fn default() -> Self {
        Rest::Allowed(false)
    }
}

/// What a fact is made of.
#[derive(Clone, Copy, Debug)]
pub enum Kind<'s> {
    /// A text; one of these, if there are any.
    Text(&'s [Value]),
    /// `true` or `false`.
    Boolean,
    /// A number.
    Number,
    /// Any number of the same.
    List(&'s Schema),
    /// Values by keys that nobody knows before.
    Map(&'s Schema),
    /// Facts with names.
    Object(&'s BTreeMap<String, Schema>),
}

/// A fact with the stage from which it is known.
#[derive(Clone, Copy, Debug)]
pub struct Fact<'s> {
    /// What it is.
    pub schema: &'s Schema,
    /// From when on it is known.
    pub stage: Stage,
    /// Whether it is there from then on, whatever the image: what is not required may have nothing to say.
    pub required: bool,
}

/// Where a document is not as the schema says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    /// What is wrong.
    pub path: Path,
    /// How.
    pub message: String,
}

/// The schema of all facts.
pub fn schema() -> Fact<'static> {
    static SCHEMA: OnceLock<Schema> = OnceLock::new();
    #[expect(clippy::expect_used, reason = "a test reads the same text")]
    let read = || serde_json::from_str(stdlib::policy::FACTS).expect("the schema of facts is one");
    Fact { schema: SCHEMA.get_or_init(read), stage: Stage::Compile, required: true }
}

impl Schema {
    /// What a fact is made of.
    pub fn kind(&self) -> Kind<'_> {
        match (self.form, &self.items, &self.rest) {
            (Form::String, ..) => Kind::Text(&self.accepted),
            (Form::Boolean, ..) => Kind::Boolean,
            (Form::Array, Some(items), _) => Kind::List(items),
            (Form::Object, _, Rest::Of(values)) => Kind::Map(values),
            (Form::Object, ..) => Kind::Object(&self.properties),
            _ => Kind::Number,
        }
    }

    /// What it says, in words.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// What it is called, for messages.
    pub fn noun(&self) -> &'static str {
        match self.kind() {
            Kind::Text(_) => "a text",
            Kind::Boolean => "`true` or `false`",
            Kind::Number => "a number",
            Kind::List(_) => "a list",
            Kind::Map(_) | Kind::Object(_) => "an object",
        }
    }
}

impl<'s> Fact<'s> {
    /// A fact in this one, by its name.
    pub fn field(&self, name: &str) -> Option<Fact<'s>> {
        match self.schema.kind() {
            Kind::Object(fields) => fields.get(name).map(|schema| self.inner(name, schema)),
            Kind::Map(values) => Some(Fact { required: false, ..self.inner(name, values) }),
            _ => None,
        }
    }

    /// What is in a list or map, whichever it is.
    pub fn any(&self) -> Option<Fact<'s>> {
        match self.schema.kind() {
            Kind::List(values) | Kind::Map(values) => Some(Fact { required: false, ..self.inner("", values) }),
            _ => None,
        }
    }

    fn inner(&self, name: &str, schema: &'s Schema) -> Fact<'s> {
        let stage = schema.stage.map_or(self.stage, |stage| stage.max(self.stage));
        Fact { schema, stage, required: schema.stage.is_some() || self.schema.required.contains(name) }
    }

    /// The facts in it that have names.
    pub fn fields(&self) -> impl Iterator<Item = (&'s str, Fact<'s>)> + use<'s> {
        let fact = *self;
        self.names().filter_map(move |name| Some((name, fact.field(name)?)))
    }

    /// Whether there is nothing in it.
    pub fn is_leaf(&self) -> bool {
        matches!(self.schema.kind(), Kind::Text(_) | Kind::Boolean | Kind::Number)
    }

    /// The names in it, if it has names.
    pub fn names(&self) -> impl Iterator<Item = &'s str> + use<'s> {
        let fields = match self.schema.kind() {
            Kind::Object(fields) => Some(fields),
            _ => None,
        };
        fields.into_iter().flat_map(|fields| fields.keys().map(String::as_str))
    }

    /// Where a document is not as the schema says, for its stage.
    pub fn check(&self, document: &Value, stage: Stage) -> Vec<Misfit> {
        let mut found = Vec::new();
        self.compare(document, stage, &mut Vec::new(), &mut found);
        found
    }

    fn compare<'v>(&self, value: &'v Value, stage: Stage, path: &mut Vec<Part<'v>>, found: &mut Vec<Misfit>) {
        let mut misfit = |path: &[Part], message: String| found.push(Misfit { path: written(path), message });
        match (self.schema.kind(), value) {
            (Kind::Text(accepted), Value::String(_)) if accepted.is_empty() || accepted.contains(value) => {}
            (Kind::Text(accepted), Value::String(_)) => {
                let accepted: Vec<String> = accepted.iter().map(Value::to_string).collect();
                misfit(path, format!("is {value}, and none of {}", accepted.join(", ")));
            }
            (Kind::Boolean, Value::Bool(_)) => {}
            (Kind::Number, Value::Number(number)) => {
                if !self.schema.accepted.is_empty() && !self.schema.accepted.contains(value) {
                    misfit(path, format!("is {value}, which this version does not know"));
                } else if self.schema.form == Form::Integer && !(number.is_i64() || number.is_u64()) {
                    misfit(path, format!("is {value}, and no whole number"));
                }
            }
            (Kind::List(_), Value::Array(values)) => {
                for (number, value) in values.iter().enumerate() {
                    self.inside(Part::Number(number), self.any(), value, stage, path, found);
                }
            }
            (Kind::Map(_), Value::Object(values)) => {
                for (name, value) in values {
                    self.inside(Part::Name(name), self.any(), value, stage, path, found);
                }
            }
            (Kind::Object(fields), Value::Object(values)) => {
                for name in self.schema.required.iter().filter(|name| !values.contains_key(*name)) {
                    misfit(path, format!("lacks `{name}`"));
                }
                for (name, value) in values {
                    if fields.contains_key(name) {
                        self.inside(Part::Name(name), self.field(name), value, stage, path, found);
                    } else {
                        found.push(Misfit { path: written(path), message: format!("has `{name}`, which is no fact") });
                    }
                }
            }
            _ => misfit(path, format!("is not {}", self.schema.noun())),
        }
    }

    fn inside<'v>(
        &self,
        part: Part<'v>,
        fact: Option<Fact<'_>>,
        value: &'v Value,
        stage: Stage,
        path: &mut Vec<Part<'v>>,
        found: &mut Vec<Misfit>,
    ) {
        let Some(fact) = fact else { return };
        path.push(part);
        if fact.stage > stage {
            found
                .push(Misfit { path: written(path), message: format!("is not known before the stage {}", fact.stage) });
        } else {
            fact.compare(value, stage, path, found);
        }
        path.pop();
    }
}

/// A name or number on the way to a fact: most ways are gone without a word about them.
#[derive(Clone, Copy)]
enum Part<'v> {
    Name(&'v str),
    Number(usize),
}

fn written(path: &[Part<'_>]) -> Path {
    let part = |part: &Part<'_>| match part {
        Part::Name(name) => (*name).to_owned(),
        Part::Number(number) => number.to_string(),
    };
    path.iter().map(part).collect()
}
