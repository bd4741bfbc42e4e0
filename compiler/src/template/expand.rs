//! Puts values into a document: from layers and an assignment to the tree of one image.

use std::cell::RefCell;
use std::collections::BTreeMap;

use grammar::expression::{Expression, ExpressionKind, Piece};
use grammar::quote;
use grammar::yaml::{Kind, Node, Pair};
use model::{Finding, Findings, Label, SourceId, Span, Spanned, codes};

use super::document::{Extended, Extends, Layer, Template};
use super::evaluate::{Evaluation, Names, is_new, wrong_type};
use super::parameter::Parameter;
use super::shape::{Given, Shape};
use super::value::{Data, Value};
use crate::suggest::nearest;

/// Where a value that was put into a document came from.
#[derive(Clone, Debug)]
pub(super) struct Origin {
    /// Where findings about it point: where it was written, or, if it was computed, where it was put.
    pub(super) at: Span,
    /// Where what was written elsewhere was put.
    pub(super) put: Option<Span>,
    /// The names it was computed from, and where their values were written.
    pub(super) used: Vec<(String, Span)>,
}

impl Origin {
    /// What explains a finding about the value.
    pub(super) fn labels(&self) -> impl Iterator<Item = Label> {
        let put = self.put.map(|span| Label { span, text: "used here".into() });
        put.into_iter().chain(self.used.iter().map(|(name, span)| is_this(name, *span)))
    }
}

/// Expands the layers of one image.
#[derive(Default)]
pub(super) struct Expander {
    evaluation: Evaluation,
    pub(super) findings: Findings,
    /// By the number in an expanded span's source.
    pub(super) origins: Vec<Origin>,
    /// Texts of templates, and where each is used.
    pub(super) used: Vec<(SourceId, Span)>,
    /// The axes the image's name depends on.
    pub(super) name_axes: u32,
    /// Something is not there because it could not be had: what is missing is no mistake of its own.
    pub(super) partial: bool,
}

/// The parameters of a template with the values they have.
struct Bound<'a> {
    template: &'a Template,
    arguments: BTreeMap<&'a str, Value>,
    /// Values of parameters nobody gave one, as far as they are known; `Busy` while a default is evaluated.
    defaults: RefCell<BTreeMap<&'a str, Lazy>>,
}

#[derive(Clone)]
enum Lazy {
    Busy,
    Known(Result<Value, Box<Finding>>),
}

impl Names for Bound<'_> {
    fn get(&self, name: &str, evaluation: &mut Evaluation) -> Option<Result<Value, Box<Finding>>> {
        if let Some(value) = self.arguments.get(name) {
            return Some(Ok(value.clone()));
        }
        let parameter = self.template.parameters.iter().find(|parameter| parameter.name.value == name)?;
        let key = parameter.name.value.as_str();
        let known = self.defaults.borrow().get(key).cloned();
        match known {
            Some(Lazy::Known(value)) => return Some(value),
            Some(Lazy::Busy) => {
                let message = format!("the default of `{key}` depends on itself");
                let finding = Finding::error(codes::PARAMETER_CYCLE, message).at(parameter.name.span);
                return Some(Err(Box::new(
                    finding.help("give one of the parameters it depends on a default without expressions"),
                )));
            }
            None => {}
        }
        let default = parameter.default.as_ref()?;
        self.defaults.borrow_mut().insert(key, Lazy::Busy);
        let outer = std::mem::take(&mut evaluation.used);
        let value = argument(parameter, default, self, evaluation);
        evaluation.used = outer;
        self.defaults.borrow_mut().insert(key, Lazy::Known(value.clone()));
        Some(value)
    }

    fn known(&self) -> Vec<&str> {
        self.template.parameters.iter().map(|parameter| parameter.name.value.as_str()).collect()
    }
}

