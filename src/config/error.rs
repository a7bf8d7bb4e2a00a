//! The errors of a configuration. Never prints a secret's value.

use std::fmt;
use std::io;
use std::path::PathBuf;

use crate::domain::io_words;

/// Why the configuration is unusable.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The given file does not exist.
    #[error("cannot find the configuration file {path}")]
    Missing {
        /// The path of the file.
        path: PathBuf,
    },
    /// A file cannot be read.
    #[error("cannot read {path}: {}", io_words(source))]
    Unreadable {
        /// The path of the file.
        path: PathBuf,
        /// The I/O error.
        source: io::Error,
    },
    /// The file has values or keys that are not accepted.
    #[error("{}", listed(path, problems))]
    Invalid {
        /// The path of the file.
        path: PathBuf,
        /// Every problem in the file, by line; at least one.
        problems: Vec<Problem>,
    },
    /// Another account than the owner may read the secrets file.
    #[error(
        "{path} holds secrets but has mode {mode:03o}: only its owner may have access (chmod 600)"
    )]
    SecretsOpen {
        /// The path of the secrets file.
        path: PathBuf,
        /// The permission bits of the file.
        mode: u32,
    },
    /// A line of the secrets file is malformed. The message leaves out the line, which may be a secret.
    #[error("{path}:{line}: {reason}")]
    SecretsLine {
        /// The path of the secrets file.
        path: PathBuf,
        /// The line number, from 1.
        line: usize,
        /// What is wrong with the line.
        reason: String,
    },
    /// The account has no home folder, and no setting gives the data folder.
    #[error(
        "cannot tell where to keep data: this account has no home folder; give --data-dir or set GANNET_DATA_DIR"
    )]
    NoDataDir,
    /// A path cannot be made absolute.
    #[error("cannot make {path} absolute: {}", io_words(source))]
    Relative {
        /// The path.
        path: PathBuf,
        /// The I/O error.
        source: io::Error,
    },
}

/// One problem in the configuration file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The line number, from 1.
    pub line: usize,
    /// The key with its section, what is wrong, and what is accepted.
    pub message: String,
}

fn listed(path: &std::path::Path, problems: &[Problem]) -> String {
    use fmt::Write as _;
    let mut text = String::new();
    for (index, problem) in problems.iter().enumerate() {
        let newline = if index == 0 { "" } else { "\n" };
        let _ = write!(
            text,
            "{newline}{}:{}: {}",
            path.display(),
            problem.line,
            problem.message
        );
    }
    text
}
