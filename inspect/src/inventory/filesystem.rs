//! The entries that layers make together.

use std::collections::BTreeMap;
use std::ops::Bound;

use model::inventory::{Item, Unread};
use model::{Entry, Kind, TreePath};

use crate::archive::layer::Change;

/// What is there after some layers.
#[derive(Default)]
pub struct Filesystem {
    entries: BTreeMap<TreePath, (Entry, u32)>,
    /// What is neither file, directory nor link.
    special: BTreeMap<TreePath, &'static str>,
    unread: Vec<Unread>,
    /// The layer being read.
    layer: u32,
}

impl Filesystem {
    /// Everything that follows is in the next layer.
    pub fn next_layer(&mut self) {
        self.layer += 1;
    }

    /// Does what a member of the layer says.
    pub fn apply(&mut self, change: Change) {
        match change {
            Change::Put(path, entry) => self.put(path, entry),
            Change::Remove(path) => {
                self.special.remove(&path);
                self.remove_below(&path, self.layer);
                if self.entries.get(&path).is_some_and(|(_, layer)| *layer < self.layer) {
                    self.entries.remove(&path);
                }
            }
            Change::Clear(Some(path)) => self.remove_below(&path, self.layer),
            Change::Clear(None) => self.entries.retain(|_, (_, layer)| *layer >= self.layer),
            Change::Special(path, what) => {
                self.remove_below(&path, u32::MAX);
                self.entries.remove(&path);
                self.special.insert(path, what);
            }
        }
    }

    /// The entries, sorted by path, and what is to be said of some. A directory that no layer has is as runtimes make it.
    pub fn finish(mut self) -> (Vec<Item>, Vec<Unread>) {
        let mut missing = Vec::new();
        for (path, (_, layer)) in &self.entries {
            let mut parent = path.parent();
            while let Some(directory) = parent.filter(|directory| !self.entries.contains_key(directory)) {
                parent = directory.parent();
                missing.push((directory, *layer));
            }
        }
        for (path, layer) in missing {
            self.entries.entry(path).or_insert((Entry::dir(), layer));
        }
        let links = self.entries.iter().filter_map(|(path, (entry, _))| match &entry.node {
            Kind::Hardlink { to } => {
                Some((path.clone(), format!("it is a hard link to {:?}, which was no file there", to.display())))
            }
            _ => None,
        });
        let dangling: Vec<(TreePath, String)> = links.collect();
        dangling.into_iter().for_each(|(path, why)| self.unread(&path, why));
        let special = std::mem::take(&mut self.special);
        special.iter().for_each(|(path, what)| self.unread(path, format!("it is {what}")));
        let mut unread = self.unread;
        unread.sort();
        unread.dedup();
        let item = |(path, (entry, layer))| Item { path, entry, layer, sha1: None, part: None };
        (self.entries.into_iter().map(item).collect(), unread)
    }

    fn put(&mut self, path: TreePath, mut entry: Entry) {
        self.special.remove(&path);
        // Another name of a file keeps the content, whatever the first name is given later.
        if let Kind::Hardlink { to } = &entry.node
            && let Some((Entry { node: first @ (Kind::File { .. } | Kind::Symlink { .. }), .. }, _)) =
                self.entries.get(to)
        {
            entry.node = first.clone();
        }
        let mut parent = path.parent();
        while let Some(directory) = parent {
            match self.entries.get(&directory).map(|(entry, _)| &entry.node) {
                None | Some(Kind::Dir) => {}
                // Runtimes differ in whether they follow it.
                Some(Kind::Symlink { .. }) => {
                    self.unread(&path, "it lies below a symbolic link".into());
                    return;
                }
                Some(_) => drop(self.entries.remove(&directory)),
            }
            parent = directory.parent();
        }
        if entry.node != Kind::Dir {
            self.remove_below(&path, u32::MAX);
        }
        self.entries.insert(path, (entry, self.layer));
    }

