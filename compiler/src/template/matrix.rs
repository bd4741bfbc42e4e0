//! A matrix: one document, many images. `include` and `exclude` mean what they mean in CI systems.

use std::collections::BTreeMap;
use std::fmt;

use ecow::EcoString;
use grammar::quote;
use grammar::yaml::{Kind, Node, Pair};
use indexmap::{IndexMap, IndexSet};
use model::{Finding, Findings, Span, Spanned, codes};

use super::VARIANT;
use super::evaluate::{Evaluation, Names, found_already};
use super::parameter::is_name;
use super::value::{Data, Value, versions};
use grammar::reader::Reader;
use grammar::suggest::{nearest, there};

/// Images of one document.
pub(super) const MAX_IMAGES: usize = 100_000;
/// Names a matrix may give values to.
const MAX_NAMES: usize = 16;
/// How many images rows may be compared with, all rows together.
const MAX_COMPARED: usize = 10_000_000;

/// What a document says of its images' differences.
#[derive(Clone, Debug, Default)]
pub(super) struct Matrix {
    axes: Vec<Axis>,
    exclude: Vec<Row>,
    include: Vec<Row>,
    /// The variants of each image that gets none from an axis or row.
    variants: Vec<Value>,
    /// Every name that gets a value, where it is first mentioned; its place is its bit in [`Value::axes`].
    names: IndexMap<EcoString, Span>,
}

#[derive(Clone, Debug)]
struct Axis {
    name: EcoString,
    values: Vec<Value>,
}

/// Values for some names.
type Row = Vec<(Spanned<EcoString>, Value)>;

/// The values that tell one image from the others of its document, in the order of the matrix.
#[derive(Clone, Debug, Default)]
pub struct Assignment {
    /// Its place among the images of the document, from 0.
    pub number: usize,
    pairs: Vec<(EcoString, Value)>,
}

/// The names a document's own expressions may use in one image.
pub(super) struct Scope<'a> {
    pub(super) matrix: &'a Matrix,
    pub(super) assignment: &'a Assignment,
}

impl Assignment {
    /// Name and value of each, as written.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, EcoString)> {
        self.pairs.iter().map(|(name, value)| (name.as_str(), value.data.in_text().unwrap_or_default()))
    }

    /// What no other image of the document has.
    pub(crate) fn key(&self) -> String {
        let mut key = String::new();
        for (name, value) in &self.pairs {
            let text = value.data.in_text().unwrap_or_default();
            key.extend([name.as_str(), "\0", value.data.kind(), "\0", &text, "\0"]);
        }
        key
    }

    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.pairs.iter().find(|(other, _)| other == name).map(|(_, value)| value)
    }
}

impl fmt::Display for Assignment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (name, value)) in self.pairs().enumerate() {
            let between = if at > 0 { " " } else { "" };
            write!(f, "{between}{name}={value}")?;
        }
        Ok(())
    }
}

impl Names for Scope<'_> {
    fn get(&self, name: &str, _: &mut Evaluation) -> Option<Result<Value, Box<Finding>>> {
        match self.assignment.get(name) {
            Some(value) => Some(Ok(value.clone())),
            // An axis without a value that could be read.
            None if self.matrix.is_lost(name) => Some(Err(Box::new(found_already()))),
            None => None,
        }
    }

    fn known(&self) -> Vec<&str> {
        self.matrix.names().collect()
    }
}

