//! Templates, parameters and matrices: from one document to the configurations of its images.
//!
//! A document is read once ([`Document::load`]), its expressions taken apart; each image is then an [`Assignment`] of the
//! matrix put into it ([`Document::image`]). Nothing is read but the texts a [`Library`] gives.

mod document;
mod evaluate;
mod expand;
mod functions;
mod matrix;
mod names;
mod parameter;
mod print;
mod shape;
mod value;

use std::collections::{BTreeMap, BTreeSet};

use grammar::yaml::{Kind, Node};
use model::config::Config;
use model::{Code, Finding, Findings, SourceId, Sources, Span, codes};

pub use document::Library;
use document::{Layer, Loader};
use expand::{Expander, Origin};
pub use matrix::Assignment;
use matrix::Matrix;

/// Axes that choose what every image has, not a value for an expression alone.
const VARIANT: &str = "variant";
const ARCH: &str = "arch";

/// An image document with the templates it extends.
#[derive(Clone, Debug)]
pub struct Document {
    layer: Layer,
    matrix: Matrix,
    place: Span,
    /// It has a matrix, so its images' names tell them apart.
    several: bool,
    /// What was found before anything had a value, and is not said again of every image.
    known: BTreeSet<(Code, Span)>,
}

/// One image of a document.
#[derive(Clone, Debug)]
pub struct Image {
    /// What is to be built. Its spans may be of values that were put in: [`Image::trace`] knows where those came from.
    pub config: Config,
    /// What tells it from the other images of its document.
    pub assignment: Assignment,
    trace: Trace,
}

/// Where the values of one image came from.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    origins: Vec<Origin>,
    used: Vec<(SourceId, Span)>,
}

/// The tree of one image: everything put in, nothing checked.
#[derive(Clone, Debug)]
pub struct Expanded {
    /// A map of the image's fields, as far as they could be had.
    pub root: Node,
    /// Where its values came from.
    pub trace: Trace,
    /// What failed.
    pub findings: Findings,
    /// Axes the name depends on.
    name_axes: u32,
    /// Something could not be had.
    partial: bool,
}

impl Trace {
    /// A finding with places in texts, and labels that lead from the value to where it counts.
    pub fn finding(&self, mut finding: Finding) -> Finding {
        let mut labels = Vec::new();
        for label in std::mem::take(&mut finding.labels) {
            labels.push(model::Label { span: self.at(label.span), ..label });
        }
        // What an expression put there is nowhere written so that it could be replaced.
        finding.fix = finding.fix.take().filter(|fix| fix.span.expansion().is_none());
        if let Some(span) = finding.span {
            if let Some(origin) = span.expansion().and_then(|number| self.origins.get(number)) {
                labels.extend(origin.labels());
            }
            finding.span = Some(self.at(span));
        }
        // From the text of a template to the document that uses it, level by level.
        let mut place = finding.span;
        while let Some((_, used)) = place.and_then(|span| self.used.iter().find(|(source, _)| *source == span.source)) {
            labels.push(model::Label { span: *used, text: "the template is used here".to_owned() });
            place = Some(*used).filter(|_| labels.len() < 32);
        }
        labels.dedup();
        finding.labels = labels;
        finding
    }

    /// All of them.
    pub fn findings(&self, findings: Findings) -> Findings {
        findings.into_iter().map(|finding| self.finding(finding)).collect()
    }

    /// Where a span of the image is in a text.
    pub fn at(&self, span: Span) -> Span {
        match span.expansion() {
            Some(number) => self.origins.get(number).map_or(span, |origin| origin.at),
            None => span,
        }
    }
}

impl Image {
    /// Findings about this image, with places in texts.
    pub fn trace(&self, findings: Findings) -> Findings {
        self.trace.findings(findings)
    }
}

impl Document {
    /// Reads a document and everything it extends. `path` is its own from the project's root, `root` its tree.
    pub fn load(path: &str, root: &Node, sources: &mut Sources, library: &dyn Library) -> (Self, Findings) {
        let mut loader = Loader::new(sources, library);
        let (layer, matrix) = loader.image(path, root);
        let matrix_key = match &root.kind {
            Kind::Map(pairs) => pairs.iter().find(|pair| pair.key.value == "matrix").map(|pair| pair.key.span),
            _ => None,
        };
        let place = matrix_key.unwrap_or(root.span);
        let known = loader.findings.iter().filter_map(|finding| Some((finding.code, finding.span?))).collect();
        (Self { layer, matrix, place, several: matrix_key.is_some(), known }, loader.findings)
    }

    /// What is wrong with a template by itself, whatever values it will get.
    pub fn check_template(path: &str, root: &Node, sources: &mut Sources, library: &dyn Library) -> Findings {
        let mut loader = Loader::new(sources, library);
        loader.alone(path, root);
        loader.findings
    }

