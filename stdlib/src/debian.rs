//! What is known of Debian packages besides what they say themselves: dependencies an image does not need, and
//! maintainer scripts somebody read.

use std::collections::BTreeMap;

use include_dir::{Dir, include_dir};
use model::plan::{Addition, ScriptModel};
use model::{Digest, Finding};
use serde::Deserialize;

static SCRIPTS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/debian/scripts");

/// The reviewed list of dependencies that are left out of images.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Omissions {
    omit: Vec<Omit>,
}

/// One entry of the list.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Omit {
    /// Package that states the dependency; `*` is any.
    package: String,
    /// Name of the dependency's first alternative.
    dependency: String,
    /// Why an image does not need it.
    reason: String,
}

/// The maintainer scripts of one package, as shipped.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Scripts {
    script: Vec<Script>,
}

/// Scripts that were read and do the same, as far as an image is concerned.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Script {
    /// `preinst` or `postinst`. `prerm` and `postrm` never run: no package of an image is ever removed.
    name: String,
    /// Digests of the scripts this is about.
    sha256: Vec<Digest>,
    /// What they do, and why an image needs no more of it than `effects`.
    #[cfg_attr(not(test), expect(dead_code, reason = "for people; reading the file checks that it is there"))]
    reason: String,
    /// What an image needs of it.
    #[serde(default)]
    effects: Vec<Addition>,
}

/// The dependencies that are left out.
pub fn omissions() -> Result<Omissions, Finding> {
    crate::read("stdlib/debian/omit.toml", include_str!("../debian/omit.toml"))
}

impl Omissions {
    /// Why `package` does without a dependency whose first alternative is `dependency`; `None` if it does not.
    pub fn reason(&self, package: &str, dependency: &str) -> Option<&str> {
        let entry = self
            .omit
            .iter()
            .find(|omit| (omit.package == package || omit.package == "*") && omit.dependency == dependency);
        entry.map(|omit| omit.reason.as_str())
    }
}

/// The modelled maintainer scripts of a package, by name of the script; empty if it has none.
pub fn scripts(package: &str) -> Result<BTreeMap<String, Vec<ScriptModel>>, Finding> {
    let name = format!("{package}.toml");
    let Some(file) = SCRIPTS.get_file(&name) else { return Ok(BTreeMap::new()) };
    let scripts: Scripts =
        crate::read(&format!("stdlib/debian/scripts/{name}"), file.contents_utf8().unwrap_or_default())?;
    let mut models: BTreeMap<String, Vec<ScriptModel>> = BTreeMap::new();
    for script in scripts.script {
        let of_name = models.entry(script.name).or_default();
        of_name.extend(
            script.sha256.iter().map(|sha256| ScriptModel { sha256: *sha256, effects: script.effects.clone() }),
        );
    }
    models.values_mut().for_each(|models| models.sort_by_key(|model| model.sha256));
    Ok(models)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_leaves_out_what_only_scripts_need_and_nothing_else() {
        let omissions = omissions().unwrap();
        assert!(omissions.reason("base-files", "awk").is_some());
        assert!(omissions.reason("anything", "debconf").is_some());
        assert!(omissions.reason("anything", "awk").is_none());
        assert!(omissions.reason("anything", "libc6").is_none());
        assert!(omissions.omit.iter().all(|omit| omit.reason.len() > 20));
    }

    #[test]
    fn every_script_file_reads_and_no_script_is_modelled_twice() {
        let mut count = 0;
        for file in SCRIPTS.files() {
            let path = file.path().to_str().unwrap();
            let text = file.contents_utf8().unwrap();
            let read: Scripts = toml::from_str(text).unwrap_or_else(|e| panic!("{path}: {e}"));
            assert!(read.script.iter().all(|script| script.reason.len() > 20 && !script.sha256.is_empty()), "{path}");
            for (name, models) in scripts(path.strip_suffix(".toml").unwrap()).unwrap() {
                assert!(["preinst", "postinst"].contains(&name.as_str()), "{path}: {name}");
                assert!(models.windows(2).all(|pair| pair[0].sha256 < pair[1].sha256), "{path}: {name}");
                count += models.len();
            }
        }
        assert!(count > 50, "{count}");
    }

    #[test]
    fn a_package_without_scripts_has_no_model_and_an_effect_is_read() {
        assert!(scripts("no-such-package").unwrap().is_empty());
        assert!(scripts("../base").unwrap().is_empty());
        let effects: Vec<Addition> =
            scripts("libblas3").unwrap().into_values().flatten().flat_map(|model| model.effects).collect();
        assert!(effects.iter().any(|effect| matches!(effect, Addition::Symlink { .. })), "{effects:?}");
    }
}
