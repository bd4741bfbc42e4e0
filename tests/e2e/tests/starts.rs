//! The images start, and programs of other projects take them for what they are.

use std::fs;
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use support::{Running, run, start};

use crate::fixture::{EXAMPLE, EXTRAS, NUMPY, scratch};
use crate::image::{ASK_HEALTH, SELF_TEST, bundle, free_port, health, index, json, layout, manifest};

/// Waits until `check` holds for a process that must not end meanwhile. Emulated programs take more than a minute.
#[track_caller]
pub fn wait_for(running: &mut Running, what: &str, mut check: impl FnMut() -> bool) {
    for _ in 0..4000 {
        if check() {
            return;
        }
        assert!(!running.is_over(), "it ended before {what}: {}", running.stderr());
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("no {what}: {}", running.stderr());
}

#[test]
fn with_runc() {
    let dir = scratch();
    let bundle = bundle(&layout(&EXAMPLE.archive(), dir.path()), "amd64", dir.path());
    println!("{}", under_runc(&bundle, dir.path(), SELF_TEST));
}

/// Starts a bundle on a root file system nobody can write to, asks for its health, and answers with what a Python program
/// prints in it.
pub fn under_runc(bundle: &Path, dir: &Path, program: &str) -> String {
    let config = bundle.join("config.json");
    let mut spec = json(&config);
    assert_eq!(spec["process"]["user"]["uid"], 65532, "{spec}");
    spec["process"]["terminal"] = json!(false);
    spec["root"]["readonly"] = json!(true);
    fs::write(&config, spec.to_string()).unwrap();

    let name = format!("clnstrt-e2e-{}-{}", std::process::id(), dir.file_name().unwrap().display());
    let runc = |args: &[&str]| {
        let mut command = Command::new("runc");
        command.arg("--root").arg(dir.join("runc")).args(args);
        command
    };
    let mut running = start(runc(&["run", "--bundle"]).arg(bundle).arg(&name));
    wait_for(&mut running, "container", || {
        let state = run(&mut runc(&["state", &name]));
        serde_json::from_str::<Value>(&state.stdout).is_ok_and(|state| state["status"] == "running")
    });
    let healthy = run(&mut runc(&["exec", &name, "python3", "-c", ASK_HEALTH]));
    let said = run(&mut runc(&["exec", &name, "python3", "-c", program]));
    let shell = run(&mut runc(&["exec", &name, "/bin/sh", "-c", "true"]));
    run(&mut runc(&["kill", &name, "KILL"])).ok();
    let done = running.finish(Duration::from_secs(30));
    assert!(healthy.status.success() && healthy.stdout.starts_with("200 "), "{healthy:?}\n{done:?}");
    assert!(!shell.status.success(), "there is a shell");
    healthy.stdout + &said.ok().stdout
}

#[test]
fn with_podman() {
    let dir = scratch();
    let name = format!("clnstrt-e2e-{}", std::process::id());
    let podman = |args: &[&str]| {
        let mut command = Command::new("podman");
        command.arg("--root").arg(dir.path().join("root")).arg("--runroot").arg(dir.path().join("run"));
        command.args(["--storage-driver", "vfs", "--runtime", "runc", "--cgroup-manager", "cgroupfs"]);
        command.args(["--events-backend", "none"]).args(args);
        command
    };
    let loaded = run(podman(&["load", "--input"]).arg(EXAMPLE.archive())).ok();
    assert!(loaded.stdout.contains("python-fastapi-api"), "{}", loaded.stdout);
    let image = loaded.stdout.lines().find_map(|line| line.rsplit_once(": ")).unwrap().1.trim();

    let limits = ["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024"];
    let mut running = start(podman(&["run", "--rm", "--network", "none", "--name", &name]).args(limits).args([
        "--log-driver",
        "none",
        image,
    ]));
    wait_for(&mut running, "container", || run(&mut podman(&["exec", &name, "python3", "-c", ""])).status.success());
    let healthy = run(&mut podman(&["exec", &name, "python3", "-c", ASK_HEALTH]));
    let tested = run(&mut podman(&["exec", &name, "python3", "-c", SELF_TEST]));
    run(&mut podman(&["rm", "--force", "--time", "0", &name])).ok();
    let done = running.finish(Duration::from_secs(60));
    assert!(healthy.status.success() && healthy.stdout.starts_with("200 "), "{healthy:?}\n{done:?}");
    println!("{}{}", healthy.stdout, tested.ok().stdout);
}

#[test]
fn the_arm64_image_under_qemu() {
    let dir = scratch();
    let layout = layout(&EXAMPLE.archive(), dir.path());
    let root = bundle(&layout, "arm64", dir.path()).join("rootfs");
    let port = free_port().to_string();
    let (_, config) = manifest(&layout, "arm64");
    let words = |value: &Value| -> Vec<String> {
        value.as_array().into_iter().flatten().map(|word| word.as_str().unwrap().replace("8000", &port)).collect()
    };
    let command = words(&config["config"]["Entrypoint"]);
    let mut running = start(qemu(&root, &words(&config["config"]["Env"]), "/app").args(&command[1..]));
    let port = port.parse().unwrap();
    wait_for(&mut running, "answer", || TcpStream::connect(("127.0.0.1", port)).is_ok());
    let answer = health(port, Duration::from_secs(60));
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("\"ok\""), "{answer}");
    println!("{answer}");
}

