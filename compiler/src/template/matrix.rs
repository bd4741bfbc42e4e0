//! A matrix: one document, many images. `include` and `exclude` mean what they mean in CI systems.

use std::fmt;

use grammar::quote;
use grammar::yaml::{Kind, Node};
use model::{Finding, Findings, Span, Spanned, codes};

use super::evaluate::{Evaluation, Names};
use super::parameter::is_name;
use super::value::{Data, Value, versions};
use crate::reader::Reader;
use crate::suggest::nearest;

/// Images of one document.
const MAX_IMAGES: usize = 100_000;
/// Names a matrix may give values to.
const MAX_NAMES: usize = 16;

/// What a document says of its images' differences.
#[derive(Clone, Debug, Default)]
pub(super) struct Matrix {
    axes: Vec<Axis>,
    exclude: Vec<Vec<(Spanned<String>, Value)>>,
    include: Vec<Vec<(Spanned<String>, Value)>>,
    /// Every name that gets a value, in order of first mention; its place is its bit in [`Value::axes`].
    names: Vec<String>,
}

#[derive(Clone, Debug)]
struct Axis {
    name: Spanned<String>,
    values: Vec<Value>,
}

/// The values that tell one image from the others of its document, in the order of the matrix.
#[derive(Clone, Debug, Default)]
pub struct Assignment {
    /// Its place among the images of the document, from 0.
    pub number: usize,
    pairs: Vec<(String, Value)>,
}

impl Assignment {
    /// Name and value of each, as written.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, String)> {
        self.pairs.iter().map(|(name, value)| (name.as_str(), value.data.in_text().unwrap_or_default()))
    }

    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.pairs.iter().find(|(other, _)| other == name).map(|(_, value)| value)
    }
}

impl fmt::Display for Assignment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pairs: Vec<String> = self.pairs().map(|(name, value)| format!("{name}={value}")).collect();
        f.write_str(&pairs.join(" "))
    }
}

impl Names for Assignment {
    fn get(&self, name: &str, _: &mut Evaluation) -> Option<Result<Value, Box<Finding>>> {
        Assignment::get(self, name).cloned().map(Ok)
    }

    fn known(&self) -> Vec<&str> {
        self.pairs.iter().map(|(name, _)| name.as_str()).collect()
    }
}

impl Matrix {
    pub(super) fn read(reader: &mut Reader, node: &Node) -> Self {
        let mut matrix = Matrix::default();
        for pair in reader.map(node, "matrix") {
            match pair.key.value.as_str() {
                "include" | "exclude" => continue, // read below, when every axis is known
                name if !is_name(name) => {
                    let message = format!("{} is no name of an axis", quote(name));
                    reader.bad_value(pair.key.span, message, "use letters, digits and `_`, a letter first");
                }
                name => {
                    let values: Vec<Value> = match &pair.value.kind {
                        Kind::List(items) => items.iter().filter_map(|item| value(reader, item)).collect(),
                        _ => {
                            reader.wrong_type(&pair.value, &format!("matrix.{name}"), "a list");
                            continue;
                        }
                    };
                    if values.is_empty() && !pair.value.is_broken() {
                        reader.bad_value(
                            pair.value.span,
                            format!("the axis `{name}` has no values"),
                            "list at least one",
                        );
                    }
                    let mut once: Vec<Value> = Vec::with_capacity(values.len());
                    for value in values {
                        match once.iter().find(|first| first.data.same(&value.data)) {
                            Some(first) => reader.duplicate(&value.data.shown(), value.span, first.span),
                            None => once.push(value),
                        }
                    }
                    // An axis without values would leave no image to check.
                    if !once.is_empty() {
                        matrix.axes.push(Axis { name: pair.key.clone(), values: once });
                    }
                }
            }
        }
        matrix.names = matrix.axes.iter().map(|axis| axis.name.value.clone()).collect();
        for pair in reader.map(node, "matrix").filter(|pair| pair.key.value == "exclude") {
            matrix.exclude = matrix.rows(reader, &pair.value, "matrix.exclude");
        }
        for pair in reader.map(node, "matrix").filter(|pair| pair.key.value == "include") {
            matrix.include = rows(reader, &pair.value, "matrix.include");
            for (name, _) in matrix.include.iter().flatten() {
                if !matrix.names.contains(&name.value) {
                    matrix.names.push(name.value.clone());
                }
            }
        }
        if matrix.names.len() > MAX_NAMES {
            let message = format!("the matrix has {} names; {MAX_NAMES} are accepted", matrix.names.len());
            reader.bad_value(node.span, message, "let one axis stand for what changes together");
        }
        matrix
    }

    /// Rows that may only name axes.
    fn rows(&self, reader: &mut Reader, node: &Node, path: &str) -> Vec<Vec<(Spanned<String>, Value)>> {
        let rows = rows(reader, node, path);
        for (name, _) in rows.iter().flatten() {
            if !self.names.contains(&name.value) {
                let message = format!("the matrix has no axis {}", quote(&name.value));
                let near = nearest(&name.value, self.names.iter().map(String::as_str));
                let finding = Finding::error(codes::BAD_VALUE, message).at(name.span);
                reader.add(finding.meant(near, || format!("there are {}", self.names.join(", "))));
            }
        }
        rows
    }

