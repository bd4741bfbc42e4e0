//! An image configuration on disk, with what lies beside it.

use std::borrow::Cow;
use std::io::Read as _;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::{Path, PathBuf};

use compiler::template::{self, Document, Image};
use files::{Output, input};
use grammar::Report;
use grammar::yaml::{Node, Parsed};
use model::config::{Config, Content, Place};
use model::lock::Lock;
use model::{Digest, Finding, Findings, SourceId, Sources, Span, codes, has_errors};
use runtime::local::Folder;

use crate::report::Failure;
use crate::templates::Templates;

/// A configuration that was read and checked.
pub(crate) struct Project {
    document: Document,
    /// The images the command is about.
    images: Vec<Image>,
    /// Whether these are chosen among others.
    chosen: bool,
    pub(crate) sources: Sources,
    /// Warnings found while checking.
    pub(crate) warnings: Findings,
    path: PathBuf,
    files: Files,
}

/// What a document was read from.
pub(crate) struct Files {
    /// The folder that paths start from.
    pub(crate) root: PathBuf,
    /// The configuration first, then every template, each with its digest.
    pub(crate) files: Vec<(String, Digest)>,
}

impl Project {
    /// Reads a configuration and checks those of its images that are selected; every finding at once.
    pub(crate) fn load(path: &Path, select: &[(String, String)]) -> Result<Self, Failure> {
        let mut sources = Sources::default();
        let read = parse(path, &mut sources).and_then(|(root, parsed, digest)| {
            let templates = Templates::of(directory(path))?;
            let (document, findings) = load(&templates, path, &root, parsed, &mut sources)?;
            let (images, warnings) = images(&document, findings, select)?;
            let mut files = vec![(templates.path(path), digest)];
            files.extend(templates.taken());
            Ok((document, images, warnings, Files { root: templates.root().to_owned(), files }))
        });
        match read {
            Ok((document, images, warnings, files)) => {
                let (chosen, path) = (!select.is_empty(), path.to_owned());
                Ok(Self { document, images, chosen, sources, warnings, path, files })
            }
            Err(findings) => Err(Failure { sources, findings }),
        }
    }

    /// The images the command is about, at least one.
    pub(crate) fn images(&self) -> &[Image] {
        &self.images
    }

