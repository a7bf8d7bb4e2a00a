//! The tables that the segments of a file define.

use super::huffman::Huffman;

/// What a scan needs, as the last segments defined it.
#[derive(Default)]
pub(super) struct Tables {
    pub(super) dc: [Option<Huffman>; 4],
    pub(super) ac: [Option<Huffman>; 4],
    /// The quantisation tables: for each coefficient the size of a step.
    pub(super) steps: [Option<[u16; 64]>; 4],
    /// How many units there are between restart markers; 0 when there are none.
    pub(super) restart_interval: u64,
}