    /// Every image, in the order of the axes' values, the last axis the fastest; what `include` adds comes last.
    ///
    /// # Errors
    /// `MATRIX_TOO_LARGE`, before anything is made; `MATRIX_EMPTY` where everything is excluded.
    pub(super) fn assignments(&self, place: Span) -> Result<Vec<Assignment>, Findings> {
        let count = self.axes.iter().try_fold(1usize, |count, axis| count.checked_mul(axis.values.len()));
        let Some(count) = count.filter(|count| count.saturating_add(self.include.len()) <= MAX_IMAGES) else {
            let sizes: Vec<String> = self.axes.iter().map(|axis| axis.values.len().to_string()).collect();
            let message = format!("the matrix makes {} images; {MAX_IMAGES} are accepted", sizes.join(" × "));
            let finding = Finding::error(codes::MATRIX_TOO_LARGE, message).at(place);
            return Err(finding.help("shorten an axis, or write several documents").into());
        };
        // Without axes there is one image, unless rows say which there are.
        let count = if self.axes.is_empty() && !self.include.is_empty() { 0 } else { count };
        let mut found: Vec<Assignment> = (0..count).map(|number| self.combination(number)).collect();
        found.retain(|one| {
            !self.exclude.iter().any(|row| row.iter().all(|(name, value)| is(one.get(&name.value), value)))
        });
        let of_axes = found.len();
        for row in &self.include {
            let on_axis = |name: &str| self.axes.iter().any(|axis| axis.name.value == name);
            let fits = |one: &Assignment| {
                row.iter().filter(|(name, _)| on_axis(&name.value)).all(|(name, value)| is(one.get(&name.value), value))
            };
            let row: Vec<(String, Value)> = row
                .iter()
                .map(|(name, value)| {
                    let bit = self.names.iter().position(|other| *other == name.value).unwrap_or_default();
                    (name.value.clone(), value.clone().with_axes(axis_bit(bit)))
                })
                .collect();
            let mut extended = false;
            for one in found.iter_mut().take(of_axes).filter(|one| fits(one)) {
                extended = true;
                for (name, value) in &row {
                    one.pairs.retain(|(other, _)| other != name || on_axis(name));
                    if !on_axis(name) {
                        one.pairs.push((name.clone(), value.clone()));
                    }
                }
            }
            if !extended {
                found.push(Assignment { number: 0, pairs: row });
            }
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

    /// The combination with this number, counted with the last axis the fastest.
    fn combination(&self, number: usize) -> Assignment {
        let mut rest = number;
        let mut pairs: Vec<(String, Value)> = Vec::with_capacity(self.axes.len());
        for (bit, axis) in self.axes.iter().enumerate().rev() {
            let count = axis.values.len().max(1);
            if let Some(value) = axis.values.get(rest % count) {
                pairs.push((axis.name.value.clone(), value.clone().with_axes(axis_bit(bit))));
            }
            rest /= count;
        }
        pairs.reverse();
        Assignment { number: 0, pairs }
    }

    /// Every name that gets a value in any image.
    pub(super) fn names(&self) -> Vec<&str> {
        self.names.iter().map(String::as_str).collect()
    }

    /// The bit of a name.
    pub(super) fn bit(&self, name: &str) -> u32 {
        self.names.iter().position(|other| other == name).map_or(0, axis_bit)
    }

    /// Keeps the images for which every `NAME=VALUE` holds.
    ///
    /// # Errors
    /// `USAGE` for a name or value the matrix does not have.
    pub(super) fn select(&self, all: &mut Vec<Assignment>, wanted: &[(String, String)]) -> Result<(), Finding> {
        for (name, text) in wanted {
            if !self.names.contains(name) {
                let finding = Finding::error(codes::USAGE, format!("no axis of the matrix is called {}", quote(name)));
                return Err(finding.help(match self.names.as_slice() {
                    [] => "the document has no matrix".to_owned(),
                    names => format!("there are {}", names.join(", ")),
                }));
            }
            let fits = |value: &Value| match &value.data {
                Data::Text(found) | Data::Version(found) => **found == **text || versions(found, text).is_eq(),
                data => data.in_text().as_deref() == Some(text),
            };
            let mut values: Vec<String> = Vec::new();
            for one in all.iter() {
                let value = one.get(name).and_then(|value| value.data.in_text());
                values.extend(value.filter(|value| !values.contains(value)));
            }
            all.retain(|one| one.get(name).is_some_and(fits));
            if all.is_empty() {
                let message = format!("no image has {name}={text}");
                return Err(Finding::error(codes::USAGE, message).help(format!("there are {}", values.join(", "))));
            }
        }
        Ok(())
    }
}

/// The bit of a name by its number; those beyond the names accepted have none.
fn axis_bit(number: usize) -> u32 {
    u32::try_from(number).ok().and_then(|number| 1u32.checked_shl(number)).unwrap_or(0)
}

fn is(found: Option<&Value>, wanted: &Value) -> bool {
    found.is_some_and(|found| found.data.same(&wanted.data))
}

fn rows(reader: &mut Reader, node: &Node, path: &str) -> Vec<Vec<(Spanned<String>, Value)>> {
    let items: Vec<&Node> = reader.list(node, path).collect();
    let rows = items.into_iter().map(|item| {
        let pairs: Vec<_> = reader.map(item, &format!("{path}[]")).collect();
        pairs.into_iter().filter_map(|pair| Some((pair.key.clone(), value(reader, &pair.value)?))).collect()
    });
    rows.collect()
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
