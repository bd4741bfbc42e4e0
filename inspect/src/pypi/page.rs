use std::collections::{BTreeMap, BTreeSet};

use model::{Digest, Finding, codes};
use pep440_rs::Version;

use super::name::{FileKind, normalize};
use super::{html, json};

/// The largest page that is read, in bytes.
const LARGEST: usize = 64 << 20;
/// The most files one page may list.
pub(super) const MOST_FILES: usize = 200_000;

/// The page of a project: the files its index has (PEP 503 as HTML, PEP 691 as JSON).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// The files, in the order listed, each name once.
    pub files: Vec<PageFile>,
    /// Positions in [`Page::files`] by version.
    releases: BTreeMap<Version, Vec<usize>>,
}

/// One file of a project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageFile {
    /// File name.
    pub name: String,
    /// What the name says.
    pub kind: FileKind,
    /// Link as written, perhaps relative to the page, without its fragment.
    pub url: String,
    /// Digest of the file, if the index gives a SHA-256.
    pub sha256: Option<Digest>,
    /// The Python versions it is for (PEP 345), as written.
    pub requires_python: Option<String>,
    /// The reason if the file was yanked (PEP 592), perhaps empty.
    pub yanked: Option<String>,
    /// Whether the index serves the file's metadata beside it (PEP 658).
    pub metadata: Option<MetadataHash>,
    /// Size in bytes.
    pub size: Option<u64>,
}

/// The metadata file an index advertises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MetadataHash {
    /// Its digest, if given.
    pub sha256: Option<Digest>,
}

impl Page {
    /// Reads the page of the project `name`. `content_type` tells JSON from HTML; files that are not the project's are
    /// left out.
    ///
    /// # Errors
    /// `PYPI_BAD_INDEX` if it is no such page, is of a later major version or larger than any real page.
    pub fn parse(bytes: &[u8], content_type: &str, name: &str) -> Result<Self, Finding> {
        let bad = |cause: String| {
            Finding::error(codes::PYPI_BAD_INDEX, format!("the index's page of {name} cannot be read"))
                .because(cause)
                .help("Expected a simple index page as PEP 503 or PEP 691 describe it: `clnstrt-cli sources` shows which index is asked.")
        };
        if bytes.len() > LARGEST {
            return Err(bad(format!("it has {} bytes, more than the {LARGEST} accepted", bytes.len())));
        }
        let text = std::str::from_utf8(bytes).map_err(|e| bad(format!("it is not UTF-8: {e}")))?;
        let kind = content_type.split(';').next().unwrap_or_default().trim();
        let listed = if kind.ends_with("json") { json::files(text) } else { html::files(text) }.map_err(bad)?;
        let name = normalize(name);
        let mut seen = BTreeSet::new();
        let mut page = Page::default();
        for mut file in listed {
            file.kind = FileKind::of(&file.name, &name);
            if let Some(version) = file.kind.version()
                && seen.insert(file.name.clone())
            {
                page.releases.entry(version.clone()).or_default().push(page.files.len());
                page.files.push(file);
            }
        }
        Ok(page)
    }

    /// The versions, newest first, each with its files.
    pub fn releases(&self) -> impl Iterator<Item = (&Version, impl Iterator<Item = &PageFile>)> {
        self.releases.iter().rev().map(|(version, at)| (version, at.iter().filter_map(|at| self.files.get(*at))))
    }

