use std::collections::BTreeMap;

use ::tar::EntryType;
use model::Finding;

use super::super::{forbidden, invalid};

/// What extended headers say about the member that follows them.
#[derive(Default, PartialEq, Eq)]
pub(super) struct Extensions {
    pub(super) path: Option<Vec<u8>>,
    pub(super) link: Option<Vec<u8>>,
    pub(super) size: Option<u64>,
    pub(super) uid: Option<u64>,
    pub(super) gid: Option<u64>,
    /// Values in hex.
    pub(super) xattrs: BTreeMap<String, String>,
}

impl Extensions {
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Takes in one extended header. One that says again what another said is refused: readers differ in which counts.
    pub(super) fn add(&mut self, kind: EntryType, bytes: &[u8]) -> Result<(), Finding> {
        let text = || bytes.strip_suffix(b"\0").unwrap_or(bytes).to_vec();
        match kind {
            EntryType::GNULongName => once(&mut self.path, text()),
            EntryType::GNULongLink => once(&mut self.link, text()),
            _ => {
                for (key, value) in records(bytes)? {
                    self.record(key, value, kind == EntryType::XGlobalHeader)?;
                }
                Ok(())
            }
        }
    }

    fn record(&mut self, key: &[u8], value: &[u8], global: bool) -> Result<(), Finding> {
        let known = matches!(key, b"path" | b"linkpath" | b"size" | b"uid" | b"gid");
        if global {
            // a comment, as source archives carry; nothing that would change every member
            return if known { Err(invalid("a global header names a member's own properties")) } else { Ok(()) };
        }
        let number = || std::str::from_utf8(value).ok().and_then(|text| text.parse().ok());
        let number = || number().ok_or_else(|| invalid("an extended header holds a broken number"));
        match key {
            b"path" => once(&mut self.path, value.to_vec()),
            b"linkpath" => once(&mut self.link, value.to_vec()),
            b"size" => once(&mut self.size, number()?),
            b"uid" => once(&mut self.uid, number()?),
            b"gid" => once(&mut self.gid, number()?),
            _ if key.starts_with(b"GNU.sparse.") => Err(forbidden("of an extended header", "a sparse file")),
            _ => {
                if let Some(name) = key.strip_prefix(b"SCHILY.xattr.") {
                    let name = String::from_utf8_lossy(name).into_owned();
                    self.xattrs.insert(name, value.iter().map(|byte| format!("{byte:02x}")).collect());
                }
                Ok(())
            }
        }
    }
}

fn once<T>(field: &mut Option<T>, value: T) -> Result<(), Finding> {
    if field.replace(value).is_some() {
        return Err(invalid("two extended headers describe the same property of a member"));
    }
    Ok(())
}

/// The `LENGTH KEY=VALUE\n` records of a pax header. A value may hold any byte, so the length decides.
fn records(mut bytes: &[u8]) -> Result<Vec<Record<'_>>, Finding> {
    let mut records = Vec::new();
    while !bytes.is_empty() {
        let (record, rest) = split(bytes).ok_or_else(|| invalid("an extended header is malformed"))?;
        records.push(record);
        bytes = rest;
    }
    Ok(records)
}

type Record<'a> = (&'a [u8], &'a [u8]);

fn split(bytes: &[u8]) -> Option<(Record<'_>, &[u8])> {
    let space = bytes.iter().position(|b| *b == b' ')?;
    let length: usize = std::str::from_utf8(bytes.get(..space)?).ok()?.parse().ok()?;
    let record = bytes.get(space + 1..length)?.strip_suffix(b"\n")?;
    let equals = record.iter().position(|b| *b == b'=')?;
    Some(((record.get(..equals)?, record.get(equals + 1..)?), bytes.get(length..)?))
}
