//! How everything compiled in an image was compiled.

use std::collections::BTreeMap;

use inspect::elf;
use model::hardening::{CompileFlags, Hardening, Judged, Profile, Proof, Provenance};
use model::plan::Part;
use model::{Arch, Finding, Kind, TreePath, canonical_json, codes};

use super::content::Content;
use super::run::Input;
use super::{Context, Record, Value, broken};

/// How many files a finding names.
const NAMED: usize = 20;

/// Inspects every ELF file of the inputs, each of which `parts` describes, and judges it by what is demanded.
pub(super) fn run(
    context: &Context,
    inputs: &[Input],
    parts: &[Part],
    profile: &str,
    demands: &Profile,
    arch: Arch,
) -> Result<Record, Finding> {
    if parts.len() != inputs.len() {
        return Err(broken("an inspection does not say what each of its inputs is"));
    }
    let debug = debug_files(context, inputs, parts)?;
    let mut files = BTreeMap::new();
    for (input, part) in inputs.iter().zip(parts) {
        let (origin, demanded) = match part.clone() {
            Part::Compiled { step, package } => (Provenance::Compiled { step, package }, &demands.compiled),
            Part::Prebuilt { package } => (Provenance::Prebuilt { package }, &demands.prebuilt),
            Part::Debug => continue,
        };
        for (path, facts) in elves(context, input)? {
            if facts.machine != arch.elf_machine() {
                continue; // never loaded here; packages bring such files as data
            }
            let facts = described(facts, &debug);
            let verdict = elf::judge(&facts, demanded);
            files.insert(path, Judged { origin: origin.clone(), facts, verdict });
        }
    }
    let document = CompileFlags { format: CompileFlags::FORMAT, arch, profile: profile.to_owned(), files };
    match complaint(&document) {
        Some(finding) => Err(finding),
        None => {
            let kept = context.keep_document(&canonical_json(&document))?;
            Ok(Record::new(Value::Blob(kept), vec![kept.digest]))
        }
    }
}

/// The facts of every ELF file of a tree. What is no whole ELF file cannot be loaded, and test data of that kind is common.
fn elves(context: &Context, input: &Input) -> Result<Vec<(TreePath, Hardening)>, Finding> {
    let content = Content::open(context, &input.packs)?;
    let mut found = Vec::new();
    for (path, entry) in input.tree.entries() {
        let Kind::File { digest, size } = entry.node else { continue };
        let reader = content.read(&digest, size)?;
        if reader.peek::<20>().is_some_and(|start| elf::is_elf(&start))
            && let Ok(facts) = elf::hardening(reader.seekable()?)
        {
            found.push((path.clone(), facts));
        }
    }
    Ok(found)
}

/// Facts of the debug files, by build id.
fn debug_files(context: &Context, inputs: &[Input], parts: &[Part]) -> Result<BTreeMap<String, Hardening>, Finding> {
    let mut debug = BTreeMap::new();
    for (input, _) in inputs.iter().zip(parts).filter(|(_, part)| **part == Part::Debug) {
        let by_id = elves(context, input)?.into_iter().filter_map(|(_, facts)| Some((facts.build_id.clone()?, facts)));
        debug.extend(by_id);
    }
    Ok(debug)
}

/// Facts with what a debug file of the same build adds.
fn described(facts: Hardening, debug: &BTreeMap<String, Hardening>) -> Hardening {
    let of_build = facts.build_id.as_ref().and_then(|id| debug.get(id));
    of_build.and_then(|debug| elf::described(facts.clone(), debug.clone()).ok()).unwrap_or(facts)
}

/// The finding that names every file which lacks something, and what.
fn complaint(document: &CompileFlags) -> Option<Finding> {
    let lacking = |(path, judged): (&TreePath, &Judged)| {
        let missing = judged.verdict.iter().filter_map(|(demand, proof)| match proof {
            Proof::Missing(why) => Some(format!("{}: {why}", demand.name())),
            _ => None,
        });
        let missing: Vec<String> = missing.collect();
        let (what, package) = match &judged.origin {
            Provenance::Compiled { package, .. } => ("compiled here", package),
            Provenance::Prebuilt { package } => ("prebuilt", package),
        };
        (!missing.is_empty()).then(|| format!("/{} ({what}, {package}): {}", path.display(), missing.join("; ")))
    };
    let lacking: Vec<String> = document.files.iter().filter_map(lacking).collect();
    let count = lacking.len();
    let first = lacking.first()?;
    let message = match count {
        1 => format!("a file of the {} image lacks what `hardening: {}` demands", document.arch, document.profile),
        _ => {
            format!("{count} files of the {} image lack what `hardening: {}` demands", document.arch, document.profile)
        }
    };
    let finding = Finding::error(codes::HARDENING_MISSING, message).because(first.clone());
    let finding = lacking.iter().skip(1).take(NAMED - 1).fold(finding, |finding, line| finding.because(line.clone()));
    let more = count.saturating_sub(NAMED);
    let finding = if more > 0 { finding.because(format!("and {more} more")) } else { finding };
    Some(finding.help("compile it from source with these flags, take another package, or choose another profile"))
}

#[cfg(test)]
mod tests;
