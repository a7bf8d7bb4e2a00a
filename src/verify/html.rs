//! Recognises an HTML page by its first bytes.
//!
//! Ignores the declared media type: an error page under status 200 often comes under the expected one. Not for sources
//! that are meant to be HTML.

/// Bytes of the content that are searched. A page that begins with a longer comment is not recognised.
pub(super) const WINDOW_BYTES: usize = 256 << 10;

/// Bytes of other text, such as a server's warning, that may precede a document type or a page's root.
const NEAR_BYTES: usize = 1 << 10;

/// Root elements of pages without a document type. Names that other XML documents begin with, such as `data`, `map`,
/// `object` and `time`, are left out.
const FIRST_ELEMENTS: [&str; 97] = [
    "html",
    "head",
    "body",
    "title",
    "script",
    "iframe",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "div",
    "center",
    "meta",
    "noscript",
    "a",
    "abbr",
    "article",
    "aside",
    "b",
    "base",
    "basefont",
    "big",
    "blink",
    "blockquote",
    "br",
    "button",
    "canvas",
    "caption",
    "code",
    "dd",
    "del",
    "dialog",
    "dir",
    "dl",
    "dt",
    "em",
    "embed",
    "fieldset",
    "figure",
    "font",
    "footer",
    "form",
    "frame",
    "frameset",
    "header",
    "hgroup",
    "hr",
    "i",
    "img",
    "input",
    "ins",
    "kbd",
    "label",
    "legend",
    "li",
    "link",
    "main",
    "mark",
    "marquee",
    "nav",
    "nobr",
    "ol",
    "optgroup",
    "option",
    "p",
    "picture",
    "pre",
    "q",
    "s",
    "samp",
    "section",
    "select",
    "small",
    "span",
    "strike",
    "strong",
    "style",
    "sub",
    "sup",
    "table",
    "tbody",
    "td",
    "template",
    "textarea",
    "tfoot",
    "th",
    "thead",
    "tr",
    "tt",
    "u",
    "ul",
    "var",
    "video",
    "wbr",
    "xmp",
];

/// Returns the markup that identifies an HTML page, such as `<!doctype html`; `None` for other content.
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
    let first = rest.strip_prefix('<').and_then(|tag| {
        FIRST_ELEMENTS
            .iter()
            .find(|name| ends_name(strip_prefix_any_case(tag, name)))
    });
    match first {
        // After an XML declaration only `html` identifies a page: any other element may be the root of other XML.
        Some(name) if !is_xml || *name == "html" => Some(format!("<{name}")),
        _ if is_xml => None,
        _ => start_nearby(rest),
    }
}

/// Returns the beginning of a page that follows a little other text. The page must begin a line, so that markup quoted
/// in a table or in JSON does not count.
fn start_nearby(text: &str) -> Option<String> {
    let is_apart = |at: usize| {
        let is_binary = text[..at].contains(|c: char| c.is_control() && !c.is_whitespace());
        let before = text[..at].chars().next_back();
        let parts =
            |c: char| c.is_alphanumeric() || matches!(c, '\n' | '\r' | ' ' | '.' | '!' | ':');
        !is_binary && before.is_some_and(parts)
    };
    let starts = text
        .match_indices('<')
        .take_while(|(at, _)| *at < NEAR_BYTES);
    let found = starts.filter(|(at, _)| is_apart(*at)).find_map(|(at, _)| {
        let tag = &text[at + 1..];
        let is_root = ends_name(strip_prefix_any_case(tag, "html"));
        let doctype = strip_prefix_any_case(tag, "!doctype").map(str::trim_start);
        let is_doctype = doctype.is_some_and(|name| ends_name(strip_prefix_any_case(name, "html")));
        (is_root || is_doctype).then_some(if is_root { "<html" } else { "<!doctype html" })
    });
    let is_quoted = text.starts_with(['{', '[', '"']);
    found
        .filter(|_| !is_quoted)
        .map(|start| format!("{start} a little behind other text"))
}

fn after<'a>(text: &'a str, end: &str) -> Option<&'a str> {
    text.split_once(end).map(|(_, rest)| rest)
}

fn strip_prefix_any_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let head = text.get(..prefix.len())?;
    head.eq_ignore_ascii_case(prefix)
        .then(|| &text[prefix.len()..])
}

/// Returns whether an element's name ends here: in `<body>` and `<body class=…`, not in `<bodyguard>`.
fn ends_name(rest: Option<&str>) -> bool {
    rest.is_some_and(|rest| {
        rest.is_empty()
            || rest.starts_with(|c: char| c.is_ascii_whitespace() || matches!(c, '>' | '/'))
    })
}

/// Decodes UTF-16; takes other bytes for UTF-8.
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
        // Without a byte order mark: ASCII in UTF-16 has a zero in every pair.
        [first, 0, _, 0, ..] if first.is_ascii() && *first != 0 => units(u16::from_le_bytes),
        [0, second, 0, _, ..] if second.is_ascii() && *second != 0 => units(u16::from_be_bytes),
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
            "<br />\n<b>Fatal error</b>:  Uncaught Error in <b>/a.php</b>",
            "<p>Not found</p>",
            "<h2>503</h2>",
            "<table><tr>",
            "<UL>",
            "<a href='/login'>",
            "<font color=red>",
            "Warning: mysqli_connect() in /a.php on line 3\n<!DOCTYPE html>",
            "PHP Notice:  x <html><head>",
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
        assert!(html_start(&little[2..]).is_some() && html_start(&big[2..]).is_some());
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
            "<rss>\n<channel>",
            "<data/>",
            "<svg xmlns='x'><p>",
            "[\"a\", \" <html>\"]",
            &format!("{}\n<html>", "x".repeat(2_000)),
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
