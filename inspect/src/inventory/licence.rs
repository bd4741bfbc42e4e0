//! Texts of licences: files of the names people give them.

use std::collections::BTreeMap;
use std::io::{self, Read as _, SeekFrom};

use model::inventory::Item;
use model::{Digest, Kind, TreePath};

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

/// The text; what is no UTF-8 in it is replaced. One that is too long is none.
pub(super) fn text(content: &mut dyn Content) -> io::Result<Option<String>> {
    content.seek(SeekFrom::Start(0))?;
    let mut bytes = Vec::new();
    content.take(LONGEST + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= LONGEST).then(|| String::from_utf8_lossy(&bytes).into_owned()))
}

/// Every text, by the digest of the file; what goes beyond [`MOST`] is said of the file it would have been from.
pub(super) fn texts(told: &mut BTreeMap<TreePath, Told>, items: &[Item]) -> BTreeMap<Digest, String> {
    let mut texts = BTreeMap::new();
    let mut bytes = 0;
    for (path, told) in told {
        let item = items.binary_search_by(|item| item.path.cmp(path)).ok().and_then(|at| items.get(at));
        let (Some(text), Some(Kind::File { digest, .. })) = (told.text.take(), item.map(|item| &item.entry.node))
        else {
            continue;
        };
        if texts.contains_key(digest) {
            continue;
        }
        bytes += text.len();
        if bytes <= MOST {
            texts.insert(*digest, text);
        } else {
            told.unread.get_or_insert_with(|| format!("the texts of licences have more than {MOST} bytes"));
        }
    }
    texts
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
