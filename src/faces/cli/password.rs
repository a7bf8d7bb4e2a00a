//! Passwords: asked for twice on a terminal, without echo; else one line of stdin.
//!
//! Never an argument, which every process of the machine could read, and never printed.

use std::io::{self, BufRead as _, IsTerminal as _, Read as _};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use secrecy::{ExposeSecret as _, SecretString};

use super::Console;
use crate::app::{Error, ErrorKind, check_password};
use crate::domain::io_words;

/// More is read of no line: longer passwords are refused.
const MOST: usize = 4096;

/// Returns the password for a person.
pub(crate) fn ask_password(name: &str, console: &mut Console<'_>) -> Result<SecretString, Error> {
    if console.answers.is_some() {
        let first = prompt(&format!("password for {name}: "), console)?;
        check_password(&first)?;
        let second = prompt("once more: ", console)?;
        if first.expose_secret() != second.expose_secret() {
            return Err(Error::invalid("the two passwords differ").hint("nothing was changed"));
        }
        return Ok(first);
    }
    let stdin = io::stdin();
    if stdin.is_terminal() {
        return Err(
            Error::invalid("cannot ask for a password: stderr is not a terminal")
                .hint("give the password as one line on stdin"),
        );
    }
    let mut line = Vec::with_capacity(MOST);
    let limit = MOST as u64;
    let read = stdin.lock().take(limit).read_until(b'\n', &mut line);
    read.map_err(|error| unreadable(&error))?;
    if line.is_empty() {
        return Err(Error::invalid("there is no password on stdin")
            .hint("give it as one line on stdin, or run this on a terminal, which asks"));
    }
    if line.last() == Some(&b'\n') {
        line.pop();
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    let password = text_of(line)?;
    check_password(&password)?;
    Ok(password)
}

/// Reads one line from the terminal without echo.
fn prompt(question: &str, console: &mut Console<'_>) -> Result<SecretString, Error> {
    let _silent = Silence::begin().map_err(|error| unreadable(&error))?;
    // If the question cannot be written, the terminal is gone, and reading says so.
    let _ = write!(console.err, "{question}");
    let _ = console.err.flush();
    let mut line = Line::default();
    let end = loop {
        let mut byte = [0];
        let count = rustix::io::read(rustix::stdio::stdin(), &mut byte);
        let count = count.map_err(|error| unreadable(&error.into()))?;
        if let Some(end) = line.take(if count == 0 { END } else { byte[0] }) {
            break end;
        }
    };
    console.warn_line("");
    match end {
        LineEnd::Entered => text_of(line.0),
        LineEnd::Cancelled => Err(Error::invalid("nothing was changed")),
    }
}

fn text_of(bytes: Vec<u8>) -> Result<SecretString, Error> {
    let text = String::from_utf8(bytes);
    text.map(SecretString::from)
        .map_err(|_| Error::invalid("the password is not UTF-8 text").hint("nothing was changed"))
}

fn unreadable(error: &io::Error) -> Error {
    let message = format!("cannot read the password: {}", io_words(error));
    Error::new(ErrorKind::Unavailable, message)
}

/// The terminal without echo, line by line editing and keys that send signals, until dropped: a signal would leave the
/// shell behind without echo.
struct Silence(Termios);

impl Silence {
    fn begin() -> io::Result<Self> {
        let stdin = rustix::stdio::stdin();
        let before = tcgetattr(stdin)?;
        let mut silent = before.clone();
        let modes = LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG | LocalModes::IEXTEN;
        silent.local_modes.remove(modes);
        // What was typed before the question is no answer.
        tcsetattr(stdin, OptionalActions::Flush, &silent)?;
        Ok(Self(before))
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        // A terminal that is gone needs nothing.
        let _ = tcsetattr(rustix::stdio::stdin(), OptionalActions::Now, &self.0);
    }
}

/// How a line ended.
#[derive(Debug, PartialEq, Eq)]
enum LineEnd {
    Entered,
    Cancelled,
}

const INTERRUPT: u8 = 3;
const END: u8 = 4;
const BACKSPACE: u8 = 8;
const CLEAR: u8 = 21;
const DELETE: u8 = 127;

/// A line as it is typed.
#[derive(Default)]
struct Line(Vec<u8>);

impl Line {
    /// Takes a typed byte. Returns the end of the line, if this is it.
    fn take(&mut self, byte: u8) -> Option<LineEnd> {
        match byte {
            b'\n' | b'\r' => return Some(LineEnd::Entered),
            END if !self.0.is_empty() => return Some(LineEnd::Entered),
            INTERRUPT | END => return Some(LineEnd::Cancelled),
            BACKSPACE | DELETE => {
                // The bytes of one letter in UTF-8: the first is no continuation.
                while self.0.pop().is_some_and(|last| last & 0xc0 == 0x80) {}
            }
            CLEAR => self.0.clear(),
            _ if self.0.len() < MOST => self.0.push(byte),
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_edited_as_it_is_typed() {
        for (typed, expected, end) in [
            ("abc\n", "abc", Some(LineEnd::Entered)),
            ("abc\rd", "abc", Some(LineEnd::Entered)),
            ("aä\u{7f}b\n", "ab", Some(LineEnd::Entered)),
            ("\u{8}\u{8}a\n", "a", Some(LineEnd::Entered)),
            ("wrong\u{15}right\n", "right", Some(LineEnd::Entered)),
            ("abc\u{4}", "abc", Some(LineEnd::Entered)),
            ("\u{4}", "", Some(LineEnd::Cancelled)),
            ("abc\u{3}", "abc", Some(LineEnd::Cancelled)),
            ("abc", "abc", None),
        ] {
            let mut line = Line::default();
            let found = typed.bytes().find_map(|byte| line.take(byte));
            assert_eq!(found, end, "{typed:?}");
            assert_eq!(line.0, expected.as_bytes(), "{typed:?}");
        }
        let mut line = Line::default();
        assert!((0..10_000).all(|_| line.take(b'x').is_none()));
        assert_eq!(line.0.len(), MOST);
    }
}
