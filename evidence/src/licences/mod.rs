//! The licence report: what packages state, held against the texts of licences that lie beside them.

mod text;

use std::collections::{BTreeMap, BTreeSet};

use model::inventory::Item;
use model::{Digest, Kind, TreePath};
use serde::Serialize;
use spdx::{Expression, ParseMode};

use self::text::{Texts, base};
use crate::bill::{Bill, Component};
use crate::{Licence, sbom};

/// What is known of the licences of an image, over all its architectures.
#[derive(Clone, Debug, Serialize)]
pub struct Licences {
    /// 1.
    pub format: u32,
    /// Of which image.
    pub name: String,
    /// Its version, if it has one.
    pub version: Option<String>,
    /// How many packages have each licence; those of which none is known under `unknown`.
    pub summary: BTreeMap<String, usize>,
    /// Every package, in the order of their ids.
    pub packages: Vec<Licensed>,
    /// Every text of a licence there is, by its digest.
    pub texts: BTreeMap<Digest, Text>,
}

/// What is known of the licence of a package.
#[derive(Clone, Debug, Serialize)]
pub struct Licensed {
    /// As in the bill of materials.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: Option<String>,
    /// What it states, if that is an SPDX expression or means one.
    pub expression: Option<String>,
    /// What it states, if that means no expression.
    pub words: Option<String>,
    /// The licences whose texts were found in its files.
    pub found: BTreeSet<String>,
    /// The texts among its files.
    pub texts: BTreeSet<Digest>,
    /// What comes of holding one against the other.
    pub agreement: Agreement,
}

/// Whether the texts beside a package are those of the licences it states.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Agreement {
    /// Every text that was recognised is of a licence that is stated.
    Agrees,
    /// A text is of another licence.
    Differs,
    /// Nothing is stated, or no text was recognised.
    Unknown,
}

/// A text of licences.
#[derive(Clone, Debug, Serialize)]
pub struct Text {
    /// The licences recognised in it, by their SPDX names.
    pub licences: BTreeSet<String>,
    /// Where it is, in any of the images.
    pub files: BTreeSet<String>,
    /// The text.
    pub text: String,
}

/// How a licence is called that nobody knows.
pub(crate) const UNKNOWN: &str = "unknown";

impl Licences {
    /// What the bills of the architectures of an image say.
    pub fn of(bills: &[Bill<'_>]) -> Self {
        let mut texts = BTreeMap::new();
        let mut packages: BTreeMap<&str, Licensed> = BTreeMap::new();
        for bill in bills {
            let items = &bill.inventory.items;
            for item in items {
                if let Kind::File { digest, .. } = &item.entry.node
                    && let Some(text) = bill.inventory.texts.get(digest)
                {
                    let empty = || Text { licences: BTreeSet::new(), files: BTreeSet::new(), text: text.clone() };
                    texts.entry(*digest).or_insert_with(empty).files.insert(sbom::absolute(&item.path));
                }
            }
            for component in &bill.components {
                let licensed = packages.entry(&component.id).or_insert_with(|| licensed(component));
                let files = component.files.iter().filter_map(|at| items.get(*at));
                let files = files.filter_map(|item| file(item, items));
                licensed.texts.extend(files.filter(|digest| bill.inventory.texts.contains_key(digest)));
            }
        }
        let known = Texts::shipped();
        for text in texts.values_mut() {
            text.licences = known.within(&text.text);
        }
        let mut packages: Vec<Licensed> = packages.into_values().collect();
        let mut summary: BTreeMap<String, usize> = BTreeMap::new();
        for package in &mut packages {
            let found = package.texts.iter().filter_map(|digest| texts.get(digest)).flat_map(|text| &text.licences);
            package.found = found.cloned().collect();
            package.agreement = agreement(package.expression.as_deref(), &package.found);
            let stated = package.expression.clone().unwrap_or_else(|| UNKNOWN.to_owned());
            *summary.entry(stated).or_default() += 1;
        }
        let image = bills.first().map(|bill| &bill.image);
        Self {
            format: 1,
            name: image.map(|image| image.name.clone()).unwrap_or_default(),
            version: image.and_then(|image| image.version.clone()),
            summary,
            packages,
            texts,
        }
    }
}

/// The digest of a file. Where a Debian package has its papers with another's (Debian policy 12.5), that of their copyright file.
fn file(item: &Item, items: &[Item]) -> Option<Digest> {
    match &item.entry.node {
        Kind::File { digest, .. } => Some(*digest),
        Kind::Symlink { target } if !target.contains('/') => {
            let parent = item.path.parent().filter(|parent| parent.as_bytes() == b"usr/share/doc")?;
            let path: TreePath = format!("{}/{target}/copyright", parent.display()).parse().ok()?;
            let at = items.binary_search_by(|item| item.path.cmp(&path)).ok()?;
            match &items.get(at)?.entry.node {
                Kind::File { digest, .. } => Some(*digest),
                _ => None,
            }
        }
        _ => None,
    }
}

fn licensed(component: &Component) -> Licensed {
    let (expression, words) = match &component.licence {
        Some(Licence::Expression(expression)) => (Some(expression.clone()), None),
        Some(Licence::Words(words)) => (None, Some(words.clone())),
        None => (None, None),
    };
    Licensed {
        id: component.id.clone(),
        name: component.name.clone(),
        version: component.version.clone(),
        expression,
        words,
        found: BTreeSet::new(),
        texts: BTreeSet::new(),
        agreement: Agreement::Unknown,
    }
}

fn agreement(expression: Option<&str>, found: &BTreeSet<String>) -> Agreement {
    let stated = expression.and_then(|text| Expression::parse_mode(text, ParseMode::LAX).ok());
    let Some(stated) = stated.filter(|_| !found.is_empty()) else { return Agreement::Unknown };
    let names: BTreeSet<String> = stated
        .requirements()
        .filter_map(|requirement| requirement.req.license.id().map(|id| base(id.name).to_owned()))
        .collect();
    if found.is_subset(&names) { Agreement::Agrees } else { Agreement::Differs }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_of_a_licence_that_is_not_stated_differs() {
        let found = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
        assert_eq!(agreement(Some("MIT OR Apache-2.0"), &found(&["MIT"])), Agreement::Agrees);
        assert_eq!(agreement(Some("GPL-2.0-or-later"), &found(&["GPL-2.0"])), Agreement::Agrees);
        assert_eq!(agreement(Some("MIT"), &found(&["GPL-2.0", "MIT"])), Agreement::Differs);
        assert_eq!(agreement(Some("MIT"), &found(&[])), Agreement::Unknown);
        assert_eq!(agreement(None, &found(&["MIT"])), Agreement::Unknown);
        assert_eq!(agreement(Some("LicenseRef-own"), &found(&["MIT"])), Agreement::Differs);
    }
}
