//! A commit of a git repository, fetched by the machine's own git, so that its credentials and settings count.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use inspect::archive::target_text;
use model::{Digest, Entry, Finding, Kind, TreePath, codes};
use rustix::process::{Pid, Signal, kill_process_group};

use super::{Capture, MAX_BYTES, MAX_ENTRIES, stays_inside};
use crate::execute::{Context, PackWriter, has_local};
use crate::store::Store;

/// No fetch takes longer.
const DEADLINE: Duration = Duration::from_secs(30 * 60);
const PAUSE: Duration = Duration::from_millis(20);
/// What is shown of git's own words.
const WORDS: usize = 2000;
/// The longest list of a commit's files, in bytes.
const LIST: u64 = 256 << 20;

/// Takes the files of a commit into the store, as they are in it: no filter or attribute changes them. Answers the digest of the
/// tree's manifest. Nothing is fetched for a commit that was taken before.
///
/// # Errors
/// `OFFLINE`; `GIT_FAILED` if git is not there or cannot fetch; `SOURCE_FILE` for what an image cannot have; `STORE_IO`.
pub fn commit(store: &Store, url: &str, commit: &str, offline: bool, stall: Duration) -> Result<Digest, Finding> {
    let key = Digest::of(format!("git commit 1 {commit}").as_bytes());
    let known = store.action(&key).and_then(|bytes| String::from_utf8(bytes).ok()?.parse().ok());
    if let Some(tree) = known.filter(|tree| has_local(store, tree)) {
        return Ok(tree);
    }
    if offline {
        let message = format!("the commit {commit} is not in the store, and no connection may be opened");
        return Err(Finding::error(codes::OFFLINE, message).help("fetch it once without `--offline`"));
    }
    let failed = |e: std::io::Error| store.failed("a repository cannot be fetched", &e);
    let scratch = store.scratch().map_err(failed)?;
    let repository = Repository { dir: scratch.path(), stall };
    repository.fetch(url, commit)?;
    let tree = repository.take(store, commit)?;
    store.record(&key, tree.to_string().as_bytes())?;
    Ok(tree)
}

struct Repository<'a> {
    dir: &'a Path,
    stall: Duration,
}

