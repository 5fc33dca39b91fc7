//! The stable name of a resource, its text form and its order.
//!
//! Invariants:
//! - An [`Address`] has at least two segments and no empty part, so `Display` and `FromStr` are inverses.
//! - `Ord` is the order in which every list, plan and report is printed.

use std::{
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
    str::FromStr,
    sync::Arc,
};

/// The stable name of a resource: `rhoai.subscription`, `gpu[l40s].machineset[a]`, `maas.tier[pro].subscription`.
///
/// It names what we intend, not the object in the cluster (that is [`crate::ObjectKey`]): it survives a change of
/// Kubernetes name or namespace.
///
/// Every map of a run is by address: a clone shares what it names, and two are compared as one piece of memory each.
#[derive(Clone)]
pub struct Address {
    segments: Arc<[Segment]>,
    /// The segments as bytes that sort as they do.
    order: Arc<[u8]>,
}

/// One part of an address: a name with an optional key, `tier[pro]`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Segment {
    name: String,
    key: Option<String>,
}

/// Why a text is not an address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// There is no text at all, or a part between two dots is empty.
    #[error("an address has no empty part")]
    Empty,
    /// Only one segment: a component needs a role.
    #[error("`{0}` names a component, not a resource: write `component.role`")]
    OneSegment(String),
    /// A name holds something other than lower-case letters, digits and `-`.
    #[error("`{0}` is not a name: use lower-case letters, digits and `-`")]
    BadName(String),
    /// A bracket or a quote is not closed, or something follows a key.
    #[error("the key in `{0}` is not closed")]
    OpenKey(String),
}

impl Segment {
    /// Makes a segment without a key.
    ///
    /// # Errors
    /// When the name is not made of lower-case letters, digits and `-`.
    pub fn new(name: &str) -> Result<Self, AddressError> {
        if name.is_empty() {
            return Err(AddressError::Empty);
        }
        if !name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
        {
            return Err(AddressError::BadName(name.to_owned()));
        }
        Ok(Self {
            name: name.to_owned(),
            key: None,
        })
    }

    /// Makes a segment with a key, which may hold any text but an empty one.
    ///
    /// # Errors
    /// When the name is not a name or the key is empty.
    pub fn keyed(name: &str, key: &str) -> Result<Self, AddressError> {
        if key.is_empty() {
            return Err(AddressError::Empty);
        }
        Ok(Self {
            key: Some(key.to_owned()),
            ..Self::new(name)?
        })
    }

    /// The name, without its key.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The key, if there is one.
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }
}

impl Address {
    /// Makes an address of segments.
    ///
    /// # Errors
    /// When there are fewer than two.
    pub fn new(segments: Vec<Segment>) -> Result<Self, AddressError> {
        match segments.as_slice() {
            [] => Err(AddressError::Empty),
            [one] => Err(AddressError::OneSegment(one.to_string())),
            several => Ok(Self {
                order: order(several).into(),
                segments: segments.into(),
            }),
        }
    }

    /// The segments, outermost first.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// The name of the first segment: the component that this resource belongs to.
    pub fn component(&self) -> &str {
        self.segments.first().map_or("", Segment::name)
    }
}

/// Bytes that sort as the segments do: a name ends with 0, or with 1 where its key follows; a key ends with 0 and 1, and a
/// 0 in it is followed by 255. A name holds neither 0 nor 1, so that the shorter of two comes first.
fn order(segments: &[Segment]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for Segment { name, key } in segments {
        bytes.extend_from_slice(name.as_bytes());
        let Some(key) = key else {
            bytes.push(0);
            continue;
        };
        bytes.push(1);
        for byte in key.bytes() {
            bytes.push(byte);
            if byte == 0 {
                bytes.push(u8::MAX);
            }
        }
        bytes.extend([0, 1]);
    }
    bytes
}

impl PartialEq for Address {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.order, &other.order) || self.order == other.order
    }
}

impl Eq for Address {}

impl Ord for Address {
    fn cmp(&self, other: &Self) -> Ordering {
        self.order.cmp(&other.order)
    }
}

impl PartialOrd for Address {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Hash for Address {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.order.hash(state);
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Address").field("segments", &self.segments).finish()
    }
}

