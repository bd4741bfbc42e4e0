//! The functions expressions may call. They are pure, and none makes more than it was given times a small factor.

use std::sync::Arc;

use ecow::EcoString;
use grammar::quote;
use model::{Finding, Span, Spanned, codes};

use super::evaluate::{Evaluation, NUMBERS, error, is_too_large, wrong_type};
use super::value::{Data, Entries, Entry, Value, versions};
use grammar::suggest::{nearest, there};

/// A function: how it is called, what it does, and how.
pub(super) struct Function {
    name: &'static str,
    /// Names of its arguments, for messages.
    arguments: &'static [&'static str],
    run: fn(&Call) -> Result<Data, Box<Finding>>,
}

/// A call with as many arguments as the function takes.
pub(super) struct Call<'a> {
    function: &'static Function,
    arguments: &'a [Value],
    span: Span,
}

/// Every function, by name.
pub(super) static FUNCTIONS: &[Function] = &[
    Function {
        name: "ends_with",
        arguments: &["text", "end"],
        run: |c| Ok(Data::Boolean(c.text(0)?.ends_with(c.text(1)?))),
    },
    Function { name: "join", arguments: &["list", "between"], run: join },
    Function {
        name: "keys",
        arguments: &["map"],
        run: |c| {
            Ok(Data::list(
                c.map(0)?
                    .iter()
                    .map(|(name, Entry { span, value })| Value {
                        data: Data::Text(name.clone()),
                        span: *span,
                        axes: value.axes,
                    })
                    .collect(),
            ))
        },
    },
    Function { name: "length", arguments: &["value"], run: length },
    Function { name: "line", arguments: &["version", "parts"], run: line },
    Function { name: "lower", arguments: &["text"], run: |c| Ok(Data::text(c.text(0)?.to_lowercase())) },
    Function { name: "merge", arguments: &["map", "over"], run: merge },
    Function { name: "number", arguments: &["text"], run: number },
    Function { name: "replace", arguments: &["text", "part", "by"], run: replace },
    Function { name: "sort", arguments: &["list"], run: sort },
    Function { name: "split", arguments: &["text", "at"], run: split },
    Function {
        name: "starts_with",
        arguments: &["text", "start"],
        run: |c| Ok(Data::Boolean(c.text(0)?.starts_with(c.text(1)?))),
    },
    Function { name: "text", arguments: &["value"], run: text },
    Function { name: "trim", arguments: &["text"], run: |c| Ok(Data::text(c.text(0)?.trim())) },
    Function { name: "unique", arguments: &["list"], run: unique },
    Function { name: "upper", arguments: &["text"], run: |c| Ok(Data::text(c.text(0)?.to_uppercase())) },
    Function {
        name: "values",
        arguments: &["map"],
        run: |c| Ok(Data::list(c.map(0)?.iter().map(|(_, entry)| entry.value.clone()).collect())),
    },
    Function { name: "version", arguments: &["text"], run: |c| c.text(0).map(|text| Data::Version(text.into())) },
];

/// Calls a function.
pub(super) fn call(
    name: &Spanned<String>,
    arguments: &[Value],
    span: Span,
    evaluation: &mut Evaluation,
) -> Result<Data, Box<Finding>> {
    let function = find(name, arguments.len(), span)?;
    for argument in arguments {
        evaluation.look_at(&argument.data, argument.span)?;
    }
    let result = (function.run)(&Call { function, arguments, span })?;
    evaluation.look_at(&result, span)?;
    Ok(result)
}

/// The function of a name, if it takes so many arguments.
pub(super) fn find(name: &Spanned<String>, arguments: usize, span: Span) -> Result<&'static Function, Box<Finding>> {
    let Some(function) = FUNCTIONS.iter().find(|function| function.name == name.value) else {
        let known = FUNCTIONS.iter().map(|function| function.name);
        let near = nearest(&name.value, known.clone());
        let finding = Finding::error(codes::NAME_UNKNOWN, format!("there is no function {}", quote(&name.value)));
        return Err(Box::new(finding.at(name.span).suggest(near, &there(known))));
    };
    if function.arguments.len() != arguments {
        let message = format!("`{}` takes {} arguments, not {arguments}", function.name, function.arguments.len());
        let help = format!("write `{}({})`", function.name, function.arguments.join(", "));
        return Err(error(codes::EXPRESSION_TYPE, span, message, help));
    }
    Ok(function)
}

impl Call<'_> {
    fn argument(&self, at: usize) -> &Data {
        self.arguments.get(at).map_or(&Data::Nothing, |value| &value.data)
    }

    fn wrong(&self, at: usize, expected: &str) -> Box<Finding> {
        let name = self.function.arguments.get(at).copied().unwrap_or_default();
        wrong_type(self.span, &format!("`{name}` of `{}`", self.function.name), expected, self.argument(at))
    }

    fn text(&self, at: usize) -> Result<&str, Box<Finding>> {
        match self.argument(at) {
            Data::Text(text) | Data::Version(text) => Ok(text),
            _ => Err(self.wrong(at, "a text")),
        }
    }

    fn list(&self, at: usize) -> Result<&Arc<Vec<Value>>, Box<Finding>> {
        match self.argument(at) {
            Data::List(items) => Ok(items),
            _ => Err(self.wrong(at, "a list")),
        }
    }

    fn map(&self, at: usize) -> Result<&Arc<Entries>, Box<Finding>> {
        match self.argument(at) {
            Data::Map(entries) => Ok(entries),
            _ => Err(self.wrong(at, "a map")),
        }
    }

    fn refused(&self, message: String, help: &str) -> Box<Finding> {
        error(codes::EXPRESSION_TYPE, self.span, message, help)
    }
}

