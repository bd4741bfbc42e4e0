//! The files of a policy: one, those of a folder or of an archive, or those of an OCI artifact in a layout. A folder and an archive
//! of the same files are the same policy, with the same digest; an artifact has that of its manifest, as in a registry.

mod oci;

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;
use model::{Digest, Finding, codes, digest_of};
use tar::{Archive, EntryType};

use crate::input;

/// Bytes of one file at most, and of all together.
const MOST_FILE: u64 = 1 << 20;
const MOST_ALL: u64 = 16 << 20;
/// Files at most, and how deep folders lie in one another.
const MOST_FILES: usize = 1000;
const DEEPEST: usize = 16;
const ENDINGS: [&str; 3] = [".rego", ".yaml", ".yml"];

/// Files by their path, separated by `/`.
pub type Files = BTreeMap<String, Vec<u8>>;

/// A policy that was read.
#[derive(Debug)]
pub struct Bundle {
    /// What is in it.
    pub files: Files,
    /// By what it can be pinned.
    pub digest: Digest,
}

/// Reads a file, a folder, an archive (`.tar`, `.tar.gz`, `.tgz`), or an OCI layout: the artifact with this digest, or the only one in
/// it. Of folders and archives, what ends in `.rego`, `.yaml` or `.yml` counts.
///
/// # Errors
/// `POLICY_IO`, with what the system says, or which bound is exceeded.
pub fn read(path: &Path, pinned: Option<Digest>) -> Result<Bundle, Finding> {
    let failed = |e: io::Error| Finding::error(codes::POLICY_IO, format!("{} cannot be read: {e}", path.display()));
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut taken = Taken::default();
    let mut artifact = None;
    if path.join("oci-layout").is_file() {
        artifact = Some(oci::artifact(path, pinned, &mut taken).map_err(failed)?);
    } else if path.is_dir() {
        folder(path, "", 0, &mut taken).map_err(failed)?;
    } else if name.ends_with(".tar") {
        archive(input::open(path).map_err(failed)?, &mut taken).map_err(failed)?;
    } else if name.ends_with(".tar.gz") || name.ends_with(".tgz") {
        archive(MultiGzDecoder::new(input::open(path).map_err(failed)?), &mut taken).map_err(failed)?;
    } else {
        taken.add(name, input::open(path).map_err(failed)?).map_err(failed)?;
    }
    if taken.files.is_empty() {
        return Err(Finding::error(codes::POLICY_IO, format!("{} has no policy in it", path.display()))
            .help("policies end in .rego or .yaml"));
    }
    let digest = artifact.unwrap_or_else(|| digest(&taken.files));
    Ok(Bundle { files: taken.files, digest })
}

/// The digest of files: of their names and what they hold.
pub fn digest(files: &Files) -> Digest {
    digest_of(&files.iter().map(|(name, bytes)| (name, Digest::of(bytes))).collect::<BTreeMap<_, _>>())
}

/// What was read so far.
#[derive(Default)]
struct Taken {
    files: Files,
    bytes: u64,
}

impl Taken {
    fn add(&mut self, name: String, from: impl Read) -> io::Result<()> {
        if self.files.len() == MOST_FILES {
            return Err(io::Error::other(format!("it has more than {MOST_FILES} files")));
        }
        let mut bytes = Vec::new();
        from.take(MOST_FILE + 1).read_to_end(&mut bytes)?;
        self.bytes += bytes.len() as u64;
        if bytes.len() as u64 > MOST_FILE || self.bytes > MOST_ALL {
            return Err(io::Error::other(format!(
                "{name} has more than {MOST_FILE} bytes, or all files together more than {MOST_ALL}"
            )));
        }
        match self.files.insert(name.clone(), bytes) {
            None => Ok(()),
            Some(_) => Err(io::Error::other(format!("it has {name} twice"))),
        }
    }
}

fn folder(path: &Path, prefix: &str, depth: usize, taken: &mut Taken) -> io::Result<()> {
    if depth > DEEPEST {
        return Err(io::Error::other(format!("its folders lie more than {DEEPEST} deep in one another")));
    }
    for entry in path.read_dir()? {
        let entry = entry?;
        let name = entry.file_name().into_string().map_err(|_| io::Error::other("a name in it is no text"))?;
        let (place, kind) = (format!("{prefix}{name}"), entry.file_type()?);
        if name.starts_with('.') {
            continue;
        }
        if kind.is_dir() {
            folder(&entry.path(), &format!("{place}/"), depth + 1, taken)?;
        } else if kind.is_symlink() {
            return Err(io::Error::other(format!(
                "{place} is a link: what a policy is must not depend on other places"
            )));
        } else if counts(&name) {
            taken.add(place, input::open_itself(&entry.path())?)?;
        }
    }
    Ok(())
}

