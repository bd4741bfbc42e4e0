//! Node: `yarn.lock` of yarn's first version; later ones are YAML.

use model::dependencies::Dependency;
use model::inventory::Ecosystem;

use super::Read;

pub(super) fn lock(text: &str) -> Read {
    if !text.contains("# yarn lockfile v1") {
        return Err("it is no lock of yarn 1; those of later versions are not read".into());
    }
    let mut found: Vec<Dependency> = Vec::new();
    let mut is_list = false;
    for line in text.lines() {
        let words = line.trim();
        if words.is_empty() || words.starts_with('#') {
            continue;
        }
        match (line.len() - line.trim_start().len(), found.last_mut()) {
            // `"@a/b@^1.0", "@a/b@^1.1":`
            (0, _) => {
                let first = words.trim_end_matches(':').split(',').next().unwrap_or_default().trim_matches('"');
                let name = first.rsplit_once('@').map_or(first, |(name, _)| name);
                found.push(Dependency::new(Ecosystem::Npm, name));
                is_list = false;
            }
            (2, Some(package)) => {
                let (key, value) = words.split_once(' ').unwrap_or((words, ""));
                is_list = key.ends_with("ependencies:");
                match key {
                    "version" => package.version = Some(value.trim_matches('"').to_owned()),
                    "integrity" => package.digest = Some(value.trim_matches('"').to_owned()),
                    _ => {}
                }
            }
            (4, Some(package)) if is_list => {
                package.requires.push(words.split(' ').next().unwrap_or_default().trim_matches('"').to_owned());
            }
            _ => {}
        }
    }
    Ok(found)
}
