//! Compiles a document again and again over one lock, as an editor does: an image whose tree is what it was keeps its plan.

use std::collections::HashMap;
use std::sync::Arc;

use ecow::EcoString;
use grammar::yaml::Node;
use model::Findings;
use model::plan::Plan;

use crate::lower::{LocalTrees, Lowerer};
use crate::template::Document;

/// What was compiled last.
pub struct Session<'l> {
    lowerer: Lowerer<'l>,
    local: LocalTrees,
    /// By what tells an image from the others.
    images: HashMap<String, Known>,
}

struct Known {
    root: Node,
    image: Compiled,
}

/// An image of a document.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// What it is called.
    pub name: EcoString,
    /// How it is made.
    pub plan: Arc<Plan>,
    /// It is not what it was the last time.
    pub changed: bool,
}

/// What became of an image.
enum Outcome {
    Same,
    New(Known),
    /// Findings say why.
    Nothing,
}

impl<'l> Session<'l> {
    /// Nothing compiled yet.
    pub fn new(lowerer: Lowerer<'l>) -> Self {
        Self { lowerer, local: LocalTrees::default(), images: HashMap::new() }
    }

    /// The images of a document, in the order of its matrix, and what is wrong with them: an image that cannot be compiled
    /// is not among them. `local` are the author's files, the same for every image.
    ///
    /// # Errors
    /// As [`Document::expand_all`].
    pub fn compile(&mut self, document: &Document, local: &LocalTrees) -> Result<(Vec<Compiled>, Findings), Findings> {
        if self.local != *local {
            self.local = local.clone();
            self.images.clear();
        }
        let (all, findings) = document.expand_all(&[], |assignment, expanded| {
            let place = assignment.key();
            if expanded.is_whole()
                && let Some(known) = self.images.get(&place)
                && expanded.name.as_deref() == Some(&known.image.name)
                && known.root.is_like(&expanded.root)
            {
                return ((place, Outcome::Same), expanded.findings);
            }
            let root = expanded.root.clone();
            let (image, mut findings) = document.read(expanded, assignment);
            let Some(image) = image.filter(|_| !model::has_errors(&findings)) else {
                return ((place, Outcome::Nothing), findings);
            };
            let config = image.config;
            match self.lowerer.lower(&config, &config.architectures, &self.local) {
                Ok(plan) => {
                    let image = Compiled { name: config.name.value.into(), plan: Arc::new(plan), changed: true };
                    ((place, Outcome::New(Known { root, image })), findings)
                }
                Err(found) => {
                    findings.extend(document.trace(assignment, found));
                    ((place, Outcome::Nothing), findings)
                }
            }
        })?;
        let mut before = std::mem::take(&mut self.images);
        let mut compiled = Vec::with_capacity(all.len());
        for (place, outcome) in all {
            let known = match outcome {
                Outcome::New(known) => Some(known),
                Outcome::Same => before
                    .remove(&place)
                    .map(|known| Known { image: Compiled { changed: false, ..known.image }, ..known }),
                Outcome::Nothing => None,
            };
            if let Some(known) = known {
                compiled.push(known.image.clone());
                self.images.insert(place, known);
            }
        }
        Ok((compiled, findings))
    }
}
