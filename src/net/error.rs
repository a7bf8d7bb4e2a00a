//! Why the client could not be made. A failed fetch is no error: it is reported as data.

use std::path::PathBuf;

/// The client could not be made.
#[derive(Debug, thiserror::Error)]
pub enum NetError {
    /// A file of certificates that cannot be used.
    #[error("cannot read certificates from {path}: {reason}")]
    Certificates {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The parts were read, and do not make a client.
    #[error("cannot make the HTTP client: {0}")]
    Client(String),
}
