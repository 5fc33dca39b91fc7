//! JSON that the engine holds as its text, as it stands on disk: the same text.
//!
//! Invariant: it is read by way of its value, so that what no reader could open is found when the state is read.

use serde::{Deserialize, Deserializer, Serialize, Serializer, ser::Error as _};
use serde_json::{Value, value::RawValue};
use stackctl_engine::packed::Packed;

pub(super) struct StoredJson(pub(super) Packed);

impl Serialize for StoredJson {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text: &RawValue = serde_json::from_str(self.0.text()).map_err(S::Error::custom)?;
        text.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for StoredJson {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Value::deserialize(deserializer).map(|value| Self(Packed::of(&value)))
    }
}
