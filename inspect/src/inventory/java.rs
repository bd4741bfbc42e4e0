//! Java archives, and those within them: Maven's `pom.properties`, else the manifest, else the file's own name.

use std::io::{Cursor, Read as _};

use model::TreePath;
use model::inventory::{Ecosystem, Found};

use super::{Content, Told, file_name, said};
use crate::archive::Limits;
use crate::archive::zip::Zip;

/// How deep archives may lie in archives: a library in an application in an enterprise archive, and one more.
const DEEPEST: usize = 4;
/// Bytes that all archives within one archive may have together.
const MOST_WITHIN: u64 = 128 << 20;
/// Archives that may lie within one archive together.
const MOST_ARCHIVES: usize = 4096;
/// Bytes of a record.
const LARGEST_RECORD: u64 = 1 << 20;
const ENDINGS: [&str; 7] = [".jar", ".war", ".ear", ".sar", ".par", ".jpi", ".hpi"];

pub(super) fn is_archive(path: &[u8]) -> bool {
    std::str::from_utf8(file_name(path)).is_ok_and(is_named)
}

fn is_named(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ENDINGS.iter().any(|ending| name.ends_with(ending))
}

pub(super) fn archive(path: &TreePath, content: &mut dyn Content) -> Told {
    let mut reading = Reading { path, told: Told::default(), left: MOST_WITHIN, archives: 0 };
    let name = String::from_utf8_lossy(file_name(path.as_bytes())).into_owned();
    reading.archive(content, &name, &[], None);
    reading.told
}

/// An archive on its way to what it tells.
struct Reading<'p> {
    path: &'p TreePath,
    told: Told,
    /// Bytes that archives within may still have.
    left: u64,
    /// Archives so far.
    archives: usize,
}

/// What the members of one archive say.
#[derive(Default)]
struct Records {
    manifest: Vec<(String, String)>,
    poms: Vec<Found>,
    /// Archives in it, by the member's name.
    within: Vec<(String, Vec<u8>)>,
}