impl Matrix {
    pub(super) fn read(reader: &mut Reader, node: &Node) -> Self {
        let mut matrix = Matrix::default();
        let pairs: Vec<&Pair> = reader.map(node, "matrix").collect();
        for pair in &pairs {
            match pair.key.value.as_str() {
                "include" | "exclude" => {} // read below, when every axis is known
                name if !is_name(name) => {
                    let message = format!("{} is no name of an axis", quote(name));
                    reader.bad_value(pair.key.span, message, "use letters, digits and `_`, a letter first");
                }
                name => {
                    matrix.names.entry(name.into()).or_insert(pair.key.span);
                    let values = axis(reader, name, &pair.value);
                    if !values.is_empty() {
                        matrix.axes.push(Axis { name: name.into(), values });
                    }
                }
            }
        }
        let of = |name: &'static str| pairs.iter().filter(move |pair| pair.key.value == name);
        for pair in of("exclude") {
            matrix.exclude = rows(reader, &pair.value, "matrix.exclude");
            matrix.check_excluded(reader);
        }
        for pair in of("include") {
            matrix.include = rows(reader, &pair.value, "matrix.include");
            for (name, _) in matrix.include.iter().flatten() {
                matrix.names.entry(name.value.clone()).or_insert(name.span);
            }
        }
        if matrix.names.len() > MAX_NAMES {
            let message = format!("the matrix has {} names; {MAX_NAMES} are accepted", matrix.names.len());
            reader.bad_value(node.span, message, "let one axis stand for what changes together");
            // What there is too much of is not looked at.
            return Self { names: matrix.names, ..Self::default() };
        }
        matrix
    }

    /// Takes in the variants a document lists, at a place.
    pub(super) fn set_variants(&mut self, variants: Vec<Value>, place: Span) {
        self.names.entry(VARIANT.into()).or_insert(place);
        self.variants = variants;
    }

    /// What is excluded must be there: every combination of the axes' values is.
    fn check_excluded(&self, reader: &mut Reader) {
        for (name, value) in self.exclude.iter().flatten() {
            let finding = match self.axes.iter().find(|axis| axis.name == name.value) {
                Some(axis) if axis.values.iter().any(|other| other.data.same(&value.data)) => continue,
                Some(axis) => {
                    let values: Vec<EcoString> = axis.values.iter().filter_map(|value| value.data.in_text()).collect();
                    let values = there(values.iter().map(EcoString::as_str));
                    let message = format!("{} is no value of the axis `{}`", value.data.shown(), name.value);
                    Finding::error(codes::BAD_VALUE, message).at(value.span).help(values)
                }
                None if self.names.contains_key(&name.value) => continue,
                None => {
                    let message = format!("the matrix has no axis {}", quote(&name.value));
                    let finding = Finding::error(codes::BAD_VALUE, message).at(name.span);
                    finding.suggest(nearest(&name.value, self.names()), &there(self.names()))
                }
            };
            reader.add(finding);
        }
    }

    /// Every image, in the order of the axes' values, the last axis the fastest; what `include` adds comes last.
    ///
    /// # Errors
    /// `MATRIX_TOO_LARGE`, before anything is made; `MATRIX_EMPTY` where everything is excluded.
    pub(super) fn assignments(&self, place: Span) -> Result<Vec<Assignment>, Findings> {
        // Without axes there is one image, unless rows say which there are.
        let rows_alone = self.axes.is_empty() && !self.include.is_empty();
        let count = self.count(place, if rows_alone { 0 } else { 1 })?;
        let mut found: Vec<Assignment> = (0..count).map(|number| self.combination(number)).collect();
        found.retain(|one| {
            !self.exclude.iter().any(|row| row.iter().all(|(name, value)| is(one.get(&name.value), value)))
        });
        let of_axes = found.len();
        for row in &self.include {
            self.add(row, &mut found, of_axes);
        }
        if !self.variants.is_empty() {
            found = found.into_iter().flat_map(|one| self.in_variants(one)).collect();
        }
        for (number, one) in found.iter_mut().enumerate() {
            one.number = number;
        }
        if found.is_empty() {
            let finding = Finding::error(codes::MATRIX_EMPTY, "the matrix excludes every image").at(place);
            return Err(finding.help("remove an entry of `exclude`").into());
        }
        Ok(found)
    }

    /// An image in each of the variants listed, unless the matrix says which it is.
    fn in_variants(&self, one: Assignment) -> Vec<Assignment> {
        if one.get(VARIANT).is_some() {
            return vec![one];
        }
        let with = |value: &Value| {
            let mut one = one.clone();
            one.pairs.push((VARIANT.into(), value.clone().with_axes(self.bit(VARIANT))));
            one
        };
        self.variants.iter().map(with).collect()
    }

