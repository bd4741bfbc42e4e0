//! What is known of an image before anybody judges it, and what has to be known yet.
//!
//! Nothing here fetches: whoever gathers is told what is needed, gives what was found, and asks again until nothing is
//! needed any more. **Invariant:** bytes that were asked for by digest are compared with it when they are read; what
//! registries and layouts list is a claim, and only a place to look at.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::Digest;
use model::inventory::SecretKind;

use crate::key_bundle::{KeyBundle, Other};
use crate::manifest::{self, Descriptor, MOST_MANIFESTS, Manifest};

/// Bytes of all of its manifests and configurations.
const LARGEST_MANIFESTS: u64 = 64 << 20;
/// How deep indexes may lie in indexes.
const DEEPEST: usize = 4;
/// What may refer to an image and to those in it.
pub const MOST_REFERRERS: usize = 1000;
/// Bytes of the manifest of what refers to an image; it names one document, or a few.
pub const LARGEST_REFERRER: usize = 128 << 10;
/// Documents that one of them names; cosign writes one.
const MOST_DOCUMENTS: usize = 8;
/// Bytes of a document that is signed; larger ones are passed over.
pub const LARGEST_STATEMENT: u64 = 64 << 20;
/// Bytes of all that refers to them.
const LARGEST_STATEMENTS: u64 = 256 << 20;
/// Bytes of a configuration.
const LARGEST_CONFIG: u64 = 4 << 20;

/// Something that has to be known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Need {
    /// A manifest or an index.
    Manifest(Digest),
    /// The manifest of what refers to an image, of at most [`LARGEST_REFERRER`] bytes.
    Referrer(Digest),
    /// A configuration of so many bytes, as whoever lists it says.
    Config(Digest, u64),
    /// A document of so many bytes that somebody signed.
    Document(Digest, u64),
    /// Whether a layer of so many bytes is what its name says.
    Layer(Digest, u64),
    /// What refers to a manifest.
    Referrers(Digest),
    /// What cosign kept under a tag beside a manifest before version 3.
    Beside(Digest, Beside),
}

/// Which of the tags beside an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Beside {
    /// `sha256-….sig`
    Signatures,
    /// `sha256-….att`
    Attestations,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Bytes.
    Bytes(Vec<u8>),
    /// What refers to a manifest.
    Listed(Vec<Digest>),
    /// A layer is what its name says.
    Holds,
    /// There is no such thing.
    Missing,
    /// What is there is something else, or too much of it.
    Wrong(String),
}

/// What is gathered besides manifests, configurations and what refers to them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Depth {
    /// Layers are hashed.
    pub layers: bool,
    /// Documents that are signed are not compared with their digests: their signatures vouch for what they say.
    pub unhashed: bool,
    /// What cosign kept under tags before version 3 is looked for.
    pub legacy: bool,
    /// What is in layers is known.
    pub contents: bool,
}

/// All that was found.
#[derive(Clone, Debug)]
pub struct Evidence {
    /// The image, as it was named.
    pub reference: String,
    /// Its index or manifest. Only this counts: a name may lead elsewhere a moment later.
    pub digest: Digest,
    /// What was looked for.
    pub depth: Depth,
    /// Bundles that were given beside it, by name.
    pub bundles: Vec<(String, Vec<u8>)>,
    /// Of an archive, what `docker load` reads of it instead of its index: `manifest.json`.
    pub loadable: Option<Vec<u8>>,
    /// Of a layout or an archive, what lists its images: `index.json`.
    pub listing: Option<Vec<u8>>,
    /// What is in images, by their manifests, where layers were read.
    pub contents: BTreeMap<Digest, Contents>,
    answers: BTreeMap<Need, Answer>,
    manifests: BTreeMap<Need, Read>,
    key_bundles: BTreeMap<Need, KeyBundle>,
}

/// What was found for a need, and read. Only what it says is kept of most.
#[derive(Clone, Debug)]
pub struct Found(Need, What);

