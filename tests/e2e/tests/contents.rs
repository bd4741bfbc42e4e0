//! What is in the image, and what is not.

use std::process::Command;

use support::run;

use crate::fixture::{EXAMPLE, EXTRAS, scratch};
use crate::image::{blob, index, layout, manifest};

/// Names of every layer's members.
fn members(layout: &std::path::Path, arch: &str) -> Vec<String> {
    let (manifest, _) = manifest(layout, arch);
    let layers = manifest["layers"].as_array().unwrap().iter();
    let names = layers.flat_map(|layer| {
        let listed = run(Command::new("tar").arg("-tvf").arg(blob(layout, &layer["digest"]))).ok();
        listed.stdout.lines().map(str::to_owned).collect::<Vec<_>>()
    });
    names.collect()
}

#[test]
fn both_architectures_are_in_one_index_and_neither_has_a_shell() {
    let dir = scratch();
    let layout = layout(&EXAMPLE.archive(), dir.path());
    let (_, index) = index(&layout);
    assert_eq!(index["manifests"].as_array().unwrap().len(), 2);
    for arch in ["amd64", "arm64"] {
        let (manifest, config) = manifest(&layout, arch);
        assert!(manifest["layers"].as_array().unwrap().len() >= 3, "{manifest}");
        assert_eq!(config["architecture"], arch);
        let user = config["config"]["User"].as_str().unwrap();
        assert!(user == "65532" || user.starts_with("65532:"), "{user}");
        let members = members(&layout, arch);
        assert!(members.len() > 1000, "only {} members", members.len());
        let shells = ["sh", "dash", "bash", "ash", "busybox", "zsh", "apt", "apt-get", "dpkg", "perl", "curl", "wget"];
        let program = |line: &String| {
            let path = line.split_whitespace().nth(5).unwrap_or_default();
            let (dir, name) = path.rsplit_once('/').unwrap_or(("", path));
            dir.ends_with("bin") && shells.contains(&name)
        };
        let found: Vec<_> = members.iter().filter(|line| program(line)).collect();
        assert!(found.is_empty(), "{found:?}");
        let special: Vec<_> =
            members.iter().filter(|l| l.starts_with(['b', 'c', 'p', 's']) || l.contains("rws")).collect();
        assert!(special.is_empty(), "{special:?}");
        for wanted in ["etc/os-release", "etc/passwd", "etc/ssl/certs/ca-certificates.crt", "var/lib/dpkg/status.d/"] {
            assert!(members.iter().any(|line| line.contains(wanted)), "{wanted} is missing");
        }
    }
}

#[test]
fn annotations_name_the_image_and_its_time_is_the_epoch() {
    let dir = scratch();
    let layout = layout(&EXAMPLE.archive(), dir.path());
    let (manifest, config) = manifest(&layout, "amd64");
    let annotations = &manifest["annotations"];
    assert_eq!(annotations["org.opencontainers.image.title"], "python-fastapi-api", "{annotations}");
    assert_eq!(annotations["org.opencontainers.image.version"], "1.0.0", "{annotations}");
    assert_eq!(annotations["org.opencontainers.image.created"], config["created"], "{annotations}");
    assert_eq!(config["config"]["WorkingDir"], "/app");
    assert!(config["config"]["ExposedPorts"]["8000/tcp"].is_object(), "{config}");
}

#[test]
fn markers_leave_out_what_is_not_for_this_platform_and_files_keep_their_mode() {
    let lock = EXTRAS.lock();
    let names: Vec<&str> = lock["nodes"].as_object().unwrap().values().filter_map(|n| n["name"].as_str()).collect();
    for there in ["uvloop", "httptools", "exceptiongroup", "libpq5"] {
        assert!(names.contains(&there), "{there} is not in the lock");
    }
    for not_there in ["pywin32", "colorama"] {
        assert!(!names.contains(&not_there), "{not_there} is in the lock");
    }
    let dir = scratch();
    let members = members(&layout(&EXTRAS.archive(), dir.path()), "arm64");
    let placed = members.iter().find(|line| line.ends_with("etc/app/settings.toml")).expect("the placed file");
    assert!(placed.starts_with("-rw-r-----"), "{placed}");
}
