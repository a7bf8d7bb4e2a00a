//! Lists of SHA-256 digests, in the formats of `sha256sum` and of BSD's `sha256`, or one bare digest.
//!
//! Comments, digests of other algorithms and a signature around the list are skipped.

use std::borrow::Cow;

use crate::domain::Digest;

/// One line of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct DigestLine {
    pub(super) digest: Digest,
    /// The listed file name with its folders; `None` for a bare digest.
    pub(super) name: Option<Vec<u8>>,
}

/// Reads one line, without its line feed.
pub(super) fn read_line(line: &[u8]) -> Option<DigestLine> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let (line, is_escaped) = match line.strip_prefix(b"\\") {
        Some(rest) => (rest, true),
        None => (line, false),
    };
    let (digest, name) = bsd(line).or_else(|| coreutils(line))?;
    let name = match name {
        // A digest of stdin has no file name.
        Some(name) if name.trim_ascii() == b"-" => None,
        Some(name) if is_escaped => Some(unescape(name)?),
        other => other.map(<[u8]>::to_vec),
    };
    Some(DigestLine { digest, name })
}

type Parts<'a> = (Digest, Option<&'a [u8]>);

/// `HEX  name`, `HEX *name`, or `HEX` alone.
fn coreutils(line: &[u8]) -> Option<Parts<'_>> {
    let (hex, rest) = line.split_at_checked(64)?;
    let digest = digest(hex)?;
    if rest.trim_ascii().is_empty() {
        return Some((digest, None));
    }
    let name = rest
        .strip_prefix(b"  ")
        .or_else(|| rest.strip_prefix(b" *"))
        // Some tools write one blank or a tab; no name of theirs begins with a blank.
        .or_else(|| rest.strip_prefix(b" ").or_else(|| rest.strip_prefix(b"\t")))?;
    Some((digest, Some(name)))
}

/// `SHA256 (name) = HEX`, and OpenSSL's form of it, `SHA2-256(name)= HEX`. A name may contain `) = `, so the last one
/// ends the name.
fn bsd(line: &[u8]) -> Option<Parts<'_>> {
    let rest = ["SHA256", "SHA2-256", "SHA-256"]
        .iter()
        .find_map(|word| without_word(line, word))?;
    let at = rest.iter().rposition(|byte| *byte == b'=')?;
    let digest = digest(rest[at + 1..].trim_ascii())?;
    let name = rest[..at].trim_ascii_end().strip_suffix(b")")?;
    Some((digest, Some(name)))
}

/// Returns the rest behind the word and an opening bracket.
fn without_word<'a>(line: &'a [u8], word: &str) -> Option<&'a [u8]> {
    let (head, rest) = line.split_at_checked(word.len())?;
    let rest = rest.strip_prefix(b" ").unwrap_or(rest);
    let is_word = head.eq_ignore_ascii_case(word.as_bytes());
    rest.strip_prefix(b"(").filter(|_| is_word)
}

/// Returns whether a line without a SHA-256 digest has another known form.
pub(super) fn is_something_else(line: &[u8]) -> bool {
    let line = line.trim_ascii();
    let is_mark = [&b"#"[..], b";", b"//", b"-----", b"Hash: "]
        .iter()
        .any(|mark| line.starts_with(mark));
    line.is_empty() || is_mark || other_algorithm(line)
}

/// Returns whether a line has another digest: one of the length of MD5, SHA-1, SHA-224, SHA-384 or SHA-512, or under
/// such a name.
fn other_algorithm(line: &[u8]) -> bool {
    let line = line.strip_prefix(b"\\").unwrap_or(line);
    let digits = line
        .iter()
        .take_while(|byte| byte.is_ascii_hexdigit())
        .count();
    let is_apart = line.get(digits).is_none_or(u8::is_ascii_whitespace);
    if matches!(digits, 32 | 40 | 56 | 96 | 128) && is_apart {
        return true;
    }
    let names = [
        "MD5",
        "SHA1",
        "SHA224",
        "SHA384",
        "SHA512",
        "BLAKE",
        "RMD",
        "SHA3",
        "SM3",
        "CKSUM",
        "WHIRLPOOL",
        "SIZE",
    ];
    let word: Vec<u8> = line
        .iter()
        .take_while(|byte| !matches!(**byte, b' ' | b'('))
        .filter(|byte| **byte != b'-')
        .map(u8::to_ascii_uppercase)
        .collect();
    let has_name = names.iter().any(|name| word.starts_with(name.as_bytes()));
    has_name && line.contains(&b'(') && line.contains(&b'=') && !word.starts_with(b"SHA2256")
}

fn digest(hex: &[u8]) -> Option<Digest> {
    let hex = std::str::from_utf8(hex).ok()?;
    // None of these formats has `sha256:` before the digits.
    (hex.len() == 64).then(|| hex.parse().ok()).flatten()
}

fn unescape(name: &[u8]) -> Option<Vec<u8>> {
    let mut read = Vec::with_capacity(name.len());
    let mut bytes = name.iter();
    while let Some(byte) = bytes.next() {
        read.push(match byte {
            b'\\' => match bytes.next()? {
                b'n' => b'\n',
                b'r' => b'\r',
                b'\\' => b'\\',
                _ => return None,
            },
            byte => *byte,
        });
    }
    Some(read)
}

/// Removes a leading `./` from a listed name.
pub(super) fn without_dot(name: &[u8]) -> &[u8] {
    let mut name = name;
    while let Some(rest) = name.strip_prefix(b"./") {
        name = rest;
    }
    name
}