#[derive(Clone, Debug)]
enum What {
    Manifest(Read),
    KeyBundle(Box<KeyBundle>),
    Else(Answer),
}

/// A manifest that was found.
#[derive(Clone, Debug)]
struct Read {
    bytes: u64,
    /// Why it is none.
    manifest: Result<Arc<Manifest>, String>,
}

/// What is in the layers of an image.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// Packages by their URLs.
    pub packages: Vec<String>,
    /// Files with the set-user-ID or set-group-ID bit.
    pub setuid: Vec<String>,
    /// It has a shell.
    pub has_shell: bool,
    /// Files that look like secrets, in whichever layer.
    pub secrets: BTreeSet<(String, SecretKind)>,
    /// Records of packages that cannot be read, with the reason.
    pub unread: Vec<String>,
}

/// An image of one platform, or the index it is in.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) digest: Digest,
    /// `linux/arm64`; empty of an index.
    pub(crate) platform: String,
    /// What else the index calls it.
    pub(crate) also: Vec<String>,
    pub(crate) manifest: Arc<Manifest>,
}

/// Why an image is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    /// It is not what its digest says, or no image.
    Damaged(String),
    /// There is more than is looked at.
    TooMuch(String),
}

impl Need {
    /// Reads an answer: compares it with its digest, and parses it. That takes most of the time, and can be done beside the reading of
    /// others.
    pub fn read(self, answer: Answer, depth: Depth) -> Found {
        let bytes = match (self.wrong(&answer, depth), answer) {
            (Some(why), _) => return Found(self, What::Else(Answer::Wrong(why))),
            (None, Answer::Bytes(bytes)) => bytes,
            (None, answer) => return Found(self, What::Else(answer)),
        };
        let what = match self {
            Need::Manifest(_) | Need::Referrer(_) | Need::Beside(..) => {
                What::Manifest(Read { bytes: bytes.len() as u64, manifest: Manifest::parse(&bytes).map(Arc::new) })
            }
            Need::Document(..) => match KeyBundle::parse(bytes) {
                Ok(found) => What::KeyBundle(Box::new(found)),
                Err(Other::Bytes(bytes)) => What::Else(Answer::Bytes(bytes)),
                Err(Other::Broken(why)) => What::Else(Answer::Wrong(why.to_string())),
            },
            _ => What::Else(Answer::Bytes(bytes)),
        };
        Found(self, what)
    }

    /// Why bytes are not what was asked for.
    fn wrong(&self, answer: &Answer, depth: Depth) -> Option<String> {
        let Answer::Bytes(bytes) = answer else { return None };
        match self {
            Need::Document(..) if depth.unhashed => None,
            Need::Referrer(digest) if bytes.len() > LARGEST_REFERRER => {
                Some(format!("the manifest {digest} has more than {LARGEST_REFERRER} bytes"))
            }
            Need::Manifest(digest) | Need::Referrer(digest) | Need::Config(digest, _) | Need::Document(digest, _) => {
                let found = Digest::of(bytes);
                (found != *digest).then(|| format!("what is called {digest} is {found}"))
            }
            _ => None,
        }
    }
}

impl Evidence {
    /// Nothing is known yet.
    pub fn new(reference: &str, digest: Digest, depth: Depth) -> Self {
        Self {
            reference: reference.to_owned(),
            digest,
            depth,
            bundles: Vec::new(),
            loadable: None,
            listing: None,
            contents: BTreeMap::new(),
            answers: BTreeMap::new(),
            manifests: BTreeMap::new(),
            key_bundles: BTreeMap::new(),
        }
    }

    /// What has to be known yet; nothing once all of it is, or it is clear that the image is none.
    pub fn needs(&self) -> Vec<Need> {
        let mut needs = Needs::default();
        let Ok(parts) = self.walk(&mut needs) else { return Vec::new() };
        for part in &parts {
            needs.of_part(self, part);
        }
        needs.open.into_iter().filter(|need| !self.knows(need)).collect()
    }

