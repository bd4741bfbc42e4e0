//! How everything compiled in an image was compiled.

use std::collections::{BTreeMap, BTreeSet};

use inspect::elf;
use model::hardening::{CompileFlags, Demand, Hardening, Judged, Profile, Proof, Provenance};
use model::plan::Part;
use model::{Arch, Digest, Finding, Kind, TreePath, canonical_json, codes};

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
    let mut sources: BTreeMap<(&TreePath, Digest), String> = BTreeMap::new();
    for (input, part) in inputs.iter().zip(parts) {
        let (origin, demanded) = match part.clone() {
            Part::Compiled { step, package } => (Provenance::Compiled { step, package }, &demands.compiled),
            Part::Prebuilt { package } => (Provenance::Prebuilt { package }, &demands.prebuilt),
            Part::Source { package } => {
                let files = input.tree.entries().iter().filter_map(|(path, entry)| match entry.node {
                    Kind::File { digest, .. } => Some(((path, digest), package.clone())),
                    _ => None,
                });
                sources.extend(files);
                continue;
            }
            Part::Debug => continue,
        };
        for (path, facts) in elves(context, input)? {
            let (origin, demanded) = match content_of(input, &path).and_then(|digest| sources.get(&(&path, digest))) {
                Some(package) => (Provenance::Prebuilt { package: package.clone() }, &demands.prebuilt),
                None => (origin.clone(), demanded),
            };
            if facts.machine != arch.elf_machine() {
                continue; // never loaded here; packages bring such files as data
            }
            let facts = described(facts, &debug);
            let verdict = if is_openssl(&origin) {
                let others = demanded.iter().copied().filter(|demand| *demand != Demand::ImageCryptography);
                elf::judge(&facts, &others.collect())
            } else {
                elf::judge(&facts, demanded)
            };
            files.insert(path, Judged { origin, facts, verdict });
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

/// Whether this is the OpenSSL of the image itself.
fn is_openssl(origin: &Provenance) -> bool {
    matches!(origin, Provenance::Compiled { package, .. } if package.starts_with("pkg:generic/openssl@"))
}

fn content_of(input: &Input, path: &TreePath) -> Option<Digest> {
    match input.tree.entries().get(path)?.node {
        Kind::File { digest, .. } => Some(digest),
        _ => None,
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

/// The findings that name every file which lacks something, and what.
fn complaint(document: &CompileFlags) -> Option<Finding> {
    let (cryptography, hardening) = (Demand::ImageCryptography, &document.profile);
    let bundled = lacking(document, |demand| demand == cryptography);
    if !bundled.is_empty() {
        let packages: BTreeSet<&str> = bundled.iter().map(|(package, _)| package_name(package)).collect();
        let packages = packages.into_iter().collect::<Vec<_>>().join(", ");
        let message = format!("cryptography of the {} image does not come from its FIPS provider", document.arch);
        let finding = named(Finding::error(codes::OWN_CRYPTOGRAPHY, message), &bundled);
        return Some(finding.help(format!(
            "build it from source, linked with the image's OpenSSL: `build_flags: {{no_binary: [{packages}]}}`, with the headers it needs under `build_packages`"
        )));
    }
    let lacking = lacking(document, |demand| demand != cryptography);
    let message = match lacking.len() {
        0 => return None,
        1 => format!("a file of the {} image lacks what `hardening: {hardening}` demands", document.arch),
        count => format!("{count} files of the {} image lack what `hardening: {hardening}` demands", document.arch),
    };
    let finding = named(Finding::error(codes::HARDENING_MISSING, message), &lacking);
    Some(finding.help("compile it from source with these flags, take another package, or choose another profile"))
}

/// The files that lack one of some demands: the package each is of, and what is missing.
fn lacking(document: &CompileFlags, of: impl Fn(Demand) -> bool) -> Vec<(&str, String)> {
    let of_file = |(path, judged)| {
        let (path, judged): (&TreePath, &Judged) = (path, judged);
        let missing =
            judged.verdict.iter().filter(|(demand, _)| of(**demand)).filter_map(|(demand, proof)| match proof {
                Proof::Missing(why) => Some(format!("{}: {why}", demand.name())),
                _ => None,
            });
        let missing: Vec<String> = missing.collect();
        let (what, package) = match &judged.origin {
            Provenance::Compiled { package, .. } => ("compiled here", package),
            Provenance::Prebuilt { package } => ("prebuilt", package),
        };
        let line = format!("/{} ({what}, {package}): {}", path.display(), missing.join("; "));
        (!missing.is_empty()).then_some((package.as_str(), line))
    };
    document.files.iter().filter_map(of_file).collect()
}

fn named(finding: Finding, lacking: &[(&str, String)]) -> Finding {
    let finding = lacking.iter().take(NAMED).fold(finding, |finding, (_, line)| finding.because(line.clone()));
    match lacking.len().saturating_sub(NAMED) {
        0 => finding,
        more => finding.because(format!("and {more} more")),
    }
}

/// `psycopg2-binary` of `pkg:pypi/psycopg2-binary@2.9.9?…`.
fn package_name(id: &str) -> &str {
    let name = id.split_once('@').map_or(id, |(name, _)| name);
    name.rsplit('/').next().unwrap_or(name)
}

#[cfg(test)]
mod tests;
