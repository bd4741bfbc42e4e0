//! The example's image on its way to a registry on this machine: with its evidence beside crane, which sends the image alone; and an
//! image that is there, signed and attested five times, beside cosign.

use std::fs::{self, File};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use super::Bench;
use super::measure::{Series, measured, measured_closely};
use super::report::{Measure, Report};
use crate::parts;
use crate::shell;

/// What is said of the image: by our name, by cosign's, and the file.
pub(super) const EVIDENCE: [(&str, &str, &str); 5] = [
    ("slsa", "slsaprovenance1", "predicate.json"),
    ("cyclonedx", "cyclonedx", "artifacts/sbom-amd64.cdx.json"),
    ("spdx", "spdxjson", "artifacts/sbom-amd64.spdx.json"),
    ("licence", "urn:clnstrt:licences:v1", "artifacts/licence-report.json"),
    ("sources", "urn:clnstrt:sources:v1", "artifacts/source-manifest.json"),
];

/// Compares, and adds what was measured.
pub(super) fn run(bench: &Bench, report: &mut Report) -> Result<(), String> {
    parts::install(&[parts::DOCKER_REGISTRY]);
    let (crane, cosign) = (parts::go_install(&parts::CRANE)?, parts::go_install(&parts::COSIGN)?);
    signed(bench, &cosign, &crane)?;
    let sh = |script: &str| shell_of(bench, &cosign, &crane, script);
    // cosign reads keys with a password only, and the empty one is as slow to open as any other: ours is measured with that key, too.
    let theirs = |image: &str| {
        let options = "--yes --key theirs.key --tlog-upload=false --use-signing-config=false --allow-http-registry";
        let attest = |(_, kind, file): &(&str, &str, &str)| {
            format!("\"$COSIGN\" attest {options} --type {kind} --predicate {file} {image}\n")
        };
        format!("\"$COSIGN\" sign {options} {image}\n") + &EVIDENCE.iter().map(attest).collect::<String>()
    };
    let registry = Registry::start(&bench.dir)?;
    let mut series: [Series; 5] = Default::default();
    let mut asked = [0; 5];
    for run in 0..bench.runs {
        let [sent, alone, by_us, by_us_encrypted, by_cosign] = ["sent", "alone", "ours", "encrypted", "theirs"]
            .map(|name| format!("{}/{name}-{run}/app:1", registry.address));
        // Whoever is first finds the registry without the blobs: that is neither for the whole time.
        let pushes =
            [format!("\"$CLNSTRT\" push oci:signed {sent}"), format!("\"$CRANE\" push --insecure plain {alone}")];
        for at in [run % 2, 1 - run % 2] {
            let before = registry.requests()?;
            series[at].push(measured(&mut sh(&pushes[at]), &bench.dir)?);
            asked[at] = registry.requests()? - before;
        }
        let evidence = [ours("plain.key", &by_us), ours("theirs.key", &by_us_encrypted), theirs(&by_cosign)];
        for (at, (image, script)) in [&by_us, &by_us_encrypted, &by_cosign].into_iter().zip(&evidence).enumerate() {
            shell::run(&mut sh(&format!("\"$CRANE\" push --insecure plain {image} 2>/dev/null")))?;
            let before = registry.requests()?;
            series[2 + at].push(measured(&mut sh(script), &bench.dir)?);
            asked[2 + at] = registry.requests()? - before;
        }
    }
    let [pushed, alone, by_us, with_their_key, by_cosign] = series;
    let more = (pushed.median() - alone.median()) * 1e3;
    report.limit("image with six statements after crane with the image alone, ms", more, 50.0);
    let wanted = [(Measure::Wall, 10.0)];
    report.compare("six statements of an image that is there: cosign over clnstrt", by_cosign.clone(), by_us, &wanted);
    report.compare("the same, of clnstrt with the key that cosign reads", by_cosign.clone(), with_their_key, &[]);
    report.compare("cosign's six statements over clnstrt's push of image and six statements", by_cosign, pushed, &[]);
    let [whole, image, ours, _, evidence] = asked;
    println!("requests: {whole} by clnstrt for all of it, {image} by crane, {evidence} by cosign for the evidence");
    println!("requests for the evidence of an image that is there: {ours} by clnstrt, {evidence} by cosign");
    report.limit("requests for the evidence, of cosign's", (whole as f64 - image as f64) / evidence as f64, 0.5);

    let digest = format!("sha256:{}", "0".repeat(64));
    let mut sign = Command::new(&bench.cli);
    sign.args(["sign", "--image", &digest, "--key", "plain.key", "--output-bundle", "signed.json", "--audit", "audit"])
        .current_dir(&bench.dir);
    let mut times = Series::default();
    for _ in 0..bench.runs.max(11) {
        times.push(measured_closely(&mut sign, &bench.dir)?);
    }
    report.limit("signing a digest, ms", times.median() * 1e3, 10.0);
    Ok(())
}

