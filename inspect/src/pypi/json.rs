//! The JSON form of a page (PEP 691, with PEP 700 and 714).

use std::fmt;

use model::Digest;
use serde::de::{Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::name::FileKind;
use super::page::{MOST_FILES, MetadataHash, PageFile};

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    meta: Meta,
    files: Files,
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
    hashes: Said,
    requires_python: Option<String>,
    /// `false`, `true` or the reason.
    #[serde(default)]
    yanked: Said,
    /// `false`, `true` or digests by algorithm.
    #[serde(default)]
    core_metadata: Said,
    /// The former name of `core-metadata`.
    #[serde(default)]
    dist_info_metadata: Said,
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
    Ok(answer.files.0)
}

fn file(file: File) -> PageFile {
    let metadata = if file.core_metadata == Said::Nothing { file.dist_info_metadata } else { file.core_metadata };
    let metadata = match metadata {
        Said::Yes => Some(MetadataHash { sha256: None }),
        Said::Hashes(sha256) => Some(MetadataHash { sha256 }),
        _ => None,
    };
    let yanked = match file.yanked {
        Said::Yes => Some(String::new()),
        Said::Text(reason) => Some(reason),
        _ => None,
    };
    PageFile {
        name: file.filename,
        kind: FileKind::Other,
        sha256: if let Said::Hashes(sha256) = file.hashes { sha256 } else { None },
        url: file.url,
        requires_python: file.requires_python,
        yanked,
        metadata,
        size: file.size,
    }
}

/// The files, not more than are accepted.
struct Files(Vec<PageFile>);

impl<'de> Deserialize<'de> for Files {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct List;
        impl<'de> Visitor<'de> for List {
            type Value = Files;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of files")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Files, A::Error> {
                let mut files = Vec::new();
                while let Some(item) = items.next_element()? {
                    if files.len() == MOST_FILES {
                        return Err(Error::custom(format!("it lists more than the {MOST_FILES} files accepted")));
                    }
                    files.push(file(item));
                }
                Ok(Files(files))
            }
        }
        from.deserialize_seq(List)
    }
}

/// A value that may be of several kinds. What says nothing here is read over, and not kept.
#[derive(Default, PartialEq, Eq)]
enum Said {
    #[default]
    Nothing,
    No,
    Yes,
    Text(String),
    /// Digests by algorithm: the SHA-256 among them.
    Hashes(Option<Digest>),
}

impl<'de> Deserialize<'de> for Said {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Said;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("anything")
            }

            fn visit_bool<E>(self, value: bool) -> Result<Said, E> {
                Ok(if value { Said::Yes } else { Said::No })
            }

            fn visit_str<E>(self, text: &str) -> Result<Said, E> {
                Ok(Said::Text(text.to_owned()))
            }

            fn visit_unit<E>(self) -> Result<Said, E> {
                Ok(Said::Nothing)
            }

            fn visit_i64<E>(self, _: i64) -> Result<Said, E> {
                Ok(Said::No)
            }

            fn visit_u64<E>(self, _: u64) -> Result<Said, E> {
                Ok(Said::No)
            }

            fn visit_f64<E>(self, _: f64) -> Result<Said, E> {
                Ok(Said::No)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Said, A::Error> {
                while items.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Said::No)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Said, A::Error> {
                let mut sha256 = None;
                while let Some(key) = entries.next_key::<String>()? {
                    if let ("sha256", Said::Text(hex)) = (key.as_str(), entries.next_value()?) {
                        sha256 = Digest::from_hex(&hex).ok();
                    }
                }
                Ok(Said::Hashes(sha256))
            }
        }
        from.deserialize_any(Any)
    }
}
