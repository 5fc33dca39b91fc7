//! Digests over bytes that we canonicalise ourselves.
//!
//! Invariant: equal JSON values give equal digests whatever order their keys were written or stored in.

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::fmt;

/// A SHA-256 of canonical bytes, shown as `sha256:` and 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

/// An HMAC-SHA-256 of secret bytes under a stack's key: says whether two secrets are equal and nothing else.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyedDigest([u8; 32]);

/// The key of a stack: 32 random bytes that never leave the place they are stored in.
#[derive(Clone, PartialEq, Eq)]
pub struct StackKey {
    id: String,
    bytes: [u8; 32],
}

impl Digest {
    /// Digests a JSON value in canonical form.
    pub fn of(value: &Value) -> Self {
        let mut bytes = Vec::new();
        canonical(value, &mut bytes);
        Self::of_bytes(&bytes)
    }

    /// Digests a list of JSON values, as [`of`](Self::of) does one that holds them.
    pub(crate) fn of_list<'a>(values: impl IntoIterator<Item = &'a Value>) -> Self {
        let mut bytes = Vec::new();
        canonical_list(values, &mut bytes);
        Self::of_bytes(&bytes)
    }

    /// Digests the debug form of a value, which is never held as a whole. Hashing cannot fail.
    pub(crate) fn of_debug(value: &impl fmt::Debug) -> Self {
        struct Hashed(Sha256);
        impl fmt::Write for Hashed {
            fn write_str(&mut self, text: &str) -> fmt::Result {
                self.0.update(text);
                Ok(())
            }
        }
        let mut hashed = Hashed(Sha256::new());
        fmt::Write::write_fmt(&mut hashed, format_args!("{value:?}")).ok();
        Self(hashed.0.finalize().into())
    }

    /// Digests bytes as they stand.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The first twelve hexadecimal digits, for names and marks where 64 are too many.
    pub fn short(&self) -> String {
        hex(&self.0[..6])
    }

    /// Reads a digest back from its text form.
    pub fn parse(text: &str) -> Option<Self> {
        unhex(text.strip_prefix("sha256:")?).map(Self)
    }
}

impl StackKey {
    /// Makes a key of its bytes; its id is a digest of them, which tells two keys apart.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self {
            id: Digest::of_bytes(&bytes).short(),
            bytes,
        }
    }

    /// Which key this is; safe to store beside a digest.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The bytes, for the one place that stores them.
    pub fn expose(&self) -> &[u8; 32] {
        &self.bytes
    }

    /// Digests secret bytes under this key.
    pub fn digest(&self, secret: &[u8]) -> KeyedDigest {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.bytes).expect("HMAC takes a key of any length");
        mac.update(secret);
        KeyedDigest(mac.finalize().into_bytes().into())
    }
}

impl KeyedDigest {
    /// Reads a keyed digest back from its text form.
    pub fn parse(text: &str) -> Option<Self> {
        unhex(text.strip_prefix("hmac-sha256:")?).map(Self)
    }
}

/// Writes a value with sorted keys and no space: the only form that is ever digested. That memory is written to cannot
/// fail.
pub fn canonical(value: &Value, into: &mut Vec<u8>) {
    match value {
        Value::Object(map) => {
            // They are sorted already, unless a dependency asks for another kind of map.
            if map.keys().is_sorted() {
                canonical_map(map.iter(), into);
            } else {
                let mut entries: Vec<_> = map.iter().collect();
                entries.sort_by_key(|(key, _)| *key);
                canonical_map(entries.into_iter(), into);
            }
        }
        Value::Array(items) => canonical_list(items, into),
        scalar => drop(serde_json::to_writer(into, scalar)),
    }
}

fn canonical_map<'a>(entries: impl Iterator<Item = (&'a String, &'a Value)>, into: &mut Vec<u8>) {
    into.push(b'{');
    for (index, (key, value)) in entries.enumerate() {
        if index > 0 {
            into.push(b',');
        }
        drop(serde_json::to_writer(&mut *into, key));
        into.push(b':');
        canonical(value, into);
    }
    into.push(b'}');
}

fn canonical_list<'a>(items: impl IntoIterator<Item = &'a Value>, into: &mut Vec<u8>) {
    into.push(b'[');
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            into.push(b',');
        }
        canonical(item, into);
    }
    into.push(b']');
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|half| char::from(b"0123456789abcdef"[usize::from(half)]))
        .collect()
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    let mut bytes = [0; 32];
    for (index, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * index..2 * index + 2], 16).ok()?;
    }
    Some(bytes)
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", hex(&self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for KeyedDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "hmac-sha256:{}", hex(&self.0))
    }
}

impl fmt::Debug for KeyedDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Debug for StackKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StackKey({})", self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn key_order_does_not_matter_and_list_order_does() {
        assert_eq!(
            Digest::of(&json!({"a": 1, "b": [1, 2]})),
            Digest::of(&json!({"b": [1, 2], "a": 1}))
        );
        assert_ne!(Digest::of(&json!([1, 2])), Digest::of(&json!([2, 1])));
        assert_eq!(Digest::of_list([&json!(1), &json!("a")]), Digest::of(&json!([1, "a"])));
    }

    #[test]
    fn text_forms_read_back() {
        let digest = Digest::of(&json!("x"));
        assert_eq!(Digest::parse(&digest.to_string()), Some(digest));
        let keyed = StackKey::new([7; 32]).digest(b"secret");
        assert_eq!(KeyedDigest::parse(&keyed.to_string()), Some(keyed));
        assert_ne!(StackKey::new([8; 32]).digest(b"secret"), keyed);
    }

    #[test]
    fn a_key_never_shows_its_bytes() {
        assert!(!format!("{:?}", StackKey::new([7; 32])).contains("07070707"));
    }
}
