//! Compiles a document again and again over one lock, as an editor does: an image whose tree is what it was keeps its plan.

use std::collections::BTreeMap;
use std::sync::Arc;

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
    images: BTreeMap<String, Known>,
}

struct Known {
    root: Node,
    compiled: Compiled,
}

/// An image of a document.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// What it is called.
    pub name: String,
    /// How it is made.
    pub plan: Arc<Plan>,
    /// It is not what it was the last time.
    pub changed: bool,
}

impl<'l> Session<'l> {
    /// Nothing compiled yet.
    pub fn new(lowerer: Lowerer<'l>) -> Self {
        Self { lowerer, local: LocalTrees::default(), images: BTreeMap::new() }
    }

    /// The images of a document, in the order of its matrix, and what is wrong with them: an image that cannot be compiled
    /// is not among them. `local` are the author's files.
    ///
    /// # Errors
    /// As [`Document::expand_all`].
    pub fn compile(&mut self, document: &Document, local: &LocalTrees) -> Result<(Vec<Compiled>, Findings), Findings> {
        if self.local != *local {
            self.local = local.clone();
            self.images.clear();
        }
        let (all, findings) = document.expand_all(&[], |assignment, expanded| {
            let place = assignment.to_string();
            let known = self.images.get(&place);
            let known = known.filter(|known| expanded.name.as_deref() == Some(&known.compiled.name));
            if let Some(known) = known.filter(|known| known.root.is_like(&expanded.root)) {
                return (
                    Some((place, expanded.root, Compiled { changed: false, ..known.compiled.clone() })),
                    expanded.findings,
                );
            }
            let root = expanded.root.clone();
            let (image, mut findings) = document.read(expanded, assignment);
            let Some(image) = image.filter(|_| !model::has_errors(&findings)) else { return (None, findings) };
            let config = image.config;
            match self.lowerer.lower(&config, &config.architectures, &self.local) {
                Ok(plan) => {
                    let compiled = Compiled { name: config.name.value, plan: Arc::new(plan), changed: true };
                    (Some((place, root, compiled)), findings)
                }
                Err(found) => {
                    findings.extend(document.trace(assignment, found));
                    (None, findings)
                }
            }
        })?;
        let mut compiled = Vec::with_capacity(all.len());
        self.images.clear();
        for (place, root, image) in all.into_iter().flatten() {
            compiled.push(image.clone());
            self.images.insert(place, Known { root, compiled: image });
        }
        Ok((compiled, findings))
    }
}
