//! The shape of a well-formed JSON text: its depth, the memory for its tree, the exactness of its numbers, duplicate
//! keys. Found piece by piece, before any tree is built.

use std::collections::HashSet;
use std::ops::Range;

use super::input::{RuleFailure, bad, cannot};
use crate::config::{Exactness, exactness_of};
use crate::domain::truncate_line;

/// Deepest nesting of values.
pub(super) const MAX_DEPTH: usize = 500;
/// Rough memory of the nodes of a tree, with the spare room of their tables.
const VALUE_BYTES: u64 = 160;
const MEMBER_BYTES: u64 = 260;
const FIRST_FEW_BYTES: u64 = 600;
const TEXT_BYTES: u64 = 32;
/// Most memory for keys while duplicates are searched.
const MAX_KEY_BYTES: usize = 128 << 20;
/// Most numbers out of the range of `f64`.
const MAX_UNHELD: usize = 100_000;

/// The shape of the text read so far.
#[derive(Default)]
pub(super) struct Shape {
    /// Rough memory of the tree, in bytes.
    pub(super) tree_bytes: u64,
    /// The least exactly held number, shortened, with its exactness.
    pub(super) worst_number: Option<(Exactness, String)>,
    /// Places of the numbers that `f64` cannot hold: `true` for fractions that are too small or would become whole,
    /// `false` for numbers that are too large.
    pub(super) unheld: Vec<(Range<usize>, bool)>,
    /// Bytes read.
    offset: usize,
    wants_unique_keys: bool,
    levels: Vec<Level>,
    place: Token,
    /// Bytes so far of the current key or number.
    token: Vec<u8>,
    /// Within an escape such as `\u00e9`: the value of its digits so far, and their number.
    escaped: Option<(u16, u8)>,
    /// Set behind the first half of a surrogate pair.
    awaits_half: bool,
    line: u64,
    key_bytes: usize,
}

/// Returns whether a JSON number lies between two whole ones: `1.5` and `15e-1` do, `1.0` and `100e-2` do not.
fn is_fraction(text: &str) -> bool {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{}{fraction}", whole.trim_start_matches('-'));
    let significant = digits.trim_end_matches('0');
    if significant.is_empty() {
        return false;
    }
    // An exponent with more digits than fit is far enough from zero.
    let exponent: i64 = exponent.parse().unwrap_or(match exponent.as_bytes()[0] {
        b'-' => i64::MIN / 2,
        _ => i64::MAX / 2,
    });
    let places = fraction
        .len()
        .saturating_sub(digits.len() - significant.len());
    let zeros = (digits.len() - significant.len()).saturating_sub(fraction.len());
    let of = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    exponent.saturating_add(of(zeros)) < of(places)
}

/// Token of the next byte.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Token {
    #[default]
    Structure,
    Text,
    /// Behind a backslash.
    Escape,
    Number,
}

/// An object or an array that is open.
#[derive(Default)]
struct Level {
    is_object: bool,
    wants_key: bool,
    count: u64,
    keys: HashSet<String>,
}

impl Shape {
    pub(super) fn new(wants_unique_keys: bool) -> Self {
        Self {
            wants_unique_keys,
            line: 1,
            ..Self::default()
        }
    }

    /// Reads the next piece.
    pub(super) fn push(&mut self, piece: &[u8]) -> Result<(), RuleFailure> {
        for byte in piece {
            self.offset += 1;
            match self.place {
                Token::Text | Token::Escape => self.text(*byte)?,
                Token::Structure | Token::Number => self.structure(*byte)?,
            }
        }
        Ok(())
    }

    /// Ends a number at the end of the text.
    pub(super) fn finish(&mut self) -> Result<(), RuleFailure> {
        self.offset += 1;
        self.end_number()
    }

    fn text(&mut self, byte: u8) -> Result<(), RuleFailure> {
        self.tree_bytes += 1;
        self.check_surrogates(byte)?;
        self.place = match (self.place, byte) {
            (Token::Text, b'"') => {
                self.place = Token::Structure;
                return self.end_text();
            }
            (Token::Text, b'\\') => Token::Escape,
            _ => Token::Text,
        };
        if self.wants_unique_keys && self.is_key() {
            self.token.push(byte);
        }
        Ok(())
    }

    /// Refuses half a surrogate pair (RFC 8259 §8.2): the grammar allows it, but it is no character, and readers
    /// differ in the result.
    fn check_surrogates(&mut self, byte: u8) -> Result<(), RuleFailure> {
        if let Some((value, count)) = self.escaped {
            let digit = char::from(byte).to_digit(16).unwrap_or_default();
            let value = value << 4 | u16::try_from(digit).unwrap_or_default();
            self.escaped = (count < 3).then_some((value, count + 1));
            if self.escaped.is_some() {
                return Ok(());
            }
            let is_second = (0xDC00..0xE000).contains(&value);
            if is_second != self.awaits_half {
                return self.lone_half();
            }
            self.awaits_half = (0xD800..0xDC00).contains(&value);
            return Ok(());
        }
        if self.place == Token::Escape && byte == b'u' {
            self.escaped = Some((0, 0));
        } else if self.awaits_half && (self.place == Token::Escape || byte != b'\\') {
            return self.lone_half();
        }
        Ok(())
    }

