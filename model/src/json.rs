//! JSON that all programs read alike.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

/// Names of one object; each is kept until all are compared.
const MOST_NAMES: usize = 1_000_000;

/// Checks that bytes are JSON in which no object has a name twice: of two values one program takes the first, and another
/// the last.
///
/// # Errors
/// What is wrong.
pub fn check(bytes: &[u8]) -> serde_json::Result<()> {
    serde_json::from_slice::<Unambiguous>(bytes).map(|Unambiguous| ())
}

/// Checks in addition that no name is one of these written in another case, nor two of them the same but for it: what Go's
/// programs read as the field that others do not see. Below `free` names are anybody's.
///
/// # Errors
/// What is wrong.
pub fn check_names(bytes: &[u8], known: &[&str], free: &[&str]) -> serde_json::Result<()> {
    check(bytes)?;
    let value: Value = serde_json::from_slice(bytes)?;
    let known = known.iter().map(|name| (fold(name), *name)).collect();
    match misread(&value, &known, free) {
        Some(name) => Err(serde_json::Error::custom(format!("programs read its field {name:?} in different ways"))),
        None => Ok(()),
    }
}

/// `known` are names as they are written, by what they are compared as.
fn misread<'v>(value: &'v Value, known: &HashMap<String, &str>, free: &[&str]) -> Option<&'v String> {
    match value {
        Value::Object(fields) => {
            let mut folded = HashSet::new();
            let own = fields.keys().find(|name| {
                let name_folded = fold(name);
                let is_other = known.get(&name_folded).is_some_and(|known| known != name);
                !folded.insert(name_folded) || is_other
            });
            let mut inner = fields.iter().filter(|(name, _)| !free.contains(&name.as_str()));
            own.or_else(|| inner.find_map(|(_, value)| misread(value, known, free)))
        }
        Value::Array(items) => items.iter().find_map(|item| misread(item, known, free)),
        _ => None,
    }
}

/// As Go compares names: by simple folding, which has two letters beyond ASCII that fold to one of it.
fn fold(name: &str) -> String {
    if name.is_ascii() { name.to_ascii_lowercase() } else { name.to_uppercase().to_lowercase() }
}

struct Unambiguous;

impl<'de> Deserialize<'de> for Unambiguous {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self)
    }
}

impl<'de> Visitor<'de> for Unambiguous {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self, A::Error> {
        while items.next_element::<Self>()?.is_some() {}
        Ok(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Self, A::Error> {
        let mut names = Vec::new();
        while let Some(Name(name)) = fields.next_key()? {
            fields.next_value::<Self>()?;
            if names.len() == MOST_NAMES {
                return Err(A::Error::custom(format!("it has more than {MOST_NAMES} names in one object")));
            }
            names.push(name);
        }
        names.sort_unstable();
        match names.iter().zip(names.iter().skip(1)).find(|(one, next)| one == next) {
            Some((name, _)) => Err(A::Error::custom(format!("it has {name:?} twice"))),
            None => Ok(self),
        }
    }
}

/// A name where it stands, unless something in it is escaped.
#[derive(serde::Deserialize)]
struct Name<'n>(#[serde(borrow)] Cow<'n, str>);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_others_read_as_another_is_found() {
        let check = |text: &str| check_names(text.as_bytes(), &["digest", "os", "manifests"], &["annotations"]);
        for text in [r#"{"digest":1,"other":[{"os":2}]}"#, r#"{"annotations":{"Digest":1,"digest":2}}"#] {
            assert!(check(text).is_ok(), "{text}");
        }
        for text in [
            r#"{"digest":1,"Digest":2}"#,
            r#"{"DIGEST":1}"#,
            r#"{"a":[{"manifest\u017f":1}]}"#,
            r#"{"x":1,"X":2}"#,
            r#"{"a":{"oS":"linux"}}"#,
        ] {
            assert!(check(text).unwrap_err().to_string().contains("in different ways"), "{text}");
        }
    }

    #[test]
    fn an_object_has_not_more_names_than_are_kept() {
        let names = |count: usize| {
            let names: Vec<String> = (0..count).map(|name| format!("\"{name}\":1")).collect();
            check(format!("{{{}}}", names.join(",")).as_bytes())
        };
        assert!(names(MOST_NAMES).is_ok());
        assert!(names(MOST_NAMES + 1).unwrap_err().to_string().starts_with("it has more than 1000000 names"));
    }

    #[test]
    fn a_name_may_be_in_two_objects_and_not_twice_in_one() {
        for text in [r#"{"a":{"a":[1,-2,3.5,null,true,"a","a"]},"b":{"a":1}}"#, "[{},{}]", "1e5"] {
            assert!(check(text.as_bytes()).is_ok(), "{text}");
        }
        for text in [r#"{"a":1,"b":2,"a":1}"#, r#"[{"x":{"a":1,"\u0061":2}}]"#] {
            assert!(check(text.as_bytes()).unwrap_err().to_string().starts_with("it has \"a\" twice"), "{text}");
        }
        for text in ["", "{", "{} {}", "\u{feff}{}", &"[".repeat(1000)] {
            assert!(check(text.as_bytes()).is_err(), "{text}");
        }
    }
}
