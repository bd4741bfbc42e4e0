//! What is done to a case so that it must be refused.

use data_encoding::BASE64;
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
pub(crate) struct Damages {
    pub(crate) damage: Vec<Damage>,
}

/// One change: to a document, as bytes or in places of it, or to what is expected of the bundle.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Damage {
    pub(crate) name: String,
    /// Names of the reasons it may be refused for.
    pub(crate) reasons: Vec<String>,
    /// The document is the trusted root and not the bundle.
    #[serde(default)]
    pub(crate) in_root: bool,
    /// It is a damage to bundles alone that have one of these.
    #[serde(default)]
    pub(crate) needs: Vec<String>,
    /// Leaves the first half of its bytes.
    #[serde(default)]
    cut: bool,
    /// Replaces the first of these texts by the second.
    text: Option<[String; 2]>,
    /// A list of which all members are changed.
    each: Option<String>,
    #[serde(default)]
    at: Vec<String>,
    set: Option<Value>,
    #[serde(default)]
    remove: bool,
    /// Changes a bit in this byte of what base64 stands for; -1 is the last one.
    flip: Option<isize>,
    /// Replaces the first of these texts by the second in what base64 stands for.
    inside: Option<[String; 2]>,
    /// What stands at that place in these cases; it is from the first that has another value there.
    from: Option<String>,
    pub(crate) root: Option<String>,
    pub(crate) artifact: Option<String>,
    pub(crate) subject: Option<String>,
    pub(crate) issuer: Option<String>,
    pub(crate) now: Option<i64>,
}

impl Damage {
    /// The document with the change; none where there is nothing to change.
    pub(crate) fn apply(&self, document: &[u8], other: impl Fn(&str) -> Value) -> Option<Vec<u8>> {
        if self.cut {
            return Some(document[..document.len() / 2].to_vec());
        }
        if let Some([old, new]) = &self.text {
            let text = std::str::from_utf8(document).unwrap();
            return text.contains(old).then(|| text.replacen(old, new, 1).into_bytes());
        }
        if self.at.is_empty() {
            return Some(document.to_vec());
        }
        let mut value: Value = serde_json::from_slice(document).unwrap();
        if let Some(list) = &self.each {
            let members = value.pointer_mut(list)?.as_array_mut()?;
            let changed = members.iter_mut().filter_map(|member| self.change(member, &other)).count();
            return (changed > 0).then(|| serde_json::to_vec(&value).unwrap());
        }
        self.change(&mut value, &other)?;
        Some(serde_json::to_vec(&value).unwrap())
    }

    fn change(&self, document: &mut Value, other: impl Fn(&str) -> Value) -> Option<()> {
        let at = self.at.iter().find(|at| document.pointer(at).is_some_and(|found| !found.is_null()))?;
        if self.remove {
            let (parent, name) = at.rsplit_once('/')?;
            return match document.pointer_mut(parent)? {
                Value::Object(fields) => fields.remove(name).map(drop),
                Value::Array(items) => name.parse().ok().map(|at: usize| items.remove(at)).map(drop),
                _ => None,
            };
        }
        let here = document.pointer_mut(at)?;
        *here = match (&self.set, &self.from, self.flip, &self.inside) {
            (Some(value), ..) => value.clone(),
            (_, Some(cases), ..) => {
                let there = |case: &str| self.at.iter().find_map(|at| other(case).pointer(at).cloned());
                cases.split(' ').filter_map(there).find(|value| value != here)?
            }
            (.., Some(byte), _) => Value::String(flipped(here.as_str()?, byte)),
            (.., Some([old, new])) => {
                let text = String::from_utf8(BASE64.decode(here.as_str()?.as_bytes()).ok()?).ok()?;
                assert!(text.contains(old), "{}", self.name);
                Value::String(BASE64.encode(text.replacen(old, new, 1).as_bytes()))
            }
            _ => panic!("{} changes nothing", self.name),
        };
        Some(())
    }
}

/// Base64, or a note with lines of signatures that end in some, with one bit of each changed.
fn flipped(text: &str, byte: isize) -> String {
    let changed = |word: &str| {
        let mut bytes = BASE64.decode(word.as_bytes()).unwrap();
        let at = byte.rem_euclid(bytes.len() as isize) as usize;
        bytes[at] ^= 1;
        BASE64.encode(&bytes)
    };
    let line = |line: &str| match line.trim_end().rsplit_once(' ') {
        Some((start, word)) if line.starts_with('—') => format!("{start} {}\n", changed(word)),
        _ => line.to_owned(),
    };
    if text.contains('\n') { text.split_inclusive('\n').map(line).collect() } else { changed(text) }
}
