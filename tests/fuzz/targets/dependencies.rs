//! Manifests and lock files of source trees, and statements: whatever is in them, they are read or said to be unreadable.

#![no_main]

use std::collections::BTreeMap;

use libfuzzer_sys::fuzz_target;

const NAMES: [&str; 16] = [
    "Pipfile",
    "setup.cfg",
    "Cargo.toml",
    "Cargo.lock",
    "Gemfile.lock",
    "go.mod",
    "go.sum",
    "package.json",
    "package-lock.json",
    "pom.xml",
    "yarn.lock",
    "pyproject.toml",
    "Pipfile.lock",
    "uv.lock",
    "requirements.txt",
    "pylock.toml",
];

fuzz_target!(|input: (u8, &[u8])| {
    let (kind, text) = input;
    let name = NAMES[usize::from(kind) % NAMES.len()];
    let found = inspect::dependencies::analyse(&BTreeMap::from([(name.to_owned(), text.to_vec())]));
    assert_eq!(found.manifests.len(), 1);
    if let Ok(document) = serde_json::from_slice(text) {
        inspect::statement::check(&document);
    }
});
