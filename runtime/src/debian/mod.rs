//! Debian archives: signed releases, the package indexes they vouch for, and the proofs kept of both.

mod acquire;
mod index;
mod proofs;
mod release;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

pub use acquire::{Acquired, acquire};
pub(crate) use index::{MAX_PACKED, load};
pub use proofs::{fetch_proofs, releases};
pub(crate) use release::{Checked, check};

/// The compressed package index of one architecture, relative to a suite. Packages for every architecture are in it too.
fn index_path(arch: model::Arch) -> String {
    format!("main/binary-{arch}/Packages.xz")
}

/// Where an archive may have an index, relative to its root; by its digest first, since a path's content changes.
fn index_places(suite: &str, path: &str, digest: &model::Digest, by_hash: bool) -> Vec<String> {
    let directory = path.rsplit_once('/').map_or("", |(directory, _)| directory);
    let hashed = format!("dists/{suite}/{directory}/by-hash/SHA256/{}", digest.hex());
    by_hash.then_some(hashed).into_iter().chain([format!("dists/{suite}/{path}")]).collect()
}

/// Where an archive has a suite's signed release, relative to its root.
fn release_place(suite: &str) -> String {
    format!("dists/{suite}/InRelease")
}