/// The value of a parameter, as its type has it.
fn argument(
    parameter: &Parameter,
    given: &Given,
    names: &dyn Names,
    evaluation: &mut Evaluation,
) -> Result<Value, Box<Finding>> {
    let declared = |finding: Box<Finding>| {
        let known = finding.labels.iter().any(|label| label.span == parameter.name.span);
        let own = finding.code == codes::PARAMETER_TYPE || finding.code == codes::PARAMETER_VALUE;
        if known || !own { finding } else { Box::new(declared_at(*finding, parameter)) }
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
fn value_of(shape: &Shape, names: &dyn Names, evaluation: &mut Evaluation) -> Result<Value, Box<Finding>> {
    match shape {
        Shape::Fixed(node) => literal(node, evaluation),
        Shape::Value(expression, _) => evaluation.value(expression, names),
        Shape::Text(pieces, span) => {
            let (text, axes) = text_of(pieces, names, evaluation)?;
            Ok(Value { data: Data::text(text), span: *span, axes })
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
            let (mut map, mut axes) = (Vec::new(), 0);
            for (name, shape) in entries {
                let value = value_of(shape, names, evaluation)?;
                axes |= value.axes;
                if !matches!(value.data, Data::Nothing) {
                    map.push((name.clone(), value));
                }
            }
            Ok(Value { data: Data::Map(map.into()), span: *span, axes })
        }
    }
}

fn literal(node: &Node, evaluation: &mut Evaluation) -> Result<Value, Box<Finding>> {
    evaluation.spend(1, node.span)?;
    let data = match &node.kind {
        Kind::Scalar { text, plain } => match text.parse::<i64>().ok().filter(|number| number.to_string() == *text) {
            Some(number) if *plain => Data::Number(number),
            _ if *plain && text == "true" => Data::Boolean(true),
            _ if *plain && text == "false" => Data::Boolean(false),
            _ => Data::text(text.as_str()),
        },
        Kind::List(items) => Data::list(items.iter().map(|item| literal(item, evaluation)).collect::<Result<_, _>>()?),
        Kind::Map(pairs) => {
            let entries = pairs.iter().map(|pair| Ok((pair.key.clone(), literal(&pair.value, evaluation)?)));
            Data::Map(entries.collect::<Result<Vec<_>, Box<Finding>>>()?.into())
        }
        Kind::Null | Kind::Error => Data::Nothing,
    };
    Ok(Value::new(data, node.span))
}

fn text_of(pieces: &[Piece], names: &dyn Names, evaluation: &mut Evaluation) -> Result<(String, u32), Box<Finding>> {
    let (mut text, mut axes) = (String::new(), 0);
    for piece in pieces {
        match piece {
            Piece::Text(literal) => text.push_str(literal),
            Piece::Expression(expression) => {
                let value = evaluation.value(expression, names)?;
                axes |= value.axes;
                match (value.data.in_text(), &value.data) {
                    (Some(part), _) => {
                        evaluation.spend(part.len(), expression.span)?;
                        text.push_str(&part);
                    }
                    (None, Data::Nothing) => {}
                    (None, data) => return Err(wrong_type(expression.span, "what is put into a text", "a text", data)),
                }
            }
        }
    }
    Ok((text, axes))
}

impl Expander {
    /// The image a layer describes, on top of what it extends.
    pub(super) fn layer(&mut self, layer: &Layer, names: &dyn Names) -> Node {
        let below = match &layer.extends {
            Extended::Nothing => None,
            Extended::Template(extends) => self.template(extends, names),
            Extended::Lost => {
                self.partial = true;
                None
            }
        };
        let own = self.image(&layer.own, names);
        match below {
            Some(below) => overlay(below, own),
            None => own,
        }
    }

    fn template(&mut self, extends: &Extends, names: &dyn Names) -> Option<Node> {
        let template = &*extends.template;
        self.used.push((template.span.source, extends.span));
        self.partial |= template.broken;
        let arguments = self.arguments(extends, names)?;
        let bound = Bound { template, arguments, defaults: RefCell::default() };
        let mut complete = true;
        for parameter in &template.parameters {
            if let Some(Err(finding)) = bound.get(&parameter.name.value, &mut self.evaluation) {
                self.found(*finding);
                complete = false;
            }
        }
        complete.then(|| self.layer(&template.layer, &bound))
    }

    /// The values a template is given; every mistake in them is found.
    fn arguments<'t>(&mut self, extends: &'t Extends, names: &dyn Names) -> Option<BTreeMap<&'t str, Value>> {
        let template = &*extends.template;
        let mut complete = true;
        let mut arguments = BTreeMap::new();
        for (name, _) in &extends.with {
            if !template.parameters.iter().any(|parameter| parameter.name.value == name.value) {
                complete = false;
                self.found(unknown(name, template));
            }
        }
        for parameter in &template.parameters {
            let key = parameter.name.value.as_str();
            let given = extends.with.iter().find(|(name, _)| name.value == key);
            let value = match given {
                Some((_, given)) => Some(argument(parameter, given, names, &mut self.evaluation)),
                // What the matrix calls by the parameter's name is meant for it.
                None => names.get(key, &mut self.evaluation).map(|value| {
                    value
                        .and_then(|value| parameter.accepts.check(value))
                        .map_err(|finding| Box::new(declared_at(*finding, parameter)))
                }),
            };
            match value {
                Some(Ok(value)) => drop(arguments.insert(key, value)),
                Some(Err(finding)) => {
                    complete = false;
                    self.found(*finding);
                }
                None if parameter.default.is_none() => {
                    complete = false;
                    self.found(missing(extends, parameter));
                }
                None => {}
            }
        }
        complete.then_some(arguments)
    }

    /// A layer's own fields. The name is watched: what it depends on need not be said again to tell images apart.
    fn image(&mut self, shape: &Shape, names: &dyn Names) -> Node {
        let Shape::Map(entries, span) = shape else {
            return self
                .node(shape, names)
                .map_or_else(|| Node { span: shape.span(), kind: Kind::Null }, |(node, _)| node);
        };
        let mut pairs = Vec::with_capacity(entries.len());
        for (key, shape) in entries {
            if let Some((value, axes)) = self.node(shape, names) {
                if key.value == "name" {
                    self.name_axes = axes;
                }
                pairs.push(Pair { key: key.clone(), value });
            }
        }
        Node { span: *span, kind: Kind::Map(pairs) }
    }

    /// A part of the image and the axes it depends on; `None` where it is left out.
    fn node(&mut self, shape: &Shape, names: &dyn Names) -> Option<(Node, u32)> {
        match shape {
            Shape::Fixed(node) => Some((Node::clone(node), 0)),
            Shape::Value(expression, span) => {
                let value = self.evaluate(|evaluation| {
                    let value = evaluation.value(expression, names)?;
                    // Parts that values share are written out for each of them.
                    evaluation.look_at(&value.data, expression.span)?;
                    Ok(value)
                })?;
                if matches!(value.data, Data::Nothing) {
                    return None;
                }
                let direct = is_path(expression);
                let axes = value.axes;
                Some((self.put(value, *span, direct), axes))
            }
            Shape::Text(pieces, span) => {
                let (text, axes) = self.evaluate(|evaluation| text_of(pieces, names, evaluation))?;
                let value = Value { data: Data::text(text), span: *span, axes };
                Some((self.put(value, *span, false), axes))
            }
            Shape::List(items, span) => {
                let (mut list, mut axes) = (Vec::with_capacity(items.len()), 0);
                for item in items {
                    let Some((node, of)) = self.node(item, names) else { continue };
                    axes |= of;
                    match node.kind {
                        Kind::List(entries) if item.is_each() => list.extend(entries),
                        kind => list.push(Node { kind, ..node }),
                    }
                }
                Some((Node { span: *span, kind: Kind::List(list) }, axes))
            }
            Shape::Map(entries, span) => {
                let (mut pairs, mut axes) = (Vec::with_capacity(entries.len()), 0);
                for (key, shape) in entries {
                    let Some((value, of)) = self.node(shape, names) else { continue };
                    axes |= of;
                    pairs.push(Pair { key: key.clone(), value });
                }
                Some((Node { span: *span, kind: Kind::Map(pairs) }, axes))
            }
        }
    }

    /// Evaluates; what fails is found, and left out.
    fn evaluate<T>(&mut self, run: impl FnOnce(&mut Evaluation) -> Result<T, Box<Finding>>) -> Option<T> {
        self.evaluation.used.clear();
        match run(&mut self.evaluation) {
            Ok(value) => Some(value),
            Err(mut finding) => {
                let used = self.evaluation.used.iter().filter(|(_, at)| Some(*at) != finding.span);
                let labels: Vec<Label> = used.map(|(name, at)| is_this(name, *at)).collect();
                finding.labels.extend(labels);
                self.found(*finding);
                None
            }
        }
    }

    /// Adds a finding, after which something is not there.
    fn found(&mut self, finding: Finding) {
        self.partial = true;
        if is_new(&finding) {
            self.findings.push(finding);
        }
    }

    /// A value as a part of the document; `direct` if it is what somebody wrote, and not made of it.
    fn put(&mut self, value: Value, span: Span, direct: bool) -> Node {
        let origin = if direct && value.span != span {
            Origin { at: value.span, put: Some(span), used: Vec::new() }
        } else {
            let used = self.evaluation.used.iter().filter(|(_, at)| *at != span);
            Origin { at: span, put: None, used: used.cloned().collect() }
        };
        let number = self.origins.len();
        self.origins.push(origin);
        let placed = Span::expanded(number);
        let kind = match value.data {
            Data::Text(text) | Data::Version(text) => Kind::Scalar { text: text.to_string(), plain: false },
            Data::Number(number) => Kind::Scalar { text: number.to_string(), plain: true },
            Data::Boolean(value) => Kind::Scalar { text: value.to_string(), plain: true },
            Data::List(items) => Kind::List(items.iter().map(|item| self.put(item.clone(), span, true)).collect()),
            Data::Map(entries) => {
                let pairs = entries
                    .iter()
                    .map(|(key, value)| Pair { key: key.clone(), value: self.put(value.clone(), span, true) });
                Kind::Map(pairs.collect())
            }
            Data::Nothing => Kind::Null,
        };
        Node { span: placed, kind }
    }

    /// A field that an axis of the matrix chooses for: a list with its value.
    pub(super) fn choice(&mut self, field: &str, value: &Value) -> Pair {
        let span = value.span;
        let item = self.put(value.clone(), span, true);
        let key = Spanned::new(field.to_owned(), span);
        Pair { key, value: Node { span, kind: Kind::List(vec![item]) } }
    }
}

