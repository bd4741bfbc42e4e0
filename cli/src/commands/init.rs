use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::path::Path;

use inspect::pypi::normalize;
use model::{Finding, Sources, codes};
use runtime::input;

use crate::project::{self, unreadable};
use crate::report::Failure;

/// Bytes of a file that packages are taken from.
const MAX_BYTES: u64 = 1 << 20;
const PYTHON: &str = "3.13";

/// What a configuration starts from.
#[derive(Default)]
struct Start {
    name: Option<String>,
    description: Option<String>,
    version: Option<String>,
    /// A version, line or range of Python.
    python: Option<String>,
    packages: Vec<String>,
}

/// `init`: writes a configuration, and replaces none.
pub(super) fn run(from: Option<&Path>, output: &Path, name: Option<&str>, python: Option<&str>) -> Result<(), Failure> {
    if output.symlink_metadata().is_ok() {
        let message = format!("{} is there already", output.display());
        return Err(Finding::error(codes::USAGE, message).help("name another file with `--output`").into());
    }
    let found = match from {
        Some(file) => read(file)?,
        None => Start::default(),
    };
    let folder = std::path::absolute(output)
        .ok()
        .and_then(|path| Some(path.parent()?.file_name()?.to_string_lossy().into_owned()));
    let proposal = normalize(found.name.as_deref().or(folder.as_deref()).unwrap_or("my-service"));
    let name = name.map_or_else(|| ask("name of the image", &proposal), str::to_owned);
    let proposal = found.python.as_deref().unwrap_or(PYTHON);
    let python = python.map_or_else(|| ask("Python version, line or range", proposal), str::to_owned);
    let app = output.with_file_name("app").is_dir();
    let text = write(&Start { name: Some(name), python: Some(python), ..found }, app);
    project::write_whole(output, text.as_bytes())?;
    anstream::eprintln!("{} written", output.display());
    // What was taken over may be nothing an image can have: that is said now, and the file is there to be corrected.
    let mut sources = Sources::default();
    let findings = project::check(output, &mut sources);
    if findings.is_empty() { Ok(()) } else { Err(Failure { sources, findings }) }
}

/// Asks on a terminal; elsewhere the proposal is taken.
fn ask(what: &str, proposal: &str) -> String {
    if !std::io::stdin().is_terminal() {
        return proposal.to_owned();
    }
    anstream::eprint!("{what} [{proposal}]: ");
    let _ = std::io::stderr().flush();
    let mut answer = String::new();
    let _ = std::io::stdin().lock().read_line(&mut answer);
    let answer = answer.trim();
    if answer.is_empty() { proposal.to_owned() } else { answer.to_owned() }
}

fn read(file: &Path) -> Result<Start, Finding> {
    let bytes = input::read(file, MAX_BYTES).map_err(|e| unreadable(file, &e))?;
    let text = String::from_utf8(bytes).map_err(|e| {
        Finding::error(codes::NOT_UTF8, format!("{} is not UTF-8: {e}", file.display())).help("save it as UTF-8")
    })?;
    match file.extension().is_some_and(|extension| extension == "toml") {
        true => pyproject(file, &text),
        false => Ok(requirements(&text)),
    }
}

/// The packages of a `requirements.txt` (pip's format). What is not a package is named and left out.
fn requirements(text: &str) -> Start {
    let mut packages = Vec::new();
    for line in text.replace("\\\n", " ").lines() {
        let line = line.split(" #").next().unwrap_or_default();
        let line = line.split(" --").next().unwrap_or_default().trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if line.starts_with('-') {
            anstream::eprintln!("left out: {line}");
            continue;
        }
        packages.push(line.to_owned());
    }
    Start { packages, ..Start::default() }
}

/// The `project` table of a `pyproject.toml` (PEP 621).
fn pyproject(file: &Path, text: &str) -> Result<Start, Finding> {
    let table: toml::Table = text.parse().map_err(|e: toml::de::Error| {
        Finding::error(codes::INPUT_IO, format!("{} is no TOML: {}", file.display(), e.message())).help("correct it")
    })?;
    let project = table.get("project").and_then(toml::Value::as_table).ok_or_else(|| {
        Finding::error(codes::INPUT_IO, format!("{} has no table `project`", file.display()))
            .help("only what PEP 621 describes is read; or use `--from requirements.txt`")
    })?;
    let field = |name: &str| project.get(name).and_then(toml::Value::as_str).map(str::to_owned);
    let dependencies = project.get("dependencies").and_then(toml::Value::as_array);
    Ok(Start {
        name: field("name"),
        description: field("description"),
        version: field("version"),
        python: field("requires-python"),
        packages: dependencies.into_iter().flatten().filter_map(|d| d.as_str().map(str::to_owned)).collect(),
    })
}

fn write(start: &Start, app: bool) -> String {
    let quoted = |text: &str| serde_json::Value::from(text).to_string().replace("${{", "$${{");
    let mut text = format!("name: {}\n", start.name.as_deref().unwrap_or_default());
    for (field, value) in [("version", &start.version), ("description", &start.description)] {
        if let Some(value) = value {
            text.push_str(&format!("{field}: {}\n", quoted(value)));
        }
    }
    let python = start.python.as_deref().unwrap_or(PYTHON);
    text.push_str(&format!("base: {{language: python, version: {}}}\n", quoted(python)));
    if !start.packages.is_empty() {
        text.push_str("packages:\n");
        start.packages.iter().for_each(|package| text.push_str(&format!("  - {}\n", quoted(package))));
    }
    if app {
        text.push_str("source: {path: ./app, to: /app}\n");
    }
    text.push_str("run:\n");
    if app {
        text.push_str("  workdir: /app\n");
    }
    text.push_str("  command: [python3]\n");
    text
}
