//! Certificates in a text of PEM blocks that others add to as well.
//!
//! A block is what stands between a `-----BEGIN CERTIFICATE-----` and its `-----END CERTIFICATE-----`, each on a line of
//! its own (RFC 7468 §2); all else, comments and other kinds of block, is passed over. Two blocks are the same
//! certificate when their base64 says the same, however it is broken into lines.
//!
//! Invariants:
//! - Nothing but whole blocks is put in or taken out.
//! - Nothing but certificates is taken from a source: a private key beside them goes nowhere.

use super::DocumentError;
use crate::digest::Digest;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use std::ops::Range;

/// A certificate, ready to be put into a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    digest: Digest,
    text: String,
}

impl Certificate {
    /// The digest of its decoded bytes: what people know as its SHA-256 fingerprint.
    pub fn digest(&self) -> Digest {
        self.digest
    }
}

/// The certificates in a text, each once, in their order.
///
/// # Errors
/// When there is none, or one of them is not in base64.
pub fn certificates(text: &str) -> Result<Vec<Certificate>, DocumentError> {
    let mut found: Vec<Certificate> = Vec::new();
    for block in scan(text).blocks {
        let digest = block.digest.ok_or(DocumentError::NoCertificate)?;
        if found.iter().all(|known| known.digest != digest) {
            let lines = text[block.at].lines().map(str::trim_end);
            found.push(Certificate {
                digest,
                text: lines.flat_map(|line| [line, "\n"]).collect(),
            });
        }
    }
    if found.is_empty() {
        return Err(DocumentError::NoCertificate);
    }
    Ok(found)
}

/// Which of these certificates are in a text, in the order asked.
pub fn present(text: &str, wanted: &[Digest]) -> Vec<Digest> {
    let blocks = scan(text).blocks;
    let is_there = |digest: &&Digest| blocks.iter().any(|block| block.digest == Some(**digest));
    wanted.iter().filter(is_there).copied().collect()
}

/// The text with those certificates at its end that are not in it yet.
///
/// # Errors
/// When something has to be put after a block that has no end.
pub fn with(text: &str, wanted: &[Certificate]) -> Result<String, DocumentError> {
    let found = scan(text);
    let mut after = text.to_owned();
    for certificate in wanted {
        if found
            .blocks
            .iter()
            .any(|block| block.digest == Some(certificate.digest))
        {
            continue;
        }
        if found.is_open {
            return Err(DocumentError::OpenBlock);
        }
        if !after.is_empty() && !after.ends_with('\n') {
            after.push('\n');
        }
        after.push_str(&certificate.text);
    }
    Ok(after)
}

/// The text with each of these certificates taken out once. We put one in only where there was none, so the first is
/// ours, and one more is somebody else's.
pub fn without(text: &str, unwanted: &[Digest]) -> String {
    let blocks = scan(text).blocks;
    let mut gone: Vec<_> = unwanted
        .iter()
        .filter_map(|digest| blocks.iter().find(|block| block.digest == Some(*digest)))
        .map(|block| block.at.clone())
        .collect();
    gone.sort_by_key(|range| range.start);
    gone.dedup();
    let mut after = text.to_owned();
    for range in gone.into_iter().rev() {
        after.replace_range(range, "");
    }
    after
}

/// What was found in a text.
struct Scan {
    blocks: Vec<Block>,
    /// Whether the text ends inside a block of whatever kind.
    is_open: bool,
}

/// A block of a certificate.
struct Block {
    /// Its bytes, from its first line to the line end of its last.
    at: Range<usize>,
    /// The digest of its content, if that is base64.
    digest: Option<Digest>,
}

/// Finds the certificates line by line. A block that another begins in, or that another's end stands in, is none.
fn scan(text: &str) -> Scan {
    let mut blocks = Vec::new();
    let mut open: Option<(usize, &str, String)> = None;
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let (content, end) = (line.trim_end(), start + line.len());
        if let Some(label) = boundary(content, "-----BEGIN ") {
            open = Some((start, label, String::new()));
        } else if let Some(label) = boundary(content, "-----END ") {
            if let Some((begin, opened, body)) = open.take()
                && (opened, label) == (CERTIFICATE, CERTIFICATE)
            {
                let bytes = STANDARD.decode(body).ok().filter(|bytes| !bytes.is_empty());
                blocks.push(Block {
                    at: begin..end,
                    digest: bytes.map(|bytes| Digest::of_bytes(&bytes)),
                });
            }
        } else if let Some((_, _, body)) = &mut open {
            body.extend(content.split_whitespace());
        }
        start = end;
    }
    Scan {
        blocks,
        is_open: open.is_some(),
    }
}

/// The label of a block of a certificate.
const CERTIFICATE: &str = "CERTIFICATE";

