//! What a step made, beside what it made when it was run again.

use std::fmt;
use std::time::Duration;

use model::{Digest, Finding, Kind, TreePath, codes};

use super::content::Content;
use super::{Context, Value, broken};

mod trees;

/// From the start of one run to that of the other at least: times in archives are mostly of whole seconds, in zip archives of two.
pub(super) const APART: Duration = Duration::from_secs(2);

/// Files whose differences are looked at; of more there is only the number.
const FILES: usize = 100;
/// Files that a finding names, and lines of each.
const NAMED: usize = 5;
const LINES: usize = 4;

/// The comparison of what a step made twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repeated {
    /// What the step does, for people.
    pub title: String,
    /// The tree of the first run, which is the step's output.
    pub first: Digest,
    /// The tree of the second run.
    pub second: Digest,
    /// The paths that differ, the first of them with what differs about them.
    differences: Vec<(TreePath, Vec<String>)>,
    /// How many more paths differ.
    more: usize,
}

impl Repeated {
    /// Whether both runs made the same.
    pub fn is_equal(&self) -> bool {
        self.first == self.second
    }

    /// The finding, if they did not.
    pub fn finding(&self) -> Option<Finding> {
        if self.is_equal() {
            return None;
        }
        let count = self.differences.len() + self.more;
        let message =
            format!("`{}` made something else when it was run again: {count} of its files differ", self.title);
        let mut finding = Finding::error(codes::NOT_REPRODUCIBLE, message);
        for (path, lines) in self.differences.iter().take(NAMED) {
            finding = finding.because(named(path));
            for line in lines.iter().take(LINES) {
                finding = finding.because(format!("  {line}"));
            }
        }
        if count > NAMED {
            finding = finding.because(format!("and {} more", count - NAMED));
        }
        Some(
            finding.help(
                "`--artifacts DIR` writes the whole comparison; `clnstrt-cli explain CS1108` names the usual causes",
            ),
        )
    }
}

/// The whole comparison, each line ended.
impl fmt::Display for Repeated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_equal() {
            return writeln!(f, "equal: {}", self.first);
        }
        writeln!(f, "different: {} and {}", self.first, self.second)?;
        for (path, lines) in &self.differences {
            writeln!(f, "{}", named(path))?;
            lines.iter().try_for_each(|line| writeln!(f, "  {line}"))?;
        }
        if self.more > 0 {
            writeln!(f, "and {} more", self.more)?;
        }
        Ok(())
    }
}

fn named(path: &TreePath) -> String {
    format!("{}/{}", model::plan::OUT, path.display().escape_debug())
}

/// Compares two trees that a step made, reading what differs.
pub(super) fn compare(context: &Context, title: &str, first: &Value, second: &Value) -> Result<Repeated, Finding> {
    let (Value::Tree { tree: first, packs }, Value::Tree { tree: second, packs: other_packs }) = (first, second) else {
        return Err(broken("a Run step made no tree"));
    };
    let mut repeated =
        Repeated { title: title.to_owned(), first: *first, second: *second, differences: Vec::new(), more: 0 };
    if repeated.is_equal() {
        return Ok(repeated);
    }
    let (tree, other) = (context.tree(first)?, context.tree(second)?);
    let contents = [Content::open(context, packs)?, Content::open(context, other_packs)?];
    for (path, one, other) in trees::unlike(&tree, &other) {
        if repeated.differences.len() == FILES {
            repeated.more += 1;
            continue;
        }
        let mut lines = trees::lines(one, other);
        if let (Some(one), Some(other)) = (one, other) {
            lines.extend(explained(context, &contents, &one.node, &other.node)?);
        }
        repeated.differences.push((path.clone(), lines));
    }
    Ok(repeated)
}

/// What differs in the content of two files.
fn explained(
    context: &Context,
    [first, second]: &[Content; 2],
    one: &Kind,
    other: &Kind,
) -> Result<Vec<String>, Finding> {
    match (one, other) {
        (Kind::File { digest: one, size }, Kind::File { digest: other, size: other_size }) if one != other => {
            let (mut one, mut other) =
                (first.read(one, *size)?.seekable()?, second.read(other, *other_size)?.seekable()?);
            inspect::difference::explain(&mut one, &mut other)
                .map_err(|e| context.store.failed("what a step made cannot be read", &e))
        }
        _ => Ok(Vec::new()),
    }
}

#[cfg(test)]
mod tests;
