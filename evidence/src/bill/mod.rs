//! What an image is made of: packages of the lock and packages found in it, as one list of components.

use std::collections::{BTreeMap, BTreeSet};

use model::Digest;
use model::inventory::{Ecosystem, Found, Inventory, Item};
use model::lock::{Asker, Lock, Node, Origin, Proof, Resolution};

use crate::Licence;

/// The image of one architecture, as documents name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// Its name.
    pub name: String,
    /// Its version, if it has one.
    pub version: Option<String>,
    /// As its configuration calls it.
    pub architecture: String,
    /// Digest of its manifest, where one is known.
    pub manifest: Option<Digest>,
    /// Digests of the layers as they are delivered, bottom first; none where nothing names them.
    pub layers: Vec<Digest>,
    /// The one time there is, seconds since 1970.
    pub created: i64,
}

/// What kind of component it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A package.
    Library,
    /// What the author's own files are.
    Application,
}

/// Something that was put into an image as a whole, or came along with that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Component {
    /// Unlike that of any other component: its package URL, with more behind it where several have the same.
    pub id: String,
    /// What kind.
    pub kind: Kind,
    /// Package URL (ECMA-427).
    pub purl: Option<String>,
    /// What its ecosystem puts before the name.
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: Option<String>,
    /// What it states of its licence.
    pub licence: Option<Licence>,
    /// Who answers for it.
    pub supplier: Option<String>,
    /// Its home page.
    pub homepage: Option<String>,
    /// One line about it.
    pub description: Option<String>,
    /// SHA-256 of the file it was unpacked or compiled from.
    pub sha256: Option<Digest>,
    /// That file's name.
    pub file: Option<String>,
    /// What vouches for it, in a word: `openpgp`, `dsc`, `index-hash`, `unsigned-upstream`.
    pub verification: Option<&'static str>,
    /// The source package it was made from, with its version.
    pub source: Option<(String, String)>,
    /// It was compiled where the image was made.
    pub built_here: bool,
    /// Its name in the dictionary of CPE names (CPE 2.3), where somebody here looked it up.
    pub cpe: Option<String>,
    /// Where the project itself has that file.
    pub url: Option<String>,
    /// The layer most of it is in, from 0 at the bottom.
    pub layer: Option<u32>,
    /// Indexes into [`Inventory::items`]: its files.
    pub files: Vec<usize>,
    /// Index into [`Bill::components`]: what brought it along.
    pub holder: Option<usize>,
    /// Where it is in an archive: names of members.
    pub inside: Vec<String>,
}

/// Everything in an image.
#[derive(Clone, Debug)]
pub struct Bill<'i> {
    /// Of which image.
    pub image: Image,
    /// What was found in it.
    pub inventory: &'i Inventory,
    /// In the order of their ids.
    pub components: Vec<Component>,
    /// What each needs, and in which words; indexes into [`Bill::components`]. What came along is needed without a word.
    pub needs: BTreeMap<usize, BTreeMap<usize, Vec<String>>>,
    /// What the image itself asked for, and who did so in which words.
    pub roots: BTreeMap<usize, Vec<(Asker, String)>>,
    /// Whether `needs` and `roots` are all there are: of an image built here they are.
    pub is_complete: bool,
}

/// What is known of where things came from: the lock an image was built from.
#[derive(Clone, Copy)]
pub struct Locked<'l> {
    /// The lock.
    pub lock: &'l Lock,
    /// What it has for the image.
    pub resolution: &'l Resolution,
}

impl<'i> Bill<'i> {
    /// The bill of what was found in an image, and of what a lock says of it.
    pub fn new(image: Image, inventory: &'i Inventory, locked: Option<Locked<'_>>) -> Self {
        let mut drafts = Drafts::new(inventory);
        if let Some(Locked { lock, resolution }) = locked {
            for (id, node) in lock.nodes_of(resolution) {
                drafts.locked(id, node);
            }
        }
        drafts.found();
        drafts.parts();
        let Drafts { mut components, of_found, .. } = drafts;
        for (number, found) in inventory.packages.iter().enumerate() {
            let holder = found.holder.and_then(|holder| of_found.get(&(holder as usize)).copied());
            if let Some(own) = of_found.get(&number).copied()
                && let Some(component) = components.get_mut(own)
                && component.holder.is_none()
                && holder != Some(own)
            {
                component.holder = holder;
            }
        }
        let mut bill = Self {
            image,
            inventory,
            components,
            needs: BTreeMap::new(),
            roots: BTreeMap::new(),
            is_complete: locked.is_some(),
        };
        bill.sort();
        bill.relate(locked);
        bill
    }