    fn knows(&self, need: &Need) -> bool {
        self.answers.contains_key(need) || self.manifests.contains_key(need) || self.key_bundles.contains_key(need)
    }

    /// The images in it by their manifests, as far as they are known.
    pub fn images(&self) -> Vec<Digest> {
        let parts = self.parts().unwrap_or_default();
        parts.iter().filter(|part| part.manifest.config.is_some()).map(|part| part.digest).collect()
    }

    /// Takes in what was found.
    pub fn give(&mut self, Found(need, what): Found) {
        match what {
            What::Manifest(read) => drop(self.manifests.insert(need, read)),
            What::KeyBundle(found) => drop(self.key_bundles.insert(need, *found)),
            What::Else(answer) => drop(self.answers.insert(need, answer)),
        }
    }

    pub(crate) fn answer(&self, need: &Need) -> Option<&Answer> {
        self.answers.get(need)
    }

    /// A document that was given.
    pub(crate) fn bytes(&self, need: &Need) -> Result<&[u8], String> {
        match self.answers.get(need) {
            Some(Answer::Bytes(bytes)) => Ok(bytes),
            _ => Err(self.lack(need)),
        }
    }

    /// A bundle of a key that was given.
    pub(crate) fn key_bundle(&self, need: &Need) -> Option<&KeyBundle> {
        self.key_bundles.get(need)
    }

    /// A manifest that was given.
    pub(crate) fn manifest(&self, need: &Need) -> Result<&Manifest, String> {
        match self.manifests.get(need) {
            Some(read) => read.manifest.as_deref().map_err(Clone::clone),
            None => Err(self.lack(need)),
        }
    }

    /// Why something is not known.
    fn lack(&self, need: &Need) -> String {
        match (self.answers.get(need), need) {
            (Some(Answer::Wrong(why)), _) => why.clone(),
            (
                _,
                Need::Manifest(digest) | Need::Referrer(digest) | Need::Config(digest, _) | Need::Document(digest, _),
            ) => {
                format!("{digest} is not there")
            }
            _ => "it is not there".to_owned(),
        }
    }

    /// The index, and the images in it; or the image alone.
    pub(crate) fn parts(&self) -> Result<Vec<Part>, Broken> {
        self.walk(&mut Needs::default())
    }

    fn walk(&self, needs: &mut Needs) -> Result<Vec<Part>, Broken> {
        let (mut parts, mut seen, mut bytes_of_all) = (Vec::<Part>::new(), BTreeSet::new(), 0);
        let mut also: BTreeMap<Digest, Vec<String>> = BTreeMap::new();
        let mut open = vec![(self.digest, String::new(), None, 0)];
        while let Some((digest, platform, size, depth)) = open.pop() {
            let need = Need::Manifest(digest);
            let read = self.manifests.get(&need);
            if let Some(Read { bytes, .. }) = read
                && size.is_some_and(|size: u64| size != *bytes)
            {
                return Err(Broken::Damaged(format!("{digest} has {bytes} bytes, and not as many as is said")));
            }
            if !seen.insert(digest) {
                also.entry(digest).or_default().push(platform);
                continue;
            }
            if depth > DEEPEST || seen.len() > MOST_MANIFESTS {
                let why = format!("it has more than {MOST_MANIFESTS} manifests, or indexes more than {DEEPEST} deep");
                return Err(Broken::TooMuch(why));
            }
            needs.open.insert(need);
            if !self.knows(&need) {
                continue;
            }
            let read = read.ok_or_else(|| Broken::Damaged(self.lack(&need)))?;
            let manifest = match &read.manifest {
                Ok(manifest) => Arc::clone(manifest),
                Err(why) => return Err(Broken::Damaged(format!("the manifest {digest} is none: {why}"))),
            };
            bytes_of_all += read.bytes + manifest.config.as_ref().map_or(0, |config| config.size.min(LARGEST_CONFIG));
            if bytes_of_all > LARGEST_MANIFESTS {
                let why = format!("its manifests and configurations have more than {LARGEST_MANIFESTS} bytes");
                return Err(Broken::TooMuch(why));
            }
            // What is there for nobody's machine is no image: builders keep documents of their own so.
            let images = manifest.manifests.iter().rev().filter(|inner| !inner.is_for_nobody());
            // What is not said of an image within is what is said of the index that it is in.
            let platform_of = |inner: &Descriptor| {
                let own = inner.platform();
                if own.is_empty() { platform.clone() } else { own }
            };
            open.extend(images.map(|inner| (inner.digest, platform_of(inner), Some(inner.size), depth + 1)));
            parts.push(Part { digest, platform, also: Vec::new(), manifest });
        }
        for part in &mut parts {
            part.also = also.remove(&part.digest).unwrap_or_default();
        }
        Ok(parts)
    }

