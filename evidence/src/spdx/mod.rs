//! SPDX 2.3: one document, written in three forms. What is not known is `NOASSERTION`.

mod json;
mod rdf;
mod tag_value;

use std::collections::{BTreeMap, BTreeSet};

use model::inventory::Item;
use model::{Digest, Kind};
use serde::Serialize;

use crate::bill::{self, Bill, Component};
use crate::{Licence, sbom};

pub(crate) use json::write as json;
pub(crate) use rdf::write as rdf;
pub(crate) use tag_value::write as tag_value;

/// What is said of what nobody knows (SPDX 2.3, section 7).
pub(crate) const NO_ASSERTION: &str = "NOASSERTION";
const DOCUMENT: &str = "SPDXRef-DOCUMENT";
const IMAGE: &str = "SPDXRef-Image";

/// A document, with the names that SPDX's JSON gives its fields.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Document {
    spdx_version: &'static str,
    data_license: &'static str,
    #[serde(rename = "SPDXID")]
    id: &'static str,
    name: String,
    document_namespace: String,
    creation_info: Creation,
    packages: Vec<Package>,
    files: Vec<File>,
    #[serde(rename = "hasExtractedLicensingInfos", skip_serializing_if = "Vec::is_empty")]
    licences: Vec<Extracted>,
    relationships: Vec<Relationship>,
}

