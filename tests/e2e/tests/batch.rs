//! Many images from one document.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use support::{Done, cli, copy_tree, flip_byte, repository, run, sha256_of};

use crate::fixture::{MIRROR, scratch};
use crate::image::{bundle, json, layout, manifest};

/// What the configuration writes, escapes undone.
const GREETING: &str = "it's \"$(id)\"; ${{ x }} \\ ünï 雪\nand `more`";

struct Batch {
    dir: tempfile::TempDir,
}

impl Batch {
    fn new() -> Self {
        let batch = Self { dir: scratch() };
        copy_tree(&repository().join("tests/e2e/configs/batch"), &batch.dir.path().join("config"));
        batch
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = cli();
        command.args(words).arg("--config").arg(self.path("config/image.yaml")).arg("--store").arg(self.path("store"));
        command
    }

    fn build(&self, more: &[&str]) -> Done {
        run(self.command(&["build"]).arg("--output").arg(self.path("images/")).args(more))
    }

    /// The names of the archives that are there.
    fn archives(&self) -> Vec<String> {
        let listed = fs::read_dir(self.path("images")).unwrap();
        let mut names: Vec<String> = listed.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

fn names(packages: &[&str]) -> Vec<String> {
    let of = |package: &&str| ["a", "b", "c", "d", "e"].map(|flavour| format!("batch-{flavour}-{package}.tar.gz"));
    let mut names: Vec<String> = packages.iter().flat_map(of).collect();
    names.sort();
    names
}

#[test]
fn ten_images_from_one_document() {
    let batch = Batch::new();
    let sources = MIRROR.source_options();
    let sources: Vec<&str> = sources.iter().map(String::as_str).collect();
    let done = batch.build(&sources).ok();
    assert!(done.stdout.contains("images   10 built, 0 failed"), "{done:?}");
    assert_eq!(batch.archives(), names(&["idna", "markupsafe"]));
    let lock = json(&batch.path("config/image.lock.json"));
    assert_eq!(lock["answers"].as_object().unwrap().len(), 2, "images that ask the same share an answer");
    values_arrive_unchanged(&batch.path("images/batch-c-idna.tar.gz"), batch.dir.path());

    // One of them alone is the same image.
    let alone = batch.path("alone.tar.gz");
    let select = ["--select", "flavour=c", "--select", "package=idna", "--offline", "--locked", "--output"];
    run(batch.command(&["build"]).args(select).arg(&alone)).ok();
    assert_eq!(sha256_of(&alone), sha256_of(&batch.path("images/batch-c-idna.tar.gz")));

    // What fails in some leaves the others whole, and both are named.
    let nodes = lock["nodes"].as_object().unwrap().values();
    let wheel = nodes.clone().find(|node| node["name"] == "markupsafe").unwrap()["sha256"].as_str().unwrap();
    let hex = wheel.trim_start_matches("sha256:");
    flip_byte(&batch.path("store/blobs/sha256").join(&hex[..2]).join(hex));
    fs::remove_dir_all(batch.path("store/actions")).unwrap();
    fs::remove_dir_all(batch.path("images")).unwrap();
    let done = batch.build(&["--offline", "--locked"]).fails(1, "CS0901");
    assert!(done.stdout.contains("images   5 built, 5 failed"), "{done:?}");
    assert!(done.stdout.contains("failed   batch-e-markupsafe"), "{done:?}");
    assert_eq!(batch.archives(), names(&["idna"]));
}

/// What was given to the template reaches argument, variable, file and label as it is.
fn values_arrive_unchanged(archive: &Path, dir: &Path) {
    let layout = layout(archive, &dir.join("unpacked"));
    let (manifest, _) = manifest(&layout, "amd64");
    let owner =
        manifest["annotations"].as_object().unwrap().values().any(|value| value == GREETING.lines().next().unwrap());
    assert!(owner, "{manifest}");
    let bundle = bundle(&layout, "amd64", dir);
    let config = bundle.join("config.json");
    let mut settings: Value = json(&config);
    settings["process"]["terminal"] = false.into();
    settings["linux"]["resources"] = Value::Null;
    fs::write(&config, settings.to_string()).unwrap();
    let mut runc = Command::new("runc");
    runc.arg("--root").arg(dir.join("runc")).args(["run", "--bundle"]).arg(&bundle);
    let done = run(runc.arg(format!("batch-{}", std::process::id()))).ok();
    assert_eq!(done.stdout, format!("{GREETING}\n{GREETING}\n{GREETING}\n"));
}
