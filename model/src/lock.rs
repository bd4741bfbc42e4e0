//! `image.lock.json`: the complete dependency graph of every image of a document and of every architecture, each node with
//! digest, evidence, and the reason it is there. It names no server.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Debug};
use std::marker::PhantomData;

use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::{Arch, Digest, digest_of};

/// The only lock format this version reads.
pub const FORMAT: u32 = 2;
/// A lock has at most so many bytes.
pub const MAX_BYTES: u64 = 64 << 20;

/// A lock file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lock {
    /// [`FORMAT`].
    pub format: u32,
    /// The one time there is, seconds since 1970: the newest signed Date among the releases.
    pub epoch: i64,
    /// The signed Debian releases, by suite.
    #[serde(deserialize_with = "unique")]
    pub releases: BTreeMap<String, Release>,
    /// Every node of every image, by its id (a package URL).
    #[serde(deserialize_with = "unique")]
    pub nodes: BTreeMap<String, Node>,
    /// What was asked and what answers it, by the digest of what was asked. Images that ask the same share an answer.
    #[serde(deserialize_with = "unique")]
    pub answers: BTreeMap<Digest, Answer>,
}

/// Something that was asked, and what is in its images.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// What was asked.
    pub asked: Asked,
    /// What is in the image of each architecture.
    #[serde(deserialize_with = "unique")]
    pub resolutions: BTreeMap<Arch, Resolution>,
}

/// Everything of a configuration that resolution reads.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// The language, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// The wanted version of it, as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The language's packages, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub packages: Vec<String>,
    /// Debian packages, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub system_packages: Vec<String>,
    /// For which architectures, sorted.
    pub architectures: Vec<Arch>,
    /// The variant of the image, unless it is `prod`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
    /// The language's runtime is compiled from its official release.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub from_source: bool,
    /// Packages of the language that are built here though others have built them, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub no_binary: Vec<String>,
    /// What is asked for is not an image, but something its parts are built with.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub toolchain: bool,
}

impl Asked {
    /// What an answer to it is found by.
    pub fn digest(&self) -> Digest {
        digest_of(self)
    }
}

/// A signed Debian release whose indexes vouch for packages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Release {
    /// `Label` field of the release.
    pub label: String,
    /// `Codename` field of the release.
    pub codename: String,
    /// `Date` field, seconds since 1970.
    pub date: i64,
    /// The kept InRelease file.
    pub in_release: Digest,
    /// Size of the InRelease file in bytes.
    pub size: u64,
    /// Fingerprints of the keys that signed it and verified, sorted.
    pub signed_by: Vec<String>,
    /// The release had expired when it was locked and the machine's apt is set to accept that.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub expired_accepted: bool,
    /// The kept package indexes, by path relative to the suite (`main/binary-amd64/Packages.xz`).
    #[serde(deserialize_with = "unique")]
    pub indexes: BTreeMap<String, Kept>,
}

/// A document kept by digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kept {
    /// Its digest.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
}

/// Where a file comes from; which server that is, the machine decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// A Debian archive; the file name is its path below the archive's root (`pool/…`).
    Debian,
    /// A Python package index.
    Pypi,
    /// The project's own release of its source; the standard library knows the places that have it.
    Upstream,
}

impl Origin {
    /// As users write it in `--source NAME=URL`.
    pub fn name(self) -> &'static str {
        match self {
            Origin::Debian => "debian",
            Origin::Pypi => "pypi",
            Origin::Upstream => "upstream",
        }
    }
}

