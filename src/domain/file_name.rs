//! Safe names for one part of a path, made of any text from the network.

use percent_encoding::percent_decode_str;
use unicode_normalization::UnicodeNormalization as _;

use super::text::is_formatting;

/// The longest part, in bytes: leaves room below the 255 of common file systems for prefixes and suffixes.
const MAX_PART_BYTES: usize = 200;

/// Makes one safe part of a path of `text`: no separators, controls or bidirectional marks, in NFC (Unicode Annex 15),
/// at most 200 bytes with the extension kept. `None` when nothing but dots is left.
pub fn safe_part(text: &str) -> Option<String> {
    let mapped: String = text
        .nfc()
        .filter_map(|c| match c {
            '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|' => Some('_'),
            c if is_formatting(c) => None,
            c => Some(c),
        })
        .collect();
    // Leading dots hide files and make `..`; trailing dots and spaces vanish on some file systems.
    let trimmed = mapped.trim_start_matches(|c: char| c == '.' || c.is_whitespace());
    let trimmed = trimmed.trim_end_matches(|c: char| c == '.' || c.is_whitespace());
    (!trimmed.is_empty()).then(|| shorten(trimmed))
}

/// Returns the file name in an address: the decoded last segment of the path, made safe; `index` if there is none.
pub fn segment_name(url: &url::Url) -> String {
    url.path_segments()
        .and_then(|mut segments| segments.next_back().map(decode_percent))
        .and_then(|segment| safe_part(&segment))
        .unwrap_or_else(|| "index".to_owned())
}

/// Decodes `%XX` (RFC 3986 §2.1); bytes that are not UTF-8 become U+FFFD.
pub fn decode_percent(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

fn shorten(name: &str) -> String {
    if name.len() <= MAX_PART_BYTES {
        return name.to_owned();
    }
    let cut = |text: &str, most: usize| text[..text.floor_char_boundary(most)].to_owned();
    match name.rsplit_once('.') {
        Some((stem, extension)) if extension.len() <= 16 => {
            let stem = cut(stem, MAX_PART_BYTES - extension.len() - 1);
            format!("{stem}.{extension}")
        }
        _ => cut(name, MAX_PART_BYTES),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn makes_names_safe() {
        for (text, expected) in [
            ("prices.csv", Some("prices.csv")),
            ("../../etc/passwd", Some("_.._etc_passwd")),
            ("..", None),
            ("", None),
            (". .", None),
            ("a\u{202E}fdp.exe", Some("afdp.exe")),
            ("a\nb\0c", Some("abc")),
            ("pri\u{ad}ces\u{200b}.csv\u{feff}", Some("prices.csv")),
            ("C:\\x", Some("C__x")),
            ("e\u{301}.txt", Some("\u{e9}.txt")),
            (".htaccess", Some("htaccess")),
        ] {
            assert_eq!(safe_part(text).as_deref(), expected, "{text:?}");
        }
        let long = safe_part(&format!("{}.tar.gz", "é".repeat(300))).expect("a name");
        assert!(long.len() <= MAX_PART_BYTES, "{long}");
        assert_eq!(long.rsplit_once('.').map(|parts| parts.1), Some("gz"));
    }

    #[test]
    fn names_come_from_the_last_segment() {
        for (address, name) in [
            ("https://h/a/b%20c.csv?x=1", "b c.csv"),
            ("https://h/", "index"),
            ("https://h/a/", "index"),
            ("https://h/%2e%2e%2fetc", "_etc"),
            ("https://h/%FF%00x", "\u{FFFD}x"),
        ] {
            let url = url::Url::parse(address).expect("a URL");
            assert_eq!(segment_name(&url), name, "{address}");
        }
    }

    proptest! {
        #[test]
        fn any_text_gives_one_safe_part(text in "\\PC*|.*") {
            if let Some(part) = safe_part(&text) {
                prop_assert!(!part.is_empty() && part.len() <= MAX_PART_BYTES);
                prop_assert!(!part.starts_with('.') && !part.contains(['/', '\\', '\0', '\n']));
                prop_assert_eq!(std::path::Path::new(&part).components().count(), 1);
            }
        }
    }
}
