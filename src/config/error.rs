//! What can be wrong with a configuration. Never prints a secret's value.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// The configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file that was named does not exist.
    #[error("cannot find the configuration file {path}")]
    Missing {
        /// Which file.
        path: PathBuf,
    },
    /// A file cannot be read.
    #[error("cannot read {path}: {source}")]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file says something that is not accepted; every problem that was found, by line.
    #[error("{}", listed(path, problems))]
    Invalid {
        /// Which file.
        path: PathBuf,
        /// At least one, by line.
        problems: Vec<Problem>,
    },
    /// Someone other than its owner may read the file with secrets.
    #[error(
        "{path} holds secrets but has mode {mode:03o}: only its owner may have access (chmod 600)"
    )]
    SecretsOpen {
        /// Which file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// A line of the file with secrets cannot be read. The line itself is not shown: it may be a secret.
    #[error("{path}:{line}: {reason}")]
    SecretsLine {
        /// Which file.
        path: PathBuf,
        /// Which line, from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// The account has no home folder, and nothing says where the data is.
    #[error(
        "cannot tell where to keep data: this account has no home folder; give --data-dir or set GANNET_DATA_DIR"
    )]
    NoDataDir,
    /// A path cannot be made absolute.
    #[error("cannot make {path} absolute: {source}")]
    Relative {
        /// Which path.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// One thing that is wrong in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Which line, from 1.
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