/// One package file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Node {
    /// Which ecosystem's servers have it.
    pub origin: Origin,
    /// Name, normalised as its ecosystem does.
    pub name: String,
    /// Version as its ecosystem writes it.
    pub version: String,
    /// File name: `pool/main/…/x.deb`, `x-1.0-py3-none-any.whl`.
    pub file: String,
    /// Size in bytes; 0 where the index does not say.
    pub size: u64,
    /// SHA-256 of the file.
    pub sha256: Digest,
    /// SHA-256 of the metadata resolution read, where it was served apart from the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Digest>,
    /// Of a source distribution, the packages its build asks for, sorted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build: Option<Vec<String>>,
    /// Licence as the package's own metadata states it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub license: Option<String>,
    /// What vouches for the digest.
    pub proof: Proof,
    /// What it needs, sorted: the *why* of other nodes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requires: Vec<Edge>,
    /// Dependencies left out on purpose, with the reviewed reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub omits: Vec<Omission>,
}

/// What vouches for a node's digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Proof {
    /// A signed release lists an index, the index lists the file. Re-proved by every build.
    VerifiedByOpenpgp {
        /// Suite: key into [`Lock::releases`].
        release: String,
        /// Key into [`Release::indexes`].
        index: String,
    },
    /// The project signed its release (a detached OpenPGP signature). Re-proved by every build.
    VerifiedBySignature {
        /// The signature.
        signature: Kept,
        /// Fingerprint of the key that signed.
        signed_by: String,
    },
    /// A Debian developer signed a source package (`.dsc`) that lists the file. Re-proved by every build.
    VerifiedByDsc {
        /// Name of the source package.
        package: String,
        /// The signed description of the source package.
        dsc: Kept,
        /// Fingerprint of the key that signed.
        signed_by: String,
    },
    /// A digest the index gave over TLS when the lock was made.
    IndexHash,
    /// A digest the index gave over a connection nobody vouches for.
    UnsignedUpstream,
}

impl Node {
    /// Takes in what the same package needs in another image.
    fn take_in(&mut self, other: Node) {
        self.requires.extend(other.requires);
        self.requires.sort();
        self.requires.dedup();
        self.omits.extend(other.omits);
        self.omits.sort();
        self.omits.dedup();
    }

    /// Whether the file name is one its origin could have: of an archive a path below its root, of an index a name.
    fn is_well_placed(&self) -> bool {
        let clean = self.file.split('/').all(|part| !matches!(part, "" | "." | ".."));
        let plain = !self.file.contains(|c: char| c.is_control() || c == '\\');
        clean && plain && (self.origin == Origin::Debian || !self.file.contains('/'))
    }
}

impl Proof {
    /// The suite and the path of the index that lists the node, if one does.
    fn index(&self) -> Option<(&String, &String)> {
        match self {
            Proof::VerifiedByOpenpgp { release, index } => Some((release, index)),
            _ => None,
        }
    }

    /// The document that vouches for this node alone, if one does.
    pub fn document(&self) -> Option<Kept> {
        match self {
            Proof::VerifiedBySignature { signature: document, .. } | Proof::VerifiedByDsc { dsc: document, .. } => {
                Some(*document)
            }
            _ => None,
        }
    }

    /// Whether a signature vouches for the node.
    pub fn is_verified(&self) -> bool {
        !matches!(self, Proof::IndexHash | Proof::UnsignedUpstream)
    }
}

/// A requirement and the package that answers it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Edge {
    /// Which ecosystem's package answers it.
    pub origin: Origin,
    /// Name of the answering package; in one resolution one node carries it.
    pub name: String,
    /// The requirement as its author wrote it.
    pub requirement: String,
}

/// A dependency that is left out on purpose.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Omission {
    /// The dependency as the package states it.
    pub requirement: String,
    /// Why an image does not need it.
    pub reason: String,
}

/// What is in the image of one architecture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resolution {
    /// Version of the language runtime (`3.13.5`), if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language_version: Option<String>,
    /// What was asked for: by the configuration, or by the base the standard library describes.
    pub roots: Vec<Root>,
    /// Ids of the nodes, sorted.
    pub nodes: Vec<String>,
}

/// A requirement nobody's package caused.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Root {
    /// Who asks.
    pub by: Asker,
    /// What answers it.
    pub edge: Edge,
}

