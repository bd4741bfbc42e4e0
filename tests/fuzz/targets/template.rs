//! A document and the template it extends, divided by a line of dashes: expansion ends, and every finding is fit to be shown.
#![no_main]

use compiler::template::{Document, Library};
use libfuzzer_sys::fuzz_target;
use model::{Finding, Sources, codes};

struct One<'a>(&'a str);

impl Library for One<'_> {
    fn read(&self, path: &str) -> Result<(String, String), Finding> {
        match path {
            "t.yaml" => Ok((path.to_owned(), self.0.to_owned())),
            _ => Err(Finding::error(codes::TEMPLATE_UNREADABLE, "it is not there")),
        }
    }
}

fuzz_target!(|text: &str| {
    let (image, template) = text.split_once("-----\n").unwrap_or((text, ""));
    let mut sources = Sources::default();
    let source = sources.add("image.yaml", image);
    let parsed = grammar::yaml::parse(source, image);
    let Some(root) = parsed.root else { return };
    let (document, mut findings) = Document::load("image.yaml", &root, &parsed.mended, &mut sources, &One(template));
    // Enough images to see how they differ; what many cost, the benchmark says.
    if let Ok(assignments) = document.assignments(&[]) {
        for assignment in assignments.iter().take(8) {
            let expanded = document.expand(assignment);
            let _ = expanded.print(&sources);
            findings.extend(expanded.findings);
            findings.extend(document.image(assignment).1);
        }
    }
    findings.iter().for_each(|finding| fuzz::fit(finding, &sources));
});
