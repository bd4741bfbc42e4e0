//! Ruby: `Gemfile.lock`, as Bundler writes it.

use std::collections::{BTreeMap, BTreeSet};

use model::dependencies::Dependency;
use model::inventory::Ecosystem;

use super::Read;

pub(super) fn lock(text: &str) -> Read {
    let mut gems: BTreeMap<(String, String), Dependency> = BTreeMap::new();
    let mut direct = BTreeSet::new();
    let (mut section, mut current) = ("", None);
    for line in text.lines() {
        let words = line.trim_start();
        if words.is_empty() {
            continue;
        }
        match line.len() - words.len() {
            0 => section = words,
            2 if section == "DEPENDENCIES" => {
                direct.insert(words.split([' ', '!']).next().unwrap_or_default().to_owned());
            }
            2 if section == "CHECKSUMS" => {
                let Some((key, rest)) = named(words) else { continue };
                if let (Some(gem), false) = (gems.get_mut(&key), rest.is_empty()) {
                    gem.digest = Some(rest.to_owned());
                }
            }
            4 if ["GEM", "GIT"].contains(&section) => {
                let Some(((name, version), _)) = named(words) else {
                    return Err(format!("the line `{}` names no gem", words.escape_debug()));
                };
                let key = (name.clone(), version.clone());
                gems.insert(
                    key.clone(),
                    Dependency { version: Some(version), ..Dependency::new(Ecosystem::Gem, name) },
                );
                current = Some(key);
            }
            6 if ["GEM", "GIT"].contains(&section) => {
                if let Some(gem) = current.as_ref().and_then(|key| gems.get_mut(key)) {
                    gem.requires.push(words.split(' ').next().unwrap_or_default().to_owned());
                }
            }
            _ => {}
        }
    }
    let gems = gems.into_values().map(|gem| Dependency { direct: direct.contains(&gem.name), ..gem });
    Ok(gems.collect())
}

/// `name (version) rest`
fn named(words: &str) -> Option<((String, String), &str)> {
    let (name, rest) = words.split_once(" (")?;
    let (version, rest) = rest.split_once(')')?;
    Some(((name.to_owned(), version.to_owned()), rest.trim()))
}
