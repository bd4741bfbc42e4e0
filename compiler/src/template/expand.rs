//! Puts values into a document: from layers and an assignment to the tree of one image.

use ecow::{EcoString, EcoVec, eco_format};
use grammar::expression::{Expression, ExpressionKind};
use grammar::yaml::{Kind, Node, Pair};
use model::{Finding, Findings, Label, SourceId, Span, Spanned};

use super::bind::Bound;
use super::document::{Extended, Extends, Layer};
use super::evaluate::{Evaluation, Names, is_new};
use super::shape::{self, Shape};
use super::value::{Data, Value};

/// Where a value that was put into a document came from.
#[derive(Clone, Debug)]
pub(super) struct Origin {
    /// Where findings about it point: where it was written, or, if it was computed, where it was put.
    pub(super) at: Span,
    /// Where what was written elsewhere was put.
    pub(super) put: Option<Span>,
    /// The names it was computed from, and where their values were written.
    used: EcoVec<(EcoString, Span)>,
}

impl Origin {
    /// The names it was computed from, and where their values were written.
    pub(super) fn used(&self) -> impl Iterator<Item = &(EcoString, Span)> {
        self.used.iter().filter(|(_, span)| *span != self.at)
    }

    /// What explains a finding about the value.
    pub(super) fn labels(&self) -> impl Iterator<Item = Label> {
        let put = self.put.map(|span| Label { span, text: "used here".into() });
        put.into_iter().chain(self.used().map(|(name, span)| is_this(name, *span)))
    }
}

/// Expands the layers of one image.
#[derive(Default)]
pub(super) struct Expander {
    pub(super) evaluation: Evaluation,
    pub(super) findings: Findings,
    /// By the number in an expanded span's source.
    pub(super) origins: Vec<Origin>,
    /// Texts of templates, and where each is used.
    pub(super) used: Vec<(SourceId, Span)>,
    /// The axes the image's name depends on.
    pub(super) name_axes: u32,
    /// Something is not there because it could not be had: what is missing is no mistake of its own.
    pub(super) partial: bool,
    /// How much the image holds: see [`shape::weight`].
    pub(super) weight: usize,
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
            Some(below) => self.overlay(below, own),
            None => own,
        }
    }

    fn template(&mut self, extends: &Extends, names: &dyn Names) -> Option<Node> {
        self.used.push((extends.template.span.source, extends.span));
        self.partial |= extends.template.broken;
        match Bound::new(extends, names, &mut self.evaluation) {
            Ok(bound) => Some(self.layer(&extends.template.layer, &bound)),
            Err(findings) => {
                self.partial = true;
                self.findings.extend(findings);
                None
            }
        }
    }

    /// A layer's own fields. The name is watched: what it depends on need not be said again to tell images apart.
    fn image(&mut self, shape: &Shape, names: &dyn Names) -> Node {
        let Shape::Map(entries, span) = shape else {
            if shape.field("name").is_some() {
                self.name_axes = 0;
            }
            let node = self.node(shape, names);
            return node.map_or_else(|| Node { span: shape.span(), kind: Kind::Null }, |(node, _)| node);
        };
        let mut pairs = EcoVec::with_capacity(entries.len());
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
            Shape::Fixed(node, weight) => {
                self.weight += weight;
                Some((node.clone(), 0))
            }
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
                let axes = value.axes;
                Some((self.put(&value, *span, is_path(expression)), axes))
            }
            Shape::Text(pieces, span) => {
                let (text, axes) = self.evaluate(|evaluation| evaluation.text(pieces, names))?;
                let value = Value { data: Data::Text(text), span: *span, axes };
                Some((self.put(&value, *span, false), axes))
            }
            Shape::List(items, span) => {
                let (mut list, mut axes) = (EcoVec::with_capacity(items.len()), 0);
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
                let (mut pairs, mut axes) = (EcoVec::with_capacity(entries.len()), 0);
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
        self.evaluation.used = EcoVec::new();
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
    fn put(&mut self, value: &Value, span: Span, direct: bool) -> Node {
        let origin = if direct && value.span != span {
            Origin { at: value.span, put: Some(span), used: EcoVec::new() }
        } else {
            Origin { at: span, put: None, used: self.evaluation.used.clone() }
        };
        let placed = Span::expanded(self.origins.len());
        self.origins.push(origin);
        let kind = match &value.data {
            Data::Text(text) | Data::Version(text) => Kind::Scalar { text: text.clone(), plain: false },
            Data::Number(number) => Kind::Scalar { text: eco_format!("{number}"), plain: true },
            Data::Boolean(value) => Kind::Scalar { text: eco_format!("{value}"), plain: true },
            Data::List(items) => Kind::List(items.iter().map(|item| self.put(item, span, true)).collect()),
            Data::Map(entries) => {
                let pairs = entries.iter().map(|(name, entry)| Pair {
                    key: Spanned::new(name.clone(), entry.span),
                    value: self.put(&entry.value, span, true),
                });
                Kind::Map(pairs.collect())
            }
            Data::Nothing => Kind::Null,
        };
        self.weight += shape::own_weight(&kind);
        Node { span: placed, kind }
    }

    /// A field that an axis of the matrix chooses for: a list with its value.
    pub(super) fn choice(&mut self, field: &str, value: &Value) -> Pair {
        self.evaluation.used = EcoVec::new(); // nothing was computed
        let span = value.span;
        let item = self.put(value, span, true);
        let key = Spanned::new(field.into(), span);
        Pair { key, value: Node { span, kind: Kind::List([item].into()) } }
    }

    /// One image over another: maps are united, anything else takes the place of what was there.
    fn overlay(&mut self, below: Node, over: Node) -> Node {
        let (Kind::Map(mut pairs), Kind::Map(more)) = (below.kind, &over.kind) else { return over };
        for pair in more {
            let there = pairs.iter().position(|there| there.key.value == pair.key.value);
            // Every name is looked for among all: paid for, so that large maps cannot take long.
            if self.evaluate(|evaluation| evaluation.spend(pairs.len(), pair.key.span)).is_none() {
                break;
            }
            match there.and_then(|at| pairs.make_mut().get_mut(at)) {
                Some(there) => {
                    let absent = Node { span: pair.value.span, kind: Kind::Null };
                    let below = std::mem::replace(&mut there.value, absent);
                    *there = Pair { key: pair.key.clone(), value: self.overlay(below, pair.value.clone()) };
                }
                None => pairs.push(pair.clone()),
            }
        }
        Node { span: over.span, kind: Kind::Map(pairs) }
    }
}

fn is_this(name: &str, span: Span) -> Label {
    Label { span, text: format!("`{name}` is this") }
}

fn is_path(expression: &Expression) -> bool {
    match &expression.kind {
        ExpressionKind::Name(_) | ExpressionKind::Each(_) => true,
        ExpressionKind::Field(of, _) | ExpressionKind::Index(of, _) => is_path(of),
        _ => false,
    }
}
