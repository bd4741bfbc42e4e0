//! What is compiled from source: releases of upstream projects with what vouches for them, and how each is built.

use std::collections::BTreeMap;

use include_dir::{Dir, include_dir};
use model::lock::{Kept, Proof};
use model::{Digest, Finding};
use serde::Deserialize;

static SOURCES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/sources");

/// A project that is compiled from source.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Project {
    /// Its name here; recipes name each other by it.
    pub name: String,
    /// SPDX expression of what its code is under.
    pub licence: String,
    /// Part, vendor and product, as the dictionary of CPE names calls it (CPE 2.3): `a:python:python`.
    pub cpe: String,
    /// Its releases; of those for one suite the newest first.
    #[serde(rename = "release")]
    pub releases: Vec<Release>,
    /// How it is built.
    pub recipe: Recipe,
}

/// One release.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Release {
    /// Upstream's version.
    pub version: String,
    /// Debian suite whose compiler builds it and whose libraries it is linked with.
    pub suite: String,
    /// The archive of the source.
    pub source: File,
    /// Why the archive is believed.
    pub vouched: Vouched,
}

/// A file, and where its bytes can be had.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// Its name, as whoever made it calls it.
    pub file: String,
    /// Digest of its bytes.
    pub sha256: Digest,
    /// Size in bytes.
    pub size: u64,
    /// Where the project itself has it; `None` if these bytes are Debian's.
    pub url: Option<String>,
    /// Paths below the root of a Debian archive that have the same bytes.
    #[serde(default)]
    pub debian: Vec<String>,
}

/// A signed document that names the bytes of an archive, or signs them.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "by", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Vouched {
    /// Upstream's detached signature of the archive.
    Signature {
        /// The signature, armored.
        document: File,
        /// Fingerprint of the primary key it must be made by or under, in lower-case hexadecimal digits.
        key: String,
    },
    /// The signed description of a Debian source package that the archive is part of.
    Dsc {
        /// Name of the source package.
        package: String,
        /// Its version.
        version: String,
        /// The description.
        document: File,
        /// Fingerprint of the primary key of the developer who signed it, in lower-case hexadecimal digits.
        key: String,
    },
}

/// How a project is compiled: in a root of the toolchain's packages and the results of what it needs, with its source
/// unpacked (without the archive's top folder) at `/build/NAME`, the scripts in `/recipe`, and no network.
///
/// The result lies below `$OUT`: `image/` is for images, `dev/` is what compiling against it needs besides, `debug/` is
/// its debugging information.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// Projects whose results, `image/` and `dev/`, are in the root.
    pub needs: Vec<String>,
    /// Scripts, as paths below `stdlib/sources`; `/recipe` has each under its last component.
    pub scripts: Vec<String>,
    /// Every variable the scripts read, besides those every build has.
    pub environment: Vec<String>,
    /// Argument vectors, run one after the other in the source tree until one fails.
    pub commands: Vec<Vec<String>>,
    /// What depends on the suite, by suite.
    #[serde(rename = "suite")]
    pub suites: BTreeMap<String, Suite>,
}

/// A recipe's Debian packages in one suite.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Suite {
    /// Packages the root has besides the toolchain's.
    pub toolchain: Vec<String>,
    /// Packages an image with the result needs.
    pub runtime: Vec<String>,
    /// Packages an image with the result does without, since the result has all of theirs that others need.
    pub replaces: Vec<String>,
}

impl Vouched {
    /// The signed document, and the fingerprint of the key that must have signed it.
    pub fn parts(&self) -> (&File, &str) {
        match self {
            Self::Signature { document, key } | Self::Dsc { document, key, .. } => (document, key),
        }
    }
}

impl Release {
    /// What a lock says vouches for it.
    pub fn proof(&self) -> Proof {
        let (document, key) = self.vouched.parts();
        let (kept, signed_by) = (Kept { digest: document.sha256, size: document.size }, key.to_owned());
        match &self.vouched {
            Vouched::Signature { .. } => Proof::VerifiedBySignature { signature: kept, signed_by },
            Vouched::Dsc { package, .. } => Proof::VerifiedByDsc { package: package.clone(), dsc: kept, signed_by },
        }
    }

