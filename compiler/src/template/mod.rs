//! Templates, parameters and matrices: from one document to the configurations of its images.
//!
//! A document is read once ([`Document::load`]), its expressions taken apart; each image is then an [`Assignment`] of the
//! matrix put into it ([`Document::image`]). Nothing is read but the texts a [`Library`] gives.

mod bind;
mod document;
mod evaluate;
mod expand;
mod functions;
mod matrix;
mod names;
mod parameter;
mod print;
mod shape;
mod trace;
mod value;

use std::collections::{BTreeMap, BTreeSet};

use ecow::EcoString;
use grammar::Report;
use grammar::yaml::{Kind, Node, is_mended};
use model::config::Config;
use model::{Code, Finding, Findings, Sources, Span, codes};
use rayon::prelude::*;

pub use document::Library;
use document::{Layer, Loader};
use expand::Expander;
pub use matrix::Assignment;
use matrix::{Matrix, Scope};
pub use trace::Trace;

/// Axes that choose what every image has, not a value for an expression alone.
const VARIANT: &str = "variant";
const ARCH: &str = "arch";

/// Images that are made before the next look at what they cost together.
const AT_ONCE: usize = 4096;
/// What the images of one document may cost together, in steps and bytes.
const MAX_COST: usize = 1 << 29;
/// Findings that say again what was said of another image.
const MAX_REPEATED: usize = 10_000;

/// An image document with the templates it extends.
#[derive(Clone, Debug)]
pub struct Document {
    layer: Layer,
    matrix: Matrix,
    place: Span,
    /// What was found before anything had a value, and is not said again of every image.
    known: BTreeSet<(Code, Span)>,
    /// Lines that are no YAML: what is found there besides is not worth saying.
    mended: Vec<Span>,
}

/// One image of a document.
#[derive(Clone, Debug)]
pub struct Image {
    /// What is to be built. Its spans may be of values that were put in: [`Document::trace`] knows where those came from.
    pub config: Config,
    /// What tells it from the other images of its document.
    pub assignment: Assignment,
}

/// The tree of one image: everything put in, nothing checked.
#[derive(Clone, Debug)]
pub struct Expanded {
    /// A map of the image's fields, as far as they could be had.
    pub root: Node,
    /// What the image is called, if its name could be had.
    pub name: Option<String>,
    /// Where its values came from.
    pub trace: Trace,
    /// What failed.
    pub findings: Findings,
    /// Something could not be had.
    partial: bool,
    /// What it took to make it, in steps and bytes.
    cost: usize,
}

impl Expanded {
    /// Whether everything could be had.
    pub(crate) fn is_whole(&self) -> bool {
        !self.partial && self.findings.is_empty()
    }
}

impl Document {
    /// Reads a document and everything it extends. `path` is its own from the project's root, `root` its tree, `mended`
    /// what of its text is no YAML.
    pub fn load(
        path: &str,
        root: &Node,
        mended: &[Span],
        sources: &mut Sources,
        library: &dyn Library,
    ) -> (Self, Findings) {
        let mut loader = Loader::new(sources, library);
        loader.mended.extend(mended);
        let (layer, matrix) = loader.image(path, root);
        let (findings, mended) = loader.into_findings();
        let matrix_key = match &root.kind {
            Kind::Map(pairs) => pairs.iter().find(|pair| pair.key.value == "matrix").map(|pair| pair.key.span),
            _ => None,
        };
        let place = matrix_key.unwrap_or(root.span);
        let known = findings.iter().filter_map(|finding| Some((finding.code, finding.span?))).collect();
        (Self { layer, matrix, place, known, mended }, findings)
    }

    /// What is wrong with a template by itself, whatever values it will get.
    pub fn check_template(
        path: &str,
        root: &Node,
        mended: &[Span],
        sources: &mut Sources,
        library: &dyn Library,
    ) -> Findings {
        let mut loader = Loader::new(sources, library);
        loader.mended.extend(mended);
        loader.alone(path, root);
        loader.into_findings().0
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
        let mut root = expander.layer(&self.layer, &Scope { matrix: &self.matrix, assignment });
        if let Kind::Map(pairs) = &mut root.kind {
            for (axis, field) in [(VARIANT, "variants"), (ARCH, "architectures")] {
                if let Some(value) = assignment.get(axis) {
                    pairs.retain(|pair| pair.key.value != field);
                    pairs.push(expander.choice(field, value));
                }
            }
        }
        let name = match &root.kind {
            Kind::Map(pairs) => pairs.iter().find(|pair| pair.key.value == "name").map(|pair| &pair.value.kind),
            _ => None,
        };
        let name = match name {
            Some(Kind::Scalar { text, .. }) => Some(format!("{text}{}", self.suffix(assignment, expander.name_axes))),
            _ => None,
        };
        let cost = expander.weight + expander.evaluation.spent();
        let trace = Trace { origins: expander.origins, used: expander.used };
        let findings = self.new_ones(trace.findings(expander.findings));
        Expanded { root, name, trace, findings, partial: expander.partial, cost }
    }