impl Repository<'_> {
    /// Fetches the one commit; from servers that give none by name, everything.
    fn fetch(&self, url: &str, commit: &str) -> Result<(), Finding> {
        let format = if commit.len() == 64 { "sha256" } else { "sha1" };
        self.run(&["init", "--quiet", "--bare", &format!("--object-format={format}")])?;
        let fetch = ["fetch", "--quiet", "--no-tags", "--no-recurse-submodules"];
        let alone = self.run(&[fetch.as_slice(), &["--depth=1", "--", url, commit]].concat());
        let there = format!("{commit}^{{commit}}");
        let is_there = || self.run(&["rev-parse", "--quiet", "--verify", &there]).is_ok();
        if alone.is_ok() && is_there() {
            return Ok(());
        }
        self.run(&[fetch.as_slice(), &["--", url, "+refs/*:refs/*"]].concat())?;
        if is_there() {
            return Ok(());
        }
        Err(Finding::error(codes::GIT_FAILED, format!("the repository has no commit {commit}"))
            .because(format!("it is {url}")))
    }

    /// The files of a commit that was fetched.
    fn take(&self, store: &Store, commit: &str) -> Result<Digest, Finding> {
        let listed = self.list(commit)?;
        let context = Context::new(store);
        let mut capture = Capture { sink: PackWriter::new(&context), entries: BTreeMap::new(), bytes: 0 };
        let mut contents = Contents::open(self)?;
        for file in listed.split(|byte| *byte == 0).filter(|file| !file.is_empty()) {
            let (path, entry) = self.entry(file, &mut contents, &mut capture)?;
            capture.entries.insert(path, entry);
            if capture.entries.len() > MAX_ENTRIES || capture.bytes > MAX_BYTES {
                return Err(refused(commit, &format!("has more than {MAX_ENTRIES} files or {MAX_BYTES} bytes")));
            }
        }
        contents.close();
        capture.finish(&context)
    }

    /// A line of `git ls-tree`: mode, kind, name of the content, and path.
    fn entry(&self, line: &[u8], contents: &mut Contents, capture: &mut Capture) -> Result<(TreePath, Entry), Finding> {
        let tab = line.iter().position(|byte| *byte == b'\t').ok_or_else(|| broken("its list has no tab"))?;
        let (facts, path) = line.split_at(tab);
        let path = path.get(1..).unwrap_or_default();
        let shown = String::from_utf8_lossy(path).into_owned();
        let facts = std::str::from_utf8(facts).map_err(|_| broken("its list is no text"))?;
        let [mode, _, object] = facts.split(' ').collect::<Vec<_>>()[..] else {
            return Err(broken("its list has other columns"));
        };
        let name = TreePath::new(path).map_err(|e| refused(&shown, &e.to_string()))?;
        let entry = match mode {
            "100644" | "100664" | "100755" => {
                let (digest, size) = contents.read(object, |content| capture.stored(content, Path::new(&shown)))?;
                Entry::root(Kind::File { digest, size }, if mode == "100755" { 0o755 } else { 0o644 })
            }
            "120000" => {
                let target = contents.read(object, |content| {
                    let mut target = Vec::new();
                    content.take(4096).read_to_end(&mut target).map_err(|e| broken(&e.to_string()))?;
                    Ok(target)
                })?;
                if !stays_inside(&name, &target) {
                    let why = format!("is a symbolic link to {}, outside the repository", target_text(&target));
                    return Err(refused(&shown, &why));
                }
                Entry::root(Kind::Symlink { target: target_text(&target) }, 0o777)
            }
            "160000" => return Err(refused(&shown, "is a submodule, which is another repository")),
            _ => return Err(refused(&shown, &format!("has the mode {mode}"))),
        };
        Ok((name, entry))
    }

    fn list(&self, commit: &str) -> Result<Vec<u8>, Finding> {
        let mut child =
            self.command(&["ls-tree", "-r", "-z", commit]).stdout(Stdio::piped()).spawn().map_err(missing)?;
        let mut bytes = Vec::new();
        let output = child.stdout.take().map(|output| output.take(LIST + 1).read_to_end(&mut bytes));
        let is_too_long = bytes.len() as u64 > LIST;
        if is_too_long {
            drop(child.kill());
        }
        let ended = child.wait();
        output.transpose().map_err(|e| broken(&e.to_string()))?;
        if is_too_long {
            return Err(refused(commit, &format!("has a list of files longer than {LIST} bytes")));
        }
        match ended {
            Ok(status) if status.success() => Ok(bytes),
            Ok(status) => Err(broken(&format!("`git ls-tree` ended with {status}"))),
            Err(e) => Err(broken(&e.to_string())),
        }
    }

    /// git in this repository. What the user configured counts: proxies, credentials, addresses put in the place of others; what
    /// a repository could make git run does not.
    fn command(&self, arguments: &[&str]) -> Command {
        let stall = format!("http.lowSpeedTime={}", self.stall.as_secs());
        let mut command = Command::new("git");
        let settings =
            ["http.lowSpeedLimit=1", &stall, "transfer.fsckObjects=true", "core.hooksPath=/dev/null", "gc.auto=0"];
        command.arg("--git-dir").arg(self.dir.join("git"));
        command.args(settings.iter().flat_map(|setting| ["-c", setting])).args(arguments);
        command.env("GIT_TERMINAL_PROMPT", "0").env("LC_ALL", "C").env_remove("GIT_DIR").env_remove("GIT_WORK_TREE");
        command.stdin(Stdio::null()).stderr(Stdio::null()).process_group(0);
        command
    }

    /// Runs git to its end, which comes at the latest when it took too long.
    fn run(&self, arguments: &[&str]) -> Result<(), Finding> {
        let words = tempfile::tempfile_in(self.dir).map_err(|e| broken(&e.to_string()))?;
        let mut reader = words.try_clone().map_err(|e| broken(&e.to_string()))?;
        let mut child = self.command(arguments).stdout(Stdio::null()).stderr(words).spawn().map_err(missing)?;
        let status = ended(&mut child, DEADLINE).map_err(|e| broken(&e.to_string()))?;
        if status.is_some_and(|status| status.success()) {
            return Ok(());
        }
        let mut said = Vec::new();
        drop(std::io::Seek::rewind(&mut reader).and_then(|()| reader.take(WORDS as u64).read_to_end(&mut said)));
        let verb = arguments.first().copied().unwrap_or_default();
        let finding = Finding::error(codes::GIT_FAILED, format!("`git {verb}` failed"));
        let finding = match status {
            None => finding.because(format!("it took more than {} minutes", DEADLINE.as_secs() / 60)),
            Some(_) => String::from_utf8_lossy(&said).lines().fold(finding, |finding, line| {
                finding.because(line.chars().filter(|c| !c.is_control()).collect::<String>())
            }),
        };
        Err(finding.help("Try the same fetch with git itself: its settings and credentials are used."))
    }
}

