//! The union of trees, and what is put in besides.

use std::collections::BTreeMap;
use std::collections::btree_map;

use inspect::archive::target_text;
use model::plan::Addition;
use model::{Digest, Entry, Finding, Kind, Tree, TreePath, codes};

use super::content::Content;
use super::run::Input;
use super::{Context, PackWriter, Record, broken};

/// A directory of a tree.
pub(super) fn pick(context: &Context, inputs: &[Input], path: &TreePath) -> Result<Record, Finding> {
    let [input] = inputs else { return Err(broken("a pick step needs one tree")) };
    let tree = input.tree.directory(path).map_err(|e| broken(e.to_string()))?;
    context.keep_tree(tree, input.packs.clone(), Vec::new())
}

/// The name of additions in findings.
const ADDED: &str = "what the plan adds";

pub(super) fn run(context: &Context, inputs: &[Input], names: &[&str], add: &[Addition]) -> Result<Record, Finding> {
    let mut composition = Composition::new(context);
    let moved = |index: usize| {
        add.iter().find_map(|addition| match addition {
            Addition::Move { input, to } if usize::try_from(*input).ok() == Some(index) => Some(to),
            _ => None,
        })
    };
    if let Some(wrong) =
        add.iter().find(|a| matches!(a, Addition::Move { input, .. } if *input as usize >= inputs.len()))
    {
        return Err(broken(format!("{wrong:?} names no input")));
    }
    for (index, input) in inputs.iter().enumerate() {
        let name = names.get(index).copied().unwrap_or_default();
        let entries = match moved(index) {
            None => input.tree.entries().clone(),
            Some(to) => below(to, &input.tree)?,
        };
        composition.unite(name, entries, &input.packs)?;
    }
    composition.add(add)?;
    composition.finish()
}

/// A tree moved below a directory.
fn below(to: &TreePath, tree: &Tree) -> Result<BTreeMap<TreePath, Entry>, Finding> {
    let join = |path: &TreePath| {
        TreePath::new([to.as_bytes(), b"/", path.as_bytes()].concat()).map_err(|e| broken(e.to_string()))
    };
    let mut entries = BTreeMap::from([(to.clone(), Entry::dir())]);
    for (path, entry) in tree.entries() {
        let mut entry = entry.clone();
        if let Kind::Hardlink { to } = &mut entry.node {
            *to = join(to)?;
        }
        entries.insert(join(path)?, entry);
    }
    Ok(entries)
}

/// A tree in the making.
pub(super) struct Composition<'a> {
    context: &'a Context<'a>,
    /// Every entry, with the name of what brought it.
    entries: BTreeMap<TreePath, (Entry, String)>,
    packs: Vec<Digest>,
    /// Objects made on the way.
    pub(super) objects: Vec<Digest>,
}

impl<'a> Composition<'a> {
    pub(super) fn new(context: &'a Context<'a>) -> Self {
        Self { context, entries: BTreeMap::new(), packs: Vec::new(), objects: Vec::new() }
    }

    /// Takes in a tree.
    pub(super) fn unite(
        &mut self,
        name: &str,
        entries: BTreeMap<TreePath, Entry>,
        packs: &[Digest],
    ) -> Result<(), Finding> {
        for (path, entry) in entries {
            self.put(path, entry, name)?;
        }
        self.packs.extend(packs.iter().filter(|pack| !self.packs.contains(pack)).copied().collect::<Vec<_>>());
        Ok(())
    }

    /// Takes in additions, in order; moves concern inputs and were made before.
    pub(super) fn add(&mut self, additions: &[Addition]) -> Result<(), Finding> {
        let mut sink = PackWriter::new(self.context);
        for addition in additions {
            let (path, entry) = match addition {
                Addition::Move { .. } => continue,
                Addition::Dir { path, mode, uid, gid } => {
                    (path, Entry { uid: *uid, gid: *gid, ..Entry::root(Kind::Dir, *mode) })
                }
                Addition::Symlink { path, target } => {
                    (path, Entry::root(Kind::Symlink { target: target_text(target.as_bytes()) }, 0o777))
                }
                Addition::File { path, text, mode } => {
                    let (digest, size) = sink.put(text.as_bytes())?;
                    (path, Entry::root(Kind::File { digest, size }, *mode))
                }
                Addition::Concat { path, from, suffix, extra } => {
                    let bytes = self.concatenated(from, suffix, extra)?;
                    let (digest, size) = sink.put(&bytes)?;
                    (path, Entry::root(Kind::File { digest, size }, 0o644))
                }
            };
            self.put(path.clone(), entry, ADDED)?;
        }
        let packed = sink.finish()?;
        self.packs.extend(packed.pack);
        self.objects.extend(packed.objects);
        Ok(())
    }

    fn concatenated(&self, from: &TreePath, suffix: &str, extra: &str) -> Result<Vec<u8>, Finding> {
        let content = Content::open(self.context, &self.packs)?;
        let below = [from.as_bytes(), b"/"].concat();
        let mut all = Vec::new();
        for (path, (entry, _)) in self.entries.range(from.clone()..) {
            if !path.as_bytes().starts_with(&below) || !path.file_name().ends_with(suffix.as_bytes()) {
                continue;
            }
            if let Kind::File { digest, size } = entry.node {
                all.extend(content.bytes(&digest, size)?);
                if !all.ends_with(b"\n") {
                    all.push(b'\n');
                }
            }
        }
        all.extend_from_slice(extra.as_bytes());
        Ok(all)
    }

    /// The same name twice must be the same entry. A directory that is only there because something lies in it takes
    /// the mode and owner of one that somebody made on purpose.
    fn put(&mut self, path: TreePath, entry: Entry, by: &str) -> Result<(), Finding> {
        let mut there = match self.entries.entry(path) {
            btree_map::Entry::Vacant(vacant) => {
                vacant.insert((entry, by.to_owned()));
                return Ok(());
            }
            btree_map::Entry::Occupied(there) => there,
        };
        let (first, _) = there.get();
        let both_dirs = first.node == Kind::Dir && entry.node == Kind::Dir;
        if *first == entry || both_dirs && entry == Entry::dir() {
            return Ok(());
        }
        if both_dirs && *first == Entry::dir() {
            there.insert((entry, by.to_owned()));
            return Ok(());
        }
        let (path, (first, first_by)) = (there.key().display(), there.get());
        Err(Finding::error(codes::TREE_CONFLICT, format!("/{path} is brought by {first_by} and, differently, by {by}"))
            .because(format!("{first_by}: {}", shown(first)))
            .because(format!("{by}: {}", shown(&entry)))
            .help("Leave out one of the two, or choose versions that do not share the file."))
    }

    /// Keeps the tree.
    pub(super) fn finish(self) -> Result<Record, Finding> {
        let entries = self.entries.into_iter().map(|(path, (entry, _))| (path, entry)).collect();
        let tree = Tree::with_parents(entries).map_err(|e| {
            Finding::error(codes::TREE_CONFLICT, format!("the files do not fit together: {e}"))
                .help("Something is placed below a symbolic link or a file; place it below the directory itself.")
        })?;
        self.context.keep_tree(tree, self.packs, self.objects)
    }
}

fn shown(entry: &Entry) -> String {
    let what = match &entry.node {
        Kind::Dir => "a directory".to_owned(),
        Kind::File { digest, size } => format!("a file of {size} bytes, {digest}"),
        Kind::Symlink { target } => format!("a symbolic link to {target:?}"),
        Kind::Hardlink { to } => format!("a hard link to {:?}", to.display()),
    };
    format!("{what}, mode {:04o}, owner {}:{}", entry.mode, entry.uid, entry.gid)
}