    /// The version it counts as where Debian's packages ask for one: Debian may write it in another way.
    pub fn debian_version(&self) -> &str {
        match &self.vouched {
            Vouched::Signature { .. } => &self.version,
            Vouched::Dsc { version, .. } => version.rsplit_once('-').map_or(version, |(upstream, _)| upstream),
        }
    }
}

/// The file of these bytes, if a release has it: its source, or what vouches for it.
///
/// # Errors
/// `STDLIB_UNREADABLE`.
pub fn file(sha256: &Digest) -> Result<Option<File>, Finding> {
    for project in projects().into_iter().filter_map(project) {
        for release in project?.releases {
            let (document, _) = release.vouched.parts();
            if let Some(file) = [&release.source, document].into_iter().find(|file| file.sha256 == *sha256) {
                return Ok(Some(file.clone()));
            }
        }
    }
    Ok(None)
}

/// A project as shipped; `None` if there is none of that name.
pub fn project(name: &str) -> Option<Result<Project, Finding>> {
    let path = format!("{name}/source.toml");
    let text = SOURCES.get_file(&path)?.contents_utf8().unwrap_or_default();
    Some(crate::read(&format!("stdlib/sources/{path}"), text))
}

/// A script a recipe names.
pub fn script(path: &str) -> Option<&'static str> {
    SOURCES.get_file(path)?.contents_utf8()
}

