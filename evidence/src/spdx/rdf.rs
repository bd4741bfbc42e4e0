//! RDF/XML, with the terms of SPDX 2.3's ontology.

use std::io::{self, Write};

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};
use spdx::expression::{ExprNode, Operator};
use spdx::{Expression, LicenseItem, ParseMode};

use super::{Checksum, Document, File, NO_ASSERTION, Package};

const TERMS: &str = "http://spdx.org/rdf/terms#";
const LICENCES: &str = "http://spdx.org/licenses/";
const NAMESPACES: [(&str, &str); 4] = [
    ("xmlns:rdf", "http://www.w3.org/1999/02/22-rdf-syntax-ns#"),
    ("xmlns:rdfs", "http://www.w3.org/2000/01/rdf-schema#"),
    ("xmlns:doap", "http://usefulinc.com/ns/doap#"),
    ("xmlns:spdx", TERMS),
];

/// Writes the document as RDF/XML.
pub(crate) fn write(document: &Document, to: &mut dyn Write) -> io::Result<()> {
    let mut xml = Xml { to: Writer::new_with_indent(to, b' ', 1), namespace: document.document_namespace.clone() };
    xml.event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    xml.open("rdf:RDF", &NAMESPACES)?;
    xml.open("spdx:SpdxDocument", &[("rdf:about", &xml.about(document.id))])?;
    xml.text("spdx:specVersion", document.spdx_version)?;
    xml.text("spdx:name", &document.name)?;
    xml.resource("spdx:dataLicense", &format!("{LICENCES}{}", document.data_license))?;
    xml.open("spdx:creationInfo", &[])?;
    xml.open("spdx:CreationInfo", &[])?;
    for creator in &document.creation_info.creators {
        xml.text("spdx:creator", creator)?;
    }
    xml.text("spdx:created", &document.creation_info.created)?;
    xml.close("spdx:CreationInfo")?;
    xml.close("spdx:creationInfo")?;
    for licence in &document.licences {
        xml.open("spdx:hasExtractedLicensingInfo", &[])?;
        xml.open("spdx:ExtractedLicensingInfo", &[("rdf:about", &xml.about(&licence.license_id))])?;
        xml.text("spdx:licenseId", &licence.license_id)?;
        xml.text("spdx:name", &licence.name)?;
        xml.text("spdx:extractedText", &licence.extracted_text)?;
        xml.close("spdx:ExtractedLicensingInfo")?;
        xml.close("spdx:hasExtractedLicensingInfo")?;
    }
    xml.relationships(document, document.id)?;
    xml.close("spdx:SpdxDocument")?;
    for package in &document.packages {
        xml.package(document, package)?;
    }
    for file in &document.files {
        xml.file(file)?;
    }
    xml.close("rdf:RDF")?;
    let inner = xml.to.into_inner();
    writeln!(inner)
}

struct Xml<'w> {
    to: Writer<&'w mut dyn Write>,
    namespace: String,
}

