use std::collections::{BTreeMap, BTreeSet};

use model::hardening::{CompileFlags, Proof, Provenance};
use model::inventory::{Found, Inventory, Item};
use model::{Digest, Entry, Kind, TreePath, digest_of};

use super::facts::{Fact, Facts};
use super::{Change, Changes, Difference, Place};

/// The image of one architecture.
pub struct Image<'i> {
    /// What lies in it.
    pub inventory: &'i Inventory,
    /// How it is started, and its labels, by name.
    pub settings: BTreeMap<String, String>,
    /// The digests of its configuration and its layers.
    pub digests: Vec<Digest>,
}

/// What differs between two images, each by its architectures: how they are started, their packages and their files. Files of a
/// package whose version changed are counted together.
pub fn images(before: &BTreeMap<String, Image<'_>>, after: &BTreeMap<String, Image<'_>>) -> Difference {
    let mut changes = Changes::default();
    let arches: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    for arch in arches {
        let place = Place { image: None, target: Some(arch.clone()) };
        match (before.get(arch), after.get(arch)) {
            (Some(old), Some(new)) => image(old, new, &place, &mut changes),
            (old, _) => changes.add_one_sided(&place, "", "architecture", old.is_some()),
        }
    }
    Difference { changes: changes.list, affected: Vec::new() }
}

fn image(old: &Image<'_>, new: &Image<'_>, place: &Place, changes: &mut Changes) {
    let mut differs = settings(old).compare(&settings(new), place, "configuration", changes);
    let (old_packages, new_packages) = (packages(old.inventory), packages(new.inventory));
    differs |= old_packages.compare(&new_packages, place, "", changes);
    let changed: BTreeSet<String> = {
        let versions = |inventory: &Inventory| {
            let named = inventory.packages.iter().map(|found| (name(found), found.version.clone()));
            named.collect::<BTreeSet<_>>()
        };
        versions(old.inventory).symmetric_difference(&versions(new.inventory)).map(|(name, _)| name.clone()).collect()
    };
    differs |= unread(old.inventory).compare(&unread(new.inventory), place, "not read", changes);
    differs |= files(old.inventory, &changed).compare(&files(new.inventory, &changed), place, "file", changes);
    if !differs && (old.digests != new.digests || old.inventory != new.inventory) {
        let digest = |image: &Image<'_>| Some(digest_of(&(&image.digests, image.inventory)).to_string());
        let change =
            Change { what: "arrangement".into(), before: digest(old), after: digest(new), ..Change::default() };
        changes.add(place, change);
    }
}

fn settings(image: &Image<'_>) -> Facts {
    let mut facts = Facts::default();
    image.settings.iter().for_each(|(name, value)| facts.put(name, value.clone()));
    facts
}

fn packages(inventory: &Inventory) -> Facts {
    let mut facts = Facts::default();
    let mut namesakes: BTreeMap<String, Vec<&Found>> = BTreeMap::new();
    inventory.packages.iter().for_each(|found| namesakes.entry(name(found)).or_default().push(found));
    for (name, all) in namesakes {
        let said = |of: fn(&Found) -> Option<&str>| {
            let values: BTreeSet<&str> = all.iter().filter_map(|found| of(found)).collect();
            values.into_iter().collect::<Vec<_>>().join(", ")
        };
        let own = [
            ("licence", said(|found| found.licence.as_deref())),
            ("supplier", said(|found| found.supplier.as_deref())),
        ];
        let own = own.into_iter().filter(|(_, value)| !value.is_empty());
        let version = said(|found| Some(found.version.as_deref().unwrap_or("of no version")));
        facts.put(
            &name,
            Fact { own: own.map(|(name, value)| (name.to_owned(), value)).collect(), ..Fact::from(version) },
        );
    }
    facts
}

/// As changes name a package: `deb libc6`.
fn name(found: &Found) -> String {
    let namespace = found.namespace.iter().map(|namespace| format!("{namespace}/")).collect::<String>();
    format!("{} {namespace}{}", found.ecosystem.name(), found.name)
}

