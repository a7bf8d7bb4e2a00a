//! Where each setting comes from.

use std::collections::BTreeSet;
use std::fmt;

/// Where a setting comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SettingOrigin {
    /// Nothing says it.
    #[default]
    Default,
    /// The configuration file.
    File,
    /// This variable of the environment.
    Environment(&'static str),
    /// This option of the command line.
    Flag(&'static str),
}

impl fmt::Display for SettingOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Default => "default",
            Self::File => "file",
            Self::Environment(name) | Self::Flag(name) => name,
        })
    }
}

/// What is known of where the settings come from.
#[derive(Clone, Debug, Default)]
pub struct SettingOrigins {
    /// The keys in the file, with the table before a dot: `fetch.max_tries`.
    pub(super) keys: BTreeSet<String>,
    pub(super) data_dir: SettingOrigin,
    pub(super) log_dir: SettingOrigin,
    /// An option or the environment names the configuration file.
    pub is_file_named: bool,
    /// The file with certificates that `SSL_CERT_FILE` names is the last of those to trust.
    pub(super) has_environment_certificates: bool,
}