impl Xml<'_> {
    fn event(&mut self, event: Event<'_>) -> io::Result<()> {
        self.to.write_event(event)
    }

    /// What an element of the document is called in the whole world.
    fn about(&self, id: &str) -> String {
        format!("{}#{id}", self.namespace)
    }

    fn open(&mut self, name: &str, attributes: &[(&str, &str)]) -> io::Result<()> {
        let mut start = BytesStart::new(name);
        attributes.iter().for_each(|attribute| start.push_attribute(*attribute));
        self.event(Event::Start(start))
    }

    fn close(&mut self, name: &str) -> io::Result<()> {
        self.event(Event::End(BytesEnd::new(name)))
    }

    fn text(&mut self, name: &str, text: &str) -> io::Result<()> {
        // Characters that XML does not have were taken out of what was found.
        self.to.create_element(name).write_text_content(BytesText::new(text)).map(drop)
    }

    fn resource(&mut self, name: &str, resource: &str) -> io::Result<()> {
        self.to.create_element(name).with_attribute(("rdf:resource", resource)).write_empty().map(drop)
    }

    fn checksums(&mut self, all: &[Checksum]) -> io::Result<()> {
        all.iter().try_for_each(|one| {
            self.open("spdx:checksum", &[])?;
            self.open("spdx:Checksum", &[])?;
            let algorithm = format!("{TERMS}checksumAlgorithm_{}", one.algorithm.to_lowercase());
            self.resource("spdx:algorithm", &algorithm)?;
            self.text("spdx:checksumValue", &one.checksum_value)?;
            self.close("spdx:Checksum")?;
            self.close("spdx:checksum")
        })
    }

    fn relationships(&mut self, document: &Document, of: &str) -> io::Result<()> {
        document.relationships.iter().filter(|one| one.spdx_element_id == of).try_for_each(|one| {
            self.open("spdx:relationship", &[])?;
            self.open("spdx:Relationship", &[])?;
            let kind = match one.relationship_type {
                "DESCRIBES" => "describes",
                "CONTAINS" => "contains",
                _ => "dependsOn",
            };
            self.resource("spdx:relationshipType", &format!("{TERMS}relationshipType_{kind}"))?;
            let related = self.about(&one.related_spdx_element);
            self.resource("spdx:relatedSpdxElement", &related)?;
            self.close("spdx:Relationship")?;
            self.close("spdx:relationship")
        })
    }

    fn package(&mut self, document: &Document, package: &Package) -> io::Result<()> {
        self.open("spdx:Package", &[("rdf:about", &self.about(&package.id))])?;
        self.text("spdx:name", &package.name)?;
        if let Some(version) = &package.version_info {
            self.text("spdx:versionInfo", version)?;
        }
        if let Some(file) = &package.package_file_name {
            self.text("spdx:packageFileName", file)?;
        }
        // What is text elsewhere is so in RDF, also where nobody knows it.
        self.text("spdx:supplier", &package.supplier)?;
        self.text("spdx:downloadLocation", &package.download_location)?;
        self.text("spdx:filesAnalyzed", if package.files_analyzed { "true" } else { "false" })?;
        if let Some(code) = &package.package_verification_code {
            self.open("spdx:packageVerificationCode", &[])?;
            self.open("spdx:PackageVerificationCode", &[])?;
            self.text("spdx:packageVerificationCodeValue", &code.value)?;
            self.close("spdx:PackageVerificationCode")?;
            self.close("spdx:packageVerificationCode")?;
        }
        self.checksums(&package.checksums)?;
        if let Some(homepage) = &package.homepage {
            self.text("doap:homepage", homepage)?;
        }
        if let Some(source) = &package.source_info {
            self.text("spdx:sourceInfo", source)?;
        }
        self.licence("spdx:licenseConcluded", package.license_concluded)?;
        for licence in &package.license_info_from_files {
            self.licence("spdx:licenseInfoFromFiles", licence)?;
        }
        self.licence("spdx:licenseDeclared", &package.license_declared)?;
        self.text("spdx:copyrightText", package.copyright_text)?;
        if let Some(summary) = &package.summary {
            self.text("spdx:summary", summary)?;
        }
        for reference in &package.external_refs {
            self.open("spdx:externalRef", &[])?;
            self.open("spdx:ExternalRef", &[])?;
            let category = match reference.reference_category {
                "SECURITY" => "security",
                _ => "packageManager",
            };
            self.resource("spdx:referenceCategory", &format!("{TERMS}referenceCategory_{category}"))?;
            let kind = format!("http://spdx.org/rdf/references/{}", reference.reference_type);
            self.resource("spdx:referenceType", &kind)?;
            self.text("spdx:referenceLocator", &reference.reference_locator)?;
            self.close("spdx:ExternalRef")?;
            self.close("spdx:externalRef")?;
        }
        let purpose = format!("{TERMS}purpose_{}", package.primary_package_purpose.to_lowercase());
        self.resource("spdx:primaryPackagePurpose", &purpose)?;
        self.relationships(document, &package.id)?;
        self.close("spdx:Package")
    }

    fn file(&mut self, file: &File) -> io::Result<()> {
        self.open("spdx:File", &[("rdf:about", &self.about(&file.id))])?;
        self.text("spdx:fileName", &file.file_name)?;
        self.checksums(&file.checksums)?;
        self.licence("spdx:licenseConcluded", file.license_concluded)?;
        for licence in &file.license_info_in_files {
            self.licence("spdx:licenseInfoInFile", licence)?;
        }
        self.text("spdx:copyrightText", file.copyright_text)?;
        self.close("spdx:File")
    }

    /// An expression as sets of licences (SPDX 2.3, annex D and the ontology's `AnyLicenseInfo`).
    fn licence(&mut self, name: &str, text: &str) -> io::Result<()> {
        if text == NO_ASSERTION {
            return self.resource(name, &format!("{TERMS}noassertion"));
        }
        let Ok(expression) = Expression::parse_mode(text, ParseMode::STRICT) else {
            return self.resource(name, &format!("{TERMS}noassertion"));
        };
        let mut open: Vec<Set> = Vec::new();
        for node in expression.iter() {
            let set = match node {
                ExprNode::Req(wanted) => Set::One(wanted.req.clone()),
                ExprNode::Op(operator) => match (open.pop(), open.pop()) {
                    (Some(right), Some(left)) => Set::Both(*operator, Box::new((left, right))),
                    _ => continue,
                },
            };
            open.push(set);
        }
        match open.pop() {
            Some(Set::One(one)) if one.addition.is_none() && !is_or_later(&one) => {
                let resource = self.one(&one);
                self.resource(name, &resource)
            }
            Some(set) => {
                self.open(name, &[])?;
                self.set(&set)?;
                self.close(name)
            }
            None => self.resource(name, &format!("{TERMS}noassertion")),
        }
    }

    fn set(&mut self, set: &Set) -> io::Result<()> {
        match set {
            Set::Both(operator, both) => {
                let name = match operator {
                    Operator::And => "spdx:ConjunctiveLicenseSet",
                    Operator::Or => "spdx:DisjunctiveLicenseSet",
                };
                self.open(name, &[])?;
                for one in [&both.0, &both.1] {
                    self.member("spdx:member", one)?;
                }
                self.close(name)
            }
            Set::One(one) if one.addition.is_some() => {
                self.open("spdx:WithExceptionOperator", &[])?;
                let alone = spdx::LicenseReq { addition: None, ..one.clone() };
                self.member("spdx:member", &Set::One(alone))?;
                let exception = one.addition.as_ref().map(ToString::to_string).unwrap_or_default();
                self.resource("spdx:licenseException", &format!("{LICENCES}{exception}"))?;
                self.close("spdx:WithExceptionOperator")
            }
            Set::One(one) => {
                self.open("spdx:OrLaterOperator", &[])?;
                let resource = self.one(one);
                self.resource("spdx:member", &resource)?;
                self.close("spdx:OrLaterOperator")
            }
        }
    }

    fn member(&mut self, name: &str, set: &Set) -> io::Result<()> {
        match set {
            Set::One(one) if one.addition.is_none() && !is_or_later(one) => {
                let resource = self.one(one);
                self.resource(name, &resource)
            }
            set => {
                self.open(name, &[])?;
                self.set(set)?;
                self.close(name)
            }
        }
    }

    /// A licence's place: in SPDX's list, or in this document.
    fn one(&self, one: &spdx::LicenseReq) -> String {
        match &one.license {
            LicenseItem::Spdx { id, .. } => format!("{LICENCES}{}", id.name),
            other => self.about(&other.to_string()),
        }
    }
}

/// An expression as a tree.
enum Set {
    One(spdx::LicenseReq),
    Both(Operator, Box<(Set, Set)>),
}

fn is_or_later(one: &spdx::LicenseReq) -> bool {
    matches!(one.license, LicenseItem::Spdx { or_later: true, .. })
}