    /// What tells its images apart, an assignment for each, in the order of the matrix; those that fit every
    /// `NAME=VALUE`.
    ///
    /// # Errors
    /// `MATRIX_TOO_LARGE`, `MATRIX_EMPTY`, `USAGE`.
    pub fn assignments(&self, select: &[(String, String)]) -> Result<Vec<Assignment>, Findings> {
        let mut all = self.matrix.assignments(self.place)?;
        self.matrix.select(&mut all, select)?;
        Ok(all)
    }

    /// The tree of one image.
    pub fn expand(&self, assignment: &Assignment) -> Expanded {
        let mut expander = Expander::default();
        let mut root = expander.layer(&self.layer, assignment);
        if let Kind::Map(pairs) = &mut root.kind {
            for (axis, field) in [(VARIANT, "variants"), (ARCH, "architectures")] {
                if let Some(value) = assignment.get(axis) {
                    pairs.retain(|pair| pair.key.value != field);
                    pairs.push(expander.choice(field, value));
                }
            }
        }
        let trace = Trace { origins: expander.origins, used: expander.used };
        let mut findings = trace.findings(expander.findings);
        findings.retain(|finding| finding.span.is_none_or(|span| !self.known.contains(&(finding.code, span))));
        Expanded { root, trace, findings, name_axes: expander.name_axes, partial: expander.partial }
    }

    /// One image, and what is wrong with it. It is given wherever name and base could be read.
    pub fn image(&self, assignment: &Assignment) -> (Option<Image>, Findings) {
        let expanded = self.expand(assignment);
        let mut findings = expanded.findings;
        let (config, found) = match expanded.partial {
            true => crate::config::read_part(&expanded.root),
            false => crate::config::read(&expanded.root),
        };
        findings.extend(expanded.trace.findings(found));
        let Some(mut config) = config else { return (None, findings) };
        config.name.value.push_str(&self.suffix(assignment, expanded.name_axes));
        if !crate::config::is_image_name(&config.name.value) {
            let message =
                format!("an image would be called {}, which cannot name one", grammar::quote(&config.name.value));
            let finding =
                Finding::error(codes::BAD_VALUE, message).at(self.place).because(format!("it has {assignment}"));
            let help = "put the value into `name` in a form a name can have: `${{ replace(version, '+', '-') }}`";
            findings.push(finding.help(help));
            return (None, findings);
        }
        (Some(Image { config, assignment: assignment.clone(), trace: expanded.trace }), findings)
    }

    /// What an image's name needs to tell it from the others: the values of the axes that the name as written does not
    /// depend on. It does not change when an axis gets another value.
    fn suffix(&self, assignment: &Assignment, name_axes: u32) -> String {
        let mut suffix = String::new();
        for (name, value) in assignment.pairs() {
            let said = self.matrix.bit(name) & name_axes != 0;
            let plain = name == VARIANT && value == "prod";
            if said || plain || !self.several {
                continue;
            }
            suffix.push('-');
            if name != VARIANT && name != ARCH && value.starts_with(|c: char| c.is_ascii_digit())
                || value == "true"
                || value == "false"
            {
                suffix.push_str(&name.to_lowercase().replace('_', "-"));
            }
            suffix.push_str(&value.to_lowercase());
        }
        suffix
    }

    /// Every image; each finding once, however many images it is in.
    ///
    /// # Errors
    /// As [`Document::assignments`].
    pub fn images(&self) -> Result<(Vec<Image>, Findings), Findings> {
        let (mut images, mut findings) = (Vec::new(), Findings::new());
        for assignment in self.assignments(&[])? {
            let (image, found) = self.image(&assignment);
            images.extend(image);
            for finding in found {
                if findings.len() < grammar::MAX_FINDINGS && !findings.contains(&finding) {
                    findings.push(finding);
                }
            }
        }
        if !model::has_errors(&findings) {
            findings.extend(same_names(&images));
        }
        Ok((images, findings))
    }
}

/// Images of one document are told apart by their names.
fn same_names(images: &[Image]) -> Findings {
    let mut seen: BTreeMap<&str, &Image> = BTreeMap::new();
    let mut findings = Findings::new();
    for image in images {
        let name = image.config.name.value.as_str();
        match seen.get(name) {
            None => drop(seen.insert(name, image)),
            Some(first) if findings.len() < grammar::MAX_FINDINGS => {
                let message = format!("two images are called {}", grammar::quote(name));
                let finding = Finding::error(codes::SAME_NAME, message).at(image.config.name.span);
                let finding = finding.because(format!("one has {}, the other {}", first.assignment, image.assignment));
                let help = "put what tells them apart into `name`, or exclude one";
                findings.push(image.trace.finding(finding.help(help)));
            }
            Some(_) => {}
        }
    }
    findings
}
