//! Ruby gems: the specifications that RubyGems writes when it installs one, which are Ruby of a fixed form.

use model::TreePath;
use model::inventory::{Ecosystem, Found};

use super::{Told, file_name, parent, said};

pub(super) fn is_specification(path: &[u8]) -> bool {
    if !file_name(path).ends_with(b".gemspec") {
        return false;
    }
    // `specifications/default` holds those that come with the interpreter.
    parent(path).is_some_and(|(directory, above)| {
        directory == b"specifications" || directory == b"default" && file_name(above) == b"specifications"
    })
}

pub(super) fn specification(path: &TreePath, text: &[u8]) -> Told {
    let Ok(text) = std::str::from_utf8(text) else { return Told::unread("it is not UTF-8") };
    let mut found = Found::new(Ecosystem::Gem, "", path);
    for line in text.lines().map(str::trim) {
        if let Some(needed) = line.strip_prefix("s.add_runtime_dependency(").or(line.strip_prefix("s.add_dependency("))
        {
            let words = words(needed);
            found
                .requires
                .extend(words.split_first().map(|(name, versions)| format!("{name} {}", versions.join(", "))));
            continue;
        }
        let Some((field, value)) = line.strip_prefix("s.").and_then(|line| line.split_once('=')) else { continue };
        let words = words(value);
        let first = words.first().and_then(|word| said(word));
        match field.trim() {
            "name" => found.name = first.unwrap_or_default(),
            "version" => found.version = first,
            "platform" => found.architecture = first,
            "licenses" => found.licence = Some(words.join(" OR ")).filter(|text| !text.is_empty()),
            "authors" => found.supplier = said(&words.join(", ")),
            "homepage" => found.homepage = first,
            "summary" => found.description = first,
            _ => {}
        }
    }
    if found.name.is_empty() { Told::unread("it names no gem") } else { Told::one(found) }
}

/// The texts in quotes of a line of Ruby: `"a".freeze` and `%q<a>.freeze`.
fn words(ruby: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = ruby;
    while let Some(at) = rest.find(['"', '%']) {
        let Some(start) = rest.get(at..) else { break };
        let (from, end) = match start.strip_prefix("%q<") {
            Some(from) => (from, '>'),
            None => (start.get(1..).unwrap_or_default(), '"'),
        };
        if start.starts_with('%') && end == '"' {
            rest = from;
            continue;
        }
        let (mut word, mut escaped, mut ended) = (String::new(), false, None);
        for (at, c) in from.char_indices() {
            match c {
                '\\' if !escaped => escaped = true,
                c if c == end && !escaped => {
                    ended = Some(at + 1);
                    break;
                }
                c => {
                    word.push(c);
                    escaped = false;
                }
            }
        }
        let Some(ended) = ended else { break };
        words.push(word);
        rest = from.get(ended..).unwrap_or_default();
    }
    words
}