    /// Takes away what lies below a path and was put there before a layer.
    fn remove_below(&mut self, path: &TreePath, before: u32) {
        let start = [path.as_bytes(), b"/"].concat();
        let range = self.entries.range((Bound::Excluded(path.clone()), Bound::Unbounded));
        // Names such as `a-b` stand between `a` and `a/b`.
        let after = |path: &TreePath| path.as_bytes() > start.as_slice() && !path.as_bytes().starts_with(&start);
        let below = range.take_while(|(path, _)| !after(path));
        let below = below.filter(|(path, (_, layer))| path.as_bytes().starts_with(&start) && *layer < before);
        let below: Vec<TreePath> = below.map(|(path, _)| path.clone()).collect();
        below.iter().for_each(|path| drop(self.entries.remove(path)));
    }

    fn unread(&mut self, path: &TreePath, why: String) {
        self.unread.push(Unread { path: path.clone(), why });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::Digest;

    fn path(text: &str) -> TreePath {
        TreePath::new(text).unwrap()
    }

    fn file(name: &str) -> Change {
        let digest = Digest::of(name.as_bytes());
        Change::Put(path(name), Entry::root(Kind::File { digest, size: 1 }, 0o644))
    }

    fn shown(layers: Vec<Vec<Change>>) -> Vec<String> {
        let mut filesystem = Filesystem::default();
        for (number, layer) in layers.into_iter().enumerate() {
            if number > 0 {
                filesystem.next_layer();
            }
            layer.into_iter().for_each(|change| filesystem.apply(change));
        }
        let (items, unread) = filesystem.finish();
        let items = items.iter().filter(|item| item.entry.node != Kind::Dir);
        let items = items.map(|item| format!("{}@{}", item.path.display(), item.layer));
        items.chain(unread.iter().map(|one| format!("{}: {}", one.path.display(), one.why))).collect()
    }

    #[test]
    fn later_layers_cover_remove_and_clear() {
        let lower = || vec![file("a/x"), file("a/y"), file("a-b"), file("b"), file("c/d/e")];
        assert_eq!(shown(vec![lower(), vec![file("a/x")]]), ["a-b@0", "a/x@1", "a/y@0", "b@0", "c/d/e@0"]);
        assert_eq!(shown(vec![lower(), vec![Change::Remove(path("a"))]]), ["a-b@0", "b@0", "c/d/e@0"]);
        // In whatever order they stand in the layer, what it puts itself stays.
        assert_eq!(
            shown(vec![lower(), vec![file("a/z"), Change::Clear(Some(path("a")))]]),
            ["a-b@0", "a/z@1", "b@0", "c/d/e@0"]
        );
        assert_eq!(shown(vec![lower(), vec![file("z"), Change::Clear(None)]]), ["z@1"]);
        assert_eq!(shown(vec![lower(), vec![file("c")]]), ["a-b@0", "a/x@0", "a/y@0", "b@0", "c@1"]);
        assert_eq!(shown(vec![lower(), vec![file("b/c")]]), ["a-b@0", "a/x@0", "a/y@0", "b/c@1", "c/d/e@0"]);
    }

    #[test]
    fn devices_links_and_what_lies_below_them_are_said() {
        let link = |node| Change::Put(path("l"), Entry::root(node, 0o777));
        let symbolic = Kind::Symlink { target: "a".into() };
        assert_eq!(shown(vec![vec![link(symbolic), file("l/x")]]), ["l@0", "l/x: it lies below a symbolic link"]);
        assert_eq!(shown(vec![vec![file("d")], vec![Change::Special(path("d"), "a device")]]), ["d: it is a device"]);
        let hard = Kind::Hardlink { to: path("gone") };
        assert_eq!(shown(vec![vec![link(hard)]]), ["l@0", "l: it is a hard link to \"gone\", which was no file there"]);
        let link = |to: &str| Change::Put(path("l"), Entry::root(Kind::Hardlink { to: path(to) }, 0o644));
        // Its content is what the file had when the link was made.
        let layers = vec![vec![file("a")], vec![link("a")], vec![Change::Remove(path("a"))]];
        assert_eq!(shown(layers), ["l@1"]);
        let removed = vec![vec![Change::Special(path("d"), "a device")], vec![Change::Remove(path("d"))]];
        assert!(shown(removed).is_empty());
    }
}
