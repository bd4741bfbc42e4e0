//! Ruby: `Gemfile.lock`, as Bundler writes it.

use std::collections::{BTreeMap, BTreeSet};

use model::dependencies::Dependency;
use model::inventory::Ecosystem;

use super::{Contents, Read, is_commit, quoted};

/// The sections that list gems.
const SOURCES: [&str; 3] = ["GEM", "GIT", "PLUGIN SOURCE"];

pub(super) fn lock(text: &str) -> Read {
    let mut gems: BTreeMap<(String, String), Dependency> = BTreeMap::new();
    let mut direct = BTreeSet::new();
    let mut unread = Vec::new();
    let (mut section, mut commit, mut current) = ("", None, None);
    for line in text.lines() {
        let words = line.trim_start();
        if words.is_empty() {
            continue;
        }
        match line.len() - words.len() {
            0 => (section, commit) = (words, None),
            2 if section != "GEM" && words.starts_with("revision: ") => {
                commit = words.strip_prefix("revision: ").filter(|revision| is_commit(revision));
            }
            2 if section == "DEPENDENCIES" => {
                direct.insert(words.split([' ', '!']).next().unwrap_or_default().to_owned());
            }
            2 if section == "CHECKSUMS" => {
                let Some((key, rest)) = named(words) else { continue };
                if let (Some(gem), false) = (gems.get_mut(&key), rest.is_empty()) {
                    gem.digest = Some(rest.to_owned());
                }
            }
            4 if SOURCES.contains(&section) => {
                current = None;
                let Some((key, _)) = named(words) else {
                    unread.push(format!("{} names no gem", quoted(words)));
                    continue;
                };
                let (name, version) = key.clone();
                let digest = commit.map(str::to_owned);
                let gem = Dependency { version: Some(version), digest, ..Dependency::new(Ecosystem::Gem, name) };
                gems.insert(key.clone(), gem);
                current = Some(key);
            }
            6 if SOURCES.contains(&section) => {
                if let Some(gem) = current.as_ref().and_then(|key| gems.get_mut(key)) {
                    gem.requires.push(words.split(' ').next().unwrap_or_default().to_owned());
                }
            }
            _ => {}
        }
    }
    let gems = gems.into_values().map(|gem| Dependency { direct: direct.contains(&gem.name), ..gem });
    Ok(Contents { unread, ..gems.collect() })
}

/// `name (version) rest`
fn named(words: &str) -> Option<((String, String), &str)> {
    let (name, rest) = words.split_once(" (")?;
    let (version, rest) = rest.split_once(')')?;
    Some(((name.to_owned(), version.to_owned()), rest.trim()))
}
