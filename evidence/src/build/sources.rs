use model::lock::{Node, Proof};
use model::{Arch, Digest};
use serde::Serialize;

use super::{Build, Commit};

/// Everything a build was made from.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Manifest<'b> {
    format: u32,
    name: &'b str,
    version: Option<&'b str>,
    /// Where the author's own files come from, if that is a repository.
    application: Option<&'b Commit>,
    /// Signed releases of distributions that vouch for packages below.
    releases: Vec<ReleaseEntry<'b>>,
    packages: Vec<Entry<'b>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ReleaseEntry<'b> {
    suite: &'b str,
    document: Digest,
    signed_by: &'b [String],
    expired_accepted: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry<'b> {
    id: &'b str,
    name: &'b str,
    version: &'b str,
    file: &'b str,
    sha256: String,
    size: u64,
    /// Architectures of the images it is in or was compiled for; none where something else was built with it.
    images: Vec<&'static str>,
    /// Whether it is source code that was compiled here.
    compiled: bool,
    verification: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    signed_by: Option<&'b str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signature: Option<Digest>,
    #[serde(skip_serializing_if = "Option::is_none")]
    release: Option<&'b str>,
}

/// The source manifest: every package, and every source that was compiled, with what vouches for it. JSON. No source is patched.
pub fn source_manifest(build: &Build<'_>) -> Vec<u8> {
    let releases = build.lock.releases.iter().filter(|(_, release)| !release.indexes.is_empty());
    let releases = releases.map(|(suite, release)| ReleaseEntry {
        suite,
        document: release.in_release,
        signed_by: &release.signed_by,
        expired_accepted: release.expired_accepted,
    });
    let manifest = Manifest {
        format: 1,
        name: build.name,
        version: build.version,
        application: build.declared.source.as_ref(),
        releases: releases.collect(),
        packages: build.packages().map(|(id, node, images)| entry(id, node, &images)).collect(),
    };
    crate::json(&manifest)
}

fn entry<'b>(id: &'b str, node: &'b Node, images: &[Arch]) -> Entry<'b> {
    let (signed_by, release) = match &node.proof {
        Proof::VerifiedBySignature { signed_by, .. } | Proof::VerifiedByDsc { signed_by, .. } => {
            (Some(signed_by.as_str()), None)
        }
        Proof::VerifiedByOpenpgp { release, .. } => (None, Some(release.as_str())),
        Proof::IndexHash | Proof::UnsignedUpstream => (None, None),
    };
    Entry {
        id,
        name: &node.name,
        version: &node.version,
        file: node.file.rsplit('/').next().unwrap_or(&node.file),
        sha256: node.sha256.hex(),
        size: node.size,
        images: images.iter().map(|arch| arch.name()).collect(),
        compiled: crate::is_compiled_here(node),
        verification: crate::verification(&node.proof),
        signed_by,
        signature: node.proof.document().map(|document| document.digest),
        release,
    }
}
