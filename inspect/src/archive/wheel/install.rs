//! Where a wheel's files go.

use std::collections::BTreeMap;

use model::{Digest, Entry, Finding, Kind, Tree, TreePath};

use super::super::members::Members;
use super::super::{ContentSink, Limits, escapes, unreadable};
use super::{Wanted, Wheel, entry_points, invalid, metadata, record};

/// What the file INSTALLER says.
const INSTALLER: &str = "clnstrt\n";

pub(super) fn place(
    wheel: &Wheel,
    wanted: &Wanted,
    limits: &Limits,
    sink: &mut dyn ContentSink,
) -> Result<Tree, Finding> {
    let scheme = wanted.scheme;
    let root = if metadata::root_is_purelib(wheel)? { &scheme.purelib } else { &scheme.platlib };
    let mut installed = Installed { members: Members::new(limits), rows: BTreeMap::new(), root };
    let dist_info = format!("{}.dist-info", wheel.stem);
    for (name, file) in &wheel.files {
        // A compiled module that its source does not come with would run unseen.
        let cached = name.rsplit_once('/').is_some_and(|(dir, _)| dir.split('/').any(|part| part == "__pycache__"));
        if cached || *name == format!("{dist_info}/RECORD") || *name == format!("{dist_info}/INSTALLER") {
            continue;
        }
        let (dir, rest) = destination(wheel, wanted, root, name)?;
        if dir == scheme.scripts {
            refuse_interpreter(wanted, rest)?;
        }
        installed.add(&dir, rest, file.installed, file.executable)?;
    }
    if wheel.documents.contains_key("entry_points.txt") {
        for command in entry_points::parse(wheel.text("entry_points.txt")?)? {
            let script = command.script(&scheme.interpreter);
            refuse_interpreter(wanted, &command.name)?;
            let stored = keep(sink, &script)?;
            installed.add(&scheme.scripts, &command.name, stored, true)?;
        }
    }
    let stored = keep(sink, INSTALLER)?;
    installed.add(root, &format!("{dist_info}/INSTALLER"), stored, false)?;
    let own = format!("{dist_info}/RECORD");
    let stored = keep(sink, &record::write(&installed.rows, &own))?;
    installed.add(root, &own, stored, false)?;
    installed.members.finish()
}

/// Scripts come first on the search path: one named as an interpreter would be run in its place.
fn refuse_interpreter(wanted: &Wanted, script: &str) -> Result<(), Finding> {
    let interpreter = wanted.scheme.interpreter.rsplit('/').next().unwrap_or_default();
    let of = interpreter.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    let rest = script.strip_prefix(of).unwrap_or("?");
    if of.is_empty() || rest.chars().any(|c| !c.is_ascii_digit() && c != '.') {
        return Ok(());
    }
    Err(invalid(format!("its script {script:?} would take the place of the interpreter {interpreter}")))
}

/// The directory of the scheme a file belongs to and its name below it.
fn destination<'n>(
    wheel: &Wheel,
    wanted: &Wanted,
    root: &TreePath,
    name: &'n str,
) -> Result<(TreePath, &'n str), Finding> {
    let Some(below) = wheel.below(".data", name) else { return Ok((root.clone(), name)) };
    let scheme = wanted.scheme;
    let (kind, rest) = below.split_once('/').unwrap_or((below, ""));
    let dir = match kind {
        "purelib" => scheme.purelib.clone(),
        "platlib" => scheme.platlib.clone(),
        "scripts" => scheme.scripts.clone(),
        "data" => scheme.data.clone(),
        "headers" => scheme.headers.join(wanted.project).map_err(|e| invalid(e.to_string()))?,
        _ => return Err(invalid(format!("{name:?} belongs to no part of an installation"))),
    };
    Ok((dir, rest))
}

fn keep(sink: &mut dyn ContentSink, text: &str) -> Result<(Digest, u64), Finding> {
    sink.store(&mut text.as_bytes()).map_err(|e| unreadable("a file made for the wheel", &e))
}

struct Installed<'a> {
    members: Members,
    /// Rows of the new RECORD.
    rows: BTreeMap<String, (Digest, u64)>,
    root: &'a TreePath,
}

impl Installed<'_> {
    fn add(
        &mut self,
        dir: &TreePath,
        name: &str,
        (digest, size): (Digest, u64),
        executable: bool,
    ) -> Result<(), Finding> {
        self.members.count()?;
        self.members.shape(name.as_bytes())?;
        let climbs = || escapes(format!("the member name {name:?} is no relative path inside the wheel's root"));
        // As a path of its own first: joined to the directory, `..` would be inside the image.
        let relative = TreePath::new(name).map_err(|_| climbs())?;
        let path = dir.join(name).map_err(|_| climbs())?;
        self.rows.insert(relative_to(self.root, dir, &relative), (digest, size));
        let mode = if executable { 0o755 } else { 0o644 };
        self.members.add(path, Entry::root(Kind::File { digest, size }, mode))
    }
}

/// The path of `name` below `dir` as seen from `root`.
fn relative_to(root: &TreePath, dir: &TreePath, name: &TreePath) -> String {
    let split = |path: &TreePath| path.display().split('/').map(str::to_owned).collect::<Vec<_>>();
    let (root, dir) = (split(root), split(dir));
    let common = root.iter().zip(&dir).take_while(|(a, b)| a == b).count();
    let up = std::iter::repeat_n("..", root.len() - common);
    let down = dir.iter().skip(common).map(String::as_str);
    let name = name.display();
    up.chain(down).chain([name.as_str()]).collect::<Vec<_>>().join("/")
}