/// Who asks for a root requirement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Asker {
    /// The standard library's base of the language.
    Base,
    /// The standard library's list of what a variant has besides.
    Variant,
    /// The author's configuration.
    Config,
}

impl Lock {
    /// Reads a lock file.
    ///
    /// # Errors
    /// Why it is no lock this version can read: another format, another shape, a name twice in one object, a wrong digest, or
    /// a file name that leads elsewhere.
    pub fn from_text(text: &[u8]) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Head {
            format: u32,
        }
        let Head { format } = serde_json::from_slice(text).map_err(|e| e.to_string())?;
        if format != FORMAT {
            return Err(format!("it has format {format}, expected {FORMAT}"));
        }
        let lock: Self = serde_json::from_slice(text).map_err(|e| e.to_string())?;
        if let Some((digest, _)) = lock.answers.iter().find(|(digest, answer)| answer.asked.digest() != **digest) {
            return Err(format!("{digest} is not the digest of what it says was asked"));
        }
        match lock.nodes.iter().find(|(_, node)| !node.is_well_placed()) {
            Some((id, node)) => Err(format!("{id} has the file name `{}`", node.file.escape_debug())),
            None => Ok(lock),
        }
    }

    /// The nodes of one image, in order of their id.
    pub fn nodes_of(&self, image: &Resolution) -> impl Iterator<Item = (&str, &Node)> {
        image.nodes.iter().filter_map(|id| self.nodes.get_key_value(id).map(|(id, node)| (id.as_str(), node)))
    }

    /// What is in the image of an architecture, if that was asked.
    pub fn image(&self, asked: &Digest, arch: Arch) -> Option<&Resolution> {
        self.answers.get(asked)?.resolutions.get(&arch)
    }

    /// Every image.
    pub fn images(&self) -> impl Iterator<Item = (Digest, Arch, &Resolution)> {
        self.answers
            .iter()
            .flat_map(|(asked, answer)| answer.resolutions.iter().map(|(arch, image)| (*asked, *arch, image)))
    }

    /// What concerns some images: their nodes, and the indexes that vouch for these. Every release stays, for the epoch is
    /// the newest date among all of them.
    pub fn narrowed(&self, wanted: &BTreeSet<(Digest, Arch)>) -> Self {
        let mut answers = BTreeMap::new();
        for (asked, arch) in wanted {
            let Some((answer, image)) = self.answers.get(asked).zip(self.image(asked, *arch)) else { continue };
            let empty = || Answer { asked: answer.asked.clone(), resolutions: BTreeMap::new() };
            answers.entry(*asked).or_insert_with(empty).resolutions.insert(*arch, image.clone());
        }
        let mut lock = Self { answers, nodes: BTreeMap::new(), releases: self.releases.clone(), ..*self };
        let nodes = lock.images().flat_map(|(.., image)| self.nodes_of(image));
        lock.nodes = nodes.map(|(id, node)| (id.to_owned(), node.clone())).collect();
        let vouching: BTreeSet<(&String, &String)> =
            lock.nodes.values().filter_map(|node| node.proof.index()).collect();
        for (suite, release) in &mut lock.releases {
            release.indexes.retain(|path, _| vouching.contains(&(suite, path)));
        }
        lock
    }

    /// One lock over several that were made from the same releases.
    pub fn united(locks: impl IntoIterator<Item = Lock>) -> Self {
        let mut all = Lock { format: FORMAT, ..Lock::default() };
        for lock in locks {
            all.epoch = all.epoch.max(lock.epoch);
            for (id, node) in lock.nodes {
                match all.nodes.get_mut(&id) {
                    // What a package needs may depend on the image: on its extras, on who answers an alternative.
                    Some(there) => there.take_in(node),
                    None => drop(all.nodes.insert(id, node)),
                }
            }
            all.answers.extend(lock.answers);
            for (suite, release) in lock.releases {
                match all.releases.get_mut(&suite) {
                    Some(there) => there.indexes.extend(release.indexes),
                    None => drop(all.releases.insert(suite, release)),
                }
            }
        }
        all
    }

    /// As written to disk: stable, indented, ending in a newline.
    pub fn to_text(&self) -> String {
        serde_json::to_string_pretty(self).map(|text| text + "\n").unwrap_or_default()
    }
}

