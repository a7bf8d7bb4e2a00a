//! The origin of each setting.

use std::collections::BTreeSet;
use std::fmt;

/// The origin of a setting.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SettingOrigin {
    /// Not set: the default.
    #[default]
    Default,
    /// The default, although the configuration file may name another: what it says of the setting cannot be read.
    Assumed,
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
            Self::Default | Self::Assumed => "default",
            Self::File => "file",
            Self::Environment(name) | Self::Flag(name) => name,
        })
    }
}

/// The recorded origins of settings.
#[derive(Clone, Debug, Default)]
pub struct SettingOrigins {
    /// The keys in the file, each after its table and a dot: `fetch.max_tries`.
    pub(super) keys: BTreeSet<String>,
    pub(super) data_dir: SettingOrigin,
    pub(super) log_dir: SettingOrigin,
    /// Whether an option or the environment gives the configuration file.
    pub is_file_named: bool,
    /// Whether the last of the trusted certificate files is that of `SSL_CERT_FILE`.
    pub(super) has_environment_certificates: bool,
}
