//! Outside of any room: a directory that is entered with chroot.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Whoever is no root may do this as well, in a namespace of their own.
const ENTER: &str = r#"
root=$1
shift
mount --rbind /dev "$root/dev"
mount --rbind /proc "$root/proc"
exec chroot "$root" /usr/bin/env -i "$@"
"#;

/// A root directory with a toolchain.
pub(crate) struct Root(pub(crate) PathBuf);

impl Root {
    /// One directory of many, each covering those before it.
    pub(crate) fn of(layers: &[PathBuf], root: &Path) -> Self {
        ["dev", "proc"].iter().for_each(|name| fs::create_dir_all(root.join(name)).unwrap());
        for layer in layers {
            let mut copy = Command::new("cp");
            copy.args(["-a", "--remove-destination", "--"]).arg(layer.join(".")).arg(root);
            assert!(copy.status().unwrap().success(), "{}", layer.display());
        }
        assert!(Command::new("sync").status().unwrap().success());
        Self(root.to_owned())
    }

    /// Runs a command in it; what it prints goes nowhere.
    pub(crate) fn run(&self, env: &BTreeMap<String, String>, argv: &[&str]) {
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "--mount", "sh", "-euc", ENTER, "sh"]).arg(&self.0);
        command.args(env.iter().map(|(name, value)| format!("{name}={value}"))).args(argv);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let status = command.status().unwrap();
        assert!(status.success(), "{argv:?} outside of a room: {status}");
    }
}
