//! The texts of policies, read and put together.

use std::collections::BTreeSet;
use std::path::Path;

use files::policies::Bundle;
use grammar::yaml::{Kind, Node};
use model::{Digest, Finding, Findings, Sources, codes, has_errors};
use policy::testing::{Cases, Tests};
use policy::{Budget, Engine, Policy};

use crate::{MOST_TIME, named, watched};

/// Policies that were named together.
#[derive(Default)]
pub struct Loaded {
    /// What demands something.
    pub policies: Vec<Policy>,
    /// The tests beside them.
    pub tests: Tests,
    /// What was named, and its digest.
    pub named: Vec<(String, Digest)>,
    /// The texts of policies as they were given, with their names.
    pub texts: Vec<(String, String)>,
    /// Of all texts, with whether each is a test.
    digests: BTreeSet<(bool, Digest)>,
}

impl Loaded {
    /// Reads policies by their names: `stdlib:NAME`, or a path from `folder`; after `@`, the digest one has to have. What is read goes
    /// to the sources, where findings show it.
    ///
    /// # Errors
    /// Everything that is wrong with their texts at once; `POLICY_IO`, `POLICY_CHANGED`, `USAGE` where a name leads to no policy.
    pub fn read(names: &[String], folder: &Path, sources: &mut Sources) -> Result<Self, Findings> {
        let mut loaded = Self::default();
        let mut findings = Findings::new();
        for name in names {
            match named::bundle(name, folder) {
                Ok((shown, bundle)) => loaded.add(name, &shown, bundle, sources, &mut findings),
                Err(finding) => findings.push(finding),
            }
        }
        if has_errors(&findings) { Err(findings) } else { Ok(loaded) }
    }

    fn add(&mut self, named: &str, shown: &str, bundle: Bundle, sources: &mut Sources, findings: &mut Findings) {
        self.named.push((named.to_owned(), bundle.digest));
        let files = bundle.files;
        let alone = files.len() == 1;
        for (name, bytes) in files {
            let shown = match shown {
                "stdlib:" => format!("{shown}{name}"),
                _ if alone && shown.ends_with(&name) => shown.to_owned(),
                _ => format!("{}/{name}", shown.trim_end_matches('/')),
            };
            let text = match grammar::decode(&bytes) {
                Ok(text) => text.to_owned(),
                Err(finding) => {
                    findings.push(finding.because(format!("the file is {shown}")));
                    continue;
                }
            };
            // Named twice, it is one.
            if !self.digests.insert((is_test(&shown), Digest::of(text.as_bytes()))) {
                continue;
            }
            let policies = self.policies.len();
            if let Err(found) = self.add_text(&shown, &text, sources) {
                findings.extend(found);
            }
            if self.policies.len() > policies {
                self.texts.push((shown, text));
            }
        }
    }

    fn add_text(&mut self, name: &str, text: &str, sources: &mut Sources) -> Result<(), Findings> {
        let source = sources.add(name, text);
        let stem = Path::new(name).file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if is_test(name) {
            return self.tests.add_rego(source, text);
        }
        if name.ends_with(".rego") {
            self.policies.push(Policy::rego(&stem, source, text)?);
            return Ok(());
        }
        let parsed = grammar::yaml::parse(source, text);
        let root = match parsed.root {
            Some(root) if !has_errors(&parsed.findings) => root,
            _ => return Err(parsed.findings),
        };
        if is_of_kind(&root, "policy-cases") {
            self.tests.add_cases(Cases::read(&root)?);
        } else {
            self.policies.push(Policy::yaml(&root)?);
        }
        Ok(())
    }

    /// Checks them together and makes them ready.
    ///
    /// # Errors
    /// What is wrong with them; `POLICY_BUDGET` where that takes too long.
    pub fn engine(&self) -> Result<Engine, Findings> {
        watched(MOST_TIME, self.policies.clone(), |policies| Engine::new(policies, Budget::default()))?
    }

    /// The same for being asked: `None` where nothing was named, and a finding where what was named demands nothing.
    ///
    /// # Errors
    /// As [`Loaded::engine`]; `POLICY_IO`.
    pub fn demands(&self) -> Result<Option<Engine>, Findings> {
        if self.named.is_empty() {
            return Ok(None);
        }
        let engine = self.engine()?;
        if engine.rules().next().is_some() {
            return Ok(Some(engine));
        }
        let names: Vec<&str> = self.named.iter().map(|(name, _)| name.as_str()).collect();
        let message = format!("no policy demands anything: {}", names.join(", "));
        Err(Finding::error(codes::POLICY_IO, message).help("add a rule, or do not name it").into())
    }
}

fn is_test(name: &str) -> bool {
    name.ends_with("_test.rego")
}

fn is_of_kind(root: &Node, kind: &str) -> bool {
    let Kind::Map(pairs) = &root.kind else { return false };
    let is_kind = |node: &Node| matches!(&node.kind, Kind::Scalar { text, .. } if text == kind);
    pairs.iter().any(|pair| pair.key.value == "kind" && is_kind(&pair.value))
}