    /// Without those that were made before there was an image, and those about lines that are no YAML.
    fn new_ones(&self, mut findings: Findings) -> Findings {
        let is_known = |finding: &Finding| finding.span.is_some_and(|span| self.known.contains(&(finding.code, span)));
        findings.retain(|finding| !is_known(finding) && !is_mended(&self.mended, finding));
        findings
    }

    /// Findings about an image, with places in texts.
    pub fn trace(&self, assignment: &Assignment, findings: Findings) -> Findings {
        if findings.is_empty() { findings } else { self.expand(assignment).trace.findings(findings) }
    }

    /// One image, and what is wrong with it. It is given wherever name and base could be read.
    pub fn image(&self, assignment: &Assignment) -> (Option<Image>, Findings) {
        self.read(self.expand(assignment), assignment)
    }

    /// The image of a tree.
    pub(crate) fn read(&self, expanded: Expanded, assignment: &Assignment) -> (Option<Image>, Findings) {
        let mut findings = expanded.findings;
        let (config, found) = match expanded.partial {
            true => crate::config::read_part(&expanded.root),
            false => crate::config::read(&expanded.root),
        };
        findings.extend(self.new_ones(expanded.trace.findings(found)));
        let Some(mut config) = config else { return (None, findings) };
        config.name.value = expanded.name.unwrap_or_default();
        if !crate::config::is_image_name(&config.name.value) {
            let message =
                format!("an image would be called {}, which cannot name one", grammar::quote(&config.name.value));
            let finding =
                Finding::error(codes::BAD_VALUE, message).at(self.place).because(format!("it has {assignment}"));
            let help = "put the value into `name` in a form a name can have: `${{ replace(version, '+', '-') }}`";
            findings.push(finding.help(help));
            return (None, findings);
        }
        (Some(Image { config, assignment: assignment.clone() }), findings)
    }