fn is_this(name: &str, span: Span) -> Label {
    Label { span, text: format!("`{name}` is this") }
}

fn declared_at(finding: Finding, parameter: &Parameter) -> Finding {
    let Parameter { name, accepts, .. } = parameter;
    finding.label(name.span, format!("`{}` is declared here as {}", name.value, accepts.name()))
}

fn is_path(expression: &Expression) -> bool {
    match &expression.kind {
        ExpressionKind::Name(_) | ExpressionKind::Each(_) => true,
        ExpressionKind::Field(of, _) | ExpressionKind::Index(of, _) => is_path(of),
        _ => false,
    }
}

fn unknown(name: &Spanned<String>, template: &Template) -> Finding {
    let known = || template.parameters.iter().map(|parameter| parameter.name.value.as_str());
    let message = format!("{} has no parameter {}", quote(&template.name), quote(&name.value));
    let finding = Finding::error(codes::PARAMETER_UNKNOWN, message).at(name.span);
    let near = nearest(&name.value, known());
    let declared = template.parameters.iter().find(|parameter| Some(parameter.name.value.as_str()) == near);
    let finding = match declared {
        Some(parameter) => finding.label(parameter.name.span, "declared here"),
        None => finding,
    };
    finding.meant(near, || match template.parameters.is_empty() {
        true => "it has none".to_owned(),
        false => format!("there are {}", known().collect::<Vec<_>>().join(", ")),
    })
}

