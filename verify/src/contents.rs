//! What is in the layers of images, for `--deep`.

use std::collections::BTreeMap;
use std::path::Path;

use files::archive::Images;
use model::inventory::{Inventory, Item};
use model::{Digest, Finding, Kind, TreePath};
use verifier::Contents;

/// Programs that run what they are told (as a file's own name or a link's).
const SHELLS: [&str; 8] = ["sh", "bash", "dash", "ash", "zsh", "ksh", "fish", "busybox"];
/// The set-user-ID and set-group-ID bits.
const SETUID: u32 = 0o6000;

/// Reads those images of a layout or an archive; each by its manifest.
pub(crate) fn read(path: &Path, wanted: &[Digest]) -> Result<BTreeMap<Digest, Contents>, Finding> {
    let images = Images::of(path, wanted)?;
    let entries: Vec<_> = images.summary.images.iter().collect();
    let inventories = images.inventories(&entries, false)?;
    let each = entries.iter().zip(inventories);
    Ok(each.filter_map(|(entry, inventory)| Some((entry.manifest?, of(&inventory)))).collect())
}

fn of(inventory: &Inventory) -> Contents {
    let packages = inventory.packages.iter().map(|found| found.purl(&inventory.distribution));
    let path = |path: &TreePath| format!("/{}", path.display());
    let is_setuid = |item: &&Item| matches!(item.entry.node, Kind::File { .. }) && item.entry.mode & SETUID != 0;
    let is_shell = |item: &Item| {
        let (path, in_bin) = (item.path.display(), |path: &str| path.contains("bin/") || path.starts_with("bin"));
        in_bin(&path) && SHELLS.contains(&path.rsplit('/').next().unwrap_or_default())
    };
    Contents {
        packages: packages.collect(),
        setuid: inventory.items.iter().filter(is_setuid).map(|item| path(&item.path)).collect(),
        has_shell: inventory.items.iter().any(is_shell),
        secrets: inventory.secrets.iter().map(|secret| (path(&secret.path), secret.kind)).collect(),
        unread: inventory.unread.iter().map(|unread| format!("/{}: {}", unread.path.display(), unread.why)).collect(),
    }
}
