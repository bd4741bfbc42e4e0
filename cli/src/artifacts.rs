//! What a build writes beside the image: `--artifacts DIR`.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use model::plan::{Op, Plan, PlanKey};
use model::{Finding, codes};
use runtime::Output;
use runtime::execute::{Executed, Object, Value};
use runtime::store::Store;

/// The targets of plans that are artifacts, and what is written of each for its architecture.
const TARGETS: [(&str, &str); 2] = [("compile-flags/", "compile-flags-ARCH.json"), ("debug/", "debug-ARCH.tar.gz")];
/// What every Run step printed.
const LOG: &str = "build-log.txt";

/// Writes the artifacts of one plan, as many as there are: of a build that failed, at least what was printed.
pub(crate) fn write(store: &Store, dir: &Path, plan: &Plan, executed: &Executed) -> Result<(), Finding> {
    let failed = |e: io::Error| Finding::error(codes::OUTPUT_IO, format!("{} cannot be written: {e}", dir.display()));
    fs::create_dir_all(dir).map_err(failed)?;
    for (target, key) in &plan.targets {
        for (prefix, name) in TARGETS {
            if let (Some(arch), Some(value)) = (target.strip_prefix(prefix), executed.values.get(key)) {
                let object = match value {
                    Value::Blob(object) => object.digest,
                    Value::Layer(layer) => layer.digest,
                    _ => continue,
                };
                let mut from = store.open_blob(&object)?;
                whole(&dir.join(name.replace("ARCH", arch)), |to| io::copy(&mut from, to).map(drop))?;
            }
        }
    }
    let mut logs: Vec<(&str, &PlanKey, &Object)> = Vec::new();
    for (key, log) in &executed.logs {
        if let Some(Op::Run { title, .. }) = plan.steps.get(key).map(|step| &step.op) {
            logs.push((title, key, log));
        }
    }
    if logs.is_empty() {
        return Ok(());
    }
    logs.sort_by_key(|(title, key, _)| (*title, **key));
    let mut texts = Vec::new();
    for (title, key, log) in logs {
        texts.push((title, key, store.open_blob(&log.digest)?));
    }
    whole(&dir.join(LOG), |to| {
        for (title, key, text) in &mut texts {
            writeln!(to, "== {title} ({key})")?;
            io::copy(text, to)?;
        }
        Ok(())
    })
}

/// Writes a file whole or not at all.
fn whole(path: &Path, write: impl FnOnce(&mut io::BufWriter<Output>) -> io::Result<()>) -> Result<(), Finding> {
    let failed = |e: io::Error| Finding::error(codes::OUTPUT_IO, format!("{} cannot be written: {e}", path.display()));
    let mut to = io::BufWriter::new(Output::create(path).map_err(failed)?);
    write(&mut to).map_err(failed)?;
    to.into_inner().map_err(|e| failed(e.into_error()))?.commit().map_err(failed)
}
