use std::path::Path;

use evidence::{Bill, LayerFacts, Licences, Page};
use model::plan::ImageConfig;
use model::{Finding, codes};

use crate::args::Machine;
use crate::described;
use crate::project;
use crate::report::Failure;

/// `generate-report`: what is known of an image that anybody built, as a page for people or as a report of its licences.
pub(super) fn run(machine: &Machine, reference: &str, output: &Path) -> Result<(), Failure> {
    let name = output.file_name().unwrap_or_default().to_string_lossy();
    let is_page = name.ends_with(".html");
    if !is_page && !name.ends_with(".json") {
        let message = format!("the name {name} does not say which report is wanted");
        return Err(Finding::error(codes::USAGE, message)
            .help("let it end in .html for a page, or in .json for the licences and their texts")
            .into());
    }
    let images = described::all(machine, reference, false)?;
    let warnings = described::unread(&images);
    let warnings: Vec<(String, String)> =
        warnings.into_iter().map(|finding| (finding.code.to_string(), finding.message)).collect();
    let bills: Vec<Bill<'_>> =
        images.iter().map(|described| Bill::new(described.image.clone(), &described.inventory, None)).collect();
    let licences = Licences::of(&bills);
    if !is_page {
        return Ok(project::write_whole(output, &evidence::json(&licences))?);
    }
    let layers: Vec<Vec<LayerFacts>> = images.iter().map(|described| described.layers.clone()).collect();
    let runs: Vec<ImageConfig> = images.iter().map(|described| described.runs.clone()).collect();
    let page = Page {
        bills: &bills,
        layers: &layers,
        runs: &runs,
        licences: &licences,
        build: None,
        flags: &[],
        repeated: None,
        warnings: &warnings,
        documents: &[],
    };
    Ok(project::write_whole(output, evidence::report(&page).as_bytes())?)
}
