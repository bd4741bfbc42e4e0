//! Tags and values (SPDX 2.3, every section's "tag-value" examples).

use std::io::{self, Write};

use super::{Checksum, Document, File, Package};

/// Writes the document as tags and values.
pub(crate) fn write(document: &Document, to: &mut dyn Write) -> io::Result<()> {
    let mut tags = Tags { to };
    tags.put("SPDXVersion", document.spdx_version)?;
    tags.put("DataLicense", document.data_license)?;
    tags.put("SPDXID", document.id)?;
    tags.put("DocumentName", &document.name)?;
    tags.put("DocumentNamespace", &document.document_namespace)?;
    for creator in &document.creation_info.creators {
        tags.put("Creator", creator)?;
    }
    tags.put("Created", &document.creation_info.created)?;
    for package in &document.packages {
        tags.package(package)?;
    }
    for file in &document.files {
        tags.file(file)?;
    }
    for licence in &document.licences {
        tags.section()?;
        tags.put("LicenseID", &licence.license_id)?;
        tags.text("ExtractedText", &licence.extracted_text)?;
        tags.put("LicenseName", &licence.name)?;
    }
    tags.section()?;
    for one in &document.relationships {
        let words = format!("{} {} {}", one.spdx_element_id, one.relationship_type, one.related_spdx_element);
        tags.put("Relationship", &words)?;
    }
    Ok(())
}

struct Tags<'w> {
    to: &'w mut dyn Write,
}

impl Tags<'_> {
    fn put(&mut self, tag: &str, value: &str) -> io::Result<()> {
        writeln!(self.to, "{tag}: {value}")
    }

    fn may(&mut self, tag: &str, value: Option<&str>) -> io::Result<()> {
        value.map_or(Ok(()), |value| self.put(tag, value))
    }

    /// A value of several lines, or of words that would be read as something else.
    fn text(&mut self, tag: &str, value: &str) -> io::Result<()> {
        // What would end it is written so that it does not.
        self.put(tag, &format!("<text>{}</text>", value.replace("</text>", "</\u{200b}text>")))
    }

    fn section(&mut self) -> io::Result<()> {
        writeln!(self.to)
    }

    fn checksums(&mut self, tag: &str, all: &[Checksum]) -> io::Result<()> {
        all.iter().try_for_each(|one| self.put(tag, &format!("{}: {}", one.algorithm, one.checksum_value)))
    }

    fn package(&mut self, package: &Package) -> io::Result<()> {
        self.section()?;
        self.put("PackageName", &package.name)?;
        self.put("SPDXID", &package.id)?;
        self.may("PackageVersion", package.version_info.as_deref())?;
        self.may("PackageFileName", package.package_file_name.as_deref())?;
        self.put("PackageSupplier", &package.supplier)?;
        self.put("PackageDownloadLocation", &package.download_location)?;
        self.put("FilesAnalyzed", if package.files_analyzed { "true" } else { "false" })?;
        let code = package.package_verification_code.as_ref();
        self.may("PackageVerificationCode", code.map(|code| code.value.as_str()))?;
        self.checksums("PackageChecksum", &package.checksums)?;
        self.may("PackageHomePage", package.homepage.as_deref())?;
        if let Some(source) = &package.source_info {
            self.text("PackageSourceInfo", source)?;
        }
        self.put("PackageLicenseConcluded", package.license_concluded)?;
        for licence in &package.license_info_from_files {
            self.put("PackageLicenseInfoFromFiles", licence)?;
        }
        self.put("PackageLicenseDeclared", &package.license_declared)?;
        self.put("PackageCopyrightText", package.copyright_text)?;
        if let Some(summary) = &package.summary {
            self.text("PackageSummary", summary)?;
        }
        for reference in &package.external_refs {
            let words = format!(
                "{} {} {}",
                reference.reference_category, reference.reference_type, reference.reference_locator
            );
            self.put("ExternalRef", &words)?;
        }
        self.put("PrimaryPackagePurpose", package.primary_package_purpose)
    }

    fn file(&mut self, file: &File) -> io::Result<()> {
        self.section()?;
        self.put("FileName", &file.file_name)?;
        self.put("SPDXID", &file.id)?;
        self.checksums("FileChecksum", &file.checksums)?;
        self.put("LicenseConcluded", file.license_concluded)?;
        for licence in &file.license_info_in_files {
            self.put("LicenseInfoInFile", licence)?;
        }
        self.put("FileCopyrightText", file.copyright_text)
    }
}
