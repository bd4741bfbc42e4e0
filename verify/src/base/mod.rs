//! The images that a build starts from.

mod dockerfile;

use std::path::Path;

use files::input;
use grammar::yaml::{Kind, parse};
use model::{Finding, Findings, Reference, SourceId, Sources, codes};

use crate::args::{Demands, Format, Machine};
use crate::print;
use crate::run::{Failed, Standard, Told, forget};

/// Bytes of a file that says how to build.
const LARGEST: u64 = 4 << 20;

/// Judges every image that a Dockerfile starts from or takes files of; answers whether all are accepted. What the configuration of an
/// image of ours says is built from packages, and starts from no image.
///
/// # Errors
/// As [`crate::run`], and where the file is not understood. Of several images all others are judged all the same.
pub fn run(machine: &Machine, file: &Path, demands: &Demands, format: Format) -> Result<bool, Failed> {
    forget(demands)?;
    let bytes = input::read(file, LARGEST)
        .map_err(|e| Finding::error(codes::INPUT_IO, format!("{} cannot be read: {e}", file.display())))?;
    let images = images(file, &bytes).map_err(|why| unknown(file, &why))?;
    if images.is_empty() {
        anstream::eprintln!("{} starts from no image", file.display());
    }
    if demands.output_vsa.is_some() && images.len() != 1 {
        let message = format!("a summary is of one image, and {} starts from {}", file.display(), images.len());
        return Err(Finding::error(codes::USAGE, message).help("check them one by one: `clnstrt-verify IMAGE`").into());
    }
    let standard = Standard::of(demands)?;
    let (mut told, mut failed) = (Vec::new(), Findings::new());
    for image in &images {
        match standard.judge(machine, image, |_| Ok(Vec::new())) {
            Ok(one) => told.push(one),
            Err(failure) => {
                let of = format!("{} starts from {image}", file.display());
                let findings: Vec<Finding> = failure.findings.into_iter().map(|finding| finding.because(&of)).collect();
                failed.extend(findings.iter().cloned());
                told.push(Told::Unknown { name: image.clone(), findings });
            }
        }
    }
    // One document has either verdicts, or findings alone.
    if failed.is_empty() || matches!(format, Format::Text | Format::Junit) {
        print::all(&told, demands.explain, format)?;
    } else {
        failed.extend(print::findings(&told));
    }
    if failed.is_empty() {
        told.iter().try_for_each(|one| standard.summarize(one))?;
        return Ok(told.iter().all(Told::is_accepted));
    }
    let refused = told.iter().any(|one| matches!(one, Told::Judged(verdict, _) if !verdict.accepted));
    Err(Failed { sources: Sources::default(), findings: failed, refused })
}

fn unknown(file: &Path, why: &str) -> Finding {
    let why = why.escape_debug();
    Finding::error(codes::REFERENCE_INVALID, format!("what {} starts from is not known: {why}", file.display()))
        .help("write it plainly, and name images by their registry: `registry.example/team/base:1`")
}

/// Each once, all of them in registries.
fn images(file: &Path, bytes: &[u8]) -> Result<Vec<String>, String> {
    let text = str::from_utf8(bytes).map_err(|_| "it is no UTF-8".to_owned())?;
    if file.extension().is_some_and(|ending| ending == "yaml" || ending == "yml") {
        // A build that is given the file has that image read it, whatever it says.
        if let Some(line) = dockerfile::reader(text) {
            return Err(format!("it ends as YAML does, and `{line}` names an image that reads it"));
        }
        let message = "it ends as YAML does, and is no configuration of an image";
        return if is_ours(text) && !is_dockerfile(text) { Ok(Vec::new()) } else { Err(message.to_owned()) };
    }
    let images = dockerfile::images(text)?;
    match images.iter().find_map(|image| wrong(image)) {
        Some(why) => Err(why),
        None => Ok(images),
    }
}

/// Why a name is not that of an image in a registry. A build asks the registry for it, whatever lies here under that name.
fn wrong(image: &str) -> Option<String> {
    let path = image.rsplit_once('@').map_or(image, |(path, _)| path);
    if image.starts_with("oci:") || [image, path].iter().any(|path| Path::new(path).exists()) {
        return Some(format!("`{image}` names a file of this machine too"));
    }
    match image.parse::<Reference>() {
        Ok(reference) if reference.registry.is_some() => None,
        Ok(_) => Some(format!("`{image}` names no registry")),
        Err(part) => Some(format!("`{image}` names no image: {part} is wrong")),
    }
}

