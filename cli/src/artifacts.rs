//! What a build writes beside the image: `--artifacts DIR`.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::Path;

use evidence::{Bill, Format as Form, Locked};
use model::config::Config;
use model::inventory::Inventory;
use model::lock::Lock;
use model::plan::{Op, Plan, PlanKey};
use model::{Arch, Finding, codes};
use runtime::Output;
use runtime::execute::{Executed, Value};
use runtime::store::Store;

use crate::commands::PlannedImage;

/// The targets of plans that are artifacts, and what is written of each for its architecture.
const TARGETS: [(&str, &str); 2] = [("compile-flags/", "compile-flags-ARCH.json"), ("debug/", "debug-ARCH.tar.gz")];
/// What every Run step printed.
const LOG: &str = "build-log.txt";
/// The comparisons of what Run steps made twice.
const COMPARISONS: &str = "reproducibility.txt";

/// Writes the artifacts of one plan, as many as there are: of a build that failed, at least what was printed.
pub(crate) fn write(
    store: &Store,
    dir: &Path,
    planned: &PlannedImage<'_>,
    lock: &Lock,
    executed: &Executed,
) -> Result<(), Finding> {
    let plan = &planned.plan;
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
    let config = &planned.image.config;
    for arch in &config.architectures {
        bills(store, dir, config, *arch, (plan, lock), executed)?;
    }
    let logs = by_title(plan, &executed.logs);
    let mut texts = Vec::new();
    for (title, key, log) in logs {
        texts.push((title, key, store.open_blob(&log.digest)?));
    }
    if !texts.is_empty() {
        whole(&dir.join(LOG), |to| {
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
    whole(&dir.join(COMPARISONS), |to| {
        comparisons.iter().try_for_each(|(title, key, repeated)| write!(to, "== {title} ({key})\n{repeated}"))
    })
}

/// Writes the bills of materials of the image of one architecture, in every form, if it was made.
fn bills(
    store: &Store,
    dir: &Path,
    config: &Config,
    arch: Arch,
    (plan, lock): (&Plan, &Lock),
    executed: &Executed,
) -> Result<(), Finding> {
    let value = |target: &str| plan.targets.get(target).and_then(|key| executed.values.get(key));
    let (Some(Value::Image(image)), Some(Value::Blob(inventory))) =
        (value(arch.name()), value(&format!("inventory/{arch}")))
    else {
        return Ok(());
    };
    let bytes = store.read(&inventory.digest, inventory.size)?;
    let inventory: Inventory = serde_json::from_slice(&bytes)
        .map_err(|e| Finding::error(codes::STORE_IO, format!("an inventory cannot be read: {e}")))?;
    let resolution = lock.image(&compiler::config::asked(config).digest(), arch);
    let image = evidence::Image {
        name: config.name.value.clone(),
        version: config.version.as_ref().map(|version| version.value.clone()),
        architecture: arch.name().to_owned(),
        manifest: Some(image.manifest.digest),
        layers: image.layers.iter().map(|layer| layer.digest).collect(),
        created: plan.epoch,
    };
    let bill = Bill::new(image, &inventory, resolution.map(|resolution| Locked { lock, resolution }));
    Form::ALL.into_iter().try_for_each(|form| {
        let name = format!("sbom-{arch}{}", form.ending());
        whole(&dir.join(name), |to| evidence::sbom(&bill, form, to))
    })
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

/// Writes a file whole or not at all.
fn whole(path: &Path, write: impl FnOnce(&mut io::BufWriter<Output>) -> io::Result<()>) -> Result<(), Finding> {
    let failed = |e: io::Error| Finding::error(codes::OUTPUT_IO, format!("{} cannot be written: {e}", path.display()));
    let mut to = io::BufWriter::new(Output::create(path).map_err(failed)?);
    write(&mut to).map_err(failed)?;
    to.into_inner().map_err(|e| failed(e.into_error()))?.commit().map_err(failed)
}
