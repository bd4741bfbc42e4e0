//! The images that a build starts from.

use std::collections::BTreeMap;
use std::path::Path;

use files::input;
use model::{Finding, codes};

use crate::args::{Demands, Format, Machine};
use crate::run::{self, Failed};

/// Bytes of a file that says how to build.
const LARGEST: u64 = 4 << 20;

/// Judges every image that a Dockerfile starts from or takes files of; answers whether all are accepted. What the configuration of an
/// image of ours says is built from packages, and starts from no image.
///
/// # Errors
/// As [`run::run`].
pub fn run(machine: &Machine, file: &Path, demands: &Demands, format: Format) -> Result<bool, Failed> {
    let bytes = input::read(file, LARGEST)
        .map_err(|e| Finding::error(codes::INPUT_IO, format!("{} cannot be read: {e}", file.display())))?;
    let text = String::from_utf8_lossy(&bytes);
    let is_ours = file.extension().is_some_and(|ending| ending == "yaml" || ending == "yml");
    let images = if is_ours { Vec::new() } else { images(&text).map_err(|why| unknown(file, &why))? };
    if images.is_empty() {
        anstream::eprintln!("{} starts from no image", file.display());
    }
    if demands.output_vsa.is_some() && images.len() > 1 {
        let message = format!("a summary is of one image, and {} starts from {}", file.display(), images.len());
        return Err(Finding::error(codes::USAGE, message).help("check them one by one: `clnstrt-verify IMAGE`").into());
    }
    let mut accepted = true;
    for image in &images {
        accepted &= run::run(machine, image, demands, format, |_| Ok(Vec::new()))?;
    }
    Ok(accepted)
}

fn unknown(file: &Path, why: &str) -> Finding {
    Finding::error(codes::REFERENCE_INVALID, format!("what {} starts from is not known: {why}", file.display()))
        .help("name images by registry, repository and digest")
}

/// The images of a Dockerfile, each once: those of `FROM`, and of `--from=` in `COPY` and mounts.
fn images(text: &str) -> Result<Vec<String>, String> {
    let (mut images, mut stages, mut arguments) = (Vec::new(), Vec::new(), BTreeMap::new());
    for line in instructions(text) {
        let mut words = line.split_whitespace();
        let instruction = words.next().unwrap_or_default().to_ascii_uppercase();
        match instruction.as_str() {
            "ARG" if stages.is_empty() => {
                for word in words {
                    let (name, value) = word.split_once('=').unwrap_or((word, ""));
                    let value = value.trim_matches(['"', '\'']).to_owned();
                    arguments.insert(name.to_owned(), Some(value).filter(|_| word.contains('=')));
                }
            }
            "FROM" => {
                let mut rest = words.filter(|word| !word.starts_with("--"));
                let image = replaced(rest.next().ok_or("`FROM` names nothing")?, &arguments)?;
                let stage = rest.nth(1).map(str::to_ascii_lowercase);
                take(&image, &stages, &mut images);
                stages.push(stage.unwrap_or_default());
            }
            "COPY" | "ADD" | "RUN" => {
                let options = words.take_while(|word| word.starts_with("--"));
                for from in options.flat_map(|option| option.split(',')) {
                    let from = from.strip_prefix("--from=").or_else(|| from.strip_prefix("from="));
                    if let Some(image) = from.filter(|image| image.parse::<usize>().is_err()) {
                        take(&replaced(image, &arguments)?, &stages, &mut images);
                    }
                }
            }
            _ => {}
        }
    }
    Ok(images)
}

/// An image that is no stage before, and not nothing.
fn take(image: &str, stages: &[String], images: &mut Vec<String>) {
    let is_stage = stages.contains(&image.to_ascii_lowercase());
    if !is_stage && image != "scratch" && !images.iter().any(|there| there == image) {
        images.push(image.to_owned());
    }
}

/// Lines without comments; one that ends in a backslash goes on.
fn instructions(text: &str) -> Vec<String> {
    let mut all = vec![String::new()];
    for line in text.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
        let (part, goes_on) = line.strip_suffix('\\').map_or((line, false), |part| (part, true));
        if let Some(last) = all.last_mut() {
            last.push_str(part);
            last.push(' ');
        }
        if !goes_on {
            all.push(String::new());
        }
    }
    all
}

/// A text with arguments put in: `$NAME`, `${NAME}`, `${NAME:-otherwise}`.
fn replaced(text: &str, arguments: &BTreeMap<String, Option<String>>) -> Result<String, String> {
    let (mut out, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        let (name, end) = match after.strip_prefix('{') {
            Some(inside) => inside.split_once('}').ok_or_else(|| format!("`{text}` has no end"))?,
            None => {
                let length = after.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(after.len());
                after.split_at(length)
            }
        };
        let (name, otherwise) = name.split_once(":-").map_or((name, None), |(name, value)| (name, Some(value)));
        let value = arguments.get(name).cloned().flatten().filter(|value| !value.is_empty());
        let value = value.or_else(|| otherwise.map(str::to_owned));
        out.push_str(&value.ok_or_else(|| format!("`{text}` takes {name} from whoever builds"))?);
        rest = end;
    }
    out.push_str(rest);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_image_is_found_and_no_stage() {
        let text = "# syntax=docker/dockerfile:1\nARG VERSION=1.2\nARG REGISTRY=\"registry.example\"\n\
            FROM --platform=$BUILDPLATFORM ${REGISTRY}/build:$VERSION AS Builder\nRUN make \\\n  # words\n  all\n\
            FROM ${OTHER:-registry.example/base}@sha256:00\nCOPY --from=builder /a /a\nCOPY --chown=1 --from=registry.example/tools:2 /b /b\n\
            RUN --mount=type=bind,from=registry.example/mount:3,target=/m true\nFROM builder\nCOPY --from=0 /c /c\nfrom scratch\n\
            FROM registry.example/tools:2\n";
        let found = images(text).unwrap();
        assert_eq!(
            found,
            [
                "registry.example/build:1.2",
                "registry.example/base@sha256:00",
                "registry.example/tools:2",
                "registry.example/mount:3"
            ]
        );
        assert_eq!(images("FROM $IMAGE").unwrap_err(), "`$IMAGE` takes IMAGE from whoever builds");
        assert_eq!(images("ARG IMAGE\nFROM a/$IMAGE").unwrap_err(), "`a/$IMAGE` takes IMAGE from whoever builds");
        assert!(images("FROM").is_err() && images("FROM ${A").is_err());
        assert!(images("").unwrap().is_empty());
    }
}
