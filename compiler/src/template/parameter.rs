//! Parameters of a template: what they are called, what they accept, and what they are when nobody says.

use ecow::EcoString;
use grammar::quote;
use grammar::yaml::{Kind, Node, Pair};
use indexmap::IndexMap;
use model::{Finding, Sources, Span, codes};
use regex::Regex;

use super::evaluate::{NUMBERS, found_already, is_too_large};
use super::shape::{Given, Shape};
use super::value::{Data, Entries, Entry, Value};
use grammar::reader::Reader;
use grammar::suggest::{choice, choose, nearest};

const FIELDS: &[&str] = &["type", "description", "default", "pattern", "values", "of", "min", "max"];
const TYPES: &[&str] = &["string", "int", "bool", "version", "requirement", "enum", "list", "map"];
/// What makes a pattern one of all of a text.
const START: &str = r"\A(?:";
const END: &str = r")\z";
/// Bytes a compiled pattern may take.
const PATTERN_LIMIT: usize = 1 << 20;

/// The parameters of a template by their names, in the order declared.
pub(super) type Parameters = IndexMap<EcoString, Parameter>;

/// A declared parameter.
#[derive(Clone, Debug)]
pub(super) struct Parameter {
    /// Where its name is declared.
    pub(super) span: Span,
    pub(super) accepts: Type,
    /// Its value when nobody gives one; an expression may use other parameters.
    pub(super) default: Option<Given>,
    /// What it is for.
    pub(super) description: Option<String>,
}

/// What values a parameter accepts.
#[derive(Clone, Debug)]
pub(super) enum Type {
    /// A text, all of which matches the pattern.
    String(Option<Regex>),
    /// A whole number within bounds.
    Int(i64, i64),
    Bool,
    /// `3.13`, `3.13.5`.
    Version,
    /// A package with a version range, in its language's syntax: one line of text.
    Requirement,
    /// One of these.
    Enum(Vec<String>),
    List(Box<Type>),
    Map(Box<Type>),
    /// Its declaration could not be read, and a finding says why: no value is to be refused besides.
    Unknown,
}

/// Reads the declarations of a template.
pub(super) fn read(reader: &mut Reader, node: &Node, sources: &Sources) -> Parameters {
    let mut parameters = Parameters::new();
    for pair in reader.map(node, "parameters") {
        if !is_name(&pair.key.value) {
            let message = format!("{} is no name of a parameter", quote(&pair.key.value));
            reader.bad_value(
                pair.key.span,
                message,
                "use letters, digits and `_`, a letter first; words of expressions (`if`, `in` …) are taken",
            );
            continue;
        }
        let parameter = declaration(reader, pair, sources);
        parameters.entry(pair.key.value.clone()).or_insert(parameter);
    }
    parameters
}

fn declaration(reader: &mut Reader, pair: &Pair, sources: &Sources) -> Parameter {
    let unknown = Parameter { span: pair.key.span, accepts: Type::Unknown, default: None, description: None };
    let Some(fields) = reader.fields(&pair.value, "parameters.*", FIELDS) else { return unknown };
    let kind = match fields.get("type") {
        Some(kind) => reader.one_of(kind, "type", TYPES, &[]),
        None if fields.may_lack("type") => None,
        None => {
            let message = format!("the parameter `{}` has no type", pair.key.value);
            reader.missing(pair.key.span, message, &format!("write `type:` and one of {}", TYPES.join(", ")));
            None
        }
    };
    let accepts = kind.and_then(|kind| read_type(reader, kind, |name| fields.get(name), pair.key.span));
    if let Some(kind) = kind {
        for (field, kinds) in [
            ("pattern", &["string"][..]),
            ("values", &["enum"]),
            ("of", &["list", "map"]),
            ("min", &["int"]),
            ("max", &["int"]),
        ] {
            if let Some(span) = fields.key(field).filter(|_| !kinds.contains(&kind)) {
                let message = format!("`{field}` says nothing about {}", article(kind));
                reader.bad_value(span, message, format!("it belongs to the type {}", choice(kinds)));
            }
        }
    }
    let default = fields.get("default").map(|node| Given::new(Shape::of(node, sources, reader.report())));
    let description = fields.get("description").and_then(|node| reader.text(node, "description"));
    let description = description.map(|text| text.value);
    Parameter { accepts: accepts.unwrap_or(Type::Unknown), default, description, ..unknown }
}

