//! The ways in which a text may spell a value: as it is, percent-encoded in whole or in part, as form data, in a JSON string, as
//! HTML, in a file's name, in base64 and in hexadecimal digits.
//!
//! Knows nothing of secrets: it finds and replaces.

use base64::Engine as _;
use base64::prelude::{
    BASE64_STANDARD_NO_PAD as STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD as URL_SAFE_NO_PAD,
};

use crate::domain::to_hex;

/// So many bytes of a value, at the end of a text that was cut there, are struck out too.
const LEAST_CUT_BYTES: usize = 4;

/// So many digits of base64 or hexadecimal: no more than so many bytes.
const LEAST_CUT_DIGITS: usize = 6;

/// Replaces every way to write `value` in `text`, and its beginning at the end of the text.
pub(super) fn replace(text: &str, value: &str, name: &str) -> String {
    let (bytes, value) = (text.as_bytes(), value.as_bytes());
    let mut replaced = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        match written(&bytes[at..], value) {
            Written::Whole(length) => {
                replaced.extend_from_slice(name.as_bytes());
                at += length;
            }
            Written::Cut(count) if count >= LEAST_CUT_BYTES => {
                replaced.extend_from_slice(name.as_bytes());
                at = bytes.len();
            }
            Written::Cut(_) | Written::Not => {
                replaced.push(bytes[at]);
                at += 1;
            }
        }
    }
    // What is replaced begins and ends between characters: a value's first byte is the first of one.
    String::from_utf8_lossy(&replaced).into_owned()
}

/// How a text begins.
#[derive(Clone, Copy)]
enum Written {
    /// With a value that is written in so many bytes.
    Whole(usize),
    /// With so many bytes of the value, and ends there.
    Cut(usize),
    Not,
}

/// Returns whether `text` begins with `value`, each of its bytes written in one of many ways.
fn written(text: &[u8], value: &[u8]) -> Written {
    fn from(text: &[u8], at: usize, value: &[u8], done: usize) -> Written {
        let Some(byte) = value.get(done) else {
            return Written::Whole(at);
        };
        let rest = &text[at..];
        let mut cut = Written::Not;
        if is_cut(rest, *byte) {
            cut = Written::Cut(done);
        }
        if rest.is_empty() {
            return cut;
        }
        for length in spellings(rest, *byte).into_iter().flatten() {
            match from(text, at + length, value, done + 1) {
                whole @ Written::Whole(_) => return whole,
                Written::Cut(count) => cut = Written::Cut(count),
                Written::Not => {}
            }
        }
        cut
    }
    from(text, 0, value, 0)
}

/// Returns whether `rest` is what remains of a text that was cut before `byte`, or in the middle of an escape for it. Who cuts
/// may leave a mark: `…`, or U+FFFD for half a character.
fn is_cut(rest: &[u8], byte: u8) -> bool {
    const LONGEST_ESCAPE: usize = 6;
    let marks = ["…".as_bytes(), "\u{fffd}".as_bytes()];
    let without = marks.iter().find_map(|mark| rest.strip_suffix(*mark));
    let rest = without.unwrap_or(rest);
    if rest.is_empty() || rest.len() >= LONGEST_ESCAPE {
        return rest.is_empty();
    }
    let hex = to_hex(&[byte]);
    let escapes = [
        format!("%{hex}"),
        format!("%25{hex}"),
        format!("\\u00{hex}"),
        // `\/`, `\"`.
        format!("\\{}", char::from(byte)),
    ];
    let escapes = escapes.iter().map(String::as_bytes);
    let mut all = escapes.chain(entities(byte).iter().copied());
    all.any(|escape| {
        let start = escape.get(..rest.len());
        rest.len() < escape.len() && start.is_some_and(|start| start.eq_ignore_ascii_case(rest))
    })
}

/// Returns the lengths of the ways in which `text` may begin with `byte`.
fn spellings(text: &[u8], byte: u8) -> [Option<usize>; 4] {
    let plain = text[0].eq_ignore_ascii_case(&byte)
        || byte == b' ' && text[0] == b'+'
        // In a file's name.
        || b"/\\:*?\"<>|".contains(&byte) && matches!(text[0], b'_' | b'-');
    let escaped = |prefix: &[u8], digits: usize| {
        let digits_at = text.strip_prefix(prefix)?.get(..digits)?;
        let digits_at = std::str::from_utf8(digits_at).ok()?;
        let value = u32::from_str_radix(digits_at, 16).ok()?;
        (value == u32::from(byte)).then_some(prefix.len() + digits)
    };
    // An address turns `\/` into `//`.
    let is_escape = text[0] == b'\\' || byte == b'/' && text[0] == b'/';
    let backslash = (is_escape && text.get(1) == Some(&byte)).then_some(2);
    [
        plain.then_some(1),
        // Encoded twice where a redirect was put into another address.
        escaped(b"%", 2).or_else(|| escaped(b"%25", 2)),
        escaped(b"\\u", 4).or(backslash),
        entity(text, byte),
    ]
}

