//! The four tools: had at pinned versions below `target/tools`, and asked about one mistake at a time.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::{Answer, Tool, read};
use crate::shell::{self, cargo, root};

pub(super) const CUE: &str = "v0.17.1";
pub(super) const APKO: &str = "v1.2.0";
pub(super) const LANGUAGE_SERVER: &str = "1.25.0";

/// How long a tool may take over one mistake.
const LIMIT: Duration = Duration::from_secs(10);

/// Where the tools leave what they write, seen from the folder of a mistake, in which they run.
const WORK: &str = "../../../target/mistakes";

pub(super) struct Tools {
    clnstrt: PathBuf,
    cue: PathBuf,
    apko: PathBuf,
    language_server: PathBuf,
    work: PathBuf,
}

impl Tools {
    /// Installs what is missing and makes what the tools read besides the mistakes.
    pub(super) fn prepare() -> Result<Self, String> {
        shell::run(&mut cargo(&["build", "--quiet", "--package", "clnstrt-cli"]))?;
        let tools = Self {
            clnstrt: root().join("target/debug/clnstrt-cli"),
            cue: go_program("cuelang.org/go/cmd/cue", CUE)?,
            apko: go_program("chainguard.dev/apko", APKO)?,
            language_server: npm_program("yaml-language-server", LANGUAGE_SERVER)?,
            work: root().join("target/mistakes"),
        };
        create(&tools.work)?;
        for kind in ["image", "template"] {
            let schema = shell::output(Command::new(&tools.clnstrt).args(["schema", kind]))?;
            let file = tools.work.join(format!("{kind}.schema.json"));
            fs::write(&file, schema).map_err(|e| format!("{}: {e}", file.display()))?;
        }
        // apko looks for packages before it looks at all of its configuration.
        let index = tools.work.join("repository/x86_64");
        create(&index)?;
        let mut tar = Command::new("tar");
        tar.arg("-czf").arg(index.join("APKINDEX.tar.gz")).args(["-C", "docs/mistakes", "APKINDEX"]);
        shell::run(tar.current_dir(root()))?;
        Ok(tools)
    }

    /// What a tool says of the mistake in a folder; nothing if the folder has no file for it.
    pub(super) fn ask(&self, tool: Tool, folder: &Path, answer: &Answer) -> Result<Option<String>, String> {
        let has = |file: &str| folder.join(file).is_file();
        let mut command = match tool {
            Tool::Clnstrt => {
                let mut command = Command::new(&self.clnstrt);
                command.args(["validate", "image.yaml"]);
                command
            }
            Tool::Cue => {
                let mut command = Command::new(&self.cue);
                command.args(["vet", "-c"]);
                if has("image.cue") {
                    command.args(["../schema.cue", "service.cue", "image.cue"]);
                } else {
                    command.args(["-d", "#Image", "../schema.cue", "image.yaml"]);
                }
                command
            }
            Tool::Apko if !has("apko.yaml") => return Ok(None),
            Tool::Apko => self.apko(answer)?,
            Tool::LanguageServer => {
                let mut command = Command::new("node");
                command.arg("../language-server.mjs").arg(&self.language_server);
                command.arg(format!("image.yaml={WORK}/image.schema.json"));
                if has("service.template.yaml") {
                    command.arg(format!("service.template.yaml={WORK}/template.schema.json"));
                }
                command
            }
        };
        self.said(command.current_dir(folder)).map(|text| Some(plain(&text, folder)))
    }

    fn apko(&self, answer: &Answer) -> Result<Command, String> {
        let mut command = Command::new(&self.apko);
        let words: &[&str] = match answer.command.as_deref() {
            None => &["show-config"],
            Some("build") => &["build", "--offline", "--ignore-signatures"],
            Some(other) => return Err(format!("apko is not asked to `{other}`")),
        };
        command.args(words).args(["--log-level", "warn", "--repository-append"]).arg(format!("{WORK}/repository"));
        command.arg("apko.yaml");
        if answer.command.is_some() {
            command.arg("billing:1").arg(format!("{WORK}/billing.tar"));
        }
        Ok(command)
    }