/// A name expressions can use.
pub(super) fn is_name(name: &str) -> bool {
    const WORDS: [&str; 10] = ["if", "then", "else", "each", "in", "or", "and", "not", "true", "false"];
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !WORDS.contains(&name)
}

fn read_type<'n>(
    reader: &mut Reader,
    kind: &str,
    field: impl Fn(&str) -> Option<&'n Node>,
    place: Span,
) -> Option<Type> {
    Some(match kind {
        "string" => Type::String(match field("pattern") {
            None => None,
            Some(node) => Some(pattern(reader, node)?),
        }),
        "int" => {
            let mut bound = |name, other| match field(name) {
                None => Some(other),
                Some(node) => reader
                    .number::<i64>(node, name, "-9223372036854775808 to 9223372036854775807")
                    .map(|number| number.value),
            };
            Type::Int(bound("min", i64::MIN)?, bound("max", i64::MAX)?)
        }
        "bool" => Type::Bool,
        "version" => Type::Version,
        "requirement" => Type::Requirement,
        "enum" => {
            let Some(node) = field("values") else {
                reader.missing(
                    place,
                    "an enum without `values` accepts nothing",
                    "list what it accepts: `values: [small, large]`",
                );
                return None;
            };
            let values = reader.texts(node, "values");
            if values.is_empty() {
                reader.bad_value(node.span, "`values` names none", "list what the parameter accepts");
                return None;
            }
            Type::Enum(values)
        }
        _ => {
            let Some(node) = field("of") else {
                reader.missing(
                    place,
                    format!("`of` is missing for a {kind}"),
                    "say what its entries are: `of: string`",
                );
                return None;
            };
            let of = Box::new(entry_type(reader, node)?);
            if kind == "list" { Type::List(of) } else { Type::Map(of) }
        }
    })
}

/// The type of entries: its name, or a map that says more of it.
fn entry_type(reader: &mut Reader, node: &Node) -> Option<Type> {
    if let Kind::Map(_) = node.kind {
        let fields = reader.fields(node, "of", &["type", "pattern", "values", "of", "min", "max"])?;
        let kind = reader.required(&fields, "type", &format!("write one of {}", TYPES.join(", ")))?;
        let kind = reader.one_of(kind, "type", TYPES, &[])?;
        return read_type(reader, kind, |name| fields.get(name), node.span);
    }
    let kind = reader.one_of(node, "of", TYPES, &[])?;
    read_type(reader, kind, |_| None, node.span)
}

fn pattern(reader: &mut Reader, node: &Node) -> Option<Regex> {
    let text = reader.text(node, "pattern")?;
    // All of the value must match: a pattern that fits a part of it accepts anything around that part.
    let build = |pattern: &str| regex::RegexBuilder::new(pattern).size_limit(PATTERN_LIMIT).build();
    // By itself first: what only makes sense between our brackets would open them.
    let whole = build(&text.value).and_then(|_| build(&format!("{START}{}{END}", text.value)));
    whole
        .map_err(|e| {
            let why = e.to_string();
            let why = why.lines().last().unwrap_or_default().trim_start_matches("error: ");
            let message = format!("{} is no pattern: {why}", quote(&text.value));
            reader.bad_value(
                text.span,
                message,
                "write a regular expression as Rust's `regex` reads it, in single quotes",
            );
        })
        .ok()
}

fn article(kind: &str) -> String {
    let article = if kind.starts_with(['i', 'e']) { "an" } else { "a" };
    format!("{article} {kind}")
}

impl Parameter {
    /// Whether somebody must give it a value.
    pub(super) fn is_required(&self) -> bool {
        self.default.is_none() && !matches!(self.accepts, Type::Unknown)
    }

    /// Says where the parameter a finding is about is declared.
    pub(super) fn declared_at(&self, name: &str, finding: Finding) -> Finding {
        finding.label(self.span, format!("`{name}` is declared here as {}", self.accepts.name()))
    }
}

impl Type {
    /// As it is declared: `list of requirement`.
    pub(super) fn name(&self) -> String {
        match self {
            Type::String(None) => "string".into(),
            Type::String(Some(pattern)) => format!("string matching `{}`", shown(pattern)),
            Type::Int(i64::MIN, i64::MAX) => "int".into(),
            Type::Int(min, i64::MAX) => format!("int from {min}"),
            Type::Int(i64::MIN, max) => format!("int up to {max}"),
            Type::Int(min, max) => format!("int from {min} to {max}"),
            Type::Bool => "bool".into(),
            Type::Version => "version".into(),
            Type::Requirement => "requirement".into(),
            Type::Enum(values) => choice(&values.iter().map(String::as_str).collect::<Vec<_>>()),
            Type::List(of) => format!("list of {}", of.name()),
            Type::Map(of) => format!("map of {}", of.name()),
            Type::Unknown => "something".into(),
        }
    }