/// What could not be read, and why: whatever it told before is missing then.
fn unread(inventory: &Inventory) -> Facts {
    let mut facts = Facts::default();
    inventory.unread.iter().for_each(|unread| facts.put(&format!("/{}", unread.path.display()), unread.why.clone()));
    facts
}

/// A directory as nearly all are says nothing by itself.
fn is_plain(entry: &Entry) -> bool {
    entry.node == Kind::Dir && entry.mode == 0o755 && entry.uid == 0 && entry.gid == 0 && entry.xattrs.is_empty()
}

/// Every entry but plain directories by its path; of a package that changed, all of them as one.
fn files(inventory: &Inventory, changed: &BTreeSet<String>) -> Facts {
    let mut owners: BTreeMap<&TreePath, String> = BTreeMap::new();
    for found in inventory.packages.iter().filter(|found| changed.contains(&name(found))) {
        owners.extend(found.files.iter().map(|file| (file, name(found))));
    }
    let mut facts = Facts::default();
    let mut together: BTreeMap<&str, Vec<(&TreePath, Fact)>> = BTreeMap::new();
    for item in inventory.items.iter().filter(|item| !is_plain(&item.entry)) {
        match owners.get(&item.path) {
            Some(owner) => together.entry(owner).or_default().push((&item.path, file(item))),
            None => facts.put(&format!("/{}", item.path.display()), file(item)),
        }
    }
    for (owner, files) in together {
        let contents: Vec<_> = files.iter().map(|(path, fact)| (path, &fact.value, &fact.own)).collect();
        facts.put(&format!("of {owner}"), format!("{} files, {}", files.len(), digest_of(&contents)));
    }
    facts
}

fn file(item: &Item) -> Fact {
    let value = match &item.entry.node {
        Kind::Dir => "a folder".to_owned(),
        Kind::File { digest, size } => format!("{size} bytes, {digest}"),
        Kind::Symlink { target } => format!("a link to {target}"),
        Kind::Hardlink { to } => format!("the same file as /{}", to.display()),
    };
    let mut own = BTreeMap::from([
        ("mode".to_owned(), format!("{:04o}", item.entry.mode)),
        ("owner".to_owned(), format!("{}:{}", item.entry.uid, item.entry.gid)),
    ]);
    own.extend(item.entry.xattrs.iter().map(|(name, value)| (format!("attribute {name}"), value.clone())));
    Fact { own, ..Fact::from(value) }
}

/// What differs in how the files of images were compiled, and what was demanded of them; both by architecture.
pub fn compile_flags(before: &[CompileFlags], after: &[CompileFlags]) -> Difference {
    let mut changes = Changes::default();
    let arches: BTreeSet<_> = before.iter().chain(after).map(|flags| flags.arch).collect();
    for arch in arches {
        let of = |all: &[CompileFlags]| all.iter().find(|flags| flags.arch == arch).map(compiled).unwrap_or_default();
        let place = Place { image: None, target: Some(arch.to_string()) };
        of(before).compare(&of(after), &place, "compile flags", &mut changes);
    }
    Difference { changes: changes.list, affected: Vec::new() }
}

fn compiled(flags: &CompileFlags) -> Facts {
    let mut facts = Facts::default();
    facts.put("profile", flags.profile.clone());
    for (path, judged) in &flags.files {
        let origin = match &judged.origin {
            Provenance::Compiled { package, .. } => format!("compiled from {package}"),
            Provenance::Prebuilt { package } => format!("came compiled in {package}"),
        };
        let own = judged.verdict.iter().map(|(demand, proof)| {
            let verdict = match proof {
                Proof::Met(_) => "met",
                Proof::Missing(_) => "missing",
                Proof::Unproven(_) => "unproven",
            };
            (demand.name().to_owned(), verdict.to_owned())
        });
        let mut own: BTreeMap<String, String> = own.collect();
        own.insert("facts".to_owned(), digest_of(&judged.facts).to_string());
        facts.put(&format!("/{}", path.display()), Fact { own, ..Fact::from(origin) });
    }
    facts
}

