//! Tar archives: ustar, GNU long names, pax headers; plain or compressed with xz or gzip.

mod pax;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read, Seek};
use std::ops::Range;

use ::tar::{Archive, Entries, EntryType, Header};
use model::{Entry, Finding, Kind, Tree, TreePath};

use super::compression::decompress;
use super::link::target_text;
use super::members::Members;
use super::meter::Budget;
use super::{ContentSink, Limits, escapes, forbidden, invalid, too_large, unreadable};
use pax::Extensions;

/// What to make of an archive's members.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Keep numeric owners; otherwise everything belongs to root.
    pub owners: bool,
    /// Place what is in `/bin`, `/lib` and their like below `/usr`, where merged systems have it.
    pub merge_usr: bool,
}

/// Directories that are links into `/usr` on merged systems.
const MERGED: [&[u8]; 7] = [b"bin", b"sbin", b"lib", b"lib32", b"lib64", b"libo32", b"libx32"];

/// Reads an archive of `size` bytes as a tree.
///
/// # Errors
/// `ARCHIVE_INVALID`, `ARCHIVE_ESCAPES`, `ARCHIVE_TOO_LARGE`, `ARCHIVE_FORBIDDEN_MEMBER`.
pub fn unpack(
    input: impl Read,
    size: u64,
    options: Options,
    limits: &Limits,
    sink: &mut dyn ContentSink,
) -> Result<Tree, Finding> {
    let mut members = Members::new(limits);
    walk(input, size, limits, &mut |member, content| {
        members.count()?;
        let Some(mut path) = members.path(&member.name)? else { return Ok(()) };
        let mut entry = member.entry(options.owners);
        match member.kind {
            MemberKind::Dir => {}
            MemberKind::File { size } => {
                let (digest, stored) = sink.store(content).map_err(|e| content.budget.failed("the archive", &e))?;
                if stored != size {
                    return Err(invalid(format!("the archive ends inside the member {:?}", path.display())));
                }
                entry.node = Kind::File { digest, size };
            }
            MemberKind::Symlink => {
                entry.node = Kind::Symlink { target: target_text(members.target(&path, &member.link)?) };
                entry.mode = 0o777;
            }
            MemberKind::Hardlink => {
                let to = members.path(&member.link)?.ok_or_else(|| invalid("a hard link names the archive's root"))?;
                let to = if options.merge_usr { merge(to, false) } else { to };
                let (to, first) = members.linked(&path, &to)?;
                entry = Entry { node: Kind::Hardlink { to }, ..first };
            }
            MemberKind::Special(what) => return Err(forbidden(&path.display(), what)),
        }
        if options.merge_usr {
            path = merge(path, entry.node == Kind::Dir);
        }
        members.add(path, entry)
    })?;
    members.finish()
}

fn merge(path: TreePath, is_dir: bool) -> TreePath {
    let bytes = path.as_bytes();
    let (first, below) = match bytes.iter().position(|b| *b == b'/') {
        Some(at) => (bytes.get(..at).unwrap_or(bytes), true),
        None => (bytes, false),
    };
    // A package that brings the links themselves brings no directory.
    if !MERGED.contains(&first) || !(below || is_dir) {
        return path;
    }
    TreePath::new([b"usr/", bytes].concat()).unwrap_or(path)
}

pub(crate) enum MemberKind {
    Dir,
    File {
        size: u64,
    },
    Symlink,
    Hardlink,
    /// What packages do not bring, and images may have.
    Special(&'static str),
}

pub(crate) struct Member {
    pub(crate) name: Vec<u8>,
    pub(super) link: Vec<u8>,
    pub(crate) kind: MemberKind,
    mode: u32,
    uid: u32,
    gid: u32,
    xattrs: BTreeMap<String, String>,
}

impl Member {
    /// The entry, as a directory: the kind is the caller's to fill in.
    pub(super) fn entry(&self, owners: bool) -> Entry {
        let (uid, gid) = if owners { (self.uid, self.gid) } else { (0, 0) };
        Entry { node: Kind::Dir, mode: self.mode, uid, gid, xattrs: self.xattrs.clone() }
    }
}

/// The content of the member at hand.
pub(crate) struct Content<'a> {
    inner: &'a mut dyn Read,
    /// Where in the archive it begins.
    start: u64,
    pub(super) budget: &'a Budget,
}

impl Read for Content<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.inner.read(buffer)
    }
}

/// Calls `each` for every member, its long name and attributes put together.
pub(crate) fn walk(
    input: impl Read,
    size: u64,
    limits: &Limits,
    each: &mut dyn FnMut(Member, &mut Content) -> Result<(), Finding>,
) -> Result<(), Finding> {
    walk_plain(decompress(input).map_err(|e| unreadable(WHAT, &e))?, size, limits, each)
}

