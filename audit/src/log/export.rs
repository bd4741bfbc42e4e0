use std::fs::{self, File, Permissions};
use std::io::{self, BufWriter, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use model::{Finding, Findings};

use super::folder::{Folder, unusable};
use super::lines::Lines;
use super::verify::{Verified, verify};
use super::{CHECKPOINT, LINES, PUBLIC, checkpoint, public_key, tiles};
use crate::note::VerifierKey;
use crate::tile::{self, Tile};

/// Copies what is public of a log, which is all but its key, to a folder that is not there or is empty. What is copied is
/// verified as [`verify`] does before it gets its name.
///
/// # Errors
/// `AUDIT_BROKEN`, `AUDIT_UNUSABLE`.
pub fn export(dir: &Path, to: &Path, trusted: Option<&VerifierKey>) -> Result<Verified, Findings> {
    let failed = |e: &io::Error| unusable(to, "cannot be written", e);
    let folder = Folder::at(dir);
    let lock = folder.lock_shared()?;
    let key = trusted.map_or_else(|| public_key(&folder), |key| Ok(key.clone()))?;
    let (checkpoint, note) = checkpoint(&folder, &key)?;
    let above = to.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let staged = tempfile::Builder::new()
        .permissions(Permissions::from_mode(0o777)) // less what the user's mask takes
        .tempdir_in(above)
        .map_err(|e| failed(&e))?;
    let write = |name: &str, bytes: &[u8]| {
        let path = staged.path().join(name);
        let made = path.parent().map_or(Ok(()), fs::create_dir_all);
        made.and_then(|()| fs::write(&path, bytes)).map_err(|e| failed(&e))
    };
    write(PUBLIC, format!("{key}\n").as_bytes())?;
    write(CHECKPOINT, note.as_bytes())?;
    for tile in Tile::all(checkpoint.size) {
        write(&tile.path(), &tile::encode(&tiles::hashes(&folder, &tile)?))?;
        if tile.level == 0 {
            let mut bundle = Vec::new();
            for entry in tiles::entries(&folder, &tile)? {
                tile::add_entry(&mut bundle, &entry);
            }
            write(&tile.bundle_path(), &bundle)?;
        }
    }
    copy_lines(&folder, checkpoint.size, &staged.path().join(LINES)).map_err(|finding| vec![finding])?;
    drop(lock);
    let verified = verify(staged.path(), Some(&key), None)?;
    fs::rename(staged.path(), to).map_err(|e| failed(&e))?;
    let _ = staged.keep(); // it has another name now
    Ok(verified)
}

/// A line that is being written is none yet.
fn copy_lines(folder: &Folder, size: u64, to: &Path) -> Result<(), Finding> {
    let failed = |e: &io::Error| unusable(to, "cannot be written", e);
    let mut file = BufWriter::new(File::create(to).map_err(|e| failed(&e))?);
    for (line, _) in Lines::of(folder)?.zip(0..size) {
        let line = line?;
        file.write_all(&line.bytes).map_err(|e| failed(&e))?;
        if line.is_ended {
            file.write_all(b"\n").map_err(|e| failed(&e))?;
        }
    }
    file.flush().map_err(|e| failed(&e))
}
