//! Short names for layers: the mount table, which commands can read, shows nothing else of where they lie, and the kernel
//! takes no long ones.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd as _, BorrowedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, FileType, Mode, Statx, StatxFlags};
use rustix::mount::{MoveMountFlags, OpenTreeFlags};

use crate::report::{Error, Step as _};
use crate::scratch::LOWER;

/// The longest name of a layer that keeps it; the whole of a short name has to stay below 256 bytes.
const LONGEST: usize = 200;

/// User and group.
pub(crate) type Owner = (u32, u32);

/// Binds the directories that the layers lie in into the current one, and gives the layers their short names. What is bound
/// is shown to `prepare` first, with its owner. `recursive` takes what is mounted below along, without which the kernel lets
/// an ordinary user bind nothing.
pub(crate) fn bind(
    layers: &mut [PathBuf],
    recursive: bool,
    mut prepare: impl FnMut(BorrowedFd<'_>, Owner) -> Result<(), Error>,
) -> Result<(), Error> {
    let dir = Mode::from_raw_mode(0o755);
    rustix::fs::mkdir(LOWER, dir).step("make a place for the layers")?;
    let below = if recursive { OpenTreeFlags::AT_RECURSIVE } else { OpenTreeFlags::empty() };
    let clone = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC | below;
    let mut parents = BTreeMap::new();
    let mut bound: BTreeMap<(PathBuf, Owner), PathBuf> = BTreeMap::new();
    for layer in layers {
        let step = format!("bind the layer {}", layer.display());
        let Place { tree, inside, owner } = place(layer, &mut parents).step(&step)?;
        let number = bound.len();
        let name = match bound.entry((tree, owner)) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => {
                let tree = rustix::mount::open_tree(CWD, &new.key().0, clone).step(&step)?;
                prepare(tree.as_fd(), owner)?;
                let name = Path::new(LOWER).join(number.to_string());
                rustix::fs::mkdir(&name, dir).step(&step)?;
                attach(tree.as_fd(), &name).step(&step)?;
                new.insert(name)
            }
        };
        *layer = inside.map_or_else(|| name.clone(), |inside| name.join(inside));
    }
    Ok(())
}

/// What to bind for a layer, what it is called in there, and who owns it.
struct Place {
    tree: PathBuf,
    inside: Option<OsString>,
    owner: Owner,
}

/// Layers usually lie side by side, so what they lie in is bound, if it is on the same mount and open to their owner.
fn place(layer: &Path, parents: &mut BTreeMap<PathBuf, Statx>) -> rustix::io::Result<Place> {
    let stat = |path: &Path| {
        rustix::fs::statx(CWD, path, AtFlags::SYMLINK_NOFOLLOW, StatxFlags::BASIC_STATS | StatxFlags::MNT_ID)
    };
    let own = stat(layer)?;
    let is_dir = FileType::from_raw_mode(own.stx_mode.into()) == FileType::Directory;
    let owner = (own.stx_uid, own.stx_gid);
    if let (true, Some(parent), Some(name)) = (is_dir, layer.parent(), layer.file_name().filter(|name| is_plain(name)))
    {
        let above = match parents.get(parent) {
            Some(known) => *known,
            None => *parents.entry(parent.to_owned()).or_insert(stat(parent)?),
        };
        let open = above.stx_uid == owner.0 || above.stx_mode & 0o001 != 0;
        if open && above.stx_mnt_id == own.stx_mnt_id {
            return Ok(Place { tree: parent.to_owned(), inside: Some(name.to_owned()), owner });
        }
    }
    Ok(Place { tree: layer.to_owned(), inside: None, owner })
}

/// Whether a name is short, and means nothing special among the settings of a file system.
fn is_plain(name: &OsStr) -> bool {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._".contains(byte);
    name.len() <= LONGEST && name.as_encoded_bytes().iter().all(plain)
}

/// Moves a detached mount to a path.
pub(crate) fn attach(mount: BorrowedFd<'_>, path: &Path) -> rustix::io::Result<()> {
    rustix::mount::move_mount(mount, c"", CWD, path, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH)
}