/// The names of all projects, sorted.
pub fn projects() -> Vec<&'static str> {
    let with_catalogue = |dir: &&Dir<'_>| dir.get_file(dir.path().join("source.toml")).is_some();
    let mut names: Vec<&str> = SOURCES.dirs().filter(with_catalogue).filter_map(|dir| dir.path().to_str()).collect();
    names.sort_unstable();
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::toolchain::Toolchains;

    fn all() -> Vec<Project> {
        projects().into_iter().map(|name| project(name).unwrap().unwrap()).collect()
    }

    #[test]
    fn the_projects_are_those_there_is_a_folder_of_and_each_is_called_like_it() {
        assert_eq!(projects(), ["cpython", "go", "openssl", "zlib"]);
        assert!(projects().iter().all(|name| project(name).unwrap().unwrap().name == *name));
        assert!(project("shared").is_none() && project("no-such-project").is_none());
    }

    #[test]
    fn every_need_is_a_project_built_for_the_same_suites_and_needs_go_round_nowhere() {
        fn depth(project: &Project, all: &[Project], seen: usize) -> usize {
            assert!(seen < all.len(), "{} needs itself", project.name);
            let needed = project.recipe.needs.iter().map(|need| {
                let need = all.iter().find(|other| other.name == *need).unwrap();
                assert!(project.recipe.suites.keys().all(|suite| need.recipe.suites.contains_key(suite)));
                depth(need, all, seen + 1)
            });
            needed.max().unwrap_or(0) + 1
        }
        let all = all();
        assert_eq!(all.iter().map(|project| depth(project, &all, 0)).max(), Some(2));
    }

    #[test]
    fn every_release_is_built_on_a_suite_its_recipe_and_the_toolchains_know() {
        let toolchains = Toolchains::shipped().unwrap();
        for project in all() {
            for release in &project.releases {
                assert!(project.recipe.suites.contains_key(&release.suite), "{} {}", project.name, release.version);
                assert!(toolchains.suites.contains(&release.suite), "{} {}", project.name, release.version);
            }
            for suite in project.recipe.suites.keys() {
                assert!(project.releases.iter().any(|release| release.suite == *suite), "{}: {suite}", project.name);
            }
        }
    }

    #[test]
    fn every_release_is_signed_upstream_or_by_debian_with_a_key_that_is_named() {
        for project in all() {
            for release in &project.releases {
                let about = format!("{} {}", project.name, release.version);
                let (document, key) = release.vouched.parts();
                assert!(key.len() == 40 && key.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')), "{about}");
                match &release.vouched {
                    Vouched::Signature { .. } => {
                        assert_eq!(document.file, format!("{}.asc", release.source.file), "{about}");
                        // What upstream signed, upstream has.
                        assert!(release.source.url.is_some() && document.url.is_some(), "{about}");
                    }
                    Vouched::Dsc { package, version, .. } => {
                        let without_epoch = version.rsplit(':').next().unwrap();
                        assert_eq!(document.file, format!("{package}_{without_epoch}.dsc"), "{about}");
                        assert!(document.url.is_none(), "{about}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_file_can_be_had_somewhere_and_its_places_are_where_such_files_are() {
        for project in all() {
            for release in &project.releases {
                for file in [&release.source, release.vouched.parts().0] {
                    assert!(file.size > 0 && !file.debian.is_empty(), "{}", file.file);
                    assert!(file.debian.iter().all(|path| path.starts_with("pool/")), "{}", file.file);
                    assert!(file.debian.iter().all(|path| !path.contains("..")), "{}", file.file);
                    let url = file.url.as_deref();
                    assert!(url.is_none_or(|url| url.starts_with("https://") && url.ends_with(&file.file)), "{url:?}");
                }
            }
        }
    }

    #[test]
    fn a_recipe_names_scripts_there_are_and_every_variable_they_read() {
        for Project { name, recipe, .. } in all() {
            let texts: Vec<&str> = recipe.scripts.iter().map(|path| script(path).unwrap()).collect();
            let read = |variable: &str| {
                let plain = format!("${variable}");
                texts.iter().any(|text| {
                    text.contains(&format!("${{{variable}}}"))
                        || text.match_indices(&plain).any(|(at, _)| {
                            !text[at + plain.len()..].starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
                        })
                })
            };
            for variable in KNOWN {
                let named = recipe.environment.iter().any(|known| known == variable);
                assert_eq!(named, read(variable), "{name}: {variable}");
            }
            assert!(recipe.environment.iter().all(|variable| KNOWN.contains(&variable.as_str())), "{name}");
            for command in &recipe.commands {
                let [shell, flags, path] = command.as_slice() else { panic!("{name}: {command:?}") };
                assert_eq!((shell.as_str(), flags.as_str()), ("sh", "-eu"), "{name}");
                let file = path.strip_prefix("/recipe/").unwrap();
                assert!(recipe.scripts.iter().any(|script| script.rsplit('/').next() == Some(file)), "{name}: {file}");
            }
        }
    }

    /// The variables a recipe may read.
    const KNOWN: [&str; 10] =
        ["ARCH", "CFLAGS", "CPPFLAGS", "CXXFLAGS", "FIPS", "LDFLAGS", "LINE", "OUT", "STRIP", "TRIPLET"];

    #[test]
    fn no_root_of_a_recipe_has_what_fetches_or_installs_and_none_has_what_the_recipe_replaces() {
        let toolchains = Toolchains::shipped().unwrap();
        for Project { name, recipe, .. } in all() {
            for (suite, packages) in &recipe.suites {
                assert!(packages.toolchain.iter().all(|package| !crate::toolchain::fetches(package)), "{name}");
                assert!(packages.toolchain.iter().all(|package| !toolchains.has(package)), "{name}: twice");
                assert!(packages.runtime.iter().all(|package| !packages.replaces.contains(package)), "{name}");
                for list in [&packages.toolchain, &packages.runtime, &packages.replaces] {
                    assert!(list.windows(2).all(|pair| pair[0] < pair[1]), "{name} {suite}: {list:?}");
                }
            }
        }
    }

    #[test]
    fn a_catalogue_with_an_unknown_field_or_a_signature_without_a_key_is_refused() {
        let text = SOURCES.get_file("openssl/source.toml").unwrap().contents_utf8().unwrap();
        assert!(toml::from_str::<Project>(text).is_ok());
        let mistakes = [("licence =", "license ="), ("by = \"signature\"", "by = \"word\""), ("\nkey =", "\nyek =")];
        for (from, to) in mistakes {
            let changed = text.replacen(from, to, 1);
            assert_ne!(changed, text);
            assert!(toml::from_str::<Project>(&changed).is_err(), "{from}");
        }
    }
}
