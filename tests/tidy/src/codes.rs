//! Finding codes: each is explained, listed in the book, and used.

use std::collections::BTreeMap;

use crate::File;

/// What is wrong with the pages of the codes, given as id and title.
pub fn page_problems(codes: &[(&str, &str)], files: &[File]) -> Vec<String> {
    let pages: BTreeMap<&str, &[u8]> = files
        .iter()
        .filter_map(|(path, bytes)| {
            Some((path.strip_prefix("docs/src/codes/")?.strip_suffix(".md")?, bytes.as_slice()))
        })
        .filter(|(name, _)| name.starts_with("CS"))
        .collect();
    let summary = text(files, "docs/src/SUMMARY.md");
    let mut problems = Vec::new();
    for (id, title) in codes {
        match pages.get(id) {
            None => problems.push(format!("{id} ({title}) has no page docs/src/codes/{id}.md")),
            Some(page) => {
                let wanted = format!("# {id}: {title}\n");
                if !page.starts_with(wanted.as_bytes()) {
                    problems.push(format!("docs/src/codes/{id}.md does not start with `# {id}: {title}`"));
                }
            }
        }
        if !summary.contains(&format!("(codes/{id}.md)")) {
            problems.push(format!("docs/src/SUMMARY.md does not list codes/{id}.md"));
        }
    }
    let unknown = pages.keys().filter(|page| !codes.iter().any(|(id, _)| id == *page));
    problems.extend(unknown.map(|page| format!("docs/src/codes/{page}.md explains a code that does not exist")));
    problems
}

/// Codes that no source file names outside `model/src/code.rs`, where they are defined.
pub fn use_problems(files: &[File]) -> Vec<String> {
    const DEFINED: &str = "model/src/code.rs";
    let definitions = text(files, DEFINED);
    let names: Vec<&str> =
        definitions.lines().filter_map(|line| line.trim().split_once(" = \"CS").map(|(name, _)| name)).collect();
    if names.is_empty() {
        return vec![format!("{DEFINED} defines no code")];
    }
    let sources = files.iter().filter(|(path, _)| path.ends_with(".rs") && path != DEFINED);
    let words: std::collections::BTreeSet<&str> = sources
        .filter_map(|(_, bytes)| std::str::from_utf8(bytes).ok())
        .flat_map(|text| text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_'))
        .collect();
    let unused = names.iter().filter(|name| !words.contains(*name));
    unused.map(|name| format!("the finding code {name} is used nowhere")).collect()
}

fn text<'a>(files: &'a [File], path: &str) -> &'a str {
    let file = files.iter().find(|(name, _)| name == path);
    file.and_then(|(_, bytes)| std::str::from_utf8(bytes).ok()).unwrap_or_default()
}