    /// How many combinations of the axes' values there are, and of so many images without an axis.
    fn count(&self, place: Span, without: usize) -> Result<usize, Finding> {
        let count = self.axes.iter().try_fold(without, |count, axis| count.checked_mul(axis.values.len()));
        let rows = self.include.len() + self.exclude.len();
        let variants = self.variants.len().max(1);
        let all = |count: usize| count.saturating_add(self.include.len()).saturating_mul(variants);
        let Some(count) = count.filter(|count| all(*count) <= MAX_IMAGES) else {
            let sizes = self.axes.iter().map(|axis| axis.values.len());
            let sizes = sizes.chain(Some(variants).filter(|variants| *variants > 1));
            let sizes: Vec<String> = sizes.map(|size| size.to_string()).collect();
            let message = format!("the matrix makes {} images; {MAX_IMAGES} are accepted", sizes.join(" × "));
            let finding = Finding::error(codes::MATRIX_TOO_LARGE, message).at(place);
            return Err(finding.help("shorten an axis, or write several documents"));
        };
        if count.saturating_mul(rows) > MAX_COMPARED {
            let message = format!("{rows} rows of `include` and `exclude` are too many for {count} images");
            let finding = Finding::error(codes::MATRIX_TOO_LARGE, message).at(place);
            return Err(finding.help("let one row stand for several, or write several documents"));
        }
        Ok(count)
    }

    /// Adds a row of `include` to the combinations it does not contradict, or as one more image.
    fn add(&self, row: &Row, found: &mut Vec<Assignment>, of_axes: usize) {
        let on_axis = |name: &str| self.axes.iter().any(|axis| axis.name == name);
        let fits = |one: &Assignment| {
            row.iter().filter(|(name, _)| on_axis(&name.value)).all(|(name, value)| is(one.get(&name.value), value))
        };
        let values = row.iter().map(|(name, value)| {
            let value = value.clone().with_axes(self.bit(&name.value));
            (name.value.clone(), value)
        });
        let values: Vec<(EcoString, Value)> = values.collect();
        let mut extended = false;
        for one in found.iter_mut().take(of_axes).filter(|one| fits(one)) {
            extended = true;
            for (name, value) in values.iter().filter(|(name, _)| !on_axis(name)) {
                one.pairs.retain(|(other, _)| other != name);
                one.pairs.push((name.clone(), value.clone()));
            }
        }
        if !extended {
            found.push(Assignment { number: 0, pairs: values });
        }
    }

    /// The combination with this number, counted with the last axis the fastest.
    fn combination(&self, number: usize) -> Assignment {
        let mut rest = number;
        let mut pairs: Vec<(EcoString, Value)> = Vec::with_capacity(self.axes.len());
        for axis in self.axes.iter().rev() {
            let count = axis.values.len().max(1);
            if let Some(value) = axis.values.get(rest % count) {
                pairs.push((axis.name.clone(), value.clone().with_axes(self.bit(&axis.name))));
            }
            rest /= count;
        }
        pairs.reverse();
        Assignment { number: 0, pairs }
    }