    /// What an image's name needs to tell it from the others: the values of the axes that the name as written does not
    /// depend on. It does not change when an axis gets another value.
    fn suffix(&self, assignment: &Assignment, name_axes: u32) -> String {
        let mut suffix = String::new();
        for (name, value) in assignment.pairs() {
            let said = self.matrix.bit(name) & name_axes != 0;
            let plain = name == VARIANT && value == "prod";
            if said || plain {
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

    /// Those of its images that fit every `NAME=VALUE`; each finding once, however many images it is in.
    ///
    /// # Errors
    /// As [`Document::expand_all`].
    pub fn images(&self, select: &[(String, String)]) -> Result<(Vec<Image>, Findings), Findings> {
        let (images, mut findings) = self.expand_all(select, |assignment, expanded| self.read(expanded, assignment))?;
        let images: Vec<Image> = images.into_iter().flatten().collect();
        if !model::has_errors(&findings) {
            findings.extend(self.same_names(&images));
        }
        Ok((images, findings))
    }

    /// Makes something of every image that fits every `NAME=VALUE`, several at a time; each finding once.
    ///
    /// # Errors
    /// As [`Document::assignments`], and `MATRIX_TOO_LARGE` where the images together hold more than is accepted.
    pub fn expand_all<T: Send>(
        &self,
        select: &[(String, String)],
        make: impl Fn(&Assignment, Expanded) -> (T, Findings) + Sync,
    ) -> Result<(Vec<T>, Findings), Findings> {
        let (mut all, mut report) = (Vec::new(), Report::default());
        let (mut cost, mut largest, mut repeated) = (0, MAX_COST, 0);
        let assignments = self.assignments(select)?;
        let mut rest = assignments.as_slice();
        while !rest.is_empty() {
            // No more than there is room for, if they are like those before.
            let count = ((MAX_COST - cost) / largest).clamp(1, AT_ONCE.min(rest.len()));
            let (some, after) = rest.split_at(count);
            rest = after;
            let made = some.par_iter().map(|assignment| {
                let expanded = self.expand(assignment);
                (expanded.cost, make(assignment, expanded))
            });
            for (of_one, (one, findings)) in made.collect::<Vec<_>>() {
                cost += of_one;
                largest = if all.is_empty() { of_one } else { largest.max(of_one) }.max(1);
                all.push(one);
                for finding in findings {
                    match report.findings().iter().any(|other| is_same(other, &finding)) {
                        true => repeated += 1,
                        false => report.add(finding),
                    }
                }
            }
            if cost > MAX_COST {
                let finding =
                    Finding::error(codes::MATRIX_TOO_LARGE, "the images of this document are too large together");
                let help = "shorten what all images have, choose some with `--select`, or write several documents";
                return Err(finding.at(self.place).help(help).into());
            }
            // What is left would say the same again.
            if model::has_errors(report.findings()) && (report.is_full() || repeated > MAX_REPEATED) {
                break;
            }
        }
        Ok((all, report.into_findings()))
    }

    /// Images of one document are told apart by their names.
    fn same_names(&self, images: &[Image]) -> Findings {
        let mut seen: BTreeMap<&str, &Image> = BTreeMap::new();
        let mut findings = Findings::new();
        for image in images {
            let name = image.config.name.value.as_str();
            match seen.get(name) {
                None => drop(seen.insert(name, image)),
                Some(first) if findings.len() < grammar::MAX_FINDINGS => {
                    let message = format!("two images are called {}", grammar::quote(name));
                    let finding = Finding::error(codes::SAME_NAME, message).at(image.config.name.span);
                    let finding =
                        finding.because(format!("one has {}, the other {}", first.assignment, image.assignment));
                    findings.extend(self.trace(&image.assignment, finding.help(apart(first, image)).into()));
                }
                Some(_) => {}
            }
        }
        findings
    }
}

/// Whether a document is a template: it says so, or says nothing that can be understood and has a template's fields.
pub fn is_template(root: &Node) -> bool {
    let Kind::Map(pairs) = &root.kind else { return false };
    let find = |name: &str| pairs.iter().find(|pair| pair.key.value == name).map(|pair| &pair.value.kind);
    match find("kind") {
        Some(Kind::Scalar { text, .. }) if text == "template" => true,
        Some(Kind::Scalar { text, .. }) if matches!(text.as_str(), "image" | "policy") => false,
        _ => find("parameters").is_some() && find("image").is_some(),
    }
}

/// What tells two images of one name apart, and where it belongs.
fn apart(first: &Image, other: &Image) -> String {
    let [one, two] = [first, other].map(|image| image.assignment.pairs().collect::<BTreeSet<(&str, EcoString)>>());
    let differing: BTreeSet<&str> = one.symmetric_difference(&two).map(|(name, _)| *name).collect();
    let needed: Vec<String> = differing.iter().map(|name| format!("`${{{{ {name} }}}}`")).collect();
    format!("every image needs a name of its own: put {} into `name` as it is, or exclude one", needed.join(" or "))
}

/// Whether two images have the same thing wrong with them; what led to it may differ.
fn is_same(a: &Finding, b: &Finding) -> bool {
    (a.code, a.span) == (b.code, b.span) && a.message == b.message
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Nothing;

    impl Library for Nothing {
        fn read(&self, _: &str) -> Result<(String, String), Finding> {
            Err(Finding::error(codes::TEMPLATE_UNREADABLE, "nothing is there"))
        }
    }

    fn document(text: &str) -> Document {
        let mut sources = Sources::default();
        let source = sources.add("image.yaml", text);
        let root = grammar::yaml::parse(source, text).root.unwrap();
        let (document, findings) = Document::load("image.yaml", &root, &[], &mut sources, &Nothing);
        assert_eq!(findings, []);
        document
    }

    /// How many images a document of so many, each of so many bytes, makes before it is refused.
    fn made(images: usize, bytes: usize) -> Result<usize, Findings> {
        let numbers: Vec<String> = (0..images).map(|number| number.to_string()).collect();
        let text = format!("name: x\ndescription: {}\nmatrix: {{n: [{}]}}\n", "x".repeat(bytes), numbers.join(", "));
        let all = document(&text).expand_all(&[], |_, _| ((), Findings::new()));
        all.map(|(all, _)| all.len())
    }

    #[test]
    fn what_is_small_once_may_be_too_large_many_times() {
        assert_eq!(made(1000, 1000).unwrap(), 1000);
        assert_eq!(made(1, 900_000).unwrap(), 1);
        let findings = made(1000, 900_000).unwrap_err();
        assert_eq!(findings.iter().map(|finding| finding.code).collect::<Vec<_>>(), [codes::MATRIX_TOO_LARGE]);
    }

    #[test]
    fn a_mistake_of_every_image_is_said_once() {
        let document = document("name: x\nbase: {language: none}\nversion: \"${{ n / 0 }}\"\nmatrix: {n: [1, 2, 3]}\n");
        let (images, findings) = document.images(&[]).unwrap();
        assert_eq!(images.len(), 3);
        assert_eq!(findings.iter().map(|finding| finding.code).collect::<Vec<_>>(), [codes::EXPRESSION_TYPE]);
    }
}
