//! The ways in which a text may spell a value: as it is, percent-encoded in whole or in part, as form data, in a JSON string, as
//! HTML, in a file's name, read in a wrong encoding, in base64 and in hexadecimal digits.
//!
//! Knows nothing of secrets: it finds and replaces.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::prelude::{
    BASE64_STANDARD_NO_PAD as STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD as URL_SAFE_NO_PAD,
};

use crate::domain::to_hex;

/// What stands for bytes that are not UTF-8.
const REPLACEMENT: &str = "\u{fffd}";

/// So many bytes of a value, at the end of a text that was cut there, are struck out too.
const LEAST_CUT_BYTES: usize = 4;

/// So many digits of base64 or hexadecimal: no more than so many bytes.
const LEAST_CUT_DIGITS: usize = 6;

/// What an escape for one byte begins with, before two hexadecimal digits: percent-encoding, also where an address was put
/// into another one, and once more; strings of programs, also where a byte was taken for a character; quoted-printable.
const PREFIXES: [&[u8]; 6] = [b"%", b"%25", b"%2525", b"\\x", b"\\u00", b"="];

/// The longest escape, for a character beyond the first plane: `\ud83d\ude00`, `%2525f0%25259f%252598%252580`.
const LONGEST_ESCAPE: usize = 32;

