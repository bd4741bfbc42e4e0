//! Policies as they are given: texts in YAML and Rego, read and checked.

use std::collections::BTreeMap;

use grammar::yaml::Node;
use model::{Finding, Findings, SourceId, Span};

use crate::exception::Exception;
use crate::rego::Module;
use crate::yaml;

/// The package in which, and below which, rules are asked what they say.
pub const PACKAGE: [&str; 2] = ["clnstrt", "policy"];

/// Rules that were given together, and what they do not hold for.
#[derive(Clone)]
pub struct Policy {
    /// What it is called in findings.
    pub name: String,
    pub(crate) module: Module,
    pub(crate) exceptions: Vec<Exception>,
    /// Of a policy in YAML, where each rule is written.
    pub(crate) places: BTreeMap<String, Span>,
}

impl Policy {
    /// A text in Rego. `name` is that of the file, without its ending.
    ///
    /// # Errors
    /// What is wrong with its syntax; the rest is found when an engine is made.
    pub fn rego(name: &str, source: SourceId, text: &str) -> Result<Self, Findings> {
        let module = Module::read(source, text)?;
        Ok(Self { name: name.to_owned(), module, exceptions: Vec::new(), places: BTreeMap::new() })
    }

    /// A document in YAML.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn yaml(root: &Node) -> Result<Self, Findings> {
        let declared = yaml::read(root)?;
        let lowered = yaml::lower(&declared);
        // The source is that of the document, for whatever is found has a place there.
        // What cannot be lowered is larger than any text may be: its places are none of the document.
        let module = Module::read(root.span.source, &lowered.text)
            .map_err(|finding| Finding::error(finding.code, finding.message).at(root.span))?;
        Ok(Self { name: declared.name, module, exceptions: declared.exceptions, places: lowered.places })
    }

    /// The text in Rego that is evaluated.
    pub fn text(&self) -> &str {
        &self.module.text
    }
}