    /// What refers to a part, as far as it is looked at.
    pub(crate) fn referrers(&self, part: &Digest) -> &[Digest] {
        match self.answers.get(&Need::Referrers(*part)) {
            Some(Answer::Listed(listed)) => listed,
            _ => &[],
        }
    }

    /// Whether more refers to the image, and to those in it, than is looked at.
    pub(crate) fn too_many(&self, parts: &[Part]) -> Option<String> {
        for part in parts {
            // What is listed is not known: nobody can say what speaks against it.
            if let Some(Answer::Wrong(why)) = self.answers.get(&Need::Referrers(part.digest)) {
                return Some(format!("what refers to {} cannot be listed: {why}", part.digest));
            }
        }
        let count: usize = parts.iter().map(|part| self.referrers(&part.digest).len()).sum();
        if count > MOST_REFERRERS {
            return Some(format!("{count} documents refer to it, and {MOST_REFERRERS} are looked at"));
        }
        let mut needs = Needs::default();
        parts.iter().for_each(|part| needs.of_part(self, part));
        (needs.bytes > LARGEST_STATEMENTS)
            .then(|| format!("what refers to it has {} bytes, and {LARGEST_STATEMENTS} are looked at", needs.bytes))
    }
}

/// What is needed, each once.
#[derive(Default)]
struct Needs {
    open: BTreeSet<Need>,
    /// Bytes of what refers to the image.
    bytes: u64,
    referrers: usize,
}

impl Needs {
    fn of_part(&mut self, evidence: &Evidence, part: &Part) {
        let config = part.manifest.config.iter().filter(|config| config.size <= LARGEST_CONFIG);
        self.open.extend(config.map(|config| Need::Config(config.digest, config.size)));
        if evidence.depth.layers {
            self.open.extend(part.manifest.layers.iter().map(|layer| Need::Layer(layer.digest, layer.size)));
        }
        self.open.insert(Need::Referrers(part.digest));
        self.referrers += evidence.referrers(&part.digest).len();
        if self.referrers <= MOST_REFERRERS {
            for referrer in evidence.referrers(&part.digest) {
                let need = Need::Referrer(*referrer);
                self.open.insert(need);
                self.of_layers(evidence, &need, MOST_DOCUMENTS);
            }
        }
        if evidence.depth.legacy {
            for beside in [Beside::Signatures, Beside::Attestations] {
                let need = Need::Beside(part.digest, beside);
                self.open.insert(need);
                self.of_layers(evidence, &need, MOST_REFERRERS);
            }
        }
    }

    /// What is signed is in the layers of what refers to an image.
    fn of_layers(&mut self, evidence: &Evidence, need: &Need, most: usize) {
        let Ok(manifest) = evidence.manifest(need) else { return };
        for layer in manifest.layers.iter().filter(|layer| manifest::is_statement(layer)).take(most) {
            self.bytes = self.bytes.saturating_add(layer.size);
            if self.bytes <= LARGEST_STATEMENTS {
                self.open.insert(Need::Document(layer.digest, layer.size));
            }
        }
    }
}
