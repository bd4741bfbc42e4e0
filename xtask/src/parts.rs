//! Other projects' programs that tests and benchmarks run, installed when they are missing: through apt, or by Go.

use std::path::PathBuf;
use std::process::Command;

use crate::shell::{cargo, installed, root, run};

/// A program and the Debian package that brings it.
pub(crate) struct Part {
    pub(crate) program: &'static str,
    pub(crate) package: &'static str,
}

const fn part(program: &'static str, package: &'static str) -> Part {
    Part { program, package }
}

/// A registry of images.
pub(crate) const DOCKER_REGISTRY: Part = part("docker-registry", "docker-registry");

/// What the tests use.
pub(crate) const TESTS: &[Part] = &[
    part("runc", "runc"),
    part("podman", "podman"),
    part("skopeo", "skopeo"),
    part("umoci", "umoci"),
    DOCKER_REGISTRY,
    part("qemu-aarch64-static", "qemu-user-static"),
    part("faketime", "faketime"),
    part("gpg", "gpg"),
    part("gpg-agent", "gpg-agent"),
    part("unshare", "util-linux"),
    part("runuser", "util-linux"),
    part("pip3", "python3-pip"),
    part("busybox", "busybox-static"),
    part("pgrep", "procps"),
    part("git", "git"),
    part("cc", "gcc"),
    part("openssl", "openssl"),
    part("softhsm2-util", "softhsm2"),
    part("readelf", "binutils"),
    part("chromium", "chromium"),
    part("chromedriver", "chromium-driver"),
    part("mvn", "maven"),
];

/// What the benchmarks compare with and measure by.
pub(crate) const BENCH: &[Part] = &[
    part("buildah", "buildah"),
    part("umoci", "umoci"),
    part("skopeo", "skopeo"),
    part("mmdebstrap", "mmdebstrap"),
    part("nix-instantiate", "nix-bin"),
    part("time", "time"),
    part("bwrap", "bubblewrap"),
    part("runc", "runc"),
];

/// A program that is built from a Go package.
pub(crate) struct GoPart {
    program: &'static str,
    package: &'static str,
    version: &'static str,
}

/// What exports CUE.
pub(crate) const CUE: GoPart = GoPart { program: "cue", package: "cuelang.org/go/cmd/cue", version: "v0.17.1" };

/// What evaluates Rego elsewhere.
pub(crate) const OPA: GoPart =
    GoPart { program: "opa", package: "github.com/open-policy-agent/opa", version: "v1.22.0" };

/// What tests configurations with Rego elsewhere.
pub(crate) const CONFTEST: GoPart =
    GoPart { program: "conftest", package: "github.com/open-policy-agent/conftest", version: "v0.71.1" };

/// What writes bills of materials elsewhere.
pub(crate) const SYFT: GoPart =
    GoPart { program: "syft", package: "github.com/anchore/syft/cmd/syft", version: "v1.52.0" };

/// What copies images elsewhere.
pub(crate) const CRANE: GoPart =
    GoPart { program: "crane", package: "github.com/google/go-containerregistry/cmd/crane", version: "v0.22.1" };

/// What signs images and checks signatures elsewhere.
pub(crate) const COSIGN: GoPart =
    GoPart { program: "cosign", package: "github.com/sigstore/cosign/v3/cmd/cosign", version: "v3.1.3" };

/// Installs what is missing. A part that cannot be had is reported here and makes its tests fail later.
pub(crate) fn install(parts: &[Part]) {
    let packages: Vec<&str> = parts.iter().filter(|part| !installed(part.program)).map(|part| part.package).collect();
    if packages.is_empty() {
        return;
    }
    // The lists a machine has may name versions its mirrors no longer carry: then, and only then, they are renewed.
    if install_packages(&packages).is_err()
        && let Err(words) = run(&mut apt(&["update"])).and_then(|()| install_packages(&packages))
    {
        println!("not installed: {}: {words}", packages.join(" "));
    }
}

/// The program below `target/tools`, built first if it is missing. Each version has a folder of its own.
pub(crate) fn go_install(part: &GoPart) -> Result<PathBuf, String> {
    let GoPart { program, package, version } = part;
    let folder = root().join(format!("target/tools/{program}-{version}"));
    if !folder.join(program).is_file() {
        run(Command::new("go").args(["install", &format!("{package}@{version}")]).env("GOBIN", &folder))?;
    }
    Ok(folder.join(program))
}

/// Builds `tests/lister`, a registry that lists what refers to an image.
pub(crate) fn lister() -> Result<(), String> {
    let program = root().join("target/tools/lister");
    run(Command::new("go").args(["build", "-o"]).arg(program).arg(".").current_dir(root().join("tests/lister")))
}

/// Puts `cargo auditable`, which records in programs what they were compiled from, below `target/tools` if it is missing.
pub(crate) fn cargo_auditable() -> Result<(), String> {
    let folder = "target/tools/cargo-auditable-0.7.7";
    if root().join(folder).join("bin/cargo-auditable").is_file() {
        return Ok(());
    }
    run(&mut cargo(&["install", "--quiet", "--locked", "--root", folder, "cargo-auditable@0.7.7"]))
}

/// Validators of bills of materials, from Python's index.
const SBOM: [&str; 3] =
    ["cyclonedx-python-lib[validation]==11.12.0", "spdx-tools==0.8.5", "ntia-conformance-checker==6.0.0"];
/// And the one in Java, with all it needs in one file.
const SPDX_JAVA: &str = "org.spdx:tools-java:2.0.1:jar:jar-with-dependencies";

/// Puts them below `target/tools` if they are missing.
pub(crate) fn sbom_validators() -> Result<(), String> {
    let jar = root().join("target/tools/spdx-java");
    if !jar.join("tools-java-2.0.1-jar-with-dependencies.jar").is_file() {
        let copy = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy";
        let options = [format!("-Dartifact={SPDX_JAVA}"), format!("-DoutputDirectory={}", jar.display())];
        run(Command::new("mvn").args(["--quiet", "--batch-mode", copy]).args(options))?;
    }
    let folder = root().join("target/tools/sbom");
    if folder.join("bin/ntia-checker").is_file() || folder.join("bin/sbomcheck").is_file() {
        return Ok(());
    }
    let venv = || run(Command::new("python3").args(["-m", "venv"]).arg(&folder));
    // Debian has the half of it that makes environments in a package of its own.
    venv().or_else(|_| install_packages(&["python3-venv"]).and_then(|()| venv()))?;
    run(Command::new(folder.join("bin/pip")).args(["install", "--quiet", "--disable-pip-version-check"]).args(SBOM))
}

fn install_packages(packages: &[&str]) -> Result<(), String> {
    run(apt(&["install", "--yes", "--no-install-recommends"]).args(packages))
}

fn apt(args: &[&str]) -> Command {
    let mut command = if installed("sudo") && !is_root() {
        let mut sudo = Command::new("sudo");
        sudo.args(["-n", "DEBIAN_FRONTEND=noninteractive", "apt-get"]);
        sudo
    } else {
        let mut apt = Command::new("apt-get");
        apt.env("DEBIAN_FRONTEND", "noninteractive");
        apt
    };
    command.args(["-qq", "-o", "Dpkg::Use-Pty=0"]).args(args);
    command
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").is_ok_and(|metadata| metadata.uid() == 0)
}
