//! Documents that make images: an image with what it extends, read and taken apart.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ecow::EcoString;
use grammar::yaml::{Kind, Node, Pair, is_mended};
use grammar::{Report, quote};
use indexmap::IndexMap;
use model::config::Variant;
use model::{Finding, Findings, Sources, Span, Spanned, codes};

use super::matrix::Matrix;
use super::names::{self, Known};
use super::parameter::{self, Parameters};
use super::shape::{Given, Shape};
use super::value::{Data, Value};
use grammar::reader::{Reader, TEMPLATE};
use grammar::suggest::{nearest, there};

const TEMPLATE_FIELDS: &[&str] = &["kind", "description", "parameters", "extends", "with", "image"];
/// How many templates may extend one another.
const MAX_LEVELS: usize = 16;
const STDLIB: &str = "stdlib:";
/// The field whose entries are images.
const VARIANTS: &str = "variants";

/// What a document says of an image itself, on top of what it extends.
#[derive(Clone, Debug)]
pub(super) struct Layer {
    pub(super) extends: Extended,
    /// A map: the image's fields.
    pub(super) own: Shape,
}

impl Layer {
    /// The variants the image is said to have, and where; `None` where that is not said, or not as it should be.
    fn variants(&self) -> Option<(Vec<Value>, Span)> {
        let Some((place, variants)) = self.own.field(VARIANTS) else {
            return match &self.extends {
                Extended::Template(extends) => extends.template.layer.variants(),
                Extended::Nothing | Extended::Lost => None,
            };
        };
        let Kind::List(items) = &variants?.kind else { return None };
        let mut names = BTreeSet::new();
        let variants = items.iter().map(|item| match &item.kind {
            Kind::Scalar { text, .. } if Variant::named(text).is_some() && names.insert(text) => {
                Some(Value::new(Data::text(text.as_str()), item.span))
            }
            _ => None,
        });
        let variants: Vec<Value> = variants.collect::<Option<_>>()?;
        (!variants.is_empty()).then_some((variants, place))
    }
}

/// What a layer lies on.
#[derive(Clone, Debug)]
pub(super) enum Extended {
    Nothing,
    Template(Extends),
    /// A template that could not be had; a finding says why.
    Lost,
}

/// A template and the arguments it gets.
#[derive(Clone, Debug)]
pub(super) struct Extends {
    pub(super) template: Arc<Template>,
    pub(super) with: IndexMap<EcoString, Argument>,
    /// Where it is named.
    pub(super) span: Span,
    /// Something in `with` could not be read.
    pub(super) broken: bool,
}

/// What is given to a parameter.
#[derive(Clone, Debug)]
pub(super) struct Argument {
    /// Where the parameter is named.
    pub(super) span: Span,
    pub(super) given: Given,
}

/// A template, read once however often it is extended.
#[derive(Debug)]
pub(super) struct Template {
    /// As it was named.
    pub(super) name: String,
    pub(super) parameters: Parameters,
    pub(super) layer: Layer,
    /// Where its text is.
    pub(super) span: Span,
    /// Something in it could not be read; a finding says what.
    pub(super) broken: bool,
}

/// Where templates come from.
pub trait Library {
    /// The text of a file of the project, by its path from the project's root, and the name people know it by.
    ///
    /// # Errors
    /// Why it cannot be read.
    fn read(&self, path: &str) -> Result<(String, String), Finding>;
}

/// Reads documents and the templates they extend.
pub(super) struct Loader<'a> {
    pub(super) sources: &'a mut Sources,
    pub(super) library: &'a dyn Library,
    report: Report,
    /// What is wrong with the texts of templates.
    syntax: Findings,
    /// Lines that are no YAML.
    pub(super) mended: Vec<Span>,
    /// Templates by where they are; `None` for one that could not be read.
    loaded: BTreeMap<String, Option<Arc<Template>>>,
    /// What is being read, outermost first.
    open: Vec<String>,
}