/// Whether a text begins as every Dockerfile does.
fn is_dockerfile(text: &str) -> bool {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let first = lines.next().and_then(|line| line.split_whitespace().next()).unwrap_or_default();
    ["ARG", "FROM"].iter().any(|word| first.eq_ignore_ascii_case(word))
}

/// Whether a text is the configuration of an image: it has a name, and says what is in it. A map in JSON may name an image that reads it
/// as `syntax`, which no configuration has.
fn is_ours(text: &str) -> bool {
    let parsed = parse(SourceId(0), text);
    let Some(Kind::Map(pairs)) = parsed.root.filter(|_| parsed.findings.is_empty()).map(|root| root.kind) else {
        return false;
    };
    let has = |keys: &[&str]| {
        pairs.iter().any(|pair| {
            keys.contains(&pair.key.value.as_str()) && matches!(pair.value.kind, Kind::Scalar { .. } | Kind::Map(_))
        })
    };
    !pairs.iter().any(|pair| pair.key.value.as_str() == "syntax")
        && has(&["name", "extends"])
        && has(&["base", "python_version", "extends"])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(file: &str, text: &str) -> Result<Vec<String>, String> {
        images(Path::new(file), text.as_bytes())
    }

    #[test]
    fn images_lie_in_registries() {
        assert_eq!(read("Dockerfile", "FROM registry.example/a:1\n").unwrap(), ["registry.example/a:1"]);
        assert!(read("Dockerfile", "FROM debian\n").unwrap_err().contains("no registry"));
        assert!(read("Dockerfile", "FROM Registry.example/A B\n").is_err());
        assert!(read("Dockerfile", "FROM oci:5000/x:1\n").unwrap_err().contains("this machine"));
        assert!(read("Dockerfile", "FROM src/base\n").unwrap_err().contains("this machine"));
        assert!(read("Dockerfile", &format!("FROM src/base@sha256:{}\n", "0".repeat(64))).is_err());
        assert!(images(Path::new("Dockerfile"), b"FROM registry.example/a:1\nLABEL a=\xff\n").is_err());
    }

    #[test]
    fn only_a_configuration_of_an_image_starts_from_none() {
        assert!(read("image.yaml", include_str!("../../../docs/examples/short-form/image.yaml")).unwrap().is_empty());
        assert!(read("a.yml", include_str!("../../../docs/examples/python-fastapi/image.yaml")).unwrap().is_empty());
        assert!(read("a.yaml", "extends: stdlib:x\nwith: {}\n").unwrap().is_empty());
        for text in ["", "FROM evil/x\n", "name: x\n", "- name: x\n", "name: [x\nbase: {}\n", "name:\nbase:\n"] {
            assert!(read("a.yaml", text).is_err(), "{text}");
        }
        // An image that reads it, in each way that BuildKit knows. What it takes for a comment is harmless.
        let ours = "name: x\nbase: {}\n";
        for top in [
            "# syntax=evil.example/frontend:1\n",
            "\u{feff}#Syntax = evil/f x\n",
            "#\r syntax=evil/f\n",
            "#!/x\n# syntax=evil/f\r\n",
            "# x=y\n# check=skip=all\n# syntax=evil/f\n",
            "// syntax=evil/f x: y\n",
            "# x=y\n// SYNTAX=evil/f x: y\n",
        ] {
            assert!(read("a.yaml", &format!("{top}{ours}")).unwrap_err().contains("reads it"), "{top:?}");
        }
        for top in ["", "# x=y\n", "# words\n# syntax=x/f\n", "\n# syntax=x/f\n", "# x=y\n# see z=1\n# syntax=x/f\n"] {
            assert!(read("a.yaml", &format!("{top}{ours}")).is_ok_and(|images| images.is_empty()), "{top:?}");
        }
        // One text that is both.
        let both = "ARG x: |\n  FROM evil/x\n  RUN echo \\\nname: n \\\npython_version: \"3\"\n";
        assert!(is_ours(both) && read("a.yaml", both).is_err());
        assert!(read("a.yaml", &format!("\u{feff}{both}")).is_err());
        assert!(read("a.yaml", "{\"name\": \"x\", \"base\": {}}\n").unwrap().is_empty());
        assert!(read("a.yaml", "{\"syntax\": \"evil/f\", \"name\": \"x\", \"base\": {}}\n").is_err());
        assert!(read("a.yaml", "{\"\\u0073yntax\": \"evil/f\", \"name\": \"x\", \"base\": {}}\n").is_err());
        // The name alone makes no configuration, and the content alone neither.
        assert!(read("Dockerfile", include_str!("../../../docs/examples/short-form/image.yaml")).is_err());
    }
}
