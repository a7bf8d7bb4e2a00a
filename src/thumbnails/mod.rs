//! Thumbnails: small pictures of pictures, made once and kept in a folder of their own beside the archive.
//!
//! What is in the folder can be made again: a file that is missing or damaged is made anew, and the oldest ones go when
//! there are too many. Never touches the archive, and never reads the catalogue.

mod cache;
mod shrink;

pub use cache::Thumbnails;
pub use shrink::{MAX_PICTURE_BYTES, Shrunk, Thumbnail, picture_facts};
