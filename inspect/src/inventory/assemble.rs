//! Which files belong to which package, and which package brought which along.

use std::collections::{BTreeMap, BTreeSet};

use model::inventory::{Ecosystem, Found, Item, Unread};
use model::text::is_plain;
use model::{Kind, TreePath};

use super::{List, Told, parent};

/// Packages of one image; distributions have fewer than a hundred thousand.
const MOST: usize = 100_000;
/// Files of all packages together, each as often as a package names it.
const MOST_FILES: usize = 4_000_000;

/// Every package, with its files and its holder, in the order of their records; and which records told of too much.
pub(super) fn packages(told: BTreeMap<TreePath, Told>, items: &[Item]) -> (Vec<Found>, Vec<Unread>) {
    let there: BTreeMap<&[u8], &TreePath> = items
        .iter()
        .filter(|item| item.entry.node != Kind::Dir)
        .map(|item| (item.path.as_bytes(), &item.path))
        .collect();
    // A package may have its papers with another's (Debian policy 12.5).
    let papers = items.iter().filter_map(|item| match &item.entry.node {
        Kind::Symlink { target } => Some((item.path.as_bytes().strip_prefix(b"usr/share/doc/")?, target.as_str())),
        _ => None,
    });
    let linked: BTreeMap<&[u8], &str> = papers.collect();
    let mut lists = Lists::default();
    let mut found: Vec<Found> = Vec::new();
    let mut unread = Vec::new();
    for (record, told) in told {
        lists.add(&record, told.list);
        if found.len() + told.found.len() > MOST {
            let why = format!("with its packages the image would have more than {MOST}: they are not listed");
            unread.push(Unread { path: record, why });
            continue;
        }
        // Within one record, holders are numbered from its first package.
        let start = u32::try_from(found.len()).unwrap_or(u32::MAX);
        found.extend(
            told.found
                .into_iter()
                .map(|package| Found { holder: package.holder.map(|holder| holder.saturating_add(start)), ..package }),
        );
    }
    let mut left = MOST_FILES;
    for package in &mut found {
        plain(package);
        package.files = lists.files(package, &there);
        match left.checked_sub(package.files.len()) {
            Some(rest) => left = rest,
            None => {
                package.files.clear();
                let why = format!("with its files packages would have more than {MOST_FILES}: they are not listed");
                unread.push(Unread { path: package.record.clone(), why });
            }
        }
        if package.ecosystem == Ecosystem::Deb {
            let papers = linked.get(package.name.as_bytes()).copied().unwrap_or(&package.name);
            package.licence = lists.licences.get(papers).cloned();
        }
    }
    let holders = holders(&found);
    for (package, holder) in found.iter_mut().zip(holders) {
        package.holder = package.holder.or(holder);
    }
    (found, unread)
}

/// Takes away what may not stand in every document. Only licences may have several lines.
fn plain(package: &mut Found) {
    let Found { namespace, name, version, architecture, licence, supplier, homepage, description, .. } = package;
    let lines = [namespace, version, architecture, supplier, homepage, description];
    let lines = lines.into_iter().flatten().chain([name]).chain(&mut package.requires).chain(&mut package.inside);
    lines.for_each(|text| text.retain(is_plain));
    licence.iter_mut().for_each(|text| text.retain(|c| is_plain(c) || c == '\n'));
}

/// What files add to the records of others, by whose they are.
#[derive(Default)]
struct Lists {
    debian: BTreeMap<(String, Option<String>), Vec<Vec<u8>>>,
    /// By the directory of the record.
    python: BTreeMap<Vec<u8>, Vec<Vec<u8>>>,
    /// Of Debian packages.
    licences: BTreeMap<String, String>,
}

impl Lists {
    fn add(&mut self, record: &TreePath, list: Option<List>) {
        match list {
            Some(List::Debian(name, architecture, files)) => {
                self.debian.entry((name, architecture)).or_default().extend(files);
            }
            Some(List::Python(files)) => drop(self.python.insert(directory(record.as_bytes()).to_vec(), files)),
            Some(List::DebianLicence(name, licence)) => drop(self.licences.insert(name, licence)),
            Some(List::Distribution(_)) | None => {}
        }
    }

