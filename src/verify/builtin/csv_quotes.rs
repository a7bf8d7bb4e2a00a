//! Checks the quotes of a table (RFC 4180 §2) before the CSV reader, which is lenient: behind a quote that does not
//! close its column the reader swallows rows without an error.

use std::io::{self, Read};

use super::input::Damage;

/// Place of the next byte within a column.
#[derive(Clone, Copy)]
enum Place {
    Beginning,
    Bare,
    Quoted,
    /// Behind a quote, which closes the column unless another quote follows.
    Closed,
}

/// A stream of a table; reading fails where the quotes are wrong.
pub(super) struct Quotes<R> {
    reader: R,
    delimiter: u8,
    place: Place,
    line: u64,
    /// Line on which the quoted column began.
    opened: u64,
}

impl<R: Read> Quotes<R> {
    pub(super) fn new(reader: R, delimiter: u8) -> Self {
        Self {
            reader,
            delimiter,
            place: Place::Beginning,
            line: 1,
            opened: 1,
        }
    }

    fn take(&mut self, byte: u8) -> Result<(), Damage> {
        let line = self.line;
        self.line += u64::from(byte == b'\n');
        self.place = match (self.place, byte) {
            (_, 0) => {
                let why = "a NUL: no text, or one of another encoding, such as UTF-16";
                return Err(Damage(format!("line {line}: {why}")));
            }
            (Place::Quoted, b'"') => Place::Closed,
            (Place::Quoted, _) | (Place::Closed, b'"') => Place::Quoted,
            (_, b'\r' | b'\n') => Place::Beginning,
            (_, byte) if byte == self.delimiter => Place::Beginning,
            (Place::Closed, other) => {
                let other = other.escape_ascii();
                let why = format!("`{other}` behind a quote that closes a column");
                let opened = self.opened;
                return Err(Damage(format!(
                    "line {line}: {why}, which line {opened} opens"
                )));
            }
            (Place::Beginning, b'"') => {
                self.opened = line;
                Place::Quoted
            }
            (Place::Beginning | Place::Bare, _) => Place::Bare,
        };
        Ok(())
    }
}

impl<R: Read> Read for Quotes<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        if count == 0 && !buffer.is_empty() && matches!(self.place, Place::Quoted) {
            let why = format!("line {}: a quoted column never ends", self.opened);
            return Err(Damage(why).into());
        }
        for byte in &buffer[..count] {
            self.take(*byte)?;
        }
        Ok(count)
    }
}