/// Removes the folders from a listed name.
pub(super) fn last_part(name: &[u8]) -> &[u8] {
    name.rsplit(|byte| *byte == b'/').next().unwrap_or(name)
}

/// Prints a name for people.
pub(super) fn printed(name: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HEX: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn lines_of_both_formats_are_read() {
        let digest: Digest = HEX.parse().expect("a digest");
        for (line, name) in [
            (HEX.to_owned(), None),
            (format!("{HEX}\r"), None),
            (format!("{HEX}  "), None),
            (format!("{HEX}  a.txt"), Some("a.txt")),
            (format!("{HEX} *a.txt\r"), Some("a.txt")),
            (format!("{HEX} a.txt"), Some("a.txt")),
            (format!("{}  a.txt", HEX.to_uppercase()), Some("a.txt")),
            (format!("{HEX}  ./dir/a b  c"), Some("./dir/a b  c")),
            (format!("{HEX}    two blanks"), Some("  two blanks")),
            (format!("\\{HEX}  a\\nb\\\\c\\r"), Some("a\nb\\c\r")),
            (format!("{HEX}  a\\nb"), Some("a\\nb")),
            (format!("SHA256 (a.txt) = {HEX}"), Some("a.txt")),
            (format!("SHA256 (a) = b) = {HEX}"), Some("a) = b")),
            (format!("SHA256(a.txt)= {HEX}"), Some("a.txt")),
            (format!("SHA2-256 (a.txt) = {HEX} "), Some("a.txt")),
            (format!("SHA2-256(a.txt)= {HEX}"), Some("a.txt")),
            (format!("{HEX}  -"), None),
            (format!("{HEX} *- "), None),
            (format!("\\SHA256 (a\\nb) = {HEX}"), Some("a\nb")),
        ] {
            let expected = DigestLine {
                digest,
                name: name.map(|name| name.as_bytes().to_vec()),
            };
            assert_eq!(read_line(line.as_bytes()), Some(expected), "{line}");
        }
    }

    #[test]
    fn other_lines_are_passed_over() {
        for line in [
            "",
            "# a comment",
            "-----BEGIN PGP SIGNED MESSAGE-----",
            "d41d8cd98f00b204e9800998ecf8427e  a.txt",
            &format!("{HEX}{HEX}  sha512"),
            &format!("{HEX}x"),
            &format!("{}  short", &HEX[1..]),
            &format!("sha256:{HEX}"),
            &format!("MD5 (a.txt) = {HEX}"),
            &format!("SHA256 (a.txt) {HEX}"),
            &format!("\\{HEX}  a\\x"),
            &format!("\\{HEX}  a\\"),
            "<html>",
        ] {
            assert_eq!(read_line(line.as_bytes()), None, "{line}");
        }
        for (line, known) in [
            ("", true),
            ("# a comment", true),
            ("-----BEGIN PGP SIGNED MESSAGE-----", true),
            ("Hash: SHA256", true),
            ("d41d8cd98f00b204e9800998ecf8427e  a.txt", true),
            ("MD5 (a.txt) = d41d8cd98f00b204e9800998ecf8427e", true),
            (&format!("{HEX}{HEX}  sha512"), true),
            (&format!("SHA2-512(a.txt)= {HEX}{HEX}"), false),
            (&format!("sha256:{HEX}  a.txt"), false),
            (&format!("{}  short", &HEX[1..]), false),
            ("SHA256 (a.txt) = none", false),
            ("app.tar is fine", false),
        ] {
            assert_eq!(is_something_else(line.as_bytes()), known, "{line}");
        }
        assert_eq!(read_line(&[0xFF; 80]), None);
    }

    #[test]
    fn names_lose_their_folders() {
        assert_eq!(without_dot(b"././a/b"), b"a/b");
        assert_eq!(last_part(b"a/b.txt"), b"b.txt");
        assert_eq!(last_part(b"b.txt"), b"b.txt");
    }

    /// Writes a line as `sha256sum` does.
    fn written(digest: Digest, name: &[u8], bsd: bool) -> Vec<u8> {
        let mut escaped = Vec::new();
        for byte in name {
            match byte {
                b'\\' => escaped.extend(b"\\\\"),
                b'\n' => escaped.extend(b"\\n"),
                b'\r' => escaped.extend(b"\\r"),
                byte => escaped.push(*byte),
            }
        }
        let mark: &[u8] = if escaped == name { b"" } else { b"\\" };
        let hex = digest.to_hex().into_bytes();
        if bsd {
            [mark, b"SHA256 (", &escaped, b") = ", &hex].concat()
        } else {
            [mark, &hex, b"  ", &escaped].concat()
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(
            content: [u8; 4],
            name in prop_oneof![
                prop::collection::vec(any::<u8>(), 1..12),
                "[a-c \\\\\n\r()=]{1,10}".prop_map(String::into_bytes),
            ],
            bsd: bool,
        ) {
            // A list cannot hold a blank name.
            prop_assume!(!matches!(name.trim_ascii(), b"" | b"-"));
            let digest = Digest::of(&content);
            let line = written(digest, &name, bsd);
            prop_assert_eq!(read_line(&line), Some(DigestLine { digest, name: Some(name) }));
        }

        #[test]
        fn any_line_is_read_or_passed_over(line: Vec<u8>) {
            let _ = read_line(&line);
        }
    }
}