/// Replaces every way to write `value` in `text`, and its beginning at the end of the text.
pub(super) fn replace(text: &str, value: &str, name: &str) -> String {
    let bytes = text.as_bytes();
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

/// Returns whether `text` begins with `value`, each of its characters written in one of many ways.
fn written(text: &[u8], value: &str) -> Written {
    fn from(text: &[u8], at: usize, value: &str, done: usize) -> Written {
        let Some(c) = value[done..].chars().next() else {
            return Written::Whole(at);
        };
        let rest = &text[at..];
        let mut cut = Written::Not;
        if done > 0 && is_cut(rest, c) {
            cut = Written::Cut(done);
        }
        if rest.is_empty() {
            return cut;
        }
        for length in spellings(rest, c).into_iter().flatten() {
            match from(text, at + length, value, done + c.len_utf8()) {
                whole @ Written::Whole(_) => return whole,
                Written::Cut(count) => cut = Written::Cut(count),
                Written::Not => {}
            }
        }
        cut
    }
    from(text, 0, value, 0)
}

/// Returns whether `rest` is what remains of a text that was cut before `c`, or in the middle of an escape for it. Who cuts
/// may leave a mark: `…`, or U+FFFD for half a character.
fn is_cut(rest: &[u8], c: char) -> bool {
    if rest.len() > LONGEST_ESCAPE {
        return false;
    }
    let marks = ["…".as_bytes(), REPLACEMENT.as_bytes()];
    let without = marks.iter().find_map(|mark| rest.strip_suffix(*mark));
    let rest = without.unwrap_or(rest);
    rest.is_empty()
        || escapes(c).iter().any(|escape| {
            let start = escape.as_bytes().get(..rest.len());
            rest.len() < escape.len() && start.is_some_and(|start| start.eq_ignore_ascii_case(rest))
        })
}

/// Returns all escapes for a character: what may be cut in its middle.
fn escapes(c: char) -> Vec<String> {
    let mut utf8 = [0; 4];
    let utf8 = c.encode_utf8(&mut utf8).as_bytes();
    let mut units = String::new();
    for unit in c.encode_utf16(&mut [0; 2]) {
        let _ = write!(units, "\\u{unit:04x}");
    }
    let code = u32::from(c);
    let mut all = vec![
        units,
        // `\/`, `\"`.
        format!("\\{c}"),
        format!("&#{code};"),
        format!("&#x{code:x};"),
    ];
    all.extend(named_entity(c).map(str::to_owned));
    all.extend(pointer_escape(c).map(str::to_owned));
    for prefix in PREFIXES.map(String::from_utf8_lossy) {
        let escaped = |byte: &u8| format!("{prefix}{byte:02x}");
        all.push(utf8.iter().map(escaped).collect());
        all.extend(u8::try_from(code).ok().as_ref().map(escaped));
    }
    all
}

/// Returns the lengths of the ways in which `text` may begin with `c`.
fn spellings(text: &[u8], c: char) -> [Option<usize>; 5 + PREFIXES.len()] {
    let mut found = [None; 5 + PREFIXES.len()];
    found[0] = plain(text, c);
    // Letters and digits begin no escape.
    if text[0].is_ascii_alphanumeric() {
        return found;
    }
    // An address turns `\/` into `//`.
    let is_escape = text[0] == b'\\' || c == '/' && text[0] == b'/';
    let escaped = text.get(1..).filter(|_| is_escape);
    found[1] = escaped
        .and_then(|text| starts_with(text, c))
        .map(|length| length + 1);
    found[2] = code_units(text, c);
    found[3] = entity(text, c);
    found[4] = misread(text, c);
    for (slot, prefix) in found[5..].iter_mut().zip(PREFIXES) {
        *slot = bytes_escaped(text, prefix, c);
    }
    found
}

/// Returns the length of `c` at the beginning of `text`, in either case of a letter.
fn starts_with(text: &[u8], c: char) -> Option<usize> {
    let is_at_start = |c: char| {
        let mut utf8 = [0; 4];
        let utf8 = c.encode_utf8(&mut utf8).as_bytes();
        let start = text.get(..utf8.len())?;
        start.eq_ignore_ascii_case(utf8).then_some(utf8.len())
    };
    let found = is_at_start(c);
    if found.is_some() || c.is_ascii() {
        return found;
    }
    c.to_uppercase()
        .chain(c.to_lowercase())
        .find_map(is_at_start)
}

fn plain(text: &[u8], c: char) -> Option<usize> {
    starts_with(text, c).or_else(|| {
        let stands_for = c == ' ' && text[0] == b'+'
            // In a file's name.
            || "/\\:*?\"<>|".contains(c) && matches!(text[0], b'_' | b'-');
        if stands_for {
            return Some(1);
        }
        pointer_escape(c)
            .filter(|escape| text.starts_with(escape.as_bytes()))
            .map(str::len)
    })
}

/// Returns how a JSON Pointer writes a character that means something in one (RFC 6901 §3).
fn pointer_escape(c: char) -> Option<&'static str> {
    match c {
        '~' => Some("~0"),
        '/' => Some("~1"),
        _ => None,
    }
}

/// Returns the length of `c` written as in JSON: `\u00e9`, one for each unit of UTF-16.
fn code_units(text: &[u8], c: char) -> Option<usize> {
    let mut at = 0;
    for unit in c.encode_utf16(&mut [0; 2]) {
        let digits = text.get(at..)?.strip_prefix(b"\\u")?;
        if number(digits.get(..4)?, 16)? != u32::from(*unit) {
            return None;
        }
        at += 6;
    }
    Some(at)
}

/// Returns the length of `c` with an escape for each byte of it, as UTF-8 or as ISO-8859-1.
fn bytes_escaped(text: &[u8], prefix: &[u8], c: char) -> Option<usize> {
    let written = |bytes: &[u8]| {
        let mut at = 0;
        for byte in bytes {
            let rest = text.get(at..)?;
            let digits = rest.strip_prefix(prefix).and_then(|digits| digits.get(..2));
            at += match digits.and_then(|digits| number(digits, 16)) {
                Some(value) if value == u32::from(*byte) => prefix.len() + 2,
                // Some escape a part of a character only, having read its bytes as characters.
                _ if !c.is_ascii() => starts_with(rest, char::from(*byte))?,
                _ => return None,
            };
        }
        Some(at)
    };
    written(c.encode_utf8(&mut [0; 4]).as_bytes()).or_else(|| written(&[u8::try_from(c).ok()?]))
}