    /// The files of one version.
    pub fn release(&self, version: &Version) -> impl Iterator<Item = &PageFile> {
        self.releases.get(version).into_iter().flatten().filter_map(|at| self.files.get(*at))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SHA: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn parse(text: &str, kind: &str) -> Result<Page, Finding> {
        Page::parse(text.as_bytes(), kind, "My_Pkg")
    }

    #[test]
    fn html_and_json_say_the_same() {
        let html = format!(
            "<!DOCTYPE html><html><head><meta name=\"pypi:repository-version\" content=\"1.1\"></head><body>
             <a href=\"../../files/my_pkg-1.0-py3-none-any.whl#sha256={SHA}\" data-requires-python=\"&gt;=3.8,&lt;4\"
                data-core-metadata=\"sha256={SHA}\">my_pkg-1.0-py3-none-any.whl</a><br/>
             <A HREF='my_pkg-1.1%2Bx-py3-none-any.whl?a=b&amp;c=d' data-yanked='broken &quot;build&quot;'
                data-dist-info-metadata=true>x</A>
             <a href=\"my-pkg-0.9.tar.gz#md5=00\">x</a> <a href=\"stranger-1.0-py3-none-any.whl\">x</a><a>y</a></body></html>"
        );
        let json = format!(
            r#"{{"meta": {{"api-version": "1.3"}}, "name": "my-pkg", "extra": [1], "files": [
              {{"filename": "my_pkg-1.0-py3-none-any.whl", "url": "../../files/my_pkg-1.0-py3-none-any.whl",
                "hashes": {{"sha256": "{SHA}"}}, "requires-python": ">=3.8,<4", "yanked": false, "core-metadata": {{"sha256": "{SHA}"}}}},
              {{"filename": "my_pkg-1.1+x-py3-none-any.whl", "url": "my_pkg-1.1%2Bx-py3-none-any.whl?a=b&c=d",
                "hashes": {{}}, "requires-python": null, "yanked": "broken \"build\"", "dist-info-metadata": true}},
              {{"filename": "my-pkg-0.9.tar.gz", "url": "my-pkg-0.9.tar.gz", "hashes": {{"md5": "00"}}, "core-metadata": false}},
              {{"filename": "stranger-1.0-py3-none-any.whl", "url": "x", "hashes": {{}}}}]}}"#
        );
        let page = parse(&html, "text/html; charset=UTF-8").unwrap();
        assert_eq!(page, parse(&json, "application/vnd.pypi.simple.v1+json").unwrap());
        let [first, second, third] = page.files.as_slice() else { panic!("{page:?}") };
        assert_eq!(first.sha256, Some(Digest::of(b"")));
        assert_eq!(first.requires_python.as_deref(), Some(">=3.8,<4"));
        assert_eq!(first.metadata, Some(MetadataHash { sha256: Some(Digest::of(b"")) }));
        assert_eq!(first.yanked, None);
        assert_eq!(second.name, "my_pkg-1.1+x-py3-none-any.whl");
        assert_eq!(second.url, "my_pkg-1.1%2Bx-py3-none-any.whl?a=b&c=d");
        assert_eq!(second.yanked.as_deref(), Some("broken \"build\""));
        assert_eq!(second.metadata, Some(MetadataHash { sha256: None }));
        assert_eq!((third.name.as_str(), third.sha256, third.metadata), ("my-pkg-0.9.tar.gz", None, None));
        let versions: Vec<String> = page.releases().map(|(version, _)| version.to_string()).collect();
        assert_eq!(versions, ["1.1+x", "1.0", "0.9"]);
    }

    #[test]
    fn json_has_sizes() {
        let json = r#"{"meta": {"api-version": "1.1"}, "files": [
            {"filename": "my_pkg-1.0-py3-none-any.whl", "url": "x", "hashes": {}, "size": 123, "yanked": true}]}"#;
        let page = parse(json, "application/json").unwrap();
        assert_eq!((page.files[0].size, page.files[0].yanked.as_deref()), (Some(123), Some("")));
    }

    #[test]
    fn a_name_counts_once_and_equal_versions_are_one_release() {
        let html = "<a href='my_pkg-1.0-py3-none-any.whl'>a</a><a href='x/my_pkg-1.0-py3-none-any.whl'>a</a><a href='my_pkg-1.0.0-py2-none-any.whl'>a</a>";
        let page = parse(html, "text/html").unwrap();
        let files: Vec<usize> = page.releases().map(|(_, files)| files.count()).collect();
        assert_eq!(files, [2]);
        assert_eq!(page.files[0].url, "my_pkg-1.0-py3-none-any.whl");
    }

    #[test]
    fn what_is_no_page_is_a_finding() {
        for (text, kind, cause) in [
            ("<meta name='pypi:repository-version' content='2.0'>", "text/html", "version 2.0"),
            ("{\"meta\": {\"api-version\": \"2.0\"}, \"files\": []}", "application/json", "version 2.0"),
            ("{\"files\": 1}", "application/json", "invalid type"),
            ("[[[[", "application/json", "invalid type"),
            ("502 bad gateway", "text/html", "no HTML"),
        ] {
            let finding = parse(text, kind).unwrap_err();
            assert_eq!(finding.code, codes::PYPI_BAD_INDEX);
            assert!(finding.causes[0].contains(cause), "{finding:?}");
        }
        let finding = Page::parse(b"\xff", "text/html", "a").unwrap_err();
        assert!(finding.causes[0].contains("UTF-8"), "{finding:?}");
        let nested = "[".repeat(1_000_000);
        assert!(parse(&format!("{{\"x\": {nested}"), "application/json").is_err());
    }

    proptest! {
        #[test]
        fn no_page_makes_it_panic(
            text in "(<a href=|<meta name=\"pypi:repository-version\" content=|\"|'|>|&#x?[0-9a-f]{0,9};?|&[a-z]{0,4};?|#sha256=|%[0-9a-f]{0,2}|data-yanked|<!--|</a>|<script>|\\PC{0,5}){0,30}",
            json in "(\\{|\\}|\\[|\\]|\"|:|,|files|filename|hashes|sha256|yanked|true|null|\\PC{0,3}){0,30}",
        ) {
            let _ = Page::parse(text.as_bytes(), "text/html", "a");
            let _ = Page::parse(json.as_bytes(), "application/json", "a");
        }
    }
}
