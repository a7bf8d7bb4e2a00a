//! The prolog of a document: the document type declaration is read here, and blanked for the parser of the rest.

use std::io::{Chain, Cursor, Read};

use super::dtd::Dtd;
use super::refusal::Refusal;
use crate::verify::builtin::input::{PIECE_BYTES, RuleFailure, bad, cannot};

/// Longest prolog, up to the root element.
const MAX_BYTES: usize = 4 << 20;
const DOCTYPE: &str = "<!DOCTYPE";

/// The prolog, followed by the rest of the stream.
pub(super) type PrologThenRest<R> = Chain<Cursor<Vec<u8>>, R>;

/// The next part of the prolog.
enum Next {
    /// The prolog continues at this offset.
    At(usize),
    /// A document type declaration, from offset to offset.
    Doctype(usize, usize),
    /// The root element, or malformed text.
    Else,
    /// Undecided without more text.
    More,
}

/// Reads the document type declaration, if there is one, from a stream of UTF-8.
pub(super) fn split_prolog<R: Read>(
    mut stream: R,
) -> Result<(Dtd, PrologThenRest<R>), RuleFailure> {
    let mut head = Vec::new();
    let mut at = 0;
    let mut dtd = Dtd::default();
    loop {
        let end = std::str::from_utf8(&head).map_or_else(|error| error.valid_up_to(), str::len);
        let text = std::str::from_utf8(&head[..end]).unwrap_or_default();
        match next(text, at) {
            Next::At(next) => at = next,
            Next::Doctype(from, to) => {
                dtd = read(&text[from + DOCTYPE.len()..to - 1])?;
                for byte in &mut head[from..to] {
                    if *byte != b'\n' {
                        *byte = b' ';
                    }
                }
                break;
            }
            Next::Else => break,
            Next::More => {
                if !read_on(&mut stream, &mut head)? {
                    break;
                }
            }
        }
    }
    if at < head.len() && head[at..].starts_with(DOCTYPE.as_bytes()) {
        return bad("not well-formed: a document type declaration without an end");
    }
    Ok((dtd, Cursor::new(head).chain(stream)))
}

/// Reads one more piece of the prolog; returns false at the end of the stream.
fn read_on(stream: &mut impl Read, head: &mut Vec<u8>) -> Result<bool, RuleFailure> {
    let read = stream.take(PIECE_BYTES as u64).read_to_end(head)?;
    if head.len() > MAX_BYTES {
        return cannot(format!(
            "what stands before the root is longer than {} MiB",
            MAX_BYTES >> 20
        ));
    }
    Ok(read > 0)
}

fn read(text: &str) -> Result<Dtd, RuleFailure> {
    Dtd::read(text).map_err(|refusal| match refusal {
        Refusal::Bad(why) => RuleFailure::Bad(format!(
            "not well-formed: in the document type declaration: {why}"
        )),
        Refusal::TooMuch(why) => RuleFailure::Cannot(why),
    })
}

fn next(text: &str, at: usize) -> Next {
    let rest = &text[at..];
    let trimmed = rest.trim_start_matches([' ', '\t', '\n', '\r']);
    let at = text.len() - trimmed.len();
    for (start, end) in [("<!--", "-->"), ("<?", "?>")] {
        if let Some(inner) = trimmed.strip_prefix(start) {
            return match inner.find(end) {
                Some(length) => Next::At(at + start.len() + length + end.len()),
                None => Next::More,
            };
        }
    }
    if let Some(declaration) = trimmed.strip_prefix(DOCTYPE) {
        return match doctype_end(declaration) {
            Some(length) => Next::Doctype(at, at + DOCTYPE.len() + length),
            None => Next::More,
        };
    }
    if trimmed.len() < DOCTYPE.len() {
        Next::More
    } else {
        Next::Else
    }
}

/// Returns the length of a document type declaration with its `>`; `None` when it is incomplete.
fn doctype_end(text: &str) -> Option<usize> {
    let mut is_inside = false;
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        let skipped = [("<!--", "-->"), ("<?", "?>"), ("\"", "\""), ("'", "'")]
            .into_iter()
            .find(|(start, _)| rest.starts_with(start));
        if let Some((start, end)) = skipped {
            at += start.len() + rest[start.len()..].find(end)? + end.len();
            continue;
        }
        at += c.len_utf8();
        match c {
            '[' => is_inside = true,
            ']' => is_inside = false,
            '>' if !is_inside => return Some(at),
            _ => {}
        }
    }
    None
}
