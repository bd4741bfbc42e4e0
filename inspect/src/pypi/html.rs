//! The HTML form of a page (PEP 503, with PEP 592, 629, 658 and 714).

use std::mem::take;

use html5gum::emitters::callback::{Callback, CallbackEmitter, CallbackEvent};
use html5gum::{Span, Tokenizer};
use model::Digest;

use super::name::FileKind;
use super::page::{MOST_FILES, MetadataHash, PageFile};

/// The files a page links to.
pub(super) fn files(text: &str) -> Result<Vec<PageFile>, String> {
    let mut files = Vec::new();
    let mut tags = 0_usize;
    for tag in Tokenizer::new_with_emitter(text, CallbackEmitter::new(Collector::default())) {
        let Ok(tag) = tag;
        tags += 1;
        match tag.kind {
            Kind::Link => {
                files.extend(file(tag));
                if files.len() > MOST_FILES {
                    return Err(format!("it lists more than the {MOST_FILES} files accepted"));
                }
            }
            Kind::Meta => version(&tag)?,
            Kind::Other => {}
        }
    }
    if tags == 0 { Err("it holds no HTML".to_owned()) } else { Ok(files) }
}

/// A start tag: those of its attributes that say something.
#[derive(Default)]
struct Tag {
    kind: Kind,
    attributes: Vec<(&'static str, String)>,
}

#[derive(Default)]
enum Kind {
    Link,
    Meta,
    #[default]
    Other,
}

const ATTRIBUTES: [&str; 7] =
    ["href", "data-requires-python", "data-yanked", "data-core-metadata", "data-dist-info-metadata", "name", "content"];

impl Tag {
    fn take(&mut self, name: &str) -> Option<String> {
        self.attributes.iter_mut().find(|(known, _)| *known == name).map(|(_, value)| take(value))
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }
}

/// Pages hold thousands of links, so nothing is kept of what is not asked for.
#[derive(Default)]
struct Collector {
    tag: Tag,
    /// Whether the value that comes next belongs to the attribute named last.
    wanted: bool,
}

impl Callback<Tag, ()> for Collector {
    fn handle_event(&mut self, event: CallbackEvent<'_>, _: Span<()>) -> Option<Tag> {
        match event {
            CallbackEvent::OpenStartTag { name } => {
                let kind = match name {
                    b"a" => Kind::Link,
                    b"meta" => Kind::Meta,
                    _ => Kind::Other,
                };
                self.tag = Tag { kind, attributes: Vec::new() };
            }
            CallbackEvent::AttributeName { name } => {
                let known = ATTRIBUTES.into_iter().find(|known| known.as_bytes() == name);
                let new = known.filter(|known| self.tag.get(known).is_none());
                self.wanted = new.is_some();
                self.tag.attributes.extend(new.map(|name| (name, String::new())));
            }
            CallbackEvent::AttributeValue { value } => {
                if let Some((_, text)) = self.tag.attributes.last_mut().filter(|_| self.wanted) {
                    text.push_str(&String::from_utf8_lossy(value));
                }
            }
            CallbackEvent::CloseStartTag { .. } => return Some(take(&mut self.tag)),
            _ => {}
        }
        None
    }
}

fn version(tag: &Tag) -> Result<(), String> {
    let version = tag.get("content").filter(|_| tag.get("name") == Some("pypi:repository-version"));
    match version {
        Some(version) if version.split('.').next() != Some("1") => {
            Err(format!("it is of version {version}, and 1 is the latest known"))
        }
        _ => Ok(()),
    }
}

fn file(mut tag: Tag) -> Option<PageFile> {
    let href = tag.take("href")?;
    let (url, fragment) = href.split_once('#').unwrap_or((&href, ""));
    let path = url.split('?').next().unwrap_or_default();
    let metadata = tag.take("data-core-metadata").or_else(|| tag.take("data-dist-info-metadata"));
    Some(PageFile {
        name: percent_decoded(path.rsplit('/').next().unwrap_or_default()),
        kind: FileKind::Other,
        url: url.trim().to_owned(),
        sha256: fragment.split('&').find_map(digest),
        requires_python: tag.take("data-requires-python"),
        yanked: tag.take("data-yanked"),
        metadata: metadata.filter(|value| value != "false").map(|value| MetadataHash { sha256: digest(&value) }),
        size: None,
    })
}

fn digest(text: &str) -> Option<Digest> {
    Digest::from_hex(text.strip_prefix("sha256=")?).ok()
}

/// Bytes that are no UTF-8 become replacement characters, which no accepted file name holds.
fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.trim().as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        let hex = after.split_at_checked(2).filter(|_| *byte == b'%');
        let decoded =
            hex.and_then(|(hex, after)| Some((u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok()?, after)));
        let (byte, after) = decoded.unwrap_or((*byte, after));
        bytes.push(byte);
        rest = after;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
