//! Tar headers: ustar (POSIX.1-1988), with a pax header (POSIX.1-2001) before it for what does not fit.

use std::collections::BTreeMap;

use inspect::archive::target_bytes;
use model::{Entry, Kind, TreePath};

const BLOCK: usize = 512;
/// The largest numbers that fit the octal fields.
const MAX_ID: u32 = 0o7_777_777;
const MAX_SIZE: u64 = 0o77_777_777_777;

/// Adds an entry's headers to `out`.
pub(super) fn write(out: &mut Vec<u8>, path: &TreePath, entry: &Entry, epoch: i64) {
    let mut name = path.as_bytes().to_vec();
    let (kind, size, link) = match &entry.node {
        Kind::Dir => {
            name.push(b'/');
            (b'5', 0, Vec::new())
        }
        Kind::File { size, .. } => (b'0', *size, Vec::new()),
        Kind::Symlink { target } => (b'2', 0, target_bytes(target)),
        Kind::Hardlink { to } => (b'1', 0, to.as_bytes().to_vec()),
    };
    let mut pax: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for (attribute, hex) in &entry.xattrs {
        pax.insert(format!("SCHILY.xattr.{attribute}"), unhex(hex));
    }
    let (prefix, short) = split(&name).unwrap_or_else(|| {
        pax.insert("path".into(), name.clone());
        (&[], name.get(..100).unwrap_or(&name))
    });
    if link.len() > 100 {
        pax.insert("linkpath".into(), link.clone());
    }
    if size > MAX_SIZE {
        pax.insert("size".into(), size.to_string().into_bytes());
    }
    for (key, id) in [("uid", entry.uid), ("gid", entry.gid)] {
        if id > MAX_ID {
            pax.insert(key.into(), id.to_string().into_bytes());
        }
    }
    if !pax.is_empty() {
        let records: Vec<u8> = pax.iter().flat_map(|(key, value)| record(key, value)).collect();
        let fields = Fields {
            prefix: &[],
            name: b"pax",
            mode: 0o644,
            uid: 0,
            gid: 0,
            size: records.len() as u64,
            epoch,
            kind: b'x',
            link: &[],
        };
        fields.write(out);
        out.extend_from_slice(&records);
        pad(out, records.len() as u64);
    }
    let fields = Fields {
        prefix,
        name: short,
        mode: entry.mode,
        uid: entry.uid.min(MAX_ID),
        gid: entry.gid.min(MAX_ID),
        size: size.min(MAX_SIZE),
        epoch,
        kind,
        link: link.get(..100).unwrap_or(&link),
    };
    fields.write(out);
}

/// Fills up the last block of a content of `size` bytes.
pub(super) fn pad(out: &mut Vec<u8>, size: u64) {
    let over = usize::try_from(size % BLOCK as u64).unwrap_or(0);
    if over > 0 {
        out.resize(out.len() + BLOCK - over, 0);
    }
}

/// The two blocks that end an archive.
pub(super) fn end(out: &mut Vec<u8>) {
    out.resize(out.len() + 2 * BLOCK, 0);
}

/// A name as the header's prefix and name fields, if it fits.
fn split(name: &[u8]) -> Option<(&[u8], &[u8])> {
    if name.len() <= 100 {
        return Some((&[], name));
    }
    // the slash between the two is in neither
    let at = name.iter().enumerate().position(|(at, b)| *b == b'/' && name.len() - at - 1 <= 100)?;
    let (prefix, rest) = (name.get(..at)?, name.get(at + 1..)?);
    (prefix.len() <= 155 && !rest.is_empty()).then_some((prefix, rest))
}

/// `LENGTH KEY=VALUE\n`, the length counting itself.
fn record(key: &str, value: &[u8]) -> Vec<u8> {
    let rest = key.len() + value.len() + 3;
    let mut length = rest + 1;
    while length != rest + length.to_string().len() {
        length = rest + length.to_string().len();
    }
    [format!("{length} {key}=").as_bytes(), value, b"\n"].concat()
}

fn unhex(hex: &str) -> Vec<u8> {
    data_encoding::HEXLOWER_PERMISSIVE.decode(hex.as_bytes()).unwrap_or_default()
}

struct Fields<'a> {
    prefix: &'a [u8],
    name: &'a [u8],
    mode: u32,
    uid: u32,
    gid: u32,
    size: u64,
    epoch: i64,
    kind: u8,
    link: &'a [u8],
}

impl Fields<'_> {
    fn write(&self, out: &mut Vec<u8>) {
        let start = out.len();
        let mut field = |bytes: &[u8], width: usize| {
            let bytes = bytes.get(..width).unwrap_or(bytes);
            out.extend_from_slice(bytes);
            out.resize(out.len() + width - bytes.len(), 0);
        };
        let epoch = u64::try_from(self.epoch).unwrap_or(0).min(MAX_SIZE);
        field(self.name, 100);
        field(format!("{:07o}", self.mode).as_bytes(), 8);
        field(format!("{:07o}", self.uid).as_bytes(), 8);
        field(format!("{:07o}", self.gid).as_bytes(), 8);
        field(format!("{:011o}", self.size).as_bytes(), 12);
        field(format!("{epoch:011o}").as_bytes(), 12);
        field(b"        ", 8); // the checksum counts itself as spaces
        field(&[self.kind], 1);
        field(self.link, 100);
        field(b"ustar\x0000", 8);
        field(b"", 64); // no names of owners: those belong to the machine that reads them
        field(b"0000000", 8);
        field(b"0000000", 8);
        field(self.prefix, 167);
        let sum: u32 = out.iter().skip(start).map(|byte| u32::from(*byte)).sum();
        for (at, byte) in format!("{sum:06o}\0 ").bytes().enumerate() {
            if let Some(place) = out.get_mut(start + 148 + at) {
                *place = byte;
            }
        }
    }
}
