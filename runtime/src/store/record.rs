//! Small files that check themselves: a line with the digest of key and content, then the content.

use std::fs::{self, File, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use model::{Digest, Hasher};

use super::{make_dir, place, staging::Staging, touch};

/// Records are lists of digests and sizes; more than this was not written by us.
const LIMIT: u64 = 256 << 20;

/// The key is part of it, so that a record moved to another name is damaged too.
fn seal(key: &Digest, content: &[u8]) -> String {
    let mut hasher = Hasher::new();
    hasher.update(key.as_bytes());
    hasher.update(content);
    format!("{}\n", hasher.finish())
}

pub(super) fn write(staging: &Staging, dir: &Path, key: &Digest, content: &[u8]) -> io::Result<()> {
    let mut file = staging.file()?;
    file.write_all(seal(key, content).as_bytes())?;
    file.write_all(content)?;
    file.as_file().set_permissions(Permissions::from_mode(0o444))?;
    let path = place(dir, key);
    path.parent().map_or(Ok(()), make_dir)?;
    file.persist(path)?;
    Ok(())
}

/// The content, if the record is there and whole; its time of last use is renewed.
pub(super) fn read(dir: &Path, key: &Digest) -> Option<Vec<u8>> {
    let path = place(dir, key);
    let content = check(&path, key)?;
    touch(&path, fs::metadata(&path).ok()?.modified().ok()?);
    Some(content)
}

/// The content of the record at `path`, if it is whole.
pub(super) fn check(path: &Path, key: &Digest) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(LIMIT).read_to_end(&mut bytes).ok()?;
    let line = bytes.iter().position(|byte| *byte == b'\n')? + 1;
    let content = bytes.split_off(line);
    (bytes == seal(key, &content).as_bytes()).then_some(content)
}
