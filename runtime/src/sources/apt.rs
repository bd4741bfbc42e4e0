//! What apt is configured with.

use std::path::Path;

use super::machine::Machine;
use super::root::Root;

/// The archive roots of the machine's apt sources, in apt's order.
pub(super) fn roots(machine: &dyn Machine) -> Vec<Root> {
    let printed = machine.run(&["apt-get", "--print-uris", "update"]).unwrap_or_default();
    let mut roots: Vec<Root> = Vec::new();
    for line in printed.lines() {
        // 'URL' filename size hash
        let Some(uri) = line.strip_prefix('\'').and_then(|rest| rest.split('\'').next()) else {
            continue;
        };
        // Without dists/ it is a flat repository, which no suite can be in.
        let Some((root, _)) = uri.split_once("/dists/") else {
            continue;
        };
        let candidates = match root.strip_prefix("mirror+file:") {
            Some(list) => mirrors(machine, list),
            None => vec![root.to_owned()],
        };
        for text in candidates {
            // file:, cdrom: and others that are no server are apt's own business.
            if let Ok(root) = Root::parse(&text, "apt")
                && !roots.contains(&root)
            {
                roots.push(root);
            }
        }
    }
    roots
}

/// The entries of a mirror list: a URL per line, options after a tab (apt-transport-mirror(1)).
fn mirrors(machine: &dyn Machine, path: &str) -> Vec<String> {
    let path = format!("/{}", path.trim_start_matches('/'));
    let text = machine.read(Path::new(&path)).unwrap_or_default();
    text.lines()
        .map(str::trim)
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_ascii_whitespace().next())
        .map(|url| url.trim_end_matches('/').to_owned())
        .collect()
}

/// Whether `Acquire::Check-Valid-Until` is off, in any of the spellings apt accepts.
pub(super) fn accepts_expired(machine: &dyn Machine) -> bool {
    let printed = machine.run(&["apt-config", "dump", "Acquire::Check-Valid-Until"]).unwrap_or_default();
    let value = printed.lines().find_map(|line| {
        let (key, value) = line.split_once(' ')?;
        key.eq_ignore_ascii_case("Acquire::Check-Valid-Until")
            .then(|| value.trim_matches(['"', ';']).to_ascii_lowercase())
    });
    value.is_some_and(|value| matches!(value.as_str(), "no" | "false" | "without" | "off" | "disable" | "0"))
}
