//! A strict reader of JPEG (ITU-T T.81, sequential and progressive with Huffman codes): reads every code of every
//! block, and compares their number with the size of the picture. Decoders pad missing data without an error.
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
