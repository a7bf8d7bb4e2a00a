//! The raw head of an HTTP/1.1 response, for messages about a head that cannot be parsed.
//!
//! Never holds more than the beginning, and is parsed for messages only.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::secret::Scrubber;
use crate::domain::shortened;

/// Bytes stored of a response: longer than nearly all heads.
const MAX_BYTES: usize = 8 << 10;

/// Longest line that a message repeats.
const MAX_SHOWN_CHARS: usize = 100;

/// The bytes received on a connection since the last request. Clones share them.
#[derive(Clone, Default)]
pub(super) struct RawHead {
    /// Empty for HTTP/2.
    bytes: Arc<Mutex<Vec<u8>>>,
    has_answered: Arc<AtomicBool>,
}

impl RawHead {
    /// Records that a response came over the connection.
    pub(super) fn record_response(&self) {
        self.has_answered.store(true, Ordering::Relaxed);
    }

    /// Returns whether the connection has carried a response before, and no byte since the last request.
    pub(super) fn is_awaited_again(&self) -> bool {
        self.has_answered.load(Ordering::Relaxed) && self.bytes().is_empty()
    }

    pub(super) fn clear(&self) {
        self.bytes().clear();
    }

    pub(super) fn add(&self, bytes: &[u8]) {
        let mut head = self.bytes();
        let room = MAX_BYTES - head.len();
        head.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    /// Returns the first line, for a message.
    pub(super) fn first_line(&self, scrubber: &Scrubber) -> Option<String> {
        self.lines(|_| true, 1, scrubber)
    }

    /// Returns the raw fields of this name, for a message.
    pub(super) fn fields(&self, name: &str, scrubber: &Scrubber) -> Option<String> {
        let is_field = |line: &[u8]| {
            let start = line.get(..name.len());
            let behind = line.get(name.len());
            start.is_some_and(|start| start.eq_ignore_ascii_case(name.as_bytes()))
                && behind.is_some_and(|byte| matches!(byte, b':' | b' ' | b'\t'))
        };
        self.lines(is_field, 3, scrubber)
    }

    /// Returns the first line with a character that no field may contain.
    pub(super) fn spoiled_line(&self, scrubber: &Scrubber) -> Option<String> {
        let is_spoiled = |line: &[u8]| line.contains(&0) || line.contains(&b'\r');
        self.lines(is_spoiled, 1, scrubber)
    }

    /// Returns up to `most` lines that match, quoted and without secrets.
    fn lines(
        &self,
        is_so: impl Fn(&[u8]) -> bool,
        most: usize,
        scrubber: &Scrubber,
    ) -> Option<String> {
        let head = self.bytes();
        let lines = head.split(|byte| *byte == b'\n');
        let lines = lines.map(|line| line.strip_suffix(b"\r").unwrap_or(line));
        let head = lines.take_while(|line| !line.is_empty());
        let found: Vec<String> = head
            .filter(|line| is_so(line))
            .take(most)
            .map(|line| quoted(line, scrubber))
            .collect();
        (!found.is_empty()).then(|| found.join(" and "))
    }

    fn bytes(&self) -> std::sync::MutexGuard<'_, Vec<u8>> {
        self.bytes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Quotes a line. Secrets are struck out before the line is cut: a cut secret would not be found.
pub(super) fn quoted(line: &[u8], scrubber: &Scrubber) -> String {
    let text = scrubber.scrub(String::from_utf8_lossy(line).into_owned());
    let mut shown = String::from("`");
    for c in shortened(&text, MAX_SHOWN_CHARS).chars() {
        if c.is_control() {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    shown.push('`');
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_quoted_as_they_came() {
        let none = Scrubber::default();
        let head = RawHead::default();
        head.add(b"HTTP/1.1 200 OK\r\nX-A: a\0b\r\nContent-");
        head.add(
            b"Length: 3\r\ncontent-length : 4\nContent-Lengthy: 5\r\n\r\nContent-Length: 6\r\n",
        );
        assert_eq!(head.first_line(&none).as_deref(), Some("`HTTP/1.1 200 OK`"));
        let fields = head.fields("content-length", &none);
        assert_eq!(
            fields.as_deref(),
            Some("`Content-Length: 3` and `content-length : 4`")
        );
        assert_eq!(head.fields("transfer-encoding", &none), None);
        assert_eq!(head.spoiled_line(&none).as_deref(), Some("`X-A: a\\u{0}b`"));
        head.clear();
        assert_eq!(head.first_line(&none), None);
        head.add(&[b'x'; 2 * MAX_BYTES]);
        head.add(b"more");
        let long = head.first_line(&none).expect("a line");
        assert_eq!(long.chars().count(), MAX_SHOWN_CHARS + 3);
    }
}
