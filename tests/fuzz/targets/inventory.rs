//! What lies in an image: records of packages, in a file whose name the first byte chooses, and layers.
#![no_main]

use std::io::{self, Cursor, Read};

use inspect::archive::layer;
use inspect::inventory::{Filesystem, Scanner};
use libfuzzer_sys::fuzz_target;
use model::inventory::Item;
use model::{Digest, Entry, Kind, TreePath};

/// A name for each reader, and one that none knows: then the content decides.
const NAMES: [&str; 11] = [
    "app",
    "var/lib/dpkg/status",
    "var/lib/dpkg/info/a.list",
    "var/lib/dpkg/status.d/a.md5sums",
    "usr/share/doc/a/copyright",
    "usr/lib/os-release",
    "l/a-1.dist-info/METADATA",
    "l/a-1.dist-info/RECORD",
    "node_modules/a/package.json",
    "g/specifications/a-1.gemspec",
    "a-1.jar",
];

fuzz_target!(|bytes: &[u8]| {
    let Some((choice, content)) = bytes.split_first() else { return };
    let name = NAMES[usize::from(*choice) % NAMES.len()];
    let path: TreePath = name.parse().expect("it is a path");
    let entry = Entry::root(Kind::File { digest: Digest::of(content), size: content.len() as u64 }, 0o755);
    let mut scanner = Scanner::default();
    scanner.look(&path, &mut Cursor::new(content)).expect("memory can be read");
    let item = Item { path, entry, layer: 0, sha1: None, part: None };
    let inventory = scanner.inventory("amd64", (vec![item], Vec::new()));
    for found in &inventory.packages {
        let mut holder = found.holder;
        for _ in &inventory.packages {
            holder = holder.and_then(|at| inventory.packages[at as usize].holder);
        }
        assert_eq!(holder, None, "a package holds itself");
    }
    let text = model::canonical_json(&inventory);
    assert_eq!(serde_json::from_slice::<model::inventory::Inventory>(&text).expect("it was written"), inventory);

    let mut filesystem = Filesystem::default();
    let mut take = |_: &TreePath, _: u64, content: &mut dyn Read| {
        io::copy(content, &mut io::sink())?;
        Ok(Digest::of(b""))
    };
    let _ =
        layer::read(content, content.len() as u64, &fuzz::LIMITS, &mut take, &mut |change| filesystem.apply(change));
    let (items, _) = filesystem.finish();
    assert!(items.windows(2).all(|pair| pair[0].path < pair[1].path));
    let is_directory = |path: &TreePath| {
        let at = items.binary_search_by(|item| item.path.cmp(path)).ok();
        at.is_some_and(|at| items[at].entry.node == Kind::Dir)
    };
    assert!(items.iter().filter_map(|item| item.path.parent()).all(|parent| is_directory(&parent)));
});