fn boundary<'a>(line: &'a str, begins: &str) -> Option<&'a str> {
    line.strip_prefix(begins)?.strip_suffix("-----")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A certificate whose content is some words, in lines of eight.
    fn block(words: &str) -> String {
        let body = STANDARD.encode(words);
        let lines: Vec<_> = body.as_bytes().chunks(8).map(|l| String::from_utf8_lossy(l)).collect();
        format!(
            "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
            lines.join("\n")
        )
    }

    fn ours() -> Vec<Certificate> {
        certificates(&block("our own authority")).expect("a certificate")
    }

    /// Puts ours in and takes it out again; both texts.
    fn in_and_out(text: &str) -> (String, String) {
        let with = with(text, &ours()).expect("editable");
        let out = without(&with, &[ours()[0].digest()]);
        (with, out)
    }

    #[test]
    fn ours_goes_to_the_end_and_out_again_and_comments_between_blocks_stay() {
        let theirs = format!("# one\n{}\n# two\n{}# end\n", block("one"), block("two"));
        let (with, out) = in_and_out(&theirs);
        assert_eq!(with, format!("{theirs}{}", block("our own authority")));
        assert_eq!(out, theirs);
    }

    #[test]
    fn a_text_without_any_certificate_is_kept_as_it_is() {
        for theirs in [
            "",
            "# nothing yet\n",
            "not PEM at all ----- \u{e4}\n",
            "-----END CERTIFICATE-----\n",
        ] {
            let (with, out) = in_and_out(theirs);
            assert_eq!(with, format!("{theirs}{}", block("our own authority")));
            assert_eq!(out, theirs);
        }
    }

    #[test]
    fn a_last_line_without_an_end_gets_one() {
        let theirs = block("one");
        let (with, out) = in_and_out(theirs.trim_end());
        assert_eq!(with, format!("{theirs}{}", block("our own authority")));
        assert_eq!(out, theirs);
    }

    #[test]
    fn other_line_ends_and_other_lengths_of_line_are_the_same_certificate() {
        let body = STANDARD.encode("our own authority");
        let theirs = format!("-----BEGIN CERTIFICATE-----  \r\n {body}\r\n-----END CERTIFICATE-----");
        assert_eq!(with(&theirs, &ours()), Ok(theirs.clone()));
        assert_eq!(without(&theirs, &[ours()[0].digest()]), "");
        let crlf = format!("# theirs\r\n{}", block("one").replace('\n', "\r\n"));
        assert_eq!(in_and_out(&crlf).1, crlf);
        assert_eq!(certificates(&crlf).expect("one")[0].text, block("one"));
    }

    #[test]
    fn of_the_same_block_twice_one_is_somebody_elses() {
        let twice = block("our own authority").repeat(2);
        assert_eq!(with(&twice, &ours()), Ok(twice.clone()));
        let digest = ours()[0].digest();
        assert_eq!(without(&twice, &[digest, digest]), block("our own authority"));
        assert_eq!(certificates(&twice).map(|all| all.len()), Ok(1));
    }

    #[test]
    fn nothing_is_put_after_a_block_without_an_end_and_ours_is_still_taken_out() {
        let open = format!("{}-----BEGIN CERTIFICATE-----\nabc\n", block("our own authority"));
        assert_eq!(with(&open, &ours()), Ok(open.clone()));
        assert_eq!(
            without(&open, &[ours()[0].digest()]),
            "-----BEGIN CERTIFICATE-----\nabc\n"
        );
        assert_eq!(
            with("-----BEGIN CERTIFICATE-----\nabc\n", &ours()),
            Err(DocumentError::OpenBlock)
        );
    }

    #[test]
    fn a_block_that_is_broken_is_passed_over() {
        let broken = format!(
            "-----BEGIN CERTIFICATE-----\nabc\n{}-----BEGIN CERTIFICATE-----\n%%\n-----END CERTIFICATE-----\n",
            block("our own authority")
        );
        assert_eq!(with(&broken, &ours()), Ok(broken.clone()));
        assert_eq!(
            without(&broken, &[ours()[0].digest()]),
            "-----BEGIN CERTIFICATE-----\nabc\n-----BEGIN CERTIFICATE-----\n%%\n-----END CERTIFICATE-----\n"
        );
    }

    #[test]
    fn only_certificates_are_taken_from_a_source_and_all_of_them_or_none() {
        let key = block("secret").replace("CERTIFICATE", "PRIVATE KEY");
        let chain = format!("subject=x\n{}{key}{}", block("leaf"), block("root"));
        let texts: String = certificates(&chain)
            .expect("two")
            .iter()
            .map(|c| c.text.as_str())
            .collect();
        assert_eq!(texts, format!("{}{}", block("leaf"), block("root")));
        let bad = "-----BEGIN CERTIFICATE-----\n%%\n-----END CERTIFICATE-----\n";
        for source in ["", "garbage", &key, &format!("{}{bad}", block("leaf"))] {
            assert_eq!(certificates(source), Err(DocumentError::NoCertificate));
        }
    }
}
