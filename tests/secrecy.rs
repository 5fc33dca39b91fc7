//! How a secret may stand in a text, for tests that look for it where it must not be.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// A secret as it may stand in a text: as it is, and in base64 whatever stands before it.
pub(crate) fn forms(secret: &str) -> Vec<String> {
    let shifted = |skipped: usize| {
        let text = base64(&[&b"xx"[..skipped], secret.as_bytes()].concat());
        // Of its first and last letters a neighbour may have a part.
        text.trim_end_matches('=')[if skipped == 0 { 0 } else { skipped + 1 }..]
            .strip_suffix(|_: char| true)
            .unwrap_or_default()
            .to_owned()
    };
    vec![secret.to_owned(), shifted(0), shifted(1), shifted(2)]
}

/// RFC 4648 §4.
pub(crate) fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let bits = group.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
        for place in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * place) & 63) as usize];
            text.push(if place > group.len() { '=' } else { char::from(letter) });
        }
    }
    text
}

/// What base64 says, if it is text.
pub(crate) fn decoded(text: &str) -> Option<String> {
    let digit = |byte: u8| match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        _ => 63,
    };
    let (mut bytes, mut bits, mut count) = (Vec::new(), 0_u32, 0);
    for byte in text.trim_end_matches('=').bytes() {
        bits = bits << 6 | u32::from(digit(byte));
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.extend(u8::try_from(bits >> count & 255));
        }
    }
    String::from_utf8(bytes).ok()
}

/// Every file below a folder.
pub(crate) fn gather(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            gather(&path, into);
        } else {
            into.push(path);
        }
    }
}
