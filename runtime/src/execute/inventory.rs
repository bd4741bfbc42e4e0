//! What lies in an image: its layers as they will be delivered, held against the trees they were made from.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};

use files::archive::Summed;
use inspect::archive::Limits;
use inspect::archive::layer::{self, Change};
use inspect::archive::wheel::same_version;
use inspect::inventory::{Filesystem, Scanner};
use model::inventory::{Ecosystem, Found, Inventory, Item};
use model::plan::{Brought, Promised};
use model::{Arch, Digest, Entry, Finding, Hasher, Kind, TreePath, canonical_json, codes};

use super::content::Content;
use super::run::Input;
use super::value::Layer;
use super::{Context, Record, Value, broken};

/// How many files a finding names.
const NAMED: usize = 20;
const CHUNK: usize = 128 << 10;

/// Takes stock of layers; of the trees the first ones are those the layers were made from, the others those of the parts.
pub(super) fn run(
    context: &Context,
    layers: &[Value],
    trees: &[Input],
    parts: &[Brought],
    arch: Arch,
) -> Result<Record, Finding> {
    let (made_from, brought) =
        trees.split_at_checked(layers.len()).ok_or_else(|| broken("an inventory lacks the trees of its layers"))?;
    if brought.len() != parts.len() {
        return Err(broken("an inventory does not say what each of its parts is"));
    }
    let mut filesystem = Filesystem::default();
    let mut titles = Vec::new();
    let mut changed = Vec::new();
    let mut sums = Sums::new();
    for (number, (value, tree)) in layers.iter().zip(made_from).enumerate() {
        let Value::Layer(layer) = value else { return Err(broken("an inventory needs layers")) };
        if number > 0 {
            filesystem.next_layer();
        }
        changed.extend(read(context, layer, tree, &mut filesystem, &mut sums)?);
        titles.push(layer.title.as_str());
    }
    if let Some(finding) = complaint(&changed, arch) {
        return Err(finding);
    }

    let (mut items, unread) = filesystem.finish();
    let mut scanner = Scanner::default();
    let contents = made_from.iter().map(|input| Content::open(context, &input.packs)).collect::<Result<Vec<_>, _>>()?;
    for Item { path, entry, layer, .. } in &items {
        let (Kind::File { digest, size }, Some(content)) = (&entry.node, contents.get(*layer as usize)) else {
            continue;
        };
        let content = content.read(digest, *size)?;
        if Scanner::wants(path, entry, content.peek()) {
            let looked = scanner.look(path, &mut content.seekable()?);
            looked.map_err(|e| context.store.failed(&format!("{digest} cannot be read"), &e))?;
        }
    }
    for item in &mut items {
        if let Kind::File { digest, .. } = &item.entry.node {
            item.sha1 = sums.get(digest).cloned();
        }
    }
    let names = attribute(&mut items, brought, parts, &titles);
    let mut inventory = scanner.inventory(arch.name(), (items, unread));
    inventory.parts = names;
    let missing = own_files(&mut inventory, parts);
    if !missing.is_empty() {
        let message = format!("a package of the lock is not in the {arch} image as its record should say");
        let help = "the package has no record of itself, or that of another version: choose another version of it";
        let finding = Finding::error(codes::PACKAGE_MISSING, message).help(help);
        return Err(named(finding, &missing));
    }
    let kept = context.keep_document(&canonical_json(&inventory))?;
    Ok(Record::new(Value::Blob(kept), vec![kept.digest]))
}

/// Reads a layer, and says what in it is not as in the tree it was made from.
fn read(
    context: &Context,
    layer: &Layer,
    tree: &Input,
    filesystem: &mut Filesystem,
    sums: &mut Sums,
) -> Result<Vec<String>, Finding> {
    let file = context.store.open_blob(&layer.digest)?;
    let mut file = Whole { inner: file, hasher: Hasher::new() };
    let mut left: BTreeMap<&TreePath, &Entry> = tree.tree.entries().iter().collect();
    let mut changed = Vec::new();
    let mut each = |change: Change| {
        match &change {
            Change::Put(path, entry) => match left.remove(path) {
                Some(expected) if expected == entry => {}
                Some(_) => changed.push(format!("/{} is not as it was made", path.display())),
                None => changed.push(format!("nobody put /{} there", path.display())),
            },
            Change::Remove(path) | Change::Clear(Some(path)) => {
                changed.push(format!("nobody takes away /{}", path.display()));
            }
            Change::Clear(None) => changed.push("nobody takes away all there is".to_owned()),
            Change::Special(path, what) => changed.push(format!("nobody put /{} there, {what}", path.display())),
        }
        filesystem.apply(change);
    };
    let take = &mut |_: &TreePath, _: u64, content: &mut dyn Read| {
        let mut content = Summed::new(content, true);
        io::copy(&mut content, &mut io::sink())?;
        let (digest, sha1) = content.finish();
        sums.extend(sha1.map(|sha1| (digest, sha1)));
        Ok(digest)
    };
    let done =
        layer::read(io::BufReader::with_capacity(CHUNK, &mut file), layer.size, &Limits::default(), take, &mut each);
    // What comes after the end of the archive is read as well: the layer's digest covers it.
    let rest = io::copy(&mut file, &mut io::sink());
    rest.map_err(|e| context.store.failed(&format!("{} cannot be read", layer.digest), &e))?;
    if file.hasher.finish() != layer.digest {
        return Err(context.store.damaged(&layer.digest));
    }
    done?;
    // Directories that a layer below has need not be in it.
    let gone = left.into_iter().filter(|(_, entry)| entry.node != Kind::Dir);
    changed.extend(gone.map(|(path, _)| format!("/{} is missing", path.display())));
    Ok(changed)
}

