//! A plain list: an address a line, then an interval or tags; `#` begins a comment line.

use super::entry::{Entry, tag};
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
    match rest.trim().parse::<Interval>() {
        Ok(interval) => source.interval = Some(interval),
        // As changedetection.io lists them: `https://example.org/ prices, daily`.
        Err(_) => source.tags = rest.split(',').filter_map(tag).collect(),
    }
    Entry {
        place,
        title: address.to_owned(),
        source: Ok(source),
        without: Vec::new(),
    }
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
    }
}