/// The image's interpreter under emulation, as the image's user, in the image's root.
fn qemu(root: &Path, env: &[String], workdir: &str) -> Command {
    let emulator = root.join(".qemu");
    if !emulator.exists() {
        fs::copy("/usr/bin/qemu-aarch64-static", &emulator).unwrap();
    }
    let mut command = Command::new("unshare");
    command.arg("--root").arg(root).args(["--wd", workdir, "--setgid", "65532", "--setuid", "65532"]);
    command.args(["/.qemu", "/usr/bin/python3"]);
    for variable in env {
        let (name, value) = variable.split_once('=').unwrap();
        command.env(name, value);
    }
    command
}

#[test]
fn numpy_computes_on_both_architectures() {
    let dir = scratch();
    let layout = layout(&NUMPY.archive(), dir.path());
    let sum = "import numpy; print(int(numpy.arange(1000).sum()), numpy.linalg.norm([3.0, 4.0]))";
    let arm = bundle(&layout, "arm64", dir.path()).join("rootfs");
    assert_eq!(run(qemu(&arm, &[], "/").args(["-c", sum])).ok().stdout, "499500 5.0\n");
    let amd = bundle(&layout, "amd64", dir.path()).join("rootfs");
    assert_eq!(run(chroot(&amd).args(["/usr/bin/python3", "-c", sum])).ok().stdout, "499500 5.0\n");
}

#[test]
fn the_older_python_has_its_whole_standard_library() {
    let dir = scratch();
    let root = bundle(&layout(&EXTRAS.archive(), dir.path()), "amd64", dir.path()).join("rootfs");
    println!("{}", run(chroot(&root).args(["/usr/bin/python3", "-c", SELF_TEST])).ok().stdout);
    let imports = "import uvloop, yaml, httptools, watchfiles; print(yaml.__with_libyaml__)";
    assert_eq!(run(chroot(&root).args(["/usr/bin/python3", "-c", imports])).ok().stdout, "True\n");
    // The wheels' scripts start with the image's own interpreter.
    assert!(run(chroot(&root).args(["/usr/local/bin/uvicorn", "--version"])).ok().stdout.contains("0.34.3"));
}

fn chroot(root: &Path) -> Command {
    let mut command = Command::new("chroot");
    command.arg("--userspec=65532:65532").arg(root);
    command
}

#[test]
fn a_registry_gives_back_what_it_was_given() {
    let dir = scratch();
    let layout = layout(&EXAMPLE.archive(), dir.path());
    let (_registry, port) = crate::registries::registry(dir.path());

    let image = format!("docker://127.0.0.1:{port}/team/python-fastapi-api:1.0.0");
    let back = dir.path().join("back");
    let skopeo = |args: &[&str], from: String, to: String| {
        let mut command = Command::new("skopeo");
        run(command.args(["--insecure-policy", "copy", "--all"]).args(args).args([from, to])).ok();
    };
    skopeo(&["--dest-tls-verify=false"], format!("oci:{}", layout.display()), image.clone());
    skopeo(&["--src-tls-verify=false"], image, format!("oci:{}:1.0.0", back.display()));
    assert_eq!(index(&layout), index(&back));
    for arch in ["amd64", "arm64"] {
        assert_eq!(manifest(&layout, arch), manifest(&back, arch));
    }
}
