//! Reads a plain list: an address a line, then an interval or tags; `#` begins a comment.

use super::entry::{ImportEntry, tags_of};
use crate::app::NewSource;
use crate::domain::{Interval, lines};
use crate::faces::text::without_comment;

pub(super) fn read(text: &str) -> Vec<ImportEntry> {
    lines(text)
        .enumerate()
        .filter_map(|(at, line)| {
            // Other spaces stay, so that the address is refused with a message: they are invisible.
            let line = without_comment(line).trim_ascii();
            (!line.is_empty()).then(|| entry(at + 1, line))
        })
        .collect()
}

fn entry(line_number: usize, line: &str) -> ImportEntry {
    let place = format!("line {line_number}");
    let (address, rest) = split_address(line);
    let mut source = NewSource::at(address);
    let mut without = Vec::new();
    let rest = rest.trim();
    let (first, others) = rest
        .split_once(|c: char| c.is_whitespace() || is_comma(c))
        .unwrap_or((rest, ""));
    let tags = match first.parse::<Interval>() {
        Ok(interval) => {
            source.settings.interval = Some(interval);
            others
        }
        Err(error) if is_time(first) => {
            without.push(format!("its interval {error}"));
            others
        }
        // Tags after a comma, as changedetection.io lists them: `https://example.org/ prices, daily`.
        Err(_) => rest,
    };
    source.settings.tags = Some(tags_of(tags.split(is_comma), &mut without));
    ImportEntry {
        place,
        title: address.to_owned(),
        source: Ok(source),
        without,
    }
}

/// Splits a line into the address and the rest: at a space, or at a comma followed by a time, as in a table.
fn split_address(line: &str) -> (&str, &str) {
    let end = line.find(|c: char| c.is_ascii_whitespace());
    let (word, rest) = line.split_at(end.unwrap_or(line.len()));
    for (at, _) in word.match_indices(is_comma) {
        let field = word[at + 1..].split(is_comma).next().unwrap_or_default();
        if field.parse::<Interval>().is_ok() || is_time(field) {
            return (&line[..at], &line[at + 1..]);
        }
    }
    match word.strip_suffix(is_comma) {
        Some(address) if !rest.is_empty() => (address, rest),
        _ => (word, rest),
    }
}

fn is_comma(c: char) -> bool {
    matches!(c, ',' | ';')
}

/// Returns whether a word is meant as a duration: `90m`, `5min`, `0h`, `2w`.
fn is_time(word: &str) -> bool {
    const UNITS: [&str; 18] = [
        "s", "sec", "second", "seconds", "m", "min", "mins", "minute", "minutes", "h", "hour",
        "hours", "d", "day", "days", "w", "week", "weeks",
    ];
    let unit = word.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    unit.len() < word.len() && UNITS.contains(&unit.to_ascii_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(source: &NewSource) -> String {
        let tags = source.settings.tags.as_deref();
        tags.unwrap_or_default().join(" ")
    }

    #[test]
    fn a_line_is_an_address_and_what_stands_behind_it() {
        let text = "# mine\r\n\r\nhttps://a/ 6h\r\nhttps://b/ prices, two words\nhttps://c/\n";
        let entries = read(text);
        let read: Vec<_> = entries
            .iter()
            .map(|entry| {
                let source = entry.source.as_ref().expect("a source");
                let interval = source
                    .settings
                    .interval
                    .map(|interval| interval.to_string());
                (
                    entry.place.as_str(),
                    source.address.as_str(),
                    interval,
                    words(source),
                )
            })
            .collect();
        assert_eq!(
            read,
            [
                ("line 3", "https://a/", Some("6h".to_owned()), String::new()),
                ("line 4", "https://b/", None, "prices two-words".to_owned()),
                ("line 5", "https://c/", None, String::new()),
            ]
        );
        assert_eq!(
            entries[1].without,
            ["its tag `two words`: `two-words` instead"]
        );
    }

    #[test]
    fn a_line_may_be_one_of_a_table() {
        for (line, address, interval, tags) in [
            ("https://a/q3,2h", "https://a/q3", "2h", ""),
            (
                "https://a/q3,2h,prices,eu",
                "https://a/q3",
                "2h",
                "prices eu",
            ),
            ("https://a/q3;1d;prices", "https://a/q3", "1d", "prices"),
            ("https://a/q3, 2h, prices", "https://a/q3", "2h", "prices"),
            ("https://a/q3 2h,prices", "https://a/q3", "2h", "prices"),
            ("https://a/1,2,3", "https://a/1,2,3", "", ""),
            ("https://a/b,c 6h", "https://a/b,c", "6h", ""),
            ("https://a/b,", "https://a/b,", "", ""),
            ("https://a/q3,90m,x", "https://a/q3", "", "x"),
            ("https://a/q3 # mine, not yours", "https://a/q3", "", ""),
            ("https://a/q3 6h #mine", "https://a/q3", "6h", ""),
            (
                "https://a/q3,2h,prices # mine",
                "https://a/q3",
                "2h",
                "prices",
            ),
            (
                "https://a/q3#part prices",
                "https://a/q3#part",
                "",
                "prices",
            ),
        ] {
            let source = read(line).remove(0).source.expect("a source");
            assert_eq!(source.address, address, "{line}");
            let read = source.settings.interval.map(|one| one.to_string());
            assert_eq!(read.unwrap_or_default(), interval, "{line}");
            assert_eq!(words(&source), tags, "{line}");
        }
    }

    #[test]
    fn what_is_not_taken_is_told() {
        for (line, tags, part) in [
            ("https://a/ 90m", "", "its interval `90m`"),
            ("https://a/ 5min, prices", "prices", "its interval `5min`"),
            ("https://a/ 2w prices", "prices", "its interval `2w`"),
            ("https://a/ 6h «»", "", "its tag `«»`: no letters or digits"),
            (
                "https://a/ x\u{20ac}y",
                "x-y",
                "its tag `x\u{20ac}y`: `x-y` instead",
            ),
            ("https://a/ 3d-prints", "3d-prints", ""),
        ] {
            let entries = read(line);
            let source = entries[0].source.as_ref().expect("a source");
            assert_eq!(words(source), tags, "{line}");
            let without = entries[0].without.join(", ");
            assert!(without.starts_with(part), "{line}: {without}");
            assert_eq!(without.is_empty(), part.is_empty(), "{line}: {without}");
        }
    }
}
