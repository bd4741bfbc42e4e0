//! The distroless base: which packages it is made of, and what is synthesised around them.

use std::collections::BTreeMap;

use model::plan::Addition;
use model::{Finding, TreePath};
use serde::Deserialize;

use crate::variant::Variant;

/// What every image stands on.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Base {
    /// Debian suite of an image without a language.
    pub suite: String,
    /// Debian packages.
    pub packages: Vec<String>,
    /// Links made before anything is unpacked.
    pub links: Vec<Link>,
    /// Directories with a mode or owner of their own.
    pub directories: Vec<Directory>,
    /// Numeric user the image runs as.
    pub user: u32,
    /// Text files, by path.
    pub files: BTreeMap<TreePath, String>,
    /// Environment of every image.
    pub environment: BTreeMap<String, String>,
    /// How the CA bundle is made.
    pub ca_bundle: CaBundle,
    /// Every variant there is, by name.
    #[serde(rename = "variant")]
    variants: BTreeMap<String, Variant>,
}

/// A symbolic link.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// Where.
    pub path: TreePath,
    /// Target as written.
    pub target: String,
}

/// A directory.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Directory {
    /// Where.
    pub path: TreePath,
    /// Permission bits.
    pub mode: u32,
    /// Owner.
    #[serde(default)]
    pub uid: u32,
    /// Group.
    #[serde(default)]
    pub gid: u32,
}

/// The CA bundle: every certificate of a directory in one file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaBundle {
    /// The file.
    pub path: TreePath,
    /// The directory of `.crt` files.
    pub from: TreePath,
}

impl From<&Link> for Addition {
    fn from(link: &Link) -> Self {
        Addition::Symlink { path: link.path.clone(), target: link.target.clone() }
    }
}

impl Base {
    /// The base as shipped.
    pub fn shipped() -> Result<Self, Finding> {
        crate::read("stdlib/base.toml", include_str!("../base.toml"))
    }

    /// Debian packages an image of a variant has besides, whatever its language; `None` if there is no such variant.
    pub fn variant(&self, name: &str) -> Option<&[String]> {
        self.variants.get(name).map(|variant| variant.packages.as_slice())
    }

    /// The links that merge `/usr`.
    pub fn merged_usr(&self) -> impl Iterator<Item = Addition> {
        self.links.iter().filter(|link| !link.path.as_bytes().contains(&b'/')).map(Addition::from)
    }

    /// Everything put into the base besides packages; `certificates` are PEM texts trusted in addition.
    pub fn additions(&self, certificates: &str) -> Vec<Addition> {
        let directories = self.directories.iter().map(|d| Addition::Dir {
            path: d.path.clone(),
            mode: d.mode,
            uid: d.uid,
            gid: d.gid,
        });
        let files = self.files.iter().map(|(path, text)| Addition::File {
            path: path.clone(),
            text: text.clone(),
            mode: 0o644,
        });
        let bundle = Addition::Concat {
            path: self.ca_bundle.path.clone(),
            from: self.ca_bundle.from.clone(),
            suffix: ".crt".into(),
            extra: certificates.into(),
        };
        self.links.iter().map(Addition::from).chain(directories).chain(files).chain([bundle]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_base_reads_and_names_its_user() {
        let base = Base::shipped().unwrap();
        let passwd = &base.files[&"etc/passwd".parse::<TreePath>().unwrap()];
        assert!(passwd.contains(&format!(":{}:{}:", base.user, base.user)));
        assert!(base.additions("").iter().any(|a| matches!(a, Addition::Concat { .. })));
    }

    #[test]
    fn prod_has_nothing_besides_and_the_other_variants_have_tools() {
        let base = Base::shipped().unwrap();
        assert_eq!(base.variant("prod"), Some([].as_slice()));
        assert!(base.variant("dev").unwrap().contains(&"strace".to_owned()));
        assert!(base.variant("builder").unwrap().contains(&"gcc".to_owned()));
        assert_eq!(base.variant("debug"), None);
    }

    #[test]
    fn no_variant_asks_for_what_fetches_or_installs_packages() {
        let base = Base::shipped().unwrap();
        for (name, variant) in &base.variants {
            for unwanted in ["curl", "wget", "git", "apt", "dpkg", "perl", "python3-pip"] {
                assert!(!variant.packages.iter().any(|package| package == unwanted), "{name}: {unwanted}");
            }
        }
    }
}