    /// Every image of the configuration, whichever are selected.
    pub(crate) fn every_image(&self) -> Result<Cow<'_, [Image]>, Failure> {
        if !self.chosen {
            return Ok(Cow::Borrowed(&self.images));
        }
        let images = images(&self.document, Findings::new(), &[]);
        let failed = |findings| Failure { sources: self.sources.clone(), findings };
        images.map(|(images, _)| Cow::Owned(images)).map_err(failed)
    }

    /// Whether the command is about an image.
    pub(crate) fn is_selected(&self, image: &Image) -> bool {
        !self.chosen || self.images.iter().any(|one| one.assignment.number == image.assignment.number)
    }

    /// Whether the configuration makes several images, so that messages must say which one they mean.
    pub(crate) fn is_batch(&self) -> bool {
        self.chosen || self.images.len() > 1
    }

    /// Which image a message is about.
    pub(crate) fn about(&self, image: &Image) -> String {
        format!("the image is {}, with {}", image.config.name.value, image.assignment)
    }

    /// A failure of one image, whose findings may point into the configuration.
    pub(crate) fn failure(&self, image: &Image, findings: impl Into<Findings>) -> Failure {
        Failure { sources: self.sources.clone(), findings: self.of_image(image, findings.into()) }
    }

    /// Findings about an image as they are shown.
    pub(crate) fn of_image(&self, image: &Image, findings: Findings) -> Findings {
        let findings = self.trace(image, findings).into_iter();
        findings.map(|finding| if self.is_batch() { finding.because(self.about(image)) } else { finding }).collect()
    }

    /// Findings about an image, with places in texts.
    pub(crate) fn trace(&self, image: &Image, findings: Findings) -> Findings {
        self.document.trace(&image.assignment, findings)
    }

    /// The folder of the configuration, where everything it names lies.
    pub(crate) fn folder(&self) -> Result<Folder, Finding> {
        Folder::open(directory(&self.path), &[&self.path, &self.lock_path()])
    }

    /// Refuses an output that would take the place of the configuration or its lock.
    pub(crate) fn check_output(&self, output: &Path) -> Result<(), Finding> {
        let same = |path: &Path| path.canonicalize().is_ok_and(|path| output.canonicalize().is_ok_and(|o| o == path));
        if !same(&self.path) && !same(&self.lock_path()) {
            return Ok(());
        }
        let message = format!("{} would be overwritten by the output", output.display());
        Err(Finding::error(codes::USAGE, message).help("name another file"))
    }

    /// The files it was read from.
    pub(crate) fn files(&self) -> &Files {
        &self.files
    }

    /// The directory that its paths start from.
    pub(crate) fn directory(&self) -> &Path {
        directory(&self.path)
    }

    /// Where its lock is.
    pub(crate) fn lock_path(&self) -> PathBuf {
        lock_path(&self.path)
    }

    /// A command about this configuration, as its user would type it.
    pub(crate) fn command(&self, words: &str) -> String {
        match self.path.to_str() {
            Some("image.yaml") => format!("clnstrt-cli {words}"),
            _ => format!("clnstrt-cli {words} --config {}", self.path.display()),
        }
    }

    /// The lock beside the configuration, if there is one.
    pub(crate) fn read_lock(&self) -> Result<Option<Lock>, Finding> {
        let path = self.lock_path();
        let text = match input::read(&path, model::lock::MAX_BYTES) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(unreadable(&path, &e)),
        };
        Lock::from_text(&text).map(Some).map_err(|why| {
            let message = format!("{} is no lock this version can read: {why}", path.display());
            Finding::error(codes::LOCK_UNREADABLE, message)
                .help(format!("make it again: `{}`", self.command("lock --update")))
        })
    }

    /// Writes the lock, whole or not at all.
    pub(crate) fn write_lock(&self, lock: &Lock) -> Result<(), Finding> {
        write_whole(&self.lock_path(), lock.to_text().as_bytes())
    }
}

/// Writes a file, whole or not at all.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), Finding> {
    let write = || {
        let mut staged = Output::create(path)?;
        std::io::Write::write_all(&mut staged, bytes)?;
        staged.commit()
    };
    write().map_err(|e| Finding::error(codes::OUTPUT_IO, format!("{} cannot be written: {e}", path.display())))
}

/// Writes a file of the user's anew: what a link leads to, with the mode it had, and the owner and group where this user
/// may give it to them.
pub(crate) fn rewrite(path: &Path, bytes: &[u8]) -> Result<(), Finding> {
    let failed = |e| Finding::error(codes::OUTPUT_IO, format!("{} cannot be written: {e}", path.display()));
    let real = path.canonicalize().map_err(failed)?;
    let before = real.metadata().map_err(failed)?;
    write_whole(&real, bytes)?;
    // Each by itself: who may not give a file away may still give it to a group.
    let _ = chown(&real, None, Some(before.gid()));
    let _ = chown(&real, Some(before.uid()), None);
    std::fs::set_permissions(&real, before.permissions()).map_err(failed)
}

/// Why a file the user named cannot be read.
pub(crate) fn unreadable(path: &Path, e: &std::io::Error) -> Finding {
    Finding::error(codes::INPUT_IO, format!("{} cannot be read: {e}", path.display()))
        .help("check the path; `--config FILE` names a configuration that is not image.yaml here")
}