impl Reading<'_> {
    /// Reads the archive that lies at `inside` in the file; what it holds is held by its own package.
    fn archive(&mut self, content: &mut dyn Content, name: &str, inside: &[String], holder: Option<u32>) {
        let records = match self.records(content, inside.len()) {
            Ok(records) => records,
            Err(why) => {
                let at = inside.iter().map(|member| format!("{member}: ")).collect::<String>();
                self.told.unread.get_or_insert(format!("{at}{why}"));
                return;
            }
        };
        let Records { manifest, mut poms, within } = records;
        let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
        let named_so = |pom: &Found| {
            let rest = stem.strip_prefix(pom.name.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
        };
        let own = poms.iter().position(named_so).or((poms.len() == 1).then_some(0));
        let mut own = match own {
            Some(at) => poms.remove(at),
            None => self.by_manifest(&manifest, stem),
        };
        own.licence = own.licence.or_else(|| field(&manifest, "Bundle-License"));
        own.supplier = field(&manifest, "Implementation-Vendor").or_else(|| field(&manifest, "Bundle-Vendor"));
        own.homepage = field(&manifest, "Bundle-DocURL");
        own.inside = inside.to_vec();
        own.holder = holder;
        let number = u32::try_from(self.told.found.len()).ok();
        self.told.found.push(own);
        for mut shaded in poms {
            shaded.inside = inside.to_vec();
            shaded.holder = number;
            self.told.found.push(shaded);
        }
        for (member, bytes) in within {
            let inside = [inside, std::slice::from_ref(&member)].concat();
            let name = member.rsplit('/').next().unwrap_or(&member);
            self.archive(&mut Cursor::new(bytes), name, &inside, number);
        }
    }

    fn records(&mut self, content: &mut dyn Content, depth: usize) -> Result<Records, String> {
        let limits = Limits::default();
        let mut records = Records::default();
        let mut refused = None;
        let zip = Zip::open(content, &limits).map_err(|finding| reason(&finding))?;
        let walked = zip.walk(&limits, &mut |member, content| {
            let name = member.name.as_str();
            if name == "META-INF/MANIFEST.MF" {
                let mut text = Vec::new();
                content.take(LARGEST_RECORD).read_to_end(&mut text)?;
                records.manifest = manifest(&String::from_utf8_lossy(&text));
            } else if name.starts_with("META-INF/maven/") && name.ends_with("/pom.properties") {
                let mut text = Vec::new();
                content.take(LARGEST_RECORD).read_to_end(&mut text)?;
                records.poms.extend(properties(self.path, &String::from_utf8_lossy(&text)));
            } else if !member.is_dir && is_named(name) {
                self.archives += 1;
                if self.archives > MOST_ARCHIVES {
                    refused = Some(format!("more than {MOST_ARCHIVES} archives lie in it"));
                    return Ok(());
                }
                if depth >= DEEPEST {
                    refused = Some(format!("archives lie in it more than {DEEPEST} deep"));
                    return Ok(());
                }
                let mut bytes = Vec::new();
                content.take(self.left + 1).read_to_end(&mut bytes)?;
                match self.left.checked_sub(bytes.len() as u64) {
                    Some(left) => self.left = left,
                    None => {
                        refused = Some(format!("the archives in it have more than {MOST_WITHIN} bytes"));
                        return Ok(());
                    }
                }
                records.within.push((member.name, bytes));
            }
            Ok(())
        });
        walked.map_err(|finding| reason(&finding))?;
        // What was read of it counts, and that there is more is said.
        if let Some(why) = refused {
            self.told.unread.get_or_insert(why);
        }
        Ok(records)
    }

    /// The package as its manifest names it, else as the file's name does: `name-1.2.3`.
    fn by_manifest(&self, manifest: &[(String, String)], stem: &str) -> Found {
        let (by_stem, version) = match stem.char_indices().find(|(at, c)| {
            *c == '-' && stem.get(at + 1..).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
        }) {
            Some((at, _)) => (stem.get(..at).unwrap_or(stem), stem.get(at + 1..).and_then(said)),
            None => (stem, None),
        };
        let symbolic = field(manifest, "Bundle-SymbolicName");
        let symbolic = symbolic.as_deref().and_then(|name| name.split(';').next()).and_then(said);
        let written = ["Implementation-Version", "Bundle-Version", "Specification-Version"];
        let written = written.into_iter().find_map(|name| field(manifest, name));
        Found {
            namespace: field(manifest, "Implementation-Vendor-Id"),
            version: version.or(written),
            ..Found::new(Ecosystem::Maven, symbolic.unwrap_or_else(|| by_stem.to_owned()), self.path)
        }
    }
}

fn reason(finding: &model::Finding) -> String {
    [std::slice::from_ref(&finding.message), &finding.causes].concat().join(": ")
}

/// The main section of a manifest; a line that begins with a space continues the one before.
fn manifest(text: &str) -> Vec<(String, String)> {
    let mut fields: Vec<(String, String)> = Vec::new();
    for line in text.lines() {
        if line.is_empty() {
            break;
        }
        match (line.strip_prefix(' '), line.split_once(": ")) {
            (Some(more), _) => fields.iter_mut().next_back().into_iter().for_each(|(_, value)| value.push_str(more)),
            (None, Some((name, value))) => fields.push((name.to_owned(), value.to_owned())),
            (None, None) => {}
        }
    }
    fields
}

fn field(manifest: &[(String, String)], name: &str) -> Option<String> {
    manifest.iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).and_then(|(_, value)| said(value))
}

/// A package as Maven writes it into what it packs.
fn properties(path: &TreePath, text: &str) -> Option<Found> {
    let value = |name: &str| {
        let pairs = text.lines().filter_map(|line| line.split_once(['=', ':']));
        pairs.filter(|(found, _)| found.trim() == name).find_map(|(_, value)| said(value))
    };
    Some(Found {
        namespace: value("groupId"),
        version: value("version"),
        ..Found::new(Ecosystem::Maven, value("artifactId")?, path)
    })
}
