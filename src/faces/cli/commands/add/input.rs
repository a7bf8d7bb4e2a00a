//! The addresses for `add`: arguments, or lines of stdin.

use std::io::{self, Read as _};

use crate::app::{Error, NewSource};
use crate::domain::{Interval, IntervalError, SettingsPatch, lines, masked};
use crate::faces::cli::args::AddArgs;
use crate::faces::text::without_comment;

/// An address to add.
#[derive(Debug)]
pub(super) struct Given {
    /// The line number on stdin; `None` for an argument.
    pub(super) line: Option<usize>,
    pub(super) address: String,
    /// The interval in its line, or the problem with the line.
    interval: Result<Option<Interval>, String>,
}

impl Given {
    /// Returns an address given as an argument.
    pub(super) fn argument(address: &str) -> Self {
        Self {
            line: None,
            address: address.to_owned(),
            interval: Ok(None),
        }
    }

    /// Returns the problem with the line.
    pub(super) fn problem(&self) -> Option<&str> {
        self.interval.as_ref().err().map(String::as_str)
    }

    /// Returns line and address for people, without secrets and odd spaces.
    pub(super) fn place(&self) -> String {
        let address = masked(&self.address).replace(char::is_whitespace, " ");
        let address = address.trim();
        match self.line {
            Some(line) => format!("line {line} of stdin ({address})"),
            None => address.to_owned(),
        }
    }

    /// Returns the new source for the address, with the settings of the arguments.
    pub(super) fn source(&self, args: &AddArgs, interval: Option<Interval>) -> NewSource {
        let own = self.interval.as_ref().ok().copied().flatten();
        let said = SettingsPatch {
            interval: own.or(interval),
            enabled: args.disabled.then_some(false),
            ..SettingsPatch::default()
        };
        NewSource {
            address: self.address.clone(),
            settings: args.settings.patch().and_then(said),
            literal: args.literal,
        }
    }
}

/// Returns all addresses to add, and the interval of those without one.
pub(super) fn given(args: &AddArgs, stdin: &str) -> Result<(Vec<Given>, Option<Interval>), Error> {
    let (values, interval) = args.split().map_err(Error::invalid)?;
    let mut given = Vec::new();
    let mut stdin = Some(stdin);
    for value in values {
        if value == "-" {
            given.extend(read_lines(stdin.take().unwrap_or_default()));
        } else {
            given.push(Given::argument(value));
        }
    }
    if args.settings.name.is_some() && given.len() > 1 {
        let count = given.len();
        return Err(Error::invalid(format!(
            "{count} sources cannot share one name"
        )));
    }
    Ok((given, interval))
}

/// Returns the text of stdin if an argument is `-`, else an empty text.
pub(super) fn read_stdin(args: &AddArgs) -> Result<String, Error> {
    let mut text = String::new();
    let (values, _) = args.split().map_err(Error::invalid)?;
    if values.iter().any(|value| value == "-") {
        io::stdin()
            .read_to_string(&mut text)
            .map_err(|cause| Error::invalid(format!("cannot read stdin: {cause}")))?;
    }
    Ok(text)
}

/// Reads an address a line, each with an optional interval. Empty lines and comments are skipped.
fn read_lines(text: &str) -> Vec<Given> {
    // A byte order mark belongs to the file, not to the first address.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut given = Vec::new();
    for (number, line) in (1..).zip(lines(text)) {
        // Other spaces do not separate words: the address is then refused for its invisible character.
        let mut words = without_comment(line).split_ascii_whitespace();
        let Some(address) = words.next() else {
            continue;
        };
        let interval = words.next().map(str::parse).transpose();
        let interval = interval.map_err(|error: IntervalError| error.to_string());
        given.push(Given {
            line: Some(number),
            address: address.to_owned(),
            interval: match words.next() {
                Some(_) => Err("more than an address and an interval".to_owned()),
                None => interval,
            },
        });
    }
    given
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stdin_has_an_address_a_line() {
        let read = read_lines(
            "\u{feff}# prices\nhttps://h/a\n\n  https://h/b\t12h \r\n\
             https://h/c # daily\nhttps://h/d 1h #often, please\n https://h/e#part\n #https://h/f\n",
        );
        let read: Vec<_> = read
            .iter()
            .map(|given| {
                let interval = given.interval.clone().expect("a good line");
                (
                    given.line,
                    given.address.as_str(),
                    interval.map(Interval::hours),
                )
            })
            .collect();
        assert_eq!(
            read,
            [
                (Some(2), "https://h/a", None),
                (Some(4), "https://h/b", Some(12)),
                (Some(5), "https://h/c", None),
                (Some(6), "https://h/d", Some(1)),
                (Some(7), "https://h/e#part", None),
            ]
        );
        for (text, line, part) in [
            ("https://h/a\nhttps://h/b 1x", 2, "`1x` is not an interval"),
            ("https://h/a 1h more", 1, "more than"),
            ("https://h/a?token=hunter2 1h more", 1, "more than"),
        ] {
            let read = read_lines(text);
            let wrong = read.iter().find(|given| given.problem().is_some());
            let wrong = wrong.expect(text);
            assert!(wrong.problem().is_some_and(|why| why.starts_with(part)));
            assert_eq!(wrong.line, Some(line));
            assert!(!wrong.place().contains("hunter2"), "{}", wrong.place());
        }
    }
}
