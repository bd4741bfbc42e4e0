//! The parameters of a template and the values they have in one image.

use std::cell::RefCell;
use std::collections::BTreeMap;

use grammar::quote;
use grammar::yaml::{Kind, Node};
use model::{Finding, Findings, codes};

use super::document::{Argument, Extends, Template};
use super::evaluate::{Evaluation, Names, found_already, is_new};
use super::parameter::Parameter;
use super::shape::{Given, Shape};
use super::value::{Data, Entries, Entry, Value};
use grammar::suggest::{nearest, there};

/// How many parameters of a circle a finding names.
const MAX_SHOWN: usize = 8;

/// The parameters of a template with the values they have.
pub(super) struct Bound<'a> {
    template: &'a Template,
    arguments: BTreeMap<&'a str, Value>,
    defaults: RefCell<BTreeMap<&'a str, Lazy>>,
    /// Parameters whose defaults are being evaluated, each for the one before.
    open: RefCell<Vec<&'a str>>,
    /// Why defaults have no value, each once however many depend on it.
    failed: RefCell<Findings>,
}

/// The value of a default, which is evaluated when it is first used.
#[derive(Clone)]
enum Lazy {
    Busy,
    Known(Value),
    Failed,
}

type Outcome = Result<Value, Box<Finding>>;

impl<'a> Bound<'a> {
    /// Gives every parameter its value, from what the template is given and the names around it.
    ///
    /// # Errors
    /// What is wrong with the values, all of it. It may be nothing, where that was found before.
    pub(super) fn new(extends: &'a Extends, names: &dyn Names, evaluation: &mut Evaluation) -> Result<Self, Findings> {
        let (template, mut findings, mut complete) = (&*extends.template, Findings::new(), true);
        for (name, argument) in &extends.with {
            if !template.parameters.contains_key(name) {
                complete = false;
                findings.push(unknown(name, argument, extends));
            }
        }
        let mut arguments = BTreeMap::new();
        for (name, parameter) in &template.parameters {
            let value = match extends.with.get(name) {
                Some(argument) => Some(read(name, parameter, &argument.given, names, evaluation)),
                // What the matrix calls by the parameter's name is meant for it.
                None => names.get(name, evaluation).map(|value| {
                    value
                        .and_then(|value| parameter.accepts.check(value))
                        .map_err(|finding| Box::new(parameter.declared_at(name, *finding)))
                }),
            };
            match value {
                Some(Ok(value)) => drop(arguments.insert(name.as_str(), value)),
                Some(Err(finding)) => {
                    complete = false;
                    findings.extend(Some(*finding).filter(is_new));
                }
                None if parameter.is_required() => {
                    complete = false;
                    findings.extend((!extends.broken).then(|| missing(extends, name, parameter)));
                }
                None => {}
            }
        }
        if !complete {
            return Err(findings);
        }
        let bound = Self {
            template,
            arguments,
            defaults: RefCell::default(),
            open: RefCell::default(),
            failed: RefCell::default(),
        };
        let failed =
            template.parameters.keys().filter(|name| matches!(bound.get(name, evaluation), Some(Err(_)))).count();
        if failed == 0 { Ok(bound) } else { Err(bound.failed.into_inner()) }
    }
}

impl Bound<'_> {
    /// A default that leads back to itself: the way it takes, and the defaults on it.
    fn circle(&self, name: &str, parameter: &Parameter) -> Finding {
        let open = self.open.borrow();
        let circle: Vec<&str> = open.iter().copied().skip_while(|other| *other != name).collect();
        let shown = |names: &[&str]| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" → ");
        let route: Vec<&str> = circle.iter().copied().chain([name]).take(MAX_SHOWN).collect();
        let message = format!("the default of `{name}` depends on itself: {}", shown(&route));
        let place = |name: &str| Some(self.template.parameters.get(name)?.default.as_ref()?.shape.span());
        let finding = Finding::error(codes::PARAMETER_CYCLE, message).at(place(name).unwrap_or(parameter.span));
        let others = circle.iter().skip(1).take(MAX_SHOWN).filter_map(|other| Some((other, place(other)?)));
        let finding =
            others.fold(finding, |finding, (other, span)| finding.label(span, format!("the default of `{other}`")));
        let next = circle.get(1).copied().unwrap_or(name);
        let help = format!("give `{name}` a value under `with` (`{name}: …`), or a default without `{next}`");
        finding.help(help)
    }
}

impl Names for Bound<'_> {
    fn get(&self, name: &str, evaluation: &mut Evaluation) -> Option<Outcome> {
        if let Some(value) = self.arguments.get(name) {
            return Some(Ok(value.clone()));
        }
        let (key, parameter) = self.template.parameters.get_key_value(name)?;
        let known = self.defaults.borrow().get(name).cloned();
        match known {
            Some(Lazy::Known(value)) => return Some(Ok(value)),
            Some(Lazy::Failed) => return Some(Err(Box::new(found_already()))),
            Some(Lazy::Busy) => return Some(Err(Box::new(self.circle(key, parameter)))),
            None => {}
        }
        let Some(default) = &parameter.default else { return Some(Err(Box::new(found_already()))) };
        self.defaults.borrow_mut().insert(key, Lazy::Busy);
        self.open.borrow_mut().push(key);
        let outer = std::mem::take(&mut evaluation.used);
        let value = read(key, parameter, default, self, evaluation);
        evaluation.used = outer;
        self.open.borrow_mut().pop();
        let lazy = value.as_ref().map_or(Lazy::Failed, |value| Lazy::Known(value.clone()));
        self.defaults.borrow_mut().insert(key, lazy);
        Some(value.map_err(|finding| {
            self.failed.borrow_mut().extend(Some(*finding).filter(is_new));
            Box::new(found_already())
        }))
    }

    fn known(&self) -> Vec<&str> {
        self.template.parameters.keys().map(|name| name.as_str()).collect()
    }
}

