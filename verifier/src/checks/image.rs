//! Whether the image is what its digest says.

use model::text::short;
use model::{Digest, codes, json, oci};
use serde::Deserialize;

use crate::evidence::{Answer, Broken, Evidence, Need, Part};
use crate::manifest::Config;
use crate::verdict::{Check, Outcome};

/// The parts of an image that is whole; else what is wrong with it.
pub(crate) fn whole(evidence: &Evidence) -> (Vec<Part>, Check) {
    let failed = |code, why: String| Check::new("image", code, Outcome::Failed, why);
    let parts = match evidence.parts() {
        Ok(parts) => parts,
        Err(Broken::Damaged(why)) => return (Vec::new(), failed(codes::IMAGE_DAMAGED, why)),
        Err(Broken::TooMuch(why)) => return (Vec::new(), failed(codes::EVIDENCE_BUDGET, why)),
    };
    if let Some(why) = evidence.too_many(&parts) {
        let help = "see who may write there, and remove what does not belong there";
        return (parts, failed(codes::EVIDENCE_BUDGET, why).help(help));
    }
    if let Some(why) = parts.iter().find_map(|part| wrong(evidence, part)) {
        return (parts, failed(codes::IMAGE_DAMAGED, why));
    }
    if let Some(Err(why)) = evidence.listing.as_deref().map(oci::unambiguous) {
        return (parts, failed(codes::IMAGE_DAMAGED, format!("its index.json is not read alike by all: {why}")));
    }
    if let Some(why) = evidence.loadable.as_deref().and_then(|loadable| astray(loadable, &parts)) {
        return (parts, failed(codes::IMAGE_DAMAGED, why));
    }
    let images = parts.iter().filter(|part| part.manifest.config.is_some()).count();
    let blobs = match (evidence.depth.layers, evidence.depth.unhashed) {
        (true, _) => "layers hashed",
        (false, false) => "layers not hashed",
        (false, true) => "other blobs not hashed",
    };
    let reason = format!("{images} platform(s), every manifest and configuration is what its digest says; {blobs}");
    let check = Check::new("image", codes::IMAGE_DAMAGED, Outcome::Passed, reason);
    (parts, check.on([evidence.digest.to_string()]))
}

/// Where `manifest.json` leads docker elsewhere than the index leads everybody else.
fn astray(loadable: &[u8], parts: &[Part]) -> Option<String> {
    let read = json::check_names(loadable, &["Config", "Layers", "RepoTags"], &[]);
    let loads = match read.and_then(|()| serde_json::from_slice::<Vec<Loadable>>(loadable)) {
        Ok(loads) => loads,
        Err(e) => return Some(format!("its manifest.json cannot be understood: {}", short(e))),
    };
    let path = |digest: &Digest| format!("blobs/sha256/{}", digest.hex());
    let is_there = |load: &Loadable| {
        parts.iter().any(|part| {
            let config = part.manifest.config.as_ref().map(|config| path(&config.digest));
            let layers: Vec<String> = part.manifest.layers.iter().map(|layer| path(&layer.digest)).collect();
            config.as_ref() == Some(&load.config) && layers == load.layers
        })
    };
    let other = loads.iter().find(|load| !is_there(load))?;
    Some(format!("its manifest.json leads docker to {}, which is none of its images", other.config))
}

/// An image as `docker load` reads it.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Loadable {
    config: String,
    layers: Vec<String>,
}

/// An index that is in another is for what that one says, and so is all that is in it.
fn wrong_index(part: &Part) -> Option<String> {
    let inner = || part.manifest.manifests.iter().filter(|inner| !inner.is_for_nobody());
    if inner().next().is_none() {
        return Some(format!("the index {} has no image in it", part.digest));
    }
    let pairs = |said| inner().map(move |inner| (said, inner.platform()));
    // What does not say it was compared as if it said what is said first of the index.
    let first = pairs(&part.platform).filter(|(_, is)| !is.is_empty());
    let others = part.also.iter().flat_map(pairs);
    let (said, is) = first.chain(others).find(|(said, is)| !said.is_empty() && !is_for(is, said))?;
    let is = if is.is_empty() { "what it does not say" } else { &is };
    Some(format!("an index calls {} one for {said}, and it has an image for {is}", part.digest))
}

/// Whether an image for `is` runs where one for `said` is asked for: `linux/arm` may be said of `linux/arm/v7`, and the other way round.
fn is_for(is: &str, said: &str) -> bool {
    let begins = |long: &str, short: &str| long.strip_prefix(short).is_some_and(|rest| rest.starts_with('/'));
    is == said || !is.is_empty() && begins(said, is) || begins(is, said)
}

fn wrong(evidence: &Evidence, part: &Part) -> Option<String> {
    // An index leads to others; one that has nothing in it for anybody is none.
    let Some(config) = &part.manifest.config else {
        return wrong_index(part);
    };
    let bytes = match evidence.bytes(&Need::Config(config.digest, config.size)) {
        Ok(bytes) => bytes,
        Err(why) => return Some(format!("the configuration of {}: {why}", part.digest)),
    };
    if bytes.len() as u64 != config.size {
        return Some(format!("the configuration {} has {} bytes, and not {}", config.digest, bytes.len(), config.size));
    }
    let read = match Config::parse(bytes) {
        Ok(read) => read,
        Err(why) => return Some(format!("the configuration {} is none: {why}", config.digest)),
    };
    let is = read.platform();
    let is_other = |said: &&String| !said.is_empty() && !is_for(&is, said);
    if let Some(said) = [&part.platform].into_iter().chain(&part.also).find(is_other) {
        return Some(format!("the index calls {} an image for {said}, and it is for {is}", part.digest));
    }
    let (layers, diffs) = (part.manifest.layers.len(), read.rootfs.diff_ids.len());
    if layers != diffs {
        return Some(format!("{} has {layers} layers, and its configuration {diffs}", part.digest));
    }
    if evidence.depth.layers {
        for layer in &part.manifest.layers {
            match evidence.answer(&Need::Layer(layer.digest, layer.size)) {
                Some(Answer::Holds) => {}
                Some(Answer::Wrong(why)) => return Some(format!("the layer {}: {why}", layer.digest)),
                _ => return Some(format!("the layer {} is not there", layer.digest)),
            }
        }
    }
    None
}
