//! The text of a stack's key: 64 hexadecimal digits. The only place that writes its bytes.

use crate::error::StateError;
use stackctl_engine::digest::StackKey;
use std::fmt::Write as _;

/// Draws a key.
pub(super) fn draw() -> Result<StackKey, StateError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(StateError::NoRandomness)?;
    Ok(StackKey::new(bytes))
}

/// The text of a key, with an end of line.
pub(super) fn to_text(key: &StackKey) -> String {
    let mut text = String::with_capacity(65);
    for byte in key.expose() {
        write!(text, "{byte:02x}").expect("a text takes every write");
    }
    text.push('\n');
    text
}

/// Reads a key back; nothing if the text is none.
pub(super) fn from_text(text: &[u8]) -> Option<StackKey> {
    let digits = text.trim_ascii_end();
    if digits.len() != 64 || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(StackKey::new(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_of_a_key_reads_back() {
        let key = StackKey::new(std::array::from_fn(|index| u8::try_from(index * 8).expect("below 256")));
        assert_eq!(from_text(to_text(&key).as_bytes()), Some(key));
        assert_eq!(from_text(b""), None);
        assert_eq!(from_text(&[b'g'; 64]), None);
        assert_eq!(from_text(&[b'0'; 63]), None);
    }
}
