//! What every room in which something is compiled has besides packages.

use std::collections::BTreeMap;

use model::plan::Addition;
use model::{Finding, TreePath};
use serde::Deserialize;

use crate::base::Base;

/// A room without its packages.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Room {
    directories: Vec<TreePath>,
    files: BTreeMap<TreePath, String>,
    /// Environment of every command.
    pub environment: BTreeMap<String, String>,
}

impl Room {
    /// The room as shipped.
    ///
    /// # Errors
    /// `STDLIB_UNREADABLE`.
    pub fn shipped() -> Result<Self, Finding> {
        crate::read("stdlib/room.toml", include_str!("../room.toml"))
    }

    /// What is put into its root file system; `/usr` is merged there as it is in images.
    pub fn additions(&self, base: &Base) -> Vec<Addition> {
        let directory = |path: &TreePath| Addition::Dir { path: path.clone(), mode: 0o755, uid: 0, gid: 0 };
        let file =
            |(path, text): (&TreePath, &String)| Addition::File { path: path.clone(), text: text.clone(), mode: 0o644 };
        base.merged_usr().chain(self.directories.iter().map(directory)).chain(self.files.iter().map(file)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_room_has_a_merged_usr_a_user_and_a_place_for_what_is_made() {
        let room = Room::shipped().unwrap();
        let additions = room.additions(&Base::shipped().unwrap());
        let has = |wanted: &str| {
            additions.iter().any(|addition| match addition {
                Addition::Dir { path, .. } | Addition::Symlink { path, .. } => path.display() == wanted,
                _ => false,
            })
        };
        assert!(["bin", "lib", "lib64", "out", "build"].into_iter().all(has));
        assert!(!has("usr/lib/ssl/certs"));
        assert!(room.files[&"etc/passwd".parse::<TreePath>().unwrap()].contains(":1000:1000:"));
        assert_eq!(room.environment["OUT"], model::plan::OUT);
    }
}
