//! Which file of a version an architecture gets.

use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

use inspect::pypi::{FileKind, PageFile, WheelName};
use model::{Arch, Digest};

use super::Source;
use super::catalogue::Dist;
use super::platform::{Misfit, Platform, Rank};

/// The best wheel: what was not yanked first, then by tag and build tag, as pip chooses. Where there is none, the source
/// distribution; else why there is neither.
pub(super) fn choose<'f>(
    platform: &Platform,
    files: &[&'f PageFile],
    known: &Fits<'f>,
    source: Source,
) -> Result<Dist<'f>, String> {
    let mut against = Against { source, ..Against::default() };
    let mut best: Option<(Preference, Dist<'f>)> = None;
    let mut sources: Vec<Dist<'f>> = Vec::new();
    for file in files {
        let name = match &file.kind {
            FileKind::Wheel(_) if source == Source::Only => continue,
            FileKind::Wheel(name) => name,
            FileKind::Source(_) => {
                sources.extend(built(platform, file, &mut against));
                continue;
            }
            FileKind::Other => continue,
        };
        let fit = known.of(platform, file, name);
        match fits(platform, file, fit, &mut against) {
            Some((rank, sha256)) => {
                let key = (file.yanked.is_some(), rank, Reverse(&name.build), file.name.as_str());
                if best.as_ref().is_none_or(|(other, _)| key < *other) {
                    best = Some((key, Dist { file, sha256 }));
                }
            }
            None => against.wheels = true,
        }
    }
    let source = sources.into_iter().min_by_key(|dist| (dist.file.yanked.is_some(), &dist.file.name));
    best.map(|(_, dist)| dist).or(source).ok_or_else(|| against.reason(platform))
}

/// A source distribution that can be built here.
fn built<'f>(platform: &Platform, file: &'f PageFile, against: &mut Against) -> Option<Dist<'f>> {
    let is_tar = [".tar.gz", ".tgz", ".tar.bz2", ".tar.xz"].iter().any(|ending| file.name.ends_with(ending));
    against.unread |= !is_tar;
    against.sources = true;
    if !is_tar || against.source == Source::Never || !suits(platform, file, against) {
        return None;
    }
    against.no_digest |= file.sha256.is_none();
    Some(Dist { file, sha256: file.sha256? })
}

fn suits(platform: &Platform, file: &PageFile, against: &mut Against) -> bool {
    match file.requires_python.as_deref().filter(|wanted| !platform.suits(wanted)) {
        Some(wanted) => {
            against.python.get_or_insert_with(|| wanted.to_owned());
            false
        }
        None => true,
    }
}

fn fits(platform: &Platform, file: &PageFile, fit: Rc<Fit>, against: &mut Against) -> Option<(Rank, Digest)> {
    let Ok(rank) = *fit else {
        against.misfits.push(fit);
        return None;
    };
    if !suits(platform, file, against) {
        return None;
    }
    against.no_digest |= file.sha256.is_none();
    Some((rank, file.sha256?))
}

/// The rank of a wheel's tags, or what speaks against them.
type Fit = Result<Rank, BTreeSet<Misfit>>;

/// Smaller is better: not yanked, tag, newest build, and the name, so that the choice never depends on order.
type Preference<'f> = (bool, Rank, Reverse<&'f Option<(u64, String)>>, &'f str);

/// How tags fit, remembered: the versions of a project share theirs.
#[derive(Default)]
pub(super) struct Fits<'f>(RefCell<HashMap<(Arch, &'f str), Rc<Fit>>>);

impl<'f> Fits<'f> {
    fn of(&self, platform: &Platform, file: &'f PageFile, name: &WheelName) -> Rc<Fit> {
        let tags = file.name.rmatch_indices('-').nth(2).and_then(|(at, _)| file.name.get(at..)).unwrap_or(&file.name);
        let mut known = self.0.borrow_mut();
        known.entry((platform.arch, tags)).or_insert_with(|| Rc::new(platform.rank(name))).clone()
    }
}

/// What speaks against the files of a version.
#[derive(Default)]
struct Against {
    wheels: bool,
    /// Whether there are source distributions, and one in a format that is not read.
    sources: bool,
    unread: bool,
    source: Source,
    no_digest: bool,
    python: Option<String>,
    misfits: Vec<Rc<Fit>>,
}

impl Against {
    fn reason(self, platform: &Platform) -> String {
        if let Some(wanted) = self.python {
            return needs_python(&wanted, platform);
        }
        if self.no_digest {
            return "the index gives no sha256 for it, so nothing could be checked".to_owned();
        }
        let source = match self.source {
            _ if !self.sources => "no source distribution",
            Source::Never => "a source distribution, but what things are built with has to be a wheel",
            _ if self.unread => "a source distribution, but not as a .tar archive",
            _ => "a source distribution",
        };
        if !self.wheels {
            return format!("no wheel, and {source}");
        }
        let misfits: BTreeSet<&Misfit> =
            self.misfits.iter().filter_map(|fit| fit.as_ref().as_ref().err()).flatten().collect();
        let there = platform.describe(&misfits).join("; ");
        format!(
            "no wheel for {} with Python {}: there are wheels {there}; and {source}",
            platform.arch, platform.python
        )
    }
}

pub(super) fn needs_python(wanted: &str, platform: &Platform) -> String {
    format!("it is for Python {wanted}, and the image has {}", platform.python)
}
