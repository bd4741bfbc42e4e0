//! Other projects' tools at work on the same files.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::measure::{Series, measured};
use super::{Bench, copy};
use crate::shell;

/// The built image's files, unpacked with umoci.
pub(crate) fn unpacked(bench: &Bench) -> Result<PathBuf, String> {
    let layout = bench.layout();
    fs::create_dir_all(&layout).map_err(|e| format!("{}: {e}", layout.display()))?;
    shell::run(Command::new("tar").args(["-xf", "image.tar.gz", "-C", "layout"]).current_dir(&bench.dir))?;
    let skopeo = ["--insecure-policy", "--override-arch", "amd64", "copy", "--quiet", "oci:layout", "oci:single:x"];
    shell::run(Command::new("skopeo").args(skopeo).current_dir(&bench.dir))?;
    shell::run(Command::new("umoci").args(["unpack", "--image", "single:x", "unpacked"]).current_dir(&bench.dir))?;
    Ok(bench.dir.join("unpacked/rootfs"))
}

/// Times of `umoci repack`, the commit alone, and the bytes of its layers.
pub(crate) fn umoci(bench: &Bench, tree: &Path) -> Result<(Series, f64), String> {
    let mut series = Series::default();
    let umoci = |args: &[&str]| {
        let mut command = Command::new("umoci");
        command.args(args).current_dir(&bench.dir);
        command
    };
    for run in 0..bench.runs {
        let (image, bundle) = (format!("umoci-{run}:x"), format!("umoci-{run}-bundle"));
        shell::run(&mut umoci(&["init", "--layout", &format!("umoci-{run}")]))?;
        shell::run(&mut umoci(&["new", "--image", &image]))?;
        shell::run(&mut umoci(&["unpack", "--image", &image, &bundle]))?;
        copy(&tree.join("."), &bench.dir.join(&bundle).join("rootfs"))?;
        series.push(measured(&mut umoci(&["repack", "--image", &image, &bundle]), &bench.dir)?);
    }
    Ok((series, layer_bytes(&bench.dir.join("umoci-0"))?))
}

/// Times of adding the tree to an empty image and committing it, and the bytes of its layers.
pub(crate) fn buildah(bench: &Bench, tree: &Path) -> Result<(Series, f64), String> {
    let mut series = Series::default();
    let script = "set -e; b=\"buildah --root storage-$2 --runroot storage-run --storage-driver overlay\"; \
                  c=$($b from scratch); $b add --quiet $c \"$1\" / >/dev/null; \
                  $b commit --quiet --disable-compression=false $c oci:buildah-$2:x >/dev/null";
    for run in 0..bench.runs {
        let mut command = Command::new("sh");
        command.args(["-c", script, "sh"]).arg(tree).arg(run.to_string()).current_dir(&bench.dir);
        series.push(measured(&mut command, &bench.dir)?);
    }
    Ok((series, layer_bytes(&bench.dir.join("buildah-0"))?))
}

/// Times of making the example's Debian base with the same packages.
pub(crate) fn mmdebstrap(bench: &Bench) -> Result<Series, String> {
    let lock = read_json(&bench.dir.join("config/image.lock.json"))?;
    let nodes = lock["answers"].as_object().into_iter().flatten();
    let nodes = nodes.filter_map(|(_, answer)| answer["resolutions"]["amd64"]["nodes"].as_array());
    let nodes = nodes.flatten().filter_map(Value::as_str);
    let nodes = nodes.map(|id| &lock["nodes"][id]).filter(|node| node["origin"] == "debian");
    let names: Vec<&str> = nodes.filter_map(|node| node["name"].as_str()).collect();
    let sources = Command::new(&bench.cli).args(["sources", "--format", "json"]).output();
    let sources: Value =
        serde_json::from_slice(&sources.map_err(|e| e.to_string())?.stdout).map_err(|e| e.to_string())?;
    let listed = sources["sources"].as_array().into_iter().flatten().filter(|source| source["source"] == "debian");
    let roots: BTreeSet<&str> = listed.filter_map(|source| source["url"].as_str()).collect();
    // The archive's own root and the security archive's are told apart by who has the suite.
    let root = roots.iter().find(|root| !root.contains("security")).ok_or("no Debian archive is configured")?;

    let mut series = Series::default();
    for _ in 0..bench.runs.min(3) {
        let mut command = Command::new("mmdebstrap");
        command.args(["--quiet", "--variant=extract", &format!("--include={}", names.join(","))]);
        command.args(["trixie", "base.tar", root]).current_dir(&bench.dir);
        series.push(measured(&mut command, &bench.dir)?);
    }
    Ok(series)
}

/// Compressed bytes of the layers of a layout's one amd64 image.
pub(crate) fn layer_bytes(layout: &Path) -> Result<f64, String> {
    let blob = |digest: &Value| layout.join("blobs").join(digest.as_str().unwrap_or_default().replace(':', "/"));
    let mut document = read_json(&layout.join("index.json"))?;
    while let Some(first) = document["manifests"].get(0) {
        document = read_json(&blob(&first["digest"]))?;
    }
    let layers = document["layers"].as_array().ok_or_else(|| format!("{} has no layers", layout.display()))?;
    Ok(layers.iter().filter_map(|layer| layer["size"].as_f64()).sum())
}

fn read_json(path: &Path) -> Result<Value, String> {
    let bytes = fs::read(path).map_err(|e| format!("{}: {e}", path.display()))?;
    serde_json::from_slice(&bytes).map_err(|e| format!("{}: {e}", path.display()))
}