/// What is read, and its digest.
struct Whole<R> {
    inner: R,
    hasher: Hasher,
}

impl<R: Read> Read for Whole<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.hasher.update(buffer.get(..read).unwrap_or_default());
        Ok(read)
    }
}

/// By the digest of a content, its SHA-1.
type Sums = BTreeMap<Digest, String>;

fn complaint(changed: &[String], arch: Arch) -> Option<Finding> {
    let message = match changed.len() {
        0 => return None,
        1 => format!("a layer of the {arch} image is not what was put together"),
        count => format!("layers of the {arch} image differ in {count} places from what was put together"),
    };
    let finding = Finding::error(codes::LAYER_CHANGED, message);
    Some(named(finding, changed).help("something changed the store: remove it, or name another one, and build again"))
}

fn named(finding: Finding, lines: &[String]) -> Finding {
    let finding = lines.iter().take(NAMED).fold(finding, |finding, line| finding.because(line.clone()));
    match lines.len().saturating_sub(NAMED) {
        0 => finding,
        more => finding.because(format!("and {more} more")),
    }
}

/// Says of every entry but directories who put it there; answers who there is. What no part brought, the step that put its layer
/// together made.
fn attribute(items: &mut [Item], brought: &[Input], parts: &[Brought], titles: &[&str]) -> Vec<String> {
    let mut names: Vec<String> = parts.iter().map(|part| part.by.clone()).collect();
    let number = |names: &mut Vec<String>, name: &str| {
        let at = names.iter().position(|known| known == name).unwrap_or_else(|| {
            names.push(name.to_owned());
            names.len() - 1
        });
        u32::try_from(at).ok()
    };
    let places: BTreeMap<&TreePath, usize> = items.iter().enumerate().map(|(at, item)| (&item.path, at)).collect();
    let mut owners: Vec<(usize, TreePath, u32)> = Vec::new();
    for (tree, by) in brought.iter().zip(parts) {
        let Some(part) = number(&mut names, &by.by) else { continue };
        for (path, entry) in tree.tree.entries().iter().filter(|(_, entry)| entry.node != Kind::Dir) {
            // In the image, another name of a file is a file.
            let entry = match &entry.node {
                Kind::Hardlink { to } => tree.tree.entries().get(to).unwrap_or(entry),
                _ => entry,
            };
            let there = places.get(path).filter(|at| items.get(**at).is_some_and(|item| item.entry == *entry));
            owners.extend(there.map(|at| (*at, path.clone(), part)));
        }
    }
    for (at, _, part) in &owners {
        items.get_mut(*at).into_iter().for_each(|item| item.part = Some(*part));
    }
    let owners: BTreeMap<TreePath, u32> = owners.into_iter().map(|(_, path, part)| (path, part)).collect();
    for item in items.iter_mut().filter(|item| item.entry.node != Kind::Dir && item.part.is_none()) {
        // Byte code belongs to the module it was made from.
        let of_module = module_of(&item.path).and_then(|module| owners.get(&module).copied());
        let title = titles.get(item.layer as usize).copied().unwrap_or_default();
        item.part = of_module.or_else(|| number(&mut names, title));
    }
    names
}

/// `a/b.py` for `a/__pycache__/b.cpython-313.pyc` (PEP 3147).
fn module_of(path: &TreePath) -> Option<TreePath> {
    let cache = path.parent().filter(|cache| cache.file_name() == b"__pycache__")?;
    let name = path.file_name().strip_suffix(b".pyc")?;
    let name = name.get(..name.iter().position(|b| *b == b'.')?)?;
    let module = [name, b".py"].concat();
    TreePath::new(match cache.parent() {
        Some(above) => [above.as_bytes(), b"/", &module].concat(),
        None => module,
    })
    .ok()
}

/// Gives every promised package the files of its part, and all other packages told of by those files to it; names those that are
/// not there.
fn own_files(inventory: &mut Inventory, parts: &[Brought]) -> Vec<String> {
    let Inventory { items, packages, parts: names, .. } = inventory;
    let mut of_part: BTreeMap<u32, Vec<TreePath>> = BTreeMap::new();
    let mut part_of: BTreeMap<&TreePath, u32> = BTreeMap::new();
    for item in items.iter() {
        if let Some(part) = item.part {
            of_part.entry(part).or_default().push(item.path.clone());
            part_of.insert(&item.path, part);
        }
    }
    let mut missing = BTreeSet::new();
    for Brought { by, promised } in parts {
        let Some(promised) = promised else { continue };
        let part = names.iter().position(|name| name == by).and_then(|at| u32::try_from(at).ok());
        let is_of_part = |found: &Found| part.is_some() && part_of.get(&found.record).copied() == part;
        let own = packages.iter().position(|found| is_of_part(found) && is(found, promised));
        let Some(own) = own else {
            let Promised { name, version, .. } = promised;
            missing.insert(format!("no record of {name} {version} came with {by}"));
            continue;
        };
        let holder = u32::try_from(own).ok();
        for (at, found) in packages.iter_mut().enumerate() {
            if at == own {
                found.files = part.and_then(|part| of_part.get(&part)).cloned().unwrap_or_default();
                found.holder = None;
            } else if is_of_part(found) && found.holder.is_none() {
                found.holder = holder;
            }
        }
    }
    missing.into_iter().collect()
}

fn is(found: &Found, promised: &Promised) -> bool {
    found.ecosystem == promised.ecosystem
        && found.name == promised.name
        && found.version.as_deref().is_some_and(|version| match found.ecosystem {
            Ecosystem::Pypi => same_version(version, &promised.version),
            _ => version == promised.version,
        })
}
