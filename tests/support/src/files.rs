use std::fs;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use model::{Digest, Hasher};

pub(crate) fn sha256(bytes: &[u8]) -> String {
    hex(Digest::of(bytes))
}

fn hex(digest: Digest) -> String {
    digest.to_string().trim_start_matches("sha256:").to_owned()
}

/// SHA-256 of a file in hex.
pub fn sha256_of(path: &Path) -> String {
    let mut file = fs::File::open(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let mut hasher = Hasher::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer).unwrap() {
            0 => return hex(hasher.finish()),
            length => hasher.update(&buffer[..length]),
        }
    }
}

/// Copies a directory with everything in it; content is never shared, so that a copy can be damaged.
pub fn copy_tree(from: &Path, to: &Path) {
    let copied =
        || Command::new("cp").args(["-a", "--reflink=auto", "--"]).arg(from).arg(to).status().unwrap().success();
    // Another test may be at work in the same store: what it stages there is gone again before it is copied.
    let again = || fs::remove_dir_all(to).is_ok() && copied();
    assert!(copied() || again() || again(), "cp {} {}", from.display(), to.display());
}

/// Changes one byte in the middle of a file, whatever its permissions are.
pub fn flip_byte(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let length = fs::metadata(path).unwrap_or_else(|e| panic!("{}: {e}", path.display())).len();
    fs::set_permissions(path, fs::Permissions::from_mode(0o644)).unwrap();
    let mut file = fs::OpenOptions::new().read(true).write(true).open(path).unwrap();
    let mut byte = [0];
    file.seek(SeekFrom::Start(length / 2)).unwrap();
    file.read_exact(&mut byte).unwrap();
    file.seek(SeekFrom::Start(length / 2)).unwrap();
    file.write_all(&[byte[0] ^ 1]).unwrap();
}

/// The root of the checkout.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}