    /// Runs a command, for a while, and returns all it printed.
    fn said(&self, command: &mut Command) -> Result<String, String> {
        let shown = shell::shown(command);
        let failed = |error: std::io::Error| format!("`{shown}`: {error}");
        let path = self.work.join("output");
        // One file for both streams keeps their order, and a tool that prints without end cannot block.
        let file = File::create(&path).map_err(failed)?;
        command.stdin(Stdio::null()).stdout(file.try_clone().map_err(failed)?).stderr(file).env("NO_COLOR", "1");
        let mut child = command.spawn().map_err(failed)?;
        let started = Instant::now();
        let ended = loop {
            if child.try_wait().map_err(failed)?.is_some() {
                break true;
            }
            if started.elapsed() > LIMIT {
                child.kill().and_then(|()| child.wait()).map_err(failed)?;
                break false;
            }
            std::thread::sleep(Duration::from_millis(10));
        };
        let mut text = read(&path)?;
        if !ended {
            text += &format!("(stopped after {} seconds: it had not ended)", LIMIT.as_secs());
        } else if text.trim().is_empty() {
            text += "(no output)";
        }
        Ok(text)
    }
}

/// Output without what differs from run to run and from machine to machine.
fn plain(text: &str, folder: &Path) -> String {
    let text = text.replace(&format!("{}/", folder.display()), "").replace(&format!("{}/", root().display()), "");
    let lines: Vec<&str> = text.lines().map(|line| without_time(line).trim_end()).collect();
    lines.join("\n").trim_matches('\n').to_owned()
}

/// A log's line without the time it begins with: `2026/01/31 23:59:59 `.
fn without_time(line: &str) -> &str {
    const FORM: &[u8] = b"0000/00/00 00:00:00 ";
    match line.split_at_checked(FORM.len()) {
        Some((time, rest))
            if time.bytes().zip(FORM).all(|(is, form)| match form {
                b'0' => is.is_ascii_digit(),
                _ => is == *form,
            }) =>
        {
            rest
        }
        _ => line,
    }
}

/// A program of a Go module, built once for each version.
///
/// `go install` would ask for the list of all versions, which not every module proxy has; a module that requires one
/// version does not.
fn go_program(package: &str, version: &str) -> Result<PathBuf, String> {
    let name = package.rsplit('/').next().unwrap_or(package);
    let folder = root().join("target/tools").join(format!("{name}-{version}"));
    let program = folder.join(name);
    if !program.is_file() {
        let _ = fs::remove_dir_all(&folder);
        create(&folder)?;
        let required = format!("{package}@{version}");
        for words in [&["mod", "init", "tools"][..], &["get", &required], &["build", "-o", name, package]] {
            shell::run(Command::new("go").args(words).current_dir(&folder))?;
        }
    }
    Ok(program)
}

/// A program of an npm package of the same name, installed once for each version.
fn npm_program(name: &str, version: &str) -> Result<PathBuf, String> {
    let folder = root().join("target/tools").join(format!("{name}-{version}"));
    let program = folder.join("node_modules").join(name).join("bin").join(name);
    if !program.is_file() {
        let mut npm = Command::new("npm");
        npm.args(["install", "--silent", "--prefix"]).arg(&folder).arg(format!("{name}@{version}"));
        shell::run(&mut npm)?;
    }
    Ok(program)
}

fn create(folder: &Path) -> Result<(), String> {
    fs::create_dir_all(folder).map_err(|e| format!("{}: {e}", folder.display()))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::plain;
    use crate::shell::root;

    #[test]
    fn paths_become_relative_and_times_vanish() {
        let folder = root().join("docs/mistakes/01");
        let text = format!("\n{}/image.yaml:3: bad  \n2026/01/31 23:59:59 WARN late\n", folder.display());
        assert_eq!(plain(&text, &folder), "image.yaml:3: bad\nWARN late");
        assert_eq!(plain("2026/01/31 is a day, ä", Path::new("/x")), "2026/01/31 is a day, ä");
    }
}