/// The same of what was unpacked already; `size` is what it had before.
pub(super) fn walk_plain(
    plain: impl Read,
    size: u64,
    limits: &Limits,
    each: &mut dyn FnMut(Member, &mut Content) -> Result<(), Finding>,
) -> Result<(), Finding> {
    let budget = Budget::new(limits.unpacked(size));
    let mut archive = Archive::new(budget.meter(plain));
    let entries = archive.entries().map_err(|e| budget.failed(WHAT, &e))?;
    follow(entries, &budget, each)
}

/// What an archive has at a path.
enum Place {
    Dir,
    File(Range<u64>),
    /// A symbolic or hard link, and where it leads to.
    Link(TreePath),
    Special,
}

/// Where in a plain archive of `size` bytes each of its regular files lies, and each link to one of these; `None` where it has a
/// link that leads to nothing, or what is neither file nor directory. Who unpacks it finds the same there, and so does who only
/// looks for names: nothing but directories is named twice, nothing lies below what is no directory, and links lead to regular
/// files in one step.
///
/// # Errors
/// `ARCHIVE_INVALID`, `ARCHIVE_ESCAPES`, `ARCHIVE_TOO_LARGE`, `ARCHIVE_FORBIDDEN_MEMBER`.
pub fn index(
    input: impl Read + Seek,
    size: u64,
    limits: &Limits,
) -> Result<BTreeMap<TreePath, Option<Range<u64>>>, Finding> {
    let budget = Budget::new(size);
    let mut archive = Archive::new(input);
    let entries = archive.entries_with_seek().map_err(|e| budget.failed(WHAT, &e))?;
    let mut members = Members::new(limits);
    let mut places: BTreeMap<TreePath, Place> = BTreeMap::new();
    follow(entries, &budget, &mut |member, content| {
        members.count()?;
        let is_dir = matches!(member.kind, MemberKind::Dir);
        let Some(path) = members.path(&member.name)? else {
            return if is_dir { Ok(()) } else { Err(invalid("the archive's root is no directory")) };
        };
        let shown = path.display();
        match places.get(&path) {
            None => {}
            Some(Place::Dir) if is_dir => return Ok(()),
            Some(_) => return Err(invalid(format!("the archive has the member {shown:?} twice"))),
        }
        let place = match member.kind {
            MemberKind::Dir => Place::Dir,
            MemberKind::File { size: length } => {
                let end = content.start.saturating_add(length);
                if end > size {
                    return Err(invalid(format!("the archive ends inside the member {shown:?}")));
                }
                Place::File(content.start..end)
            }
            MemberKind::Symlink => {
                let to = led_to(&path, members.target(&path, &member.link)?)?;
                members.shape(to.as_bytes())?;
                Place::Link(to)
            }
            MemberKind::Hardlink => {
                let to = members.path(&member.link)?.ok_or_else(|| invalid("a hard link names the archive's root"))?;
                if !matches!(places.get(&to), Some(Place::File(_))) {
                    let to = to.display();
                    return Err(invalid(format!(
                        "the hard link {shown:?} names {to:?}, no regular file that precedes it"
                    )));
                }
                Place::Link(to)
            }
            MemberKind::Special(_) => Place::Special,
        };
        places.insert(path, place);
        Ok(())
    })?;
    led(&places)
}

/// Where the files and links lie, of which some are refused.
fn led(places: &BTreeMap<TreePath, Place>) -> Result<BTreeMap<TreePath, Option<Range<u64>>>, Finding> {
    let is_no_dir = |path: &TreePath| places.get(path).is_some_and(|place| !matches!(place, Place::Dir));
    let targets = places.values().filter_map(|place| if let Place::Link(to) = place { Some(to) } else { None });
    let targets: BTreeSet<&TreePath> = targets.collect();
    for path in places.keys() {
        for above in parents(path) {
            if is_no_dir(&above) {
                let (path, above) = (path.display(), above.display());
                return Err(escapes(format!("the member {path:?} lies below {above:?}, which is no directory")));
            }
            // Directories that no member names are some all the same.
            if targets.contains(&above) {
                return Err(invalid(format!("a link leads to {:?}, which is a directory", above.display())));
            }
        }
    }
    let mut found = BTreeMap::new();
    for (path, place) in places {
        let at = match place {
            Place::Dir => continue,
            Place::File(at) => Some(at.clone()),
            Place::Special => None,
            Place::Link(to) => match places.get(to) {
                Some(Place::File(at)) => Some(at.clone()),
                Some(_) => {
                    let (path, to) = (path.display(), to.display());
                    return Err(invalid(format!("the link {path:?} leads to {to:?}, which is no regular file")));
                }
                None if parents(to).any(|above| is_no_dir(&above)) => {
                    let (path, to) = (path.display(), to.display());
                    return Err(escapes(format!("the link {path:?} leads to {to:?}, through what is no directory")));
                }
                None => None,
            },
        };
        found.insert(path.clone(), at);
    }
    Ok(found)
}

/// What lies above a path, the nearest first.
fn parents(path: &TreePath) -> impl Iterator<Item = TreePath> {
    std::iter::successors(path.parent(), TreePath::parent)
}

