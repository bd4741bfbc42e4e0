//! Locks and plans, told apart by what is in them.

use std::collections::BTreeMap;

use model::lock::Lock;
use model::plan::{FORMAT, Op, Plan};
use model::{Finding, codes};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

/// The longest explanation of a reader that is repeated, in characters: it may quote the file.
const LONGEST: usize = 200;
const HELP: &str = "name two locks (`image.lock.json`), or two files that `clnstrt-cli plan` wrote";

/// What can be compared with another of its kind.
pub enum Document {
    /// A lock.
    Lock(Box<Lock>),
    /// Plans.
    Plans(Plans),
}

/// What `plan` writes: a plan, or a line for each image of a batch.
pub struct Plans {
    /// By the names of the images.
    pub(super) images: BTreeMap<String, Plan>,
    /// Whether each is named on its line.
    pub(super) several: bool,
}

/// The fields that tell documents apart.
#[derive(Deserialize)]
struct Head {
    format: Option<Value>,
    steps: Option<IgnoredAny>,
    nodes: Option<IgnoredAny>,
    plan: Option<IgnoredAny>,
}

/// The plan of one image of a batch.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    image: String,
    plan: Plan,
}

/// Reads a document that is called so.
///
/// # Errors
/// `LOCK_UNREADABLE`; `LOCK_INCONSISTENT` where a plan is not what its keys say.
pub fn read(name: &str, text: &[u8]) -> Result<Document, Finding> {
    let head = |text: &[u8]| serde_json::from_slice::<Head>(text);
    let first = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    if head(first).is_ok_and(|head| head.plan.is_some()) {
        return batch(name, text).map(Document::Plans);
    }
    let head = match head(text) {
        Ok(head) => head,
        Err(_) if text.is_empty() => return Err(unreadable(format!("{name} is empty"))),
        Err(e) => return Err(unreadable(format!("{name} is neither a lock nor a plan: {}", brief(&e)))),
    };
    if head.steps.is_some() && head.nodes.is_none() {
        if let Some(format) = head.format.filter(|format| *format != FORMAT) {
            let format = brief(&format);
            return Err(unreadable(format!("{name} is a plan of format {format}, this version reads {FORMAT}")));
        }
        let plan: Plan =
            serde_json::from_slice(text).map_err(|e| unreadable(format!("{name} is no plan: {}", brief(&e))))?;
        let plan = checked(name, plan)?;
        return Ok(Document::Plans(Plans { images: BTreeMap::from([(title(&plan), plan)]), several: false }));
    }
    if head.nodes.is_some() {
        return match Lock::from_text(text) {
            Ok(lock) => Ok(Document::Lock(Box::new(lock))),
            Err(why) => Err(unreadable(format!("{name} is no lock this version can read: {}", brief(&why)))),
        };
    }
    Err(unreadable(format!("{name} is neither a lock nor a plan: it has neither `nodes` nor `steps`")))
}

fn batch(name: &str, text: &[u8]) -> Result<Plans, Finding> {
    let mut images = BTreeMap::new();
    let lines = text.split(|byte| *byte == b'\n').enumerate().filter(|(_, line)| !line.is_empty());
    for (number, line) in lines {
        let place = format!("line {} of {name}", number + 1);
        let Line { image, plan } = serde_json::from_slice(line)
            .map_err(|e| unreadable(format!("{place} is no plan of an image: {}", brief(&e))))?;
        let plan = checked(&place, plan)?;
        if images.contains_key(&image) {
            return Err(unreadable(format!("{place} has a second plan of the image {}", grammar::quote(&image))));
        }
        images.insert(image, plan);
    }
    Ok(Plans { images, several: true })
}

fn checked(name: &str, plan: Plan) -> Result<Plan, Finding> {
    plan.check().map(|()| plan).map_err(|e| {
        Finding::error(codes::LOCK_INCONSISTENT, format!("{name} is no plan of this version: {e}"))
            .help("make it again: `clnstrt-cli plan`")
    })
}

/// The name that a plan gives its image.
fn title(plan: &Plan) -> String {
    let of = |op: &Op| match op {
        Op::Index { annotations, .. } => annotations.get("org.opencontainers.image.title").cloned(),
        _ => None,
    };
    let index = plan.targets.get("index").and_then(|key| plan.steps.get(key));
    index.and_then(|step| of(&step.op)).unwrap_or_default()
}

fn unreadable(message: String) -> Finding {
    Finding::error(codes::LOCK_UNREADABLE, message).help(HELP)
}

fn brief(why: &impl ToString) -> String {
    let why = why.to_string();
    let start: String = why.chars().take(LONGEST).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if start.len() < why.len() { start + "…" } else { start }
}
