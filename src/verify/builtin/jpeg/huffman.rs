//! Huffman tables as the file defines them (T.81 §C.2).

use crate::verify::builtin::input::{RuleFailure, bad};

pub(super) const MAX_BITS: u32 = 16;
/// Longest code that one table access finds.
const FAST_BITS: u32 = 8;

/// One table, from codes to symbols.
#[derive(Clone)]
pub(super) struct Huffman {
    /// Indexed by the next 8 bits: length and symbol of the code that they begin with; length 0 for a longer code.
    fast: Vec<(u32, u8)>,
    /// For each length: the first code, the number of codes, and the index of their first symbol.
    lengths: Vec<(u32, u32, usize)>,
    symbols: Vec<u8>,
}

impl Huffman {
    /// Reads one table of a DHT segment, behind the byte that names the table. Returns the table and the rest of the
    /// segment.
    pub(super) fn read(segment: &[u8]) -> Result<(Self, &[u8]), RuleFailure> {
        let Some((counts, rest)) = segment.split_first_chunk::<16>() else {
            return bad("a Huffman table is cut off");
        };
        let total = counts.iter().map(|count| usize::from(*count)).sum();
        let Some((symbols, rest)) = rest.split_at_checked(total) else {
            return bad("a Huffman table is cut off");
        };
        let (mut code, mut at) = (0_u32, 0);
        let mut lengths = Vec::with_capacity(counts.len());
        for (length, count) in (1_u32..).zip(counts) {
            let count = u32::from(*count);
            if total > 256 || code + count > 1 << length {
                return bad("a Huffman table has more codes than there can be");
            }
            lengths.push((code, count, at));
            at += count as usize;
            code = (code + count) << 1;
        }
        let mut table = Self {
            fast: Vec::new(),
            lengths,
            symbols: symbols.to_vec(),
        };
        let fast = (0..1 << FAST_BITS).map(|bits: u32| {
            let found = table.search(bits << (MAX_BITS - FAST_BITS));
            found.filter(|(length, _)| *length <= FAST_BITS)
        });
        table.fast = fast.map(Option::unwrap_or_default).collect();
        Ok((table, rest))
    }

    /// Finds the code that these 16 bits begin with. Returns its length and symbol.
    pub(super) fn find(&self, bits: u32) -> Option<(u32, u8)> {
        match self.fast[(bits >> (MAX_BITS - FAST_BITS)) as usize] {
            (0, _) => self.search(bits),
            found => Some(found),
        }
    }

    fn search(&self, bits: u32) -> Option<(u32, u8)> {
        (1..)
            .zip(&self.lengths)
            .find_map(|(length, (first, count, at))| {
                let code = (bits >> (MAX_BITS - length)).checked_sub(*first)?;
                (code < *count).then(|| (length, self.symbols[at + code as usize]))
            })
    }
}
