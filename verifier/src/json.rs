//! JSON that all programs read alike.

use std::collections::HashSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// Checks that bytes are JSON in which no object has a name twice: of two values one program takes the first, and another
/// the last.
pub(crate) fn check(bytes: &[u8]) -> serde_json::Result<()> {
    serde_json::from_slice::<Unambiguous>(bytes).map(|Unambiguous| ())
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
        let mut names = HashSet::new();
        while let Some(name) = fields.next_key::<String>()? {
            fields.next_value::<Self>()?;
            if let Some(name) = names.replace(name) {
                return Err(A::Error::custom(format!("it has {name:?} twice")));
            }
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
