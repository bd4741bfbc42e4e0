//! Images that lie here, in folders and archives (image specification 1.1, "OCI Image Layout").

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use files::oci::{CONTAINERD_NAME, REF_NAME};
use model::text::short;
use model::{Digest, Finding, Reference, codes, is_tag, oci};
use serde::Deserialize;
use serde_json::Value;

use crate::content::Content;
use crate::legacy::Beside;
use crate::manifest::{Descriptor, Manifest};
use crate::push::Blobs;

/// Entries of `index.json`.
const MOST_ENTRIES: usize = 20_000;
/// Bytes of all manifests that it lists.
const MOST_BYTES: u64 = 128 << 20;

/// What `index.json` lists; whoever plants an entry that is none breaks no other.
#[derive(Deserialize)]
struct Listing {
    #[serde(default)]
    manifests: Vec<Value>,
}

/// A layout.
pub struct Layout {
    blobs: files::archive::Blobs,
    /// The images.
    pub images: Vec<Named>,
    /// What it lists and cannot be read, or is not read alike by all.
    pub broken: Vec<Finding>,
    referrers: BTreeMap<Digest, Vec<Descriptor>>,
    /// What lies beside an image as cosign kept it before version 3.
    beside: BTreeMap<(Digest, Beside), Digest>,
}

/// What a manifest of a layout says that it is.
#[derive(Clone, Copy)]
struct Kind {
    can_run: bool,
    subject: Option<Digest>,
}

/// An image of a layout.
#[derive(Clone, Debug)]
pub struct Named {
    /// Its index or manifest.
    pub digest: Digest,
    /// The same, as the layout lists it.
    pub descriptor: Descriptor,
    /// What it is called, without registry.
    pub name: Option<String>,
    /// Its tag.
    pub tag: Option<String>,
}

impl Named {
    /// Every tag that its layout gives it: some go by one annotation, and some by another.
    pub fn tags(&self) -> BTreeSet<String> {
        let annotations = [REF_NAME, CONTAINERD_NAME].iter().filter_map(|key| self.descriptor.annotations.get(*key));
        let tag = |name: &String| match is_tag(name) {
            true => Some(name.clone()),
            false => name.parse::<Reference>().ok()?.tag,
        };
        annotations.filter_map(tag).collect()
    }
}

impl Layout {
    /// What docker reads of it, `manifest.json`.
    pub fn loadable(&self) -> Option<&[u8]> {
        self.blobs.loadable.as_deref()
    }

    /// What lists its images, `index.json`.
    pub fn listing(&self) -> &[u8] {
        &self.blobs.index
    }

    /// Opens a folder, or an archive.
    ///
    /// # Errors
    /// `INPUT_IO` where it cannot be read, `ARCHIVE_UNKNOWN` where it is no layout.
    pub fn at(path: &Path) -> Result<Self, Finding> {
        let blobs = files::archive::Blobs::at(path)?;
        let index: Listing = serde_json::from_slice(&blobs.index)
            .map_err(|e| broken(&format!("its index.json cannot be understood: {}", short(e))))?;
        if index.manifests.len() > MOST_ENTRIES {
            return Err(broken(&format!("its index.json has more than {MOST_ENTRIES} entries")));
        }
        let (referrers, beside) = (BTreeMap::new(), BTreeMap::new());
        let mut layout = Self { blobs, images: Vec::new(), broken: Vec::new(), referrers, beside };
        let (mut kinds, mut seen, mut bytes) = (BTreeMap::new(), BTreeSet::new(), 0);
        for entry in index.manifests {
            let descriptor = match serde_json::from_value::<Descriptor>(entry) {
                Ok(descriptor) => descriptor,
                Err(e) => {
                    let why = format!("an entry of its index.json cannot be understood: {}", short(e));
                    layout.broken.push(broken(&why));
                    continue;
                }
            };
            // One thing may have several names, and is read once; of those that are the same it keeps the first.
            let name = |key: &str| descriptor.annotations.get(key).cloned();
            if !seen.insert((descriptor.digest, name(REF_NAME), name(CONTAINERD_NAME))) {
                continue;
            }
            let kind = match kinds.get(&descriptor.digest) {
                Some(kind) => *kind,
                None => {
                    let kind = layout.kind(&descriptor.digest, &mut bytes);
                    let kind = kind.map_err(|finding| layout.broken.push(finding)).ok();
                    kinds.insert(descriptor.digest, kind);
                    kind
                }
            };
            if bytes > MOST_BYTES {
                return Err(broken(&format!("the manifests that it lists have more than {MOST_BYTES} bytes")));
            }
            if let Some(kind) = kind {
                layout.take_in(descriptor, kind);
            }
        }
        Ok(layout)
    }