/// Where a symbolic link leads to inside the archive. Up it goes only where it begins, among the directories the link itself lies
/// in: `a/../b` is `b` for who takes the name apart, and something else, or nothing, for who follows it.
fn led_to(link: &TreePath, target: &[u8]) -> Result<TreePath, Finding> {
    let (path, shown) = (link.display(), String::from_utf8_lossy(target));
    let refused = |why: &str| escapes(format!("the symbolic link {path:?} leads to {shown:?}, {why}"));
    if target.starts_with(b"/") {
        return Err(refused("outside the archive"));
    }
    if let Some(b"" | b"." | b"..") = target.rsplit(|b| *b == b'/').next() {
        return Err(refused("which is no regular file"));
    }
    let parent = link.parent();
    let mut parts: Vec<&[u8]> = parent.iter().flat_map(|parent| parent.as_bytes().split(|b| *b == b'/')).collect();
    let mut is_below = false;
    for part in target.split(|b| *b == b'/') {
        match part {
            b"" | b"." => {}
            b".." if is_below => return Err(refused("up again from a directory")),
            b".." => {
                let left = parts.len().checked_sub(1).ok_or_else(|| refused("outside the archive"))?;
                parts.truncate(left);
            }
            part => {
                is_below = true;
                parts.push(part);
            }
        }
    }
    TreePath::new(parts.join(&b'/')).map_err(|_| refused("which is no name of a member"))
}

const WHAT: &str = "the archive";

fn follow<'a, R: Read + 'a>(
    entries: Entries<'a, R>,
    budget: &Budget,
    each: &mut dyn FnMut(Member, &mut Content) -> Result<(), Finding>,
) -> Result<(), Finding> {
    let failed = |e: io::Error| budget.failed(WHAT, &e);
    let mut extensions = Extensions::default();
    // raw: the library would read extension headers into memory whatever their size
    for member in entries.raw(true) {
        let mut member = member.map_err(failed)?;
        let kind = member.header().entry_type();
        if let EntryType::GNULongName | EntryType::GNULongLink | EntryType::XHeader | EntryType::XGlobalHeader = kind {
            if member.size() > EXTENSION_LIMIT {
                return Err(too_large(format!("a member's extended header has {} bytes", member.size())));
            }
            let mut bytes = Vec::new();
            member.read_to_end(&mut bytes).map_err(failed)?;
            if bytes.len() as u64 != member.size() {
                return Err(invalid("the archive ends inside an extended header"));
            }
            extensions.add(kind, &bytes)?;
            continue;
        }
        let size = member.size();
        let described = describe(member.header(), size, std::mem::take(&mut extensions))?;
        let start = member.raw_file_position();
        each(described, &mut Content { inner: &mut member, start, budget })?;
    }
    if !extensions.is_empty() {
        return Err(invalid("the archive ends after an extended header"));
    }
    Ok(())
}

/// Bytes of an extended header: names, link targets and attributes of one member.
const EXTENSION_LIMIT: u64 = 1 << 20;

fn describe(header: &Header, size: u64, extensions: Extensions) -> Result<Member, Finding> {
    let name = extensions.path.unwrap_or_else(|| header.path_bytes().into_owned());
    let shown = String::from_utf8_lossy(&name).into_owned();
    let kind = match header.entry_type() {
        // before ustar, a directory was a file whose name ends in a slash
        EntryType::Regular if name.ends_with(b"/") => MemberKind::Dir,
        EntryType::Regular | EntryType::Continuous => MemberKind::File { size },
        EntryType::Directory => MemberKind::Dir,
        EntryType::Symlink => MemberKind::Symlink,
        EntryType::Link => MemberKind::Hardlink,
        EntryType::Char | EntryType::Block => MemberKind::Special("a device"),
        EntryType::Fifo => MemberKind::Special("a named pipe"),
        EntryType::GNUSparse => return Err(forbidden(&shown, "a sparse file")),
        other => return Err(forbidden(&shown, &format!("of the unknown type {:?}", char::from(other.as_byte())))),
    };
    if extensions.size.is_some_and(|pax| pax != size) {
        return Err(invalid(format!("the member {shown:?} has two sizes")));
    }
    if !matches!(kind, MemberKind::File { .. }) && size != 0 {
        return Err(invalid(format!("the member {shown:?} is no regular file but has content")));
    }
    let number = |value: io::Result<u64>, of: &str| {
        let fits = value.ok().and_then(|value| u32::try_from(value).ok());
        fits.ok_or_else(|| invalid(format!("the member {shown:?} has no readable {of}")))
    };
    Ok(Member {
        link: extensions.link.or_else(|| header.link_name_bytes().map(|l| l.into_owned())).unwrap_or_default(),
        mode: number(header.mode().map(u64::from), "mode")? & 0o7777,
        uid: number(extensions.uid.map_or_else(|| header.uid(), Ok), "owner")?,
        gid: number(extensions.gid.map_or_else(|| header.gid(), Ok), "group")?,
        xattrs: extensions.xattrs,
        name,
        kind,
    })
}

#[cfg(test)]
mod tests;