fn missing(extends: &Extends, parameter: &Parameter) -> Finding {
    let name = &parameter.name.value;
    let message = format!("the parameter `{name}` of {} has no value", quote(&extends.template.name));
    let finding = Finding::error(codes::PARAMETER_MISSING, message).at(extends.span);
    let finding = finding.label(parameter.name.span, format!("declared here as {}", parameter.accepts.name()));
    let purpose = parameter.description.as_ref().map(|text| format!(" ({text})")).unwrap_or_default();
    finding.help(format!("give it one under `with`: `{name}: …`{purpose}"))
}

/// One image over another: maps are united, anything else takes the place of what was there.
fn overlay(below: Node, over: Node) -> Node {
    match (below.kind, over.kind) {
        (Kind::Map(mut pairs), Kind::Map(more)) => {
            for pair in more {
                match pairs.iter_mut().find(|there| there.key.value == pair.key.value) {
                    Some(there) => {
                        let below =
                            std::mem::replace(&mut there.value, Node { span: pair.value.span, kind: Kind::Null });
                        *there = Pair { key: pair.key, value: overlay(below, pair.value) };
                    }
                    None => pairs.push(pair),
                }
            }
            Node { span: over.span, kind: Kind::Map(pairs) }
        }
        (_, kind) => Node { span: over.span, kind },
    }
}
