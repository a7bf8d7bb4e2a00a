//! The content of a version, through a window of bytes: only the part near the screen is in memory, whatever the size.
//!
//! Works on byte offsets. Pure: `missing_window` returns the bytes to read, and an effect reads them.

use std::fmt::Write as _;

use bytes::Bytes;

use crate::faces::text::clean_line;

/// Bytes of a window.
pub(crate) const WINDOW: u64 = 256 << 10;
/// Most bytes of a line on the screen; a longer line is split, since some files are one line.
const MAX_LINE: usize = 4096;
/// Bytes in a line of the hexadecimal page.
const HEX_LINE: u64 = 16;
/// Bytes at the start that decide between text and hexadecimal.
const SNIFF: usize = 8 << 10;

/// A position in a content, and the bytes around it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Viewer {
    size: u64,
    start: u64,
    bytes: Bytes,
    /// The offset of the first line on the screen.
    top: u64,
    hex: bool,
    /// The height of the page to show at the end of the content, once its window is read.
    to_end: Option<usize>,
    /// The number of columns scrolled away on the left.
    pub(crate) left: usize,
}

impl Viewer {
    /// Opens a content of this size at its start, given its first bytes.
    pub(crate) fn new(size: u64, bytes: Bytes) -> Self {
        let sniffed = &bytes[..bytes.len().min(SNIFF)];
        let is_text = match std::str::from_utf8(sniffed) {
            Ok(_) => true,
            // A character cut by the end of the sample does not make the content binary.
            Err(error) => error.error_len().is_none(),
        };
        Self {
            hex: !is_text || sniffed.contains(&0),
            size,
            bytes,
            ..Self::default()
        }
    }

    /// Shows other bytes, from the same place on.
    pub(crate) fn replace(&mut self, bytes: Bytes) {
        let size = bytes.len() as u64;
        let (hex, left) = (self.hex, self.left);
        let top = self.top.min(size);
        *self = Self {
            size,
            bytes,
            hex,
            left,
            ..Self::default()
        };
        self.top = if hex { top } else { self.line_start(top) };
    }

    pub(crate) fn toggle_hex(&mut self) {
        self.hex = !self.hex;
        self.to_end = None;
        self.left = 0;
        if self.hex {
            self.top -= self.top % HEX_LINE;
        } else {
            self.top = self.line_start(self.top);
        }
    }

    pub(crate) fn is_hex(&self) -> bool {
        self.hex
    }

    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// Stores a window of bytes that was read from this offset.
    pub(crate) fn set_window(&mut self, start: u64, bytes: Bytes) {
        (self.start, self.bytes) = (start, bytes);
        if let Some(height) = self.to_end.take() {
            self.go_to_bottom(height);
        } else if !self.hex {
            self.top = self.line_start(self.top);
        }
    }

    /// Returns the offset of the window to read, if the present window does not cover the screen and its surroundings.
    pub(crate) fn missing_window(&self) -> Option<u64> {
        let margin = WINDOW / 4;
        let end = self.start + self.bytes.len() as u64;
        let before = self.start > 0 && self.top < self.start + margin;
        let after = end < self.size && self.top + margin > end;
        let wanted = self
            .top
            .saturating_sub(WINDOW / 2)
            .min(self.size.saturating_sub(WINDOW));
        ((before || after) && wanted != self.start).then_some(wanted)
    }

    pub(crate) fn down(&mut self, lines: usize) {
        self.to_end = None;
        for _ in 0..lines {
            let next = self.next_line(self.top);
            if next >= self.size || self.at(next).is_none() {
                return;
            }
            self.top = next;
        }
    }

    pub(crate) fn up(&mut self, lines: usize) {
        self.to_end = None;
        for _ in 0..lines {
            if self.top == 0 {
                return;
            }
            self.top = if self.hex {
                self.top.saturating_sub(HEX_LINE)
            } else {
                self.line_start(self.top - 1)
            };
        }
    }

    pub(crate) fn go_to_top(&mut self) {
        self.top = 0;
        self.to_end = None;
    }

    /// Goes to the last full page of this height.
    pub(crate) fn go_to_bottom(&mut self, height: usize) {
        let back = height as u64 * if self.hex { HEX_LINE } else { 1 };
        if self.hex {
            let lines = self.size.div_ceil(HEX_LINE) * HEX_LINE;
            self.top = lines.saturating_sub(back);
        } else {
            self.top = self.size;
            if self.at(self.size.saturating_sub(1)).is_some() {
                self.up(height);
            } else {
                self.to_end = Some(height);
            }
        }
    }

    fn at(&self, offset: u64) -> Option<u8> {
        let at = offset.checked_sub(self.start)?;
        self.bytes.get(usize::try_from(at).ok()?).copied()
    }

    /// Returns the start of the line around an offset, within the window.
    fn line_start(&self, offset: u64) -> u64 {
        let mut start = offset.min(self.size);
        let least = offset.saturating_sub(MAX_LINE as u64).max(self.start);
        while start > least && self.at(start - 1) != Some(b'\n') {
            start -= 1;
        }
        start
    }

    fn next_line(&self, offset: u64) -> u64 {
        if self.hex {
            return offset + HEX_LINE;
        }
        offset + self.line(offset).len() as u64
    }