    /// The files of the image that belong to no component: what the base is put together from besides packages.
    pub fn loose(&self) -> impl Iterator<Item = (usize, &Item)> {
        let owned: BTreeSet<usize> =
            self.components.iter().flat_map(|component| component.files.iter().copied()).collect();
        let is_loose = move |(at, item): &(usize, &Item)| !owned.contains(at) && item.entry.node != model::Kind::Dir;
        self.inventory.items.iter().enumerate().filter(is_loose)
    }

    /// Puts components into the order of their ids, which are made unlike each other.
    fn sort(&mut self) {
        let mut order: Vec<usize> = (0..self.components.len()).collect();
        let key = |at: &usize| {
            self.components.get(*at).map(|one| (one.id.clone(), one.files.first().copied(), one.inside.clone()))
        };
        order.sort_by_key(key);
        let place: BTreeMap<usize, usize> = order.iter().enumerate().map(|(new, old)| (*old, new)).collect();
        let mut sorted: Vec<Component> = order.iter().filter_map(|at| self.components.get(*at).cloned()).collect();
        let mut seen: BTreeMap<String, u32> = BTreeMap::new();
        for component in &mut sorted {
            component.holder = component.holder.and_then(|holder| place.get(&holder).copied());
            let count = seen.entry(component.id.clone()).or_default();
            *count += 1;
            if *count > 1 {
                component.id = format!("{}#{count}", component.id);
            }
        }
        self.components = sorted;
    }

    /// Who needs whom, from the lock; what came along with something is needed by it.
    fn relate(&mut self, locked: Option<Locked<'_>>) {
        for (number, component) in self.components.iter().enumerate() {
            if let Some(holder) = component.holder {
                self.needs.entry(holder).or_default().entry(number).or_default();
            }
        }
        let Some(Locked { lock, resolution }) = locked else { return };
        let of_id: BTreeMap<&str, usize> =
            self.components.iter().enumerate().map(|(at, one)| (one.id.as_str(), at)).collect();
        let nodes: Vec<(&str, &Node)> = lock.nodes_of(resolution).collect();
        let named: BTreeMap<(Origin, &str), usize> =
            nodes.iter().filter_map(|(id, node)| Some(((node.origin, node.name.as_str()), *of_id.get(id)?))).collect();
        for (id, node) in nodes {
            let Some(own) = of_id.get(id).copied() else { continue };
            for edge in &node.requires {
                if let Some(needed) =
                    named.get(&(edge.origin, edge.name.as_str())).copied().filter(|needed| *needed != own)
                {
                    let words = self.needs.entry(own).or_default().entry(needed).or_default();
                    words.push(edge.requirement.clone());
                }
            }
        }
        for root in &resolution.roots {
            if let Some(number) = named.get(&(root.edge.origin, root.edge.name.as_str())) {
                self.roots.entry(*number).or_default().push((root.by, root.edge.requirement.clone()));
            }
        }
        let own = self.components.iter().enumerate().filter(|(_, component)| component.kind == Kind::Application);
        for (number, _) in own {
            self.roots.entry(number).or_default();
        }
    }
}

/// Components while they are put together.
struct Drafts<'i> {
    inventory: &'i Inventory,
    components: Vec<Component>,
    /// The component of each package found.
    of_found: BTreeMap<usize, usize>,
    /// The parts of the inventory that have a component.
    taken: BTreeSet<usize>,
    /// The items of each part.
    files_of_part: BTreeMap<usize, Vec<usize>>,
}

impl<'i> Drafts<'i> {
    fn new(inventory: &'i Inventory) -> Self {
        let mut files_of_part: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (at, item) in inventory.items.iter().enumerate() {
            if let Some(part) = item.part {
                files_of_part.entry(part as usize).or_default().push(at);
            }
        }
        Self { inventory, components: Vec::new(), of_found: BTreeMap::new(), taken: BTreeSet::new(), files_of_part }
    }

