//! The addresses that `add` is given, as arguments or a line each on stdin.

use std::io::{self, Read as _};

use crate::app::{Error, ErrorKind, NewSource};
use crate::domain::{Interval, IntervalError, SettingsPatch, lines, masked};
use crate::faces::cli::args::AddArgs;
use crate::faces::cli::exit::error;
use crate::faces::text::without_comment;

/// One address that is to be added.
#[derive(Debug)]
pub(super) struct Given {
    /// Its line on stdin; nothing for an argument.
    pub(super) line: Option<usize>,
    pub(super) address: String,
    /// Its own interval, or what is wrong with its line.
    interval: Result<Option<Interval>, String>,
}

impl Given {
    /// Returns one that stands among the arguments.
    pub(super) fn argument(address: &str) -> Self {
        Self {
            line: None,
            address: address.to_owned(),
            interval: Ok(None),
        }
    }

    /// Returns what is wrong with the line.
    pub(super) fn problem(&self) -> Option<&str> {
        self.interval.as_ref().err().map(String::as_str)
    }

    /// Returns where it stands, and its address without secrets and odd spaces, for people.
    pub(super) fn place(&self) -> String {
        let address = masked(&self.address).replace(char::is_whitespace, " ");
        let address = address.trim();
        match self.line {
            Some(line) => format!("line {line} of stdin ({address})"),
            None => address.to_owned(),
        }
    }

    /// Returns the source that the arguments make of it.
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

/// Returns everything that is to be added, and how often what does not say so itself is fetched.
pub(super) fn given(args: &AddArgs, stdin: &str) -> Result<(Vec<Given>, Option<Interval>), Error> {
    let (values, interval) = args.split().map_err(invalid)?;
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
        return Err(invalid(format!("{count} sources cannot share one name")));
    }
    Ok((given, interval))
}

/// Returns what is on stdin, if it was asked for.
pub(super) fn read_stdin(args: &AddArgs) -> Result<String, Error> {
    let mut text = String::new();
    let (values, _) = args.split().map_err(invalid)?;
    if values.iter().any(|value| value == "-") {
        io::stdin()
            .read_to_string(&mut text)
            .map_err(|cause| invalid(format!("cannot read stdin: {cause}")))?;
    }
    Ok(text)
}

fn invalid(message: String) -> Error {
    error(ErrorKind::Invalid, message, None)
}

/// Reads an address a line, with an interval behind it or not. Empty lines and comments say nothing.
fn read_lines(text: &str) -> Vec<Given> {
    // A byte order mark is the file's, not the first address's.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut given = Vec::new();
    for (number, line) in (1..).zip(lines(text)) {
        // Other spaces are no part of a list, and told as what cannot be seen in an address.
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