fn archive(from: impl Read, taken: &mut Taken) -> io::Result<()> {
    // What does not count is read past all the same.
    let mut archive = Archive::new(from.take(4 * MOST_ALL));
    for entry in archive.entries()? {
        let entry = entry?;
        let name =
            String::from_utf8(entry.path_bytes().into_owned()).map_err(|_| io::Error::other("a name is no text"))?;
        let name = name.trim_start_matches("./").to_owned();
        let kind = entry.header().entry_type();
        if kind.is_dir() || kind.is_pax_global_extensions() {
            continue;
        }
        if name.split('/').any(|part| part.is_empty() || part == "..") {
            return Err(io::Error::other(format!("{name} is no path inside the archive")));
        }
        if name.split('/').any(|part| part.starts_with('.')) {
            continue;
        }
        match kind {
            EntryType::Regular if counts(&name) => taken.add(name, entry)?,
            EntryType::Symlink | EntryType::Link => {
                return Err(io::Error::other(format!("{name} is a link, and a policy has none")));
            }
            _ if counts(&name) => return Err(io::Error::other(format!("{name} is no file"))),
            _ => {}
        }
    }
    if archive.into_inner().limit() == 0 {
        return Err(io::Error::other(format!("it has more than {} bytes", 4 * MOST_ALL)));
    }
    Ok(())
}

fn counts(name: &str) -> bool {
    ENDINGS.iter().any(|ending| name.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archived(files: &[(&str, &str)]) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for (name, text) in files {
            let mut header = tar::Header::new_ustar();
            header.set_size(text.len() as u64);
            header.set_mode(0o644);
            builder.append_data(&mut header, name, text.as_bytes()).unwrap();
        }
        builder.into_inner().unwrap()
    }

    #[test]
    fn a_folder_and_an_archive_of_the_same_are_the_same_and_one_byte_makes_another() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("policies");
        std::fs::create_dir_all(folder.join("inner")).unwrap();
        std::fs::write(folder.join("a.rego"), "package a").unwrap();
        std::fs::write(folder.join("inner/b.yaml"), "kind: policy").unwrap();
        std::fs::write(folder.join("README"), "words").unwrap();
        let archive = dir.path().join("policies.tar");
        std::fs::write(&archive, archived(&[("a.rego", "package a"), ("inner/b.yaml", "kind: policy"), ("x", "y")]))
            .unwrap();
        let whole = read(&folder, None).unwrap().digest;
        assert_eq!(read(&archive, None).unwrap().digest, whole);
        std::fs::write(folder.join("a.rego"), "package b").unwrap();
        assert_ne!(read(&folder, None).unwrap().digest, whole);
    }

    #[test]
    fn what_is_too_large_twice_or_not_there_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let refused = |name: &str, bytes: Vec<u8>| {
            let path = dir.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            read(&path, None).unwrap_err().message
        };
        assert!(refused("long.rego", vec![b' '; 1 + (1 << 20)]).contains("more than"));
        assert!(refused("twice.tar", archived(&[("a.rego", "x"), ("./a.rego", "y")])).contains("twice"));
        // what is read ends where the next file would begin
        let long = " ".repeat((64 << 20) - 512);
        assert!(refused("huge.tar", archived(&[("x", &long), ("a.rego", "x")])).contains("more than"));
        let mut links = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_ustar();
        header.set_entry_type(EntryType::Symlink);
        header.set_size(0);
        links.append_link(&mut header, "inner", "/etc").unwrap();
        assert!(refused("links.tar", links.into_inner().unwrap()).contains("is a link"));
        for name in ["/b.rego", "../b.rego", "x//b.rego"] {
            let mut header = tar::Header::new_ustar();
            header.as_ustar_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
            header.set_size(0);
            header.set_cksum();
            let mut outside = tar::Builder::new(Vec::new());
            outside.append(&header, io::empty()).unwrap();
            assert!(refused("outside.tar", outside.into_inner().unwrap()).contains("no path inside"), "{name}");
        }
        assert!(refused("none.tar", archived(&[("a", "x")])).contains("no policy"));
        assert!(read(&dir.path().join("absent"), None).unwrap_err().message.contains("cannot be read"));
        let with_link = dir.path().join("folder");
        std::fs::create_dir(&with_link).unwrap();
        std::os::unix::fs::symlink("/etc", with_link.join("inner")).unwrap();
        assert!(read(&with_link, None).unwrap_err().message.contains("is a link"));
    }
}
