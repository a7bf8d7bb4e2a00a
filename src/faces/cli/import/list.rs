//! A plain list: an address a line, then an interval or tags; `#` begins a comment line.

use super::entry::{Entry, tags_of};
use crate::app::NewSource;
use crate::domain::Interval;

pub(super) fn read(text: &str) -> Vec<Entry> {
    text.lines()
        .enumerate()
        .filter_map(|(at, line)| {
            let line = line.trim();
            let says_nothing = line.is_empty() || line.starts_with('#');
            (!says_nothing).then(|| entry(at + 1, line))
        })
        .collect()
}

fn entry(line_number: usize, line: &str) -> Entry {
    let place = format!("line {line_number}");
    let (address, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let mut source = NewSource {
        address: address.to_owned(),
        ..NewSource::default()
    };
    let mut without = Vec::new();
    let rest = rest.trim();
    let (first, others) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let tags = match first.trim_end_matches(',').parse::<Interval>() {
        Ok(interval) => {
            source.interval = Some(interval);
            others
        }
        Err(error) if is_time(first) => {
            without.push(format!("its interval {error}"));
            others
        }
        // As changedetection.io lists them: `https://example.org/ prices, daily`.
        Err(_) => rest,
    };
    source.tags = tags_of(tags.split(','), &mut without);
    Entry {
        place,
        title: address.to_owned(),
        source: Ok(source),
        without,
    }
}

/// Returns whether a word was meant as a time: `90m`, `5min`, `0h`, `2w`.
fn is_time(word: &str) -> bool {
    const UNITS: [&str; 18] = [
        "s", "sec", "second", "seconds", "m", "min", "mins", "minute", "minutes", "h", "hour",
        "hours", "d", "day", "days", "w", "week", "weeks",
    ];
    let word = word.trim_end_matches(',');
    let unit = word.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    unit.len() < word.len() && UNITS.contains(&unit.to_ascii_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_an_address_and_what_stands_behind_it() {
        let text = "# mine\r\n\r\nhttps://a/ 6h\r\nhttps://b/ prices, two words\nhttps://c/\n";
        let entries = read(text);
        let read: Vec<_> = entries
            .iter()
            .map(|entry| {
                let source = entry.source.as_ref().expect("a source");
                let interval = source.interval.map(|interval| interval.to_string());
                (
                    entry.place.as_str(),
                    source.address.as_str(),
                    interval,
                    source.tags.join(" "),
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
            assert_eq!(source.tags.join(" "), tags, "{line}");
            let without = entries[0].without.join(", ");
            assert!(without.starts_with(part), "{line}: {without}");
            assert_eq!(without.is_empty(), part.is_empty(), "{line}: {without}");
        }
    }
}
