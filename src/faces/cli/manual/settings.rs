//! The part of the manual about settings, made of the commented configuration.
//!
//! `assets/config.toml` is the only description of settings.

use std::fmt::Write as _;

/// The commented configuration with every default.
pub const TEMPLATE: &str = include_str!("../../../../assets/config.toml");

/// Returns the comments of the configuration as Markdown: prose, examples and defaults, under a heading for each
/// table. Leaves out the first paragraph, which is about the file itself.
pub(super) fn settings_page() -> String {
    let mut page = String::from("## Every setting\n\n");
    let mut kind = LineKind::Nothing;
    for line in TEMPLATE.lines().skip_while(|line| !line.is_empty()) {
        let (next, text) = classify(line, kind);
        if next != kind || next == LineKind::Heading {
            page.push_str(ending(kind));
            page.push_str(opening(next));
        }
        if next != LineKind::Nothing {
            let _ = writeln!(page, "{text}");
        }
        kind = next;
    }
    page.push_str(ending(kind));
    page
}

/// The kind of a line in the file.
#[derive(Clone, Copy, PartialEq, Eq)]
enum LineKind {
    Nothing,
    Prose,
    Item,
    Code,
    Heading,
}

fn classify(line: &str, before: LineKind) -> (LineKind, String) {
    let is_table = |text: &str| text.starts_with('[') && text.ends_with(']');
    let heading = |text: &str| (LineKind::Heading, format!("### {text}"));
    let Some(comment) = line.strip_prefix('#') else {
        return if is_table(line) {
            heading(line)
        } else {
            (LineKind::Nothing, String::new())
        };
    };
    match comment.strip_prefix(' ') {
        None if comment.is_empty() => (LineKind::Nothing, String::new()),
        None => (LineKind::Code, format!("{comment}   # the default")),
        Some(text) if is_table(text) => heading(text),
        Some(text) if text.starts_with("- ") => (LineKind::Item, text.to_owned()),
        Some(text) if text.starts_with("    ") => (LineKind::Code, text[4..].to_owned()),
        Some(text) if text.starts_with("  ") && before == LineKind::Item => {
            (LineKind::Item, text.to_owned())
        }
        Some(text) if text.starts_with("  ") => (LineKind::Code, text[2..].to_owned()),
        Some(text) => (LineKind::Prose, text.to_owned()),
    }
}

fn opening(kind: LineKind) -> &'static str {
    if kind == LineKind::Code {
        "\n```toml\n"
    } else {
        "\n"
    }
}

fn ending(kind: LineKind) -> &'static str {
    if kind == LineKind::Code { "```\n" } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_file_is_on_the_page() {
        let page = settings_page();
        let lines = TEMPLATE.lines().skip_while(|line| !line.is_empty());
        for line in lines {
            let text = line.trim_start_matches('#').trim_start();
            assert!(page.contains(text), "{line}");
        }
        for part in [
            "### [fetch]\n",
            "### [[verifier]]\n",
            "\nconnect_timeout = \"10s\"   # the default\n",
            "\n```toml\ndata_dir = \"/var/lib/gannet\"\n```\n",
        ] {
            assert!(page.contains(part), "{part} in {page}");
        }
    }
}