/// What starts a script with the names of the programs in it: what is measured has the environment of the benchmark.
pub(super) fn shell_of(bench: &Bench, cosign: &Path, crane: &Path, script: &str) -> Command {
    let [cli, cosign, crane] = [&bench.cli, cosign, crane].map(|program: &Path| program.display());
    let names = format!("export CLNSTRT={cli} COSIGN={cosign} CRANE={crane} COSIGN_PASSWORD= CLNSTRT_AUDIT=audit\n");
    let mut command = Command::new("bash");
    command.args(["-euc", &(names + script)]).current_dir(&bench.dir);
    command
}

/// Builds the example, as it is in the layout `plain`, and signed and attested in the layout `signed`.
pub(super) fn signed(bench: &Bench, cosign: &Path, crane: &Path) -> Result<(), String> {
    if bench.dir.join("signed").exists() {
        return Ok(());
    }
    shell::run(bench.build("fetched").args(["--offline", "--locked", "--artifacts", "artifacts"]))?;
    let sh = |script: &str| shell::run(&mut shell_of(bench, cosign, crane, script));
    sh("mkdir plain signed && tar -xzf image.tar.gz -C plain && cp -a plain/. signed
        openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out plain.key
        \"$COSIGN\" generate-key-pair --output-key-prefix theirs
        python3 -c 'import json; json.dump(json.load(open(\"artifacts/provenance.json\"))[\"predicate\"], open(\"predicate.json\", \"w\"))'")?;
    sh(&ours("plain.key", "oci:signed"))
}

/// Six statements about an image, signed by clnstrt.
fn ours(key: &str, image: &str) -> String {
    let said = |(kind, _, file): &(&str, &str, &str)| format!(" --type {kind} --predicate {file}");
    let (of, said) = (format!("--image {image} --key {key}"), EVIDENCE.iter().map(said).collect::<String>());
    format!("\"$CLNSTRT\" sign {of}\n\"$CLNSTRT\" attest {of}{said}\n")
}

/// Debian's registry, which writes down what it was asked; it ends with this.
pub(super) struct Registry {
    process: Child,
    pub(super) address: String,
    log: PathBuf,
    data: PathBuf,
}

impl Registry {
    pub(super) fn start(dir: &Path) -> Result<Self, String> {
        let failed = |e: std::io::Error| format!("the registry cannot be started: {e}");
        let address = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).map_err(failed)?;
        let (settings, log) = (dir.join("registry.yml"), dir.join("registry.log"));
        // In memory where there is such a place: it writes each file through to its disk, which would be most of what is measured.
        let memory = Some(Path::new("/dev/shm")).filter(|memory| memory.is_dir());
        let data = memory.unwrap_or(dir).join(format!("clnstrt-registry-{}", std::process::id()));
        let text = format!(
            "version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {}}}}}\nhttp: {{addr: \"{address}\"}}\n",
            data.display()
        );
        fs::write(&settings, text).map_err(failed)?;
        let mut command = Command::new("docker-registry");
        command.arg("serve").arg(&settings).stdin(Stdio::null()).stderr(Stdio::null());
        let process = command.stdout(File::create(&log).map_err(failed)?).spawn().map_err(failed)?;
        let registry = Self { process, address: address.to_string(), log, data };
        for _ in 0..100 {
            if TcpStream::connect(address).is_ok() {
                return Ok(registry);
            }
            thread::sleep(Duration::from_millis(100));
        }
        Err("the registry does not answer".to_owned())
    }

    /// How much it was asked so far.
    fn requests(&self) -> Result<usize, String> {
        Ok(self.asked()?.len())
    }

    /// What it was asked so far: methods and paths.
    pub(super) fn asked(&self) -> Result<Vec<String>, String> {
        let text = fs::read_to_string(&self.log).map_err(|e| format!("{}: {e}", self.log.display()))?;
        let quoted = text.lines().filter(|line| line.contains(" /v2/")).filter_map(|line| line.split('"').nth(1));
        Ok(quoted.map(str::to_owned).collect())
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.data);
    }
}