impl<'a> Loader<'a> {
    pub(super) fn new(sources: &'a mut Sources, library: &'a dyn Library) -> Self {
        Self {
            sources,
            library,
            report: Report::default(),
            syntax: Findings::new(),
            mended: Vec::new(),
            loaded: BTreeMap::new(),
            open: Vec::new(),
        }
    }

    /// Everything found.
    pub(super) fn into_findings(self) -> (Findings, Vec<Span>) {
        let (mut all, mended) = (self.syntax, self.mended);
        let found = self.report.into_findings().into_iter();
        all.extend(found.filter(|finding| !is_mended(&mended, finding)));
        (all, mended)
    }

    /// An image document at a path from the project's root: its layer and its matrix.
    pub(super) fn image(&mut self, path: &str, root: &Node) -> (Layer, Matrix) {
        self.open = vec![path.to_owned()];
        let Kind::Map(pairs) = &root.kind else {
            // A list, a text: the reader of configurations says what is wrong with that.
            return (
                Layer { extends: Extended::Nothing, own: Shape::of(root, self.sources, &mut self.report) },
                Matrix::default(),
            );
        };
        let mut reader = crate::config::reader();
        let find = |name: &str| pairs.iter().find(|pair| pair.key.value == name);
        let mut matrix = find("matrix").map(|pair| Matrix::read(&mut reader, &pair.value)).unwrap_or_default();
        self.found(reader);
        let extends = self.extends(find("extends"), find("with"), path, root.is_broken());
        let own = pairs.iter().filter(|pair| !matches!(pair.key.value.as_str(), "extends" | "with" | "matrix"));
        let own = Node { span: root.span, kind: Kind::Map(own.cloned().collect()) };
        let own = self.fields(&own);
        let layer = Layer { extends, own };
        if let Some((variants, place)) = layer.variants() {
            matrix.set_variants(variants, place);
        }
        self.given_twice(&layer.extends, &matrix);
        let known = Known::new(matrix.names(), find("matrix").map(|pair| &pair.value));
        names::check(&layer, &known, &mut self.report);
        (layer, matrix)
    }

    /// The fields of an image. How many images there are must be known before anything has a value.
    fn fields(&mut self, node: &Node) -> Shape {
        let own = Shape::of(node, self.sources, &mut self.report);
        if let Some((place, None)) = own.field(VARIANTS) {
            let message = "`variants` must be written out: there is an image for each of them";
            let help = "list them where the image is declared, or make `variant` an axis of its matrix";
            self.report.add(Finding::error(codes::BAD_VALUE, message).at(place).help(help));
        }
        own
    }

    fn found(&mut self, reader: Reader) {
        reader.into_findings().into_iter().for_each(|finding| self.report.add(finding));
    }

    /// A parameter gets its value from the document or from the matrix, unless the document makes it of the matrix's.
    fn given_twice(&mut self, extends: &Extended, matrix: &Matrix) {
        let Extended::Template(extends) = extends else { return };
        for (name, argument) in &extends.with {
            let Some(axis) = matrix.place_of(name).filter(|_| !names::uses(&argument.given.shape, name)) else {
                continue;
            };
            let message = format!("the parameter `{name}` gets a value here and from the matrix");
            let finding = Finding::error(codes::CONFLICTING_FIELDS, message).at(argument.span);
            self.report.add(finding.label(axis, "each image has another").help("remove one of the two"));
        }
    }

