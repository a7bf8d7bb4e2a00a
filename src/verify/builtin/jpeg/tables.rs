//! The tables that the segments of a file define.

use super::huffman::Huffman;

/// The tables for a scan, as the last segments defined them.
#[derive(Default)]
pub(super) struct Tables {
    pub(super) dc: [Option<Huffman>; 4],
    pub(super) ac: [Option<Huffman>; 4],
    /// Quantisation tables: the step of each coefficient.
    pub(super) steps: [Option<[u16; 64]>; 4],
    /// Units between two restart markers; 0 for none.
    pub(super) restart_interval: u64,
}