impl fmt::Display for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        match &self.key {
            None => Ok(()),
            Some(key) if key.contains([']', '.', '/', '"', '\\']) => {
                write!(f, "[\"{}\"]", key.replace('\\', "\\\\").replace('"', "\\\""))
            }
            Some(key) => write!(f, "[{key}]"),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // One allocation, so that width and alignment in a format string hold for the whole address.
        let mut text = String::new();
        for (index, segment) in self.segments.iter().enumerate() {
            if index > 0 {
                text.push('.');
            }
            text.push_str(&segment.to_string());
        }
        f.pad(&text)
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        Self::new(parse_segments(text)?)
    }
}

/// Parses a text of segments: an address, or a prefix of one.
pub(crate) fn parse_segments(text: &str) -> Result<Vec<Segment>, AddressError> {
    let mut segments = Vec::new();
    let mut rest = text;
    loop {
        let (segment, after) = parse_segment(rest)?;
        segments.push(segment);
        match after.strip_prefix('.') {
            Some(next) => rest = next,
            None if after.is_empty() => return Ok(segments),
            None => return Err(AddressError::OpenKey(text.to_owned())),
        }
    }
}

/// Parses one segment off the front and returns what follows it.
fn parse_segment(text: &str) -> Result<(Segment, &str), AddressError> {
    let end = text.find(['[', '.']).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    let Some(inside) = rest.strip_prefix('[') else {
        return Ok((Segment::new(name)?, rest));
    };
    let open = || AddressError::OpenKey(text.to_owned());
    let Some(quoted) = inside.strip_prefix('"') else {
        let (key, rest) = inside.split_once(']').ok_or_else(open)?;
        return Ok((Segment::keyed(name, key)?, rest));
    };
    let mut key = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => key.push(characters.next().ok_or_else(open)?.1),
            '"' => {
                let rest = quoted[at + 1..].strip_prefix(']').ok_or_else(open)?;
                return Ok((Segment::keyed(name, &key)?, rest));
            }
            other => key.push(other),
        }
    }
    Err(open())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn plain_keyed_and_quoted_segments_print_as_they_were_written() {
        for text in [
            "rhoai.subscription",
            "gpu[l40s].machineset[a]",
            r#"maas.tier["pro/x].y"].subscription"#,
        ] {
            assert_eq!(text.parse::<Address>().map(|a| a.to_string()), Ok(text.to_owned()));
        }
    }

    #[test]
    fn what_is_not_an_address_says_why() {
        let error = |text: &str| text.parse::<Address>().expect_err("not an address").to_string();
        assert_eq!(
            error("rhoai"),
            "`rhoai` names a component, not a resource: write `component.role`"
        );
        assert_eq!(error("rhoai."), "an address has no empty part");
        assert_eq!(
            error("Rhoai.x"),
            "`Rhoai` is not a name: use lower-case letters, digits and `-`"
        );
        assert_eq!(error("a[b.c"), "the key in `a[b.c` is not closed");
        assert_eq!(error("a[b]c.d"), "the key in `a[b]c.d` is not closed");
    }

    fn any_segment() -> impl Strategy<Value = Segment> {
        // Names and keys that begin alike, and keys with the bytes that the order is written with.
        let key = prop::option::of("[ab\\x00\\x01\\u{ff}\\u{10ffff}]{1,4}");
        ("[ab-]{1,3}", key).prop_map(|(name, key)| match key {
            Some(key) => Segment::keyed(&name, &key).expect("a name and a key"),
            None => Segment::new(&name).expect("a name"),
        })
    }

    proptest! {
        #[test]
        fn addresses_sort_as_their_segments_do(
            one in prop::collection::vec(any_segment(), 2..4),
            two in prop::collection::vec(any_segment(), 2..4),
        ) {
            let address = |segments: &[Segment]| Address::new(segments.to_vec()).expect("two or more");
            prop_assert_eq!(address(&one).cmp(&address(&two)), one.cmp(&two));
            prop_assert_eq!(address(&one) == address(&two), one == two);
        }

        #[test]
        fn print_and_parse_are_inverses(names in prop::collection::vec(("[a-z][a-z0-9-]{0,8}", prop::option::of(".{1,6}")), 2..5)) {
            let segments = names.iter().map(|(name, key)| match key {
                Some(key) => Segment::keyed(name, key),
                None => Segment::new(name),
            }).collect::<Result<Vec<_>, _>>().expect("generated to be legal");
            let address = Address::new(segments).expect("two or more");
            prop_assert_eq!(address.to_string().parse::<Address>(), Ok(address));
        }
    }
}
