//! A list of facts, one a line: name and value, with the value wrapped on a terminal.

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr as _;

use super::look::Look;
use crate::faces::text::{clean, wrap};

/// The width of the names with the gap behind them.
const NAME: usize = 14;

/// Writes each fact. A value with a word wider than the terminal (an address or a path) is not wrapped, for copying.
pub(crate) fn write_facts(
    facts: &[(&str, String)],
    look: &Look,
    out: &mut dyn Write,
) -> io::Result<()> {
    for (name, value) in facts {
        let value = clean(value);
        let width = look
            .width
            .map_or(usize::MAX, |width| width.saturating_sub(NAME));
        let lines = if value.split(' ').any(|word| word.width() > width) {
            vec![value.into_owned()]
        } else {
            wrap(&value, width)
        };
        for (at, line) in lines.iter().enumerate() {
            let name = if at == 0 { name } else { "" };
            writeln!(out, "{}", format!("{name:<NAME$}{line}").trim_end())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faces::fixtures::at;

    #[test]
    fn values_are_wrapped_between_words_and_addresses_stay_whole() {
        let facts = [
            ("why", "schema: line 3 has no price".to_owned()),
            (
                "address",
                "https://example.org/a/rather/long/path.csv".to_owned(),
            ),
            ("tags", String::new()),
        ];
        let print = |look: &Look| {
            let mut out = Vec::new();
            write_facts(&facts, look, &mut out).expect("a buffer");
            String::from_utf8(out).expect("UTF-8")
        };
        insta::assert_snapshot!(print(&Look::terminal(at("12:00:00"), 32)), @r"
        why           schema: line 3 has
                      no price
        address       https://example.org/a/rather/long/path.csv
        tags
        ");
        assert_eq!(print(&Look::plain(at("12:00:00"))).lines().count(), 3);
    }
}