/// What differs between the documents written about two images, by name and digest.
pub fn documents(before: &BTreeMap<String, Digest>, after: &BTreeMap<String, Digest>) -> Difference {
    let mut changes = Changes::default();
    let facts = |all: &BTreeMap<String, Digest>| {
        let mut facts = Facts::default();
        all.iter().for_each(|(name, digest)| facts.put(name, digest.to_string()));
        facts
    };
    facts(before).compare(&facts(after), &Place::default(), "document", &mut changes);
    Difference { changes: changes.list, affected: Vec::new() }
}

#[cfg(test)]
mod tests {
    use model::Entry;
    use model::inventory::Ecosystem;
    use model::inventory::Unread;

    use super::*;

    fn item(path: &str, content: &str) -> Item {
        let digest = Digest::of(content.as_bytes());
        let entry = Entry::root(Kind::File { digest, size: content.len() as u64 }, 0o644);
        Item { path: path.parse().unwrap(), entry, layer: 0, sha1: None, part: None }
    }

    fn inventory(items: Vec<Item>, version: &str) -> Inventory {
        let record: TreePath = "var/a".parse().unwrap();
        let mut found = Found::new(Ecosystem::Deb, "a", &record);
        found.version = Some(version.to_owned());
        found.files = vec!["usr/a".parse().unwrap(), record];
        Inventory {
            format: Inventory::FORMAT,
            architecture: "amd64".into(),
            distribution: BTreeMap::new(),
            parts: Vec::new(),
            items,
            packages: vec![found],
            texts: BTreeMap::new(),
            unread: Vec::new(),
            secrets: Vec::new(),
        }
    }

    fn lines(before: &Inventory, after: &Inventory, user: &str) -> Vec<String> {
        let image = |inventory, user: &str, layer: &[u8]| {
            let settings = BTreeMap::from([("user".to_owned(), user.to_owned())]);
            BTreeMap::from([("amd64".to_owned(), Image { inventory, settings, digests: vec![Digest::of(layer)] })])
        };
        let difference = images(&image(before, "1", b"a"), &image(after, user, b"b"));
        difference.changes.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn packages_files_and_settings_that_changed_are_named() {
        let before = inventory(vec![item("app/x", "1"), item("usr/a", "1"), item("var/a", "1")], "1");
        let mut executable = item("app/x", "1");
        executable.entry.mode = 0o755;
        let after = inventory(vec![executable, item("app/y", "2"), item("usr/a", "2"), item("var/a", "2")], "2");
        let lines = lines(&before, &after, "2");
        assert_eq!(lines[0], "amd64 configuration: user 1 -> 2");
        assert_eq!(lines[1], "amd64: deb a 1 -> 2");
        assert_eq!(lines[2], "amd64 file: /app/x mode 0644 -> 0755");
        assert!(lines[3].starts_with("amd64 file: /app/y \"1 bytes, sha256:") && lines[3].ends_with(" added"));
        assert!(lines[4].starts_with("amd64 file: of deb a \"2 files, sha256:"), "{}", lines[4]);
        assert_eq!(lines.len(), 5);
    }

    #[test]
    fn unusual_folders_and_what_could_not_be_read_are_named() {
        let folder = |mode| {
            let entry = Entry::root(Kind::Dir, mode);
            Item { path: "srv".parse().unwrap(), entry, layer: 0, sha1: None, part: None }
        };
        let before = inventory(vec![folder(0o755)], "1");
        let mut after = inventory(vec![folder(0o777)], "1");
        after.unread.push(Unread { path: "dev/mem".parse().unwrap(), why: "it is a device".into() });
        let lines = lines(&before, &after, "1");
        assert_eq!(lines, ["amd64 not read: /dev/mem \"it is a device\" added", "amd64 file: /srv \"a folder\" added"]);
    }

    #[test]
    fn what_no_fact_tells_apart_is_said_to_be_arranged_otherwise() {
        let same = inventory(vec![item("usr/a", "1")], "1");
        let lines = lines(&same, &same, "1");
        assert_eq!(lines.len(), 1);
        assert!(lines[0].starts_with("amd64: arrangement sha256:"), "{}", lines[0]);
    }
}