    /// A value as this type has it, from what is written in YAML.
    pub(super) fn read(&self, node: &Node) -> Result<Value, Box<Finding>> {
        let span = node.span;
        let data = match (self, &node.kind) {
            (Type::List(of), Kind::List(items)) => {
                Data::list(items.iter().map(|item| of.read(item)).collect::<Result<_, _>>()?)
            }
            (Type::Map(of), Kind::Map(pairs)) => {
                let entries = pairs.iter().map(|pair| {
                    let entry = Entry { span: pair.key.span, value: of.read(&pair.value)? };
                    Ok((pair.key.value.clone(), entry))
                });
                Data::Map(entries.collect::<Result<Entries, Box<Finding>>>()?.into())
            }
            (Type::Unknown, _) => return Err(Box::new(found_already())),
            (Type::Int(..), Kind::Scalar { text, plain: true }) => match text.parse() {
                Ok(number) => Data::Number(number),
                Err(e) if is_too_large(&e) => {
                    return Err(bad(span, format!("{} is beyond the numbers there are", quote(text)), NUMBERS));
                }
                Err(_) => return Err(self.refuse(span, &format!("the text {}", quote(text)))),
            },
            (Type::Bool, Kind::Scalar { text, plain: true }) if text == "true" || text == "false" => {
                Data::Boolean(text == "true")
            }
            (Type::String(_) | Type::Version | Type::Requirement | Type::Enum(_), Kind::Scalar { text, .. }) => {
                Data::text(text.as_str())
            }
            (_, kind) => {
                let found = match kind {
                    Kind::Scalar { text, plain: true } => format!("the text {}", quote(text)),
                    Kind::Scalar { text, plain: false } => format!("the text {} in quotes", quote(text)),
                    Kind::List(_) => "a list".into(),
                    Kind::Map(_) => "a map".into(),
                    Kind::Null | Kind::Error => "nothing".into(),
                };
                let refused = self.refuse(span, &found);
                return Err(match kind {
                    Kind::Scalar { text, plain: false } if self.is_meant(text) => {
                        Box::new(refused.help(format!("write `{text}`, without quotes")).replace_by(text.as_str()))
                    }
                    _ => refused,
                });
            }
        };
        self.accept(Value::new(data, span))
    }

    /// A value as this type has it, from one that was computed: what is wrong with it cannot be corrected in place.
    pub(super) fn check(&self, value: Value) -> Result<Value, Box<Finding>> {
        self.accept(value).map_err(|finding| Box::new(Finding { fix: None, ..*finding }))
    }