/// Returns the length of the HTML entity for `c` that `text` begins with: `&amp;`, `&#38;`, `&#x26;`.
fn entity(text: &[u8], c: char) -> Option<usize> {
    let inner = text.strip_prefix(b"&")?;
    let length = inner.iter().take(12).position(|byte| *byte == b';')?;
    let inner = &inner[..length];
    let is_same = match inner {
        [b'#', b'x' | b'X', digits @ ..] => number(digits, 16)? == u32::from(c),
        [b'#', digits @ ..] => number(digits, 10)? == u32::from(c),
        _ => named_entity(c).is_some_and(|name| {
            text.get(..name.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(name.as_bytes()))
        }),
    };
    is_same.then_some(length + 2)
}

fn named_entity(c: char) -> Option<&'static str> {
    Some(match c {
        '&' => "&amp;",
        '<' => "&lt;",
        '>' => "&gt;",
        '"' => "&quot;",
        '\'' => "&apos;",
        _ => return None,
    })
}

/// Returns the length of what becomes of `c` beyond ASCII where bytes are read as another encoding than theirs: U+FFFD for
/// ISO-8859-1 as UTF-8, or one character for each byte of UTF-8.
fn misread(text: &[u8], c: char) -> Option<usize> {
    if c.is_ascii() {
        return None;
    }
    if text.starts_with(REPLACEMENT.as_bytes()) {
        return Some(REPLACEMENT.len());
    }
    let mut at = 0;
    for byte in c.encode_utf8(&mut [0; 4]).bytes() {
        at += starts_with(text.get(at..)?, char::from(byte))?;
    }
    Some(at)
}

fn number(digits: &[u8], radix: u32) -> Option<u32> {
    let digits = std::str::from_utf8(digits).ok()?;
    u32::from_str_radix(digits, radix).ok()
}

/// Replaces the end of `value` at the beginning of a text that was cut there, or all of a text that is a part of `value`.
pub(super) fn replace_ending(text: &str, value: &str, name: &str) -> String {
    // What is left of an escape may stand before it.
    const MOST_BEFORE: usize = 6;
    let bytes = text.as_bytes();
    let last = (value.len() + 1).saturating_sub(LEAST_CUT_BYTES);
    for at in 0..=bytes.len().min(MOST_BEFORE) {
        for done in (1..last).filter(|done| value.is_char_boundary(*done)) {
            let rest = &bytes[at..];
            match written(rest, &value[done..]) {
                Written::Whole(length) => {
                    let behind = String::from_utf8_lossy(&rest[length..]);
                    return format!("{name}{behind}");
                }
                // The text has been cut on both sides.
                Written::Cut(count) if count >= LEAST_CUT_BYTES => return name.to_owned(),
                Written::Cut(_) | Written::Not => {}
            }
        }
    }
    text.to_owned()
}

/// Returns what base64 makes of a value wherever it stands in a longer text: the digits that nothing but the value decides, for
/// each of the three places that it may begin at, in both alphabets.
pub(super) fn base64_forms(value: &[u8]) -> impl Iterator<Item = String> + use<> {
    let value = value.to_vec();
    (0..3_usize).flat_map(move |before| {
        let text = [vec![0; before], value.clone()].concat();
        let first = (before * 8).div_ceil(6);
        let last = text.len() * 8 / 6;
        [STANDARD_NO_PAD.encode(&text), URL_SAFE_NO_PAD.encode(&text)]
            .map(|digits| digits[first..last].to_owned())
    })
}

pub(super) fn hex_forms(value: &[u8]) -> impl Iterator<Item = String> + use<> {
    let lower = to_hex(value);
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
        let is_part = text.len() >= LEAST_CUT_DIGITS && digits.contains(text);
        return if is_part { name } else { text }.to_owned();
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
