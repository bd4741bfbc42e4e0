//! A configuration to start from, made of what others wrote. What is written is one that `validate` accepts, in the form of
//! `fmt`: what an image cannot have is left out, and said.

mod pyproject;
mod requirements;

use std::path::Path;

use compiler::template::{Document, Library};
use files::input;
use grammar::yaml::quoted;
use model::{Finding, Findings, Sources, codes};

const PYTHON: &str = "3.13";
const NAME: &str = "my-service";
const NOT_OF_INDEX: &str = "packages come from an index, not from an address or a path";

/// A value, and where it was found.
#[derive(Clone, Debug)]
struct Found {
    place: String,
    text: String,
}

/// What a configuration starts from.
#[derive(Debug, Default)]
pub(crate) struct Start {
    name: Option<String>,
    version: Option<Found>,
    description: Option<Found>,
    /// A version, line or range of Python.
    python: Option<Found>,
    packages: Vec<Found>,
    /// What was left out, and why; in the order found.
    pub(crate) notes: Vec<String>,
}

/// What a line of the configuration was made from.
#[derive(Clone, Copy)]
enum Line {
    Given,
    Version,
    Description,
    Package(usize),
}

impl Start {
    /// From a `requirements.txt` or a `pyproject.toml`.
    pub(crate) fn read(file: &Path) -> Result<Self, Finding> {
        match file.extension().is_some_and(|extension| extension == "toml") {
            true => pyproject::read(file, &text(file)?),
            false => requirements::read(file),
        }
    }

    /// A name that an image can have, from what was found or else a folder's.
    pub(crate) fn proposed_name(&self, folder: Option<&str>) -> String {
        let candidates = self.name.as_deref().into_iter().chain(folder).map(proposal);
        candidates.into_iter().find(|name| refused_name(name).is_none()).unwrap_or_else(|| NAME.to_owned())
    }

    /// The Python that was found, where it is one, else the usual one.
    pub(crate) fn proposed_python(&mut self) -> String {
        let Some(found) = &self.python else { return PYTHON.to_owned() };
        let Some(finding) = refused_python(&found.text) else { return found.text.clone() };
        self.notes.push(format!("{}: left out: {}", found.place, finding.message));
        PYTHON.to_owned()
    }

    /// The configuration. What cannot be in it becomes a note.
    pub(crate) fn write(&mut self, name: &str, python: &str, app: bool) -> Result<String, Findings> {
        let had = self.packages.len();
        loop {
            let (text, lines) = self.text(name, python, app);
            let (sources, findings) = check(&text);
            if findings.is_empty() {
                return match had > 0 && self.packages.is_empty() {
                    true => Err(nothing(&self.notes).into()),
                    false => Ok(text),
                };
            }
            // the most that one reading finds: this is something else than a list of packages
            if findings.len() >= grammar::MAX_FINDINGS {
                return Err(nothing(&findings.iter().map(|finding| finding.message.clone()).collect::<Vec<_>>()).into());
            }
            let mut left_out: Vec<(usize, Line, String)> = Vec::new();
            for finding in &findings {
                let at = finding.span.map_or(0, |span| sources.line_column(span.source, span.start).0);
                let line = at.checked_sub(1).and_then(|at| lines.get(at)).copied().unwrap_or(Line::Given);
                if !matches!(line, Line::Given) && left_out.iter().all(|(other, ..)| *other != at) {
                    left_out.push((at, line, finding.message.clone()));
                }
            }
            if left_out.is_empty() {
                return Err(findings
                    .into_iter()
                    .map(|finding| Finding { span: None, labels: Vec::new(), ..finding })
                    .collect());
            }
            self.leave_out(left_out);
        }
    }

    fn leave_out(&mut self, mut left_out: Vec<(usize, Line, String)>) {
        left_out.sort_by_key(|(at, ..)| *at);
        for (_, line, why) in &left_out {
            let found = match *line {
                Line::Version => self.version.take(),
                Line::Description => self.description.take(),
                Line::Package(number) => self.packages.get(number).cloned(),
                Line::Given => None,
            };
            self.notes.extend(found.map(|found| format!("{}: left out: {why}", found.place)));
        }
        let mut number = 0;
        self.packages.retain(|_| {
            number += 1;
            !left_out.iter().any(|(_, line, _)| matches!(line, Line::Package(other) if other + 1 == number))
        });
    }

