//! The files of an OCI layout or image archive, each to be read from wherever it lies.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek as _, Write as _};
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use inspect::archive::{Limits, decompress, is_compressed, tar};
use model::{Finding, TreePath, codes};

use super::read::unknown;
use crate::input;

const CHUNK: usize = 128 << 10;
/// What a compressed archive may unpack to. What makes an archive large are layers, most of them compressed already, so it is
/// allowed many bytes, and few for each of its own.
const UNPACKED: Limits =
    Limits { entries: 1_000_000, bytes: 64 << 30, ratio: 50, small: 1 << 30, name: 4096, metadata: 16 << 20 };

/// A layout or an archive.
pub(super) enum Opened {
    Directory(PathBuf),
    /// A plain tar archive, and where in it each file lies; `None` where it has something else, or a link to nothing.
    Archive(Arc<File>, BTreeMap<TreePath, Option<Range<u64>>>),
}

impl Opened {
    /// A compressed archive is unpacked to a temporary file first: what lies in it is read in no order, and more than once.
    ///
    /// # Errors
    /// `INPUT_IO`, `ARCHIVE_UNKNOWN`.
    pub(super) fn at(path: &Path) -> Result<Self, Finding> {
        let failed = |e: io::Error| Finding::error(codes::INPUT_IO, format!("{} cannot be read: {e}", path.display()));
        if std::fs::metadata(path).map_err(failed)?.is_dir() {
            return Ok(Self::Directory(path.to_owned()));
        }
        let mut file = input::open(path).map_err(failed)?;
        let mut start = Vec::new();
        (&file).take(6).read_to_end(&mut start).map_err(failed)?;
        file.rewind().map_err(failed)?;
        let is_image = |finding: Finding| finding.because(format!("the image is {}", path.display()));
        if is_compressed(&start) {
            let size = file.metadata().map_err(failed)?.len();
            file = unpacked(&file, UNPACKED.unpacked(size)).map_err(is_image)?;
            file.rewind().map_err(failed)?;
        }
        let size = file.metadata().map_err(failed)?.len();
        let files = tar::index(&file, size, &UNPACKED)
            .map_err(|finding| is_image(finding.causes.into_iter().fold(unknown(finding.message), Finding::because)))?;
        Ok(Self::Archive(Arc::new(file), files))
    }

    /// Where the bytes of a file lie; `None` if there is none of this name.
    pub(super) fn place(&self, name: &str) -> io::Result<Option<(Arc<File>, Range<u64>)>> {
        match self {
            Self::Directory(folder) => {
                let file = match input::open(&folder.join(name)) {
                    Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
                    file => file?,
                };
                let size = file.metadata()?.len();
                Ok(Some((Arc::new(file), 0..size)))
            }
            Self::Archive(file, files) => {
                let found = name.parse::<TreePath>().ok().and_then(|path| files.get(&path));
                let Some(found) = found else { return Ok(None) };
                // Others would find something there, if only an error: it is not as if there were nothing.
                let at = found.clone().ok_or_else(|| io::Error::other("it is no file, and no link to one"))?;
                Ok(Some((Arc::clone(file), at)))
            }
        }
    }

    /// A file, and how many bytes it has; `None` if there is none of this name.
    pub(super) fn open(&self, name: &str) -> io::Result<Option<(Box<dyn Read + Send + '_>, u64)>> {
        let found = self.place(name)?;
        Ok(found.map(|(file, left)| -> (Box<dyn Read + Send>, u64) {
            let size = left.end - left.start;
            (Box::new(Section { file, left }), size)
        }))
    }
}

/// A part of a file. Many may be read side by side: none moves the file's own place.
struct Section {
    file: Arc<File>,
    left: Range<u64>,
}

impl Read for Section {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left.end - self.left.start).unwrap_or(usize::MAX).min(buffer.len());
        let read = self.file.read_at(buffer.get_mut(..most).unwrap_or_default(), self.left.start)?;
        self.left.start += read as u64;
        Ok(read)
    }
}

/// What a compressed file unpacks to, at most so many bytes.
fn unpacked(file: &File, most: u64) -> Result<File, Finding> {
    let unreadable = |e: io::Error| unknown(format!("it cannot be unpacked: {e}"));
    let unwritable = |e: io::Error| {
        let folder = std::env::temp_dir();
        Finding::error(codes::INPUT_IO, format!("it cannot be unpacked in {}: {e}", folder.display()))
            .help("a compressed archive is unpacked to a temporary file: name a folder with room for it in TMPDIR")
    };
    let mut plain = tempfile::tempfile().map_err(unwritable)?;
    let mut content = decompress(BufReader::with_capacity(CHUNK, file)).map_err(unreadable)?;
    let (mut left, mut chunk) = (most, vec![0; CHUNK]);
    loop {
        let read = content.read(&mut chunk).map_err(unreadable)?;
        if read == 0 {
            return Ok(plain);
        }
        left = left
            .checked_sub(read as u64)
            .ok_or_else(|| unreadable(io::Error::other(format!("it has more than {most} bytes then"))))?;
        plain.write_all(chunk.get(..read).unwrap_or_default()).map_err(unwritable)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_to_nothing_is_not_as_if_there_were_nothing() {
        let mut archive = ::tar::Builder::new(Vec::new());
        let mut header = ::tar::Header::new_ustar();
        header.set_entry_type(::tar::EntryType::Symlink);
        header.set_mode(0o777);
        header.set_uid(0);
        header.set_gid(0);
        header.set_size(0);
        archive.append_link(&mut header, "index.json", "nothing").unwrap();
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.tar");
        std::fs::write(&path, archive.into_inner().unwrap()).unwrap();
        let opened = Opened::at(&path).unwrap();
        assert!(opened.place("manifest.json").unwrap().is_none());
        assert!(opened.place("index.json").unwrap_err().to_string().contains("no link to one"));
        assert!(opened.summary().unwrap_err().message.contains("index.json cannot be read"));
    }
}