    /// Every name that gets a value in any image.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.keys().map(EcoString::as_str)
    }

    /// Where a name is first mentioned.
    pub(super) fn place_of(&self, name: &str) -> Option<Span> {
        self.names.get(name).copied()
    }

    /// Whether a name is that of an axis none of whose values could be read.
    fn is_lost(&self, name: &str) -> bool {
        let has_value = self.axes.iter().any(|axis| axis.name == name)
            || self.include.iter().flatten().any(|(other, _)| other.value == name)
            || name == VARIANT && !self.variants.is_empty();
        self.names.contains_key(name) && !has_value
    }

    /// The bit of a name; those beyond the names accepted have none.
    pub(super) fn bit(&self, name: &str) -> u32 {
        let place = self.names.get_index_of(name).and_then(|place| u32::try_from(place).ok());
        place.and_then(|place| 1u32.checked_shl(place)).unwrap_or(0)
    }

    /// Keeps the images for which every `NAME=VALUE` holds.
    ///
    /// # Errors
    /// `USAGE` for a name or value the matrix does not have.
    pub(super) fn select(&self, all: &mut Vec<Assignment>, wanted: &[(String, String)]) -> Result<(), Finding> {
        for (name, text) in wanted {
            if !self.names.contains_key(name.as_str()) {
                let finding = Finding::error(codes::USAGE, format!("no axis of the matrix is called {}", quote(name)));
                return Err(finding.help(match self.names.is_empty() {
                    true => "the document has no matrix".to_owned(),
                    false => there(self.names()),
                }));
            }
            let fits = |value: &Value| match &value.data {
                Data::Text(found) | Data::Version(found) => **found == **text || versions(found, text).is_eq(),
                data => data.in_text().as_deref() == Some(text),
            };
            let values: IndexSet<EcoString> =
                all.iter().filter_map(|one| one.get(name).and_then(|value| value.data.in_text())).collect();
            all.retain(|one| one.get(name).is_some_and(fits));
            if all.is_empty() {
                let message = format!("no image has {name}={text}");
                let help = there(values.iter().map(EcoString::as_str));
                return Err(Finding::error(codes::USAGE, message).help(help));
            }
        }
        Ok(())
    }
}

fn is(found: Option<&Value>, wanted: &Value) -> bool {
    found.is_some_and(|found| found.data.same(&wanted.data))
}

/// The values of an axis, each once.
fn axis(reader: &mut Reader, name: &str, node: &Node) -> Vec<Value> {
    let Kind::List(items) = &node.kind else {
        reader.wrong_type(node, &format!("matrix.{name}"), "a list");
        return Vec::new();
    };
    if items.is_empty() {
        reader.bad_value(node.span, format!("the axis `{name}` has no values"), "list at least one");
    }
    let mut once: IndexMap<(&str, EcoString), Value> = IndexMap::new();
    for item in items {
        let Some(value) = value(reader, item) else { continue };
        let key = (value.data.kind(), value.data.in_text().unwrap_or_default());
        match once.get(&key) {
            Some(first) => reader.duplicate(&value.data.shown(), value.span, first.span),
            None => drop(once.insert(key, value)),
        }
    }
    once.into_values().collect()
}

fn rows(reader: &mut Reader, node: &Node, path: &str) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    let mut seen = IndexMap::new();
    for item in reader.list(node, path) {
        let mut values = Vec::new();
        for pair in reader.map(item, &format!("{path}[]")) {
            if !is_name(&pair.key.value) {
                let message = format!("{} is no name of an axis", quote(&pair.key.value));
                reader.bad_value(pair.key.span, message, "use letters, digits and `_`, a letter first");
            } else if let Some(value) = value(reader, &pair.value) {
                values.push((pair.key.clone(), value));
            }
        }
        let said: BTreeMap<EcoString, (&str, EcoString)> = values
            .iter()
            .map(|(name, value)| (name.value.clone(), (value.data.kind(), value.data.in_text().unwrap_or_default())))
            .collect();
        match seen.get(&said) {
            Some(first) if !said.is_empty() => reader.duplicate("a row with these values", item.span, *first),
            _ => {
                seen.insert(said, item.span);
                rows.push(values);
            }
        }
    }
    rows
}

/// A value of an axis: `3.11` is a text, for its digits count; a whole number or truth value is one only without quotes.
fn value(reader: &mut Reader, node: &Node) -> Option<Value> {
    let Kind::Scalar { text, plain } = &node.kind else {
        reader.wrong_type(node, "matrix.*[]", "a text");
        return None;
    };
    if grammar::expression::holds_expression(text) {
        reader.bad_value(
            node.span,
            "the values of a matrix are written out",
            "an expression may use them, and not make them",
        );
        return None;
    }
    let canonical = text.parse::<i64>().ok().filter(|number| number.to_string() == *text);
    let data = match (plain, canonical, text.as_str()) {
        (true, Some(number), _) => Data::Number(number),
        (true, _, "true" | "false") => Data::Boolean(text == "true"),
        _ => Data::text(text.as_str()),
    };
    Some(Value::new(data, node.span))
}