    /// The configuration, and what each of its lines was made from.
    fn text(&self, name: &str, python: &str, app: bool) -> (String, Vec<Line>) {
        let mut lines = vec![(format!("name: {}", scalar(name)), Line::Given)];
        let about = [("version", &self.version, Line::Version), ("description", &self.description, Line::Description)];
        for (field, found, line) in about {
            lines.extend(found.iter().map(|found| (format!("{field}: {}", value(&found.text)), line)));
        }
        lines.push((format!("base: {{language: python, version: {}}}", value(python)), Line::Given));
        if !self.packages.is_empty() {
            lines.push(("packages:".into(), Line::Given));
        }
        let packages = self.packages.iter().enumerate();
        lines.extend(packages.map(|(number, found)| (format!("  - {}", value(&found.text)), Line::Package(number))));
        let source: &[&str] = if app { &["source: {path: ./app, to: /app}"] } else { &[] };
        let workdir: &[&str] = if app { &["  workdir: /app"] } else { &[] };
        let rest = source.iter().chain(&["run:"]).chain(workdir).chain(&["  command: [python3]"]);
        lines.extend(rest.map(|line| ((*line).to_owned(), Line::Given)));
        let text = lines.iter().map(|(text, _)| format!("{text}\n")).collect();
        (text, lines.into_iter().map(|(_, line)| line).collect())
    }
}

/// Why an image cannot be called so.
pub(crate) fn refused_name(name: &str) -> Option<Finding> {
    check(&format!("name: {}\nbase: {{language: none}}\n", value(name))).1.into_iter().next().map(of_the_user)
}

/// Why this is no version of Python.
pub(crate) fn refused_python(version: &str) -> Option<Finding> {
    let text = format!("name: {NAME}\nbase: {{language: python, version: {}}}\n", value(version));
    check(&text).1.into_iter().next().map(of_the_user)
}

/// A finding about something that was said on the command line.
fn of_the_user(finding: Finding) -> Finding {
    Finding { code: codes::USAGE, span: None, labels: Vec::new(), fix: None, ..finding }
}

/// The nearest name that an image can have.
fn proposal(name: &str) -> String {
    let lower = name.to_lowercase();
    let words: Vec<&str> = lower.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    words.join("-")
}

/// A name without quotes where it is read as a text so.
fn scalar(text: &str) -> String {
    let word = text.starts_with(|c: char| c.is_ascii_lowercase());
    let other = matches!(text, "null" | "true" | "false" | "yes" | "no" | "on" | "off" | "y" | "n");
    if word && !other { text.to_owned() } else { value(text) }
}

/// A text that is read as it is, expressions included.
fn value(text: &str) -> String {
    quoted(&text.replace("${{", "$${{"))
}

/// What `validate` finds in a configuration.
fn check(text: &str) -> (Sources, Findings) {
    struct Nothing;
    impl Library for Nothing {
        fn read(&self, path: &str) -> Result<(String, String), Finding> {
            Err(Finding::error(codes::TEMPLATE_UNREADABLE, format!("{path} is not there")))
        }
    }
    let mut sources = Sources::default();
    let source = sources.add("image.yaml", text);
    let parsed = grammar::yaml::parse(source, text);
    let mut findings = parsed.findings;
    if let Some(root) = parsed.root.filter(|_| findings.is_empty()) {
        let (document, found) = Document::load("image.yaml", &root, &[], &mut sources, &Nothing);
        findings.extend(found);
        findings.extend(document.images(&[]).map_or_else(|found| found, |(_, found)| found));
    }
    (sources, findings)
}

/// The text of a file, without its byte order mark and with the usual ends of lines.
fn text(file: &Path) -> Result<String, Finding> {
    let failed =
        |e| Finding::error(codes::INPUT_IO, format!("{} cannot be read: {e}", file.display())).help("check the path");
    let bytes = input::read(file, grammar::MAX_BYTES as u64).map_err(failed)?;
    let of_file = |finding: Finding| Finding { message: format!("{}: {}", file.display(), finding.message), ..finding };
    let text = grammar::decode(&bytes).map_err(of_file)?;
    Ok(text.replace("\r\n", "\n").replace('\r', "\n"))
}

/// Whether a requirement is answered by an index, not by an address or a path.
fn is_of_index(requirement: &str) -> bool {
    let head = requirement.split(';').next().unwrap_or_default().trim();
    let archive = [".whl", ".tar.gz", ".zip"].iter().any(|end| head.ends_with(end));
    !archive && !head.contains(['@', '/']) && !head.starts_with('.')
}

fn nothing(why: &[String]) -> Finding {
    let finding = Finding::error(codes::INPUT_IO, "the file has no requirement that an image can have");
    let finding = why.iter().take(4).cloned().fold(finding, Finding::because);
    finding.help("name a `requirements.txt` or a `pyproject.toml`")
}

#[cfg(test)]
mod tests;
