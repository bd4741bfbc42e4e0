//! Zip archives, by their central directory.

use std::io::{self, Read, Seek, SeekFrom};

use ::zip::ZipArchive;
use ::zip::result::ZipError;
use model::{Entry, Finding, Kind, Tree};

use super::members::Members;
use super::meter::Budget;
use super::{ContentSink, Limits, forbidden, invalid, too_large, unreadable};

/// Reads an archive as a tree; files are 0755 where an executable bit is set, else 0644.
///
/// # Errors
/// `ARCHIVE_INVALID`, `ARCHIVE_ESCAPES`, `ARCHIVE_TOO_LARGE`, `ARCHIVE_FORBIDDEN_MEMBER`.
pub fn unpack<R: Read + Seek>(input: R, limits: &Limits, sink: &mut dyn ContentSink) -> Result<Tree, Finding> {
    let mut members = Members::new(limits);
    Zip::open(input, limits)?.walk(limits, &mut |member, content| {
        members.count()?;
        let Some(path) = members.path(member.name.as_bytes())? else { return Ok(()) };
        if member.is_dir {
            return Ok(members.add(path, Entry::dir())?);
        }
        let (digest, size) = sink.store(content)?;
        let mode = if member.executable { 0o755 } else { 0o644 };
        Ok(members.add(path, Entry::root(Kind::File { digest, size }, mode))?)
    })?;
    members.finish()
}

/// Why a member could not be taken: it could not be read, or it is not acceptable.
pub(crate) enum Refused {
    Io(io::Error),
    Finding(Finding),
}

impl From<io::Error> for Refused {
    fn from(error: io::Error) -> Self {
        Refused::Io(error)
    }
}

impl From<Finding> for Refused {
    fn from(finding: Finding) -> Self {
        Refused::Finding(finding)
    }
}

pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) is_dir: bool,
    pub(crate) executable: bool,
}

/// An archive whose directory was read and agrees with what it describes.
pub(crate) struct Zip<R> {
    archive: ZipArchive<R>,
    size: u64,
}

impl<R: Read + Seek> Zip<R> {
    pub(crate) fn open(mut input: R, limits: &Limits) -> Result<Self, Finding> {
        let size = input.seek(SeekFrom::End(0)).map_err(|e| unreadable("the archive", &e))?;
        let mut archive = ZipArchive::new(input).map_err(failed)?;
        if archive.len() > limits.entries {
            return Err(too_large(format!("the archive has more than {} members", limits.entries)));
        }
        if archive.has_duplicate_names() {
            return Err(invalid("the archive's directory names a member twice"));
        }
        // Readers that go by local headers would see another archive; overlapping members are a known kind of bomb.
        archive.validate_header_consistency().map_err(failed)?;
        Ok(Self { archive, size })
    }

    /// The members' names, as far as they are readable.
    pub(super) fn names(&self) -> impl Iterator<Item = String> {
        self.archive.file_names().filter_map(|name| Some(name.ok()?.into_owned()))
    }

    /// Calls `each` for every member in the directory's order.
    pub(crate) fn walk(
        mut self,
        limits: &Limits,
        each: &mut dyn FnMut(Member, &mut dyn Read) -> Result<(), Refused>,
    ) -> Result<(), Finding> {
        let budget = Budget::new(limits.unpacked(self.size));
        for index in 0..self.archive.len() {
            let file = self.archive.by_index(index).map_err(failed)?;
            let name = file.name().map_err(failed)?.into_owned();
            let mode = file.unix_mode().unwrap_or(0);
            if file.is_symlink() {
                return Err(forbidden(&name, "a symbolic link, which zip archives of packages do not have"));
            }
            if !matches!(mode & 0o170_000, 0 | 0o040_000 | 0o100_000) {
                return Err(forbidden(&name, "neither file nor directory"));
            }
            let executable = mode & 0o170_000 == 0o100_000 && mode & 0o111 != 0;
            let member = Member { is_dir: file.is_dir(), executable, name };
            let what = format!("the member {:?}", member.name);
            each(member, &mut budget.meter(file)).map_err(|refused| match refused {
                Refused::Io(error) => budget.failed(&what, &error),
                Refused::Finding(finding) => finding,
            })?;
        }
        Ok(())
    }
}

fn failed(error: ZipError) -> Finding {
    invalid("the zip archive cannot be read").because(error.to_string())
}

#[cfg(test)]
mod tests;