    fn accept(&self, value: Value) -> Result<Value, Box<Finding>> {
        let Value { span, axes, .. } = value;
        let data = match (self, &value.data) {
            (Type::String(pattern), Data::Text(text) | Data::Version(text)) => {
                if let Some(pattern) = pattern.as_ref().filter(|pattern| !pattern.is_match(text)) {
                    let message = format!("{} does not match the pattern `{}`", quote(text), shown(pattern));
                    return Err(bad(span, message, mismatch(pattern, text)));
                }
                Data::Text(text.clone())
            }
            (Type::Version, Data::Text(text) | Data::Version(text)) => {
                if !is_version(text) {
                    let message = format!("{} is no version", quote(text));
                    return Err(bad(span, message, "write numbers with points between them, `3.13` or `3.13.5`"));
                }
                Data::Version(text.clone())
            }
            // A version of one part, as an axis of a matrix has it.
            (Type::Version, Data::Number(number)) if *number >= 0 => Data::Version(number.to_string().into()),
            (Type::Requirement, Data::Text(text)) => {
                if text.trim().is_empty() || text.contains('\n') {
                    return Err(bad(
                        span,
                        format!("{} is no requirement", quote(text)),
                        "write a package, with a range if need be: `fastapi>=0.104`",
                    ));
                }
                Data::Text(text.clone())
            }
            (Type::Enum(values), Data::Text(text) | Data::Version(text)) => {
                if !values.iter().any(|value| **value == **text) {
                    let all: Vec<&str> = values.iter().map(String::as_str).collect();
                    let message = format!("{} is not accepted: expected {}", quote(text), choice(&all));
                    let finding = Finding::error(codes::PARAMETER_VALUE, message).at(span);
                    return Err(Box::new(choose(finding, nearest(text, all.iter().copied()), &all)));
                }
                Data::Text(text.clone())
            }
            (Type::Int(min, max), Data::Number(number)) => {
                if !(*min..=*max).contains(number) {
                    return Err(bad(
                        span,
                        format!("expected {}, found {number}", self.name()),
                        "write a number within the bounds",
                    ));
                }
                Data::Number(*number)
            }
            (Type::Bool, Data::Boolean(value)) => Data::Boolean(*value),
            (Type::List(of), Data::List(items)) => {
                Data::list(items.iter().map(|item| of.accept(item.clone())).collect::<Result<_, _>>()?)
            }
            (Type::Map(of), Data::Map(entries)) => {
                let entries = entries.iter().map(|(name, entry)| {
                    let value = of.accept(entry.value.clone())?;
                    Ok((name.clone(), Entry { value, ..*entry }))
                });
                Data::Map(entries.collect::<Result<Entries, Box<Finding>>>()?.into())
            }
            (Type::Unknown, _) => return Err(Box::new(found_already())),
            // What is put together of pieces is a text.
            (Type::Int(..), data @ Data::Text(_)) => {
                return Err(Box::new(self.refuse(span, &data.shown()).help("make a number of it: `${{ number(…) }}`")));
            }
            (_, data) => return Err(self.refuse(span, &data.shown())),
        };
        Ok(Value { data, span, axes })
    }

    /// Whether a text in quotes would be right without them.
    fn is_meant(&self, text: &str) -> bool {
        match self {
            Type::Int(..) => text.parse::<i64>().is_ok_and(|number| number.to_string() == text),
            Type::Bool => matches!(text, "true" | "false"),
            _ => false,
        }
    }

    fn refuse(&self, span: Span, found: &str) -> Box<Finding> {
        let help = match self {
            Type::Int(..) => "write digits without quotes",
            Type::Bool => "write `true` or `false`, without quotes",
            Type::List(_) => "write `[one, two]`, or one entry a line after `- `",
            Type::Map(_) => "write `name: value`, one a line",
            _ => "write one value, in quotes if it holds special characters",
        };
        Box::new(
            Finding::error(codes::PARAMETER_TYPE, format!("expected {}, found {found}", self.name()))
                .at(span)
                .help(help),
        )
    }
}

/// What helps where a text does not match a pattern: how it could be written, or how much of it does match.
fn mismatch(pattern: &Regex, text: &str) -> String {
    // What is longer is no name that was misspelt.
    const LONGEST: usize = 100;
    if text.len() > LONGEST {
        return "all of the value must match it".to_owned();
    }
    let lower = text.trim().to_lowercase();
    let joined = |between: &str| lower.replace(['_', '-', '.', ' '], between);
    let spellings = [lower.clone(), joined("-"), joined("_"), joined(""), text.trim().to_uppercase()];
    if let Some(near) = spellings.iter().find(|spelling| pattern.is_match(spelling)) {
        return format!("did you mean `{near}`? All of the value must match it");
    }
    let starts = text.char_indices().rev().filter_map(|(at, _)| text.split_at_checked(at));
    match starts.filter(|(start, _)| !start.is_empty()).find(|(start, _)| pattern.is_match(start)) {
        Some((start, rest)) => {
            format!("all of the value must match it: {} does, {} after it does not", quote(start), quote(rest))
        }
        None => "all of the value must match it, from its first character to its last".to_owned(),
    }
}

/// A pattern as it was written.
fn shown(pattern: &Regex) -> &str {
    let text = pattern.as_str();
    text.strip_prefix(START).and_then(|text| text.strip_suffix(END)).unwrap_or(text)
}

fn bad(span: Span, message: String, help: impl Into<String>) -> Box<Finding> {
    Box::new(Finding::error(codes::PARAMETER_VALUE, message).at(span).help(help))
}

/// Digits first; then letters, digits and what stands between them in the version schemes of languages and distributions.
fn is_version(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit())
        && text.ends_with(|c: char| c.is_ascii_alphanumeric())
        && text.len() <= 100
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '+' | '~' | ':'))
        || text == "latest"
}
