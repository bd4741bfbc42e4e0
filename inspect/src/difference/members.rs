//! The members of archives that differ: in what they hold, or in what the archive says of them.

use std::io::{self, Read, Seek};

use ::tar::Archive;
use ::zip::ZipArchive;
use model::{Digest, Hasher};

use super::{UNPACKED, numbered, shortened, shown, unpacked, whole};
use crate::archive::ar;

/// Members of an archive that is taken apart.
const MEMBERS: usize = 100_000;
/// Bytes of an archive's own table of long names.
const NAMES: u64 = 1 << 20;
/// Bytes of all names together. Many members may have one long name of such a table.
const ALL_NAMES: usize = 16 << 20;

/// A member, and what the archive says of it.
pub(super) struct Member {
    name: String,
    content: Digest,
    size: u64,
    about: [(&'static str, String); 3],
}

/// The members of an archive, in its order.
#[derive(Default)]
pub(super) struct Members {
    list: Vec<Member>,
    names: usize,
}

impl Members {
    fn add(&mut self, member: Member) -> io::Result<()> {
        self.names += member.name.len();
        if self.list.len() >= MEMBERS || self.names > ALL_NAMES {
            return Err(io::Error::other("it has more members than are looked at"));
        }
        self.list.push(member);
        Ok(())
    }
}

/// Compares two archives, read by `list`.
pub(super) fn differences<R: Read + Seek>(
    first: &mut R,
    second: &mut R,
    list: fn(&mut R) -> io::Result<Members>,
) -> io::Result<Vec<String>> {
    let (Members { list: first, .. }, Members { list: second, .. }) = (list(first)?, list(second)?);
    let (one, mut other) = (numbered(&first, |member| &member.name), numbered(&second, |member| &member.name));
    let mut lines = Vec::new();
    for (key, member) in one {
        match other.remove(&key) {
            None => lines.push(format!("only the first has the member {}", shown(key.0))),
            Some(twin) => lines.extend(unlike(member, twin)),
        }
    }
    lines.extend(other.keys().map(|(name, _)| format!("only the second has the member {}", shown(name))));
    if lines.is_empty() {
        let moved = first.iter().zip(&second).find(|(one, other)| one.name != other.name);
        lines.extend(moved.map(|(one, other)| {
            format!(
                "the members are equal, their order is not: where the first has {}, the second has {}",
                shown(&one.name),
                shown(&other.name)
            )
        }));
    }
    Ok(shortened(lines, "members"))
}

fn unlike(one: &Member, other: &Member) -> Option<String> {
    let mut what = Vec::new();
    if one.size != other.size {
        what.push(format!("it has {} bytes and {}", one.size, other.size));
    } else if one.content != other.content {
        what.push("its content differs".to_owned());
    }
    for ((of, one), (_, other)) in one.about.iter().zip(&other.about) {
        if one != other {
            what.push(format!("{of} {} and {}", shown(one), shown(other)));
        }
    }
    (!what.is_empty()).then(|| format!("the member {}: {}", shown(&one.name), what.join(", ")))
}

/// The members of a tar archive, compressed or not. Extension headers count as members of their own.
pub(super) fn tar<R: Read + Seek>(file: &mut R) -> io::Result<Members> {
    let mut budget = UNPACKED;
    let mut archive = Archive::new(unpacked(file)?);
    let mut members = Members::default();
    // raw: the library would read extension headers into memory whatever their size
    for member in archive.entries()?.raw(true) {
        let mut member = member?;
        let header = member.header();
        let link = String::from_utf8_lossy(&header.link_name_bytes().unwrap_or_default()).into_owned();
        let about = [
            ("times", header.mtime()?.to_string()),
            ("modes and owners", format!("{:o} {}:{}", header.mode()?, header.uid()?, header.gid()?)),
            ("kinds and targets", format!("{:?} {link}", header.entry_type())),
        ];
        let name = String::from_utf8_lossy(&header.path_bytes()).into_owned();
        let (content, size) = digest(&mut member, &mut budget)?;
        members.add(Member { name, content, size, about })?;
    }
    Ok(members)
}

/// The members of a zip archive, as its directory has them.
pub(super) fn zip<R: Read + Seek>(file: &mut R) -> io::Result<Members> {
    let mut budget = UNPACKED;
    let mut archive = ZipArchive::new(file)?;
    let mut members = Members::default();
    for index in 0..archive.len() {
        let mut member = archive.by_index(index)?;
        let about = [
            ("times", member.last_modified().map_or_else(String::new, |time| time.to_string())),
            ("modes", member.unix_mode().map_or_else(String::new, |mode| format!("{mode:o}"))),
            ("compressions", member.compression().to_string()),
        ];
        let name = member.name()?.into_owned();
        let (content, size) = digest(&mut member, &mut budget)?;
        members.add(Member { name, content, size, about })?;
    }
    Ok(members)
}

/// The members of an `ar` archive, as linkers read them: long names stand in a member of their own.
pub(super) fn ar<R: Read + Seek>(file: &mut R) -> io::Result<Members> {
    let mut budget = u64::MAX;
    let mut file = whole(file)?;
    ar::start(&mut file)?;
    let (mut members, mut names) = (Members::default(), Vec::new());
    while let Some(ar::Header { name, size, time, owner, mode }) = ar::next(&mut file)? {
        let mut content = file.by_ref().take(size);
        let mut hasher = Hasher::new();
        if name == "/" && size <= NAMES {
            content.read_to_end(&mut names)?;
            hasher.update(&names);
        }
        let (digest, _) = digest_onto(hasher, &mut content, &mut budget)?;
        ar::finish(&mut content, size)?;
        let about = [("times", time), ("owners", owner), ("modes", mode)];
        let name = long_name(&name, &names).unwrap_or(name);
        members.add(Member { name, content: digest, size, about })?;
    }
    Ok(members)
}

/// The name that `/17` stands for: what is at that place of the table.
fn long_name(name: &str, names: &[u8]) -> Option<String> {
    let at = name.strip_prefix('/')?.parse().ok()?;
    let name = names.get(at..)?.split(|byte| *byte == b'\n').next()?;
    Some(String::from_utf8_lossy(name.strip_suffix(b"/").unwrap_or(name)).into_owned())
}

fn digest(content: &mut dyn Read, budget: &mut u64) -> io::Result<(Digest, u64)> {
    digest_onto(Hasher::new(), content, budget)
}

fn digest_onto(mut hasher: Hasher, content: &mut dyn Read, budget: &mut u64) -> io::Result<(Digest, u64)> {
    let size = io::copy(&mut content.take(budget.saturating_add(1)), &mut hasher)?;
    *budget = budget.checked_sub(size).ok_or_else(|| io::Error::other("it unpacks to more than is looked at"))?;
    Ok((hasher.finish(), size))
}
