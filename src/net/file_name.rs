//! The file name in a `Content-Disposition` field (RFC 6266, RFC 8187).
//!
//! Returns the name as sent; the caller makes it safe. Never fails: an unreadable field has no name.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_PAD_INDIFFERENT;
use percent_encoding::percent_decode;

/// Returns the file name of a `Content-Disposition` field: `filename*` when it can be read, else `filename`.
pub(super) fn disposition_name(field: &[u8]) -> Option<String> {
    let mut plain = None;
    let mut extended = None;
    for (name, value) in parameters(field) {
        let target = if name.eq_ignore_ascii_case(b"filename") {
            plain.get_or_insert_with(|| decode_plain(&value));
            continue;
        } else if name.eq_ignore_ascii_case(b"filename*") {
            &mut extended
        } else {
            continue;
        };
        if target.is_none() {
            *target = decode_extended(&value);
        }
    }
    extended.or(plain).filter(|name| !name.is_empty())
}

/// Returns the parameters after the disposition type, with quoted strings unescaped (RFC 9110 §5.6.4).
fn parameters(field: &[u8]) -> Vec<(&[u8], Cow<'_, [u8]>)> {
    let mut found = Vec::new();
    // `filename=x` without a type is malformed but common: the first part is then a parameter.
    let (first, after) = split_type(field);
    let mut rest = if first.contains(&b'=') { field } else { after };
    while !rest.is_empty() {
        if let Some(stray) = rest.trim_ascii_start().strip_prefix(b"\"") {
            rest = split_at(unquote(stray).1, b';').1;
            continue;
        }
        let end = rest.iter().position(|byte| matches!(byte, b'=' | b';'));
        let Some(end) = end else { break };
        let name = rest[..end].trim_ascii();
        if rest[end] == b';' {
            rest = &rest[end + 1..];
            continue;
        }
        let value = rest[end + 1..].trim_ascii_start();
        if let Some(quoted) = value.strip_prefix(b"\"") {
            let (text, left) = unquote(quoted);
            found.push((name, Cow::Owned(text)));
            rest = split_at(left, b';').1;
        } else {
            let (token, left) = split_at(value, b';');
            found.push((name, Cow::Borrowed(token.trim_ascii())));
            rest = left;
        }
    }
    found
}

/// Returns the disposition type and the rest. A quoted string in place of the type is malformed, and no parameter.
fn split_type(field: &[u8]) -> (&[u8], &[u8]) {
    let start = field.trim_ascii_start();
    match start.strip_prefix(b"\"") {
        Some(quoted) => (&[], split_at(unquote(quoted).1, b';').1),
        None => split_at(field, b';'),
    }
}

/// Returns the text before and after the first `byte`; without one, all of it and nothing.
fn split_at(text: &[u8], byte: u8) -> (&[u8], &[u8]) {
    match text.iter().position(|other| *other == byte) {
        Some(at) => (&text[..at], &text[at + 1..]),
        None => (text, &[]),
    }
}

/// Returns the text up to the closing quote, and the rest. Without a closing quote, the text ends at the end.
fn unquote(text: &[u8]) -> (Vec<u8>, &[u8]) {
    let mut plain = Vec::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        match text[at] {
            b'"' => return (plain, &text[at + 1..]),
            b'\\' if at + 1 < text.len() => {
                plain.push(text[at + 1]);
                at += 2;
            }
            byte => {
                plain.push(byte);
                at += 1;
            }
        }
    }
    (plain, &[])
}

/// Decodes UTF-8, which servers send, else ISO-8859-1, which old ones mean (RFC 6266 appendix C). Some write names as
/// in mail headers (RFC 2047), which browsers read too.
fn decode_plain(value: &[u8]) -> String {
    if let Some(text) = decode_mail_words(value) {
        return text;
    }
    match std::str::from_utf8(value) {
        Ok(text) => text.to_owned(),
        Err(_) => latin1(value),
    }
}

/// Decodes a value made only of `=?charset?B?…?=` and `=?charset?Q?…?=`; `None` for any other.
fn decode_mail_words(value: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(value).ok()?;
    let mut words = text.split_ascii_whitespace().peekable();
    words.peek()?;
    words.map(decode_mail_word).collect()
}

fn decode_mail_word(word: &str) -> Option<String> {
    let inner = word.strip_prefix("=?")?.strip_suffix("?=")?;
    let (charset, rest) = inner.split_once('?')?;
    let (encoding, text) = rest.split_once('?')?;
    let bytes = match encoding {
        "B" | "b" => STANDARD_PAD_INDIFFERENT.decode(text).ok()?,
        "Q" | "q" => {
            let spaced = text.replace('%', "%25").replace('=', "%").replace('_', " ");
            decode_percent(spaced.as_bytes())?
        }
        _ => return None,
    };
    decode_charset(charset.as_bytes(), bytes)
}

fn latin1(value: &[u8]) -> String {
    value.iter().map(|byte| char::from(*byte)).collect()
}

