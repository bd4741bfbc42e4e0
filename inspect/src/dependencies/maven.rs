//! Java: `pom.xml` (Maven's reference of the project object model). What a parent or an imported project says is not known here.

use std::collections::BTreeMap;

use model::dependencies::Dependency;
use model::inventory::Ecosystem;
use quick_xml::Reader;
use quick_xml::escape::unescape;
use quick_xml::events::Event;

use super::Read;

/// How deep elements may lie in each other.
const DEPTH: usize = 64;
/// How many properties are put into a text, each of which may hold others, and how many bytes of them.
const FILLED: usize = 16;
const FILLED_BYTES: usize = 256;

pub(super) fn project(text: &str) -> Read {
    let mut reader = Reader::from_str(text);
    let mut path: Vec<String> = Vec::new();
    let mut words = String::new();
    let mut properties: BTreeMap<String, String> = BTreeMap::new();
    let (mut current, mut all) = (BTreeMap::new(), Vec::new());
    loop {
        match reader.read_event().map_err(|e| e.to_string())? {
            Event::Start(tag) => {
                if path.len() == DEPTH {
                    return Err(format!("its elements lie more than {DEPTH} deep"));
                }
                path.push(tag.local_name().as_ref().to_owned());
                words.clear();
            }
            Event::Text(text) => words.push_str(&text),
            Event::CData(text) => words.push_str(&text),
            // `&#46;`; what is not XML's own is left as it is.
            Event::GeneralRef(name) => {
                let written = format!("&{};", &*name);
                words.push_str(unescape(&written).as_deref().unwrap_or(&written));
            }
            Event::End(_) => {
                let names: Vec<&str> = path.iter().map(String::as_str).collect();
                let value = words.trim().to_owned();
                match names.as_slice() {
                    ["project", "properties", name] => drop(properties.insert((*name).to_owned(), value)),
                    ["project", name @ ("version" | "groupId")] => {
                        properties.insert(format!("project.{name}"), value);
                    }
                    ["project", "parent", name @ ("version" | "groupId")] => {
                        properties.insert(format!("project.parent.{name}"), value);
                    }
                    [.., "dependencies", "dependency", name] => drop(current.insert((*name).to_owned(), value)),
                    [.., "dependencies", "dependency"] => {
                        let is_managed = names.contains(&"dependencyManagement");
                        all.push((is_managed, std::mem::take(&mut current)));
                    }
                    _ => {}
                }
                path.pop();
                words.clear();
            }
            Event::Eof if path.is_empty() => break,
            Event::Eof => return Err("it ends early".into()),
            _ => {}
        }
    }
    // What a project does not say of itself is that of its parent.
    for name in ["version", "groupId"] {
        if let Some(inherited) = properties.get(&format!("project.parent.{name}")).cloned() {
            properties.entry(format!("project.{name}")).or_insert(inherited);
        }
    }
    let value = |text: &str| filled(text, &properties);
    let name = |fields: &BTreeMap<String, String>| {
        let field = |name: &str| fields.get(name).map(|text| value(text)).unwrap_or_default();
        format!("{}:{}", field("groupId"), field("artifactId"))
    };
    let managed: BTreeMap<String, String> = all
        .iter()
        .filter(|(is_managed, _)| *is_managed)
        .filter_map(|(_, fields)| Some((name(fields), value(fields.get("version")?))))
        .collect();
    let asked = all.iter().filter(|(is_managed, _)| !is_managed).map(|(_, fields)| {
        let name = name(fields);
        let requirement = fields.get("version").map(|text| value(text)).or_else(|| managed.get(&name).cloned());
        let is_one = |text: &&String| {
            !text.contains(['[', '(', ',', '$', '&'])
                && *text != "LATEST"
                && *text != "RELEASE"
                && !text.ends_with("-SNAPSHOT")
        };
        Dependency {
            version: requirement.as_ref().filter(is_one).cloned(),
            requirement,
            direct: true,
            ..Dependency::new(Ecosystem::Maven, name)
        }
    });
    Ok(asked.collect())
}

/// A text with its properties put in; as it is where there is no end to them.
fn filled(text: &str, properties: &BTreeMap<String, String>) -> String {
    let mut filled = text.to_owned();
    for _ in 0..FILLED {
        let known = filled.split("${").skip(1).find_map(|rest| {
            let name = rest.split_once('}')?.0;
            Some((format!("${{{name}}}"), properties.get(name)?))
        });
        let Some((written, value)) = known else { return filled };
        if filled.len() + value.len() > FILLED_BYTES {
            break;
        }
        filled = filled.replacen(&written, value, 1);
    }
    text.to_owned()
}