    /// The files of a package that are there, its record among them.
    fn files(&self, package: &Found, there: &BTreeMap<&[u8], &TreePath>) -> Vec<TreePath> {
        let record = package.record.as_bytes();
        let mut files: Vec<TreePath> = match package.ecosystem {
            Ecosystem::Deb => {
                let named = [(package.name.clone(), None), (package.name.clone(), package.architecture.clone())];
                let listed = || named.iter().filter_map(|name| self.debian.get(name)).flatten();
                // A directory of the package may be a link that another put there: `/bin`.
                let directories: BTreeSet<&[u8]> = listed().map(|path| directory(path)).collect();
                let files = listed().filter(|path| !directories.contains(path.as_slice()));
                files.filter_map(|path| existing(path, there)).collect()
            }
            Ecosystem::Pypi => {
                let listed = self.python.get(directory(record)).into_iter().flatten();
                listed.filter_map(|path| existing(path, there)).collect()
            }
            Ecosystem::Npm => below(directory(record), there)
                .filter(|path| {
                    let inside = path.as_bytes().get(directory(record).len()..).unwrap_or_default();
                    !inside.split(|b| *b == b'/').any(|part| part == b"node_modules")
                })
                .collect(),
            Ecosystem::Gem => {
                // `specifications/a-1.0.gemspec` tells of `gems/a-1.0/`; those of the interpreter lie one deeper.
                let directories = record.split(|b| *b == b'/').collect::<Vec<_>>();
                let at = directories.iter().rposition(|part| *part == b"specifications").unwrap_or(0);
                let name = directories.last().and_then(|name| name.strip_suffix(b".gemspec")).unwrap_or_default();
                let gem = [directories.get(..at).unwrap_or_default().join(&b'/'), b"gems".to_vec(), name.to_vec()];
                below(&gem.join(&b'/'), there).collect()
            }
            Ecosystem::Maven | Ecosystem::Golang | Ecosystem::Cargo => Vec::new(),
        };
        // One status file tells of many packages.
        if package.ecosystem != Ecosystem::Deb || !record.ends_with(b"/status") {
            files.push(package.record.clone());
        }
        files.sort();
        files.dedup();
        files
    }
}

/// A listed path as it is in the image: packages list `/bin/sh` also where `/bin` is a link to `/usr/bin`.
fn existing(path: &[u8], there: &BTreeMap<&[u8], &TreePath>) -> Option<TreePath> {
    let merged = [b"usr/", path].concat();
    there.get(path).or_else(|| there.get(merged.as_slice())).map(|path| (*path).clone())
}

fn below<'t>(directory: &[u8], there: &'t BTreeMap<&[u8], &TreePath>) -> impl Iterator<Item = TreePath> + use<'t> {
    let start = [directory, b"/"].concat();
    let range = there.range::<[u8], _>((std::ops::Bound::Included(start.as_slice()), std::ops::Bound::Unbounded));
    range
        .take_while(move |(path, _)| path.starts_with(&start))
        .map(|(_, path)| (*path).clone())
        .collect::<Vec<_>>()
        .into_iter()
}

fn directory(path: &[u8]) -> &[u8] {
    let length = parent(path).map_or(0, |(name, above)| name.len() + above.len() + usize::from(!above.is_empty()));
    path.get(..length).unwrap_or_default()
}

/// For each package the smallest other one whose files its record is among. Who holds has more files, or as many and stands
/// before, so no package holds itself through others.
fn holders(found: &[Found]) -> Vec<Option<u32>> {
    let size = |number: &usize| found.get(*number).map_or(0, |package| package.files.len());
    let mut of_record: BTreeMap<&TreePath, Vec<usize>> = BTreeMap::new();
    for (number, package) in found.iter().enumerate() {
        of_record.entry(&package.record).or_default().push(number);
    }
    let mut holders: Vec<Option<usize>> = vec![None; found.len()];
    for (number, package) in found.iter().enumerate() {
        let others = package.files.iter().filter(|file| **file != package.record);
        for held in others.filter_map(|file| of_record.get(file)).flatten() {
            let is_larger = (size(held), number) < (size(&number), *held);
            let Some(holder) = holders.get_mut(*held).filter(|_| is_larger) else { continue };
            if holder.is_none_or(|now| size(&number) < size(&now)) {
                *holder = Some(number);
            }
        }
    }
    holders.into_iter().map(|holder| holder.and_then(|number| u32::try_from(number).ok())).collect()
}
