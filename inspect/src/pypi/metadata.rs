use model::{Finding, codes};

/// The largest document that is read, in bytes.
const LARGEST: usize = 16 << 20;
/// The most requirements one package may have.
const MOST_REQUIREMENTS: usize = 5_000;
/// A `License` field longer than this is the licence's text, not its name.
const LICENSE_NAME: usize = 120;

/// The fields that are read.
const FIELDS: [&str; 15] = [
    "Metadata-Version",
    "Name",
    "Version",
    "Requires-Dist",
    "Requires-Python",
    "Provides-Extra",
    "License-Expression",
    "License",
    "Classifier",
    "Summary",
    "Home-page",
    "Author",
    "Author-email",
    "Maintainer",
    "Maintainer-email",
];

/// Core metadata: what a wheel's METADATA says (Metadata 1.0 to 2.4), as far as resolution and the lock need it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CoreMetadata {
    /// Project name as written.
    pub name: String,
    /// Version as written.
    pub version: String,
    /// Requirements as written, in order.
    pub requires_dist: Vec<String>,
    /// The Python versions it is for, as written.
    pub requires_python: Option<String>,
    /// Extras as written, in order.
    pub provides_extra: Vec<String>,
    /// `License-Expression`, else a short `License`, else the licence classifiers.
    pub license: Option<String>,
    /// `Author` or `Maintainer`, else their addresses.
    pub author: Option<String>,
    /// `Home-page`.
    pub home_page: Option<String>,
    /// `Summary`.
    pub summary: Option<String>,
}

impl CoreMetadata {
    /// Reads the headers; the description after them is not looked at.
    ///
    /// # Errors
    /// `PYPI_BAD_METADATA` if it is no such document, is of a later major version or larger than any real one.
    pub fn parse(bytes: &[u8]) -> Result<Self, Finding> {
        let bad = |cause: String| {
            Finding::error(codes::PYPI_BAD_METADATA, "the metadata of a package cannot be read")
                .because(cause)
                .help("The file is broken on its index: choose another version, and tell the package's authors.")
        };
        if bytes.len() > LARGEST {
            return Err(bad(format!("it has {} bytes, more than the {LARGEST} accepted", bytes.len())));
        }
        let headers = headers(bytes);
        let all = |name: &str| -> Vec<String> {
            headers.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.clone()).collect()
        };
        let one = |name: &str| match <[String; 1]>::try_from(all(name)) {
            Ok([value]) => Ok(value),
            Err(values) => Err(bad(format!("expected one field {name}, found {}", values.len()))),
        };
        let version = one("Metadata-Version")?;
        if !matches!(version.split('.').next(), Some("1" | "2")) {
            return Err(bad(format!("it is of version {version}, and 2 is the latest known")));
        }
        let requires_dist = all("Requires-Dist");
        if requires_dist.len() > MOST_REQUIREMENTS {
            return Err(bad(format!(
                "it has {} requirements, more than the {MOST_REQUIREMENTS} accepted",
                requires_dist.len()
            )));
        }
        let first = |name: &str| all(name).into_iter().find(|value| !value.is_empty());
        Ok(Self {
            author: ["Author", "Maintainer", "Author-email", "Maintainer-email"].into_iter().find_map(first),
            home_page: first("Home-page"),
            summary: first("Summary"),
            name: one("Name")?,
            version: one("Version")?,
            requires_dist,
            requires_python: all("Requires-Python").into_iter().next(),
            provides_extra: all("Provides-Extra"),
            license: license(all("License-Expression"), all("License"), &all("Classifier")),
        })
    }
}

/// Names and values up to the first empty line; a line that starts with a space or tab continues the one before.
fn headers(bytes: &[u8]) -> Vec<(String, String)> {
    let mut headers: Vec<(String, String)> = Vec::new();
    for line in bytes.split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            break;
        }
        let line = String::from_utf8_lossy(line);
        if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = headers.last_mut().filter(|(name, _)| !name.is_empty()) {
                value.push('\n');
                value.push_str(line.trim());
            }
        } else if let Some((name, value)) = line.split_once(':') {
            let known = FIELDS.iter().find(|field| field.eq_ignore_ascii_case(name.trim()));
            // Fields that say nothing here are not kept; the empty name takes what continues them.
            match known {
                Some(_) => headers.push((name.trim().to_owned(), value.trim().to_owned())),
                None if headers.last().is_some_and(|(name, _)| name.is_empty()) => {}
                None => headers.push((String::new(), String::new())),
            }
        }
    }
    headers
}

