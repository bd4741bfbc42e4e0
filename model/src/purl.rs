//! Package URLs (ECMA-427) of packages found in images.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::inventory::{Ecosystem, Found};

impl Found {
    /// Its package URL, in an image of some distribution.
    pub fn purl(&self, distribution: &BTreeMap<String, String>) -> String {
        let mut purl = format!("pkg:{}/", self.ecosystem.name());
        let vendor = distribution.get("ID").filter(|_| self.ecosystem == Ecosystem::Deb);
        for part in self.namespace.iter().chain(vendor).flat_map(|namespace| namespace.split('/')) {
            purl.push_str(&encoded(part));
            purl.push('/');
        }
        purl.push_str(&encoded(&self.name));
        if let Some(version) = &self.version {
            let _ = write!(purl, "@{}", encoded(version));
        }
        if let Some(architecture) = self.architecture.as_deref().filter(|_| self.ecosystem == Ecosystem::Deb) {
            let _ = write!(purl, "?arch={}", encoded(architecture));
        }
        purl
    }
}

/// Percent-encodes as the specification asks: all but letters, digits, `.`, `-`, `_`, `~` and `:`.
fn encoded(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b".-_~:".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use crate::TreePath;

    use super::*;

    #[test]
    fn scopes_groups_and_signs_are_encoded() {
        let purl = |ecosystem, namespace: Option<&str>, name: &str, version: Option<&str>| {
            let mut found = Found::new(ecosystem, name, &TreePath::new("x").unwrap());
            (found.namespace, found.version) = (namespace.map(str::to_owned), version.map(str::to_owned));
            found.purl(&BTreeMap::from([("ID".to_owned(), "debian".to_owned())]))
        };
        assert_eq!(purl(Ecosystem::Deb, None, "libstdc++6", Some("1:2+b1")), "pkg:deb/debian/libstdc%2B%2B6@1:2%2Bb1");
        assert_eq!(purl(Ecosystem::Npm, Some("@s"), "a", Some("1")), "pkg:npm/%40s/a@1");
        assert_eq!(purl(Ecosystem::Golang, Some("g.org/a"), "b", None), "pkg:golang/g.org/a/b");
    }
}
