//! What reviewers would otherwise have to look for in every change. Each check returns what is wrong, one line each.

pub mod codes;
pub mod imports;
pub mod names;
pub mod shape;

use std::path::{Path, PathBuf};
use std::process::Command;

/// A file of the repository: its path from the root, and its bytes.
pub type File = (String, Vec<u8>);

/// Every file of the repository that is or would be committed, except `Cargo.lock`.
pub fn repository_files() -> Vec<File> {
    let root = root();
    let list = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(&root)
        .output()
        .expect("git lists the repository's files");
    assert!(list.status.success(), "git ls-files: {}", String::from_utf8_lossy(&list.stderr));
    let names = String::from_utf8(list.stdout).expect("file names are UTF-8");
    let read = |name: &str| {
        let path = root.join(name);
        // A deleted file is still listed until that is committed; a link is checked as itself.
        let bytes = if path.is_symlink() { Vec::new() } else { std::fs::read(path).ok()? };
        Some((name.to_owned(), bytes))
    };
    let names = names.split('\0').filter(|name| !name.is_empty() && *name != "Cargo.lock");
    let files: Vec<File> = names.filter_map(read).collect();
    assert!(files.len() > 50, "only {} files: is this the repository?", files.len());
    files
}

/// The root of the checkout.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("tests/tidy lies two folders deep").to_owned()
}