fn license(expression: Vec<String>, license: Vec<String>, classifiers: &[String]) -> Option<String> {
    let named = |text: &String| {
        !text.is_empty() && text.len() <= LICENSE_NAME && !text.contains('\n') && !text.eq_ignore_ascii_case("unknown")
    };
    let written = expression.into_iter().find(named).or_else(|| license.into_iter().find(named));
    written.or_else(|| {
        let licenses = classifiers.iter().filter_map(|classifier| classifier.strip_prefix("License ::"));
        let names: Vec<&str> = licenses.filter_map(|path| path.rsplit("::").next()).map(str::trim).collect();
        (!names.is_empty()).then(|| names.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> Result<CoreMetadata, Finding> {
        CoreMetadata::parse(text.as_bytes())
    }

    #[test]
    fn every_field_is_read_and_the_description_is_not() {
        let metadata = parse(
            "Metadata-Version: 2.1\r\nName: My_Pkg\r\nVersion: 1.0\r\nRequires-Dist: a>=1\r\nrequires-dist: b ;\r\n  extra == 'x'\r\n\
             Provides-Extra: x\r\nRequires-Python: >=3.8\r\nDescription-Content-Type: text/plain\r\n\r\nRequires-Dist: not-a-field\r\n",
        );
        let expected = CoreMetadata {
            name: "My_Pkg".into(),
            version: "1.0".into(),
            requires_dist: vec!["a>=1".into(), "b ;\nextra == 'x'".into()],
            requires_python: Some(">=3.8".into()),
            provides_extra: vec!["x".into()],
            license: None,
            author: None,
            home_page: None,
            summary: None,
        };
        assert_eq!(metadata, Ok(expected));
    }

    #[test]
    fn the_licence_is_the_best_there_is() {
        let license =
            |rest: &str| parse(&format!("Metadata-Version: 2.4\nName: a\nVersion: 1\n{rest}\n")).unwrap().license;
        let classifiers = "Classifier: License :: OSI Approved :: MIT License\nClassifier: Topic :: X";
        assert_eq!(
            license(&format!("License-Expression: MIT OR Apache-2.0\nLicense: x\n{classifiers}")).as_deref(),
            Some("MIT OR Apache-2.0")
        );
        assert_eq!(license(&format!("License: BSD\n{classifiers}")).as_deref(), Some("BSD"));
        assert_eq!(license(&format!("License: UNKNOWN\n{classifiers}")).as_deref(), Some("MIT License"));
        assert_eq!(license(&format!("License: Copyright\n  all of it\n{classifiers}")).as_deref(), Some("MIT License"));
        assert_eq!(license("Classifier: Topic :: X"), None);
    }

    #[test]
    fn what_is_no_metadata_is_a_finding() {
        for (text, cause) in [
            ("<html>", "expected one field Metadata-Version, found 0"),
            ("Metadata-Version: 3.0\nName: a\nVersion: 1", "version 3.0"),
            ("Metadata-Version: 2.1\nName: a\nName: b\nVersion: 1", "expected one field Name, found 2"),
            ("Metadata-Version: 2.1\nName: a\n\nVersion: 1", "expected one field Version, found 0"),
        ] {
            let finding = parse(text).unwrap_err();
            assert_eq!(finding.code, codes::PYPI_BAD_METADATA);
            assert!(finding.causes[0].contains(cause), "{finding:?}");
        }
        let many = "Requires-Dist: a\n".repeat(MOST_REQUIREMENTS + 1);
        assert!(parse(&format!("Metadata-Version: 2.1\nName: a\nVersion: 1\n{many}")).is_err());
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), text in "(Name|Version|License|: ?|\\n|\\r|[ \t]|\\PC){0,40}") {
            let _ = CoreMetadata::parse(&bytes);
            let _ = CoreMetadata::parse(format!("Metadata-Version: 2.1\nName: a\nVersion: 1\n{text}").as_bytes());
        }
    }
}
