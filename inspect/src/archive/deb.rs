//! Debian binary packages (deb(5)): an `ar` archive of a control archive and a data archive.

use std::collections::BTreeMap;
use std::io::{self, Read};

use model::{Digest, Finding, Tree};

use super::tar::{MemberKind, Options, unpack as unpack_tar, walk};
use super::{ContentSink, Limits, ar, invalid, unreadable};

/// A package: what its control archive says, and its data.
pub struct Deb {
    /// The control file.
    pub control: String,
    /// MD5 digests of its files, as `md5sum` prints them.
    pub md5sums: String,
    /// SHA-256 of each maintainer script that runs at installation (`preinst`, `postinst`).
    pub scripts: BTreeMap<String, Digest>,
    /// The data, at the names merged-`/usr` systems have.
    pub data: Tree,
}

impl Deb {
    /// A field of the control file.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.control.lines().find_map(|line| {
            let (field, value) = line.split_once(':')?;
            field.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }
}

/// Reads a package to the end of its data. Owners are kept: they mean the same in every Debian system.
///
/// # Errors
/// `ARCHIVE_INVALID`, `ARCHIVE_ESCAPES`, `ARCHIVE_TOO_LARGE`, `ARCHIVE_FORBIDDEN_MEMBER`.
pub fn unpack(mut input: impl Read, limits: &Limits, sink: &mut dyn ContentSink) -> Result<Deb, Finding> {
    let what = "the package";
    let failed = |e: io::Error| unreadable(what, &e);
    ar::start(&mut input).map_err(failed)?;
    let mut deb =
        Deb { control: String::new(), md5sums: String::new(), scripts: BTreeMap::new(), data: Tree::default() };
    let mut expected = ["debian-binary", "control.tar", "data.tar"].into_iter().peekable();
    while let Some(header) = ar::next(&mut input).map_err(failed)? {
        let mut member = input.by_ref().take(header.size);
        // Names with an underscore are extensions of others, and whatever follows the data is no business of ours.
        if header.name.starts_with('_') {
            ar::finish(&mut member, header.size).map_err(failed)?;
            continue;
        }
        let Some(part) = expected.peek() else { break };
        if !header.name.starts_with(part) {
            return Err(invalid(format!("the package has {:?} where {part:?} should be", header.name)));
        }
        match *part {
            "debian-binary" => {
                let mut version = Vec::new();
                member.by_ref().take(16).read_to_end(&mut version).map_err(failed)?;
                if !version.starts_with(b"2.") {
                    return Err(invalid("the package's format is not 2.x"));
                }
            }
            "control.tar" => control(&mut deb, &mut member, header.size, limits)?,
            _ => {
                let options = Options { owners: true, merge_usr: true };
                deb.data = unpack_tar(&mut member, header.size, options, limits, sink)?;
            }
        }
        ar::finish(&mut member, header.size).map_err(failed)?;
        expected.next();
    }
    match expected.next() {
        Some(part) => Err(invalid(format!("the package has no {part}"))),
        None if deb.control.is_empty() => Err(invalid("the package has no control file")),
        None => Ok(deb),
    }
}

/// Takes what an image needs from the control archive. The other files in it serve a running system only: `prerm` and
/// `postrm` removal, `triggers` what dpkg runs later, `conffiles` upgrades, `shlibs` and `symbols` the building of
/// other packages, `templates` and `config` debconf.
fn control(deb: &mut Deb, input: impl Read, size: u64, limits: &Limits) -> Result<(), Finding> {
    let limits = Limits { bytes: limits.metadata, entries: 1000, ..*limits };
    let mut seen = 0;
    walk(input, size, &limits, &mut |member, content| {
        seen += 1;
        if seen > limits.entries {
            return Err(invalid("the control archive has more than a thousand members"));
        }
        let name = member.name.strip_prefix(b"./").unwrap_or(&member.name).to_vec();
        let MemberKind::File { size } = member.kind else { return Ok(()) };
        let mut bytes = Vec::new();
        content.read_to_end(&mut bytes).map_err(|e| content.budget.failed("the control archive", &e))?;
        if bytes.len() as u64 != size {
            return Err(invalid("the control archive ends inside a member"));
        }
        let text = |bytes| String::from_utf8(bytes).map_err(|_| invalid("a file of the control archive is not UTF-8"));
        match name.as_slice() {
            b"control" => deb.control = text(bytes)?,
            b"md5sums" => deb.md5sums = text(bytes)?,
            b"preinst" | b"postinst" => {
                deb.scripts.insert(String::from_utf8_lossy(&name).into_owned(), Digest::of(&bytes));
            }
            _ => {}
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests;
