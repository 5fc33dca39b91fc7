//! JSON that the engine holds as its text, as it stands on disk: the same text.
//!
//! Invariant: it is read through, so that what no reader could open is found when the state is read; nothing is made of it.

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error as _, MapAccess, SeqAccess, Visitor},
    ser::Error as _,
};
use serde_json::{Value, value::RawValue};
use stackctl_engine::packed::Packed;
use std::fmt;

pub(super) struct StoredJson(pub(super) Packed);

impl Serialize for StoredJson {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text: &RawValue = serde_json::from_str(self.0.text()).map_err(S::Error::custom)?;
        text.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for StoredJson {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Box::<RawValue>::deserialize(deserializer)?;
        let text = text.get();
        // A line of the journal has no other end of line in it, and within a text JSON has none.
        let packed = if text.contains(['\n', '\r']) {
            serde_json::from_str(text).map(|value: Value| Packed::of(&value))
        } else {
            serde_json::from_str(text).map(|Readable| Packed::of_stored(text))
        };
        packed.map(Self).map_err(D::Error::custom)
    }
}

/// Whatever reads as a value.
struct Readable;

impl<'de> Deserialize<'de> for Readable {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self)
    }
}

impl<'de> Visitor<'de> for Readable {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
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

    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut items: S) -> Result<Self, S::Error> {
        while let Some(Self) = items.next_element()? {}
        Ok(self)
    }

    fn visit_map<M: MapAccess<'de>>(self, mut fields: M) -> Result<Self, M::Error> {
        while let Some((Self, Self)) = fields.next_entry()? {}
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_taken_as_it_stands_and_what_would_not_open_is_refused() {
        let read = |text: &str| serde_json::from_str::<StoredJson>(text).map(|read| read.0);
        let text = r#"{"b": [1, -1, 1.5e3, true, null, {}], "a": "\u00e9"}"#;
        let taken = read(text).expect("it reads");
        let value: Value = serde_json::from_str(text).expect("a value");
        assert_eq!((taken.text(), taken.open()), (text, value.clone()));
        assert_eq!(taken, Packed::of(&value));
        let lines = read("{\n\"a\": 1\r\n}").expect("it reads");
        assert_eq!(lines.text(), r#"{"a":1}"#);
        let deep = "[".repeat(200) + &"]".repeat(200);
        for broken in [r#""\ud800""#, "1e999", "[1,]", "{\"a\"}", "1 2", "", &deep] {
            assert!(serde_json::from_str::<Value>(broken).is_err(), "{broken}");
            assert!(read(broken).is_err(), "{broken}");
        }
    }
}
