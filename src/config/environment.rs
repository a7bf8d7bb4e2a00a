//! The environment as a value: what the process was given, or what a test says.
//!
//! The only reader of the process's environment. Never changes it.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The platform's folders for this program.
#[derive(Clone, Debug)]
pub struct Folders {
    /// Where `config.toml` is looked for.
    pub config: PathBuf,
    /// Where data goes when nothing is said.
    pub data: PathBuf,
    /// Where logs go when nothing is said; not every platform has one.
    pub state: Option<PathBuf>,
}

/// Variables and folders at one moment. Cloning is cheap; `Debug` shows names only, for values may be secrets.
#[derive(Clone, Default)]
pub struct Environment {
    values: Arc<HashMap<OsString, OsString>>,
    folders: Option<Folders>,
}

impl Environment {
    /// Returns the environment of this process.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the environment"
    )]
    pub fn of_process() -> Self {
        let folders = directories::ProjectDirs::from("", "", "gannet").map(|found| Folders {
            config: found.config_dir().to_owned(),
            data: found.data_dir().to_owned(),
            state: found.state_dir().map(Path::to_owned),
        });
        Self {
            values: Arc::new(std::env::vars_os().collect()),
            folders,
        }
    }

    /// Returns an environment of these variables, and of these folders or none (an account without a home).
    pub fn new<K: Into<OsString>, V: Into<OsString>>(
        values: impl IntoIterator<Item = (K, V)>,
        folders: Option<Folders>,
    ) -> Self {
        let values = values
            .into_iter()
            .map(|(name, value)| (name.into(), value.into()))
            .collect();
        Self {
            values: Arc::new(values),
            folders,
        }
    }

    /// Returns the value of `name`; one that is set but empty counts as not set.
    pub fn get(&self, name: &str) -> Option<&OsStr> {
        self.values
            .get(OsStr::new(name))
            .map(OsString::as_os_str)
            .filter(|value| !value.is_empty())
    }

    /// Returns the same as a path.
    pub fn path(&self, name: &str) -> Option<PathBuf> {
        self.get(name).map(PathBuf::from)
    }

    /// Returns the platform's folders, nothing when the account has no home.
    pub fn folders(&self) -> Option<&Folders> {
        self.folders.as_ref()
    }

    /// Returns where `program` is found: the first executable file of that name in the folders of `PATH`.
    pub(super) fn find_program(&self, program: &str) -> Option<PathBuf> {
        std::env::split_paths(self.get("PATH")?)
            .filter(|folder| folder.is_absolute())
            .map(|folder| folder.join(program))
            .find(|path| is_executable(path))
    }
}

impl std::fmt::Debug for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut names: Vec<_> = self.values.keys().collect();
        names.sort();
        f.debug_struct("Environment")
            .field("names", &names)
            .field("folders", &self.folders)
            .finish()
    }
}

/// Tells whether `path` is a regular file that someone may execute.
pub(super) fn is_executable(path: &Path) -> bool {
    let Ok(metadata) = path.metadata() else {
        return false;
    };
    #[cfg(unix)]
    let executable = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o111 != 0;
    #[cfg(not(unix))]
    let executable = true;
    metadata.is_file() && executable
}