    fn lone_half(&self) -> Result<(), RuleFailure> {
        cannot(format!(
            "line {}: half a surrogate pair in a text, which is no character (RFC 8259 §8.2)",
            self.line
        ))
    }

    fn is_key(&self) -> bool {
        self.levels.last().is_some_and(|level| level.wants_key)
    }

    fn end_text(&mut self) -> Result<(), RuleFailure> {
        if !self.wants_unique_keys || !self.is_key() {
            return Ok(());
        }
        let quoted = [b"\"", &self.token[..], b"\""].concat();
        self.token.clear();
        let Ok(key) = serde_json::from_slice::<String>(&quoted) else {
            return cannot(format!("line {}: a key that cannot be compared", self.line));
        };
        self.key_bytes += key.len() + size_of::<String>();
        if self.key_bytes > MAX_KEY_BYTES {
            return cannot("its keys take too much memory to be compared");
        }
        let line = self.line;
        let Some(level) = self.levels.last_mut() else {
            return Ok(());
        };
        match level.keys.replace(key) {
            None => Ok(()),
            Some(key) => bad(format!(
                "line {line}: the key `{}` stands twice in one object",
                truncate_line(&key)
            )),
        }
    }

    fn structure(&mut self, byte: u8) -> Result<(), RuleFailure> {
        if self.place == Token::Number
            && matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E')
        {
            self.token.push(byte);
            return Ok(());
        }
        self.end_number()?;
        match byte {
            b'\n' => self.line += 1,
            b'"' => {
                self.node();
                self.tree_bytes += TEXT_BYTES;
                self.place = Token::Text;
            }
            b'{' | b'[' => self.open_level(byte == b'{')?,
            b'}' | b']' => self.close_level(),
            b',' | b':' => {
                if let Some(level) = self.levels.last_mut() {
                    level.wants_key = level.is_object && byte == b',';
                }
            }
            b'-' | b'0'..=b'9' => {
                self.node();
                self.tree_bytes += TEXT_BYTES;
                self.place = Token::Number;
                self.token.push(byte);
            }
            b't' | b'f' | b'n' => self.node(),
            _ => {}
        }
        Ok(())
    }

    fn open_level(&mut self, is_object: bool) -> Result<(), RuleFailure> {
        self.node();
        if self.levels.len() == MAX_DEPTH {
            let line = self.line;
            return cannot(format!(
                "line {line}: values are more than {MAX_DEPTH} deep"
            ));
        }
        self.levels.push(Level {
            is_object,
            wants_key: is_object,
            ..Level::default()
        });
        Ok(())
    }

    fn close_level(&mut self) {
        let closed = self.levels.pop().unwrap_or_default();
        let keys = closed.keys.iter();
        let bytes = keys.map(|key| key.len() + size_of::<String>());
        self.key_bytes = self.key_bytes.saturating_sub(bytes.sum());
    }

    /// Counts a value of an array, a key of an object, or the value of a key.
    fn node(&mut self) {
        let Some(level) = self.levels.last_mut() else {
            self.tree_bytes += VALUE_BYTES;
            return;
        };
        if level.is_object && !level.wants_key {
            return;
        }
        level.count += 1;
        self.tree_bytes += match (level.count, level.is_object) {
            // A table's first entry allocates room for a few.
            (1, _) => FIRST_FEW_BYTES,
            (2..=3, _) => TEXT_BYTES,
            (_, true) => MEMBER_BYTES,
            (_, false) => VALUE_BYTES,
        };
    }

    /// Ends the current number, if any; the byte behind it has been counted.
    fn end_number(&mut self) -> Result<(), RuleFailure> {
        if self.place != Token::Number {
            return Ok(());
        }
        self.place = Token::Structure;
        self.tree_bytes += self.token.len() as u64;
        let text = String::from_utf8_lossy(&self.token);
        let exactness = exactness_of(&text);
        let held = text.parse::<f64>().ok().filter(|held| held.is_finite());
        let turns_whole = held.is_some_and(|held| held.fract() == 0.0) && is_fraction(&text);
        if exactness == Exactness::Beyond || turns_whole {
            let end = self.offset - 1;
            self.unheld
                .push((end - self.token.len()..end, held.is_some()));
        }
        let known = self
            .worst_number
            .as_ref()
            .map_or(Exactness::Exact, |(worst, _)| *worst);
        if exactness > known {
            self.worst_number = Some((exactness, truncate_line(&text)));
        }
        self.token.clear();
        if self.unheld.len() > MAX_UNHELD {
            return cannot(format!(
                "more than {MAX_UNHELD} numbers that are too large or too small to be held"
            ));
        }
        Ok(())
    }
}
