//! Bills of materials in the forms there are.

use std::io::{self, Write};

use model::text::escaped;
use model::{Digest, TreePath, digest_of};

use crate::bill::{Bill, Image};
use crate::{cyclonedx, spdx};

/// What wrote the documents.
pub(crate) const TOOL: &str = "clnstrt";

/// A form of a bill of materials.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// CycloneDX 1.5 in JSON.
    CyclonedxJson,
    /// CycloneDX 1.5 in XML.
    CyclonedxXml,
    /// SPDX 2.3 in JSON.
    SpdxJson,
    /// SPDX 2.3 as tags and values.
    SpdxTagValue,
    /// SPDX 2.3 in RDF/XML.
    SpdxRdf,
}

impl Format {
    /// Every form.
    pub const ALL: [Format; 5] =
        [Format::CyclonedxJson, Format::CyclonedxXml, Format::SpdxJson, Format::SpdxTagValue, Format::SpdxRdf];

    /// As `--format` names it.
    pub fn name(self) -> &'static str {
        match self {
            Format::CyclonedxJson => "cyclonedx-json",
            Format::CyclonedxXml => "cyclonedx-xml",
            Format::SpdxJson => "spdx-json",
            Format::SpdxTagValue => "spdx-tag-value",
            Format::SpdxRdf => "spdx-rdf",
        }
    }

    /// Whether documents of this form give files' SHA-1 (SPDX 2.3 §8.4 asks for it).
    pub fn has_sha1(self) -> bool {
        matches!(self, Format::SpdxJson | Format::SpdxTagValue | Format::SpdxRdf)
    }

    /// How names of files of this form end.
    pub fn ending(self) -> &'static str {
        match self {
            Format::CyclonedxJson => ".cdx.json",
            Format::CyclonedxXml => ".cdx.xml",
            Format::SpdxJson => ".spdx.json",
            Format::SpdxTagValue => ".spdx",
            Format::SpdxRdf => ".spdx.rdf.xml",
        }
    }
}

/// Writes a bill of materials.
///
/// # Errors
/// What writing failed with.
pub fn sbom(bill: &Bill<'_>, format: Format, to: &mut dyn Write) -> io::Result<()> {
    match format {
        Format::CyclonedxJson => {
            let mut to = to;
            cyclonedx::document(bill).output_as_json_v1_5(&mut to).map_err(io::Error::other)
        }
        Format::CyclonedxXml => cyclonedx::xml(bill, to),
        Format::SpdxJson => spdx::json(&spdx::Document::of(bill), to),
        Format::SpdxTagValue => spdx::tag_value(&spdx::Document::of(bill), to),
        Format::SpdxRdf => spdx::rdf(&spdx::Document::of(bill), to),
    }
}

impl Image {
    /// What documents refer to it by.
    pub(crate) fn reference(&self) -> String {
        let version = self.version.iter().map(|version| format!("@{version}")).collect::<String>();
        format!("image:{}{version}:{}", self.name, self.architecture)
    }

    /// What it is, in a digest: equal for the same image, whoever describes it.
    pub(crate) fn digest(&self) -> Digest {
        let layers: Vec<String> = self.layers.iter().map(|layer| layer.to_string()).collect();
        let manifest = self.manifest.map(|manifest| manifest.to_string());
        digest_of(&(&self.name, &self.version, &self.architecture, manifest, layers, self.created))
    }
}

/// A number of the document (RFC 9562, version 8), made from what it is about: two of the same are one.
pub(crate) fn uuid(bill: &Bill<'_>) -> String {
    let mut bytes = [0_u8; 16];
    // Of a folder, or of layers nobody gave a digest, its content says which one it is.
    let is_named = bill.image.manifest.is_some() || !bill.image.layers.is_empty();
    let digest = if is_named { bill.image.digest() } else { digest_of(&(bill.image.digest(), &bill.inventory.items)) };
    bytes.iter_mut().zip(digest.as_bytes()).for_each(|(to, from)| *to = *from);
    let [_, _, _, _, _, _, version, _, variant, ..] = &mut bytes;
    *version = (*version & 0x0f) | 0x80;
    *variant = (*variant & 0x3f) | 0x80;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default().to_owned();
    [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-")
}

/// SHA-1 in hex, which SPDX 2.3 asks for; nothing relies on it.
pub(crate) fn sha1(bytes: &[u8]) -> String {
    use sha1::Digest as _;
    sha1::Sha1::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// `2026-11-20T10:00:00Z`
pub(crate) fn time(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).map(|time| time.to_string()).unwrap_or_default()
}

/// A path of the image from its root.
pub(crate) fn absolute(path: &TreePath) -> String {
    format!("/{}", escaped(&path.display()))
}

/// Whether a text is a link that documents may carry.
pub(crate) fn is_link(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|rest| {
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let is_host = |b: u8| b.is_ascii_alphanumeric() || b"-._:@".contains(&b);
        let escapes = rest.split('%').skip(1);
        let mut escapes = escapes.map(|after| after.bytes().take(2).filter(u8::is_ascii_hexdigit).count());
        !host.is_empty()
            && host.bytes().all(is_host)
            && rest.bytes().all(|b| b.is_ascii_graphic() && !b"<>\"{}|\\^`[]".contains(&b))
            && rest.matches('#').count() < 2
            && escapes.all(|digits| digits == 2)
    })
}