    /// The same, where everything that is listed can be read.
    ///
    /// # Errors
    /// Of [`Self::at`], and the first of what is broken.
    pub fn whole(path: &Path) -> Result<Self, Finding> {
        let mut layout = Self::at(path)?;
        if layout.broken.is_empty() { Ok(layout) } else { Err(layout.broken.swap_remove(0)) }
    }

    /// What a manifest says that it is; its bytes are added to those that were read.
    fn kind(&self, digest: &Digest, bytes: &mut u64) -> Result<Kind, Finding> {
        let document = self.document(digest)?;
        *bytes += document.len() as u64;
        // What others read otherwise may be an image to them.
        oci::unambiguous(&document)
            .map_err(|why| broken(&format!("the manifest {digest} is not read alike by all: {why}")))?;
        let manifest = parsed(&document)?;
        Ok(Kind { can_run: manifest.can_run(), subject: manifest.subject.map(|subject| subject.digest) })
    }

    /// An image, or what refers to one.
    fn take_in(&mut self, descriptor: Descriptor, kind: Kind) {
        let annotation = |key: &str| descriptor.annotations.get(key).map(String::as_str);
        let beside = annotation(REF_NAME).and_then(Beside::of_tag);
        // Whoever asks for an image takes what has its name, or can be run, whatever it says of itself.
        let has_name = annotation(CONTAINERD_NAME).is_some() || annotation(REF_NAME).is_some() && beside.is_none();
        let is_image = has_name || kind.can_run;
        if let Some(subject) = kind.subject.filter(|_| !is_image) {
            let all = self.referrers.entry(subject).or_default();
            if !all.iter().any(|known| known.digest == descriptor.digest) {
                all.push(descriptor);
            }
        } else if let Some(beside) = beside.filter(|_| !is_image) {
            self.beside.insert(beside, descriptor.digest);
        } else {
            let whole = annotation(CONTAINERD_NAME).and_then(|name| name.parse::<Reference>().ok());
            let (name, tag) = whole.map_or((None, None), |whole| (Some(whole.repository), whole.tag));
            let tag = annotation(REF_NAME).filter(|tag| is_tag(tag)).map(str::to_owned).or(tag);
            let name = name.and_then(|name| name.rsplit('/').next().map(str::to_owned));
            self.images.push(Named { digest: descriptor.digest, name, tag, descriptor });
        }
    }

    /// What refers to a manifest.
    pub fn referring(&self, subject: &Digest) -> Vec<Digest> {
        self.listed(subject).iter().map(|one| one.digest).collect()
    }

    fn listed(&self, subject: &Digest) -> &[Descriptor] {
        self.referrers.get(subject).map_or(&[], Vec::as_slice)
    }

    /// A manifest's bytes; whoever sends them compares them with their name.
    ///
    /// # Errors
    /// `ARCHIVE_UNKNOWN` where they cannot be read.
    pub fn document(&self, digest: &Digest) -> Result<Vec<u8>, Finding> {
        let content = self.find(digest)?;
        let content = content.ok_or_else(|| broken(&format!("{digest} is not there")))?;
        content.whole().map_err(|e| broken(&format!("{digest} cannot be read: {e}")))
    }
}

impl Blobs for Layout {
    fn find(&self, digest: &Digest) -> Result<Option<Content>, Finding> {
        Ok(self.blobs.find(digest)?.map(|(file, at)| Content::File(file, at)))
    }

    fn referrers(&self, subject: &Digest) -> Result<Vec<Descriptor>, Finding> {
        let described = |listed: &Descriptor| {
            let Manifest { artifact_type, config, annotations, .. } = parsed(&self.document(&listed.digest)?)?;
            let artifact_type = artifact_type.or(config.map(|config| config.media_type));
            Ok(Descriptor { artifact_type, annotations, ..listed.clone() })
        };
        self.listed(subject).iter().map(described).collect()
    }

    fn beside(&self, subject: &Digest, beside: Beside) -> Result<Option<Digest>, Finding> {
        Ok(self.beside.get(&(*subject, beside)).copied())
    }
}

fn parsed(bytes: &[u8]) -> Result<Manifest, Finding> {
    serde_json::from_slice(bytes).map_err(|e| broken(&format!("a manifest cannot be understood: {}", short(e))))
}