/// Everything found in a configuration or template, and in what its images name, errors and warnings.
pub(crate) fn check(path: &Path, sources: &mut Sources) -> Findings {
    let read = parse(path, sources).and_then(|(root, parsed, _)| {
        let templates = Templates::of(directory(path))?;
        if template::is_template(&root) {
            let found = Document::check_template(&templates.path(path), &root, &parsed.mended, sources, &templates);
            return Err([parsed.findings, found].concat());
        }
        let (document, findings) = load(&templates, path, &root, parsed, sources)?;
        let (images, findings) = images(&document, findings, &[])?;
        Ok((document, images, findings))
    });
    let (document, images, mut found) = match read {
        Ok(read) => read,
        Err(findings) => return findings,
    };
    let folder = Folder::open(directory(path), &[path, &lock_path(path)]);
    let missing = images.iter().flat_map(|image| match &folder {
        Ok(folder) => document.trace(&image.assignment, missing(&image.config, folder)),
        Err(finding) => finding.clone().into(),
    });
    let mut report = Report::default();
    for finding in missing {
        if report.is_full() {
            break;
        }
        if !report.findings().contains(&finding) {
            report.add(finding);
        }
    }
    found.extend(report.into_findings());
    found
}

/// Findings for what a configuration names and is not there.
fn missing(config: &Config, folder: &Folder) -> Findings {
    let source = config.source.iter().filter_map(|source| match &source.place {
        Place::Folder(path) => folder.directory(&path.value).err().map(|finding| finding.at(path.span)),
        Place::Git { .. } => None,
    });
    let named = config.files.iter().filter_map(|file| match &file.content {
        Content::File(from) => Some(from),
        Content::Text(_) => None,
    });
    let files = named.chain(&config.certificates);
    let files = files.filter_map(|file| folder.file(&file.value).err().map(|finding| finding.at(file.span)));
    source.chain(files).collect()
}

/// Images of a document, with what is to be warned of.
fn images(
    document: &Document,
    findings: Findings,
    select: &[(String, String)],
) -> Result<(Vec<Image>, Findings), Findings> {
    match document.images(select) {
        Ok((images, found)) => {
            let findings = [findings, found].concat();
            if has_errors(&findings) { Err(findings) } else { Ok((images, findings)) }
        }
        Err(found) => Err([findings, found].concat()),
    }
}

/// Reads a document and what it extends.
pub(crate) fn open(path: &Path, sources: &mut Sources) -> Result<(Document, Findings), Findings> {
    let (root, parsed, _) = parse(path, sources)?;
    load(&Templates::of(directory(path))?, path, &root, parsed, sources)
}

fn load(
    templates: &Templates,
    path: &Path,
    root: &Node,
    parsed: Parsed,
    sources: &mut Sources,
) -> Result<(Document, Findings), Findings> {
    let (document, found) = Document::load(&templates.path(path), root, &parsed.mended, sources, templates);
    Ok((document, [parsed.findings, found].concat()))
}

/// The tree of a file with what is wrong with its text, and its digest.
fn parse(path: &Path, sources: &mut Sources) -> Result<(Node, Parsed, Digest), Findings> {
    let Text { source, text, digest } = read_text(path, sources)?;
    let parsed = grammar::yaml::parse(source, &text);
    match parsed.root.clone() {
        Some(root) => Ok((root, parsed, digest)),
        None => Err(parsed.findings),
    }
}

/// A document as it lies on disk.
pub(crate) struct Text {
    pub(crate) source: SourceId,
    pub(crate) text: String,
    /// Of the file's bytes.
    digest: Digest,
}

/// The text of a document.
pub(crate) fn read_text(path: &Path, sources: &mut Sources) -> Result<Text, Findings> {
    // One byte more than a configuration may have: the parser notices a larger one.
    let mut bytes = Vec::new();
    let file = input::open(path).map_err(|e| unreadable(path, &e))?;
    file.take(grammar::MAX_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(|e| unreadable(path, &e))?;
    let text = grammar::decode(&bytes);
    let source = sources.add(input::shown(path), *text.as_ref().unwrap_or(&""));
    let text = text.map_err(|finding| finding.or_at(Span::new(source, 0, 0)))?;
    Ok(Text { source, text: text.to_owned(), digest: Digest::of(&bytes) })
}

/// The directory that relative paths of a configuration start from.
fn directory(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// `image.yaml` has its lock in `image.lock.json`.
fn lock_path(path: &Path) -> PathBuf {
    path.with_extension("lock.json")
}
