//! Checks over the finished tree of an image.

use std::collections::{BTreeMap, BTreeSet};

use inspect::archive::target_bytes;
use inspect::elf::{self, Elf};
use model::plan::Check;
use model::{Arch, Entry, Finding, Kind, TreePath, codes};

use super::content::Content;
use super::run::Input;
use super::{Context, Record, Value};

/// Symbolic links followed before a path counts as leading nowhere, as in the kernel.
const MAX_LINKS: usize = 40;
/// How many files a finding names.
const NAMED: usize = 10;

/// Runs a check over the union of the inputs, later ones covering earlier ones as layers do.
pub(super) fn run(context: &Context, inputs: &[Input], check: Check, arch: Arch) -> Result<Record, Finding> {
    let Check::Libraries = check;
    let mut root = Root(BTreeMap::new());
    for input in inputs {
        root.0.extend(input.tree.entries());
    }
    let packs: BTreeSet<_> = inputs.iter().flat_map(|input| input.packs.iter().copied()).collect();
    let content = Content::open(context, &packs.into_iter().collect::<Vec<_>>())?;
    let missing = missing(&root, &elves(&root, &content, arch)?, arch);
    if missing.is_empty() {
        return Ok(Record::new(Value::Nothing, Vec::new()));
    }
    let message = format!(
        "{} needed librar{} in no package of the {arch} image",
        missing.len(),
        if missing.len() == 1 { "y is" } else { "ies are" }
    );
    let finding = Finding::error(codes::LIBRARY_MISSING, message)
        .help("Add the Debian package that has the library to `system_packages`, or leave out what needs it.");
    Err(missing.iter().take(NAMED).fold(finding, |finding, (library, by)| {
        let more = if by.len() > 1 { format!(" and {} more", by.len() - 1) } else { String::new() };
        finding.because(format!("{library} is needed by {}{more}", by.first().map_or("", String::as_str)))
    }))
}

/// The architecture's own ELF files; what others bring along for other machines is never loaded.
fn elves<'a>(root: &Root<'a>, content: &Content, arch: Arch) -> Result<Vec<(&'a TreePath, Elf)>, Finding> {
    let mut elves = Vec::new();
    for (path, entry) in &root.0 {
        let Kind::File { digest, size } = entry.node else { continue };
        let reader = content.read(&digest, size)?;
        if !reader.peek::<20>().is_some_and(|start| elf::is_elf(&start)) {
            continue;
        }
        // What is no valid ELF file cannot be loaded, and test data of that kind is common.
        if let Ok(elf) = elf::read(reader.seekable()?)
            && elf.is_64
            && elf.machine == arch.elf_machine()
        {
            elves.push((*path, elf));
        }
    }
    Ok(elves)
}

/// Every library that is needed and not there, with the files that need it.
fn missing(root: &Root, elves: &[(&TreePath, Elf)], arch: Arch) -> BTreeMap<String, Vec<String>> {
    // A process that has loaded a library serves every file that needs the same name.
    let sonames: BTreeSet<&str> = elves.iter().filter_map(|(_, elf)| elf.soname.as_deref()).collect();
    let defaults = [
        format!("lib/{}", arch.multiarch()),
        format!("usr/lib/{}", arch.multiarch()),
        "lib".into(),
        "usr/lib".into(),
        "lib64".into(),
        "usr/lib64".into(),
        "usr/local/lib".into(),
    ];
    let mut missing: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (path, elf) in elves {
        let origin = path.parent().map(|dir| dir.display()).unwrap_or_default();
        let own = if elf.runpath.is_empty() { &elf.rpath } else { &elf.runpath };
        let own = own.iter().map(|dir| dir.replace("${ORIGIN}", "$ORIGIN").replace("$ORIGIN", &format!("/{origin}")));
        let dirs: Vec<String> = own.chain(defaults.iter().cloned()).collect();
        let provided = |library: &str| {
            let found = |at: &str| root.is_file(at.as_bytes());
            if library.contains('/') {
                found(library)
            } else {
                sonames.contains(library) || dirs.iter().any(|dir| found(&format!("{dir}/{library}")))
            }
        };
        let interpreter = elf.interpreter.iter().filter(|interpreter| !root.is_file(interpreter.as_bytes()));
        for library in elf.needed.iter().filter(|library| !provided(library)).chain(interpreter) {
            missing.entry(library.clone()).or_default().push(format!("/{}", path.display()));
        }
    }
    missing
}

/// The image's root directory, united from its layers.
struct Root<'a>(BTreeMap<&'a TreePath, &'a Entry>);

impl Root<'_> {
    /// Whether a path leads to a regular file, through whatever links.
    fn is_file(&self, path: &[u8]) -> bool {
        let mut open: Vec<Vec<u8>> = path.rsplit(|b| *b == b'/').map(<[u8]>::to_vec).collect();
        let mut at: Vec<u8> = Vec::new();
        let mut links = 0;
        while let Some(part) = open.pop() {
            match part.as_slice() {
                b"" | b"." => continue,
                b".." => {
                    at.truncate(at.iter().rposition(|b| *b == b'/').unwrap_or(0));
                    continue;
                }
                _ => {}
            }
            let parent = at.len();
            if parent > 0 {
                at.push(b'/');
            }
            at.extend(&part);
            let Some(entry) = TreePath::new(at.clone()).ok().and_then(|path| self.0.get(&path).copied()) else {
                return false;
            };
            match &entry.node {
                Kind::Dir => {}
                Kind::File { .. } | Kind::Hardlink { .. } => return open.is_empty(),
                Kind::Symlink { target } => {
                    links += 1;
                    if links > MAX_LINKS {
                        return false;
                    }
                    let target = target_bytes(target);
                    at.truncate(if target.starts_with(b"/") { 0 } else { parent });
                    open.extend(target.rsplit(|b| *b == b'/').map(<[u8]>::to_vec));
                }
            }
        }
        false
    }
}

#[cfg(test)]
mod tests;