fn length(call: &Call) -> Result<Data, Box<Finding>> {
    let length = match call.argument(0) {
        Data::Text(text) | Data::Version(text) => text.chars().count(),
        Data::List(items) => items.len(),
        Data::Map(entries) => entries.len(),
        _ => return Err(call.wrong(0, "a text, a list or a map")),
    };
    Ok(Data::Number(i64::try_from(length).unwrap_or(i64::MAX)))
}

fn text(call: &Call) -> Result<Data, Box<Finding>> {
    call.argument(0).in_text().map(Data::text).ok_or_else(|| call.wrong(0, "a number, a version, or `true` or `false`"))
}

fn number(call: &Call) -> Result<Data, Box<Finding>> {
    let text = call.text(0)?;
    let help = "a number is digits, with a `-` before them if it is negative";
    text.parse().map(Data::Number).map_err(|e| match is_too_large(&e) {
        true => call.refused(format!("{} is beyond the numbers there are", quote(text)), NUMBERS),
        false => call.refused(format!("{} is no whole number", quote(text)), help),
    })
}

fn join(call: &Call) -> Result<Data, Box<Finding>> {
    let between = call.text(1)?;
    let items: Option<Vec<EcoString>> = call.list(0)?.iter().map(|item| item.data.in_text()).collect();
    let items = items.ok_or_else(|| {
        call.refused("`join` puts texts together, not lists or maps".into(), "join the inner lists first")
    })?;
    let length = items.iter().map(|item| item.len() + between.len()).sum::<usize>();
    if length > super::evaluate::BUDGET {
        return Err(call.refused(format!("the text would have {length} bytes"), "join fewer entries"));
    }
    Ok(Data::text(items.join(between)))
}

fn split(call: &Call) -> Result<Data, Box<Finding>> {
    let (text, at) = (call.text(0)?, call.text(1)?);
    if at.is_empty() {
        return Err(call.refused("a text cannot be split at nothing".into(), "name what stands between the parts"));
    }
    Ok(Data::list(text.split(at).map(|part| Value::new(Data::text(part), call.span)).collect()))
}

fn replace(call: &Call) -> Result<Data, Box<Finding>> {
    let (text, part, by) = (call.text(0)?, call.text(1)?, call.text(2)?);
    if part.is_empty() {
        return Err(call.refused("nothing cannot be replaced".into(), "name the part that is replaced"));
    }
    let length = text.len() + text.matches(part).count() * by.len();
    if length > super::evaluate::BUDGET {
        return Err(call.refused(format!("the text would have {length} bytes"), "replace by something shorter"));
    }
    Ok(Data::text(text.replace(part, by)))
}

/// The first parts of a version: `line('3.13.5', 2)` is `3.13`.
fn line(call: &Call) -> Result<Data, Box<Finding>> {
    let Data::Number(parts) = call.argument(1) else { return Err(call.wrong(1, "a number")) };
    let parts = usize::try_from(*parts).ok().filter(|parts| *parts > 0);
    let parts = parts.ok_or_else(|| call.refused("a version has at least 1 part".into(), "write 1 or more"))?;
    Ok(Data::Version(call.text(0)?.split('.').take(parts).collect::<Vec<_>>().join(".").into()))
}

/// The entries of two maps; where both have one, the second's.
fn merge(call: &Call) -> Result<Data, Box<Finding>> {
    let (below, over) = (call.map(0)?, call.map(1)?);
    let mut merged = Entries::clone(below);
    merged.extend(over.iter().map(|(name, entry)| (name.clone(), entry.clone())));
    Ok(Data::Map(Arc::new(merged)))
}

/// Texts by their bytes, numbers by size, versions as versions.
fn sort(call: &Call) -> Result<Data, Box<Finding>> {
    let mut items = call.list(0)?.to_vec();
    let kind = |value: &Value| std::mem::discriminant(&value.data);
    let sortable = items.iter().all(|item| matches!(item.data, Data::Text(_) | Data::Version(_) | Data::Number(_)));
    if !sortable || items.windows(2).any(|pair| matches!(pair, [a, b] if kind(a) != kind(b))) {
        return Err(
            call.refused("only texts, only versions or only numbers can be sorted".into(), "convert the entries first")
        );
    }
    items.sort_by(|a, b| match (&a.data, &b.data) {
        (Data::Number(a), Data::Number(b)) => a.cmp(b),
        (Data::Version(a), Data::Version(b)) => versions(a, b),
        _ => a.text().cmp(&b.text()),
    });
    Ok(Data::list(items))
}

/// Each entry once, where it stands first.
fn unique(call: &Call) -> Result<Data, Box<Finding>> {
    let mut seen = std::collections::BTreeSet::new();
    let mut kept = Vec::new();
    for item in call.list(0)?.iter() {
        let Some(text) = item.data.in_text() else {
            return Err(call.refused(
                "`unique` compares texts, versions, numbers and truth values".into(),
                "compare the parts that tell entries apart",
            ));
        };
        if seen.insert((item.data.kind(), text)) {
            kept.push(item.clone());
        }
    }
    Ok(Data::list(kept))
}