/// Returns the length of the HTML entity for `byte` that `text` begins with.
fn entity(text: &[u8], byte: u8) -> Option<usize> {
    let found = entities(byte).iter().find(|name| {
        let start = text.get(..name.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(name))
    });
    found.map(|name| name.len())
}

fn entities(byte: u8) -> &'static [&'static [u8]] {
    match byte {
        b'&' => &[b"&amp;", b"&#38;", b"&#x26;"],
        b'<' => &[b"&lt;", b"&#60;", b"&#x3c;"],
        b'>' => &[b"&gt;", b"&#62;", b"&#x3e;"],
        b'"' => &[b"&quot;", b"&#34;", b"&#x22;"],
        b'\'' => &[b"&apos;", b"&#39;", b"&#x27;"],
        b'/' => &[b"&#47;", b"&#x2f;"],
        b'=' => &[b"&#61;", b"&#x3d;"],
        b'+' => &[b"&#43;", b"&#x2b;"],
        _ => &[],
    }
}

/// Replaces the end of `value` at the beginning of a text that was cut there.
pub(super) fn replace_ending(text: &str, value: &str, name: &str) -> String {
    // What is left of an escape may stand before it.
    const MOST_BEFORE: usize = 6;
    let bytes = text.as_bytes();
    for at in 0..=bytes.len().min(MOST_BEFORE) {
        for done in 1..(value.len() + 1).saturating_sub(LEAST_CUT_BYTES) {
            let (rest, ending) = (&bytes[at..], &value.as_bytes()[done..]);
            if let Written::Whole(length) = written(rest, ending) {
                let behind = String::from_utf8_lossy(&rest[length..]);
                return format!("{name}{behind}");
            }
        }
    }
    text.to_owned()
}

/// Returns what base64 makes of a value wherever it stands in a longer text: the digits that nothing but the value decides, for
/// each of the three places that it may begin at, in both alphabets.
pub(super) fn base64_forms(value: &str) -> impl Iterator<Item = String> + use<> {
    let value = value.as_bytes().to_vec();
    (0..3_usize).flat_map(move |before| {
        let text = [vec![0; before], value.clone()].concat();
        let first = (before * 8).div_ceil(6);
        let last = text.len() * 8 / 6;
        [STANDARD_NO_PAD.encode(&text), URL_SAFE_NO_PAD.encode(&text)]
            .map(|digits| digits[first..last].to_owned())
    })
}

pub(super) fn hex_forms(value: &str) -> impl Iterator<Item = String> + use<> {
    let lower = to_hex(value.as_bytes());
    [lower.to_ascii_uppercase(), lower].into_iter()
}

/// Replaces every run of base64 or hexadecimal digits that holds `digits`, or their beginning at the end of the text.
pub(super) fn replace_runs(text: &str, digits: &str, name: &str) -> String {
    let mut replaced = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(digits) {
        let start = run_start(&rest[..at]);
        let end = rest[at..]
            .find(|c| !is_digit(c) && c != '=')
            .map_or(rest.len(), |length| at + length);
        replaced.push_str(&rest[..start]);
        replaced.push_str(name);
        rest = &rest[end..];
    }
    let cut = rest.trim_end_matches(['…', '\u{fffd}']);
    let is_beginning = |count: &usize| cut.ends_with(&digits[..*count]);
    match (LEAST_CUT_DIGITS..digits.len()).rev().find(is_beginning) {
        Some(count) => {
            replaced.push_str(&rest[..run_start(&cut[..cut.len() - count])]);
            replaced.push_str(name);
        }
        None => replaced.push_str(rest),
    }
    replaced
}

/// Does for base64 and hexadecimal digits what [`replace_ending`] does.
pub(super) fn replace_run_ending(text: &str, digits: &str, name: &str) -> String {
    let last = (digits.len() + 1).saturating_sub(LEAST_CUT_DIGITS);
    let is_ending = |at: &usize| text.starts_with(&digits[*at..]);
    let Some(at) = (1..last).find(is_ending) else {
        return text.to_owned();
    };
    let rest = text[digits.len() - at..].trim_start_matches(|c| is_digit(c) || c == '=');
    format!("{name}{rest}")
}

fn is_digit(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '-' | '_')
}

/// Returns where the run of digits begins that `text` ends with.
fn run_start(text: &str) -> usize {
    text.trim_end_matches(is_digit).len()
}
