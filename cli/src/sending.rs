//! Images on their way to registries: what they are called there, and what became of them.

use std::collections::{BTreeMap, BTreeSet};

use audit::Action;
use futures::stream::{self, StreamExt as _};
use model::{Digest, Finding, Findings, Reference, Sources, codes};
use registry::{Client, Named, Sender, Sums, Tag};
use serde::{Serialize, Serializer};

use crate::args::{Format, Sending};
use crate::located::waiting;
use crate::report::{self, Failure};
use crate::saving::Saved;
use crate::signed;
use crate::trail::Trail;
use crate::webhooks::{Released, Webhooks};

/// Images that are sent at once.
const AT_ONCE: usize = 4;

/// Where an image goes: a repository, and its names there.
#[derive(Clone, Serialize)]
pub(crate) struct Job {
    #[serde(rename = "repository")]
    pub(crate) to: Reference,
    pub(crate) digest: Digest,
    #[serde(serialize_with = "names")]
    pub(crate) tags: Vec<Tag>,
}

/// Who hears of what was sent.
pub(crate) struct Told<'t> {
    pub(crate) trail: &'t Trail,
    pub(crate) webhooks: &'t Webhooks,
    /// What the trail calls it.
    pub(crate) action: Action,
}

/// What was done.
#[derive(Serialize)]
pub(crate) struct Sent {
    pub(crate) pushed: Vec<Job>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    saved: Vec<Saved>,
    blobs: Sums,
    #[serde(skip)]
    pub(crate) failed: Findings,
    #[serde(skip)]
    wanted: usize,
}

fn names<S: Serializer>(tags: &[Tag], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(tags.iter().map(|tag| &tag.name))
}

/// Sends images, and tells of those that are there then, with what is said of them there. One that cannot be sent leaves the others
/// whole.
pub(crate) fn send(client: &Client, sender: &Sender<'_>, jobs: Vec<Job>, told: &Told<'_>) -> Result<Sent, Finding> {
    let one = async |job: &Job| {
        let to = client.repository(&job.to)?;
        sender.image(&to, &job.digest, &job.tags).await?;
        // At once: whatever happens to the others, this one is there.
        let added = told.trail.add(told.action, &job.to.to_string(), job.digest, &[("tags", job.names().join(" "))]);
        Ok(added.err())
    };
    let wanted = jobs.len();
    let results: Vec<Result<Option<Finding>, Finding>> =
        waiting()?.block_on(stream::iter(&jobs).map(one).buffered(AT_ONCE).collect());
    let (mut pushed, mut failed) = (Vec::new(), Findings::new());
    for (job, result) in jobs.into_iter().zip(results) {
        match result {
            Ok(unrecorded) => {
                failed.extend(unrecorded.map(|finding| finding.because(format!("{}@{} was sent", job.to, job.digest))));
                pushed.push(job);
            }
            Err(finding) => failed.push(finding.because(format!("{}@{} was to be sent", job.to, job.digest))),
        }
    }
    if !told.webhooks.is_empty() {
        let mut released = Vec::new();
        for job in &pushed {
            match statements(client, job) {
                Ok(statements) => {
                    released.push(Released { job, statements, commit: told.trail.commit().map(str::to_owned) })
                }
                Err(finding) => failed.push(finding.because(format!("nobody was told of {}", job.digest))),
            }
        }
        failed.extend(told.webhooks.tell(&released).unwrap_or_else(Findings::from));
    }
    Ok(Sent { pushed, saved: Vec::new(), blobs: sender.sums(), failed, wanted })
}

/// The types of what refers to an image and to those in it.
fn statements(client: &Client, job: &Job) -> Result<Vec<String>, Finding> {
    let to = client.repository(&job.to)?;
    let referrers = waiting()?.block_on(to.all_referrers(&job.digest))?;
    let kinds: BTreeSet<String> = referrers.iter().filter_map(signed::kind).collect();
    Ok(kinds.into_iter().collect())
}

impl Job {
    /// The image's tags.
    pub(crate) fn names(&self) -> Vec<&str> {
        self.tags.iter().map(|tag| tag.name.as_str()).collect()
    }
}

impl Sent {
    /// The same, and what was saved before.
    pub(crate) fn with(self, saved: Vec<Saved>) -> Self {
        Self { saved, ..self }
    }

    /// Says what was done; fails if not all of it was.
    pub(crate) fn report(self, format: Format) -> Result<(), Failure> {
        match format {
            Format::Json if self.failed.is_empty() => report::print_json(&self)?,
            Format::Json => {}
            _ => self.lines()?,
        }
        self.count();
        if self.failed.is_empty() {
            return Ok(());
        }
        Err(Failure { sources: Sources::default(), findings: self.failed })
    }

