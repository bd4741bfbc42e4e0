//! The versions of each project and what of them each architecture can use, as far as pages and metadata are there.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;
use std::str::FromStr;

use inspect::pypi::{CoreMetadata, FileKind, PageFile, normalize};
use model::lock::Origin;
use model::{Arch, Digest, Finding, Findings, codes};
use pep508_rs::pep440_rs::Version;

use super::Sources;
use super::choice::{Fits, choose, needs_python};
use super::platform::Platform;
use super::requirement::Requirement;
use crate::{Fetched, Metadata, Need, Project};

/// A version of a project, for one architecture.
#[derive(Clone, Debug)]
pub(super) struct Offer<'f> {
    pub(super) version: Version,
    /// The file an image would get, or why there is none.
    pub(super) dist: Result<Dist<'f>, String>,
    /// Why the file was yanked, if it was.
    pub(super) yanked: Option<&'f str>,
}

/// The versions of a project, in the order they are to be tried.
#[derive(Debug, Default)]
pub(super) struct Offers<'f> {
    pub(super) list: Vec<Offer<'f>>,
    places: BTreeMap<Version, usize>,
}

impl<'f> Offers<'f> {
    pub(super) fn find(&self, version: &Version) -> Option<&Offer<'f>> {
        self.list.get(*self.places.get(version)?)
    }
}

/// A wheel, or a source distribution that can be built, by digest.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dist<'f> {
    pub(super) file: &'f PageFile,
    pub(super) sha256: Digest,
}

impl Dist<'_> {
    /// Whether it has to be built.
    pub(super) fn is_source(&self) -> bool {
        matches!(self.file.kind, FileKind::Source(_))
    }
}

/// What was fetched, seen with the eyes of the architectures.
pub(super) struct Catalogue<'f> {
    fetched: &'f Fetched,
    pub(super) platforms: &'f BTreeMap<Arch, Platform>,
    sources: &'f Sources,
    fits: Fits<'f>,
    offers: RefCell<HashMap<(String, Arch), Rc<Offers<'f>>>>,
    requirements: RefCell<HashMap<Digest, Rc<Result<Vec<Requirement>, String>>>>,
    /// Metadata that is not what its wheel promises: no answer may rest on such an index.
    broken: RefCell<BTreeMap<String, Finding>>,
}

impl<'f> Catalogue<'f> {
    pub(super) fn new(fetched: &'f Fetched, platforms: &'f BTreeMap<Arch, Platform>, sources: &'f Sources) -> Self {
        Self {
            fetched,
            platforms,
            sources,
            fits: Fits::default(),
            offers: RefCell::default(),
            requirements: RefCell::default(),
            broken: RefCell::default(),
        }
    }

    pub(super) fn project(&self, name: &str) -> Result<&'f Project, Need> {
        self.fetched.projects.get(name).ok_or_else(|| Need::PypiProject { name: name.to_owned() })
    }

    pub(super) fn metadata(&self, project: &str, dist: &Dist<'_>) -> Result<&'f Metadata, Need> {
        self.fetched.metadata.get(&dist.sha256).ok_or_else(|| Need::PypiMetadata {
            name: project.to_owned(),
            file: dist.file.name.clone(),
            sha256: dist.sha256,
        })
    }

    /// What was found to contradict itself so far.
    pub(super) fn broken(&self) -> Findings {
        self.broken.borrow().values().cloned().collect()
    }

    /// The versions, in the order they are to be tried: those of an earlier lock, then newest first. Empty if the
    /// index does not know the project.
    pub(super) fn offers(&self, project: &str, arch: Arch) -> Result<Rc<Offers<'f>>, Need> {
        let page = match self.project(project)? {
            Project::Absent => return Ok(Rc::default()),
            Project::Page { page, .. } => page,
        };
        let key = (project.to_owned(), arch);
        if let Some(known) = self.offers.borrow().get(&key) {
            return Ok(known.clone());
        }
        let Some(platform) = self.platforms.get(&arch) else { return Ok(Rc::default()) };
        let kept = self.fetched.keep.get(&(Origin::Pypi, project.to_owned()));
        let kept: BTreeSet<Version> =
            kept.into_iter().flatten().filter_map(|text| Version::from_str(text).ok()).collect();
        let releases = page.releases();
        let mut list: Vec<Offer<'f>> = releases
            .map(|(version, files)| self.offer(project, platform, version, &files.collect::<Vec<_>>()))
            .collect();
        list.sort_by_key(|offer| !kept.contains(&offer.version));
        let places = list.iter().enumerate().map(|(at, offer)| (offer.version.clone(), at)).collect();
        let offers = Rc::new(Offers { list, places });
        self.offers.borrow_mut().insert(key, offers.clone());
        Ok(offers)
    }

    fn offer(&self, project: &str, platform: &Platform, version: &Version, files: &[&'f PageFile]) -> Offer<'f> {
        let choice = choose(platform, files, &self.fits, self.sources.of(project));
        let yanked = choice.as_ref().ok().and_then(|dist| dist.file.yanked.as_deref());
        let dist = choice.and_then(|dist| self.check(project, platform, version, &dist).map(|()| dist));
        Offer { version: version.clone(), dist, yanked }
    }

    /// What the metadata says against a file, where it was fetched already.
    fn check(&self, project: &str, platform: &Platform, version: &Version, dist: &Dist<'_>) -> Result<(), String> {
        let Some(metadata) = self.fetched.metadata.get(&dist.sha256) else { return Ok(()) };
        if let Err(finding) = consistent(project, version, dist, metadata) {
            self.broken.borrow_mut().insert(dist.file.name.clone(), *finding);
        }
        if let Some(wanted) = metadata.parsed.requires_python.as_deref().filter(|wanted| !platform.suits(wanted)) {
            return Err(needs_python(wanted, platform));
        }
        self.requirements(dist.sha256, &metadata.parsed).as_ref().as_ref().map(|_| ()).map_err(String::clone)
    }

    /// The requirements of a file, or which of them cannot be read.
    pub(super) fn requirements(&self, dist: Digest, metadata: &CoreMetadata) -> Rc<Result<Vec<Requirement>, String>> {
        let mut known = self.requirements.borrow_mut();
        let parsed = known.entry(dist).or_insert_with(|| {
            let parse = |text: &String| {
                Requirement::parse(text)
                    .map_err(|error| format!("its requirement `{text}` cannot be read: {}", error.message))
            };
            Rc::new(metadata.requires_dist.iter().map(parse).collect())
        });
        parsed.clone()
    }
}

/// Name, version and digest must be what index and file say: else somebody serves the metadata of something else.
fn consistent(project: &str, version: &Version, dist: &Dist<'_>, metadata: &Metadata) -> Result<(), Box<Finding>> {
    let file = &dist.file.name;
    let wrong = |cause: String| {
        Box::new(
            Finding::error(codes::PYPI_BAD_METADATA, format!("the metadata of {file} is not its own"))
                .because(cause)
                .help("The index serves the metadata of something else: `clnstrt-cli sources` shows which index is asked."),
        )
    };
    let parsed = &metadata.parsed;
    if normalize(&parsed.name) != project {
        return Err(wrong(format!("expected the name {project}, found {}", parsed.name)));
    }
    if Version::from_str(&parsed.version).as_ref() != Ok(version) {
        return Err(wrong(format!("expected the version {version}, found {}", parsed.version)));
    }
    match dist.file.metadata.and_then(|hash| hash.sha256) {
        Some(promised) if promised != metadata.digest => {
            Err(wrong(format!("the index promises {promised}, found {}", metadata.digest)))
        }
        _ => Ok(()),
    }
}
