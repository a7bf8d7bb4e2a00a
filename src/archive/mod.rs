//! The archive's files: the codec of blobs, large objects, published copies, temporary files.
//!
//! A blob is kept in one of three forms: its bytes, a zstd frame, or a zstd frame that needs the content of an earlier
//! blob as its prefix (a delta). A small form is handed back for the catalogue to keep beside its row; a large one is a
//! file in `objects/`, durable before it is handed back. Every read checks the digest.
//!
//! Never knows of the catalogue, of sources or of the network: chains of blobs come in as arguments. No other module
//! writes below `objects/`, `published/`, `sets/`, `trash/` or `tmp/`.

#[expect(clippy::module_inception, reason = "a file is named after its type")]
mod archive;
mod beside;
mod chain;
mod codec;
mod edition_file;
mod encode;
mod error;
mod file;
mod lock;
mod mark;
mod objects;
mod published;
mod reader_temp;
mod relocate;
mod reserve;
mod set_sweep;
mod sets;
mod slots;
mod temp;
mod trash;

pub use archive::{Archive, ExpiredTrash};
pub use edition_file::EditionFile;
pub use error::ArchiveError;
pub use lock::{FileLock, TellWaits};
pub use published::PublishItem;
pub use reserve::release_reserve;
pub use sets::EditionFolder;
