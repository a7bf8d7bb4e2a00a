//! The entropy-coded data between two markers, bit by bit (T.81 §F.2.2.5).

use super::huffman::{Huffman, MAX_BITS};
use crate::verify::builtin::input::{RuleFailure, bad};

const PREMATURE: &str = "the data ends before the picture does";

/// Reads bits from an offset of the file up to the next marker.
pub(super) struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Bits read ahead, `count` of them, the next one highest.
    held: u64,
    count: u32,
    /// Value of the first padding bit, which fills the last byte before a marker.
    padding: Option<bool>,
}

impl<'a> Bits<'a> {
    pub(super) fn new(bytes: &'a [u8], at: usize) -> Self {
        Self {
            bytes,
            at,
            held: 0,
            count: 0,
            padding: None,
        }
    }

    fn fill(&mut self) {
        while self.count <= 48 {
            let step = match self.bytes.get(self.at..) {
                // A zero byte is stuffed behind a 0xFF byte of the data.
                Some([0xFF, 0x00, ..]) => 2,
                Some([0xFF, ..] | []) | None => return,
                Some(_) => 1,
            };
            self.held = self.held << 8 | u64::from(self.bytes[self.at]);
            self.count += 8;
            self.at += step;
        }
    }

    pub(super) fn symbol(&mut self, table: &Huffman) -> Result<u8, RuleFailure> {
        if self.count < MAX_BITS {
            self.fill();
        }
        let next = if self.count >= MAX_BITS {
            self.held >> (self.count - MAX_BITS)
        } else {
            self.held << (MAX_BITS - self.count)
        };
        let next = u32::try_from(next & 0xFFFF).unwrap_or_default();
        match table.find(next) {
            Some((length, symbol)) if length <= self.count => {
                self.count -= length;
                Ok(symbol)
            }
            None if self.count >= MAX_BITS => bad("a code that no table has"),
            _ => bad(PREMATURE),
        }
    }

    /// Reads `count` bits, at most 16, as a number.
    pub(super) fn take(&mut self, count: u32) -> Result<u32, RuleFailure> {
        if self.count < count {
            self.fill();
        }
        let Some(left) = self.count.checked_sub(count) else {
            return bad(PREMATURE);
        };
        let value = self.held >> left & ((1 << count) - 1);
        self.count = left;
        Ok(u32::try_from(value).unwrap_or_default())
    }

    /// Reads `count` bits as a signed number (T.81 §F.2.2.1, EXTEND).
    pub(super) fn signed(&mut self, count: u32) -> Result<i32, RuleFailure> {
        let value = i32::try_from(self.take(count)?).unwrap_or_default();
        let is_negative = count > 0 && value < 1 << (count - 1);
        Ok(if is_negative {
            value - (1 << count) + 1
        } else {
            value
        })
    }

    /// Checks that only padding is left before the marker. Returns the offset of the marker.
    pub(super) fn end(&mut self) -> Result<usize, RuleFailure> {
        self.fill();
        if self.count >= 8 {
            return bad("the picture ends before its data does");
        }
        let all = (1 << self.count) - 1;
        let left = self.held & all;
        let padding = left != 0;
        // Encoders pad with ones, some with zeros, none with both.
        let is_even = left == 0 || left == all;
        if self.count > 0 && (!is_even || self.padding.is_some_and(|before| before != padding)) {
            return bad("the picture ends before its data does");
        }
        if self.count > 0 {
            self.padding = Some(padding);
        }
        self.count = 0;
        Ok(self.at)
    }

    /// Skips the restart marker with this number.
    pub(super) fn restart(&mut self, number: u8) -> Result<(), RuleFailure> {
        let at = self.end()?;
        let fill = self.bytes[at..].iter().take_while(|byte| **byte == 0xFF);
        let at = at + fill.count();
        if self.bytes.get(at) != Some(&(0xD0 + number)) {
            return bad(format!("no restart marker {number} where one has to be"));
        }
        self.at = at + 1;
        Ok(())
    }
}
