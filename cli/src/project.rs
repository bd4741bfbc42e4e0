//! An image configuration on disk, with what lies beside it.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use model::config::Config;
use model::lock::Lock;
use model::{Finding, Findings, Severity, Sources, codes};
use runtime::local::Folder;
use runtime::{Output, input};

use crate::report::Failure;

/// A configuration that was read and checked.
pub(crate) struct Project {
    pub(crate) config: Config,
    pub(crate) sources: Sources,
    /// Warnings found while checking.
    pub(crate) warnings: Findings,
    path: PathBuf,
}

impl Project {
    /// Reads a configuration; every finding at once.
    pub(crate) fn load(path: &Path) -> Result<Self, Failure> {
        let mut sources = Sources::default();
        match read(path, &mut sources) {
            Ok((config, warnings)) => Ok(Self { config, sources, warnings, path: path.to_owned() }),
            Err(findings) => Err(Failure { sources, findings }),
        }
    }

    /// A failure whose findings may point into the configuration.
    pub(crate) fn failure(&self, findings: impl Into<Findings>) -> Failure {
        Failure { sources: self.sources.clone(), findings: findings.into() }
    }

    /// The directory that relative paths of the configuration start from.
    pub(crate) fn directory(&self) -> &Path {
        match self.path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        }
    }

    /// The folder of the configuration, where everything it names lies.
    pub(crate) fn folder(&self) -> Result<Folder, Finding> {
        Folder::open(self.directory(), &[&self.path, &self.lock_path()])
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

    /// Findings for what the configuration names and is not there.
    fn missing(&self) -> Findings {
        let folder = match self.folder() {
            Ok(folder) => folder,
            Err(finding) => return finding.into(),
        };
        let source = self.config.source.iter().filter_map(|source| {
            folder.directory(&source.path.value).err().map(|finding| finding.at(source.path.span))
        });
        let files = self.config.files.iter().map(|file| &file.from).chain(&self.config.certificates);
        let files = files.filter_map(|file| folder.file(&file.value).err().map(|finding| finding.at(file.span)));
        source.chain(files).collect()
    }

    /// `image.yaml` has its lock in `image.lock.json`.
    pub(crate) fn lock_path(&self) -> PathBuf {
        self.path.with_extension("lock.json")
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

/// Why a file the user named cannot be read.
pub(crate) fn unreadable(path: &Path, e: &std::io::Error) -> Finding {
    Finding::error(codes::INPUT_IO, format!("{} cannot be read: {e}", path.display()))
        .help("check the path; `--config FILE` names a configuration that is not image.yaml here")
}

/// Everything found in a configuration, errors and warnings, and in what it names.
pub(crate) fn check(path: &Path, sources: &mut Sources) -> Findings {
    match read(path, sources) {
        Ok((config, mut warnings)) => {
            let project =
                Project { config, sources: Sources::default(), warnings: Findings::new(), path: path.to_owned() };
            warnings.extend(project.missing());
            warnings
        }
        Err(findings) => findings,
    }
}

fn read(path: &Path, sources: &mut Sources) -> Result<(Config, Findings), Findings> {
    // One byte more than a configuration may have: the parser notices a larger one.
    let mut bytes = Vec::new();
    let file = input::open(path).map_err(|e| unreadable(path, &e))?;
    file.take(grammar::MAX_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(|e| unreadable(path, &e))?;
    let text = grammar::decode(&bytes)?;
    let source = sources.add(path.display().to_string(), text);
    let parsed = grammar::yaml::parse(source, text);
    let mut findings = parsed.findings;
    let config = parsed.root.as_ref().and_then(|root| {
        let (config, more) = compiler::config::read(root);
        findings.extend(more);
        config
    });
    match config {
        Some(config) if findings.iter().all(|f| f.severity == Severity::Warning) => Ok((config, findings)),
        _ => Err(findings),
    }
}