/// Decodes `charset'language'percent-encoded` (RFC 8187 §3.2); `None` for another charset or a malformed value.
fn decode_extended(value: &[u8]) -> Option<String> {
    let (charset, rest) = split_at(value, b'\'');
    let quote = rest.iter().position(|byte| *byte == b'\'')?;
    let bytes = decode_percent(&rest[quote + 1..])?;
    decode_charset(charset, bytes)
}

/// Decodes the charsets of RFC 8187 and of its predecessor, by each of their usual names.
fn decode_charset(charset: &[u8], bytes: Vec<u8>) -> Option<String> {
    let is_letter = |byte: &u8| byte.is_ascii_alphanumeric();
    let name: Vec<u8> = charset.iter().copied().filter(is_letter).collect();
    match &*name.to_ascii_lowercase() {
        b"utf8" => String::from_utf8(bytes).ok(),
        b"usascii" | b"ascii" => String::from_utf8(bytes).ok().filter(|text| text.is_ascii()),
        b"iso88591" | b"latin1" | b"l1" => Some(latin1(&bytes)),
        _ => None,
    }
}

/// Decodes `%XX`; `None` when a `%` begins no such code.
fn decode_percent(text: &[u8]) -> Option<Vec<u8>> {
    let is_code =
        |rest: &[u8]| matches!(rest, [a, b, ..] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit());
    let mut codes = text.split(|byte| *byte == b'%').skip(1);
    codes.all(is_code).then(|| percent_decode(text).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_names() {
        for (field, expected) in [
            ("attachment; filename=prices.csv", "prices.csv"),
            ("attachment; filename=\"a b.csv\"", "a b.csv"),
            ("attachment; filename=\"a\\\"b;c.csv\"", "a\"b;c.csv"),
            ("ATTACHMENT;FILENAME = x.csv ;size=3", "x.csv"),
            ("x; filename=\"a\"; filename*=UTF-8''%e2%82%ac.csv", "€.csv"),
            ("x; filename*=UTF-8''%e2%82%ac.csv; filename=\"a\"", "€.csv"),
            ("attachment; filename*=iso-8859-1'en'%A3.csv", "£.csv"),
            ("x; filename*=UTF-8''%FF; filename=a.csv", "a.csv"),
            ("x; filename*=UTF-8''%e; filename=a.csv", "a.csv"),
            ("x; filename*=koi8-r''%C1; filename=a.csv", "a.csv"),
            ("x; filename*=plain.csv; filename=a.csv", "a.csv"),
            ("attachment; xfilename=no; filename=yes", "yes"),
            ("x; note=\"; filename=no\"; filename=yes", "yes"),
            ("attachment; filename=\"open", "open"),
            ("filename=bare.csv", "bare.csv"),
            ("attachment; filename=first; filename=second", "first"),
            ("\"foo; filename=bar;baz\"; filename=qux", "qux"),
            (" \"filename=bar\" ; filename=qux", "qux"),
            ("\"open; filename=bar", ""),
            ("attachment; \"x; filename=no\"; filename=yes", "yes"),
            ("attachment; filename*=utf8''%e2%82%ac", "€"),
            ("attachment; filename*=UTF_8'en'%e2%82%ac", "€"),
            ("attachment; filename*=latin1''%e9", "é"),
            ("attachment; filename*=us-ascii''a%20b", "a b"),
            ("attachment; filename*=us-ascii''%e9; filename=x", "x"),
            ("attachment; filename*=\"UTF-8''%e2%82%ac\"", "€"),
            ("x; filename=\"=?UTF-8?B?4oKsLmNzdg==?=\"", "€.csv"),
            ("x; filename==?utf-8?Q?=E2=82=AC_1.csv?=", "€ 1.csv"),
            ("x; filename=\"=?x?B?4oKs?=\"", "=?x?B?4oKs?="),
            ("attachment; filename=../../x", "../../x"),
            ("attachment; filename=\"\"", ""),
            ("attachment; filename", ""),
            ("attachment", ""),
            ("inline;;;", ""),
            ("", ""),
        ] {
            let name = disposition_name(field.as_bytes());
            let expected = Some(expected).filter(|name| !name.is_empty());
            assert_eq!(name.as_deref(), expected, "{field}");
        }
        let latin = disposition_name(b"attachment; filename=\"na\xefve.txt\"");
        assert_eq!(latin.as_deref(), Some("naïve.txt"));
        let raw = disposition_name("attachment; filename=\"é.txt\"".as_bytes());
        assert_eq!(raw.as_deref(), Some("é.txt"));
    }

    proptest! {
        #[test]
        fn any_field_is_read_or_passed_over(field in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = disposition_name(&field);
        }

        #[test]
        fn an_encoded_name_reads_back(name in "\\PC{1,40}") {
            let hex: Vec<String> = name.bytes().map(|byte| format!("%{byte:02X}")).collect();
            let field = format!("attachment; filename=\"x\"; filename*=UTF-8''{}", hex.concat());
            prop_assert_eq!(disposition_name(field.as_bytes()), Some(name));
        }
    }
}
