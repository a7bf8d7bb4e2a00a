//! The environment as a value: that of the process, or one that a test makes.
//!
//! The only reader of the process's environment. Never changes it.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The platform's folders for this program.
#[derive(Clone, Debug)]
pub struct Folders {
    /// The folder of `config.toml`.
    pub config: PathBuf,
    /// The default folder of the data.
    pub data: PathBuf,
    /// The default folder of the logs; not every platform has one.
    pub state: Option<PathBuf>,
}

/// Variables and folders at one moment. Cloning is cheap. `Debug` shows names only, since values may be secrets.
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

    /// Returns an environment with these variables and folders; an account without a home has no folders.
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

    /// Returns the value of `name`; an empty value counts as not set.
    pub fn get(&self, name: &str) -> Option<&OsStr> {
        self.values
            .get(OsStr::new(name))
            .map(OsString::as_os_str)
            .filter(|value| !value.is_empty())
    }

    /// Returns the value of `name` as a path.
    pub fn path(&self, name: &str) -> Option<PathBuf> {
        self.get(name).map(PathBuf::from)
    }

    /// Returns the platform's folders; `None` when the account has no home.
    pub fn folders(&self) -> Option<&Folders> {
        self.folders.as_ref()
    }

    /// Returns the path of `program`: the first executable file of that name in the folders of `PATH`.
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

/// Returns whether `path` is a regular file with an execute permission.
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