    /// A package of the lock, with what is found of it.
    fn locked(&mut self, id: &str, node: &Node) {
        let ecosystem = match node.origin {
            Origin::Debian => Some(Ecosystem::Deb),
            Origin::Pypi => Some(Ecosystem::Pypi),
            Origin::Upstream => None,
        };
        let part = self.inventory.parts.iter().position(|part| part == id);
        let found = self.inventory.packages.iter().enumerate().find(|(_, found)| {
            let same = Some(found.ecosystem) == ecosystem && found.name == node.name && found.holder.is_none();
            same && (part.is_none() || self.part_of(found) == part)
        });
        let number = self.components.len();
        let mut component = match found {
            Some((at, found)) => {
                self.of_found.insert(at, number);
                self.of(found)
            }
            None => empty(Kind::Library, node.name.clone()),
        };
        component.id = id.to_owned();
        component.purl = Some(id.to_owned());
        component.version = Some(node.version.clone());
        component.licence = node.license.as_deref().map(Licence::of).or(component.licence);
        component.sha256 = Some(node.sha256);
        component.file = Some(node.file.rsplit('/').next().unwrap_or(&node.file).to_owned());
        component.verification = Some(verification(&node.proof));
        component.built_here = is_compiled_here(node);
        if node.origin == Origin::Upstream
            && let Some(Ok(project)) = stdlib::source::project(&node.name)
        {
            let release = project.releases.iter().find(|release| release.source.sha256 == node.sha256);
            component.url = release.and_then(|release| release.source.url.clone());
            component.cpe = Some(format!("cpe:2.3:{}:{}:*:*:*:*:*:*:*", project.cpe, node.version));
        }
        if let Some(part) = part {
            component.files = self.files_of_part(part);
            self.taken.insert(part);
        }
        component.layer = self.layer(&component.files);
        self.components.push(component);
    }

    /// The packages found that the lock does not know: all of an image that was not built here, and what others bring along.
    fn found(&mut self) {
        for (at, found) in self.inventory.packages.iter().enumerate() {
            if self.of_found.contains_key(&at) {
                continue;
            }
            let mut component = self.of(found);
            let purl = found.purl(&self.inventory.distribution);
            component.id.clone_from(&purl);
            component.purl = Some(purl);
            component.layer = self.layer(&component.files);
            self.of_found.insert(at, self.components.len());
            self.components.push(component);
        }
    }

    /// What else was put in as a whole: the author's own files.
    fn parts(&mut self) {
        for (part, name) in self.inventory.parts.iter().enumerate() {
            if self.taken.contains(&part) || !["application", "configuration", "scripts"].contains(&name.as_str()) {
                continue;
            }
            let files = self.files_of_part(part);
            if files.is_empty() {
                continue;
            }
            let mut component = empty(Kind::Application, name.clone());
            component.layer = self.layer(&files);
            component.files = files;
            component.id.clone_from(name);
            self.components.push(component);
        }
    }

    fn of(&self, found: &Found) -> Component {
        let items = &self.inventory.items;
        let place = |path| items.binary_search_by(|item| item.path.cmp(path)).ok();
        Component {
            namespace: found.namespace.clone(),
            version: found.version.clone(),
            licence: found.licence.as_deref().map(match found.ecosystem {
                Ecosystem::Deb => Licence::of_debian,
                _ => Licence::of,
            }),
            supplier: found.supplier.clone(),
            homepage: found.homepage.clone(),
            description: found.description.clone(),
            source: found.source.clone(),
            files: found.files.iter().filter_map(place).collect(),
            inside: found.inside.clone(),
            ..empty(Kind::Library, found.name.clone())
        }
    }

    fn part_of(&self, found: &Found) -> Option<usize> {
        let at = self.inventory.items.binary_search_by(|item| item.path.cmp(&found.record)).ok()?;
        self.inventory.items.get(at)?.part.map(|part| part as usize)
    }

    fn files_of_part(&self, part: usize) -> Vec<usize> {
        self.files_of_part.get(&part).cloned().unwrap_or_default()
    }

    /// The layer most of some files are in; of as many, the lowest.
    fn layer(&self, files: &[usize]) -> Option<u32> {
        let mut counts: BTreeMap<u32, usize> = BTreeMap::new();
        files
            .iter()
            .filter_map(|at| self.inventory.items.get(*at))
            .for_each(|item| *counts.entry(item.layer).or_default() += 1);
        counts.into_iter().max_by_key(|(layer, count)| (*count, std::cmp::Reverse(*layer))).map(|(layer, _)| layer)
    }
}

/// What vouches for a package, in a word.
pub(crate) fn verification(proof: &Proof) -> &'static str {
    match proof {
        Proof::VerifiedByOpenpgp { .. } | Proof::VerifiedBySignature { .. } => "openpgp",
        Proof::VerifiedByDsc { .. } => "dsc",
        Proof::IndexHash => "index-hash",
        Proof::UnsignedUpstream => "unsigned-upstream",
    }
}

/// Whether a package is source code, which is compiled where the image is made.
pub(crate) fn is_compiled_here(node: &Node) -> bool {
    node.origin == Origin::Upstream || node.build.is_some()
}

fn empty(kind: Kind, name: String) -> Component {
    Component {
        id: String::new(),
        kind,
        purl: None,
        namespace: None,
        name,
        version: None,
        licence: None,
        supplier: None,
        homepage: None,
        description: None,
        sha256: None,
        file: None,
        verification: None,
        source: None,
        built_here: false,
        cpe: None,
        url: None,
        layer: None,
        files: Vec::new(),
        holder: None,
        inside: Vec::new(),
    }
}
