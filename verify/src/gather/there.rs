//! Evidence in registries.

use std::cell::Cell;
use std::pin::pin;
use std::slice;
use std::time::Duration;

use futures::stream::{self, StreamExt as _};
use model::{Digest, Finding, Reference, codes};
use registry::{Client, Document, Options, Repository, Source, Top, Wanted, save};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use verifier::{Answer, Beside, Depth, Found, LARGEST_STATEMENT, Need};

use crate::args::Machine;

/// What is asked for at once.
const AT_ONCE: usize = 8;

/// Bytes that memory is set aside for on a registry's word.
const RESERVED: usize = 4 << 20;

/// Whoever waits for a verdict waits no longer, whatever a registry wishes.
const DEADLINE: Duration = Duration::from_secs(300);

/// A repository, and one of its images.
pub(crate) struct There {
    pub(crate) reference: Reference,
    runtime: Runtime,
    client: Client,
    /// What a name stood for, once.
    top: Document,
    /// Its layers were taken, and are what their names say.
    has_layers: Cell<bool>,
}

impl There {
    pub(crate) fn at(machine: &Machine, reference: Reference) -> Result<Self, Finding> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime =
            runtime.map_err(|e| Finding::error(codes::REGISTRY_FAILED, format!("no request can be made: {e}")))?;
        let stall = Duration::from_secs(machine.timeout);
        let options = Options { stall, plain_http: machine.plain_http, deadline: DEADLINE, ..Options::default() };
        let client = Client::new(options);
        let top = runtime.block_on(async { client.repository(&reference)?.named(&reference).await })?;
        Ok(Self { reference, runtime, client, top, has_layers: Cell::new(false) })
    }

    pub(crate) fn digest(&self) -> Digest {
        self.top.digest
    }

    /// Takes the image with its layers, which are compared with their digests on the way.
    pub(super) fn download(&self) -> Result<TempDir, Finding> {
        let failed =
            |e: std::io::Error| Finding::error(codes::OUTPUT_IO, format!("no temporary folder can be made: {e}"));
        let folder = tempfile::tempdir().map_err(failed)?;
        let of_digest = Reference { tag: None, digest: Some(self.top.digest), ..self.reference.clone() };
        // Layers take their time: what is waited for a verdict is for documents.
        let Options { stall, plain_http, .. } = self.client.options().clone();
        let client = Client::new(Options { stall, plain_http, ..Options::default() });
        let download = async {
            let top = Top::named(&client, &of_digest).await?;
            let source = Source::Repository(client.repository(&self.reference)?);
            save(&source, &[top], Wanted::Images(None), folder.path()).await
        };
        self.runtime.block_on(download)?;
        self.has_layers.set(true);
        Ok(folder)
    }

    /// Many at once. What fails without a fault of the image is added to `failed`.
    pub(super) fn answers(&self, needs: &[Need], mut give: impl FnMut(Found), failed: &mut Vec<Finding>) {
        let repository = match self.client.repository(&self.reference) {
            Ok(repository) => repository,
            Err(finding) => return failed.push(finding),
        };
        let answers = stream::iter(needs).map(async |need| (*need, self.answer(&repository, need).await));
        let mut answers = pin!(answers.buffered(AT_ONCE));
        while let Some((need, answer)) = self.runtime.block_on(answers.next()) {
            let answer = answer.unwrap_or_else(|finding| {
                let words = [slice::from_ref(&finding.message), &finding.causes].concat().join(": ");
                match finding.code {
                    codes::REGISTRY_MISSING => Answer::Missing,
                    codes::REGISTRY_LIES => Answer::Wrong(words),
                    _ => {
                        failed.push(finding);
                        Answer::Wrong(words)
                    }
                }
            });
            give(need.read(answer, Depth::default()));
        }
    }

    async fn answer(&self, repository: &Repository<'_>, need: &Need) -> Result<Answer, Finding> {
        let found = |bytes: Option<Vec<u8>>| bytes.map_or(Answer::Missing, Answer::Bytes);
        match need {
            Need::Manifest(digest) if *digest == self.top.digest => Ok(Answer::Bytes(self.top.bytes.clone())),
            Need::Manifest(digest) | Need::Referrer(digest) => {
                Ok(found(repository.manifest(&digest.to_string()).await?.map(|document| document.bytes)))
            }
            Need::Config(digest, size) | Need::Document(digest, size) => {
                let most = (*size).min(LARGEST_STATEMENT);
                let mut bytes = Vec::with_capacity(usize::try_from(most).unwrap_or_default().min(RESERVED));
                let sink = |piece: &[u8]| {
                    bytes.extend_from_slice(piece);
                    Ok(())
                };
                repository.read_blob(digest, most, sink).await?;
                Ok(Answer::Bytes(bytes))
            }
            Need::Layer(..) if self.has_layers.get() => Ok(Answer::Holds),
            Need::Layer(..) => Ok(Answer::Missing),
            Need::Referrers(digest) => {
                let listed = repository.referrers(digest).await?;
                Ok(Answer::Listed(listed.into_iter().map(|one| one.digest).collect()))
            }
            Need::Beside(digest, beside) => {
                Ok(found(repository.beside(digest, tag(*beside)).await?.map(|document| document.bytes)))
            }
        }
    }
}

/// The same tag, as registries name it.
pub(super) fn tag(beside: Beside) -> registry::Beside {
    match beside {
        Beside::Signatures => registry::Beside::Signatures,
        Beside::Attestations => registry::Beside::Attestations,
    }
}
