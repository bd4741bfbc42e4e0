use std::env;
use std::path::Path;
use std::process::{Command, Stdio};

use files::input;
use model::{Digest, Finding, codes};
use registry::Layout;
use verifier::{Check, Outcome, Verified};
use verify::{Demands, Failed};

use crate::args::{Format, Machine};
use crate::report::Failure;

/// Bytes of a plan.
const LARGEST_PLAN: u64 = 256 << 20;

/// `verify`: as `clnstrt-verify`, and with what only a compiler and a runtime find out.
pub(super) fn run(
    machine: &Machine,
    image: &str,
    demands: &Demands,
    reproduce: Option<&Path>,
    format: Format,
) -> Result<(), Failure> {
    let place = verify::Machine { offline: machine.offline, timeout: machine.timeout, plain_http: machine.plain_http };
    let format = match format {
        Format::Text => verify::Format::Text,
        Format::Json => verify::Format::Json,
        Format::Sarif => verify::Format::Sarif,
        Format::Github => verify::Format::Github,
        Format::Junit => verify::Format::Junit,
    };
    let again = |verified: &Verified| match reproduce {
        Some(config) => reproduced(machine, config, verified).map_err(Failed::from),
        None => Ok(Vec::new()),
    };
    match verify::run(&place, image, demands, format, again) {
        Ok(true) => Ok(()),
        Ok(false) => Err(Failure::told()),
        Err(Failed { sources, findings, .. }) => Err(Failure { sources, findings }),
    }
}

/// Makes the plan and the image again. Each by this program as anybody would start it: what it prints is not the verdict.
fn reproduced(machine: &Machine, config: &Path, verified: &Verified) -> Result<Vec<Check>, Finding> {
    let failed = |e: std::io::Error| Finding::error(codes::OUTPUT_IO, format!("no temporary folder can be made: {e}"));
    let folder = tempfile::tempdir().map_err(failed)?;
    let (plan, archive) = (folder.path().join("plan.json"), folder.path().join("image.tar"));
    start(machine, config, &["plan"], &plan)?;
    let bytes = input::read(&plan, LARGEST_PLAN)
        .map_err(|e| Finding::error(codes::INPUT_IO, format!("the plan cannot be read: {e}")))?;
    let check = |name, outcome, reason: String| Check::new(name, codes::NOT_REPRODUCED, outcome, reason);
    let found = Digest::of(&bytes);
    let on = [config.display().to_string()];
    let planned = match verified.plan {
        Some(signed) if signed == found => check("plan", Outcome::Passed, format!("made again, it is {signed}")),
        Some(signed) => check("plan", Outcome::Failed, format!("{signed} was signed, and the source makes {found}")),
        None => check("plan", Outcome::Failed, "no provenance that counts names the plan".to_owned()),
    };
    if planned.outcome == Outcome::Failed {
        return Ok(vec![planned.on(on)]);
    }
    // The store remembers what steps made; they are to be run.
    start(machine, config, &["build", "--check-reproducible"], &archive)?;
    let images = Layout::whole(&archive)?.images;
    let judged = verified.verdict.digest;
    let rebuilt = match images.iter().find(|image| image.digest == judged) {
        Some(_) => check("rebuild", Outcome::Passed, format!("built again, it is {judged}")),
        None => {
            let made: Vec<String> = images.iter().map(|image| image.digest.to_string()).collect();
            check("rebuild", Outcome::Failed, format!("the source makes {}, and not {judged}", made.join(", ")))
        }
    };
    Ok(vec![planned.on(on.clone()), rebuilt.on(on)])
}

fn start(machine: &Machine, config: &Path, command: &[&str], output: &Path) -> Result<(), Finding> {
    let failed = |why: String| {
        Finding::error(codes::NOT_REPRODUCED, format!("{} makes no image: {why}", config.display()))
            .help(format!("see what `clnstrt-cli {} --locked` says of it", command.join(" ")))
    };
    let program = env::current_exe().map_err(|e| failed(e.to_string()))?;
    let mut started = Command::new(program);
    started.args(command).arg("--locked").arg("--config").arg(config).arg("--output").arg(output);
    started.args(machine.sources.iter().map(|source| format!("--source={source}")));
    if let Some(store) = &machine.store {
        started.arg("--store").arg(store);
    }
    started.arg("--timeout").arg(machine.timeout.to_string());
    if machine.offline {
        started.arg("--offline");
    }
    let status = started.stdin(Stdio::null()).stdout(Stdio::null()).status().map_err(|e| failed(e.to_string()))?;
    if status.success() { Ok(()) } else { Err(failed(format!("it ends with {status}"))) }
}
