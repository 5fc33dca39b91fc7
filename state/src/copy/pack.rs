//! Bytes to what a Secret's data holds, and back.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use miniz_oxide::{deflate::compress_to_vec_zlib, inflate::decompress_to_vec_zlib_with_limit};

/// How hard it is tried to make bytes fewer: the middle, where records come to about a tenth.
const LEVEL: u8 = 6;
/// No state is larger than this; bytes that say that they are, are not ours.
const LARGEST: usize = 4 << 30;

/// Deflates bytes; zlib's checksum is in what comes out.
pub(super) fn packed(bytes: &[u8]) -> Vec<u8> {
    compress_to_vec_zlib(bytes, LEVEL)
}

/// Inflates bytes; nothing where they are not what [`packed`] made.
pub(super) fn unpacked(packed: &[u8]) -> Option<Vec<u8>> {
    decompress_to_vec_zlib_with_limit(packed, LARGEST).ok()
}

/// Bytes as a value of a Secret's `data`.
pub(super) fn text(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// The bytes of a value of a Secret's `data`.
pub(super) fn untext(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}
