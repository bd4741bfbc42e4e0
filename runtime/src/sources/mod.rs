//! Where packages come from: the endpoints this machine is configured with. None is written in the source code.
//!
//! The first of these places that names an endpoint for a source decides: `--source NAME=URL`, the variable
//! `CLNSTRT_SOURCE_<NAME>`, the user's `sources.yaml`, the ecosystem's own client. Endpoints are candidates nobody
//! trusts: what comes from them is verified.

mod apt;
mod file;
mod machine;
mod memo;
mod pip;
mod root;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use model::lock::Origin;
use model::{Finding, codes};

use machine::{Here, Machine};
pub use root::Root;

use crate::store::Store;

/// Every source there is.
pub const ORIGINS: [Origin; 3] = [Origin::Debian, Origin::Pypi, Origin::Upstream];

/// What the command line says about sources.
#[derive(Clone, Debug, Default)]
pub struct SourceArgs {
    /// Each `NAME=URL`; several of one name are mirrors of each other.
    pub given: Vec<String>,
}

/// The machine's sources. Clients are asked on first use only: a build that needs no network starts none.
pub struct Sources {
    machine: Box<dyn Machine>,
    named: BTreeMap<Origin, Vec<Root>>,
    debian: OnceLock<Vec<Root>>,
    pypi: OnceLock<Vec<Root>>,
    accepts_expired: OnceLock<bool>,
    memo: Option<Arc<Store>>,
}

impl Sources {
    /// Reads what is configured for clnstrt itself.
    ///
    /// # Errors
    /// `SOURCE_INVALID`.
    pub fn discover(args: &SourceArgs) -> Result<Self, Finding> {
        Self::on(Box::new(Here { time_limit: Duration::from_secs(20) }), args)
    }

    fn on(machine: Box<dyn Machine>, args: &SourceArgs) -> Result<Self, Finding> {
        let mut named = given(&args.given)?;
        for origin in ORIGINS {
            let variable = variable(origin);
            if let Some(text) = machine.env(&variable).filter(|_| !named.contains_key(&origin)) {
                let roots: Vec<Root> =
                    text.split_ascii_whitespace().map(|url| Root::parse(url, &variable)).collect::<Result<_, _>>()?;
                if !roots.is_empty() {
                    named.insert(origin, roots);
                }
            }
        }
        if let Some(path) = machine.config_dir().map(|dir| dir.join("clnstrt/sources.yaml"))
            && let Some(text) = machine.read(&path)
        {
            for (origin, roots) in file::parse(&text, &path.display().to_string())? {
                named.entry(origin).or_insert(roots);
            }
        }
        let (debian, pypi, accepts_expired) = Default::default();
        Ok(Self { machine, named, debian, pypi, accepts_expired, memo: None })
    }

    /// Lets slow clients' answers be remembered in the store for a few minutes.
    pub(crate) fn remember_in(&mut self, store: Arc<Store>) {
        self.memo = Some(store);
    }

    /// The endpoints of a source, best first; never empty but for the projects' own releases, whose places the standard
    /// library knows and to which an endpoint here is a mirror. May start the ecosystem's client, which takes up to seconds.
    ///
    /// # Errors
    /// `SOURCE_UNKNOWN`, naming the variable to set.
    pub fn roots(&self, origin: Origin) -> Result<Vec<Root>, Finding> {
        let machine = self.machine.as_ref();
        let roots = match (self.named.get(&origin), origin) {
            (Some(roots), _) => roots,
            (None, Origin::Upstream) => return Ok(Vec::new()),
            (None, Origin::Debian) => self.debian.get_or_init(|| apt::roots(machine)),
            (None, Origin::Pypi) => self.pypi.get_or_init(|| match &self.memo {
                Some(store) => memo::remembered(store, machine, || pip::roots(machine)),
                None => pip::roots(machine),
            }),
        };
        if roots.is_empty() { Err(unknown(origin)) } else { Ok(roots.clone()) }
    }

    /// Whether the machine's apt is set to accept indexes that have expired (`Acquire::Check-Valid-Until "false"`).
    pub fn accepts_expired(&self) -> bool {
        *self.accepts_expired.get_or_init(|| apt::accepts_expired(self.machine.as_ref()))
    }
}

fn given(texts: &[String]) -> Result<BTreeMap<Origin, Vec<Root>>, Finding> {
    let mut roots: BTreeMap<Origin, Vec<Root>> = BTreeMap::new();
    for text in texts {
        let Some((name, url)) = text.split_once('=') else {
            return Err(Finding::error(codes::SOURCE_INVALID, "--source is not of the form NAME=URL")
                .help("For example --source debian=URL."));
        };
        let origin = origin_named(name, "--source")?;
        roots.entry(origin).or_default().push(Root::parse(url, "--source")?);
    }
    Ok(roots)
}

fn origin_named(name: &str, found_in: &str) -> Result<Origin, Finding> {
    ORIGINS.into_iter().find(|origin| origin.name() == name).ok_or_else(|| {
        let known = ORIGINS.map(Origin::name).join(", ");
        Finding::error(codes::SOURCE_INVALID, format!("{found_in} names the source {name:?}, which there is not"))
            .help(format!("Sources are: {known}."))
    })
}

fn variable(origin: Origin) -> String {
    format!("CLNSTRT_SOURCE_{}", origin.name().to_ascii_uppercase())
}

fn unknown(origin: Origin) -> Finding {
    let (name, variable) = (origin.name(), variable(origin));
    let (client, what) = match origin {
        Origin::Debian => (
            "apt-get names no archive over http or https",
            "the root of a Debian archive, which holds dists/ and pool/",
        ),
        Origin::Upstream => ("no client does", "a folder of releases"),
        Origin::Pypi => ("neither pip nor uv names an index", "a simple index (PEP 503), usually ending in /simple"),
    };
    Finding::error(codes::SOURCE_UNKNOWN, format!("no endpoint is known for the source {name}"))
        .because(format!("--source, {variable} and sources.yaml do not name one, and {client}"))
        .help(format!(
            "Set {variable} to the URL of {what}; several, separated by spaces, are mirrors. `--source {name}=URL` does the same once."
        ))
}

/// The user's configuration directory on this machine, as XDG has it.
fn config_dir() -> Option<PathBuf> {
    use etcetera::BaseStrategy as _;
    Some(etcetera::choose_base_strategy().ok()?.config_dir())
}

#[cfg(test)]
mod tests;
