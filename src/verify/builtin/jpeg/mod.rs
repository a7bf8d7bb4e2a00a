//! A strict reader of JPEG (ITU-T T.81, sequential and progressive with Huffman codes): every code of every block is
//! walked, and counted against the size of the picture. Decoders fill up what is missing, and say nothing.
//!
//! Never computes a pixel.

mod bits;
mod frame;
mod huffman;
mod scan;
mod tables;
#[cfg(test)]
mod tests;
mod walk;

pub(super) use walk::check;
