//! The archive's files: the codec of blobs, large objects, published copies, temporary files.
//!
//! | part | what it is for |
//! | --- | --- |
//! | [`Blobs`] | contents in their stored form: whole, or a delta; the large ones as objects |
//! | [`Objects`] | the large ones, and for some days what seems unneeded: the trash |
//! | [`Published`] | the plain files that other programs read |
//! | [`SetFolders`] | the folders of sets, each behind one link |
//! | [`Machine`] | locks, run folders and the small files that processes of one machine share |
//!
//! A blob has one of three stored forms: its bytes, a zstd frame, or a zstd frame with the content of an earlier blob
//! as its prefix (a delta). A small form is returned to be stored in the catalogue; a large one becomes a file in
//! `objects/` once the catalogue has its name, and is durable before it is returned. Every read checks the digest.
//!
//! Never uses the catalogue, sources or the network: chains of blobs are arguments. No other module writes below
//! `objects/`, `published/`, `sets/`, `trash/` or `tmp/`.

#[expect(clippy::module_inception, reason = "a file is named after its type")]
mod archive;
mod blobs;
mod catalogue_copies;
mod codec;
mod codec_limit;
mod decode;
mod edition_file;
mod encode;
mod error;
mod file;
mod host;
mod lock;
mod looks;
mod machine;
mod mark;
mod object_name;
mod objects;
mod published;
mod reader_temp;
mod relocate;
mod reserve;
mod run_folder;
mod set_folders;
mod set_sweep;
mod temp_beside;
mod temp_dir;
mod trash;

pub use archive::Archive;
pub use blobs::Blobs;
pub use codec_limit::{CodecLimit, CodecLoad};
pub use edition_file::EditionFile;
pub use encode::EncodedBlob;
pub use error::ArchiveError;
pub use lock::{FileLock, WaitReporter};
pub use looks::Looks;
pub use machine::Machine;
pub use objects::{ExpiredTrash, Objects};
pub use published::{PublishItem, Published};
pub use reserve::release_reserve;
pub use set_folders::{EditionFolder, SetFolders};
