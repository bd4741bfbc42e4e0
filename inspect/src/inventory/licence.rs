//! Texts of licences: files of the names people give them.

use std::collections::BTreeMap;
use std::io::{self, Read as _, SeekFrom};
use std::sync::Arc;

use model::Digest;

use super::{Content, Told, file_name};

/// Longer ones are not kept, in bytes.
const LONGEST: u64 = 512 << 10;
/// All of an image together, in bytes.
const MOST: usize = 64 << 20;

/// What names begin with, in capital letters.
const NAMES: [&str; 6] = ["COPYING", "COPYRIGHT", "LICENCE", "LICENSE", "NOTICE", "UNLICENSE"];
/// How names end of files that are about licences but no text of one.
const OTHERS: [&str; 18] = [
    "c", "class", "go", "h", "html", "java", "js", "json", "map", "py", "pyc", "pyi", "rb", "rs", "so", "toml", "ts",
    "yaml",
];
/// Directories that have nothing but texts of licences in them.
const DIRECTORIES: [&[u8]; 2] = [b".dist-info/licenses/", b"usr/share/common-licenses/"];

/// Whether a file is the text of a licence, by its name.
pub(super) fn is_text(path: &[u8]) -> bool {
    let Ok(name) = std::str::from_utf8(file_name(path)) else { return false };
    if DIRECTORIES.iter().any(|directory| path.windows(directory.len()).any(|part| part == *directory)) {
        return true;
    }
    let upper = name.to_ascii_uppercase();
    let is_named = NAMES.iter().any(|start| {
        upper.strip_prefix(start).is_some_and(|rest| {
            let rest = rest.strip_prefix('S').unwrap_or(rest);
            rest.is_empty() || rest.starts_with(['.', '-', '_'])
        })
    });
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    is_named && !OTHERS.contains(&ending.to_ascii_lowercase().as_str())
}

/// The texts of an image so far, each once.
#[derive(Clone, Default)]
pub(super) struct Texts {
    all: BTreeMap<Digest, Arc<str>>,
    bytes: usize,
}

impl Texts {
    /// Takes in the text of a file; what is no UTF-8 in it is replaced. One that is too long, or no text, is none.
    pub(super) fn look(&mut self, content: &mut dyn Content, told: &mut Told) -> io::Result<()> {
        content.seek(SeekFrom::Start(0))?;
        let mut bytes = Vec::new();
        content.take(LONGEST + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > LONGEST || bytes.contains(&0) || bytes.starts_with(b"\x7fELF") {
            return Ok(());
        }
        let digest = Digest::of(&bytes);
        if self.add(digest, || String::from_utf8_lossy(&bytes).into()) {
            told.text = Some(digest);
        } else {
            told.unread.get_or_insert_with(|| format!("the texts of licences have more than {MOST} bytes"));
        }
        Ok(())
    }

    /// Takes in those of another layer; what goes beyond the limit is left out there as well.
    pub(super) fn take_in(&mut self, other: &Texts) {
        for (digest, text) in &other.all {
            self.add(*digest, || text.clone());
        }
    }

    /// Whether there is room for it.
    fn add(&mut self, digest: Digest, text: impl FnOnce() -> Arc<str>) -> bool {
        if self.all.contains_key(&digest) {
            return true;
        }
        let text = text();
        let bytes = self.bytes + text.len();
        let fits = bytes <= MOST;
        if fits {
            self.all.insert(digest, text);
            self.bytes = bytes;
        }
        fits
    }

    /// Those of the files that are there in the end.
    pub(super) fn of<'t>(&self, told: impl Iterator<Item = &'t Told>) -> BTreeMap<Digest, String> {
        let wanted = told.filter_map(|told| told.text);
        wanted.filter_map(|digest| Some((digest, self.all.get(&digest)?.to_string()))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_licences_are_known_by_their_names() {
        for path in [
            "usr/share/doc/libc6/copyright",
            "app/LICENSE",
            "app/License.txt",
            "app/LICENSE-MIT",
            "app/LICENSES.md",
            "app/LICENSE.APACHE",
            "a.dist-info/licenses/src/x.txt",
            "usr/share/common-licenses/GPL-2",
            "node_modules/a/licence",
            "app/NOTICE",
        ] {
            assert!(is_text(path.as_bytes()), "{path}");
        }
        for path in ["app/license.py", "app/licensed.txt", "app/LICENSE.json", "app/relicense", "app/readme"] {
            assert!(!is_text(path.as_bytes()), "{path}");
        }
    }
}