#[derive(Debug, Serialize)]
struct Creation {
    created: String,
    creators: Vec<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Package {
    #[serde(rename = "SPDXID")]
    id: String,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    version_info: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    package_file_name: Option<String>,
    supplier: String,
    download_location: String,
    files_analyzed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    package_verification_code: Option<VerificationCode>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    checksums: Vec<Checksum>,
    #[serde(skip_serializing_if = "Option::is_none")]
    homepage: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_info: Option<String>,
    license_concluded: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    license_info_from_files: Vec<&'static str>,
    license_declared: String,
    copyright_text: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    summary: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    external_refs: Vec<Reference>,
    primary_package_purpose: &'static str,
}

#[derive(Debug, Serialize)]
struct VerificationCode {
    #[serde(rename = "packageVerificationCodeValue")]
    value: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Checksum {
    algorithm: &'static str,
    checksum_value: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Reference {
    reference_category: &'static str,
    reference_type: &'static str,
    reference_locator: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct File {
    #[serde(rename = "SPDXID")]
    id: String,
    file_name: String,
    checksums: Vec<Checksum>,
    license_concluded: &'static str,
    license_info_in_files: Vec<&'static str>,
    copyright_text: &'static str,
}

/// Words about a licence that are no expression.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Extracted {
    license_id: String,
    name: String,
    extracted_text: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Relationship {
    spdx_element_id: String,
    relationship_type: &'static str,
    related_spdx_element: String,
}

impl Document {
    /// What a bill says, in SPDX's words.
    pub(crate) fn of(bill: &Bill<'_>) -> Self {
        let files = Files::of(bill);
        let words: BTreeMap<&str, String> = words(bill);
        let mut relationships = Vec::new();
        let mut relate = |from: &str, kind: &'static str, to: &str| {
            relationships.push(Relationship {
                spdx_element_id: from.to_owned(),
                relationship_type: kind,
                related_spdx_element: to.to_owned(),
            });
        };
        relate(DOCUMENT, "DESCRIBES", IMAGE);
        let id = |number: usize| bill.components.get(number).map(|component| package_id(number, component));
        let loose: Vec<usize> = bill.loose().map(|(at, _)| at).collect();
        let mut packages = vec![image(bill, files.verification_code(&loose))];
        files.contained(&loose, |file| relate(IMAGE, "CONTAINS", file));
        for (number, component) in bill.components.iter().enumerate() {
            let own = package_id(number, component);
            let holder = component.holder.and_then(id).unwrap_or_else(|| IMAGE.to_owned());
            relate(&holder, "CONTAINS", &own);
            if bill.roots.contains_key(&number) {
                relate(IMAGE, "DEPENDS_ON", &own);
            }
            let needed = bill.needs.get(&number).into_iter().flat_map(|needed| needed.keys());
            needed.filter_map(|needed| id(*needed)).for_each(|needed| relate(&own, "DEPENDS_ON", &needed));
            files.contained(&component.files, |file| relate(&own, "CONTAINS", file));
            packages.push(package(own, component, files.verification_code(&component.files), &words));
        }
        let licences = words.into_iter().map(|(words, id)| Extracted {
            license_id: id,
            name: words.to_owned(),
            extracted_text: format!("The package states its licence in these words: {words}"),
        });
        let references = bill.components.iter().flat_map(|one| one.licence.iter().flat_map(Licence::references));
        let references: BTreeSet<&str> = references.collect();
        let references = references.into_iter().map(|id| Extracted {
            license_id: id.to_owned(),
            name: id.trim_start_matches("LicenseRef-").to_owned(),
            extracted_text: "The text is in the copyright file of each package that names it.".to_owned(),
        });
        Self {
            spdx_version: "SPDX-2.3",
            data_license: "CC0-1.0",
            id: DOCUMENT,
            name: bill.image.reference(),
            document_namespace: format!("urn:uuid:{}", sbom::uuid(bill)),
            creation_info: Creation {
                created: sbom::time(bill.image.created),
                creators: vec![format!("Tool: {}-{}", sbom::TOOL, env!("CARGO_PKG_VERSION"))],
            },
            packages,
            files: files.into_files(),
            licences: licences.chain(references).collect(),
            relationships,
        }
    }
}

/// The image as a package.
fn image(bill: &Bill<'_>, code: Option<VerificationCode>) -> Package {
    let image = &bill.image;
    Package {
        id: IMAGE.to_owned(),
        name: image.name.clone(),
        version_info: image.version.clone(),
        package_file_name: None,
        supplier: NO_ASSERTION.to_owned(),
        download_location: NO_ASSERTION.to_owned(),
        files_analyzed: code.is_some(),
        license_info_from_files: code.iter().map(|_| NO_ASSERTION).collect(),
        package_verification_code: code,
        checksums: image.manifest.map(|digest| sha256(&digest)).into_iter().collect(),
        homepage: None,
        source_info: Some(format!("container image for {}", image.architecture)),
        license_concluded: NO_ASSERTION,
        license_declared: NO_ASSERTION.to_owned(),
        copyright_text: NO_ASSERTION,
        summary: None,
        external_refs: Vec::new(),
        primary_package_purpose: "CONTAINER",
    }
}

fn package(
    id: String,
    component: &Component,
    code: Option<VerificationCode>,
    words: &BTreeMap<&str, String>,
) -> Package {
    let purl = component.purl.clone().map(|purl| Reference {
        reference_category: "PACKAGE-MANAGER",
        reference_type: "purl",
        reference_locator: purl,
    });
    let cpe = component.cpe.clone().map(|cpe| Reference {
        reference_category: "SECURITY",
        reference_type: "cpe23Type",
        reference_locator: cpe,
    });
    let source = match (&component.source, &component.file) {
        (_, Some(file)) if component.built_here => {
            Some(format!("compiled here from {file}, to which no patch was applied"))
        }
        (Some((name, version)), _) => Some(format!("made from the source package {name} {version}")),
        _ => None,
    };
    Package {
        id,
        name: match &component.namespace {
            Some(namespace) => format!("{namespace}/{}", component.name),
            None => component.name.clone(),
        },
        version_info: component.version.clone(),
        package_file_name: component.file.clone(),
        supplier: component.supplier.as_deref().map_or_else(|| NO_ASSERTION.to_owned(), supplier),
        // A lock names no server; a project's own release has a place of its own.
        download_location: component.url.clone().unwrap_or_else(|| NO_ASSERTION.to_owned()),
        files_analyzed: code.is_some(),
        license_info_from_files: code.iter().map(|_| NO_ASSERTION).collect(),
        package_verification_code: code,
        checksums: component.sha256.map(|digest| sha256(&digest)).into_iter().collect(),
        homepage: component.homepage.clone().filter(|url| sbom::is_link(url)),
        source_info: source,
        license_concluded: NO_ASSERTION,
        license_declared: match &component.licence {
            Some(Licence::Expression(expression)) => expression.clone(),
            Some(Licence::Words(said)) => words.get(said.as_str()).cloned().unwrap_or_else(|| NO_ASSERTION.to_owned()),
            None => NO_ASSERTION.to_owned(),
        },
        copyright_text: NO_ASSERTION,
        summary: component.description.clone(),
        external_refs: purl.into_iter().chain(cpe).collect(),
        primary_package_purpose: match component.kind {
            bill::Kind::Library => "LIBRARY",
            bill::Kind::Application => "APPLICATION",
        },
    }
}

fn package_id(number: usize, component: &Component) -> String {
    let safe = |c: char| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' };
    let name: String = component.name.chars().take(60).map(safe).collect();
    format!("SPDXRef-Package-{}-{name}", number + 1)
}

/// Words in the form SPDX has for who supplies something: a team, or a person; with an address after `<`. Of several, the first.
fn supplier(words: &str) -> String {
    const TEAMS: [&str; 11] = [
        "authors",
        "community",
        "contributors",
        "developers",
        "foundation",
        "group",
        "inc",
        "maintainers",
        "packagers",
        "project",
        "team",
    ];
    let first = words.split_once('>').map_or(words, |(first, _)| first);
    let (name, address) = match first.split_once('<') {
        Some((name, address)) => (name, Some(address.trim())),
        None => (first, None),
    };
    let name: String = name.chars().filter(|c| !matches!(c, '(' | ')' | '"')).collect();
    // Words that mail encodes (RFC 2047) say nothing to people.
    let name = if name.contains("=?") { "" } else { name.trim() };
    let is_team = name.split(|c: char| !c.is_alphanumeric()).any(|word| TEAMS.contains(&word.to_lowercase().as_str()));
    let kind = if is_team { "Organization" } else { "Person" };
    match address.filter(|address| !address.is_empty()) {
        Some(address) if !name.is_empty() => format!("{kind}: {name} ({address})"),
        Some(address) => format!("{kind}: {address}"),
        None if name.is_empty() => NO_ASSERTION.to_owned(),
        None => format!("{kind}: {name}"),
    }
}

/// The words about licences that are no expressions, each with the name the document gives it.
fn words<'b>(bill: &'b Bill<'_>) -> BTreeMap<&'b str, String> {
    let said = bill.components.iter().filter_map(|component| match &component.licence {
        Some(Licence::Words(words)) => Some(words.as_str()),
        _ => None,
    });
    let said: BTreeSet<&str> = said.collect();
    // Packages may use names of this kind themselves.
    let references = bill.components.iter().flat_map(|one| one.licence.iter().flat_map(Licence::references));
    let taken: BTreeSet<&str> = references.collect();
    let free =
        (1..).map(|number: usize| format!("LicenseRef-words-{number}")).filter(|name| !taken.contains(name.as_str()));
    said.into_iter().zip(free).collect()
}

fn sha256(digest: &Digest) -> Checksum {
    Checksum { algorithm: "SHA256", checksum_value: digest.hex() }
}

/// The regular files of an image, by their place in its inventory.
struct Files {
    files: BTreeMap<usize, File>,
}

impl Files {
    fn of(bill: &Bill<'_>) -> Self {
        let items = &bill.inventory.items;
        let content = |item: &Item| match &item.entry.node {
            Kind::File { digest, .. } => Some((*digest, item.sha1.clone()?)),
            _ => None,
        };
        let file = |(at, item): (usize, &Item)| {
            let (digest, sha1) = content(item)?;
            let file = File {
                id: format!("SPDXRef-File-{}", at + 1),
                file_name: format!(".{}", sbom::absolute(&item.path)),
                checksums: vec![Checksum { algorithm: "SHA1", checksum_value: sha1 }, sha256(&digest)],
                license_concluded: NO_ASSERTION,
                license_info_in_files: vec![NO_ASSERTION],
                copyright_text: NO_ASSERTION,
            };
            Some((at, file))
        };
        Self { files: items.iter().enumerate().filter_map(file).collect() }
    }

    fn contained(&self, items: &[usize], mut each: impl FnMut(&str)) {
        items.iter().filter_map(|at| self.files.get(at)).for_each(|file| each(&file.id));
    }

    /// The SHA-1 over the sorted SHA-1s of some files (SPDX 2.3, section 7.9); nothing where there are none.
    fn verification_code(&self, items: &[usize]) -> Option<VerificationCode> {
        let sums = items.iter().filter_map(|at| self.files.get(at)?.checksums.first());
        let mut sums: Vec<&str> = sums.map(|sum| sum.checksum_value.as_str()).collect();
        sums.sort_unstable();
        (!sums.is_empty()).then(|| VerificationCode { value: sbom::sha1(sums.concat().as_bytes()) })
    }

    fn into_files(self) -> Vec<File> {
        self.files.into_values().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_supplies_something_is_a_team_or_a_person() {
        assert_eq!(
            supplier("Debian GCC Maintainers <gcc@example.com>"),
            "Organization: Debian GCC Maintainers (gcc@example.com)"
        );
        assert_eq!(supplier("A <a@example.com>, B <b@example.com>"), "Person: A (a@example.com)");
        assert_eq!(supplier("=?utf-8?q?S=C3=A9?= <s@example.com>"), "Person: s@example.com");
        assert_eq!(supplier("\"A, B (C)\""), "Person: A, B C");
        assert_eq!(supplier("=?x?="), "NOASSERTION");
    }
}