    /// Returns the line that begins at the offset, its line break included.
    fn line(&self, offset: u64) -> &[u8] {
        let at = offset
            .checked_sub(self.start)
            .and_then(|at| usize::try_from(at).ok());
        let rest = at.and_then(|at| self.bytes.get(at..)).unwrap_or_default();
        let most = rest.len().min(MAX_LINE);
        let end = match rest[..most].iter().position(|byte| *byte == b'\n') {
            Some(end) => end + 1,
            // A character that lies across the seam goes to the next line.
            None if most < rest.len() => most - continued(&rest[..=most]),
            None => most,
        };
        &rest[..end]
    }

    /// Returns the lines of a page of this height, cleaned.
    pub(crate) fn page(&self, height: usize) -> Vec<String> {
        let mut lines = Vec::with_capacity(height);
        let mut offset = self.top;
        while lines.len() < height && offset < self.size {
            if self.hex {
                let Some(line) = self.hex_line(offset) else {
                    break;
                };
                lines.push(line);
                offset += HEX_LINE;
            } else {
                let line = self.line(offset);
                if line.is_empty() {
                    break;
                }
                offset += line.len() as u64;
                let text = String::from_utf8_lossy(line);
                lines.push(clean_line(text.trim_end_matches(['\n', '\r'])).replace('\t', "    "));
            }
        }
        lines
    }

    fn hex_line(&self, offset: u64) -> Option<String> {
        let bytes: Vec<u8> = (offset..offset + HEX_LINE)
            .map_while(|at| self.at(at))
            .collect();
        if bytes.is_empty() {
            return None;
        }
        let mut digits = String::new();
        for (at, byte) in bytes.iter().enumerate() {
            let gap = if at == 8 { " " } else { "" };
            let _ = write!(digits, "{gap}{byte:02x} ");
        }
        let printable = |byte: &u8| {
            let visible = byte.is_ascii_graphic() || *byte == b' ';
            char::from(if visible { *byte } else { b'.' })
        };
        let text: String = bytes.iter().map(printable).collect();
        Some(format!("{offset:08x}  {digits:<50} {text}"))
    }
}

/// Returns how many bytes before the last belong to the same character (RFC 3629); 0 if they are not UTF-8.
fn continued(bytes: &[u8]) -> usize {
    let is_continuation = |byte: &&u8| **byte & 0xC0 == 0x80;
    let back = bytes.iter().rev().take_while(is_continuation).count();
    if back > 3 { 0 } else { back }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Sets the windows that the viewer asks for, as the effect does.
    fn refill(viewer: &mut Viewer, content: &[u8]) {
        while let Some(start) = viewer.missing_window() {
            let from = usize::try_from(start).expect("small");
            let to = (from + usize::try_from(WINDOW).expect("small")).min(content.len());
            viewer.set_window(start, Bytes::copy_from_slice(&content[from..to]));
        }
    }

    fn open(content: &[u8]) -> Viewer {
        let first = content.len().min(usize::try_from(WINDOW).expect("small"));
        Viewer::new(
            content.len() as u64,
            Bytes::copy_from_slice(&content[..first]),
        )
    }

    #[test]
    fn shows_text_line_by_line_and_the_end_in_full() {
        let lines: Vec<_> = (0..100_000).map(|n| format!("line {n}\n")).collect();
        let content = lines.concat();
        let mut viewer = open(content.as_bytes());
        assert_eq!(viewer.page(2), ["line 0", "line 1"]);
        viewer.down(1);
        assert_eq!(viewer.page(1), ["line 1"]);
        viewer.go_to_bottom(3);
        refill(&mut viewer, content.as_bytes());
        assert_eq!(viewer.page(3), ["line 99997", "line 99998", "line 99999"]);
        viewer.up(1);
        assert_eq!(viewer.page(1), ["line 99996"]);
    }

    #[test]
    fn a_long_line_is_cut_between_characters() {
        let content = "x".to_owned() + &"東".repeat(3000);
        let viewer = open(content.as_bytes());
        let lines = viewer.page(3);
        assert_eq!(lines.concat(), content);
    }

    #[test]
    fn shows_bytes_that_are_no_text() {
        let mut viewer = open(b"\x00\x01GNU\xff");
        assert_eq!(
            viewer.page(4),
            ["00000000  00 01 47 4e 55 ff                                  ..GNU."]
        );
        viewer.toggle_hex();
        assert_eq!(viewer.page(4), ["GNU\u{fffd}"]);
    }

    proptest! {
        #[test]
        fn never_leaves_the_content(content in proptest::collection::vec(any::<u8>(), 0..3000), steps in proptest::collection::vec(0_u8..6, 0..40)) {
            let mut viewer = open(&content);
            for step in steps {
                match step {
                    0 => viewer.down(7),
                    1 => viewer.up(3),
                    2 => viewer.go_to_bottom(5),
                    3 => viewer.go_to_top(),
                    4 => viewer.toggle_hex(),
                    _ => viewer.down(100),
                }
                refill(&mut viewer, &content);
                prop_assert!(viewer.top <= viewer.size());
                prop_assert!(viewer.page(5).len() <= 5);
            }
        }
    }
}
