//! Go modules, as the linker records them in every program since Go 1.18 (`debug/buildinfo` of Go's standard library).

use model::TreePath;
use model::inventory::{Ecosystem, Found};

use super::{Told, said};

pub(super) const SECTION: &str = ".go.buildinfo";
const MAGIC: &[u8] = b"\xff Go buildinf:";
/// Where the texts begin, if the record holds them itself.
const TEXTS: usize = 32;
const FLAGS: usize = 15;
/// The flag that says so.
const INLINE: u8 = 2;
/// Bytes before and after the list of modules.
const GUARD: usize = 16;

pub(super) fn modules(path: &TreePath, section: &[u8]) -> Told {
    let Some(record) = section.strip_prefix(MAGIC) else {
        return Told::unread("its record of Go modules has another form");
    };
    let flags = record.get(FLAGS - MAGIC.len()).copied().unwrap_or_default();
    if flags & INLINE == 0 {
        return Told::unread("it was compiled by a Go before 1.18, whose record of modules is not read");
    }
    let texts = section.get(TEXTS..).and_then(|rest| {
        let (version, rest) = counted(rest)?;
        let (modules, _) = counted(rest)?;
        let modules = modules.get(GUARD..modules.len().checked_sub(GUARD)?).unwrap_or_default();
        Some((std::str::from_utf8(version).ok()?, std::str::from_utf8(modules).ok()?))
    });
    let Some((compiler, modules)) = texts else { return Told::unread("its record of Go modules is cut off") };

    let mut found: Vec<Found> = Vec::new();
    let module = |name: &str, version: Option<&str>, sum: Option<&str>| {
        let (namespace, name) =
            name.rsplit_once('/').map_or((None, name), |(above, name)| (Some(above.to_owned()), name));
        Found {
            namespace,
            // A program built from a folder has no version of its own.
            version: version.filter(|version| *version != "(devel)").and_then(said),
            checksum: sum.and_then(said),
            ..Found::new(Ecosystem::Golang, name, path)
        }
    };
    for line in modules.lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        match *fields.as_slice() {
            ["mod" | "dep", name, version, ref sum @ ..] => {
                found.push(module(name, Some(version), sum.first().copied()));
            }
            // What stands in for the module above.
            ["=>", name, version, ref sum @ ..] => {
                let replaced = found.pop();
                found.extend(replaced.map(|_| module(name, Some(version), sum.first().copied())));
            }
            _ => {}
        }
    }
    let version = compiler.strip_prefix("go").and_then(|version| version.split(' ').next());
    found.push(module("stdlib", version, None));
    // The program's own module comes first, if it has one.
    let is_own = modules.lines().any(|line| line.starts_with("mod\t"));
    found.iter_mut().skip(1).for_each(|module| module.holder = is_own.then_some(0));
    Told { found, ..Told::default() }
}

/// A text after its length, and what follows. Lengths are written as `encoding/binary` does: seven bits in each byte, low ones first.
fn counted(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (mut length, mut used) = (0_usize, 0);
    loop {
        let byte = *bytes.get(used)?;
        length |= usize::from(byte & 0x7f).checked_shl(7 * u32::try_from(used).ok()?)?;
        used += 1;
        if byte & 0x80 == 0 {
            break;
        }
        if used > 4 {
            return None;
        }
    }
    bytes.get(used..)?.split_at_checked(length)
}
