//! What the repository shows or brings along is in the usual form, and every other document of it has one.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]
#![expect(clippy::disallowed_methods, clippy::disallowed_macros, reason = "the documents are files")]

use std::fs;
use std::path::{Path, PathBuf};

use grammar::yaml::{format, parse};
use model::SourceId;

/// The files with an extension in a folder of the repository and below.
fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let root = cases::place("").parent().unwrap().join(folder);
    let (mut folders, mut files) = (vec![root], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => files.extend(path.extension().is_some_and(|found| found == extension).then_some(path)),
            }
        }
    }
    assert!(!files.is_empty(), "{folder}");
    files
}

/// The blocks of a page that are marked as YAML, each without the depth it has in the page, and its line.
fn blocks(page: &str) -> Vec<(usize, String)> {
    let mut blocks: Vec<(usize, String)> = Vec::new();
    let mut depth = None;
    for (number, line) in page.lines().enumerate() {
        let bare = line.trim_start();
        match depth {
            None if bare.starts_with("```yaml") => {
                depth = Some(line.len() - bare.len());
                blocks.push((number + 1, String::new()));
            }
            Some(_) if bare.starts_with("```") => depth = None,
            Some(depth) => {
                let (_, block) = blocks.last_mut().unwrap();
                block.push_str(line.get(depth..).unwrap_or_default());
                block.push('\n');
            }
            None => {}
        }
    }
    blocks
}

/// What is wrong with a text that should be in the form. What shows a mistake of YAML is not.
fn unusual(place: &str, text: &str) -> Option<String> {
    let source = SourceId(0);
    if !parse(source, text).findings.is_empty() {
        return None;
    }
    match format(source, text) {
        Ok(form) if form == text => None,
        Ok(form) => Some(format!("{place} is not in the usual form, which is\n{form}")),
        Err(findings) => Some(format!("{place}: {findings:?}")),
    }
}

#[test]
fn examples_and_templates_are_in_the_usual_form() {
    let mut texts = Vec::new();
    for page in files("docs/src", "md") {
        let blocks = blocks(&fs::read_to_string(&page).unwrap());
        texts.extend(blocks.into_iter().map(|(line, text)| (format!("{}:{line}", page.display()), text)));
    }
    for file in ["docs/examples", "stdlib/templates"].into_iter().flat_map(|folder| files(folder, "yaml")) {
        texts.push((file.display().to_string(), fs::read_to_string(&file).unwrap()));
    }
    let read = texts.iter().filter(|(_, text)| parse(SourceId(0), text).findings.is_empty()).count();
    println!("{} texts, {read} of them without a mistake", texts.len());
    assert!(read > 20, "{read}");
    let wrong: Vec<String> = texts.iter().filter_map(|(place, text)| unusual(place, text)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn an_example_in_another_form_is_found() {
    let page = "words\n  ```yaml\n  a:   1\n\n    b\n  ```\n```\na:   1\n```\n```yaml\na: [\n```\n";
    let blocks = blocks(page);
    assert_eq!(blocks, [(2, "a:   1\n\n  b\n".to_owned()), (10, "a: [\n".to_owned())]);
    let wrong: Vec<String> = blocks.iter().filter_map(|(_, text)| unusual("here", text)).collect();
    assert_eq!(wrong, ["here is not in the usual form, which is\na: 1\n\n  b\n"], "a mistake is not in the way");
}

#[test]
fn every_document_of_the_tests_that_can_be_read_has_a_form() {
    let mut count = 0;
    for file in files("tests", "yaml") {
        let bytes = fs::read(&file).unwrap();
        let Ok(text) = grammar::decode(&bytes) else { continue };
        if parse(SourceId(0), text).findings.is_empty() {
            has_a_form(&file, text);
            count += 1;
        }
    }
    println!("{count} documents");
    assert!(count > 50, "{count}");
}

fn has_a_form(file: &Path, text: &str) {
    let form = format(SourceId(0), text).unwrap_or_else(|findings| panic!("{}: {findings:?}", file.display()));
    assert_eq!(format(SourceId(0), &form).as_ref(), Ok(&form), "{}", file.display());
}
