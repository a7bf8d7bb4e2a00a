//! `utf8`: well-formed UTF-8.

use super::input::{Input, RuleResult, bad};

/// Longest UTF-8 sequence.
const MAX_SEQUENCE: usize = 4;

/// Passes UTF-8 (RFC 3629).
pub(super) fn judge(input: &mut Input) -> RuleResult {
    let mut check = Utf8Check::default();
    let found = input
        .pieces(|piece| check.push(piece))?
        .or_else(|| check.finish());
    match found {
        None => Ok("well-formed UTF-8".to_owned()),
        Some(offset) => bad(format!(
            "not UTF-8: the byte at offset {offset} begins no character"
        )),
    }
}

/// Checks UTF-8 that arrives in pieces.
#[derive(Default)]
struct Utf8Check {
    /// Offset of the next byte; `pending` lies before it.
    offset: u64,
    /// The unfinished sequence at the end of the last piece.
    pending: Vec<u8>,
}

impl Utf8Check {
    /// Checks the next piece. Returns the offset of the first bad byte.
    fn push(&mut self, mut piece: &[u8]) -> Option<u64> {
        // The bytes that finish a pending sequence are checked together with it.
        while !self.pending.is_empty() && !piece.is_empty() {
            self.pending.push(piece[0]);
            piece = &piece[1..];
            self.offset += 1;
            match std::str::from_utf8(&self.pending) {
                Ok(_) => self.pending.clear(),
                Err(error) if error.error_len().is_none() && self.pending.len() < MAX_SEQUENCE => {}
                Err(_) => return self.finish(),
            }
        }
        match std::str::from_utf8(piece) {
            Ok(_) => {}
            Err(error) if error.error_len().is_some() => {
                return Some(self.offset + error.valid_up_to() as u64);
            }
            Err(error) => self
                .pending
                .extend_from_slice(&piece[error.valid_up_to()..]),
        }
        self.offset += piece.len() as u64;
        None
    }

    /// Returns the offset of an unfinished sequence at the end.
    fn finish(&self) -> Option<u64> {
        (!self.pending.is_empty()).then(|| self.offset - self.pending.len() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Builtin;
    use crate::verify::builtin::input::PIECE_BYTES;
    use crate::verify::builtin::tests::{assert_fails, assert_passes};
    use proptest::prelude::*;

    #[test]
    fn utf8_names_the_first_bad_byte() {
        for good in ["", "a", "é€😀", &"é".repeat(100_000)] {
            assert_passes(&Builtin::Utf8, good.as_bytes());
        }
        for (bad, offset) in [
            (&b"ab\xFFc"[..], 2),
            (b"\xC3", 0),
            (b"a\xE2\x82", 1),
            (b"\xC0\xAF", 0),
            (b"\xED\xA0\x80", 0),
            (b"\xF4\x90\x80\x80", 0),
        ] {
            assert_fails(&Builtin::Utf8, bad, &format!("offset {offset} "));
        }
        // A character across two pieces, whole and broken.
        let mut text = vec![b'x'; PIECE_BYTES - 1];
        text.extend("😀".as_bytes());
        assert_passes(&Builtin::Utf8, &text);
        text[PIECE_BYTES + 1] = b'x';
        assert_fails(
            &Builtin::Utf8,
            &text,
            &format!("offset {} ", PIECE_BYTES - 1),
        );
    }

    proptest! {
        #[test]
        fn utf8_in_pieces_agrees_with_the_whole(
            pieces in prop::collection::vec(prop_oneof![
                "\\PC{0,4}".prop_map(String::into_bytes),
                prop::collection::vec(any::<u8>(), 0..3),
                prop::sample::select(vec![vec![0xE2], vec![0x82], vec![0xAC], vec![0xF0, 0x9F], vec![0x98, 0x80]]),
            ], 0..8)
        ) {
            let whole = pieces.concat();
            let expected = std::str::from_utf8(&whole).err().map(|error| error.valid_up_to() as u64);
            let mut check = Utf8Check::default();
            let found = pieces.iter().find_map(|piece| check.push(piece)).or_else(|| check.finish());
            prop_assert_eq!(found, expected);
        }
    }
}