/// Waits; `None` if it had to be ended.
fn ended(child: &mut Child, limit: Duration) -> std::io::Result<Option<std::process::ExitStatus>> {
    let started = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if started.elapsed() > limit {
            // git starts helpers: the whole group goes
            if let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
                let _ = kill_process_group(group, Signal::KILL);
            }
            child.wait()?;
            return Ok(None);
        }
        std::thread::sleep(PAUSE);
    }
}

/// `git cat-file --batch`: answers a name with a line, the content, and a line feed.
struct Contents {
    child: Child,
    questions: std::process::ChildStdin,
    answers: BufReader<std::process::ChildStdout>,
}

impl Contents {
    fn open(repository: &Repository) -> Result<Self, Finding> {
        let mut command = repository.command(&["cat-file", "--batch"]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().map_err(missing)?;
        match (child.stdin.take(), child.stdout.take()) {
            (Some(questions), Some(answers)) => Ok(Self { child, questions, answers: BufReader::new(answers) }),
            _ => Err(broken("it gives no contents")),
        }
    }

    fn read<T>(&mut self, object: &str, take: impl FnOnce(&mut dyn Read) -> Result<T, Finding>) -> Result<T, Finding> {
        let failed = |e: std::io::Error| broken(&e.to_string());
        writeln!(self.questions, "{object}").and_then(|()| self.questions.flush()).map_err(failed)?;
        let mut line = String::new();
        (&mut self.answers).take(256).read_line(&mut line).map_err(failed)?;
        let size = match line.trim_end().split(' ').collect::<Vec<_>>()[..] {
            [name, "blob", size] if name == object => size.parse::<u64>().ok(),
            _ => None,
        };
        let size = size.ok_or_else(|| broken("a content is missing"))?;
        let mut content = (&mut self.answers).take(size);
        let taken = take(&mut content)?;
        std::io::copy(&mut content, &mut std::io::sink()).map_err(failed)?;
        if content.limit() > 0 {
            return Err(broken("a content ends early"));
        }
        self.answers.read_exact(&mut [0]).map_err(failed)?;
        Ok(taken)
    }

    fn close(self) {
        let Self { mut child, questions, answers } = self;
        drop((questions, answers));
        drop(child.wait());
    }
}

fn missing(error: std::io::Error) -> Finding {
    Finding::error(codes::GIT_FAILED, "git cannot be started")
        .because(error.to_string())
        .help("install git, or name a directory: `source.path`")
}

fn broken(why: &str) -> Finding {
    Finding::error(codes::GIT_FAILED, "git's answer cannot be read").because(why)
}

fn refused(what: &str, why: &str) -> Finding {
    Finding::error(codes::SOURCE_FILE, format!("{what} {why}"))
        .help("Leave it out of the repository, or name a directory: `source.path`.")
}
