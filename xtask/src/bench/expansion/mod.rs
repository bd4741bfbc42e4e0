//! Expansion alone, beside languages made for it: the images of one template and one matrix, written out as JSON.

#[path = "../../../../compiler/benches/matrix/mod.rs"]
mod matrix;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::Bench;
use super::measure::{Series, measured};
use super::report::{Measure, Report};
use crate::{parts, shell};

/// Images of each set of packages.
const EACH: usize = 12;

/// Images by the values they were made with.
type Images = BTreeMap<String, Value>;

/// Compares with nix, and at a tenth of the images with CUE.
pub(super) fn run(bench: &Bench, report: &mut Report) -> Result<(), String> {
    let cue = parts::go_install(&parts::CUE)?;
    let (ours, nix) = compare(bench, 1600, |folder| {
        let mut nix = command("nix-instantiate", folder);
        // No store is needed, nor made.
        nix.args(["--store", "dummy://", "--eval", "--strict", "--json", "variants.nix"]);
        nix
    })?;
    report.compare("19,200 documents: nix-instantiate over clnstrt", nix, ours, &[(Measure::Cpu, 1.0)]);
    let (ours, cue) = compare(bench, 160, |folder| {
        let mut command = command(&cue, folder);
        command.args(["export", "--expression", "images", "variants.cue", "sets.json"]);
        command
    })?;
    report.compare("1,920 documents: cue over clnstrt", cue, ours, &[(Measure::Cpu, 10.0)]);
    Ok(())
}

/// Times of ours and of another tool in turns, after it was seen that both print the same images.
fn compare(bench: &Bench, sets: usize, other: impl Fn(&Path) -> Command) -> Result<(Series, Series), String> {
    let folder = documents(bench, sets)?;
    let mut ours = command(&bench.cli, &folder);
    ours.args(["expand", "--config", "image.yaml", "--format", "json"]);
    let mut theirs = other(&folder);
    same(&images(&shell::output(&mut ours)?, sets)?, &images(&shell::output(&mut theirs)?, sets)?)?;
    let (mut our_times, mut their_times) = (Series::default(), Series::default());
    for _ in 0..bench.runs {
        our_times.push(measured(&mut ours, &bench.dir)?);
        their_times.push(measured(&mut theirs, &bench.dir)?);
    }
    Ok((our_times, their_times))
}

/// A folder with the same template and matrix in each language.
fn documents(bench: &Bench, sets: usize) -> Result<PathBuf, String> {
    let folder = bench.dir.join(format!("expansion-{sets}"));
    fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let files = [
        ("template.yaml", matrix::TEMPLATE.to_owned()),
        ("image.yaml", matrix::image(sets)),
        ("sets.json", matrix::sets(sets)),
        ("variants.nix", include_str!("variants.nix").to_owned()),
        ("variants.cue", include_str!("variants.cue").to_owned()),
    ];
    for (name, text) in files {
        fs::write(folder.join(name), text).map_err(|e| format!("{name}: {e}"))?;
    }
    Ok(folder)
}

fn command(program: impl AsRef<Path>, folder: &Path) -> Command {
    let mut command = Command::new(program.as_ref());
    command.current_dir(folder);
    command
}

/// What a tool printed: as many images as there should be, each made with other values.
fn images(json: &str, sets: usize) -> Result<Images, String> {
    let rows: Vec<Value> = serde_json::from_str(json).map_err(|e| format!("the images are no list of JSON: {e}"))?;
    let values = |row: &Value| ["python", "architecture", "flavour", "set"].map(|axis| row["select"][axis].to_string());
    let count = rows.len();
    // What else we say of an image, its name, the others have no word for.
    let images: Images = rows.into_iter().map(|mut row| (values(&row).join(" "), row["image"].take())).collect();
    if count == sets * EACH && images.len() == count {
        Ok(images)
    } else {
        Err(format!("{count} images, {} of them different, instead of {}", images.len(), sets * EACH))
    }
}

/// Images are as many on both sides: that ours are all among theirs is enough.
fn same(ours: &Images, theirs: &Images) -> Result<(), String> {
    match ours.iter().find(|(values, image)| theirs.get(*values) != Some(*image)) {
        None => Ok(()),
        Some((values, image)) => {
            let other = theirs.get(values).unwrap_or(&Value::Null);
            Err(format!("not the same is made with {values}: {image} and {other}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{EACH, images, matrix, same};

    fn printed(mode: &str) -> String {
        let row = |set: usize| format!(r#"{{"select": {{"set": "s{set}"}}, "image": {{"mode": "{mode}"}}}}"#);
        format!("[{}]", (0..EACH).map(row).collect::<Vec<_>>().join(", "))
    }

    #[test]
    fn images_that_differ_or_are_missing_are_noticed() {
        let quiet = images(&printed("quiet"), 1).unwrap();
        assert_eq!(same(&quiet, &quiet), Ok(()));
        assert!(same(&quiet, &images(&printed("loud"), 1).unwrap()).is_err());
        assert!(images(&printed("quiet"), 2).is_err());
        assert!(images(&printed("quiet").replace("s3", "s4"), 1).is_err());
    }

    #[test]
    fn the_sets_are_json() {
        let sets: serde_json::Value = serde_json::from_str(&matrix::sets(3)).unwrap();
        assert_eq!(sets["sets"]["s2"].as_array().map(Vec::len), Some(6));
    }
}
