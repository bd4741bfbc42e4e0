//! Node: `yarn.lock` of yarn's first version; later ones are YAML.

use model::dependencies::Dependency;
use model::inventory::Ecosystem;

use super::npm::{is_folder, parts, real};
use super::{Contents, Read, fragment};

pub(super) fn lock(text: &str) -> Read {
    if !text.contains("# yarn lockfile v1") {
        return Err("it is no lock of yarn 1; those of later versions are not read".into());
    }
    let mut found: Vec<Dependency> = Vec::new();
    let (mut is_list, mut is_own) = (false, false);
    for line in text.lines() {
        let words = line.trim();
        if words.is_empty() || words.starts_with('#') {
            continue;
        }
        match (line.len() - line.trim_start().len(), found.last_mut()) {
            // `"@a/b@^1.0", "@a/b@^1.1":`
            (0, _) => {
                let first = words.trim_end_matches(':').split(',').next().unwrap_or_default().trim_matches('"');
                let (name, wanted) = parts(first);
                (is_list, is_own) = (false, is_folder(wanted));
                if !is_own {
                    found.push(Dependency::new(Ecosystem::Npm, real(name, wanted).0));
                }
            }
            _ if is_own => {}
            (2, Some(package)) => {
                let (key, value) = words.split_once(' ').unwrap_or((words, ""));
                is_list = key.ends_with("ependencies:");
                let value = value.trim_matches('"');
                match key {
                    "version" => package.version = Some(value.to_owned()),
                    "integrity" => package.digest = Some(value.to_owned()),
                    // In old locks the address ends with the digest; in newer ones another one follows it.
                    "resolved" => package.digest = fragment(value),
                    _ => {}
                }
            }
            (4, Some(package)) if is_list => {
                let (name, wanted) = words.split_once(' ').unwrap_or((words, ""));
                let (name, _) = real(name.trim_matches('"'), wanted.trim_matches('"'));
                package.requires.push(name.to_owned());
            }
            _ => {}
        }
    }
    Ok(Contents { direct_unknown: true, ..found.into_iter().collect() })
}
