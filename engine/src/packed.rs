//! JSON that is held for long and read seldom: its text, in one piece of memory.
//!
//! A map of JSON takes at least 632 bytes, however little is in it, and an object of a cluster has a dozen; its text takes a
//! tenth of that. Opening it again takes 2 to 3 microseconds for each 500 bytes.
//!
//! Invariants:
//! - The text is what this module wrote of a value, or what whoever stored that has read through since, so that opening it
//!   cannot fail.
//! - Two are equal when their values are.
//! - A clone shares the text.
//! - What is packed is never shown: it may be what a server answered about a Secret.

use serde_json::{Deserializer, Value};
use std::{fmt, sync::Arc};

/// A JSON value as its text.
#[derive(Clone)]
pub struct Packed(Arc<str>);

impl Packed {
    /// Packs a value.
    pub fn of(value: &Value) -> Self {
        Self(value.to_string().into())
    }

    /// Takes a text that was packed and stored, as it stands. Whoever does has read it through and found one value in one
    /// line: opening it panics otherwise.
    pub fn of_stored(text: &str) -> Self {
        Self(text.into())
    }

    /// The value, made anew.
    pub fn open(&self) -> Value {
        let mut reader = Deserializer::from_str(&self.0);
        // It is as deep as the value was that it was written of.
        reader.disable_recursion_limit();
        let value = reader.into_iter().next().and_then(Result::ok);
        value.expect("what was written of a value reads as one")
    }

    /// The text: JSON in one line.
    pub fn text(&self) -> &str {
        &self.0
    }
}

impl Default for Packed {
    fn default() -> Self {
        Self::of(&Value::Null)
    }
}

impl PartialEq for Packed {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0 || self.open() == other.open()
    }
}

impl fmt::Debug for Packed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Packed({} bytes)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_value_opens_as_what_was_packed_however_deep_it_is() {
        let mut deep = json!({"numbers": [0, -1, 1.5, u64::MAX, 1e300], "text": "\u{0}\"\u{2028}é", "none": null});
        for _ in 0..1_000 {
            deep = json!([deep]);
        }
        assert_eq!(Packed::of(&deep).open(), deep);
        assert_eq!(Packed::default().open(), Value::Null);
        assert_eq!(Packed::of(&json!({"b": 2, "a": "1"})).text(), r#"{"a":"1","b":2}"#);
    }

    #[test]
    fn what_is_packed_is_not_shown() {
        assert_eq!(format!("{:?}", Packed::of(&json!("hunter2"))), "Packed(9 bytes)");
    }
}
