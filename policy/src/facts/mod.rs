//! What is known of an image: the document `input` of every rule.

mod licence;
mod schema;

use std::collections::BTreeMap;
use std::fmt;

use model::{Finding, Findings, Span, codes};
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use licence::licence_choices;
pub use schema::{Fact, Kind, Misfit, Schema, schema};

/// Where a question is asked. A fact that is known at a stage is known at all later ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// When the plan is made.
    #[default]
    Compile,
    /// When the image was built and is to be released.
    Release,
    /// When it is to be started.
    Deploy,
}

impl Stage {
    /// Every stage, in order.
    pub const ALL: [Stage; 3] = [Stage::Compile, Stage::Release, Stage::Deploy];

    /// As written in facts.
    pub fn name(self) -> &'static str {
        match self {
            Stage::Compile => "compile",
            Stage::Release => "release",
            Stage::Deploy => "deploy",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Names and numbers that lead to a fact: `packages`, `3`, `purl`.
pub type Path = Vec<String>;

/// The facts of one image, and where they were declared.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// The document; [`Schema::check`] says whether it is one.
    pub document: Value,
    /// Where facts were written.
    pub places: BTreeMap<Path, Span>,
}

impl Facts {
    /// Where the document is not as the schema says, for its stage.
    pub fn misfits(&self) -> Findings {
        let Some(stage) = self.stage() else {
            return Finding::error(codes::FACTS_UNREADABLE, "the facts do not say of which stage they are")
                .help("give `stage`: `compile`, `release` or `deploy`")
                .into();
        };
        let finding = |misfit: Misfit| {
            let path =
                if misfit.path.is_empty() { "the document".to_owned() } else { format!("`{}`", misfit.path.join(".")) };
            Finding::error(codes::FACTS_UNREADABLE, format!("{path} {}", misfit.message))
        };
        schema().check(&self.document, stage).into_iter().map(finding).collect()
    }

    /// The stage the document says it is for.
    pub fn stage(&self) -> Option<Stage> {
        let name = self.document.get("stage")?.as_str()?;
        Stage::ALL.into_iter().find(|stage| stage.name() == name)
    }

    /// The place of a fact, or of the nearest that holds it.
    pub fn place(&self, path: &[String]) -> Option<Span> {
        (1..=path.len()).rev().find_map(|length| self.places.get(path.get(..length)?).copied())
    }
}
