//! What a build writes beside the image: `--artifacts DIR`.

mod evidence;
mod facts;

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;

use ::evidence::DocumentFacts;
use files::Output;
use model::plan::{Op, Plan, PlanKey};
use model::{Digest, Finding, Hasher, codes};
use runtime::execute::{Executed, Value};
use runtime::store::Store;

use crate::commands::PlannedImage;

pub(crate) use self::evidence::Finished;

/// The targets of plans that are artifacts, what is written of each for its architecture, and what that is.
const TARGETS: [(&str, &str, &str); 2] = [
    ("compile-flags/", "compile-flags-ARCH.json", "how every file was compiled"),
    ("debug/", "debug-ARCH.tar.gz", "debug information"),
];
/// What every Run step printed.
const LOG: &str = "build-log.txt";
/// Signed statements, one bundle on a line.
pub(crate) const SIGNED: &str = "attestations.sigstore.jsonl";
/// The comparisons of what Run steps made twice.
const COMPARISONS: &str = "reproducibility.txt";

/// The folder of the artifacts of one image.
pub(crate) struct Artifacts<'s> {
    store: &'s Store,
    pub(crate) dir: PathBuf,
    written: Vec<DocumentFacts>,
}

impl<'s> Artifacts<'s> {
    /// Makes the folder.
    pub(crate) fn new(store: &'s Store, dir: PathBuf) -> Result<Self, Finding> {
        fs::create_dir_all(&dir)
            .map_err(|e| Finding::error(codes::OUTPUT_IO, format!("{} cannot be written: {e}", dir.display())))?;
        Ok(Self { store, dir, written: Vec::new() })
    }

    /// What steps left besides the image, as much as there is: of a build that failed, at least what was printed.
    pub(crate) fn of_steps(&mut self, planned: &PlannedImage<'_>, executed: &Executed) -> Result<(), Finding> {
        let (store, plan) = (self.store, &planned.plan);
        for (target, key) in &plan.targets {
            for (prefix, name, about) in TARGETS {
                if let (Some(arch), Some(value)) = (target.strip_prefix(prefix), executed.values.get(key)) {
                    let object = match value {
                        Value::Blob(object) => object.digest,
                        Value::Layer(layer) => layer.digest,
                        _ => continue,
                    };
                    let mut from = store.open_blob(&object)?;
                    self.write(&name.replace("ARCH", arch), about, |to| io::copy(&mut from, to).map(drop))?;
                }
            }
        }
        let mut texts = Vec::new();
        for (title, key, log) in by_title(plan, &executed.logs) {
            texts.push((title, key, store.open_blob(&log.digest)?));
        }
        if !texts.is_empty() {
            self.write(LOG, "what every command printed", |to| {
                for (title, key, text) in &mut texts {
                    writeln!(to, "== {title} ({key})")?;
                    io::copy(text, to)?;
                }
                Ok(())
            })?;
        }
        let comparisons = by_title(plan, &executed.repeated);
        if comparisons.is_empty() {
            return Ok(());
        }
        self.write(COMPARISONS, "what commands made when they were run twice", |to| {
            comparisons.iter().try_for_each(|(title, key, repeated)| write!(to, "== {title} ({key})\n{repeated}"))
        })
    }

    /// Writes a file whole or not at all.
    fn write(
        &mut self,
        name: &str,
        about: &'static str,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), Finding> {
        let path = self.dir.join(name);
        let failed =
            |e: io::Error| Finding::error(codes::OUTPUT_IO, format!("{} cannot be written: {e}", path.display()));
        let output = Hashed { inner: Output::create(&path).map_err(failed)?, hasher: Hasher::new(), size: 0 };
        let mut to = io::BufWriter::new(output);
        write(&mut to).map_err(failed)?;
        let Hashed { inner, hasher, size } = to.into_inner().map_err(|e| failed(e.into_error()))?;
        inner.commit().map_err(failed)?;
        self.written.push(DocumentFacts { name: name.to_owned(), about, digest: hasher.finish(), size });
        Ok(())
    }

    /// Removes a file that another build may have left.
    fn remove(&self, name: &str) -> Result<(), Finding> {
        match fs::remove_file(self.dir.join(name)) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => {
                Err(Finding::error(codes::OUTPUT_IO, format!("{name} cannot be removed: {e}")))
            }
            _ => Ok(()),
        }
    }

    /// Writes bytes.
    fn bytes(&mut self, name: &str, about: &'static str, bytes: &[u8]) -> Result<(), Finding> {
        self.write(name, about, |to| to.write_all(bytes))
    }

    /// Name and digest of what was written so far.
    fn digests(&self) -> Vec<(String, Digest)> {
        self.written.iter().map(|document| (document.name.clone(), document.digest)).collect()
    }
}

/// A file that is written, and the digest of what is.
struct Hashed {
    inner: Output,
    hasher: Hasher,
    size: u64,
}

impl Write for Hashed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.hasher.update(bytes.get(..written).unwrap_or_default());
        self.size += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// What there is of the Run steps of a plan, by their titles.
fn by_title<'a, T>(plan: &'a Plan, of: &'a BTreeMap<PlanKey, T>) -> Vec<(&'a str, &'a PlanKey, &'a T)> {
    let titled = |(key, value)| match plan.steps.get(key).map(|step| &step.op) {
        Some(Op::Run { title, .. }) => Some((title.as_str(), key, value)),
        _ => None,
    };
    let mut found: Vec<(&str, &PlanKey, &T)> = of.iter().filter_map(titled).collect();
    found.sort_by_key(|(title, key, _)| (*title, **key));
    found
}
