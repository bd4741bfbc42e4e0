//! What differs between two locks, the plans of two batches, or two images, in the words of whoever wrote the configuration.
//!
//! **Invariant:** nothing is hidden. Between documents that are not equal there is at least one change: what no fact tells
//! apart is compared as a whole, and said to be arranged otherwise.

mod facts;
mod images;
mod locks;
mod plans;
mod questions;
mod read;

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

pub use images::{Image, compile_flags, documents, images};
pub use locks::locks;
pub use plans::plans;
pub use read::{Document, Plans, read};

/// What differs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Every change; none where the two are equal.
    pub changes: Vec<Change>,
    /// Of plans, what the changes come to in each image.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub affected: Vec<Affected>,
}

/// An image, and a target of its plan or an architecture of its lock.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Place {
    /// What the image is called; none where each document is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// `amd64`, `index`; none where it concerns the image as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
}

/// One change, with every place that has it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Change {
    /// Where, in order; none where it concerns every image.
    pub places: Vec<Place>,
    /// Which part: `layer packages`, `release trixie`.
    pub part: String,
    /// What: `debian libc6`, `env COLOUR`.
    pub what: String,
    /// What it was; `None` where it was not there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// What it is; `None` where it is not there any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// Of a package, the requirements it is there for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub required_by: Vec<String>,
}

/// What the changes of a plan come to in one image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Affected {
    /// Which image.
    #[serde(flatten)]
    pub place: Place,
    /// The layers that have another plan key.
    pub layers: Vec<String>,
    /// How many of its steps the plan before did not have.
    pub steps: usize,
    /// How many steps it has.
    pub of: usize,
}

/// Changes as they are found; the same change of several places is one.
#[derive(Default)]
struct Changes {
    list: Vec<Change>,
    known: BTreeMap<Change, usize>,
}

impl Changes {
    fn add(&mut self, place: &Place, change: Change) {
        let at = *self.known.entry(change).or_insert_with_key(|change| {
            self.list.push(change.clone());
            self.list.len() - 1
        });
        if let Some(change) = self.list.get_mut(at).filter(|_| *place != Place::default()) {
            change.places.push(place.clone());
        }
    }

    /// What is only in one of the two documents.
    fn add_one_sided(&mut self, place: &Place, part: &str, what: &str, was_there: bool) {
        let (before, after) = if was_there { (Some(String::new()), None) } else { (None, Some(String::new())) };
        self.add(place, Change { part: part.into(), what: what.into(), before, after, ..Change::default() });
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<String> = self.image.iter().chain(&self.target).map(|word| line(word)).collect();
        f.write_str(&words.join(" "))
    }
}

/// How many of a list are shown before the rest is counted.
const SHOWN: usize = 4;

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let places: Vec<String> = self.places.iter().map(Place::to_string).collect();
        let words = [several(&places), line(&self.part)];
        let start = words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
        let start = if start.is_empty() { "every image" } else { &start };
        write!(f, "{start}: {}", line(&self.what))?;
        match (&self.before, &self.after) {
            (Some(before), Some(after)) => write!(f, " {} -> {}", value(before), value(after))?,
            (None, Some(text)) if text.is_empty() => f.write_str(" added")?,
            (Some(text), None) if text.is_empty() => f.write_str(" removed")?,
            (None, Some(after)) => write!(f, " {} added", value(after))?,
            (Some(before), None) => write!(f, " {} removed", value(before))?,
            (None, None) => {}
        }
        if self.required_by.is_empty() {
            return Ok(());
        }
        let required_by: Vec<String> = self.required_by.iter().map(|text| line(text)).collect();
        write!(f, ", for {}", several(&required_by))
    }
}

impl fmt::Display for Affected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = self.place.to_string();
        let place = if place.is_empty() { "image" } else { &place };
        write!(f, "{place}: {} of {} steps are others", self.steps, self.of)?;
        match self.layers.as_slice() {
            [] => Ok(()),
            layers => write!(f, ", with them the layers {}", line(&layers.join(", "))),
        }
    }
}

fn several(list: &[String]) -> String {
    match list.get(..SHOWN) {
        Some(first) if list.len() > SHOWN => format!("{} and {} more", first.join(", "), list.len() - SHOWN),
        _ => list.join(", "),
    }
}

/// A text on one line, nothing in it invisible: documents come from outside.
fn line(text: &str) -> String {
    if text.chars().any(|c| c.is_control() || !c.is_ascii()) { text.escape_debug().to_string() } else { text.into() }
}

/// A value so that one sees where it ends.
fn value(text: &str) -> String {
    let plain = !text.is_empty() && text.chars().all(|c| c.is_ascii_graphic() && c != '"');
    let list = text.starts_with('[') && text.ends_with(']');
    if plain || list { line(text) } else { format!("{text:?}") }
}