/// A map whose names all differ: of two entries with one name, one would be hidden from whoever reads the file.
fn unique<'de, D, K, V>(from: D) -> Result<BTreeMap<K, V>, D::Error>
where
    D: Deserializer<'de>,
    K: Deserialize<'de> + Ord + Debug,
    V: Deserialize<'de>,
{
    struct Unique<K, V>(PhantomData<(K, V)>);
    impl<'de, K: Deserialize<'de> + Ord + Debug, V: Deserialize<'de>> Visitor<'de> for Unique<K, V> {
        type Value = BTreeMap<K, V>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a map")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
            let mut map = BTreeMap::new();
            while let Some(key) = entries.next_key()? {
                if map.contains_key(&key) {
                    return Err(A::Error::custom(format_args!("{key:?} is there twice")));
                }
                map.insert(key, entries.next_value()?);
            }
            Ok(map)
        }
    }
    from.deserialize_map(Unique(PhantomData))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(nodes: &str) -> String {
        format!(r#"{{"format":2,"epoch":0,"releases":{{}},"nodes":{{{nodes}}},"answers":{{}}}}"#)
    }

    fn node(id: &str, origin: &str, file: &str) -> String {
        let (sha256, proof) = (Digest::of(b""), r#"{"state":"index-hash"}"#);
        format!(
            r#""{id}":{{"origin":"{origin}","name":"a","version":"1","file":"{file}","size":1,"sha256":"{sha256}","proof":{proof}}}"#
        )
    }

    fn why(text: &str) -> String {
        Lock::from_text(text.as_bytes()).unwrap_err()
    }

    #[test]
    fn what_is_written_is_read_again() {
        let text = text(&[node("a", "pypi", "a.whl"), node("b", "debian", "pool/a/a.deb")].join(","));
        let lock = Lock::from_text(text.as_bytes()).unwrap();
        assert_eq!(Lock::from_text(lock.to_text().as_bytes()).unwrap(), lock);
    }

    #[test]
    fn another_format_is_named_whatever_else_is_in_it() {
        assert_eq!(why(r#"{"format":3,"new":true}"#), "it has format 3, expected 2");
    }

    #[test]
    fn a_name_that_is_there_twice_is_refused() {
        let twice = [node("a", "pypi", "a.whl"), node("a", "pypi", "b.whl")].join(",");
        assert!(why(&text(&twice)).starts_with(r#""a" is there twice"#));
    }

    #[test]
    fn an_answer_stands_under_the_digest_of_its_question() {
        let asked = Asked { architectures: vec![Arch::Amd64], ..Asked::default() };
        let of = |digest: Digest| {
            let answer = Answer { asked: asked.clone(), resolutions: BTreeMap::new() };
            Lock { format: FORMAT, answers: BTreeMap::from([(digest, answer)]), ..Lock::default() }.to_text()
        };
        assert!(Lock::from_text(of(asked.digest()).as_bytes()).is_ok());
        assert!(why(&of(Digest::of(b""))).ends_with("is not the digest of what it says was asked"));
    }

    #[test]
    fn a_file_name_that_leads_elsewhere_is_refused() {
        for file in ["", "/a", "a/../../b", "a//b", "./a", r"a\\b", r"a\nb"] {
            assert!(why(&text(&node("a", "debian", file))).contains("has the file name"), "{file}");
        }
        assert!(why(&text(&node("a", "pypi", "a/b.whl"))).contains("has the file name"));
    }
}