/// The value of a parameter, as its type has it.
fn read(name: &str, parameter: &Parameter, given: &Given, names: &dyn Names, evaluation: &mut Evaluation) -> Outcome {
    let declared = |finding: Box<Finding>| {
        let known = finding.labels.iter().any(|label| label.span == parameter.span);
        let own = finding.code == codes::PARAMETER_TYPE || finding.code == codes::PARAMETER_VALUE;
        if known || !own { finding } else { Box::new(parameter.declared_at(name, *finding)) }
    };
    if let Some(constant) = given.constant(|node| parameter.accepts.read(node).map_err(declared)) {
        return constant.clone();
    }
    let value = value_of(&given.shape, names, evaluation);
    let value = value.and_then(|value| {
        evaluation.look_at(&value.data, value.span)?;
        parameter.accepts.check(value)
    });
    value.map_err(declared)
}

/// The value of a shape where no type says what a scalar of YAML is: a text, unless an expression says more.
fn value_of(shape: &Shape, names: &dyn Names, evaluation: &mut Evaluation) -> Outcome {
    match shape {
        Shape::Fixed(node, _) => literal(node, evaluation),
        Shape::Value(expression, _) => evaluation.value(expression, names),
        Shape::Text(pieces, span) => {
            let (text, axes) = evaluation.text(pieces, names)?;
            Ok(Value { data: Data::Text(text), span: *span, axes })
        }
        Shape::List(items, span) => {
            let (mut list, mut axes) = (Vec::new(), 0);
            for item in items {
                let value = value_of(item, names, evaluation)?;
                axes |= value.axes;
                match value.data {
                    Data::Nothing => {}
                    Data::List(entries) if item.is_each() => list.extend(entries.iter().cloned()),
                    data => list.push(Value { data, ..value }),
                }
            }
            Ok(Value { data: Data::list(list), span: *span, axes })
        }
        Shape::Map(entries, span) => {
            let (mut map, mut axes) = (Entries::new(), 0);
            for (name, shape) in entries {
                let value = value_of(shape, names, evaluation)?;
                axes |= value.axes;
                if !matches!(value.data, Data::Nothing) {
                    map.insert(name.value.clone(), Entry { span: name.span, value });
                }
            }
            Ok(Value { data: Data::Map(map.into()), span: *span, axes })
        }
    }
}

fn literal(node: &Node, evaluation: &mut Evaluation) -> Outcome {
    evaluation.spend(1, node.span)?;
    let data = match &node.kind {
        Kind::Scalar { text, plain } => match text.parse::<i64>().ok().filter(|number| number.to_string() == **text) {
            Some(number) if *plain => Data::Number(number),
            _ if *plain && text == "true" => Data::Boolean(true),
            _ if *plain && text == "false" => Data::Boolean(false),
            _ => Data::Text(text.clone()),
        },
        Kind::List(items) => Data::list(items.iter().map(|item| literal(item, evaluation)).collect::<Result<_, _>>()?),
        Kind::Map(pairs) => {
            let mut entries = Entries::with_capacity(pairs.len());
            for pair in pairs {
                let entry = Entry { span: pair.key.span, value: literal(&pair.value, evaluation)? };
                entries.insert(pair.key.value.clone(), entry);
            }
            Data::Map(entries.into())
        }
        Kind::Null | Kind::Error => Data::Nothing,
    };
    Ok(Value::new(data, node.span))
}

fn unknown(name: &str, argument: &Argument, extends: &Extends) -> Finding {
    let template = &extends.template;
    let known = || template.parameters.keys().map(|name| name.as_str());
    let message = format!("{} has no parameter {}", quote(&template.name), quote(name));
    let finding = Finding::error(codes::PARAMETER_UNKNOWN, message).at(argument.span);
    let near = nearest(name, known());
    let finding = match near.and_then(|near| template.parameters.get(near)) {
        Some(parameter) => finding.label(parameter.span, "declared here"),
        None => finding,
    };
    match near {
        Some(near) if extends.with.contains_key(near) => {
            finding.help(format!("did you mean `{near}`? That is given already: make one of both"))
        }
        near => finding.meant(near, &there(known())),
    }
}

fn missing(extends: &Extends, name: &str, parameter: &Parameter) -> Finding {
    let message = format!("the parameter `{name}` of {} has no value", quote(&extends.template.name));
    let finding = Finding::error(codes::PARAMETER_MISSING, message).at(extends.span);
    let finding = finding.label(parameter.span, format!("declared here as {}", parameter.accepts.name()));
    let purpose = parameter.description.as_ref().map(|text| format!(" ({text})")).unwrap_or_default();
    finding.help(format!("give it one under `with`: `{name}: …`{purpose}"))
}
