//! Runs the resolvers: fetches what they need, hands it in, calls again, until they are done.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use compiler::{Answer, Fetched, Metadata, Need, Project as PypiProject, Resolved};
use inspect::pypi::{CoreMetadata, Page};
use model::config::Config;
use model::lock::{Lock, Origin, Release};
use model::{Arch, Digest, Finding, Findings, codes};
use runtime::fetch::Fetcher;
use runtime::prove;

use crate::session::{Session, now};

/// More rounds than any real resolution takes; a resolver that keeps asking is stopped here.
const MAX_ROUNDS: usize = 500;

/// Which versions of an earlier lock stay.
pub(crate) enum Keep<'a> {
    /// None: everything is chosen anew.
    Nothing,
    /// All of them where possible.
    All(&'a Lock),
    /// All but those of one name.
    AllBut(&'a Lock, &'a str),
}

/// Resolves one configuration after another; what was fetched for one is there for the next, and all stand on the same
/// releases.
pub(crate) struct Resolver<'s> {
    session: &'s Session,
    fetched: Fetched,
    releases: BTreeMap<String, Release>,
}

impl<'s> Resolver<'s> {
    pub(crate) fn new(session: &'s Session) -> Self {
        Self { session, fetched: Fetched::default(), releases: BTreeMap::new() }
    }

    /// Resolves a configuration into a lock, with what is to be warned of.
    pub(crate) fn resolve(&mut self, config: &Config, keep: &Keep) -> Result<(Lock, Findings), Findings> {
        self.fetched.keep = kept(keep);
        self.session.wait(self.run(config))
    }

    async fn run(&mut self, config: &Config) -> Result<(Lock, Findings), Findings> {
        for _ in 0..MAX_ROUNDS {
            match compiler::resolve(config, &self.fetched) {
                Answer::Need(needs) => supply(self.session, needs, &mut self.fetched, &mut self.releases).await?,
                Answer::Conflict(findings) => return Err(findings),
                Answer::Done(resolved) => {
                    let warnings = resolved.pins.warnings.clone();
                    let lock = compiler::lock(config, Resolved::clone(&resolved), &self.releases);
                    verify_releases(self.session, &lock).await?;
                    return Ok((lock, warnings));
                }
            }
        }
        let message = format!("resolution is not done after {MAX_ROUNDS} rounds of metadata");
        Err(Finding::error(codes::RESOLUTION_UNBOUNDED, message)
            .help("limit the versions of the packages named")
            .into())
    }
}

/// Fetches the releases of source code in a lock, and checks who signed them, before it is said that somebody did.
async fn verify_releases(session: &Session, lock: &Lock) -> Result<(), Findings> {
    session.fetcher.files(runtime::debian::releases(lock)).await?;
    let releases = lock.nodes.values().filter(|node| node.origin == Origin::Upstream);
    let now = now();
    let findings = releases.filter_map(|node| prove::release(&session.store, node, &session.trust, now).err());
    let findings: Findings = findings.collect();
    if findings.is_empty() { Ok(()) } else { Err(findings) }
}

fn kept(keep: &Keep) -> BTreeMap<(Origin, String), BTreeSet<String>> {
    let (lock, but) = match keep {
        Keep::Nothing => return BTreeMap::new(),
        Keep::All(lock) => (lock, None),
        Keep::AllBut(lock, name) => (lock, Some(*name)),
    };
    let mut kept: BTreeMap<_, BTreeSet<String>> = BTreeMap::new();
    for node in lock.nodes.values().filter(|node| Some(node.name.as_str()) != but) {
        kept.entry((node.origin, node.name.clone())).or_default().insert(node.version.clone());
    }
    kept
}

async fn supply(
    session: &Session,
    needs: Vec<Need>,
    fetched: &mut Fetched,
    releases: &mut BTreeMap<String, Release>,
) -> Result<(), Findings> {
    let mut suites: BTreeMap<String, Vec<Arch>> = BTreeMap::new();
    let (mut projects, mut metadata) = (Vec::new(), Vec::new());
    for need in needs {
        match need {
            Need::DebianIndex { suite, arch } => suites.entry(suite).or_default().push(arch),
            Need::PypiProject { name } => projects.push(project(&session.fetcher, name)),
            Need::PypiMetadata { name, file, sha256 } => metadata.push(core_metadata(session, name, file, sha256)),
        }
    }
    let now = now();
    let suites = suites.into_iter().map(|(suite, arches)| async move {
        let acquired =
            runtime::debian::acquire(&session.fetcher, &session.store, &session.trust, &suite, &arches, now).await;
        acquired.map(|acquired| (suite, acquired))
    });
    let (suites, projects, metadata) = futures::join!(
        futures::future::join_all(suites),
        futures::future::join_all(projects),
        futures::future::join_all(metadata),
    );
    let mut findings = Findings::new();
    for outcome in suites {
        match outcome {
            Ok((suite, acquired)) => {
                fetched.debian.extend(acquired.indexes.into_iter().map(|(arch, index)| ((suite.clone(), arch), index)));
                // All architectures of a suite are asked for at once, so its indexes are of one release.
                releases.insert(suite, acquired.release);
            }
            Err(found) => findings.extend(found),
        }
    }
    for outcome in projects {
        match outcome {
            Ok((name, project)) => drop(fetched.projects.insert(name, project)),
            Err(finding) => findings.push(finding),
        }
    }
    for outcome in metadata {
        match outcome {
            Ok((sha256, metadata)) => drop(fetched.metadata.insert(sha256, metadata)),
            Err(finding) => findings.push(finding),
        }
    }
    if findings.is_empty() { Ok(()) } else { Err(findings) }
}

async fn project(fetcher: &Fetcher, name: String) -> Result<(String, PypiProject), Finding> {
    let project = match fetcher.pypi_page(&name).await? {
        None => PypiProject::Absent,
        Some(answer) => {
            let (of, over_tls) = (name.clone(), answer.over_tls);
            let parse = move || Page::parse(&answer.bytes, &answer.content_type, &of);
            PypiProject::Page { page: Arc::new(aside(parse).await?), over_tls }
        }
    };
    Ok((name, project))
}

async fn core_metadata(
    session: &Session,
    name: String,
    file: String,
    sha256: Digest,
) -> Result<(Digest, Metadata), Finding> {
    let (bytes, build) = if file.ends_with(".whl") {
        (session.fetcher.wheel_metadata(&name, &file, &sha256).await?, None)
    } else {
        let said = session.fetcher.sdist(&name, &file, &sha256).await?;
        (said.metadata, Some(said.build))
    };
    let parsed = CoreMetadata::parse(&bytes).map_err(|finding| finding.because(format!("it was served for {file}")))?;
    Ok((sha256, Metadata { parsed: Arc::new(parsed), digest: Digest::of(&bytes), build }))
}

/// Computes on a thread of its own, so that several documents are read at once.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> Result<T, Finding> + Send + 'static) -> Result<T, Finding> {
    let failed = |e: tokio::task::JoinError| {
        Finding::error(codes::STORE_IO, "a document was not read to its end").because(e.to_string())
    };
    tokio::task::spawn_blocking(work).await.map_err(failed)?
}
