//! The JSON form of a page (PEP 691, with PEP 700 and 714).

use std::collections::BTreeMap;

use model::Digest;
use serde::Deserialize;
use serde_json::Value;

use super::name::FileKind;
use super::page::{MetadataHash, PageFile};

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    meta: Meta,
    files: Vec<File>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Meta {
    api_version: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct File {
    filename: String,
    url: String,
    hashes: BTreeMap<String, String>,
    requires_python: Option<String>,
    /// `false`, `true` or the reason.
    #[serde(default)]
    yanked: Value,
    /// `false`, `true` or digests by algorithm.
    #[serde(default)]
    core_metadata: Value,
    /// The former name of `core-metadata`.
    #[serde(default)]
    dist_info_metadata: Value,
    size: Option<u64>,
}

/// The files a page lists.
pub(super) fn files(text: &str) -> Result<Vec<PageFile>, String> {
    let answer: Answer = serde_json::from_str(text).map_err(|e| e.to_string())?;
    match answer.meta.api_version {
        Some(version) if version.split('.').next() != Some("1") => {
            return Err(format!("it is of version {version}, and 1 is the latest known"));
        }
        _ => {}
    }
    Ok(answer.files.into_iter().map(file).collect())
}

fn file(file: File) -> PageFile {
    let metadata = if file.core_metadata.is_null() { &file.dist_info_metadata } else { &file.core_metadata };
    let metadata = match metadata {
        Value::Bool(true) => Some(MetadataHash { sha256: None }),
        Value::Object(hashes) => {
            Some(MetadataHash { sha256: hashes.get("sha256").and_then(Value::as_str).and_then(digest) })
        }
        _ => None,
    };
    let yanked = match file.yanked {
        Value::Bool(true) => Some(String::new()),
        Value::String(reason) => Some(reason),
        _ => None,
    };
    PageFile {
        name: file.filename,
        kind: FileKind::Other,
        sha256: file.hashes.get("sha256").map(String::as_str).and_then(digest),
        url: file.url,
        requires_python: file.requires_python,
        yanked,
        metadata,
        size: file.size,
    }
}

fn digest(hex: &str) -> Option<Digest> {
    Digest::from_hex(hex).ok()
}