    /// What `extends` and `with` say.
    fn extends(&mut self, extends: Option<&Pair>, with: Option<&Pair>, from: &str, is_broken: bool) -> Extended {
        let Some(extends) = extends else {
            if let Some(with) = with.filter(|_| !is_broken) {
                let finding =
                    Finding::error(codes::CONFLICTING_FIELDS, "`with` gives values to a template, and there is none");
                self.report.add(finding.at(with.key.span).help("name one: `extends: ./service.template.yaml`"));
            }
            return if is_broken { Extended::Lost } else { Extended::Nothing };
        };
        let mut reader = crate::config::reader();
        let name = reader.line(&extends.value, "extends");
        let mut arguments = IndexMap::new();
        if let Some(with) = with {
            for pair in reader.map(&with.value, "with") {
                let shape = Shape::of(&pair.value, self.sources, &mut self.report);
                let argument = Argument { span: pair.key.span, given: Given::new(shape) };
                arguments.entry(pair.key.value.clone()).or_insert(argument);
            }
        }
        self.found(reader);
        let template = name.and_then(|name| Some((self.template(&name, from)?, name.span)));
        match template {
            Some((template, span)) => {
                let broken = with.is_some_and(|with| with.value.is_broken());
                Extended::Template(Extends { template, with: arguments, span, broken })
            }
            None => Extended::Lost,
        }
    }

    /// Reads a template that is not extended by anything: all that is wrong with it by itself.
    pub(super) fn alone(&mut self, path: &str, root: &Node) {
        self.open = vec![path.to_owned()];
        let mut reader = crate::config::reader();
        let template = self.declared(&mut reader, &Spanned::new(path.to_owned(), root.span), path, root);
        self.found(reader);
        // What is written out is checked as an image's; what is not there may come from a document.
        if let Some(template) = template {
            let (_, findings) = crate::config::read_part(&template.layer.own.skeleton());
            findings.into_iter().for_each(|finding| self.report.add(finding));
        }
    }

    fn template(&mut self, name: &Spanned<String>, from: &str) -> Option<Arc<Template>> {
        let place = match place(&name.value, from) {
            Ok(place) => place,
            Err(why) => {
                let finding = Finding::error(codes::TEMPLATE_UNREADABLE, format!("{} {why}", quote(&name.value)));
                self.report.add(finding.at(name.span).help("templates lie in the project: name them from the file that extends them, `../templates/service.yaml`, or name one of the standard library, `stdlib:python-service`"));
                return None;
            }
        };
        if let Some(at) = self.open.iter().position(|open| *open == place) {
            let mut circle: Vec<&str> = self.open.iter().skip(at).map(String::as_str).collect();
            circle.push(&place);
            let finding = Finding::error(codes::TEMPLATE_CYCLE, "a template must not extend itself").at(name.span);
            self.report.add(finding.because(circle.join(" extends ")).help("remove one `extends` of the circle"));
            return None;
        }
        if let Some(loaded) = self.loaded.get(&place) {
            return loaded.clone();
        }
        if self.open.len() > MAX_LEVELS {
            let message = format!("templates extend one another over more than {MAX_LEVELS} levels");
            self.report
                .add(Finding::error(codes::TEMPLATE_CYCLE, message).at(name.span).help("put two of them together"));
            return None;
        }
        self.open.push(place.clone());
        let template = self.read(name, &place).map(Arc::new);
        self.open.pop();
        self.loaded.insert(place, template.clone());
        template
    }

    fn read(&mut self, name: &Spanned<String>, place: &str) -> Option<Template> {
        let text = match place.strip_prefix(STDLIB) {
            Some(of) => stdlib::template::text(of).map(|text| (place.to_owned(), text.to_owned())).ok_or_else(|| {
                let names = stdlib::template::names();
                let finding = Finding::error(
                    codes::TEMPLATE_UNREADABLE,
                    format!("the standard library has no template {}", quote(of)),
                );
                let near = nearest(of, names.clone()).map(|name| format!("{STDLIB}{name}"));
                finding.at(name.span).meant(near.as_deref(), &there(names))
            }),
            None => self.library.read(place),
        };
        let (shown, text) = text.map_err(|finding| self.report.add(finding.or_at(name.span))).ok()?;
        let source = self.sources.add(shown, text.as_str());
        let parsed = grammar::yaml::parse(source, &text);
        self.syntax.extend(parsed.findings);
        self.mended.extend(parsed.mended);
        let root = parsed.root?;
        let mut reader = crate::config::reader();
        let template = self.declared(&mut reader, name, place, &root);
        self.found(reader);
        template
    }

