//! What the commented configuration says of every setting, as a part of the manual.
//!
//! `assets/config.toml` is the only place where a setting is described.

use std::fmt::Write as _;

/// The commented configuration, which states every default.
pub const TEMPLATE: &str = include_str!("../../../../assets/config.toml");

/// Returns the comments of the configuration as Markdown: prose, examples and defaults, under a heading for each table.
/// The first paragraph, about the file itself, is left out.
pub(super) fn settings_page() -> String {
    let mut page = String::from("## Every setting\n\n");
    let mut kind = Kind::Nothing;
    for line in TEMPLATE.lines().skip_while(|line| !line.is_empty()) {
        let (next, text) = classify(line, kind);
        if next != kind || next == Kind::Heading {
            page.push_str(ending(kind));
            page.push_str(opening(next));
        }
        if next != Kind::Nothing {
            let _ = writeln!(page, "{text}");
        }
        kind = next;
    }
    page.push_str(ending(kind));
    page
}

/// What a line of the file is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Nothing,
    Prose,
    Item,
    Code,
    Heading,
}

fn classify(line: &str, before: Kind) -> (Kind, String) {
    let Some(comment) = line.strip_prefix('#') else {
        return (Kind::Nothing, String::new());
    };
    let is_table = |text: &str| text.starts_with('[') && text.ends_with(']');
    let heading = |text: &str| (Kind::Heading, format!("### {text}"));
    match comment.strip_prefix(' ') {
        None if comment.is_empty() => (Kind::Nothing, String::new()),
        None if is_table(comment) => heading(comment),
        None => (Kind::Code, format!("{comment}   # the default")),
        Some(text) if is_table(text) => heading(text),
        Some(text) if text.starts_with("- ") => (Kind::Item, text.to_owned()),
        Some(text) if text.starts_with("    ") => (Kind::Code, text[4..].to_owned()),
        Some(text) if text.starts_with("  ") && before == Kind::Item => {
            (Kind::Item, text.to_owned())
        }
        Some(text) if text.starts_with("  ") => (Kind::Code, text[2..].to_owned()),
        Some(text) => (Kind::Prose, text.to_owned()),
    }
}

fn opening(kind: Kind) -> &'static str {
    if kind == Kind::Code {
        "\n```toml\n"
    } else {
        "\n"
    }
}

fn ending(kind: Kind) -> &'static str {
    if kind == Kind::Code { "```\n" } else { "" }
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
