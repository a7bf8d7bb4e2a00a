//! The spellings of a value in a text: verbatim, percent-encoded in whole or in part, as form data, in a JSON string,
//! as HTML, in a file's name, read in a wrong encoding, in base64 and in hexadecimal digits.
//!
//! Finds and replaces only; which values are secret is not its concern.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::prelude::{
    BASE64_STANDARD_NO_PAD as STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD as URL_SAFE_NO_PAD,
};

use crate::domain::to_hex;

/// Replacement character for bytes that are not UTF-8.
const REPLACEMENT: &str = "\u{fffd}";

/// Least length of a value's beginning, in bytes, that is struck out at the end of a cut text.
const LEAST_CUT_BYTES: usize = 4;

/// The same in digits of base64 or hexadecimal, which are no more bytes than that.
const LEAST_CUT_DIGITS: usize = 6;

/// Prefixes of an escape for one byte, before two hexadecimal digits: percent-encoding, once or twice more for an
/// address within an address; escapes of programming languages, also for a byte taken for a character;
/// quoted-printable.
const PREFIXES: [&[u8]; 6] = [b"%", b"%25", b"%2525", b"\\x", b"\\u00", b"="];

/// Longest escape, for a character beyond the first plane: `\ud83d\ude00`, `%2525f0%25259f%252598%252580`.
const LONGEST_ESCAPE: usize = 32;

/// Replaces every spelling of `value` in `text`, and the beginning of one at the end of the text.
pub(super) fn replace(text: &str, value: &str, name: &str) -> String {
    let bytes = text.as_bytes();
    let mut replaced = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        match written(&bytes[at..], value) {
            Spelled::Whole(length) => {
                replaced.extend_from_slice(name.as_bytes());
                at += length;
            }
            Spelled::Cut(count) if count >= LEAST_CUT_BYTES => {
                replaced.extend_from_slice(name.as_bytes());
                at = bytes.len();
            }
            Spelled::Cut(_) | Spelled::Not => {
                replaced.push(bytes[at]);
                at += 1;
            }
        }
    }
    // Matches begin and end between characters, since `value` begins with a whole one.
    String::from_utf8_lossy(&replaced).into_owned()
}

/// The beginning of a text.
#[derive(Clone, Copy)]
enum Spelled {
    /// The value, spelled in this many bytes.
    Whole(usize),
    /// This many bytes of the value, up to the end of the text.
    Cut(usize),
    Not,
}

/// Returns whether `text` begins with `value`, each of its characters spelled in any way.
fn written(text: &[u8], value: &str) -> Spelled {
    fn from(text: &[u8], at: usize, value: &str, done: usize) -> Spelled {
        let Some(c) = value[done..].chars().next() else {
            return Spelled::Whole(at);
        };
        let rest = &text[at..];
        let mut cut = Spelled::Not;
        if done > 0 && is_cut(rest, c) {
            cut = Spelled::Cut(done);
        }
        if rest.is_empty() {
            return cut;
        }
        for length in spellings(rest, c).into_iter().flatten() {
            match from(text, at + length, value, done + c.len_utf8()) {
                whole @ Spelled::Whole(_) => return whole,
                Spelled::Cut(count) => cut = Spelled::Cut(count),
                Spelled::Not => {}
            }
        }
        cut
    }
    from(text, 0, value, 0)
}

/// Returns whether `rest` is the end of a text that was cut before `c`, or within an escape of it. A cut may leave a
/// mark: `…`, or U+FFFD for half a character.
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

/// Returns all escapes of a character, any of which may be cut in its middle.
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

/// Returns the lengths of the spellings of `c` with which `text` may begin.
fn spellings(text: &[u8], c: char) -> [Option<usize>; 5 + PREFIXES.len()] {
    let mut found = [None; 5 + PREFIXES.len()];
    found[0] = plain(text, c);
    // Letters and digits begin no escape.
    if text[0].is_ascii_alphanumeric() {
        return found;
    }
    // A URL parser turns `\/` into `//`.
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

/// Returns the length of `c` at the beginning of `text`, in either case.
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

/// Returns the escape of a character in a JSON Pointer (RFC 6901 §3).
fn pointer_escape(c: char) -> Option<&'static str> {
    match c {
        '~' => Some("~0"),
        '/' => Some("~1"),
        _ => None,
    }
}

/// Returns the length of `c` spelled as in JSON: `\u00e9`, one for each UTF-16 unit.
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

/// Returns the length of `c` with an escape for each byte, as UTF-8 or as ISO-8859-1.
fn bytes_escaped(text: &[u8], prefix: &[u8], c: char) -> Option<usize> {
    let written = |bytes: &[u8]| {
        let mut at = 0;
        for byte in bytes {
            let rest = text.get(at..)?;
            let digits = rest.strip_prefix(prefix).and_then(|digits| digits.get(..2));
            at += match digits.and_then(|digits| number(digits, 16)) {
                Some(value) if value == u32::from(*byte) => prefix.len() + 2,
                // Some programs escape only a part of a character, having read its bytes as characters.
                _ if !c.is_ascii() => starts_with(rest, char::from(*byte))?,
                _ => return None,
            };
        }
        Some(at)
    };
    written(c.encode_utf8(&mut [0; 4]).as_bytes()).or_else(|| written(&[u8::try_from(c).ok()?]))
}

/// Returns the length of the HTML entity of `c` with which `text` begins: `&amp;`, `&#38;`, `&#x26;`.
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

/// Returns the length of a `c` beyond ASCII that was read in a wrong encoding: U+FFFD for ISO-8859-1 read as UTF-8, or
/// one character for each byte of UTF-8.
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

/// Replaces the end of `value` at the beginning of a cut text, or all of a text that is a part of `value`.
pub(super) fn replace_ending(text: &str, value: &str, name: &str) -> String {
    // The rest of a cut escape may precede the value.
    const MOST_BEFORE: usize = 6;
    let bytes = text.as_bytes();
    let last = (value.len() + 1).saturating_sub(LEAST_CUT_BYTES);
    for at in 0..=bytes.len().min(MOST_BEFORE) {
        for done in (1..last).filter(|done| value.is_char_boundary(*done)) {
            let rest = &bytes[at..];
            match written(rest, &value[done..]) {
                Spelled::Whole(length) => {
                    let behind = String::from_utf8_lossy(&rest[length..]);
                    return format!("{name}{behind}");
                }
                // The text is cut on both sides.
                Spelled::Cut(count) if count >= LEAST_CUT_BYTES => return name.to_owned(),
                Spelled::Cut(_) | Spelled::Not => {}
            }
        }
    }
    text.to_owned()
}

/// Returns the base64 of a value within a longer text: the digits that depend on the value alone, for each of the three
/// offsets, in both alphabets.
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

/// Replaces every run of base64 or hexadecimal digits that contains `digits`, or ends the text with their beginning.
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

/// Does for base64 and hexadecimal digits what [`replace_ending`] does for text.
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

/// Returns the start of the run of digits at the end of `text`.
fn run_start(text: &str) -> usize {
    text.trim_end_matches(is_digit).len()
}
