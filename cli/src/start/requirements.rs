//! `requirements.txt`, as pip reads it: <https://pip.pypa.io/en/stable/reference/requirements-file-format/>.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use grammar::quote;
use model::{Finding, codes};

use super::{Found, NOT_OF_INDEX, Start, is_of_index, text};

/// How many files may name one another.
const MAX_FILES: usize = 64;

pub(super) fn read(file: &Path) -> Result<Start, Finding> {
    let mut reader = Reader { start: Start::default(), seen: BTreeSet::new() };
    reader.file(file)?;
    Ok(reader.start)
}

struct Reader {
    start: Start,
    seen: BTreeSet<PathBuf>,
}

impl Reader {
    fn file(&mut self, file: &Path) -> Result<(), Finding> {
        let text = text(file)?;
        if !self.seen.insert(file.canonicalize().unwrap_or_else(|_| file.to_owned())) {
            return Ok(());
        }
        if self.seen.len() > MAX_FILES {
            let message = format!("more than {MAX_FILES} files name one another with `-r`");
            return Err(Finding::error(codes::INPUT_IO, message).help("write the requirements into fewer files"));
        }
        let mut hashes = Vec::new();
        for (number, line) in logical_lines(&text) {
            let place = format!("{}:{number}", file.display());
            match line.strip_prefix('-') {
                Some(option) => self.option(file, place, option)?,
                None => self.requirement(place, &line, &mut hashes),
            }
        }
        if let Some((first, others)) = hashes.split_first() {
            let more = if others.is_empty() { String::new() } else { format!(" and {} more", others.len()) };
            self.start.notes.push(format!("{first}{more}: hashes left out: the lock has the digest of every file"));
        }
        Ok(())
    }

    /// What is no requirement. An index's address may hold a password, so no value is repeated.
    fn option(&mut self, file: &Path, place: String, option: &str) -> Result<(), Finding> {
        let long = option.strip_prefix('-');
        let (name, value) = match long {
            Some(long) => long.split_once(|c: char| c == '=' || c.is_whitespace()).unwrap_or((long, "")),
            None => option.split_at_checked(1).unwrap_or((option, "")),
        };
        let why = match (long.is_some(), name) {
            (true, "requirement") | (false, "r") if !value.contains("://") => {
                let value = value.trim().trim_matches(['"', '\'']);
                let other = file.with_file_name(value);
                return self.file(&other).map_err(|finding| finding.because(format!("{place} names it")));
            }
            (true, "requirement") | (false, "r") => "only files of this machine are read",
            (true, "constraint") | (false, "c") => "write its limits to the requirements they are about",
            (true, "editable") | (false, "e") => "files of the project go into the image with `source`",
            (true, "index-url" | "extra-index-url" | "no-index" | "find-links" | "trusted-host")
            | (false, "i" | "f") => "where packages come from belongs to the machine: `--source pypi=URL`",
            _ => "it says nothing about an image",
        };
        let dashes = if long.is_some() { "--" } else { "-" };
        self.start.notes.push(format!("{place}: left out: {}: {why}", quote(&format!("{dashes}{name}"))));
        Ok(())
    }

    fn requirement(&mut self, place: String, line: &str, hashes: &mut Vec<String>) {
        let (requirement, options) = match line.split_once(" --") {
            Some((requirement, options)) => (requirement.trim_end(), options),
            None => (line, ""),
        };
        let requirement = requirement.split_whitespace().collect::<Vec<_>>().join(" ");
        if !is_of_index(&requirement) {
            // an address may hold a password
            let name = requirement.split_once('@').map_or("", |(name, _)| name.trim());
            let what = if name.contains(['/', ':', '.']) || name.is_empty() {
                String::new()
            } else {
                format!(" {}", quote(name))
            };
            self.start.notes.push(format!("{place}: left out{what}: {NOT_OF_INDEX}"));
            return;
        }
        let (hash, other): (Vec<&str>, Vec<&str>) = options
            .split(" --")
            .map(str::trim)
            .filter(|option| !option.is_empty())
            .partition(|o| o.starts_with("hash"));
        if !hash.is_empty() {
            hashes.push(place.clone());
        }
        if let Some(option) = other.first() {
            let option = option.split(['=', ' ']).next().unwrap_or_default();
            self.start
                .notes
                .push(format!("{place}: left out: {}: nothing is built here", quote(&format!("--{option}"))));
        }
        self.start.packages.push(Found { place, text: requirement });
    }
}

/// Lines joined at backslashes and without comments, each with the number of its first.
fn logical_lines(text: &str) -> Vec<(usize, String)> {
    let mut lines = Vec::new();
    let mut open: Option<(usize, String)> = None;
    for (number, line) in text.split('\n').enumerate() {
        let is_comment = line.trim_start().starts_with('#');
        let (first, start) = open.take().unwrap_or((number + 1, String::new()));
        match line.strip_suffix('\\').filter(|_| !is_comment) {
            Some(part) => open = Some((first, format!("{start}{part} "))),
            None => lines.push((first, format!("{start}{line}"))),
        }
    }
    lines.extend(open);
    let content = lines.into_iter().map(|(number, line)| (number, without_comment(&line).trim().to_owned()));
    content.filter(|(_, line)| !line.is_empty()).collect()
}

/// A comment starts the line, or follows white space.
fn without_comment(line: &str) -> &str {
    let starts =
        |at: &usize| line.get(..*at).is_some_and(|before| before.is_empty() || before.ends_with(char::is_whitespace));
    let comment = line.match_indices('#').map(|(at, _)| at).find(starts);
    line.get(..comment.unwrap_or(line.len())).unwrap_or(line)
}
