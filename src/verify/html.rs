//! Tells an HTML page by how it begins.
//!
//! Judges by the bytes alone: what the server called them does not count, for an error page under 200 often comes
//! under the media type that was expected. A source that is meant to be HTML should not use this rule.

/// How much of the content is looked at; a page that begins with a longer comment is not recognised.
pub(super) const WINDOW_BYTES: usize = 256 << 10;

/// Elements that a page without a document type begins with. Short names such as `a` and `p` are left out, for other
/// XML documents have them as roots too.
const FIRST_ELEMENTS: [&str; 11] = [
    "html", "head", "body", "title", "script", "iframe", "h1", "div", "center", "meta", "noscript",
];

/// Returns what makes the content an HTML page, such as `<!doctype html`; nothing when it is none.
pub(super) fn html_start(window: &[u8]) -> Option<String> {
    let text = decode(window);
    let mut rest = text.trim_start_matches(['\u{FEFF}', '\0']);
    let mut is_xml = false;
    loop {
        rest = rest.trim_start();
        if let Some(comment) = rest.strip_prefix("<!--") {
            rest = after(comment, "-->")?;
        } else if let Some(instruction) = rest.strip_prefix("<?") {
            is_xml = true;
            rest = after(instruction, "?>")?;
        } else {
            break;
        }
    }
    if let Some(doctype) = strip_prefix_any_case(rest, "<!doctype") {
        let name = doctype.trim_start();
        let is_html = name.len() < doctype.len() && ends_name(strip_prefix_any_case(name, "html"));
        return is_html.then(|| "<!doctype html".to_owned());
    }
    let tag = rest.strip_prefix('<')?;
    FIRST_ELEMENTS
        .iter()
        .find(|name| ends_name(strip_prefix_any_case(tag, name)))
        // After an XML declaration any element may be the root of something that is no page.
        .filter(|name| !is_xml || **name == "html")
        .map(|name| format!("<{name}"))
}

fn after<'a>(text: &'a str, end: &str) -> Option<&'a str> {
    text.split_once(end).map(|(_, rest)| rest)
}

fn strip_prefix_any_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let head = text.get(..prefix.len())?;
    head.eq_ignore_ascii_case(prefix)
        .then(|| &text[prefix.len()..])
}

/// Tells whether a name was there and ended: `<body>` and `<body class=…`, not `<bodyguard>`.
fn ends_name(rest: Option<&str>) -> bool {
    rest.is_some_and(|rest| {
        rest.is_empty()
            || rest.starts_with(|c: char| c.is_ascii_whitespace() || matches!(c, '>' | '/'))
    })
}

/// Decodes UTF-16 when there is a byte order mark for it, else takes the bytes for UTF-8.
fn decode(window: &[u8]) -> String {
    let units = |read: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = window
            .as_chunks::<2>()
            .0
            .iter()
            .map(|pair| read(*pair))
            .collect();
        String::from_utf16_lossy(&units)
    };
    match window {
        [0xFF, 0xFE, ..] => units(u16::from_le_bytes),
        [0xFE, 0xFF, ..] => units(u16::from_be_bytes),
        _ => String::from_utf8_lossy(window).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_recognised() {
        for page in [
            "<!doctype html>",
            "<!DOCTYPE HTML PUBLIC \"-//W3C//DTD HTML 4.01//EN\">",
            "\u{FEFF}\r\n <!DocType\n html>",
            "<html>",
            "<HTML lang=en>",
            "<!-- a -->\n<!-- <x> -->\t<html>",
            "<?xml version=\"1.0\"?>\n<!DOCTYPE html PUBLIC \"x\">",
            "<?xml version=\"1.0\"?><html xmlns=\"http://www.w3.org/1999/xhtml\">",
            "<head><title>403</title>",
            "<body/>",
            "<h1>Not found</h1>",
            "<html",
        ] {
            assert!(html_start(page.as_bytes()).is_some(), "{page}");
        }
        let utf16 = |page: &str| {
            [0xFEFF]
                .into_iter()
                .chain(page.encode_utf16())
                .collect::<Vec<_>>()
        };
        let little: Vec<u8> = utf16("<html>")
            .into_iter()
            .flat_map(u16::to_le_bytes)
            .collect();
        let big: Vec<u8> = utf16("<html>")
            .into_iter()
            .flat_map(u16::to_be_bytes)
            .collect();
        assert!(html_start(&little).is_some() && html_start(&big).is_some());
    }

    #[test]
    fn other_content_is_not() {
        for other in [
            "",
            "id,price\n1,<html>\n",
            "{\"html\": \"<html>\"}",
            "<?xml version=\"1.0\"?><feed>",
            "<?xml version=\"1.0\"?><title>",
            "<!DOCTYPE svg>",
            "<!DOCTYPE html5x>",
            "<!DOCTYPEhtml>",
            "<bodyguard>",
            "<htmlé>",
            "<rss><html>",
            "<!-- no end <html>",
            "<?xml <html>",
            "<é",
            "\u{0}\u{1}\u{2}",
        ] {
            assert_eq!(html_start(other.as_bytes()), None, "{other}");
        }
        assert_eq!(html_start(b"\x89PNG\r\n\x1a\n<html>"), None);
    }
}
