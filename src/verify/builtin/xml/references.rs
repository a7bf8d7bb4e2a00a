//! Marks the references to entities in the stream, so that the parser takes them for text and reports their place. In
//! comments and the like, marks are ignored as references are.

use std::io::{self, Read};

use super::cursor::{begins_name, is_in_name};
use crate::verify::builtin::input::PIECE_BYTES;

/// Encloses the name of an entity: a private character that no name may contain.
const MARK: char = '\u{10FFFD}';
/// Replaces the mark's character where the document itself contains it.
const OTHER: &[u8] = "\u{10FFFC}".as_bytes();
/// Longest reference.
const MAX_BYTES: usize = 4 << 10;
const PREDEFINED: [&str; 5] = ["amp", "apos", "gt", "lt", "quot"];

/// A UTF-8 document with its references marked.
pub(super) struct Marked<R> {
    stream: R,
    /// Bytes so far of a reference, or of the mark's own character.
    pending: Vec<u8>,
    output: Vec<u8>,
    given: usize,
}

impl<R: Read> Marked<R> {
    pub(super) fn new(stream: R) -> Self {
        Self {
            stream,
            pending: Vec::new(),
            output: Vec::new(),
            given: 0,
        }
    }

    fn take(&mut self, byte: u8) {
        let mut mark = [0; 4];
        let mark = MARK.encode_utf8(&mut mark).as_bytes();
        match self.pending.first() {
            None if byte == b'&' || byte == mark[0] => self.pending.push(byte),
            None => self.output.push(byte),
            Some(b'&') => {
                let is_inner =
                    byte >= 0x80 || byte.is_ascii_alphanumeric() || b"#:_-.".contains(&byte);
                if byte == b';' {
                    self.pending.push(byte);
                    self.end();
                } else if is_inner && self.pending.len() < MAX_BYTES {
                    self.pending.push(byte);
                } else {
                    self.output.append(&mut self.pending);
                    self.take(byte);
                }
            }
            Some(_) => {
                self.pending.push(byte);
                if self.pending.len() == mark.len() {
                    let own = self.pending == mark;
                    self.output
                        .extend_from_slice(if own { OTHER } else { &self.pending });
                    self.pending.clear();
                }
            }
        }
    }

    /// Ends a reference.
    fn end(&mut self) {
        let reference = std::mem::take(&mut self.pending);
        let name = std::str::from_utf8(&reference[1..reference.len() - 1]).unwrap_or_default();
        let is_name = name.starts_with(begins_name) && name.chars().all(is_in_name);
        if is_name && !PREDEFINED.contains(&name) {
            self.output
                .extend_from_slice(format!("{MARK}{name}{MARK}").as_bytes());
        } else if matches!(name.to_ascii_lowercase().as_str(), "#x10fffd" | "#1114109") {
            self.output.extend_from_slice(OTHER);
        } else {
            self.output.extend_from_slice(&reference);
        }
    }
}

impl<R: Read> Read for Marked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut piece = vec![
            0;
            if self.given < self.output.len() {
                0
            } else {
                PIECE_BYTES
            }
        ];
        while self.given == self.output.len() {
            self.output.clear();
            self.given = 0;
            let count = self.stream.read(&mut piece)?;
            if count == 0 {
                self.output.append(&mut self.pending);
                break;
            }
            for byte in &piece[..count] {
                self.take(*byte);
            }
        }
        let rest = &self.output[self.given..];
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        self.given += count;
        Ok(count)
    }
}

/// Returns the names of the entities that a text from the parser refers to.
pub(super) fn marked(text: &str) -> impl Iterator<Item = &str> {
    text.split(MARK).skip(1).step_by(2)
}
