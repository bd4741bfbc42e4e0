//! The HTML form of a page (PEP 503, with PEP 592, 629, 658 and 714).

use html5gum::{StartTag, Token, Tokenizer};
use model::Digest;

use super::name::FileKind;
use super::page::{MetadataHash, PageFile};

/// The files a page links to.
pub(super) fn files(text: &str) -> Result<Vec<PageFile>, String> {
    let mut files = Vec::new();
    let mut tags = 0_usize;
    for token in Tokenizer::new(text) {
        let Ok(Token::StartTag(tag)) = token else { continue };
        tags += 1;
        match tag.name.as_slice() {
            b"a" => files.extend(file(&tag)),
            b"meta" => version(&tag)?,
            _ => {}
        }
    }
    if tags == 0 { Err("it holds no HTML".to_owned()) } else { Ok(files) }
}

fn attribute(tag: &StartTag<()>, name: &str) -> Option<String> {
    tag.attributes.get(name.as_bytes()).map(|value| String::from_utf8_lossy(value).into_owned())
}

fn version(tag: &StartTag<()>) -> Result<(), String> {
    let version =
        attribute(tag, "content").filter(|_| attribute(tag, "name").as_deref() == Some("pypi:repository-version"));
    match version {
        Some(version) if version.split('.').next() != Some("1") => {
            Err(format!("it is of version {version}, and 1 is the latest known"))
        }
        _ => Ok(()),
    }
}

fn file(tag: &StartTag<()>) -> Option<PageFile> {
    let href = attribute(tag, "href")?;
    let (url, fragment) = href.split_once('#').unwrap_or((&href, ""));
    let path = url.split('?').next().unwrap_or_default();
    let metadata = attribute(tag, "data-core-metadata").or_else(|| attribute(tag, "data-dist-info-metadata"));
    Some(PageFile {
        name: percent_decoded(path.rsplit('/').next().unwrap_or_default()),
        kind: FileKind::Other,
        url: url.trim().to_owned(),
        sha256: fragment.split('&').find_map(digest),
        requires_python: attribute(tag, "data-requires-python"),
        yanked: attribute(tag, "data-yanked"),
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