fn broken(why: &str) -> Finding {
    Finding::error(codes::ARCHIVE_UNKNOWN, "this is no whole OCI layout").because(why)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use serde_json::json;

    use super::*;

    const IMAGE: &str = "application/vnd.oci.image.config.v1+json";

    /// A layout that lists manifests, each under a name or without.
    fn opened(manifests: &[(String, Option<&str>)]) -> Result<Layout, Finding> {
        let folder = tempfile::tempdir().unwrap();
        let blobs = folder.path().join("blobs/sha256");
        fs::create_dir_all(&blobs).unwrap();
        let entry = |(text, name): &(String, Option<&str>)| {
            let digest = Digest::of(text.as_bytes());
            fs::write(blobs.join(digest.hex()), text).unwrap();
            let annotations = name.map(|name| BTreeMap::from([(REF_NAME, name)])).unwrap_or_default();
            json!({ "digest": digest, "size": text.len(), "annotations": annotations })
        };
        let entries: Vec<Value> = manifests.iter().map(entry).collect();
        fs::write(folder.path().join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
        fs::write(folder.path().join("index.json"), json!({ "manifests": entries }).to_string()).unwrap();
        Layout::at(folder.path())
    }

    fn manifest(kind: &str, of: &str) -> String {
        let subject = Digest::of(of.as_bytes());
        let (config, subject) = (
            json!({ "mediaType": kind, "digest": subject, "size": 2 }),
            json!({ "mediaType": "", "digest": subject, "size": 1 }),
        );
        json!({ "config": config, "subject": subject }).to_string()
    }

    #[test]
    fn what_can_run_or_has_a_name_is_an_image_whatever_it_refers_to() {
        let (runs, refers) = (manifest(IMAGE, "x"), manifest("application/vnd.oci.empty.v1+json", "x"));
        let layout = opened(&[(runs.clone(), None), (refers.clone(), None), (refers.clone(), Some("1.0"))]).unwrap();
        let images: Vec<Digest> = layout.images.iter().map(|image| image.digest).collect();
        assert_eq!(images, [Digest::of(runs.as_bytes()), Digest::of(refers.as_bytes())]);
        assert_eq!(layout.referring(&Digest::of(b"x")), [Digest::of(refers.as_bytes())]);
        assert_eq!(layout.broken, []);
    }

    #[test]
    fn an_image_has_every_tag_that_somebody_may_take_it_by() {
        let text = manifest(IMAGE, "x");
        let tags = |annotations: Value| {
            let descriptor = json!({ "digest": Digest::of(text.as_bytes()), "size": 1, "annotations": annotations });
            let descriptor: Descriptor = serde_json::from_value(descriptor).unwrap();
            let named = Named { digest: descriptor.digest, descriptor, name: None, tag: None };
            named.tags().into_iter().collect::<Vec<_>>()
        };
        assert_eq!(tags(json!({ REF_NAME: "1.0", CONTAINERD_NAME: "docker.io/library/x:2.0" })), ["1.0", "2.0"]);
        assert_eq!(tags(json!({ REF_NAME: "docker.io/library/x:2.0" })), ["2.0"]);
        assert_eq!(tags(json!({ REF_NAME: "docker.io/library/x" })), [""; 0]);
    }

    #[test]
    fn what_others_read_otherwise_is_neither() {
        let hidden = manifest("application/vnd.oci.empty.v1+json", "x").replacen(
            "{\"digest",
            "{\"MediaType\":\"image\",\"digest",
            1,
        );
        for text in [hidden, manifest(IMAGE, "x").replace("\"config\"", "\"Config\"")] {
            let layout = opened(&[(text.clone(), None)]).unwrap();
            assert!(layout.images.is_empty() && layout.referring(&Digest::of(b"x")).is_empty(), "{text}");
            assert!(layout.broken.iter().all(|finding| finding.causes[0].contains("not read alike")), "{text}");
            assert_eq!(layout.broken.len(), 1, "{text}");
        }
    }

    #[test]
    fn a_manifest_under_many_names_is_read_once_and_many_large_ones_are_too_much() {
        let large = |number: usize| manifest(IMAGE, &number.to_string()) + &" ".repeat(3 << 20);
        let names: Vec<String> = (0..100).map(|number| format!("v{number}")).collect();
        let one: Vec<_> = names.iter().map(|name| (large(0), Some(name.as_str()))).collect();
        assert_eq!(opened(&one).unwrap().images.len(), 100);
        let many: Vec<_> = (0..43).map(|number| (large(number), None)).collect();
        assert!(opened(&many).err().unwrap().causes[0].contains("more than 134217728 bytes"));
    }
}