    /// A line for each image that is there.
    pub(crate) fn lines(&self) -> Result<(), Finding> {
        for Saved { to, digest } in &self.saved {
            report::line(format_args!("saved    {to}  {digest}"))?;
        }
        self.pushed.iter().try_for_each(|job| {
            report::line(format_args!("pushed   {}@{}  {}", job.to, job.digest, job.names().join(", ")))
        })
    }

    /// What became of blobs, and whether there is more to do: words.
    pub(crate) fn count(&self) {
        if self.wanted == 0 {
            return;
        }
        let Sums { sent, bytes, mounted, found } = self.blobs;
        anstream::eprintln!("{sent} blobs sent, {bytes} bytes; {mounted} from other repositories; {found} were there");
        if self.pushed.len() < self.wanted {
            anstream::eprintln!("{} of {} are there; the same command sends the rest", self.pushed.len(), self.wanted);
        }
    }
}

/// A name in a registry.
pub(crate) fn named(text: &str) -> Result<Reference, Finding> {
    let wrong = |why: String| {
        Finding::error(codes::REFERENCE_INVALID, format!("`{}` {why}", text.escape_debug()))
            .help("name registry and repository: `registry.example/team/app:1.2`")
    };
    let reference = text.parse::<Reference>().map_err(|part| wrong(format!("names no image: {part} is wrong")))?;
    if reference.registry.is_none() { Err(wrong("names no registry".into())) } else { Ok(reference) }
}

/// Which image goes where, under which names. A target that ends in `/` is a place: there each image has its own name.
pub(crate) fn jobs(
    images: &[(&Named, &[String])],
    sending: &Sending,
    commit: Option<&str>,
    architectures: impl Fn(&Named) -> Result<Vec<(String, Digest)>, Finding>,
) -> Result<Vec<Job>, Finding> {
    let usage = |message: String, help: &str| Finding::error(codes::USAGE, message).help(help);
    let mut jobs = Vec::new();
    let mut seen = BTreeMap::new();
    for (image, to) in images {
        for target in *to {
            let place = target.strip_suffix('/');
            let own = |what: &Option<String>, kind: &str| {
                let help = "name repository and tag: `registry.example/team/app:1.2`";
                what.clone().ok_or_else(|| usage(format!("the image {} has no {kind} of its own", image.digest), help))
            };
            let mut reference = match place {
                Some(place) => named(&format!("{place}/{}", own(&image.name, "name")?))?,
                None => named(target)?,
            };
            if reference.digest.take().is_some_and(|digest| digest != image.digest) {
                return Err(usage(format!("{target} is not {}", image.digest), "leave the digest out"));
            }
            let tag = match reference.tag.take() {
                Some(tag) => tag,
                None => own(&image.tag, "tag")?,
            };
            let fixed = |name: String, digest| Tag { name, digest, moves: sending.move_tags };
            let mut tags = vec![fixed(tag.clone(), image.digest)];
            tags.extend(sending.tags.iter().map(|tag| fixed(tag.clone(), image.digest)));
            if sending.commit_tag {
                let help = "a CI run says for which commit it is in its environment; elsewhere write `--tag`";
                let commit = commit.ok_or_else(|| usage("no commit is known to this command".to_owned(), help))?;
                tags.push(fixed(commit.to_owned(), image.digest));
            }
            if sending.arch_tags {
                tags.extend(architectures(image)?.into_iter().map(|(arch, of)| fixed(format!("{tag}-{arch}"), of)));
            }
            tags.extend(sending.latest.then(|| Tag { name: "latest".into(), digest: image.digest, moves: true }));
            let mut new = Vec::new();
            for tag in tags {
                let name = format!("{reference}:{}", tag.name);
                if !model::is_tag(&tag.name) {
                    return Err(usage(format!("`{}` is no tag", tag.name.escape_debug()), "name another one"));
                }
                match seen.insert(name.clone(), tag.digest) {
                    None => new.push(tag),
                    Some(digest) if digest == tag.digest => {}
                    Some(_) => {
                        let help = "let the target end in `/`: each image has its own name there then";
                        return Err(usage(format!("several images would be called {name}"), help));
                    }
                }
            }
            if !new.is_empty() {
                jobs.push(Job { to: reference, digest: image.digest, tags: new });
            }
        }
    }
    Ok(jobs)
}