    fn declared(&mut self, reader: &mut Reader, name: &Spanned<String>, place: &str, root: &Node) -> Option<Template> {
        if let Kind::Map(pairs) = &root.kind {
            let kind = pairs.iter().find(|pair| pair.key.value == "kind").map(|pair| &pair.value);
            if let Some(kind) = kind.filter(|_| super::is_template(root)) {
                let _ = reader.one_of(kind, "kind", &["template"], &[]);
            } else {
                let message = format!("{} is no template", quote(&name.value));
                let finding = Finding::error(codes::TEMPLATE_UNREADABLE, message).at(name.span);
                let finding =
                    finding.label(kind.map_or(root.span, |kind| kind.span), "a template starts with `kind: template`");
                reader.add(
                    finding.help(
                        "name a template, or make this one: `kind: template`, and the image's fields under `image`",
                    ),
                );
                return None;
            }
        }
        let fields = reader.fields(root, TEMPLATE, TEMPLATE_FIELDS)?;
        let parameters =
            fields.get("parameters").map(|node| parameter::read(reader, node, self.sources)).unwrap_or_default();
        let image = reader.required(&fields, "image", "put the image's fields under `image`");
        let own = match image.map(|node| (&node.kind, node)) {
            Some((Kind::Map(_), node)) => Some(self.fields(node)),
            Some((_, node)) => {
                reader.wrong_type(node, "image", "a map");
                None
            }
            None => None,
        };
        let extends = self.extends(fields.pair("extends"), fields.pair("with"), place, root.is_broken());
        let layer = Layer { extends, own: own? };
        let known = Known::new(parameters.keys().map(EcoString::as_str), fields.get("parameters"));
        let before = self.report.findings().len();
        for default in parameters.values().filter_map(|parameter| parameter.default.as_ref()) {
            names::check_shape(&default.shape, &known, &mut self.report);
        }
        names::check(&layer, &known, &mut self.report);
        let broken = self.report.is_full() || self.report.findings().len() > before || !reader.is_clean();
        Some(Template { name: name.value.clone(), parameters, layer, span: root.span, broken })
    }
}

/// Where a template lies: its path from the project's root, or `stdlib:NAME`.
fn place(name: &str, from: &str) -> Result<String, &'static str> {
    if name.starts_with(STDLIB) {
        return Ok(name.to_owned());
    }
    if name.contains("://") || name.contains('\\') || name.contains(|c: char| c.is_control()) {
        return Err("is no path of a file");
    }
    if name.starts_with('/') {
        return Err("is an absolute path");
    }
    if from.starts_with(STDLIB) {
        return Err("is a path, and a template of the standard library extends only such");
    }
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in name.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop().ok_or("leads out of the project")?),
            part => parts.push(part),
        }
    }
    if parts.is_empty() { Err("is no path of a file") } else { Ok(parts.join("/")) }
}

#[cfg(test)]
mod tests {
    use super::place;

    #[test]
    fn paths_start_from_the_file_that_names_them_and_stay_in_the_project() {
        assert_eq!(place("./b.yaml", "a/image.yaml").unwrap(), "a/b.yaml");
        assert_eq!(place("../t/b.yaml", "a/image.yaml").unwrap(), "t/b.yaml");
        assert_eq!(place("b.yaml", "image.yaml").unwrap(), "b.yaml");
        assert_eq!(place("stdlib:x", "image.yaml").unwrap(), "stdlib:x");
        for (name, from) in [
            ("../b.yaml", "image.yaml"),
            ("../../b.yaml", "a/image.yaml"),
            ("/etc/b.yaml", "image.yaml"),
            ("x/../..", "a.yaml"),
            (".", "a.yaml"),
            ("file:///b.yaml", "image.yaml"),
            ("a\\b.yaml", "image.yaml"),
            ("b.yaml", "stdlib:x"),
        ] {
            assert!(place(name, from).is_err(), "{name}");
        }
    }
}
